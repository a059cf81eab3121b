"""What azd runs: the package is built for each deployment, and a budget begins once."""

import json
import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml  # type: ignore[import-untyped]

from bench.api import READERS
from conformance.package import SETTINGS
from shared.settings import load_settings
from tests.support.paths import ROOT


def project() -> dict[str, Any]:
    """Return azure.yaml."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text())
    return found


def test_the_package_is_built_for_every_deployment() -> None:
    """A prepackage hook of the project does not run for ``azd deploy``, one of the service does, in its folder."""
    (service,) = project()["services"].values()
    assert service["hooks"]["prepackage"]["posix"]["run"] == "make package"
    assert (service["project"], service["dist"]) == (".", "dist/app")
    assert "prepackage" not in project()["hooks"]


def test_windows_is_refused_in_words() -> None:
    """A hook without a variant for Windows is left out there without a word, and an old package would be deployed."""
    (service,) = project()["services"].values()
    for hook in (*service["hooks"].values(), *project()["hooks"].values()):
        assert hook["windows"]["run"].startswith("throw '")
        assert "WSL" in hook["windows"]["run"]


@pytest.mark.parametrize(("start", "sets"), [("2026-01-01", False), ("", True)])
def test_the_start_of_the_budget_is_set_once(tmp_path: Path, start: str, sets: bool) -> None:
    """Azure refuses a budget whose start has changed, and with it the whole deployment."""
    azd = tmp_path / "azd"
    azd.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said\n')
    azd.chmod(azd.stat().st_mode | stat.S_IXUSR)
    hook = project()["hooks"]["preprovision"]["posix"]
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "LEAK_BUDGET_START": start}
    subprocess.run([hook["shell"], "-c", hook["run"]], env=environment, check=True)
    assert (tmp_path / "said").exists() == sets
    if sets:
        assert re.fullmatch(r"env set LEAK_BUDGET_START \d{4}-\d\d-01\n", (tmp_path / "said").read_text())
    parameters = (ROOT / "infra" / "main.bicepparam").read_text()
    assert "param budgetStart = readEnvironmentVariable('LEAK_BUDGET_START', '')" in parameters
    assert "utcNow" not in (ROOT / "infra" / "parts" / "budget.bicep").read_text()


def test_settings_of_a_deployment_are_strings_that_the_app_reads() -> None:
    """main.bicepparam writes what is no string as JSON; the app reads both forms of each kind in the guide alike."""
    parameters = (ROOT / "infra" / "main.bicepparam").read_text()
    assert re.search(r"^param appSettings = mapValues\(", parameters, re.MULTILINE)
    guide = (ROOT / "docs" / "settings.md").read_text().partition("## On Azure")[2]
    rows = re.findall(r"^\| .+? \| `(\{.+?\})` \| (?:`(\{.+?\})`|the same) \|$", guide, re.MULTILINE)
    assert len(rows) == 5
    for as_json, as_string in rows:
        given = {
            name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
            for name, value in json.loads(as_json).items()
        }
        assert all(isinstance(value, str) for value in json.loads(as_string or "{}").values())
        with patch.dict(os.environ, {**SETTINGS, **given}, clear=True):
            first = load_settings()
        with patch.dict(os.environ, {**SETTINGS, **given, **json.loads(as_string or "{}")}, clear=True):
            assert load_settings() == first


def commands(text: str) -> list[str]:
    """Return the commands of az in a text: in blocks of code, over several lines, and between backticks."""
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)).replace("\\\n", " ")
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return [one for line in (*blocks.splitlines(), *inline) for one in re.findall(r"\baz [a-z].*", line)]


@pytest.mark.parametrize("guide", ["deployment.md", "operations.md"])
def test_commands_of_a_guide_name_their_subscription(guide: str) -> None:
    """The one that az takes by default may be another than azd's; an address names its own."""
    found = commands((ROOT / "docs" / guide).read_text())
    assert found
    about_all = ("az login", "az account", "az rest")
    unnamed = [one for one in found if " -" in one and "--subscription" not in one and not one.startswith(about_all)]
    assert unnamed == []


@pytest.mark.parametrize("guide", ["deployment.md", "operations.md"])
def test_a_guide_says_nothing_that_flex_consumption_cannot_do(guide: str) -> None:
    """It has no stream of logs, and a restart does not read Key Vault again."""
    found = commands((ROOT / "docs" / guide).read_text())
    assert not [one for one in found if "log tail" in one or "functionapp restart" in one]


def test_the_bench_asks_as_much_at_once_as_an_instance_takes() -> None:
    """Otherwise what it measures is not what is deployed."""
    found = re.search(r"var requestsAtOnce = (\d+)", (ROOT / "infra/parts/app.bicep").read_text())
    assert found
    assert int(found[1]) == READERS
