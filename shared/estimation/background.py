"""What each sensor reads without a leak, from before a leak may have begun."""

from dataclasses import dataclass

import numpy as np

from shared.arrays import Floats
from shared.estimation.observed_series import ObservedSeries
from shared.estimation.options import EstimationOptions

_TO_SIGMA = 1.4826  # of a normal distribution, per median absolute deviation
_FEWEST = 6  # samples that a robust background needs


@dataclass(frozen=True, eq=False, slots=True)
class Background:
    """Each sensor's reading without a leak [s]: mean and its uncertainty, and the noise around it, in ppmv."""

    mean: Floats
    uncertainty: Floats
    spread: Floats
    measured: bool  # from before the earliest onset, for every sensor


def background_of(series: ObservedSeries, before: int, options: EstimationOptions) -> Background:
    """Return the background [s] in ppmv from the samples before index ``before``: median, and noise by two measures.

    The noise's standard deviation is the larger of the median absolute deviation and that of an AR(1) process with the
    steps from sample to sample that are seen: a short record cannot show all of a slow noise. A sensor with fewer than
    six samples there takes its lowest decile, and twice that as its uncertainty.
    """
    step = float(np.median(np.diff(series.seconds)))
    per_step = np.sqrt(2 * (1 - np.exp(-step / options.noise_time_s)))
    rows = [_of_one(values[:before], values, per_step, options.noise_floor_ppmv) for values in series.ppmv]
    mean, uncertainty, spread = np.array([row[:3] for row in rows]).T
    return Background(mean, uncertainty, spread, measured=all(row[3] for row in rows))


def _of_one(early: Floats, values: Floats, per_step: float, floor: float) -> tuple[float, float, float, bool]:
    good = early[np.isfinite(early)]
    if good.size < _FEWEST:
        low = float(np.nanpercentile(values, 10))
        return low, max(5 * floor, 2 * abs(low)), floor, False
    median = float(np.median(good))
    around = _TO_SIGMA * float(np.median(np.abs(good - median)))
    steps = _TO_SIGMA * float(np.median(np.abs(np.diff(good)))) / per_step
    spread = max(floor, around, steps)
    return median, spread, spread, True
