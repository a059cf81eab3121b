"""The dissolved rate on a grid, with the sensors' gains marginalised.

A sensor sees q g with a gain that is not known: the plume of the hypothesis is off by a factor, another for each
sensor. Given the gain its likelihood is Gaussian in the amplitude x = gain q, with A = g'Wg and c = g'Wd. On a
logarithmic grid of rates a gain is a shift, so marginalising it is one product with a Toeplitz matrix, and a prior that
is uniform in the logarithm is uniform on the grid.
"""

import numpy as np

from shared.arrays import Floats
from shared.estimation.options import EstimationOptions

SPACING = 0.3  # of ln q; finer than any gain error that the data could resolve
_BROADENED = 0.6  # of the spacing: a likelihood narrower than the grid is made as wide, or the grid would miss it
_LOWEST, _LEAST = -80.0, 1e-37  # likelihoods over their peak that a number of four bytes still holds
_NEVER_ZERO = 1e-300


def rates_of(options: EstimationOptions) -> Floats:
    """Return the grid of rates [r] in kg/s, evenly spaced in the logarithm."""
    low, high = np.log(options.lowest_rate_kg_s), np.log(options.highest_rate_kg_s)
    return np.asarray(np.exp(np.linspace(low, high, 1 + int(np.ceil((high - low) / SPACING)))))


def gain_kernel(rates: Floats, options: EstimationOptions) -> Floats:
    """Return the probability [x, q] that a rate q is seen as the amplitude x, both of ``rates`` [r] in kg/s.

    ln gain is normal around 0, with a few sensors for which it is much wider.
    """
    shift = np.log(rates)[:, None] - np.log(rates)[None, :] - np.log(options.gain_median)
    usual = _normal(shift, options.gain_error)
    return (1 - options.outlier_share) * usual + options.outlier_share * _normal(shift, options.outlier_gain_error)


def common_kernel(rates: Floats, confined: float, options: EstimationOptions) -> Floats:
    """Return the probability [x, q] that a rate q is seen as x by all sensors, both of ``rates`` [r] in kg/s.

    ``confined`` is the share of the release that mixes through a box, 0 to 1.
    """
    return walk_kernel(rates, common_spread(confined, options))


def common_spread(confined: float, options: EstimationOptions) -> float:
    """Return the standard deviation of the logarithm of what all sensors share, with a share ``confined`` in a box."""
    return float(np.hypot(options.common_error, confined * options.box_error))


def walk_kernel(rates: Floats, sigma: float) -> Floats:
    """Return the probability [r, q] that ln of a rate q becomes that of r, by a normal step of deviation ``sigma``."""
    return _normal(np.log(rates)[:, None] - np.log(rates)[None, :], sigma)


def _normal(shift: Floats, sigma: float) -> Floats:
    """Return a normal density on the grid whose rows' sum over all shifts, inside the grid or not, is 1."""
    step = abs(float(shift[1, 0] - shift[0, 0]))
    width = max(sigma, 0.5 * step)
    return np.asarray(step / (width * np.sqrt(2 * np.pi)) * np.exp(-0.5 * (shift / width) ** 2))


def log_likelihood(a: Floats, c: Floats, rates: Floats, kernel: Floats) -> Floats:
    """Return ln of the sensors' joint likelihood [..., r] over that of no signal, given A and c [..., sensors].

    For each sensor ln of the mean over gains of exp(c x - A x^2 / 2), A in (s/kg)2 and c in s/kg, with ``rates`` [r] in
    kg/s and the gains' ``kernel`` [x, q].
    """
    total = np.zeros((*a.shape[:-1], rates.size))
    x, mix = rates.astype(np.float32), kernel.astype(np.float32)
    wide = _BROADENED * float(np.log(rates[1] / rates[0]))
    for sensor in range(a.shape[-1]):
        square, product = a[..., sensor], c[..., sensor]
        best = np.clip(product / np.maximum(square, _NEVER_ZERO), 0.0, rates[-1])
        shrink = 1 / (1 + square * (wide * best) ** 2)
        curve = (-0.5 * shrink * square).astype(np.float32)[..., None]
        slope = (shrink * (product - square * best)).astype(np.float32)[..., None]
        away = x - best.astype(np.float32)[..., None]
        seen = np.exp(np.maximum((curve * away + slope) * away, _LOWEST)) @ mix
        total += np.log(np.maximum(seen, _LEAST))
        total += (product * best - 0.5 * square * best**2 + 0.5 * np.log(shrink))[..., None]
    return total


def highest_log_likelihood(a: Floats, c: Floats) -> Floats:
    """Return what ``log_likelihood`` is at most at any rate and gains [...], given A and c [..., sensors]."""
    return np.asarray((0.5 * np.maximum(c, 0.0) ** 2 / np.maximum(a, _NEVER_ZERO)).sum(axis=-1))
