"""Score and level of every sample: the newest day's distance to the baseline, in units of its threshold.

    score_i = min_j || w_i - x_j || / threshold,    w_i = the 144 bins that end with sample i

so 1.0 is what the baseline's own days hardly ever reach, and is Warning's edge; 2.0 is Critical's. Non-normalised
on purpose: z-normalising removes the level, which is what a leak changes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.detection.baseline import Baseline
from shared.detection.regular import regularise

WARNING_SCORE = 1.0
CRITICAL_SCORE = 2.0
MIN_OBSERVED = 0.8  # of a window's bins; with less, nobody can say that the day was like any other
CONTEXT_BINS = 144 + 12  # what a sample's score can depend on: its window, and what is held into its start


@dataclass(frozen=True, eq=False)
class Detection:
    """Times, ppmv (NaN: missing), score (NaN: Undefined) and level (int8) of each bucket, arrays [n]."""

    times: npt.NDArray[np.datetime64]
    ppmv: npt.NDArray[np.float64]
    score: npt.NDArray[np.float32]
    level: npt.NDArray[np.int8]


def detect(baseline: Baseline, times: Any, ppmv: Any, *, since: np.datetime64 | None = None) -> Detection:
    """Return score and level per 10-minute bucket from the first to the last sample, causally.

    times: datetime64 [n], UTC, any order and spacing; ppmv: float [n], may hold NaN, inf and sentinels. Level:
    0 Ok, 1 Warning, 2 Critical, -1 Undefined (no value for more than 2 h, or under 80 % of the day observed).
    ``since`` leaves out buckets before it from the result; they still serve as context. Raises InvalidInput.
    """
    series = regularise(times, ppmv)
    first = 0 if since is None else int(np.searchsorted(series.times, since))
    padded = np.concatenate((np.full(baseline.window - 1, np.nan), series.held))
    score = np.full(series.times.size, np.nan, dtype=np.float32)
    for index in range(first, series.times.size):
        window = padded[index : index + baseline.window]
        observed = np.count_nonzero(~np.isnan(window))
        if observed >= MIN_OBSERVED * baseline.window and not np.isnan(window[-1]):
            score[index] = baseline.nearest.find(window)[1] / baseline.threshold
    return Detection(series.times[first:], series.ppmv[first:], score[first:], level_of(score[first:]))


def level_of(score: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
    """Return the level of each score: Warning from 1.0, Critical from 2.0, Undefined for NaN."""
    level = np.zeros(score.shape, dtype=np.int8)
    level[score >= WARNING_SCORE] = 1
    level[score >= CRITICAL_SCORE] = 2
    level[np.isnan(score)] = -1
    return level
