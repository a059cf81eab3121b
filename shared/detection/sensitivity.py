"""What a baseline leaves unnoticed: how strong a release must be at a sensor to be told within a day."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from shared.arrays import Floats
from shared.detection.background import PER_DEVIATION, SPAN
from shared.detection.baseline import Baseline
from shared.detection.channels import WARNING_SCORE, Channel, score_of
from shared.detection.day_profile import WINDOW
from shared.detection.level import WITHOUT_BREAK
from shared.detection.releases import response

_LEAST, _HALVINGS = 1e-3, 20  # ppmv; of the logarithm's range


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The steady rise from which on a sensor's release is a Warning, and its noise's standard deviation [ppmv]."""

    noticed_ppmv: float
    spread_ppmv: float

    @classmethod
    def of(cls, baseline: Baseline) -> Self:
        """Return the sensitivity of a sensor with this baseline.

        Noticed is what takes a channel's figure to Warning by itself, in readings that are otherwise as expected: with
        those that there are about every second such release is told. The noise is that of a usual day, around the
        day's median, by the median absolute deviation.
        """
        return cls(least_rise(baseline, WARNING_SCORE), usual_spread(baseline.ppmv))


def least_rise(baseline: Baseline, score: float) -> float:
    """Return the steady rise [ppmv] to which the most sensitive channel gives a score of at least this in a day."""
    added = response(np.concatenate((np.zeros(SPAN), np.ones(WINDOW))))
    news = baseline.background.whitened(added) / baseline.background.size
    beyond = WITHOUT_BREAK * (baseline.range.top - baseline.range.median)
    low, high = _LEAST, score * beyond  # what the level channel notices
    for _ in range(_HALVINGS):
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if _score(baseline, middle * news, middle * added[SPAN:]) >= score else (middle, high)
    return high


def _score(baseline: Baseline, innovations: Floats, added: Floats) -> float:
    """Return the highest score of a day's innovations [SPAN + WINDOW] and of what they add to readings [WINDOW]."""
    spans = baseline.releases.spans(innovations, SPAN)
    figures = {
        Channel.PROFILE: np.full(WINDOW, baseline.days.usual_ratio(added)),
        Channel.COURSE: baseline.releases.course(spans),
        Channel.RELEASE: baseline.releases.release(spans),
        Channel.SUDDEN: baseline.releases.sudden(innovations, SPAN) / baseline.unrest,
    }
    limits = [one for one in baseline.thresholds if one.channel in figures]
    return float(score_of([figures[one.channel] for one in limits], limits)[0].max())


def usual_spread(ppmv: Floats) -> float:
    """Return the standard deviation [ppmv] of a usual day's readings [n] around the day's median."""
    days = ppmv[: ppmv.size // WINDOW * WINDOW].reshape(-1, WINDOW)
    known = days[~np.isnan(days).any(axis=1)]
    away = np.abs(known - np.median(known, axis=1, keepdims=True))
    return PER_DEVIATION * float(np.median(np.median(away, axis=1)))
