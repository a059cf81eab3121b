"""Swings of the background at all sensors of a template, with a cause that is outside of it.

Three kinds: one that wanders, one that passes from sensor to sensor within an hour, and one that goes with the tide.
Every sensor shows it by a gain of its own.
"""

import numpy as np

from bench.estimation.leak import log_uniform
from bench.estimation.noise import STEP_S, wandering
from bench.estimation.sea import TIDE_S
from shared.arrays import Floats

LOWEST, HIGHEST = 10.0, 200.0  # ppmv
LEAST_UNEVEN, MOST_UNEVEN = 0.1, 0.5  # standard deviation of the sensors' ln gains
MEMORY_S = 6 * 3600.0
SLOWEST_PASSAGE = 6  # steps from the first sensor to the last
KINDS = ("wandering", "travelling", "tidal")


def drawn(sensors: int, count: int, rng: np.random.Generator) -> Floats:
    """Return what a swing adds to the readings [sensors, n] in ppmv on the 10-minute grid."""
    kind = KINDS[rng.integers(len(KINDS))]
    size, uneven = log_uniform(LOWEST, HIGHEST, rng), rng.uniform(LEAST_UNEVEN, MOST_UNEVEN)
    longer = count + SLOWEST_PASSAGE
    if kind == "tidal":
        shape = (1 + np.cos(2 * np.pi * (np.arange(longer) * STEP_S / TIDE_S + rng.uniform()))) / 2
    else:
        shape = np.maximum(wandering(1, longer, MEMORY_S, rng)[0], 0.0)
    late = rng.integers(SLOWEST_PASSAGE + 1, size=sensors) if kind == "travelling" else np.zeros(sensors, dtype=np.intp)
    gains = size * np.exp(uneven * rng.standard_normal(sensors))
    return np.stack([gain * shape[SLOWEST_PASSAGE - by :][:count] for gain, by in zip(gains, late, strict=True)])
