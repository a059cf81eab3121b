"""How long a cold process takes to its first scored sample, beside STUMPY's streaming class.

    python -m bench.coldstart [--samples 20000] [--runs 5] [--json]

Both start a fresh Python, read the same leak-free history from a file (storage is not part of the claim), and say how
far the next day is from it, as the older system did through that class. The clock runs from the process' start to its
end, with the score printed.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.detection import build_baseline

Floats = npt.NDArray[np.float64]

WINDOW = 144
START = np.datetime64("2026-01-01T00:00:00")

OURS = """
import sys
import numpy as np
from shared.detection import Baseline, detect
baseline = Baseline.from_bytes(open(sys.argv[1], "rb").read())
day = np.load(sys.argv[2])
times = np.datetime64("2026-06-01T00:00:00") + np.arange(day.size) * np.timedelta64(600, "s")
print(float(detect(baseline, times, day, since=times[-1]).score[-1]))
"""

STREAMING = """
import sys
import numpy as np
import stumpy
from shared.detection import Baseline
stream = stumpy.aampi(Baseline.from_bytes(open(sys.argv[1], "rb").read()).ppmv, m=144, egress=False)
for value in np.load(sys.argv[2]):
    stream.update(value)
print(float(stream.P_[-1]))
"""


def history(samples: int, seed: int = 1) -> Floats:
    """Return readings that wander around 30 ppmv with a tide, [samples]."""
    rng = np.random.default_rng(seed)
    level = np.zeros(samples)
    for index in range(1, samples):
        level[index] = 0.999 * level[index - 1] + rng.normal(0, 0.3)
    tide = 3 * np.sin(np.arange(samples) * 2 * np.pi / 74.5)
    return np.asarray(np.abs(30 + tide + level + rng.normal(0, 0.5, samples)))


def cold(code: str, *arguments: Path) -> float:
    """Return the seconds from the start of a fresh process to its end with a score."""
    begun = time.perf_counter()
    ran = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - begun
    float(ran.stdout)
    return seconds


def measure(samples: int, runs: int) -> dict[str, float]:
    """Return the median seconds of both ways, of Python's own start, and their ratio."""
    values = history(samples + WINDOW)
    with tempfile.TemporaryDirectory() as folder:
        baseline, day = Path(folder, "baseline.bin"), Path(folder, "day.npy")
        times = START + np.arange(samples) * np.timedelta64(600, "s")
        baseline.write_bytes(build_baseline(times, values[:samples]).to_bytes())
        np.save(day, values[samples:])
        ours = [cold(OURS, baseline, day) for _ in range(runs)]
        python = [cold("print(0)") for _ in range(runs)]
        streaming = cold(STREAMING, baseline, day)
    return {
        "samples": samples,
        "ours_s": statistics.median(ours),
        "ours_worst_s": max(ours),
        "python_alone_s": statistics.median(python),
        "stumpy_streaming_s": streaming,
        "ratio": streaming / statistics.median(ours),
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.coldstart", description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.samples, options.runs)
    if options.json:
        print(json.dumps(found))
        return 0
    print(f"cold process to the first score, baseline of {options.samples:,} samples")
    print(
        f"  this system            {found['ours_s']:8.2f} s  (worst of {options.runs}: {found['ours_worst_s']:.2f} s)"
    )
    print(f"  Python's own start     {found['python_alone_s']:8.2f} s")
    print(f"  STUMPY streaming class {found['stumpy_streaming_s']:8.2f} s  ({found['ratio']:.0f} times as long)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
