"""The OMNIA emulator in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from local.process import PROJECT


@contextmanager
def emulator(token: str, arguments: list[str]) -> Iterator[str]:
    """Run the emulator; yield its base URL; raises RuntimeError when it does not start."""
    process = subprocess.Popen(
        [sys.executable, "-m", "omnia_emulator", "--token", token, *arguments],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(PROJECT), str(PROJECT / "mock")))},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        url = process.stdout.readline().strip() if process.stdout else ""
        if not url:
            raise RuntimeError("the OMNIA emulator does not start")
        yield url
    finally:
        process.terminate()
        process.wait(20)
        if process.stdout:
            process.stdout.close()
