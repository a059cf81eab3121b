"""Is the sensor itself well? A reading that cannot be believed must never count as Ok.

Every fault is a property of the last hours before each bucket, so it shows and clears by itself.
"""

from enum import IntEnum

import numpy as np

from shared.arrays import Flags, Floats, Levels
from shared.detection.regular import HOLD_BINS, HOLD_BINS_BY_EXCEPTION, trailing_counts

STUCK_SAMPLES = 18  # 3 h of exactly the same mean: recorded sensors that work repeat one for 1.5 h at most
SPARSE_BINS = 18  # of which at least a third must be observed
NOISE_BINS = 36
NOISE_FACTOR = 10.0  # times the history's own noise
NOISE_PPMV = 1.0  # less is nothing to speak of
NOISE_SHARE = 0.12  # of the range: white noise has 0.2; what a slow sensor reads of a leak, below 0.05
BY_EXCEPTION_SHARE = 0.2  # of the steps between samples
FAULT_CONTEXT = max(HOLD_BINS_BY_EXCEPTION, NOISE_BINS + 1)  # buckets before a bucket that decide its fault


class Fault(IntEnum):
    """What is wrong with a sensor."""

    NONE = 0
    STALE = 1  # no or hardly any samples
    STUCK = 2  # the same value again and again
    OUT_OF_RANGE = 3  # most of what it says cannot be
    NOISY = 4  # far more noise than in its history, and nothing else

    @property
    def word(self) -> str:
        """Return the fault as people read it."""
        return self.name.lower().replace("_", " ")


def faults(ppmv: Floats, bad: Flags, noise: float, hold_bins: int) -> Levels:
    """Return each bucket's fault [n], a number of ``Fault``.

    ppmv [n] on the grid (NaN: missing); bad [n]: only bad values came; noise: of the history [ppmv].
    """
    observed = ~np.isnan(ppmv)
    found = np.full(ppmv.size, Fault.NONE, dtype=np.int8)
    found[noisy(ppmv, noise)] = Fault.NOISY
    silent = 3 * trailing_counts(~observed, SPARSE_BINS) > 2 * SPARSE_BINS
    if hold_bins > HOLD_BINS:  # a series logged by exception is sparse when it is well
        silent = trailing_counts(~observed, hold_bins + 1) > hold_bins
    found[silent] = Fault.STALE
    found[stuck(ppmv)] = Fault.STUCK
    found[trailing_counts(bad, SPARSE_BINS) > trailing_counts(observed, SPARSE_BINS)] = Fault.OUT_OF_RANGE
    return found


def stuck(ppmv: Floats) -> Flags:
    """Return where [n] the last 18 samples of ppmv [n] (NaN: missing) lie within 6 h and are the same value."""
    observed: Flags = ~np.isnan(ppmv)
    places = np.flatnonzero(observed)
    result = np.zeros(ppmv.size, dtype=bool)
    if places.size < STUCK_SAMPLES:
        return result
    steps: Floats = np.diff(ppmv[places])
    changes = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(steps != 0, dtype=np.int64)))
    newest = np.cumsum(observed) - 1
    oldest = newest - STUCK_SAMPLES + 1
    enough = np.flatnonzero(oldest >= 0)
    newest, oldest = newest[enough], oldest[enough]
    same: Flags = changes[newest] == changes[oldest]
    near: Flags = enough - places[oldest] < HOLD_BINS_BY_EXCEPTION
    result[enough] = near & same
    return result


def stuck_spans(ppmv: Floats) -> Flags:
    """Return where [n] ppmv [n] is stuck, with the samples that led to it; not causal, for histories."""
    backwards: Flags = np.ascontiguousarray(stuck(ppmv)[::-1])
    return np.asarray((trailing_counts(backwards, STUCK_SAMPLES) > 0)[::-1])


def noisy(ppmv: Floats, noise: float) -> Flags:
    """Return where [n] the last 6 h of ppmv [n] are nothing but noise, and far more than ``noise`` [ppmv]."""
    jitter = _jitter(ppmv)
    loud = trailing_counts(jitter > max(NOISE_FACTOR * noise, NOISE_PPMV), NOISE_BINS)
    known = trailing_counts(~np.isnan(jitter), NOISE_BINS)
    result = (known >= NOISE_BINS // 2) & (
        2 * loud > known
    )  # the median is: a quick look for what is worth a closer one
    for place in np.flatnonzero(result):
        begin = max(place - NOISE_BINS + 1, 0)
        values, steps = ppmv[begin : place + 1], jitter[begin : place + 1]
        result[place] = np.nanmedian(steps) > NOISE_SHARE * (np.nanmax(values) - np.nanmin(values))
    return np.asarray(result)


def noise_of(ppmv: Floats) -> float:
    """Return the usual size of what a series [n] jumps between buckets [ppmv]; inf where no three in a row tell."""
    jitter = _jitter(ppmv)
    known = jitter[~np.isnan(jitter)]
    return float(np.median(known)) if known.size else np.inf


def by_exception(ppmv: Floats) -> bool:
    """Return whether a series [n] is logged only when it changes: many short gaps, and it goes on after each."""
    steps = np.diff(np.flatnonzero(~np.isnan(ppmv)))
    short = (steps > 1) & (steps <= HOLD_BINS_BY_EXCEPTION)
    return bool(steps.size and short.mean() > BY_EXCEPTION_SHARE)


def _jitter(ppmv: Floats) -> Floats:
    """Return how far each bucket's predecessor lies from the mean of its two neighbours [n]: no trend, no leak."""
    result = np.full(ppmv.size, np.nan)
    result[2:] = np.abs(ppmv[1:-1] - (ppmv[:-2] + ppmv[2:]) / 2)
    return result
