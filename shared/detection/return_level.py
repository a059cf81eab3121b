"""How high must a threshold be, so that it is exceeded by chance only so often?

The peaks of a sensor's own leak-free scores over a high threshold u follow a generalised Pareto distribution
(peaks over threshold; Coles 2001, An Introduction to Statistical Modeling of Extreme Values, ch. 4):

    P(s - u > y | s > u) = (1 + xi y / sigma)^(-1 / xi)

with xi and sigma from probability-weighted moments of the n declustered peaks (Hosking & Wallis 1987):

    a0 = mean(y),  a1 = mean(y_(i) (1 - (i - 0.35) / n)),  xi = 2 - a0 / (a0 - 2 a1),  sigma = a0 (1 - xi)

The level that is exceeded ``rate`` times a month, when u is exceeded by r clusters a month, is

    s(rate) = u + sigma / xi ((r / rate)^xi - 1)
"""

import numpy as np

from shared.arrays import Floats

MONTH_BINS = 365.25 / 12 * 144
QUANTILE = 0.9  # u: enough peaks in two weeks, and still a tail
GAP_BINS = 36  # exceedances less than 6 h apart are one event
LARGEST_SHAPE = 0.5  # a dozen peaks can suggest any tail; of heavier ones than this not even the spread exists
FEWEST = 4  # peaks that a shape can be estimated from


def return_level(scores: Floats, rate: float) -> float:
    """Return the level that such scores [n] (NaN: none) exceed ``rate`` times a month; NaN where there are none."""
    known = scores[~np.isnan(scores)]
    if known.size == 0:
        return np.nan
    heard = known[known > 0]  # a channel that is silent nearly always still has a tail
    threshold = max(float(np.quantile(known, QUANTILE)), float(np.median(heard)) if heard.size else 0.0)
    peaks = _peaks(scores, threshold) - threshold
    if peaks.size < FEWEST:
        return float(known.max())
    shape, scale = _pareto(peaks)
    ratio = peaks.size / (known.size / MONTH_BINS) / rate
    growth = np.log(ratio) if abs(shape) < 1e-6 else (ratio**shape - 1) / shape
    return max(threshold + scale * float(growth), threshold)


def _peaks(scores: Floats, threshold: float) -> Floats:
    above = np.flatnonzero(np.nan_to_num(scores, nan=-np.inf) > threshold)
    if above.size == 0:
        return np.zeros(0)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(above) > GAP_BINS) + 1))
    return np.asarray(np.maximum.reduceat(scores[above], starts))


def _pareto(peaks: Floats) -> tuple[float, float]:
    """Return shape and scale of the peaks' excesses [n]."""
    ordered = np.sort(peaks)
    mean = float(ordered.mean())
    weights = 1 - (np.arange(1, ordered.size + 1) - 0.35) / ordered.size
    first = float(np.mean(ordered * weights))
    spread = mean - 2 * first
    if spread <= 1e-12 * mean:
        return 0.0, mean
    shape = float(np.clip(2 - mean / spread, -LARGEST_SHAPE, LARGEST_SHAPE))
    return shape, mean * (1 - shape)
