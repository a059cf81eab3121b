"""Readings that the tests of detection score: times, noise that wanders, and a leak as a slow sensor reads it."""

import numpy as np

from shared.arrays import Floats, Times

START = np.datetime64("2026-03-01T00:00:00")
STEP = np.timedelta64(600, "s")
DAY = 144
TIDE = 74.52  # bins from one high water to the next


def times(size: int) -> Times:
    """Return so many bucket starts."""
    return np.asarray(START + np.arange(size) * STEP)


def walk(seed: int, size: int) -> Floats:
    """Return readings that wander as the real ones do."""
    return np.abs(30 + np.cumsum(np.random.default_rng(seed).normal(0, 1, size)))


def quiet(seed: int, size: int) -> Floats:
    """Return noise of 1 ppmv around 10 ppmv, like the quiet baseline's."""
    return 10 + np.random.default_rng(seed).normal(0, 1, size)


def with_gaps(ppmv: Floats, seed: int, share: float) -> Floats:
    """Return the readings with that share of them missing."""
    return np.where(np.random.default_rng(seed).random(ppmv.size) < share, np.nan, ppmv)


def sensed(source: Floats) -> Floats:
    """Return what a sensor with a time constant of 2 h reads of the methane around it."""
    read, weight = np.zeros(source.size), 1 - np.exp(-600 / 7200)
    for index in range(1, source.size):
        read[index] = read[index - 1] + weight * (source[index] - read[index - 1])
    return read


def leak(ppmv: float, size: int, begin: int, end: int, pulsed: bool = False) -> Floats:
    """Return what a leak adds to the readings [size]: all the time, or only while the current carries it there."""
    bins = np.arange(size)
    there = (bins >= begin) & (bins < end)
    if pulsed:
        there &= np.sin(2 * np.pi * (bins - begin) / TIDE) > 0
    return sensed(np.where(there, ppmv, 0.0))
