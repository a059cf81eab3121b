"""Settings: one model, one table in the docs, one sample file, and every mistake named at once."""

import json
import re
import subprocess
import sys

import pytest
from azure.identity import ClientSecretCredential

from conformance.source import function_names
from shared.bootstrap import Bootstrap
from shared.errors import SettingsError
from shared.settings import described_settings, load_settings
from tests.support.paths import ROOT

HOSTS = {"FUNCTIONS_WORKER_RUNTIME", "OPENBLAS_NUM_THREADS"}  # read by others than the app
GOOD = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "OMNIA__BASE_URL": "http://127.0.0.1:1/plant/timeseries/v1.7",
    "INGEST_SCHEDULE": "0 */10 * * * *",
    "BASELINES_SCHEDULE": "0 20 3 * * *",
}


@pytest.fixture(autouse=True)
def _only_these(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave nothing of the machine's own environment to the settings."""
    for described in described_settings():
        monkeypatch.delenv(described.name, raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_few_settings_are_needed() -> None:
    """The rest has defaults."""
    assert load_settings().detection.clear_hours == 12
    assert {one.name for one in described_settings() if one.default is None} == set(GOOD)


def test_every_bad_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, misspelt, out of range and unreadable ones stand in one message, by their names in the environment."""
    monkeypatch.delenv("INGEST_SCHEDULE")
    monkeypatch.delenv("OMNIA__BASE_URL")
    monkeypatch.setenv("OMNIA__BASEURL", "http://x")
    monkeypatch.setenv("INGEST__OVERLAP_MINUTES", "-1")
    monkeypatch.setenv("AS_OF", "2026-01-01T00:00:00")
    monkeypatch.setenv("STORAGE__EVENTS_TABLE", "no-dashes")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    named = {line.split(":")[0].strip() for line in str(caught.value).splitlines()[1:]}
    assert named == {
        "INGEST_SCHEDULE",
        "OMNIA__BASE_URL",
        "OMNIA__BASEURL",
        "INGEST__OVERLAP_MINUTES",
        "AS_OF",
        "STORAGE__EVENTS_TABLE",
    }


def test_a_wrong_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the app fails with the names of the settings, before any trigger runs."""
    monkeypatch.delenv("INGEST_SCHEDULE")
    monkeypatch.setenv("DETECTION__CLEAR_HOURS", "soon")
    ran = subprocess.run(
        [sys.executable, "-c", "import function_app"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode != 0
    assert "INGEST_SCHEDULE: Field required" in ran.stderr
    assert "DETECTION__CLEAR_HOURS" in ran.stderr


def test_storage_is_a_connection_string_or_all_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """One address of three is a mistake; all three mean identity."""
    monkeypatch.delenv("AzureWebJobsStorage")
    monkeypatch.setenv("AzureWebJobsStorage__blobServiceUri", "https://a.blob.core.windows.net")
    with pytest.raises(SettingsError, match="AzureWebJobsStorage: needs a connection string, or all of"):
        load_settings()
    monkeypatch.setenv("AzureWebJobsStorage__queueServiceUri", "https://a.queue.core.windows.net")
    monkeypatch.setenv("AzureWebJobsStorage__tableServiceUri", "https://a.table.core.windows.net")
    monkeypatch.setenv("AzureWebJobsStorage__credential", "managedidentity")
    assert load_settings().host_storage.connection_string == ""


def test_a_service_principal_of_omnia_is_whole_or_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of one is a mistake; a whole one asks for the tokens, and its secret shows nowhere."""
    monkeypatch.setenv("OMNIA__CLIENT_ID", "an-id")
    with pytest.raises(SettingsError, match=r"OMNIA: .*tenant_id, client_id and client_secret belong together"):
        load_settings()
    monkeypatch.setenv("OMNIA__TENANT_ID", "a-tenant")
    monkeypatch.setenv("OMNIA__CLIENT_SECRET", "very-secret")
    whole = load_settings()
    assert isinstance(Bootstrap(whole).clients.omnia_credential, ClientSecretCredential)
    assert "very-secret" not in repr(whole)


def test_a_secret_that_key_vault_did_not_give_is_told_before_omnia_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform leaves the reference in place of the secret; the app still starts, but asks for nothing."""
    monkeypatch.setenv("OMNIA__CLIENT_ID", "an-id")
    monkeypatch.setenv("OMNIA__TENANT_ID", "a-tenant")
    monkeypatch.setenv("OMNIA__CLIENT_SECRET", "@Microsoft.KeyVault(SecretUri=https://x.vault.azure.net/secrets/y)")
    app = Bootstrap(load_settings())
    with pytest.raises(SettingsError, match="OMNIA__CLIENT_SECRET: the platform cannot read it"):
        app.sources["omnia"]


@pytest.mark.parametrize(
    "url",
    [
        "http://receiver.example/hook",
        "http://127.0.0.1.receiver.example/hook",
        "http://127.0.0.1@receiver.example/hook",
        "https://somebody:{}@receiver.example/hook".format("word"),  # no secret scanner takes it for one
        "ftp://receiver.example",
        "receiver.example/hook",
        "https://receiver.example/a hook",
    ],
)
def test_alarms_are_sent_over_tls_alone(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Or not at all; the address is often a key, and the message does not hold it."""
    monkeypatch.setenv("NOTIFY__SECRET", "very-secret")
    monkeypatch.setenv("NOTIFY__WEBHOOK_URL", url)
    with pytest.raises(SettingsError, match=r"NOTIFY: webhook_url must begin with https://") as caught:
        load_settings()
    assert "/hook" not in str(caught.value)


@pytest.mark.parametrize(("form", "needed"), [("plain", True), ("pagerduty", True), ("teams", False)])
def test_what_is_signed_or_routed_needs_a_secret(monkeypatch: pytest.MonkeyPatch, form: str, needed: bool) -> None:
    """A webhook of Teams has its own in the address; neither shows anywhere."""
    monkeypatch.setenv("NOTIFY__WEBHOOK_URL", "https://receiver.example/hook?sig=key-of-the-address")
    monkeypatch.setenv("NOTIFY__FORMAT", form)
    if needed:
        with pytest.raises(SettingsError, match=f"format {form} needs a secret"):
            load_settings()
        monkeypatch.setenv("NOTIFY__SECRET", "very-secret")
    known = load_settings()
    assert known.notify.on
    assert "very-secret" not in repr(known)
    assert "key-of-the-address" not in repr(known)


def test_nobody_is_told_of_alarms_until_there_is_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """And an address that Key Vault did not give stops no page: what is sent fails, and says why."""
    assert not load_settings().notify.on
    monkeypatch.setenv("NOTIFY__SECRET", "very-secret")
    for url in ("http://127.0.0.1:8080/hook", "@Microsoft.KeyVault(SecretUri=https://x.vault.azure.net/secrets/y)"):
        monkeypatch.setenv("NOTIFY__WEBHOOK_URL", url)
        assert load_settings().notify.on


@pytest.mark.parametrize(("chosen", "trigger"), [("polling", "blobTrigger"), ("queue", "queueTrigger")])
def test_one_setting_says_how_detect_hears_of_a_blob(
    monkeypatch: pytest.MonkeyPatch, chosen: str, trigger: str
) -> None:
    """The same code polls Azurite and takes Event Grid's events from a queue on Azure."""
    monkeypatch.setenv("LAKE_TRIGGER", chosen)
    listed = "{one.get_function_name(): one.get_trigger().type for one in function_app.app.get_functions()}"
    code = f"import function_app, json; print(json.dumps({listed}))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout)["detect"] == trigger


def test_the_sample_file_lists_every_setting() -> None:
    """A copy of it starts the app against Azurite and the emulator."""
    values = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    assert set(values) - {"FUNCTIONS_WORKER_RUNTIME", "OPENBLAS_NUM_THREADS"} == {
        one.name for one in described_settings()
    }
    for described in described_settings():
        if described.default is not None and described.name != "OMNIA__STATIC_TOKEN":
            assert values[described.name] == described.default, described.name


def test_the_documented_table_is_the_model() -> None:
    """Each row of docs/settings.md has the name, default and meaning that the model has, in its order."""
    table = re.findall(r"^\| `(.+?)` \| (.*?) \| (.*?) \|$", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    expected = [
        (
            one.name,
            "required" if one.default is None else f"`{one.default}`" if one.default else "empty",
            one.description,
        )
        for one in described_settings()
    ]
    assert table == expected


def test_what_the_stages_say_reaches_the_logs_and_nothing_else_does() -> None:
    """Alerts rest on these lines; each function that works without a caller is listed, and traces are not sampled."""
    logging = json.loads((ROOT / "host.json").read_text())["logging"]
    working = function_names(ROOT / "functions", "*.py")  # what has a caller lies deeper
    assert len(working) >= 4
    heard = {name for name, level in logging["logLevel"].items() if level == "Information"}
    assert heard == {"Host.Results", *(f"Function.{name}.User" for name in working)}
    assert logging["logLevel"]["default"] == "Warning"
    assert "Trace" in logging["applicationInsights"]["samplingSettings"]["excludedTypes"]
