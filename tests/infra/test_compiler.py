"""Microsoft's Bicep compiler names a planted fault of each kind, and the deployment refuses with words."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from conformance import bicep, compiler
from tests.support.planted import Copy

APP, MAIN, PARAMETERS = "infra/parts/app.bicep", "infra/main.bicep", "infra/main.bicepparam"
DEV = "infra/snapshots/dev.json"


@pytest.fixture(scope="module")
def program() -> Path:
    """Give the compiler's path."""
    path, words = compiler.find_compiler()
    if path is None:
        pytest.skip(words)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        (
            PARAMETERS,
            "readEnvironmentVariable('LEAK_MEMORY_MB', '2048')",
            "int(readEnvironmentVariable('LEAK_MEMORY_MB', '2048'))",
            "infra/main.bicepparam:8: Error BCP033",
        ),
        (APP, "httpsOnly: true", "httpOnly: true", "Warning BCP089"),
        (MAIN, "param location string\n", "param location string\n\nparam spare string = ''\n", "no-unused-params"),
        (APP, "    httpsOnly: true", "    httpsOnly:   true", "infra/parts/app.bicep: is not in the compiler's format"),
        (APP, "http20Enabled: true", "http20Enabled: false", "siteConfig.http20Enabled was true, is false"),
        (DEV, '"FlexConsumption"', '"Dynamic"', 'sku.tier was "Dynamic", is "FlexConsumption"'),
    ],
    ids=["a parameter's type", "a misspelt property", "a linter's rule", "the format", "a resource", "a picture"],
)
def test_a_fault_that_the_compiler_sees_is_named(
    program: Path, copy: Copy, file: str, old: str, new: str, named: str
) -> None:
    """Errors and warnings of every file, another format, a deployment that is not the stored one."""
    copy.plant(file, old, new)
    found = list(compiler.faults_of(program, copy.root, ["dev"]))
    assert any(named in one for one in found), found


@pytest.mark.slow
def test_a_changed_resource_passes_once_its_picture_is_made_anew(program: Path, copy: Copy) -> None:
    """The command that refreshes writes what the check compares with."""
    copy.plant(APP, "http20Enabled: true", "http20Enabled: false")
    changed = {path.name for path in compiler.refresh(program, copy.root)}
    assert changed == {f"{variant}.json" for variant in compiler.VARIANTS}
    assert list(compiler.faults_of(program, copy.root, ["dev"])) == []


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
        compiler.evaluate(program, copy.root / "infra", variables)
    assert words in str(refused.value)


@pytest.mark.slow
def test_what_cannot_be_changed_in_place_can_be_kept(program: Path, copy: Copy) -> None:
    """An environment that becomes production with the storage and the vault that it has."""
    kept = {"LEAK_STORAGE_REDUNDANCY": "Standard_LRS", "LEAK_VAULT_UNDELETE_DAYS": "7"}
    variables = {**compiler.VARIANTS["vault"], "LEAK_STAGE": "prod", **kept}
    found = compiler.evaluate(program, copy.root / "infra", variables)["predictedResources"]
    (account,) = [one for one in found if one["type"] == "Microsoft.Storage/storageAccounts"]
    (vault,) = [one for one in found if one["type"] == "Microsoft.KeyVault/vaults"]
    assert account["sku"]["name"] == "Standard_LRS"
    assert vault["properties"]["softDeleteRetentionInDays"] == 7


def test_without_a_compiler_the_pictures_are_looked_at_and_the_check_says_so(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fresh clone passes; a picture that is missing, empty, of nothing or of no variant does not."""
    monkeypatch.setattr(compiler, "find_compiler", lambda: (None, "there is none"))
    verdict = bicep.check(copy.root)
    assert verdict.faults == ()
    assert "compiler skipped: there is none" in verdict.summary
    folder = copy.root / "infra" / "snapshots"
    (folder / "prod.json").unlink()
    (folder / "dev.json").write_text("{")
    vault = json.loads((folder / "vault.json").read_text())["predictedResources"]
    others = [one for one in vault if one["type"] != "Microsoft.KeyVault/vaults"]
    (folder / "vault.json").write_text(json.dumps({"predictedResources": others}))
    shutil.copyfile(folder / "entra.json", folder / "test.json")
    found = "\n".join(bicep.check(copy.root).faults)
    assert "infra/snapshots/prod.json: no picture" in found
    assert "infra/snapshots/dev.json: no picture" in found
    assert "infra/snapshots/vault.json: shows no Microsoft.KeyVault/vaults" in found
    assert "infra/snapshots/test.json: is of no variant" in found


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
