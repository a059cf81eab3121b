"""What people expect of a repository: the dev container, hooks, Dependabot and owners name things that are there."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.support.paths import ROOT

CONTAINER_KEYS = {"name", "image", "features", "postCreateCommand", "forwardPorts", "customizations"}  # that are used
IMAGE = re.compile(r"mcr\.microsoft\.com/devcontainers/[a-z-]+:\d+\.\d+-[a-z]+")
FEATURE = re.compile(r"ghcr\.io/[a-z-]+(/[a-z-]+)+:\d+(\.\d+){0,2}")
EXTENSION = re.compile(r"[\w-]+\.[\w-]+")


def container_faults(found: dict[str, Any], root: Path) -> list[str]:
    """Return what is wrong with a dev container's description; no package carries its schema."""
    faults = [f"{key} is no property that is used here" for key in found.keys() - CONTAINER_KEYS]
    faults += [f"{key} is missing" for key in CONTAINER_KEYS - found.keys()]
    if not IMAGE.fullmatch(found.get("image", "")):
        faults.append("the image has no version")
    for name, options in found.get("features", {}).items():
        if not FEATURE.fullmatch(name):
            faults.append(f"{name} is no feature with a version")
        if not isinstance(options, dict) or not all(isinstance(one, str | bool) for one in options.values()):
            faults.append(f"{name} takes strings and truths by name")
    command = root / found.get("postCreateCommand", "missing")
    if not (command.is_file() and command.stat().st_mode & 0o100):
        faults.append(f"{command.name} cannot be run")
    if not all(isinstance(port, int) and 0 < port < 65536 for port in found.get("forwardPorts", [])):
        faults.append("a port is none")
    editor = found.get("customizations", {}).get("vscode", {})
    if editor.keys() - {"extensions", "settings"}:
        faults.append("the editor knows extensions and settings")
    faults += [f"{one} is no extension" for one in editor.get("extensions", ()) if not EXTENSION.fullmatch(one)]
    return faults


def container() -> dict[str, Any]:
    """Return the dev container's description: plain JSON, so that every tool reads it."""
    found: dict[str, Any] = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    return found


def test_the_dev_container_brings_what_is_promised() -> None:
    """Python 3.11, Node.js 20, azd, az with Bicep; Core Tools and a browser afterwards."""
    found = container()
    assert container_faults(found, ROOT) == []
    assert ":3.11-" in found["image"]
    features = {name.rpartition("/")[2].partition(":")[0]: options for name, options in found["features"].items()}
    assert features["node"]["version"] == "20"
    assert features["azure-cli"]["installBicep"] is True
    assert "azd" in features
    after = (ROOT / found["postCreateCommand"]).read_text()
    assert re.search(r"azure-functions-core-tools@4\.\d+\.\d+", after)
    assert "chromium" in after
    assert "make setup" in after


@pytest.mark.parametrize(
    "change",
    [
        {"imag": "x"},
        {"image": "mcr.microsoft.com/devcontainers/python"},
        {"features": {"ghcr.io/devcontainers/features/node": {}}},
        {"features": {"ghcr.io/devcontainers/features/node:latest": {}}},
        {"features": {"ghcr.io/devcontainers/features/node:1": {"version": 20}}},
        {"postCreateCommand": "nothing.sh"},
        {"forwardPorts": ["7071"]},
        {"customizations": {"vscode": {"extensions": ["python"]}}},
        {"customizations": {"vscode": {"extension": []}}},
    ],
)
def test_a_dev_container_that_is_wrong_is_noticed(change: dict[str, Any]) -> None:
    """Each kind of mistake that the tool would only tell when somebody waits for the container."""
    assert container_faults(container() | change, ROOT)


def test_hooks_run_the_projects_own_tools() -> None:
    """Their versions stand in requirements-dev.txt; a hook brings none of its own."""
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repo["repo"] == "local"
    pinned = re.findall(r"^([\w-]+)==", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)
    for hook in repo["hooks"]:
        program = Path(hook["entry"].split()[0])
        assert program.parts[:2] == (".venv", "bin")
        assert program.name in pinned
        assert hook["language"] == "system"
    assert [hook["id"] for hook in repo["hooks"]] == ["ruff-format", "ruff-check", "mypy"]


def test_dependabot_looks_where_versions_are() -> None:
    """Every folder with requirements or a lock file, in groups, and nowhere else."""
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    found = {one["package-ecosystem"]: one for one in updates}
    assert set(found) == {"pip", "npm", "github-actions", "devcontainers"}
    assert all(one["groups"] and one["schedule"]["interval"] == "weekly" for one in updates)

    def folders(pattern: str) -> set[str]:
        places = [path.parent.relative_to(ROOT) for path in (*ROOT.glob(pattern), *ROOT.glob(f"*/{pattern}"))]
        return {"/" if place == Path() else f"/{place}" for place in places}

    assert set(found["pip"]["directories"]) == folders("requirements*.txt")
    assert set(found["npm"]["directories"]) == folders("package-lock.json")


def test_owners_are_named_for_what_is_there_and_by_nobody_in_particular() -> None:
    """The example names folders of this project, and no real people."""
    for line in (ROOT / ".github" / "CODEOWNERS.example").read_text().splitlines():
        if line.startswith("#"):
            continue
        place, owner = line.split()
        assert owner.startswith("@ORGANISATION/")
        assert place == "*" or (ROOT / place.strip("/")).exists()


@pytest.mark.parametrize(
    "name", ["CONTRIBUTING.md", "SECURITY.md", "README.md", "docs/azure-devops.md", "docs/deployment.md"]
)
def test_links_of_a_page_lead_somewhere(name: str) -> None:
    """To a file of this project, and to a heading of it."""
    page = ROOT / name
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([\w-]+))?\)", page.read_text()):
        other = (page.parent / target).resolve() if target else page
        assert other.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", other.read_text(), re.MULTILINE)
            headings = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in headings, f"{target}#{anchor}"


def test_nobody_is_given_a_licence_by_accident() -> None:
    """The README says that it is the owner's to decide, for as long as there is no LICENSE."""
    assert (ROOT / "LICENSE").exists() != ("There is no licence yet" in (ROOT / "README.md").read_text())
