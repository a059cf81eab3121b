"""The package: what is deployed is the app, the whole app, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from admin.package import PackageError, build, files
from conformance import package
from tests.support.paths import ROOT
from tests.support.planted import Copy


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """Return a copy that git knows, with an asset that pages load, and a tests folder."""
    made = Copy(tmp_path / "project")
    vendor = made.root / "functions" / "static" / "vendor"
    vendor.mkdir()
    (vendor / "uplot.js").write_text("//")
    (made.root / ".funcignore").write_text((ROOT / ".funcignore").read_text())
    (made.root / ".gitignore").write_text((ROOT / ".gitignore").read_text())
    (made.root / "tests").mkdir()
    (made.root / "tests" / "test_x.py").write_text("")
    subprocess.run(["git", "init", "-q"], cwd=made.root, check=True)
    return made


def test_only_the_app_is_deployed(copy: Copy) -> None:
    """Tests, tools, data, docs and settings stay; what pages load goes along, though git does not know it."""
    tops = {path.parts[0] for path in files(copy.root)}
    assert tops == {"function_app.py", "host.json", "requirements.txt", "constraints.txt", "functions", "shared"}
    assert Path("functions/static/vendor/uplot.js") in files(copy.root)
    assert Path("functions/http/endpoint.py") in files(copy.root)


def test_a_folder_that_nobody_thought_of_is_refused(copy: Copy) -> None:
    """A new folder is named in .funcignore, or is part of the app."""
    (copy.root / "notes").mkdir()
    (copy.root / "notes" / "secret.txt").write_text("")
    with pytest.raises(PackageError, match=r"lets through what is no part of the app: notes/secret\.txt"):
        files(copy.root)


def test_a_part_of_the_app_that_is_kept_back_is_named(copy: Copy, tmp_path: Path) -> None:
    """A whole folder by name; a folder inside another, because then the app does not start."""
    with (copy.root / ".funcignore").open("a") as ignored:
        ignored.write("shared/\n")
    with pytest.raises(PackageError, match="keeps back what the app consists of: shared"):
        build(copy.root, tmp_path / "out")
    copy.plant(".funcignore", "shared/\n", "http/\n")
    (fault,) = package.check(copy.root).faults
    assert "No module named 'functions.http'" in fault


def test_a_package_without_what_pages_load_is_refused(copy: Copy) -> None:
    """Charts would stay empty."""
    (copy.root / "functions/static/vendor/uplot.js").unlink()
    with pytest.raises(PackageError, match="run make setup first"):
        files(copy.root)


def test_the_app_says_the_version_of_its_package(copy: Copy, tmp_path: Path) -> None:
    """The project's, and the commit; a checkout says the project's alone, and what was deployed otherwise nothing."""
    line = next(one for one in (ROOT / "pyproject.toml").read_text().splitlines() if one.startswith("version = "))
    copy.plant("pyproject.toml", line, 'version = "7.8.9"')
    build(copy.root, tmp_path / "out")

    def says(folder: Path) -> str:
        code = "import shared; print(shared.__version__, shared.RELEASE)"
        return subprocess.run(
            [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
        ).stdout

    assert says(tmp_path / "out" / "app") == "7.8.9+uncommitted.changed 7.8.9\n"
    assert says(copy.root) == "7.8.9 7.8.9\n"
    (copy.root / "pyproject.toml").unlink()
    assert says(copy.root) == "unknown unknown\n"


def test_the_same_files_make_the_same_zip(copy: Copy, tmp_path: Path) -> None:
    """Nothing of the time or the machine is in it, and its listing names every file."""
    one, two = build(copy.root, tmp_path / "one"), build(copy.root, tmp_path / "two")
    assert one.read_bytes() == two.read_bytes()
    listed = [line.split()[1] for line in (tmp_path / "one" / "app.txt").read_text().splitlines()]
    assert zipfile.ZipFile(one).namelist() == listed


def test_a_package_that_grew_too_large_is_refused(copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody put data where code belongs."""
    monkeypatch.setattr("admin.package.LARGEST_KB", 10)
    with pytest.raises(PackageError, match="more than 10"):
        build(copy.root, tmp_path / "out")
