"""How well each place and onset explains what each sensor read, with the model's own error in the noise."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.domain.environment import Floats
from shared.estimation.candidates import onset_seconds
from shared.estimation.noise import SensorNoise
from shared.estimation.series import Series

Indices = npt.NDArray[np.intp]
Singles = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class Fit:
    """A = g'Wg [(s/kg)2], c = g'Wd [s/kg] of each sensor [p, o, s], and ln N(d; 0, W^-1) over "nothing here" [o]."""

    a: Floats
    c: Floats
    log_over_nothing: Floats


def fit(units: Singles, tau: float, errors: Floats, series: Series, noises: list[SensorNoise], onsets: Indices) -> Fit:
    """Return the fit of leaks with unit responses [p, s, t] that begin right after the samples ``onsets`` [o].

    Given the sample before, a sample of one sensor is normal: d_t - x g_t = k (s_t / s_t-1)(d_t-1 - x g_t-1) +
    sqrt(1 - k^2) s_t e, k = exp(-dt / T), with the variance s^2 = sigma_0^2 + ``errors`` [s, t] after the onset and
    sigma_0^2 before, and the background marginalised. The response from an onset is y_t - exp(-(t - t0) / tau) y_t0,
    so every sum over t > t0 is a product with a masked matrix, all places and onsets at once.
    """
    parts = [_of_sensor(units[:, s], tau, errors[s], series, noise, onsets) for s, noise in enumerate(noises)]
    a, c = (np.stack([part[k] for part in parts], axis=-1) for k in range(2))
    return Fit(a, c, np.sum([part[2] for part in parts], axis=0))


def _of_sensor(
    unit: Singles, tau: float, errors: Floats, series: Series, noise: SensorNoise, onsets: Indices
) -> tuple[Floats, Floats, Floats]:
    """Return A, c [p, o] and ln of the evidence without a signal over "nothing here" [o] of one sensor."""
    seconds, starts = series.seconds[noise.at], onset_seconds(series, onsets)
    later = (seconds[:, None] > starts[None, :]).astype(np.float64)
    fade = later * np.exp(-np.maximum(seconds[:, None] - starts, 0.0) / tau)
    grown = np.exp(np.diff(seconds, prepend=seconds[0]) / tau)
    variance = errors[noise.at] + noise.variance
    u = 1 / np.sqrt(variance)
    y = noise.whitened(unit[:, noise.at] * u.astype(np.float32))
    d, b, e = noise.whitened(noise.data * u), noise.whitened(u), noise.whitened(u, grown)[:, None] * fade
    columns = np.hstack([d[:, None] * later, b[:, None] * later, e]).astype(np.float32)
    yd, yb, ye = np.split((y @ columns).astype(np.float64), 3, axis=1)
    yy = ((y * y) @ later.astype(np.float32)).astype(np.float64)
    start = 0.5 * (unit[:, onsets] + unit[:, onsets + 1]).astype(np.float64)
    before = noise.before(later)
    dd, db, bb = d**2 @ later + before[0], (d * b) @ later + before[1], b**2 @ later + before[2]
    known = bb + 1 / noise.prior
    first = later.argmax(axis=0)
    extra = (
        _before_first(unit, u, noise, first, seconds[first - 1] - starts, tau, start)
        * later[first, np.arange(first.size)]
    )
    at_first = y[:, first] - start * e[first, np.arange(first.size)]
    gb = yb - start * (b @ e) + b[first] * extra
    gg = yy - 2 * start * ye + start**2 * (e**2).sum(axis=0) + (2 * at_first + extra) * extra
    a = np.maximum(gg - gb**2 / known, 0.0)
    c = yd - start * (d @ e) + d[first] * extra - gb * db / known
    logs = np.log(variance / noise.variance) @ later
    log_evidence = -0.5 * (dd - db**2 / known + logs + np.log(known * noise.prior))
    return a, c, log_evidence - noise.log_nothing


def _before_first(
    unit: Singles, u: Floats, noise: SensorNoise, first: Indices, since: Floats, tau: float, start: Floats
) -> Floats:
    """Return what the whitened first sample after each onset lacks [p, o].

    The sums take the sample before it to hold y - exp(-(t - t0) / tau) y_t0, as all others; but it is before the onset,
    where there is no signal yet.
    """
    weight = (noise.keep * noise.scale)[first] * u[first - 1]
    return np.asarray(weight * (unit[:, noise.at[first - 1]] - np.exp(-since / tau) * start))
