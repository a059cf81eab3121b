"""What the sensors read beside a leak: background, noise, and causes common to all sensors."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.domain.environment import Floats
from shared.estimation.background import Background
from shared.estimation.options import EstimationOptions
from shared.estimation.series import Series
from shared.estimation.tails import log_sum_exp

Matrix = npt.NDArray[np.float64]

AMPLITUDES = (5.0, 15.0, 50.0, 150.0, 500.0, 1500.0, 5000.0)  # ppmv, of external causes and of wander
_COMMON_GAIN_ERROR = 0.2  # by how much the sensors differ in showing one external cause


@dataclass(frozen=True, eq=False, slots=True)
class SensorNoise:
    """One sensor's usable samples [n] of the series and its AR(1) noise.

    ``data`` above background [ppmv]; ``keep`` the coefficients exp(-dt / T) to the sample before (0 for the first),
    ``scale`` 1 / sqrt(1 - keep^2); ``variance`` of the noise, ``prior`` variance of the background [ppmv2].
    """

    row: int
    at: npt.NDArray[np.intp]
    data: Floats
    keep: Floats
    scale: Floats
    variance: float
    prior: float

    def whitened(self, standardised: Floats) -> Floats:
        """Return independent unit-variance values [..., n] of standardised AR(1) ones [..., n]."""
        out = np.array(standardised, dtype=np.float64)
        out[..., 1:] -= self.keep[1:] * standardised[..., :-1]
        out *= self.scale
        return out


def sensor_noises(series: Series, background: Background, options: EstimationOptions) -> list[SensorNoise]:
    """Return the noise of every usable sensor, in the order of ``series.ppmv``."""
    noises = []
    for row, values in enumerate(series.ppmv):
        at = np.flatnonzero(np.isfinite(values))
        keep = np.concatenate([[0.0], np.exp(-np.diff(series.seconds[at]) / options.error_time_s)])
        noises.append(
            SensorNoise(
                row=row,
                at=at,
                data=values[at] - background.mean[row],
                keep=keep,
                scale=1 / np.sqrt(1 - keep**2),
                variance=float(background.spread[row] ** 2),
                prior=float(background.uncertainty[row] ** 2),
            )
        )
    return noises


def log_rivals(series: Series, noises: list[SensorNoise], options: EstimationOptions) -> tuple[float, float]:
    """Return ln of the evidence over nothing of two rivals of a leak: an external cause, and sensors that wander.

    An external cause is one mode on all sensors, rank one in sensors and an Ornstein-Uhlenbeck process in time; the
    sensors may differ by 20 % of what the lower half of them share. Sensors that wander do so each on its own, by the
    same process. The process' amplitude is one of a log-spaced set, each as likely.
    """
    at = np.concatenate([noise.at for noise in noises])
    sensor = np.concatenate([np.full(noise.at.size, noise.row) for noise in noises])
    data = np.concatenate([noise.data for noise in noises])
    lag = np.abs(series.seconds[at][:, None] - series.seconds[at][None, :])
    same = (sensor[:, None] == sensor[None, :]).astype(np.float64)
    quiet = _quiet(noises, sensor, same, lag, options)
    nothing = _log_evidence(quiet, data)
    process = np.exp(-lag / options.slow_time_s)
    error = _COMMON_GAIN_ERROR * _shared_rise(series, noises)[at]
    uneven = quiet + same * np.exp(-lag / options.error_time_s) * np.outer(error, error)
    external = _log_mean([_log_evidence(uneven + size**2 * process, data) for size in AMPLITUDES])
    wander = _log_mean([_log_evidence(quiet + size**2 * same * process, data) for size in AMPLITUDES])
    return external - nothing, wander - nothing


def _quiet(
    noises: list[SensorNoise], sensor: npt.NDArray[np.intp], same: Matrix, lag: Matrix, options: EstimationOptions
) -> Matrix:
    """Return the covariance [n, n] of the samples under "nothing here", the background marginalised."""
    variance = np.array([noise.variance for noise in noises])[sensor]
    prior = np.array([noise.prior for noise in noises])[sensor]
    return np.asarray(same * (np.exp(-lag / options.error_time_s) * variance + prior), dtype=np.float64)


def _log_mean(logs: list[float]) -> float:
    return log_sum_exp(np.array(logs)) - float(np.log(len(logs)))


def rises(series: Series, noises: list[SensorNoise]) -> Floats:
    """Return the rise above background [s, t] in ppmv, 0 where there is no sample or no rise."""
    rise = np.zeros(series.ppmv.shape)
    for noise in noises:
        rise[noise.row, noise.at] = np.maximum(noise.data, 0.0)
    return rise


def _shared_rise(series: Series, noises: list[SensorNoise]) -> Floats:
    """Return the rise [t] that the lower half of the sensors reach at each time."""
    ordered = np.sort(rises(series, noises), axis=0)
    return np.asarray(ordered[(ordered.shape[0] - 1) // 2], dtype=np.float64)


def _log_evidence(covariance: Matrix, data: Floats) -> float:
    """Return ln N(data; 0, covariance) without the constant that all hypotheses share."""
    factor = np.linalg.cholesky(covariance)
    half = np.linalg.solve(factor, data)
    return float(-0.5 * half @ half - np.log(np.diagonal(factor)).sum())
