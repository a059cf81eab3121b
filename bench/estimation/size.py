"""What an estimation of full size costs a fresh process on one core: seconds, memory, and the import before it."""

import os
import statistics
import subprocess
import sys
from typing import Any

RUNS = 3
STEPS = 145
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

CODE = f"""
import time
begun = time.perf_counter()
import shared.estimation
imported = time.perf_counter() - begun
import numpy as np
from bench.estimation import machine
from bench.estimation.scenarios import World, drawn
from shared.estimation import EstimationOptions, estimate
from shared.estimation.candidates import places_of
scenario = drawn("model", World(), np.random.default_rng(1))
options = EstimationOptions(step_s=600.0)
before = machine.peak_mb()
begun = time.perf_counter()
estimate(scenario.template, scenario.environment, scenario.observations, options=options)
seconds = time.perf_counter() - begun
assert scenario.observations.times.size == {STEPS}
places = len(places_of(scenario.template, options).positions)
peak = machine.peak_mb()
print(imported, seconds, peak - before, peak, machine.reference_s(), places, options.onset_candidates, options.members)
"""


def full_size() -> dict[str, Any]:
    """Return medians over three fresh processes: every place, 4 sensors, 145 steps, every onset and member."""
    ran = [_once() for _ in range(RUNS)]
    imported, seconds, more, peak, reference, places, onsets, members = map(statistics.median, zip(*ran, strict=True))
    return {
        "places": int(places),
        "steps": STEPS,
        "onsets": int(onsets),
        "members": int(members),
        "import_s": imported,
        "seconds": seconds,
        "ratio": seconds / reference,
        "peak_mb": more,
        "process_mb": peak,
    }


def _once() -> list[float]:
    ran = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True, env={**os.environ, **ONE_THREAD}
    )
    return [float(number) for number in ran.stdout.split()]
