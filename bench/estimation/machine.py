"""The machine that a bench ran on: its name, a fixed piece of work to compare with, and this process' memory."""

import platform
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np

_TURNS = 3
_SIZE = 600


def description() -> str:
    """Return the operating system, architecture, and the versions of Python and numpy, in words."""
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}"


def reference_s() -> float:
    """Return the seconds of a fixed piece of numpy's work: exponentials and a product of single precision.

    Measured anew each time: what else the machine does slows it down as it does what is compared with it.
    """
    values = np.linspace(-1, 1, _SIZE * _SIZE, dtype=np.float32).reshape(_SIZE, _SIZE)
    took = []
    for _ in range(_TURNS):
        begun = time.perf_counter()
        for _ in range(4):
            np.exp(values) @ values
        took.append(time.perf_counter() - begun)
    return statistics.median(took)


def peak_mb() -> float:
    """Return the most memory that this process has had, in MB."""
    status = Path("/proc/self/status")  # the kernel hands getrusage's peak down to a child; this one it does not
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    unit = 1024 if sys.platform != "darwin" else 1024 * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
