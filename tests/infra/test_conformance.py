"""Conformance: what is deployed passes every check, and a planted fault of each kind is named."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance import __main__ as command
from conformance import events, host, promises, roles, settings, values
from conformance.check_result import CheckResult
from conformance.snapshots import VARIANTS, is_expression, values_at
from tests.support.paths import ROOT
from tests.support.planted import Copy

DEV, PROD, ENTRA, NETWORK, VAULT = (
    f"infra/snapshots/{variant}.json" for variant in ("dev", "prod", "entra", "private-network", "vault")
)
TABLE_ROLE = "roleDefinitions/0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"
QUEUE_ROLE = "roleDefinitions/974c5e8b-45b9-4653-ba55-5f855dd0fb88"
METRICS_ROLE = "roleDefinitions/3913510d-42f4-4e42-8a64-420c390055eb"
KEEPER_ROLE = "roleDefinitions/b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
READER_ROLE = "roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6"
DEAD_LETTER_ROLE = "roleDefinitions/ba92f5b4-2d11-453d-a403-e96b0029c9fe"
SENDER_ROLE = "roleDefinitions/c6a89b2d-59bc-44d0-9896-0f6e12d7b80a"
NO_ROLE = "roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


def expect(check: Callable[[Path], CheckResult], copy: Copy, named: str) -> None:
    """The check names the fault that was planted."""
    found = check(copy.root).faults
    assert any(named in one for one in found), found


@pytest.mark.parametrize("check", [values.check, promises.check, settings.check, roles.check, events.check, host.check])
def test_the_project_conforms(check: Callable[[Path], CheckResult]) -> None:
    """Every check that needs no tool of others passes."""
    assert check(ROOT).faults == ()


def test_values_are_found_through_lists_and_expressions_are_told_from_lists() -> None:
    """Each element of a list on the way has its own; what is not there is no value; JSON is a value."""
    resource = {"a": {"b": [{"c": 1}, {"c": [2, 3]}, {"d": 4}]}}
    assert values_at(resource, "a.b.*") == [1, 2, 3, 4]
    assert values_at(resource, "a.b.c") == [1, 2, 3]
    assert values_at(resource, "a.x.c") == []
    assert is_expression("[reference('x').y]")
    assert is_expression("[if(empty(z), null(), parameters('q'))]")
    assert not any(map(is_expression, ("[]", '["https://a.example"]', "[1]", "plain", 3, True)))


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        (DEV, '"name": "python"', '"name": "pyton"', "dev: Microsoft.Web/sites func-leak"),
        (VAULT, '"version": "3.13"', '"version": "3.9"', "runtime.version is '3.9', not one of 3.10"),
        (PROD, '"type": "blobContainer"', '"type": "blobContaner"', "deployment.storage.type is 'blobContaner'"),
        (NETWORK, '"minimumTlsVersion": "TLS1_2"', '"minimumTlsVersion": "TLS1_4"', "minimumTlsVersion is 'TLS1_4'"),
        (ENTRA, '"minTlsVersion": "1.2"', '"ftpsState": "Disabled"', "ftpsState is set, and Flex Consumption refuses"),
        (DEV, '"LAKE_TRIGGER"', '"FUNCTIONS_WORKER_RUNTIME"', "FUNCTIONS_WORKER_RUNTIME is set, and Flex"),
        (DEV, '"severity": 0', '"severity": 9', "severity is 9, not one of range(0, 5)"),
        (DEV, '"DroppedEventCount"', '"DropedEventCount"', "metricName is 'DropedEventCount'"),
        (PROD, '"category": "Cost"', '"category": "Costs"', "prod: Microsoft.Consumption/budgets budget-leak"),
        (VAULT, '"EventGridSchema"', '"CloudEventSchemaV1_0"', "eventDeliverySchema is"),
    ],
)
def test_a_value_that_only_azure_would_refuse_is_named(copy: Copy, file: str, old: str, new: str, named: str) -> None:
    """The compiler takes any runtime, version, severity, metric; and what Flex Consumption does not take at all."""
    expect(values.check, copy.plant(file, old, new), named)


def test_a_row_that_nothing_is_held_against_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a misspelt place would be a check that cannot fail."""
    monkeypatch.setattr(values, "ALLOWED", {"Microsoft.Web/sites": {"properties.knid": {"x"}}})
    assert values.check(ROOT).faults == ("no Microsoft.Web/sites has properties.knid",)


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        (DEV, TABLE_ROLE, NO_ROLE, "dev: shared/adapters/"),
        (PROD, QUEUE_ROLE, NO_ROLE, "the app: Storage Queue Data Contributor is not assigned"),
        (ENTRA, METRICS_ROLE, NO_ROLE, "Telemetry/Write: the app: Monitoring Metrics Publisher is not assigned"),
        (ENTRA, METRICS_ROLE, NO_ROLE, "is not in conformance/roles.json"),
        (ENTRA, METRICS_ROLE, READER_ROLE, "the app: nothing needs Key Vault Secrets User"),
        (VAULT, READER_ROLE, NO_ROLE, "Key Vault needs Microsoft.KeyVault/vaults/secrets/getSecret"),
        (VAULT, KEEPER_ROLE, READER_ROLE, "people: Key Vault Secrets Officer is not assigned"),
        (DEV, DEAD_LETTER_ROLE, METRICS_ROLE, "the events' topic: Storage Blob Data Contributor or"),
        (PROD, SENDER_ROLE, DEAD_LETTER_ROLE, "Storage Queue Data Message Sender is not assigned"),
        (
            NETWORK,
            "/blobServices/default/containers/events-dead/providers",
            "/providers",
            "is given on Microsoft.Storage/",
        ),
    ],
)
def test_a_role_that_is_missing_unknown_or_too_much_is_named(
    copy: Copy, file: str, old: str, new: str, named: str
) -> None:
    """In each variant: what a call, the platform, a person or Event Grid needs, and no more, on no more."""
    expect(roles.check, copy.plant(file, old, new), named)


