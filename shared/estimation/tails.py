"""The normal distribution's tails without overflow or cancellation: scaled erfc, log Phi and log-sum-exp."""

import math

import numpy as np
import numpy.typing as npt

from shared.domain.environment import Floats

_CENTRE = 3.75
_DEGREE = 32
_ROOT_PI = math.sqrt(math.pi)


def _erfcx_scalar(x: float) -> float:
    """Return exp(x^2) erfc(x) for x >= 0: directly while erfc is large, by its continued fraction beyond."""
    if x < 2:
        return math.exp(x * x) * math.erfc(x)
    fraction = x
    for k in range(120, 0, -1):
        fraction = x + k / 2 / fraction
    return 1 / (_ROOT_PI * fraction)


def _coefficients() -> Floats:
    """Return the Chebyshev coefficients of (1 + 2x) erfcx(x) in t, by its values at the Chebyshev points."""
    points = np.polynomial.chebyshev.chebpts1(_DEGREE + 1)
    x = [_CENTRE * (1 + t) / (1 - t) for t in points.tolist()]
    values = np.array([(1 + 2 * u) * _erfcx_scalar(u) for u in x])
    basis = np.polynomial.chebyshev.chebvander(points, _DEGREE)
    sums = basis.T @ values / (_DEGREE + 1)
    return np.asarray(np.where(np.arange(_DEGREE + 1) == 0, sums, 2 * sums), dtype=np.float64)


_SERIES = _coefficients()


def erfcx(x: npt.ArrayLike) -> Floats:
    """Return exp(x^2) erfc(x) for x >= 0 (any shape), to a relative 1e-13.

    Chebyshev series of (1 + 2x) exp(x^2) erfc(x) in (x - 3.75) / (x + 3.75), the map of Shepherd & Laframboise (1981),
    Math. Comp. 36(153), 249-253; its coefficients are interpolated here once, from the standard library's erfc.
    """
    values = np.asarray(x, dtype=np.float64)
    series = np.polynomial.chebyshev.chebval((values - _CENTRE) / (values + _CENTRE), _SERIES)
    return np.asarray(series / (1 + 2 * values), dtype=np.float64)


def log_ndtr(u: npt.ArrayLike) -> Floats:
    """Return ln Phi(u) for any finite u, exact in both tails."""
    values = np.asarray(u, dtype=np.float64)
    scaled = 0.5 * erfcx(np.abs(values) / math.sqrt(2))
    half_square = 0.5 * values**2
    upper = np.log1p(-scaled * np.exp(-half_square))
    return np.where(values < 0, np.log(scaled) - half_square, upper)


def log_ndtr_plus_half_square(u: npt.ArrayLike) -> Floats:
    """Return ln Phi(u) + u^2 / 2, which stays small where u is far below zero and both terms are huge."""
    values = np.asarray(u, dtype=np.float64)
    scaled = 0.5 * erfcx(np.abs(values) / math.sqrt(2))
    positive = np.maximum(values, 0.0)
    half_square = 0.5 * positive**2
    upper = np.log1p(-np.minimum(scaled, 0.5) * np.exp(-half_square)) + half_square
    return np.where(values < 0, np.log(scaled), upper)


def log_sum_exp(values: Floats) -> float:
    """Return ln sum exp(values) over all values; raises ValueError for none."""
    if values.size == 0:
        raise ValueError("log_sum_exp needs at least one value")
    top = float(values.max())
    return top + math.log(float(np.exp(values - top).sum()))
