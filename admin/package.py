"""``make package``: what is deployed, and nothing else, as a folder and as one zip with its listing.

    python -m admin.package [--out dist]

The files are those that git would know, less what ``.funcignore`` names, as Core Tools and azd read it, plus the
assets that pages load, and the version that health will tell. A file outside of the few places that the app consists
of, or a package that is too large, is an error: it would be deployed without anybody noticing.
"""

import argparse
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from pathspec import GitIgnoreSpec

PROJECT = Path(__file__).resolve().parent.parent
APP = {"function_app.py", "host.json", "requirements.txt", "constraints.txt", "functions", "shared"}
ASSETS = Path("functions/static/vendor")  # installed from npm, so git does not know them
VERSION = Path("shared/version.txt")  # written here alone; `shared/__init__.py` reads it
LARGEST_KB = 1500  # of the zip; packages of requirements.txt are installed on the platform
MOMENT = (2020, 1, 1, 0, 0, 0)  # of every file, so that the same files make the same zip


class PackageError(Exception):
    """What would be deployed is not what should be; the message says what."""


def files(root: Path) -> list[Path]:
    """Return what is deployed, relative to the project, in order; raises PackageError."""
    ignored = GitIgnoreSpec.from_lines((root / ".funcignore").read_text().splitlines())
    assets = [path.relative_to(root) for path in (root / ASSETS).rglob("*") if path.is_file()]
    if not assets:
        raise PackageError(f"{ASSETS} is empty: run make setup first, or pages have no charts")
    found = sorted({path for path in (*known_files(root), *assets) if not ignored.match_file(path)})
    strangers = [str(path) for path in found if path.parts[0] not in APP]
    if strangers:
        raise PackageError(f".funcignore lets through what is no part of the app: {', '.join(strangers)}")
    missing = sorted(APP - {path.parts[0] for path in found})
    if missing:
        raise PackageError(f".funcignore keeps back what the app consists of: {', '.join(missing)}")
    return found


def known_files(root: Path) -> list[Path]:
    """Return the files of the project that are there and not ignored by git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return [Path(name) for name in listed.stdout.split("\0") if name and (root / name).is_file()]


def version(root: Path) -> str:
    """Return the version of what is here: the project's, and what else it is but for the very files of its tag."""
    release = str(tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"])
    changed = ".changed" if _git(root, "status", "--porcelain") else ""
    if not changed and f"v{release}" in _git(root, "tag", "--points-at", "HEAD").split():
        return release
    return f"{release}+{_git(root, 'rev-parse', '--short=8', '--quiet', '--verify', 'HEAD') or 'uncommitted'}{changed}"


def _git(root: Path, *arguments: str) -> str:
    """Return what git says, or nothing where there is no commit yet."""
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False).stdout.strip()


def build(root: Path, out: Path) -> Path:
    """Make ``out/app``, ``out/app.zip`` and ``out/app.txt``; return the zip; raises PackageError."""
    found = files(root)
    folder, archive = out / "app", out / "app.zip"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    contents = {path: (root / path).read_bytes() for path in found}
    contents[VERSION] = f"{version(root)}\n".encode()
    listing = []
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, content in sorted(contents.items()):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
            entry = zipfile.ZipInfo(path.as_posix(), MOMENT)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packed.writestr(entry, content)
            listing.append(f"{len(content):9d}  {path.as_posix()}")
    (out / "app.txt").write_text("\n".join(listing) + "\n")
    if archive.stat().st_size > 1000 * LARGEST_KB:
        raise PackageError(f"{archive.name} has {archive.stat().st_size // 1000} kB, more than {LARGEST_KB}")
    return archive


def main() -> int:
    """Build; 1 when what would be deployed is not what should be."""
    parser = argparse.ArgumentParser(prog="python -m admin.package", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=PROJECT / "dist")
    options = parser.parse_args()
    try:
        archive = build(PROJECT, options.out)
    except PackageError as error:
        print(error, file=sys.stderr)
        return 1
    count = len((options.out / "app.txt").read_text().splitlines())
    said = (options.out / "app" / VERSION).read_text().strip()
    size = archive.stat().st_size // 1000
    print(f"version {said}, {count} files, {size} kB as a zip: {options.out.name}/app, app.zip, app.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
