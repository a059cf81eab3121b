"""Settings: one model, one table in the docs, one sample file, and every mistake named at once."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shared import __version__
from shared.errors import SettingsError
from shared.settings import described_settings, load_settings
from shared.usecases.poison import MAX_DEQUEUE_COUNT

ROOT = Path(__file__).parent.parent
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


def test_the_hosts_dequeue_count_is_the_one_that_poison_events_use() -> None:
    """Both must change together."""
    host = json.loads((ROOT / "host.json").read_text())
    assert host["extensions"]["queues"]["maxDequeueCount"] == MAX_DEQUEUE_COUNT


def test_the_version_stands_in_one_place() -> None:
    """The package's version is the project's."""
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text()
