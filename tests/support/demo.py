"""Runs the demo, as a person does."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.paths import ROOT


@contextmanager
def live_demo(storage: Path, *arguments: str) -> Iterator[str]:
    """Run the demo live on that storage until the block ends; yield the app's address when everything was found."""
    process = subprocess.Popen(
        [sys.executable, "-m", "local.demo", "--stay", "--storage", str(storage), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "mock")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("live: "):
                break
        found = re.search(r"look at (http://\S+)/overview", said)
        assert found, said
        assert "live: a tick every 10 minutes" in said, said
        yield found[1]
    finally:
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        process.stdout.close()
        assert process.wait(60) == 0


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
