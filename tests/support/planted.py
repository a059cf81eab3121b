"""A copy of what is deployed and of how, into which a test plants a fault."""

import shutil
from pathlib import Path
from typing import Self

from tests.support.paths import ROOT

PARTS = ("infra", "functions", "shared")
FILES = (
    "function_app.py",
    "host.json",
    "local.settings.sample.json",
    "pyproject.toml",
    "requirements.txt",
    "constraints.txt",
)


class Copy:
    """The copy; ``root`` is its folder."""

    def __init__(self, root: Path) -> None:
        """Copy the project's parts."""
        self.root = root
        for name in PARTS:
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
        for name in FILES:
            shutil.copyfile(ROOT / name, root / name)

    def plant(self, file: str, old: str, new: str) -> Self:
        """Replace what stands once in a file; return the copy."""
        path = self.root / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new))
        return self
