"""The rises that operators know: when each rule flags them first.

The baseline is all data of the piece up to 3 days before the rise, without earlier known rises, which are not
leak-free.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.detection.folds import CUT_AT
from bench.detection.folds import DAY as BINS_A_DAY
from bench.detection.known import DAY, KNOWN, Known, in_known_rise
from bench.detection.recorded_series import Recorded
from bench.detection.rules import RULES
from shared.arrays import Floats, Scores, Times

LEAD = np.timedelta64(3, "D")  # between the baseline's end and the days of the rise
AFTER = np.timedelta64(1, "D")
LEAST_BASELINE = 7 * BINS_A_DAY  # bins with data


@dataclass(frozen=True, eq=False)
class Rise:
    """A known rise as scored by every rule: times [n], ppmv [n], scores by rule [n]."""

    known: Known
    sensor: str
    times: Times
    ppmv: Floats
    scores: dict[str, Scores]

    def summary(self) -> dict[str, Any]:
        """Return sensor, days, and when each rule first flags the rise, as JSON takes it."""
        flags = {rule.name: self._flags(rule.name, rule.warning, rule.critical) for rule in RULES}
        return {"sensor": self.sensor, "first_day": str(self.known.first), "last_day": str(self.known.last), **flags}

    def _flags(self, rule: str, warning: float, critical: float | None) -> dict[str, str | None]:
        return {
            "warning": self.first_flag(rule, warning),
            "critical": None if critical is None else self.first_flag(rule, critical),
        }

    def first_flag(self, rule: str, threshold: float) -> str | None:
        """Return the first moment of the known days at or above a threshold, or None."""
        inside = (self.times >= self.known.first) & (self.times < self.known.last + DAY)
        above = np.flatnonzero(inside & (self.scores[rule] >= threshold))
        return str(self.times[above[0]]) if above.size else None


def rises(series: Sequence[Recorded]) -> list[Rise]:
    """Return the known rises that the series hold, scored after all data up to 3 days before them."""
    return [
        rise
        for one in KNOWN
        for recorded in series
        if one.sensor in recorded.sensor and (rise := _scored(recorded, one)) is not None
    ]


def _scored(recorded: Recorded, known: Known) -> Rise | None:
    times, ppmv = recorded.series.times, recorded.series.ppmv
    first = int(np.searchsorted(times, known.first - LEAD))
    end = int(np.searchsorted(times, known.last + DAY + AFTER))
    present = np.flatnonzero(~np.isnan(ppmv[:first]))
    cuts = np.flatnonzero(np.diff(present) > CUT_AT)
    present = present[cuts[-1] + 1 :] if cuts.size else present
    if present.size < LEAST_BASELINE or end == first:
        return None
    begin = int(present[0])
    history = np.where(in_known_rise(recorded.sensor, times[begin:first]), np.nan, ppmv[begin:first])
    scores = {
        rule.name: rule.learnt(recorded.sensor, times[begin:first], history)(
            times[begin:end], ppmv[begin:end], times[first]
        )
        for rule in RULES
    }
    return Rise(known, recorded.sensor, times[first:end], ppmv[first:end], scores)
