"""What else than a leak of this template may be behind the readings: an external cause, or sensors that wander."""

import numpy as np

from shared.arrays import Floats
from shared.estimation.noise import SensorNoise, rises
from shared.estimation.observed_series import ObservedSeries
from shared.estimation.options import EstimationOptions

AMPLITUDES = (5.0, 15.0, 50.0, 150.0, 500.0, 1500.0, 5000.0)  # ppmv, of external causes and of wander
_ANYTHING_LARGE = 1e200  # the corner of a bordered matrix; only the last pivot feels it
_GAIN_ERROR = 0.4  # by how much the sensors differ in showing one external cause


def log_alternatives(
    series: ObservedSeries, noises: list[SensorNoise], options: EstimationOptions
) -> tuple[float, float]:
    """Return ln of the evidence over nothing of two alternatives to a leak: an external cause, and sensors that wander.

    An external cause is one mode on all sensors, rank one in sensors and an Ornstein-Uhlenbeck process in time; the
    sensors may differ by 40 % of what the lower half of them share. A sensor that wanders does so on its own, by the
    same process, or not at all. The process' amplitude is one of a log-spaced set, each as likely.
    """
    wander = sum(_wander(series, noise, options) for noise in noises)
    return _external(series, noises, options), wander


def _wander(series: ObservedSeries, noise: SensorNoise, options: EstimationOptions) -> float:
    """Return ln of the mean evidence of one sensor that is quiet or wanders, over that of a quiet one."""
    lag = _lags(series.seconds[noise.at])
    quiet = np.exp(-lag / options.noise_time_s) * noise.variance + noise.prior
    process = np.exp(-lag / options.slow_time_s)
    wandering = [_log_evidence(quiet + size**2 * process, noise.data) for size in AMPLITUDES]
    still = _log_evidence(quiet, noise.data)
    halves = np.array([still, log_sum_exp(np.array(wandering)) - np.log(len(wandering))]) - np.log(2)
    return log_sum_exp(halves) - still


def _external(series: ObservedSeries, noises: list[SensorNoise], options: EstimationOptions) -> float:
    at = np.concatenate([noise.at for noise in noises])
    sensor = np.concatenate([np.full(noise.at.size, noise.row) for noise in noises])
    data = np.concatenate([noise.data for noise in noises])
    lag, same = _lags(series.seconds[at]), (sensor[:, None] == sensor[None, :]).astype(np.float64)
    variance, prior = (
        np.array(values)[sensor] for values in zip(*((n.variance, n.prior) for n in noises), strict=True)
    )
    memory = np.exp(-lag / options.noise_time_s)
    quiet = same * (memory * variance + prior)
    error = _GAIN_ERROR * _shared_rise(series, noises)[at]
    uneven = quiet + same * memory * np.outer(error, error)
    process = np.exp(-lag / options.slow_time_s)
    logs = [_log_evidence(uneven + size**2 * process, data) for size in AMPLITUDES]
    return log_sum_exp(np.array(logs)) - float(np.log(len(logs))) - _log_evidence(quiet, data)


def log_sum_exp(values: Floats) -> float:
    """Return ln sum exp(values) over all values, of any shape [...]."""
    top = float(values.max())
    return top + float(np.log(np.exp(values - top).sum()))


def _lags(seconds: Floats) -> Floats:
    return np.asarray(np.abs(seconds[:, None] - seconds[None, :]))


def _shared_rise(series: ObservedSeries, noises: list[SensorNoise]) -> Floats:
    """Return the rise [t] that the lower half of the sensors reach at each time."""
    ordered = np.sort(rises(series, noises), axis=0)
    return np.asarray(ordered[(ordered.shape[0] - 1) // 2], dtype=np.float64)


def _log_evidence(covariance: Floats, data: Floats) -> float:
    """Return ln N(data; 0, covariance) without the constant that all hypotheses share.

    The last row of the Cholesky factor of the covariance with the data as one more row is the whitened data.
    """
    size = data.size
    bordered = np.empty((size + 1, size + 1))
    bordered[:size, :size], bordered[size, :size], bordered[:size, size] = covariance, data, data
    bordered[size, size] = _ANYTHING_LARGE
    factor = np.linalg.cholesky(bordered)
    half = factor[size, :size]
    return float(-0.5 * half @ half - np.log(np.diagonal(factor)[:size]).sum())
