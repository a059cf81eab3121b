"""A release: the changelog's section, the version and the tag in one step, and what makes it refuse."""

import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from admin.package import ASSETS, build, version
from admin.release import ReleaseRefused, make, notes, project_version
from admin.smoke import packaged_version, wait_for
from local.azurite import Azurite
from local.process import HostProcess
from tests.conftest import bootstrap, environment
from tests.support.paths import ROOT

TODAY = date(2026, 12, 1)
CHANGES = "# Changes\n\n## Unreleased\n\n- A thing is new.\n\n## 0.1.0\n\n- The first.\n"


def named(root: Path) -> None:
    """Give a repository somebody who commits."""
    for name, value in {"user.name": "Somebody", "user.email": "somebody@example.com", "tag.gpgSign": "false"}.items():
        git(root, "config", name, value)


def git(root: Path, *arguments: str) -> str:
    """Run git in a folder and return what it says."""
    ran = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def commit(root: Path) -> None:
    """Commit everything."""
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "x")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a clean main with a version and a changelog."""
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch", "main")
    named(root)
    (root / "pyproject.toml").write_text('[project]\nname = "it"\nversion = "0.1.0"\n\n[other]\nversion = "9"\n')
    (root / "CHANGELOG.md").write_text(CHANGES)
    commit(root)
    return root


def test_a_release_is_a_section_a_version_a_commit_and_a_tag(project: Path) -> None:
    """What was unreleased is of that version and day; everything stands in the one commit that the tag names."""
    assert make(project, "0.2.0", TODAY) == "v0.2.0"
    assert (project / "CHANGELOG.md").read_text() == CHANGES.replace(
        "## Unreleased\n", "## Unreleased\n\n## 0.2.0 (2026-12-01)\n"
    )
    assert project_version(project) == "0.2.0"
    assert 'version = "9"' in (project / "pyproject.toml").read_text()
    assert git(project, "status", "--porcelain") == ""
    assert git(project, "rev-parse", "v0.2.0^{commit}") == git(project, "rev-parse", "HEAD")
    assert git(project, "show", "--no-patch", "--format=%s", "HEAD") == "Release 0.2.0"
    assert git(project, "diff", "--name-only", "HEAD~1").split() == ["CHANGELOG.md", "pyproject.toml"]


def test_the_notes_of_a_release_are_its_section(project: Path) -> None:
    """Of the version that is checked out, and of no other tag."""
    make(project, "0.2.0", TODAY)
    assert notes(project, "v0.2.0") == "- A thing is new."
    with pytest.raises(ReleaseRefused, match=r"v0\.3\.0 is not the version of this checkout, 0\.2\.0"):
        notes(project, "v0.3.0")
    (project / "CHANGELOG.md").write_text("# Changes\n\n## 0.2.0 (2026-12-01)\n\n## 0.1.0\n\n- The first.\n")
    with pytest.raises(ReleaseRefused, match=r"says nothing of 0\.2\.0"):
        notes(project, "v0.2.0")


def dirty(root: Path) -> None:
    (root / "new.txt").write_text("")


def elsewhere(root: Path) -> None:
    git(root, "switch", "--quiet", "--create", "feature")


def detached(root: Path) -> None:
    git(root, "switch", "--quiet", "--detach")


def nothing_new(root: Path) -> None:
    (root / "CHANGELOG.md").write_text("# Changes\n\n## Unreleased\n\n## 0.1.0\n\n- The first.\n")
    commit(root)


def tagged(root: Path) -> None:
    git(root, "tag", "v0.2.0")


def hooked(root: Path) -> None:
    hook = root / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)


def unsigned(root: Path) -> None:
    git(root, "config", "tag.gpgSign", "true")
    git(root, "config", "gpg.program", "false")


def same(_: Path) -> None:
    """Everything is as it should be."""


@pytest.mark.parametrize(
    ("prepare", "wanted", "why"),
    [
        (same, "0.1.0", "0.1.0 is not higher than 0.1.0"),
        (same, "0.0.10", "0.0.10 is not higher"),
        (same, "v0.2.0", "is no version"),
        (same, "", "is no version"),
        (same, "0.2", "is no version"),
        (same, "0.02.0", "is no version"),
        (dirty, "0.2.0", "not clean:\n.*new.txt"),
        (elsewhere, "0.2.0", "on main, not on feature"),
        (detached, "0.2.0", "on main, not on a commit by itself"),
        (nothing_new, "0.2.0", "nothing under Unreleased"),
        (tagged, "0.2.0", "there is a tag v0.2.0 already"),
        (hooked, "0.2.0", "git commit: no"),
        (unsigned, "0.2.0", "git tag: "),
    ],
)
def test_what_is_no_release_is_refused_and_leaves_nothing(
    project: Path, prepare: Callable[[Path], None], wanted: str, why: str
) -> None:
    """The message says why; no file, commit or tag has changed."""
    prepare(project)
    before = [git(project, *what) for what in (("status", "--porcelain"), ("rev-parse", "HEAD"), ("tag",))]
    text = (project / "CHANGELOG.md").read_text()
    with pytest.raises(ReleaseRefused, match=why):
        make(project, wanted, TODAY)
    assert [git(project, *what) for what in (("status", "--porcelain"), ("rev-parse", "HEAD"), ("tag",))] == before
    assert (project / "CHANGELOG.md").read_text() == text
    assert project_version(project) == "0.1.0"


def test_a_package_says_which_commit_it_is_unless_it_is_the_release(project: Path) -> None:
    """The tag's own files are the version alone; what was changed since says so."""
    make(project, "0.2.0", TODAY)
    assert version(project) == "0.2.0"
    (project / "new.txt").write_text("")
    head = git(project, "rev-parse", "--short=8", "HEAD")
    assert version(project) == f"0.2.0+{head}.changed"
    commit(project)
    assert version(project) == f"0.2.0+{git(project, 'rev-parse', '--short=8', 'HEAD')}"


