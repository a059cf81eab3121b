"""``make release VERSION=1.2.0``: the changelog's section, the version, the commit and the tag of a release.

    python -m admin.release make 1.2.0     on a clean main; pushes nothing
    python -m admin.release notes v1.2.0   prints the section of a release; fails unless this checkout is that release

The version stands in ``pyproject.toml`` alone: ``make package`` carries it into the app, and health tells it.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
BRANCH = "main"
PYPROJECT, CHANGELOG = "pyproject.toml", "CHANGELOG.md"
SEMANTIC = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
UNRELEASED = re.compile(r"^## Unreleased\n(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


class ReleaseRefused(Exception):
    """This is no state to release from; the message says why, and nothing was changed."""


def make(root: Path, wanted: str, today: date) -> str:
    """Commit and tag a release; return its tag; raises ReleaseRefused."""
    current = project_version(root)
    if numbers(wanted) <= numbers(current):
        raise ReleaseRefused(f"{wanted} is not higher than {current}")
    tag, branch = f"v{wanted}", _git(root, "branch", "--show-current")
    if branch != BRANCH:
        raise ReleaseRefused(f"releases are made on {BRANCH}, not on {branch or 'a commit by itself'}")
    if changed := _git(root, "status", "--porcelain"):
        raise ReleaseRefused(f"the working tree is not clean:\n{changed}")
    if _git(root, "tag", "--list", tag):
        raise ReleaseRefused(f"there is a tag {tag} already")
    after = {
        PYPROJECT: _with_version((root / PYPROJECT).read_text(), current, wanted),
        CHANGELOG: _with_section((root / CHANGELOG).read_text(), wanted, today),
    }
    head = _git(root, "rev-parse", "HEAD")
    try:
        for name, text in after.items():
            (root / name).write_text(text)
        _git(root, "commit", "--quiet", "--message", f"Release {wanted}", "--", *after)
        _git(root, "tag", "--annotate", tag, "--message", f"Release {wanted}")
    except ReleaseRefused:  # by a hook, or a signature that cannot be made; the tree was clean, so nothing else is lost
        _git(root, "reset", "--quiet", "--hard", head)
        raise
    return tag


def notes(root: Path, tag: str) -> str:
    """Return what the changelog says of the release that this checkout is; raises ReleaseRefused."""
    current = project_version(root)
    if tag != f"v{current}":
        raise ReleaseRefused(f"{tag} is not the version of this checkout, {current}")
    section = re.search(
        rf"^## {re.escape(current)}(?: [^\n]*)?\n(?P<body>.*?)(?=^## |\Z)",
        (root / CHANGELOG).read_text(),
        re.MULTILINE | re.DOTALL,
    )
    if section is None or not section["body"].strip():
        raise ReleaseRefused(f"{CHANGELOG} says nothing of {current}")
    return section["body"].strip()


def project_version(root: Path) -> str:
    """Return the version that the project has."""
    return str(tomllib.loads((root / PYPROJECT).read_text())["project"]["version"])


def numbers(version: str) -> tuple[int, ...]:
    """Return the three numbers of a version, to compare; raises ReleaseRefused."""
    if (found := SEMANTIC.fullmatch(version)) is None:
        raise ReleaseRefused(f"{version!r} is no version: it reads 1.2.0")
    return tuple(map(int, found.groups()))


def _with_version(text: str, current: str, wanted: str) -> str:
    line = f'version = "{current}"'
    if text.splitlines().count(line) != 1:
        raise ReleaseRefused(f"{PYPROJECT} should have one line {line}")
    return text.replace(f"\n{line}\n", f'\nversion = "{wanted}"\n')


def _with_section(text: str, wanted: str, today: date) -> str:
    found = UNRELEASED.search(text)
    if found is None or not found["body"].strip():
        raise ReleaseRefused(f"{CHANGELOG} has nothing under Unreleased: what does this release bring?")
    section = f"## Unreleased\n\n## {wanted} ({today})\n{found['body']}"
    return text[: found.start()] + section + text[found.end() :]


def _git(root: Path, *arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise ReleaseRefused(f"git {arguments[0]}: {(ran.stderr or ran.stdout).strip()}")
    return ran.stdout.strip()


def main() -> int:
    """Make a release, or print its notes; 1 where that is refused."""
    parser = argparse.ArgumentParser(prog="python -m admin.release", description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["make", "notes"])
    parser.add_argument("version", help="make: 1.2.0; notes: the tag, v1.2.0")
    arguments = parser.parse_args()
    try:
        if arguments.command == "notes":
            print(notes(PROJECT, arguments.version))
        else:
            tag = make(PROJECT, arguments.version, datetime.now(UTC).date())
            print(f"{tag} is tagged here; what publishes it: git push --atomic origin {BRANCH} {tag}")
    except ReleaseRefused as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
