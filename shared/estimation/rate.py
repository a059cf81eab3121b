"""The dissolved rate given a place and an onset: evidence and posterior in closed form.

With data d = q g + noise, A = g'Wg and c = g'Wd, a prior that is a mixture of exponentials with log-spaced means mu
(about log-uniform) leaves q as a normal of mean m = (c - 1/mu) / A and variance 1/A, truncated to q >= 0.
"""

import math

import numpy as np

from shared.domain.environment import Floats
from shared.estimation.tails import erfcx, log_ndtr_plus_half_square

MEANS = 9  # exponentials in the prior; with six decades each covers a factor of 5.6
LEAST_PRECISION = 1e-6  # (s/kg)2; a column with a smaller A says nothing, and the prior is left as it is


def prior_means(lowest: float, highest: float) -> Floats:
    """Return the means [kg/s] of the prior's exponentials [m], log-spaced from lowest to highest."""
    return np.geomspace(lowest, highest, MEANS)


def log_bayes_factor(a: Floats, c: Floats, means: Floats) -> Floats:
    """Return ln of the evidence of "leak here" over "nothing here" [..., m] for each exponential of the prior.

    -ln mu + 0.5 ln(2 pi / A) + 0.5 A m^2 + ln Phi(m sqrt A); tends to 0 where the sensors see nothing (A -> 0).
    """
    root = np.sqrt(np.maximum(a, LEAST_PRECISION))[..., None]
    scaled_mean = (c[..., None] - 1 / means) / root
    ln_width = 0.5 * math.log(2 * math.pi) - np.log(root)
    return np.asarray(-np.log(means) + ln_width + log_ndtr_plus_half_square(scaled_mean), dtype=np.float64)


def cdf(rates: Floats, mean: Floats, precision: Floats) -> Floats:
    """Return P(q <= rate) [components, rates] of normals (mean [kg/s], precision A) truncated to q >= 0."""
    root = np.sqrt(np.maximum(precision, LEAST_PRECISION))[:, None]
    start = -mean[:, None] * root
    width = rates[None, :] * root
    stop = start + width
    far = np.exp(-np.clip(0.5 * width * (stop + start), 0.0, 700.0))
    ratio = far * erfcx(np.maximum(stop, 0) / math.sqrt(2)) / erfcx(np.maximum(start, 0) / math.sqrt(2))
    near = _upper_tail(stop) / _upper_tail(np.minimum(start, 0.0))
    return np.asarray(np.clip(1 - np.where(start > 0, ratio, near), 0.0, 1.0), dtype=np.float64)


def _upper_tail(v: Floats) -> Floats:
    """Return Phi(-v), used where the truncation point lies below the mean."""
    bounded = np.minimum(np.abs(v), 38.0)
    tail = 0.5 * erfcx(bounded / math.sqrt(2)) * np.exp(-0.5 * bounded**2)
    return np.where(v > 0, tail, 1 - tail)


def mixture_cdf(rates: Floats, mean: Floats, precision: Floats, weight: Floats) -> Floats:
    """Return P(q <= rate) [rates] of the weighted mixture."""
    total = np.zeros(rates.shape)
    for start in range(0, weight.size, 512):
        part = slice(start, start + 512)
        total += weight[part] @ cdf(rates, mean[part], precision[part])
    return np.maximum.accumulate(np.clip(total / weight.sum(), 0.0, 1.0))
