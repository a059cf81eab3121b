"""Microsoft's Bicep compiler names a planted fault of each kind, and the deployment refuses with words."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from conformance import compiler, events, promises, roles, settings, values
from conformance.snapshots import VARIANTS
from tests.support.planted import Copy

APP, MAIN, PARAMETERS = "infra/parts/app.bicep", "infra/main.bicep", "infra/main.bicepparam"
STORAGE, ROLES = "infra/parts/storage.bicep", "infra/parts/roles.bicep"
MONITORING = "infra/parts/monitoring.bicep"
DEV = "infra/snapshots/dev.json"


@pytest.fixture(scope="module")
def program() -> Path:
    """Give the compiler's path."""
    path, words = compiler.find_compiler()
    if path is None:
        pytest.skip(words)
    return path


SEEN = [
    (
        PARAMETERS,
        "readEnvironmentVariable('LEAK_MEMORY_MB', '2048')",
        "int(readEnvironmentVariable('LEAK_MEMORY_MB', '2048'))",
        "infra/main.bicepparam:7: Error BCP033",
    ),
    (PARAMETERS, "param httpAuth", "param httpAuht", '"httpAuht"'),
    (PARAMETERS, "param location = readEnvironmentVariable('AZURE_LOCATION')\n", "", '"location"'),
    (MAIN, "param location string\n", "param location string\n\nparam spare string = ''\n", "no-unused-params"),
    (MAIN, "    keeperPrincipalId: keeperPrincipalId", "    keperPrincipalId: ''", '"keperPrincipalId" is not allowed'),
    (MAIN, "    purgeProtection: !purgeable\n", "", '"purgeProtection"'),
    (MAIN, "= app.outputs.uri", "= app.outputs.url", '"url"'),
    (MAIN, "'parts/workbook.bicep'", "'parts/workbok.bicep'", "workbok.bicep"),
    (APP, "httpsOnly: true", "httpOnly: true", "Warning BCP089"),
    (APP, "reserved: true", "reserved: 'yes'", "infra/parts/app.bicep:53: Warning BCP036"),
    (MONITORING, "    workspaceCapping:", "    provisioningState: 'x'\n    workspaceCapping:", "Warning BCP073"),
    (STORAGE, "  sku: { name: redundancy }\n", "", '"sku"'),
    (STORAGE, "tierToCool:", "tierToCol:", '"tierToCol" is not allowed'),
    ("infra/parts/identity.bicep", "userAssignedIdentities@", "userIdentities@", "Warning BCP081"),
    ("infra/parts/budget.bicep", "timePeriod: {", "timePeriod: ", "infra/parts/budget.bicep:"),
]


@pytest.mark.slow
def test_every_fault_that_the_compiler_sees_is_named(program: Path, copy: Copy) -> None:
    """Parameters, modules, outputs, files; properties misspelt, missing, read only, of another type, at every depth."""
    for file, old, new, _ in SEEN:
        copy.plant(file, old, new)
    found = list(compiler.faults_of(program, copy.root, ["dev"]))
    assert [named for *_, named in SEEN if not any(named in one for one in found)] == [], found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        (APP, "    httpsOnly: true", "    httpsOnly:   true", "infra/parts/app.bicep: is not in the compiler's format"),
        (APP, "http20Enabled: true", "http20Enabled: false", "siteConfig.http20Enabled was true, is false"),
        (DEV, '"FlexConsumption"', '"Dynamic"', 'sku.tier was "Dynamic", is "FlexConsumption"'),
        (DEV, '"diagnostics": []', '"diagnostics": [1]', "the same resources stand there otherwise"),
    ],
    ids=["the format", "a resource", "a snapshot", "what else is in a snapshot"],
)
def test_what_is_not_as_it_is_stored_is_named(
    program: Path, copy: Copy, file: str, old: str, new: str, named: str
) -> None:
    """Another format, a deployment that is not the stored one, a stored one that was changed by hand."""
    copy.plant(file, old, new)
    found = list(compiler.faults_of(program, copy.root, ["dev"]))
    assert any(named in one for one in found), found


