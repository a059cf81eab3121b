"""Seconds and memory of a fresh process from its start to its first score, ours and STUMPY's streaming class."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.history import START, WINDOW
from shared.arrays import Floats
from shared.detection import Baseline

# The kernel hands getrusage's peak down to a child; the peak of the process' own memory it does not.
PEAK = """
import resource, sys
from pathlib import Path
status = Path("/proc/self/status")
peaks = [line.split()[1] for line in status.read_text().splitlines() if "VmHWM" in line] if status.exists() else []
unit = 1 if peaks or sys.platform != "darwin" else 1024
print(int(peaks[0] if peaks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024 / unit)
"""

NOTHING = "print(0)"

OURS = f"""
import sys
import numpy as np
from shared.detection import Baseline, detect
baseline = Baseline.from_bytes(open(sys.argv[1], "rb").read())
day = np.load(sys.argv[2])
times = np.datetime64("{START}") + np.arange(int(sys.argv[3]), int(sys.argv[3]) + day.size) * np.timedelta64(600, "s")
print(float(detect(baseline, times, day, since=times[-1]).score[-1]))
"""

STREAMING = """
import sys
import numpy as np
import stumpy
series, day, profile = (np.load(name) for name in sys.argv[1:4])
stream = stumpy.aampi(series, m=144, egress=False, mp=profile)
for value in day:
    stream.update(value)
print(float(stream.P_[-1]))
"""


def run(code: str, *arguments: str | Path) -> tuple[float, float]:
    """Return seconds from the start of a fresh process to its end with a number printed, and its peak in MB."""
    begun = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-c", code + PEAK, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    seconds = time.perf_counter() - begun
    score, peak = map(float, ran.stdout.split())
    if not np.isfinite(score):
        raise RuntimeError(f"no score, but {score}")
    return seconds, peak


def measure(baseline: Baseline, values: Floats, profile: Floats, runs: int) -> dict[str, float]:
    """Return medians over the runs for a baseline of a history [n], with the day after it in values [n + 144].

    What reading from storage would cost is left out: everything lies in local files.
    """
    samples = values.size - WINDOW
    with tempfile.TemporaryDirectory() as folder:
        stored, series, day, ready = (Path(folder, name) for name in ("baseline", "series.npy", "day.npy", "ready.npy"))
        stored.write_bytes(baseline.to_bytes())
        np.save(series, values[:samples])
        np.save(day, values[samples:])
        np.save(ready, profile)
        ours, python, theirs = [], [], []
        for turn in range(runs):
            python.append(run(NOTHING))
            ours.append(run(OURS, stored, day, str(samples)))
            if turn < 2:  # half a minute each
                theirs.append(run(STREAMING, series, day, ready))
    start, mine, other = (statistics.median(seconds for seconds, _ in each) for each in (python, ours, theirs))
    return {
        "samples": samples,
        "python_alone_s": start,
        "ours_s": mine - start,
        "stumpy_streaming_s": other - start,
        "ratio": (other - start) / (mine - start),
        "python_alone_mb": max(peak for _, peak in python),
        "ours_mb": max(peak for _, peak in ours),
        "stumpy_streaming_mb": max(peak for _, peak in theirs),
    }