def test_the_projects_own_files_can_be_released(project: Path) -> None:
    """Its version stands on a line of its own, and its changelog has a place for what is not released."""
    for name in ("pyproject.toml", "CHANGELOG.md"):
        (project / name).write_bytes((ROOT / name).read_bytes())
    changes = project / "CHANGELOG.md"
    changes.write_text(changes.read_text().replace("## Unreleased\n", "## Unreleased\n\n- One more.\n", 1))
    commit(project)
    make(project, "99.0.0", TODAY)
    assert notes(project, "v99.0.0").startswith("- One more.")


@pytest.mark.azurite
def test_health_tells_the_version_of_the_release(azurite: Azurite, unique: str, tmp_path: Path) -> None:
    """A clone of this project is released, packaged and run from its package."""
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(ROOT), str(clone))
    git(clone, "switch", "--quiet", "--force-create", "main")
    named(clone)
    changes = clone / "CHANGELOG.md"
    changes.write_text(changes.read_text().replace("## Unreleased\n", "## Unreleased\n\n- One more.\n", 1))
    commit(clone)
    make(clone, "99.0.0", TODAY)
    (clone / ASSETS).mkdir(parents=True)
    (clone / ASSETS / "uplot.js").write_text("//")
    package = build(clone, tmp_path / "dist")
    assert packaged_version(package) == "99.0.0"
    values = environment(azurite.connection_string, unique)
    bootstrap(values).clients.ensure_storage()
    with HostProcess(values, root=tmp_path / "dist" / "app", log=tmp_path / "host.log") as host:
        health = wait_for(host.url, "99.0.0", wait_s=30, pause_s=0.2)
    assert isinstance(health, dict), health
    assert "99.0.0" in git(clone, "show", "v99.0.0:pyproject.toml")