@pytest.mark.slow
def test_a_change_of_bicep_reaches_every_check_once_its_snapshots_are_made_anew(program: Path, copy: Copy) -> None:
    """The command that refreshes writes what the compiler compares with, and what the other checks read."""
    copy.plant(STORAGE, "allowSharedKeyAccess: false", "allowSharedKeyAccess: true")
    copy.plant(APP, "name: 'python'", "name: 'pyton'")
    copy.plant(APP, "  HTTP__AUTH: httpAuth", "  HTTP__AUHT: httpAuth")
    copy.plant(ROLES, "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3", "0a9a7e1f-b9d0-4cc4-a60d-000000000000")
    copy.plant(
        "infra/parts/events.bicep",
        "param queueName string = 'lake-events'",
        "param queueName string = 'build-baselines'",
    )
    assert len(list(compiler.refresh(program, copy.root, ["prod"]))) == 1
    assert list(compiler.faults_of(program, copy.root, ["prod"])) == []
    for check, named in (
        (promises.check, "prod: Microsoft.Storage/storageAccounts stleakexample6imyfpr3: properties.allowSharedKey"),
        (values.check, "prod: Microsoft.Web/sites func-leak-example-6imyfpr3: properties.functionAppConfig.runtime"),
        (settings.check, "prod: HTTP__AUHT is deployed"),
        (roles.check, "prod: the role 0a9a7e1f-b9d0-4cc4-a60d-000000000000 is not in"),
        (events.check, "prod: events go to ['build-baselines']"),
    ):
        assert any(one.startswith(named) for one in check(copy.root).faults), check(copy.root).faults


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"AZURE_ENV_NAME": "my_env"}, "AZURE_ENV_NAME is my_env: only a-z, 0-9 and hyphens"),
        ({"AZURE_ENV_NAME": "MyEnv"}, "AZURE_ENV_NAME is MyEnv"),
        ({"AZURE_ENV_NAME": "thirteen-long"}, "maximum allowable length is 12"),
        ({"LEAK_HTTP_AUTH": "entra"}, "LEAK_AUTH_CLIENT_ID must name its application"),
        ({"LEAK_VAULT_UNDELETE_DAYS": "3"}, "Key Vault takes 7 to 90"),
        ({"LEAK_STAGE": "production"}, "'dev' | 'prod' | 'test'"),
        ({"LEAK_MEMORY_MB": "512"}, "'2048' | '4096'"),
        ({"LEAK_STORAGE_REDUNDANCY": "Standard_GRS"}, "'Standard_LRS' | 'Standard_ZRS'"),
    ],
)
def test_what_azure_would_not_take_is_refused_with_words(
    program: Path, copy: Copy, variables: Mapping[str, str], words: str
) -> None:
    """Before anything is created: the resource group itself is not."""
    with pytest.raises(compiler.CompilerError) as refused:
        compiler.evaluate(program, copy.root, variables)
    assert words in str(refused.value)


@pytest.mark.slow
def test_what_cannot_be_changed_in_place_can_be_kept(program: Path, copy: Copy) -> None:
    """An environment that becomes production with the storage and the vault that it has."""
    kept = {"LEAK_STORAGE_REDUNDANCY": "Standard_LRS", "LEAK_VAULT_UNDELETE_DAYS": "7"}
    variables = {**VARIANTS["vault"], "LEAK_STAGE": "prod", **kept}
    found = compiler.evaluate(program, copy.root, variables)[1]["predictedResources"]
    (account,) = [one for one in found if one["type"] == "Microsoft.Storage/storageAccounts"]
    (vault,) = [one for one in found if one["type"] == "Microsoft.KeyVault/vaults"]
    assert account["sku"]["name"] == "Standard_LRS"
    assert vault["properties"]["softDeleteRetentionInDays"] == 7


def test_without_a_compiler_the_check_says_so_and_every_check_reads_what_is_stored(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fresh clone passes; a snapshot that is missing, cannot be read or is of no variant does not."""
    monkeypatch.setattr(compiler, "find_compiler", lambda: (None, "there is none"))
    verdict = compiler.check(copy.root)
    assert verdict.faults == ()
    assert "compiler skipped: there is none" in verdict.summary
    folder = copy.root / "infra" / "snapshots"
    shutil.copyfile(folder / "entra.json", folder / "test.json")
    (folder / "prod.json").unlink()
    (folder / "dev.json").write_text("{")
    assert "infra/snapshots/test.json is of no variant" in compiler.check(copy.root).faults
    missing = "dev, prod: has no snapshot; python -m conformance.compiler"
    for check in (compiler.check, values.check, promises.check, settings.check, roles.check, events.check):
        assert missing in check(copy.root).faults


def test_the_compiler_is_looked_for_where_it_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The path in BICEP; nothing at all; one that is too old."""
    compiler.find_compiler.cache_clear()
    monkeypatch.setattr(compiler, "ROOT", tmp_path / "checkout")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path / "azure"))
    monkeypatch.delenv("BICEP", raising=False)
    try:
        assert compiler.find_compiler() == (None, "there is no Bicep compiler here (az bicep install, or BICEP=path)")
        installed = tmp_path / "azure" / "bin" / "bicep"
        for version, taken in (("0.49.2", True), ("0.30.3", False)):
            installed.parent.mkdir(parents=True, exist_ok=True)
            installed.write_text(f"#!/bin/sh\necho 'Bicep CLI version {version} (abc)'\n")
            installed.chmod(0o755)
            compiler.find_compiler.cache_clear()
            path, words = compiler.find_compiler()
            assert (path == installed) == taken
            assert version in words
    finally:
        compiler.find_compiler.cache_clear()