def test_a_call_that_nobody_looked_up_is_named(copy: Copy) -> None:
    """A new call of an SDK, or a new kind of trigger, needs a line in the table first."""
    copy.plant("shared/adapters/queues.py", "self._critical.send_message(", "self._critical.clear_messages(")
    copy.plant("functions/ingest.py", "@blueprint.timer_trigger(", "@blueprint.cosmos_db_trigger(")
    found = "\n".join(roles.check(copy.root).faults)
    assert "clear_messages is not in conformance/roles.json" in found
    assert "cosmos_db_trigger is not in conformance/roles.json" in found


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        (DEV, '"HTTP__AUTH"', '"HTTP__AUHT"', "dev: HTTP__AUHT is deployed, and neither"),
        (PROD, '"LAKE_TRIGGER": "queue",', "", "prod: LAKE_TRIGGER is not deployed"),
        (VAULT, '"LAKE_TRIGGER": "queue"', '"LAKE_TRIGGER": "polling"', "vault: LAKE_TRIGGER must be queue"),
        (ENTRA, '"20 */10 * * * *"', '"every ten minutes"', "INGEST_SCHEDULE: String should match"),
        (NETWORK, '"OMNIA__BASE_URL"', '"OMNIA__STATIC_TOKEN"', "OMNIA__STATIC_TOKEN is deployed, and is for local"),
        (DEV, "6imyfpr3/default/registry", "6imyfpr3/default/regist", "registry (STORAGE__REGISTRY_TABLE) is not made"),
        (PROD, "3/default/build-baselines-poison", "3/default/poison", "build-baselines-poison (STORAGE__BASELINES_"),
        (VAULT, "6imyfpr3/default/tsd", "6imyfpr3/default/tds", "tsd (STORAGE__LAKE_CONTAINER) is not made"),
    ],
)
def test_a_setting_that_one_side_does_not_know_is_named(copy: Copy, file: str, old: str, new: str, named: str) -> None:
    """Undeclared, missing, of local runs only, wrong; and names in storage that nobody makes; in each variant."""
    expect(settings.check, copy.plant(file, old, new), named)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('"queueName": "lake-events"', '"queueName": "lake"', "and detect takes from lake-events"),
        ("containers/tsd/", "containers/tds/", "not of the lake's container tsd"),
        ('"blobContainerName": "events-dead"', '"blobContainerName": "events"', "events, which is not made"),
        ('"blobContainerName": "events-dead"', '"other": 1', "container None, which is not made"),
        ('systemTopics/eventSubscriptions"', 'topics/eventSubscriptions"', "no blob events reach the app"),
    ],
)
def test_events_that_would_reach_nobody_are_named(copy: Copy, old: str, new: str, named: str) -> None:
    """A queue that nobody takes from, another container, no place where they are given up."""
    expect(events.check, copy.plant(VAULT, old, new), named)


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("host.json", '"maxDequeueCount"', '"maxDequeCount"', "maxDequeCount"),
        ("host.json", '"00:00:30"', '"30 s"', "visibilityTimeout"),
        ("host.json", '"Function.detect.User"', '"Function.detekt.User"', "Function.detekt.User is of no function"),
        ("host.json", '"Host.Results"', '"Hosts.Results"', "no log category Hosts.Results"),
        ("host.json", '"Trace;Exception"', '"Traces"', "excludedTypes"),
        ("local.settings.sample.json", '"AS_OF"', '"AS_OFF"', "nobody reads AS_OFF"),
        ("local.settings.sample.json", '"OPENBLAS_NUM_THREADS": "1"', '"OPENBLAS_NUM_THREADS": 1', "valid string"),
    ],
)
def test_what_the_host_does_not_read_is_named(copy: Copy, file: str, old: str, new: str, named: str) -> None:
    """Misspelt options and values that it would not take, in both of its files."""
    expect(host.check, copy.plant(file, old, new), named)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_promise_that_one_variant_breaks_is_named(copy: Copy, variant: str) -> None:
    """Keys that would open storage, a public blob, telemetry from anybody: wherever it is deployed so."""
    file = f"infra/snapshots/{variant}.json"
    copy.plant(file, '"allowSharedKeyAccess": false', '"allowSharedKeyAccess": true')
    copy.plant(file, '"allowBlobPublicAccess": false,', "")
    copy.plant(file, '"DisableLocalAuth": true', '"DisableLocalAuth": 1')
    found = [one for one in promises.check(copy.root).faults if "must be" in one]
    assert len(found) == 3
    assert all(one.startswith(f"{variant}: ") for one in found)


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        (PROD, '"Standard_ZRS"', '"Standard_LRS"', "sku.name must be 'Standard_ZRS'"),
        (PROD, '"http20Enabled": true', '"http20Enabled": false', "http20Enabled was true, is false, which nobody"),
        (ENTRA, '"requireAuthentication": true', '"requireAuthentication": false', "requireAuthentication must be"),
        (ENTRA, '"HTTP__AUTH": "entra"', '"HTTP__AUTH": "keys"', "properties.HTTP__AUTH must be 'entra'"),
        (NETWORK, '"publicNetworkAccess": "Disabled"', '"publicNetworkAccess": "Enabled"', "must be 'Disabled'"),
        *(
            (VAULT, f'{name}": "[format(\'@Microsoft.KeyVault(', f'{name}": "[format(\'', f"properties.{name} must be")
            for name in ("OMNIA__CLIENT_SECRET", "NOTIFY__WEBHOOK_URL", "NOTIFY__SECRET")
        ),
        (VAULT, '"Microsoft.KeyVault/vaults"', '"Microsoft.KeyVault/vaults/secrets"', "vaults/secrets must not be"),
        (VAULT, '"Microsoft.KeyVault/vaults"', '"Microsoft.KeyVault/vaults/secrets"', "there is no Microsoft.KeyVault"),
        (VAULT, '"Microsoft.KeyVault/vaults"', '"Microsoft.KeyVault/safes"', "it was not deployed, which nobody"),
        (
            VAULT,
            "workbooks/a3f23262",
            "workbooks/00000000",
            "workbooks a3f23262-3b5c-50e5-903f-04e6f8b33bbe: it is not",
        ),
        (DEV, '"SystemAssigned"\n   }', '"None"\n   }', "identity.type must"),
        ("infra/main.bicep", "param omniaClientId", "@secure()\nparam omniaClientId", "takes a secret"),
    ],
)
def test_what_a_variant_has_otherwise_than_was_promised_is_named(
    copy: Copy, file: str, old: str, new: str, named: str
) -> None:
    """What a variant is there for, what it has that nobody promised, what it lacks; a secret in its history."""
    expect(promises.check, copy.plant(file, old, new), named)


