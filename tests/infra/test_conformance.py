"""Conformance: what is deployed passes every check, and a planted fault of each kind is named."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance import __main__ as command
from conformance import bicep, host, modules, promises, roles, settings
from conformance.check_result import CheckResult
from tests.support.paths import ROOT
from tests.support.planted import Copy

APP, STORAGE, MAIN = "infra/parts/app.bicep", "infra/parts/storage.bicep", "infra/main.bicep"
ROLES = "infra/parts/roles.bicep"


def expect(check: Callable[[Path], CheckResult], copy: Copy, named: str) -> None:
    """The check names the fault that was planted."""
    found = check(copy.root).faults
    assert any(named in one for one in found), found


def of_types(root: Path) -> CheckResult:
    """What the check of Bicep says without the compiler (test_compiler.py), which takes longer."""
    return CheckResult.of("", bicep.type_faults(root)[1])


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(bicep.check, marks=pytest.mark.slow),
        of_types,
        modules.check,
        promises.check,
        settings.check,
        host.check,
        roles.check,
    ],
)
def test_the_project_conforms(check: Callable[[Path], CheckResult]) -> None:
    """Every check that needs no tool of others passes."""
    assert check(ROOT).faults == ()


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        (APP, "httpsOnly: true", "httpOnly: true", "httpOnly does not exist"),
        (APP, "type: 'blobContainer'", "type: 'container'", "'container', not one of"),
        (APP, "reserved: true", "reserved: 'yes'", "reserved is 'yes', not bool"),
        (APP, "reserved: true", "provisioningState: 'x'", "provisioningState is read only"),
        (STORAGE, "  sku: { name: redundancy }\n", "", "sku is required"),
        (
            STORAGE,
            "['blockBlob'], prefixMatch: ['tsd/']",
            "'blockBlob', prefixMatch: ['tsd/']",
            "blobTypes is 'blockBlob'",
        ),
        (STORAGE, "  sku: { name: redundancy }", "  sku: { name: { tier: 'x' } }", "sku.name is an object"),
        (STORAGE, "      rules: [\n", "      rules: {}\n      others: [\n", "rules is an object, not"),
        (STORAGE, "tierToCool:", "tierToCold: true, tierToCol:", "tierToCol does not exist"),
        ("infra/parts/auth.bicep", "requireHttps: true", "requireHttp: true", "requireHttp does not exist"),
        ("infra/events.bicep", "retryPolicy: {", "retryPolicy: ", "cannot be parsed"),
        ("infra/events.bicep", "systemTopics@2025-02-15'", "systemTopics@2020-01-01'", "API version 2020-01-01"),
        ("infra/parts/identity.bicep", "userAssignedIdentities@", "userIdentities@", "does not know this type"),
    ],
)
def test_a_fault_of_bicep_is_named(copy: Copy, file: str, old: str, new: str, named: str) -> None:
    """Misspelt, missing, read-only and wrongly typed properties, at every depth; what cannot be parsed."""
    expect(of_types, copy.plant(file, old, new), named)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("  tableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'\n", "", "Storage Table Data Contributor"),
        ("  queueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'\n", "", "Storage Queue Data Contributor"),
        ("'3913510d-42f4-4e42-8a64-420c390055eb'", "''", "Monitoring Metrics Publisher is not assigned"),
        ("'3913510d-42f4-4e42-8a64-420c390055eb'", "'8e3af657-a8ff-443c-a75c-2fe8c4bcb635'", "is not in conformance"),
    ],
)
def test_a_missing_or_unknown_role_is_named(copy: Copy, old: str, new: str, named: str) -> None:
    """Each role that a call needs; one that nobody looked up."""
    expect(roles.check, copy.plant(ROLES, old, new), named)


def test_a_call_that_nobody_looked_up_is_named(copy: Copy) -> None:
    """A new call of an SDK, or a new kind of trigger, needs a line in the table first."""
    copy.plant("shared/adapters/queues.py", "self._critical.send_message(", "self._critical.peek_messages(")
    copy.plant("functions/ingest.py", "@blueprint.timer_trigger(", "@blueprint.cosmos_db_trigger(")
    found = "\n".join(roles.check(copy.root).faults)
    assert "peek_messages is not in conformance/roles.json" in found
    assert "cosmos_db_trigger is not in conformance/roles.json" in found


def test_a_role_that_nothing_needs_is_named(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Least privilege: whoever takes a call away is shown what can go with it."""
    known = dict(roles.table())
    spare = "00000000-0000-4000-8000-000000000000"
    known["roles"] = {**known["roles"], spare: {"name": "Owner of nothing", "may": ["Microsoft.Nothing/*"]}}
    monkeypatch.setattr(roles, "table", lambda: known)
    copy.plant(ROLES, "var metricsPublisher", f"var spare = '{spare}'\nvar metricsPublisher")
    assert roles.check(copy.root).faults == ("nothing needs Owner of nothing",)


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        (APP, "  HTTP__AUTH: httpAuth", "  HTTP__AUHT: httpAuth", "HTTP__AUHT is deployed, and neither"),
        (APP, "  LAKE_TRIGGER: 'eventgrid'", "", "LAKE_TRIGGER is not deployed"),
        (APP, "  LAKE_TRIGGER: 'eventgrid'", "  LAKE_TRIGGER: 'polling'", "does not poll"),
        (APP, "  INGEST_SCHEDULE: '20 */10 * * * *'", "", "INGEST_SCHEDULE is not deployed"),
        (APP, "'20 */10 * * * *'", "'every ten minutes'", "INGEST_SCHEDULE: String should match"),
        (APP, "  HTTP__AUTH: httpAuth", "  FUNCTIONS_WORKER_RUNTIME: 'python'", "Flex Consumption refuses it"),
        (MAIN, "  OMNIA__BASE_URL: omniaBaseUrl", "  OMNIA__STATIC_TOKEN: 'x'", "is for local runs only"),
        (STORAGE, "'registry', ", "", "tables: registry (STORAGE__REGISTRY_TABLE) is not made"),
        (STORAGE, "  'build-baselines-poison'\n", "", "queues: build-baselines-poison"),
    ],
)
def test_a_setting_that_one_side_does_not_know_is_named(copy: Copy, file: str, old: str, new: str, named: str) -> None:
    """Undeclared, missing, refused, of local runs only, wrong; and names in storage that nobody makes."""
    expect(settings.check, copy.plant(file, old, new), named)


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


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        (STORAGE, "allowSharedKeyAccess: false", "allowSharedKeyAccess: true", "allowSharedKeyAccess must be False"),
        (STORAGE, "    allowBlobPublicAccess: false\n", "", "allowBlobPublicAccess must be False"),
        ("infra/parts/monitoring.bicep", "DisableLocalAuth: true", "DisableLocalAuth: false", "DisableLocalAuth"),
        (MAIN, "param omniaClientId", "@secure()\nparam omniaClientId", "takes a secret"),
    ],
)
def test_a_broken_promise_is_named(copy: Copy, file: str, old: str, new: str, named: str) -> None:
    """Keys that would open storage, a public blob, telemetry from anybody, a secret in the deployment's history."""
    expect(promises.check, copy.plant(file, old, new), named)


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        (
            MAIN,
            "    keeperPrincipalId: keeperPrincipalId",
            "    keperPrincipalId: keeperPrincipalId",
            "gives keperPrincipalId",
        ),
        (MAIN, "    purgeProtection: !purgeable\n", "", "does not give purgeProtection, which vault.bicep needs"),
        (MAIN, "= app.outputs.uri", "= app.outputs.url", "app has no output url"),
        (MAIN, "'parts/workbook.bicep'", "'parts/workbok.bicep'", "workbok.bicep, which is not there"),
        ("infra/main.bicepparam", "param httpAuth", "param httpAuht", "main.bicepparam gives httpAuht"),
        ("infra/main.bicepparam", "param location = readEnvironmentVariable('AZURE_LOCATION')\n", "", "location"),
    ],
)
def test_what_modules_do_not_give_each_other_is_named(copy: Copy, file: str, old: str, new: str, named: str) -> None:
    """Parameters that nobody takes, those that are missing, outputs and files that are not there."""
    expect(modules.check, copy.plant(file, old, new), named)


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
