"""How well each place and onset explains the readings, with the model's own error in the noise."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.domain.environment import Floats
from shared.estimation.noise import SensorNoise, rises
from shared.estimation.options import EstimationOptions
from shared.estimation.series import Series
from shared.simulation.response import from_onset

Indices = npt.NDArray[np.intp]

_PASSES = 2  # after the first, in which the data stand for the signal
_BLOCK_VALUES = 60_000  # per temporary array: half a megabyte, so that blocks stay in the cache


@dataclass(frozen=True, eq=False, slots=True)
class Fit:
    """A = g'Wg [(s/kg)2], c = g'Wd [s/kg], d'Wd, and ln N(d; 0, W^-1) over "nothing here"; all [p, o]."""

    a: Floats
    c: Floats
    square: Floats
    log_over_nothing: Floats


def fit(
    responses: Floats,
    series: Series,
    noises: list[SensorNoise],
    unknown: Floats,
    onsets: Indices,
    options: EstimationOptions,
) -> Fit:
    """Return the fit of leaks with ``responses`` [p, s, t] that begin right after the samples ``onsets`` [o].

    The noise of one sensor is AR(1) with variance sigma_0^2 + (sigma_rel signal)^2, its background marginalised. The
    signal is the hypothesis' own, q g, with q from the pass before; in the first pass the data's rise stands for it. So
    a hypothesis that expects nothing is allowed no error either. The signal is taken as hypot(own, 0.1 x the strongest
    sensor's), and sigma_rel rises to 1 by ``unknown`` [t], the share in which the current's direction is not known.
    The scale is plugged in, not marginalised, and all four are multiplied by ``temper``.
    """
    shape = (responses.shape[0], onsets.size)
    parts = np.empty((4, *shape))
    nothing = _evaluate(np.zeros((1, *responses.shape[1:])), np.zeros((1, 1, 1)), noises)
    relative = options.relative_model_error + max(0.0, 1 - options.relative_model_error) * unknown
    measured = _error(rises(series, noises)[None], relative, options)
    step = max(1, _BLOCK_VALUES // responses[0].size)
    for o, onset in enumerate(onsets):
        for start in range(0, shape[0], step):
            block = responses[start : start + step]
            signal = from_onset(
                block, block[..., onset], series.seconds, float(series.seconds[onset]), options.sensor_time_constant_s
            )
            result = _evaluate(signal, measured, noises)
            for _ in range(_PASSES):
                rate = np.maximum(result[1], 0.0) / np.maximum(result[0], 1e-6)
                error = _error(rate[:, None, None] * signal, relative, options)
                result = _evaluate(signal, error, noises)
            parts[:, start : start + step, o] = result
    parts[3] -= nothing[3]
    a, c, square, log_over_nothing = parts * temper(series, options)
    return Fit(a, c, square, log_over_nothing)


def temper(series: Series, options: EstimationOptions) -> float:
    """Return the power in (0, 1] of every likelihood: the share of the samples that look at the model's error afresh.

    An error of the current's direction, the diffusivity or the rise stays the same for hours: samples are not as many
    looks at it as there are samples. One in ``independent_s`` counts, the sensors' own memory. Without it nominal 90 %
    intervals of the rate covered 55 % of simulated truths with such errors, with it 84 %.
    """
    return min(1.0, float(np.median(np.diff(series.seconds))) / options.independent_s)


def _error(signal: Floats, relative: Floats, options: EstimationOptions) -> Floats:
    """Return the variance of the model's error [.., s, t] in ppmv2 around a signal of that shape."""
    own = signal**2
    strongest = own.max(axis=-2, keepdims=True)
    return np.asarray(relative**2 * (own + options.neighbour_error**2 * strongest), dtype=np.float64)


def _evaluate(signal: Floats, error: Floats, noises: list[SensorNoise]) -> Floats:
    """Return A, c, d'Wd and ln N(d; 0, W^-1) without constants, [4, p], of signals [p, s, t] and error variances."""
    total = np.zeros((4, signal.shape[0]))
    for noise in noises:
        extra = error[..., noise.row, :] if error.shape[-1] > 1 else error[..., 0, :]
        variance = np.broadcast_to(extra, (signal.shape[0], signal.shape[2]))[:, noise.at] + noise.variance
        inverse = 1 / np.sqrt(variance)
        g = noise.whitened(signal[:, noise.row, noise.at] * inverse)
        d = noise.whitened(noise.data * inverse)
        b = noise.whitened(inverse)
        bb = (b * b).sum(axis=1) + 1 / noise.prior
        gb, db = (g * b).sum(axis=1), (d * b).sum(axis=1)
        square = (d * d).sum(axis=1) - db**2 / bb
        total[0] += (g * g).sum(axis=1) - gb**2 / bb
        total[1] += (g * d).sum(axis=1) - gb * db / bb
        total[2] += square
        total[3] += -0.5 * (square + np.log(variance).sum(axis=1) + np.log(bb * noise.prior))
    total[0] = np.maximum(total[0], 0.0)
    return total
