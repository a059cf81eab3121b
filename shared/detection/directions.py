"""The currents' channel: a plume reaches a sensor while the current carries it there, and no background does that.

Nobody need know where the leak is. For each of 16 directions that a leak may lie in, the concentration at the sensor
goes with the current as that of a plume's (Gaussian about its axis, diluted by the speed):

    c = exp(-D^2 / 2 s^2) / (s sqrt(U^2 + U0^2)),      s^2 = S0^2 + (V / max(U, U1))^2

with D the angle between the current U and the direction, S0 the plume's spread and meandering, V the water's own
wandering, which in slack water carries a plume anywhere. The sensor's response to it from an onset on is looked for in
its innovations, for onsets every 3 h of the last 40. Where currents are missing the channel is silent.
"""

from typing import NamedTuple

import numpy as np

from shared.arrays import BUCKET_S, ComplexFloats, Floats, Indices, Times
from shared.detection.background import ORDER, SPAN, Background
from shared.detection.releases import response

DIRECTIONS = 16
SPREAD = np.radians(30.0)  # S0
WANDERING = 0.014  # V, m/s
SLOWEST = 0.005  # U1, m/s
RESIDUAL = 0.02  # U0, m/s
ONSETS_APART = 18  # bins: 3 h; onsets lie on the clock, so that a score does not depend on where a series begins


def exposure(currents: ComplexFloats) -> Floats:
    """Return how a leak in each direction would show, without a unit [DIRECTIONS, n].

    currents: east + i north [n] in m/s, NaN where missing.
    """
    speed = np.abs(currents)
    towards = np.exp(2j * np.pi * np.arange(DIRECTIONS) / DIRECTIONS)[:, np.newaxis]
    angle = np.angle(currents * towards.conj())
    spread = np.hypot(SPREAD, WANDERING / np.maximum(speed, SLOWEST))
    return np.asarray(np.exp(-(angle**2) / (2 * spread**2)) / (spread * np.hypot(speed, RESIDUAL)))


class Carried(NamedTuple):
    """For each of k buckets how well the direction and onset fit that fit best [k], and how much these show now [k].

    The fit is not yet over the loudness of the span, NaN where no onset has currents; what shows is a share of the most
    that the sensor would have read since the onset.
    """

    fit: Floats
    shows: Floats


def carried(background: Background, times: Times, innovations: Floats, currents: ComplexFloats, first: int) -> Carried:
    """Return what the currents say of each bucket from ``first`` on.

    times, innovations (NaN: none) and currents [n].
    """
    size = innovations.size
    nothing = np.full(size - first, np.nan)
    onsets = np.flatnonzero(times.astype(np.int64) // BUCKET_S % ONSETS_APART == 0)
    onsets = onsets[onsets + SPAN > first]
    if not onsets.size or np.isnan(currents).all():
        return Carried(nothing, nothing)
    after = onsets[:, np.newaxis] + np.arange(SPAN)
    inside, after = after < size, np.minimum(after, size - 1)
    source = exposure(currents[onsets[0] :])[:, after - onsets[0]]  # [directions, onsets, SPAN]
    source[..., 0] = 0.0  # the leak begins with the onset's bucket
    reading = response(source)
    pattern = background.whitened(reading)
    seen = np.where(np.isnan(innovations), 0.0, innovations)[after]
    fit = np.cumsum(pattern * seen, axis=-1)
    norm = np.sqrt(np.cumsum(pattern**2 * ~np.isnan(innovations)[after], axis=-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        fits = np.where(norm > 0, fit / norm, np.nan)
        shows = reading / np.maximum.accumulate(reading, axis=-1)
    best = _largest(fits)
    usable = inside & (np.arange(SPAN) >= ORDER)
    by_bucket = np.full((2, onsets.size, size), np.nan)
    place = np.nonzero(usable)
    for kept, values in zip(by_bucket, (fits, shows), strict=True):
        kept[place[0], after[usable]] = np.take_along_axis(values, best, axis=0)[0][usable]
    fits, shows = by_bucket[:, :, first:]
    best = _largest(fits)
    return Carried(np.take_along_axis(fits, best, axis=0)[0], np.take_along_axis(shows, best, axis=0)[0])


def _largest(values: Floats) -> Indices:
    """Return where along the first axis the largest is, with that axis kept; 0 where all are NaN."""
    return np.asarray(np.argmax(np.where(np.isnan(values), -np.inf, values), axis=0))[np.newaxis]
