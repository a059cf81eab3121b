"""What one sensor reads beside a leak: an unknown constant background and AR(1) noise around it."""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from shared.arrays import Floats, Indices, Singles
from shared.estimation.background import Background
from shared.estimation.observed_series import ObservedSeries
from shared.estimation.options import EstimationOptions

Values = TypeVar("Values", Singles, Floats)

_ALL = slice(None)
HEARD = 3.0  # standard deviations of a sensor's noise that a signal must reach to be heard by it
_GAP_STEPS = 1.5  # after a longer gap the noise starts afresh


@dataclass(frozen=True, eq=False, slots=True)
class SensorNoise:
    """One sensor's usable samples [n] of the series and its AR(1) noise.

    ``data`` above background [ppmv]; ``keep`` the coefficients exp(-dt / T) to the sample before (0 for the first, and
    after a gap),
    ``scale`` 1 / sqrt(1 - keep^2); ``variance`` of the noise, ``prior`` variance of the background [ppmv2].
    """

    row: int
    at: Indices
    data: Floats
    keep: Floats
    scale: Floats
    variance: float
    prior: float

    def whitened(self, standardised: Values, part: slice = _ALL) -> Values:
        """Return independent unit-variance values [..., n] of standardised AR(1) ones [..., n], of the same type.

        With a ``part`` of the samples the values are those of the part, and 0 before it.
        """
        keep, scale = self.keep[part].astype(standardised.dtype), self.scale[part].astype(standardised.dtype)
        out = standardised * scale
        out[..., 1:] -= (keep * scale)[1:] * standardised[..., :-1]
        return out

    def before(self, later: Floats) -> tuple[Floats, Floats, Floats]:
        """Return d'Wd, d'W1 and 1'W1 [o] of the noise alone over the samples that ``later`` [n, o] leaves out."""
        sigma = self.variance**0.5
        d, b = self.whitened(self.data / sigma), self.whitened(np.ones_like(self.keep) / sigma)
        earlier = 1 - later
        return d**2 @ earlier, (d * b) @ earlier, b**2 @ earlier

    def remembering(self, memory_s: float, options: EstimationOptions) -> "SensorNoise":
        """Return the noise for whitening by another memory in s, its variance such that it is as large after that."""
        keep = self.keep ** (options.noise_time_s / memory_s)
        scale = 1 / np.sqrt(1 - keep**2)
        grown = float(np.mean(scale**2 * (1 - 2 * keep * self.keep + keep**2)))
        return replace(self, keep=keep, scale=scale, variance=grown * self.variance)

    def hears(self, signal: Floats) -> bool:
        """Return whether a signal [t] in ppmv stands out of the noise."""
        return bool(signal[self.at].max(initial=0.0) > HEARD * self.variance**0.5)

    @property
    def log_nothing(self) -> float:
        """Return ln N(d; 0, W^-1) of the noise alone, without the constants that all hypotheses share."""
        dd, db, bb = (float(part[0]) for part in self.before(np.zeros((self.at.size, 1))))
        known = bb + 1 / self.prior
        return -0.5 * (dd - db**2 / known + float(np.log(known * self.prior)))


def sensor_noises(series: ObservedSeries, background: Background, options: EstimationOptions) -> list[SensorNoise]:
    """Return the noise of every usable sensor, in the order of ``series.ppmv``."""
    noises = []
    longest = _GAP_STEPS * float(np.median(np.diff(series.seconds)))
    for row, values in enumerate(series.ppmv):
        at = np.flatnonzero(np.isfinite(values))
        gaps = np.diff(series.seconds[at])
        keep = np.concatenate([[0.0], np.where(gaps > longest, 0.0, np.exp(-gaps / options.noise_time_s))])
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


def rises(series: ObservedSeries, noises: list[SensorNoise]) -> Floats:
    """Return the rise above background [s, t] in ppmv, 0 where there is no sample or no rise."""
    rise = np.zeros(series.ppmv.shape)
    for noise in noises:
        rise[noise.row, noise.at] = np.maximum(noise.data, 0.0)
    return rise
