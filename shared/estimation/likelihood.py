"""How well each place and onset explains what each sensor read, with the model's own error in the noise."""

from dataclasses import dataclass

import numpy as np

from shared.arrays import Floats, Indices
from shared.estimation.candidates import onset_seconds
from shared.estimation.noise import SensorNoise
from shared.estimation.observed_series import ObservedSeries
from shared.estimation.responses import Responses


@dataclass(frozen=True, eq=False, slots=True)
class Fit:
    """A = g'Wg [(s/kg)2] and c = g'Wd [s/kg] of each sensor [p, o, s]."""

    a: Floats
    c: Floats


def fit(
    responses: Responses, errors: Floats, series: ObservedSeries, noises: list[SensorNoise], onsets: Indices
) -> Fit:
    """Return the fit [p, o, s] of leaks with these ``responses`` that begin right after the samples ``onsets`` [o].

    Given the sample before, a sample of one sensor is normal: d_t - x g_t = k (s_t / s_t-1)(d_t-1 - x g_t-1) +
    sqrt(1 - k^2) s_t e, k = exp(-dt / T), with the variance s^2 = sigma_0^2 + ``errors`` [s, t] in ppmv2, and the
    background marginalised.
    """
    parts = [_of_sensor(responses, errors, series, noise, onsets) for noise in noises]
    a, c = (np.stack([part[k] for part in parts], axis=-1) for k in range(2))
    return Fit(a, c)


def _of_sensor(
    responses: Responses, errors: Floats, series: ObservedSeries, noise: SensorNoise, onsets: Indices
) -> tuple[Floats, Floats]:
    """Return A and c [p, o] of one sensor."""
    seconds, starts = series.seconds[noise.at], onset_seconds(series, onsets)
    u = 1 / np.sqrt(errors[noise.row, noise.at] + noise.variance)
    d, b = noise.whitened(noise.data * u), noise.whitened(u)
    known = b @ b + 1 / noise.prior
    gg, gd, gb = np.zeros((3, responses.zone.size, onsets.size))
    columns = np.column_stack([d, b]).astype(np.float32)
    for k, start in enumerate(starts):
        after = slice(int(np.searchsorted(seconds, start, side="right")), None)
        begun = responses.begun(noise.row, k, noise.at[after], seconds[after] - start)
        g = noise.whitened(begun * u[after].astype(np.float32), after)
        gg[:, k] = np.einsum("pn,pn->p", g, g)
        gd[:, k], gb[:, k] = (g @ columns[after]).T
    return np.maximum(gg - gb**2 / known, 0.0), gd - gb * (d @ b) / known


def log_error_over_nothing(
    errors: Floats, series: ObservedSeries, noises: list[SensorNoise], onsets: Indices
) -> Floats:
    """Return ln of the evidence [o] of only the model's error after each of ``onsets`` [o], over "nothing here".

    ``errors`` [s, t] is the variance of that error in ppmv2.
    """
    starts = onset_seconds(series, onsets)
    return np.asarray(sum(_error_alone(errors[noise.row], series, noise, starts) for noise in noises))


def _error_alone(errors: Floats, series: ObservedSeries, noise: SensorNoise, starts: Floats) -> Floats:
    later = (series.seconds[noise.at][:, None] > starts).astype(np.float64)
    variance = errors[noise.at] + noise.variance
    u = 1 / np.sqrt(variance)
    d, b = noise.whitened(noise.data * u), noise.whitened(u)
    before = noise.before(later)
    dd, db, bb = d**2 @ later + before[0], (d * b) @ later + before[1], b**2 @ later + before[2]
    known = bb + 1 / noise.prior
    logs = np.log(variance / noise.variance) @ later
    return np.asarray(-0.5 * (dd - db**2 / known + logs + np.log(known * noise.prior)) - noise.log_nothing)
