"""Runs the demo, as a person does."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT


def run_demo(storage: Path, *arguments: str) -> tuple[int, str]:
    """Run the demo on that storage; return its exit code and what it printed."""
    ran = subprocess.run(
        [sys.executable, "-m", "local.demo", "--storage", str(storage), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "mock")},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return ran.returncode, ran.stdout + ran.stderr