def test_every_variable_of_the_deployment_is_in_its_guide() -> None:
    """What main.bicepparam reads is what docs/deployment.md lists, with the same defaults."""
    parameters = (ROOT / "infra" / "main.bicepparam").read_text()
    read = dict(re.findall(r"readEnvironmentVariable\('(\w+)'(?:, '(.*?)')?\)", parameters))
    rows = re.findall(r"^\| (`[A-Z].*?) \| (.+?) \|", (ROOT / "docs" / "deployment.md").read_text(), re.MULTILINE)
    documented = dict(pair for cells in rows for pair in zip(*(cell.split(", ") for cell in cells), strict=True))
    required = {"AZURE_ENV_NAME", "AZURE_LOCATION", "OMNIA_BASE_URL"}
    assert documented == {
        f"`{name}`": f"`{default}`" if default else "required" if name in required else "empty"
        for name, default in read.items()
    }


def test_one_fault_fails_the_whole(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The command ends with 1, and says which check, and what; what is well is shown, too."""
    checks = {
        "good": lambda _: CheckResult.of("all is well", []),
        "bad": lambda _: CheckResult.of("", ["this", "that", "this"]),
    }
    monkeypatch.setattr(command, "CHECKS", checks)
    monkeypatch.setattr("sys.argv", ["conformance"])
    assert command.main() == 1
    output = capsys.readouterr().out
    assert re.search(r"good +ok +all is well", output)
    assert re.search(r"bad +FAIL .*\n +this\n +that\n1 of 2 checks passed, not bad\n$", output)
    monkeypatch.setattr("sys.argv", ["conformance", "good"])
    assert command.main() == 0
