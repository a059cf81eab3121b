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

from shared.arrays import BUCKET_S, ComplexFloats, Flags, Floats, Times
from shared.detection.background import ORDER, SPAN, Background
from shared.detection.releases import KEPT, response
from shared.detection.scratch import SCRATCH

DIRECTIONS = 16
TOWARDS = np.exp(2j * np.pi * np.arange(DIRECTIONS) / DIRECTIONS)[:, np.newaxis]
SPREAD = np.radians(30.0)  # S0
WANDERING = 0.014  # V, m/s
SLOWEST = 0.005  # U1, m/s
RESIDUAL = 0.02  # U0, m/s
ONSETS_APART = 18  # bins: 3 h; onsets lie on the clock, so that a score does not depend on where a series begins

# The buckets from one onset to the next are looked at together, with all onsets that they may belong to.
ONSETS = ONSETS_APART * np.arange(-(-SPAN // ONSETS_APART))  # bins from the first one on
BINS = int(ONSETS[-1]) + ONSETS_APART
SINCE = np.arange(BINS) - ONSETS[:, np.newaxis]  # [onsets, BINS]
LASTS = (SINCE >= 0) & (SINCE < SPAN)
LEFT = np.where(LASTS, KEPT ** np.maximum(SINCE, 0), 0.0)  # of what the sensor read at an onset
FIRST_HOUR = ONSETS[:, np.newaxis] + np.arange(ORDER)  # of each onset: what is new there rests on nothing before
ROWS = np.arange(ONSETS.size)[:, np.newaxis]


def exposure(currents: ComplexFloats) -> Floats:
    """Return how a leak in each direction would show, without a unit [DIRECTIONS, n].

    currents: east + i north [n] in m/s, NaN where missing.
    """
    speed = np.abs(currents)
    angle = np.angle(currents * TOWARDS.conj())
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
    found = np.full((2, size - first), np.nan)
    if first < size and not np.isnan(currents).all():
        clock = int(times[0].astype(np.int64) // BUCKET_S)
        newest = range(first - (clock + first) % ONSETS_APART, size, ONSETS_APART)
        begin, end = newest[0] - int(ONSETS[-1]), newest[-1] + ONSETS_APART
        known = np.full((2, end - begin), complex(np.nan, np.nan))
        inside = slice(max(begin, 0), size)
        known[:, inside.start - begin : size - begin] = innovations[inside], currents[inside]
        new, missing = known[0].real, np.isnan(known[1])
        source = exposure(np.where(missing, 0.0, known[1]))
        source[:, missing] = 0.0
        left = background.whitened(LEFT)
        for onset in newest:
            start = onset - int(ONSETS[-1])
            part = slice(start - begin, start - begin + BINS)
            low, high = max(first, onset), min(size, onset + ONSETS_APART)
            found[:, low - first : high - first] = _from_onset_to_onset(
                background, new[part], source[:, part], missing[part], left, slice(low - start, high - start)
            )
    return Carried(*found)


def _from_onset_to_onset(
    background: Background, innovations: Floats, source: Floats, missing: Flags, left: Floats, asked: slice
) -> tuple[Floats, Floats]:
    """Return the fit [k] and what shows [k] of the asked ones of BINS buckets, the last onset's and what follows it.

    innovations and missing currents [BINS]; source [directions, BINS], 0 where they are; left: LEFT whitened.
    """
    reading = response(source)  # to what has come since the first onset [directions, BINS]
    earlier = reading[:, ONSETS]  # what of it came before each onset, and is no part of a leak that begins with it
    new = np.einsum("do,ot->dot", earlier, left, out=SCRATCH.array("new", (DIRECTIONS, *LASTS.shape)))
    np.subtract(background.whitened(reading)[:, np.newaxis], new, out=new)
    first_hour = reading[:, FIRST_HOUR] - earlier[..., np.newaxis] * LEFT[0, :ORDER]
    new[:, ROWS, FIRST_HOUR] = background.whitened(first_hour)
    new *= LASTS & ~np.isnan(innovations)

    fit = _sums("dot,t->do{}", asked, new, np.nan_to_num(innovations))
    norm = np.sqrt(_sums("dot,dot->do{}", asked, new, new))
    gaps = np.cumsum(missing)
    usable = LASTS & (SINCE >= ORDER) & (gaps == gaps[ONSETS, np.newaxis])
    with np.errstate(invalid="ignore", divide="ignore"):
        fits = np.where(usable[:, asked] & (norm > 0), fit / norm, -np.inf).reshape(-1, asked.stop - asked.start)
    best = np.argmax(fits, axis=0)
    direction, onset = np.divmod(best, ONSETS.size)
    fits = fits[best, np.arange(best.size)]

    plume = reading[direction] - earlier[direction, onset][:, np.newaxis] * LEFT[onset]  # [k, BINS]
    now = np.arange(asked.start, asked.stop)
    while_it_lasts = LASTS[onset] & (np.arange(BINS) <= now[:, np.newaxis])
    with np.errstate(invalid="ignore", divide="ignore"):
        shows = plume[np.arange(now.size), now] / np.max(np.where(while_it_lasts, plume, 0.0), axis=1)
    known = np.isfinite(fits)
    return np.where(known, fits, np.nan), np.where(known, shows, np.nan)


def _sums(terms: str, asked: slice, *factors: Floats) -> Floats:
    """Return the sums [directions, onsets, k] of products of the factors up to each of the asked bins."""
    # In two parts, and without BLAS: a bucket's sum must not depend on how many others are asked for.
    before = [one[..., : ONSETS[-1]] for one in factors]
    after = [one[..., ONSETS[-1] : asked.stop] for one in factors]
    total = np.einsum(terms.format(""), *before)[..., np.newaxis]
    each = np.einsum(terms.format("t"), *after)
    return np.asarray(total + np.cumsum(each, axis=-1)[..., asked.start - ONSETS[-1] :])
