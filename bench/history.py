"""What the speed bench measures on: synthetic histories, and what the older system would start from."""

import numpy as np

from shared.arrays import Floats, Times
from shared.detection import Baseline, build_baseline
from shared.detection.join import Join
from shared.domain.environment import Environment

WINDOW = 144
START = np.datetime64("2020-01-01T00:00:00")
STEP = np.timedelta64(600, "s")
TIDE_H = 12.42


def history(samples: int, seed: int = 1) -> Floats:
    """Return readings [samples] that wander around 30 ppmv with a tide, as a sensor that responds in two hours sees."""
    rng = np.random.default_rng(seed)
    tide = 3 * np.sin(np.arange(samples) * 2 * np.pi / 74.5)
    steps, gusts = rng.normal(0, 0.3, samples), rng.normal(0, 2, samples)
    response = 1 - np.exp(-1 / 12)
    level, seen, reading = 0.0, 0.0, np.zeros(samples)
    for index in range(samples):
        level = 0.999 * level + steps[index]
        seen += response * (tide[index] + level + gusts[index] - seen)
        reading[index] = seen
    return np.asarray(np.abs(30 + reading + rng.normal(0, 0.05, samples)))


def times(first: int, samples: int) -> Times:
    """Return the buckets' starts [samples], the first of them so many after the history's."""
    return np.asarray(START + np.arange(first, first + samples) * STEP)


def tide(moments: Times) -> Environment:
    """Return a current that turns with the tide, at times [n]."""
    turned = (moments - START).astype(np.float64) / (3600 * TIDE_H)
    return Environment.of(
        moments, current_speed=0.1 + 0.05 * np.cos(4 * np.pi * turned), current_direction=360 * turned % 360
    )


def baseline_of(values: Floats) -> Baseline:
    """Return the baseline that the app would build of a history [n] in ppmv."""
    return build_baseline(times(0, values.size), values)


def ready_profile(values: Floats) -> Floats:
    """Return the profile [n - 143, 4] that STUMPY's streaming class would otherwise compute for minutes.

    Distance, index and left index; the right one is not used. Its exclusion zone is STUMPY's own, a quarter window.
    """
    zone = WINDOW // 4 + 1
    nearest, distances = Join(values, WINDOW).self_nearest(zone)
    rows = np.arange(nearest.size)
    left = np.where(nearest < rows, nearest, np.where(rows >= zone, rows - zone, -1))
    return np.column_stack((distances, nearest, left, np.full(rows.size, -1)))
