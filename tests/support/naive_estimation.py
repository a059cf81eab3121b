"""The likelihood of one sensor written out with dense matrices."""

import numpy as np

from shared.arrays import Floats
from shared.estimation.noise import SensorNoise
from shared.estimation.observed_series import ObservedSeries


def naive_fit(
    unit: Floats, tau: float, error: float, series: ObservedSeries, noise: SensorNoise, onset: int
) -> tuple[float, float, float]:
    """Return A, c and ln of the evidence without a signal over "nothing here" of one place, onset and sensor.

    The model's error counts everywhere in A and c, and after the onset alone in the evidence.
    """
    seconds = series.seconds[noise.at]
    start = 0.5 * (series.seconds[onset] + series.seconds[onset + 1])
    after = seconds > start
    faded = np.exp(-(seconds - start) / tau) * 0.5 * (unit[onset] + unit[onset + 1])
    signal = np.where(after, unit[noise.at] - faded, 0.0)
    sigma = np.sqrt(noise.variance + np.where(after, error, 0.0))
    _, _, log_evidence = _evidence(signal, sigma, noise, after)
    a, c, _ = _evidence(signal, np.full(sigma.size, (noise.variance + error) ** 0.5), noise, after)
    _, _, log_nothing = _evidence(signal, np.full(sigma.size, noise.variance**0.5), noise, after)
    return a, c, log_evidence - log_nothing


def _evidence(
    signal: Floats, sigma: Floats, noise: SensorNoise, after: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> tuple[float, float, float]:
    """Return A, c and ln N(d; 0, C), C the AR(1) covariance of the deviations s_t z_t plus the background's."""
    size = signal.size
    steps = np.eye(size)
    for n in range(1, size):
        before = sigma[n - 1] if after[n - 1] == after[n] else sigma[n]
        steps[n, n - 1] = -noise.keep[n] * sigma[n] / before
    whiten = noise.scale[:, None] / sigma[:, None] * steps
    precision = whiten.T @ whiten
    covariance = np.linalg.inv(precision) + noise.prior
    inverse = np.linalg.inv(covariance)
    data = noise.data
    _, logdet = np.linalg.slogdet(covariance)
    log_evidence = -0.5 * (data @ inverse @ data + logdet)
    return float(signal @ inverse @ signal), float(signal @ inverse @ data), float(log_evidence)
