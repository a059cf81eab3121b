"""The rises that operators know: when each rule flags them first.

The baseline is all data of the piece up to 3 days before the rise, without earlier known rises, which are not
leak-free. What a rule is told of the currents is what was measured at the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.detection.currents import Told
from bench.detection.folds import CUT_AT
from bench.detection.folds import DAY as BINS_A_DAY
from bench.detection.known import DAY, KNOWN, Known, in_known_rise
from bench.detection.recorded_series import Folder, Recorded
from bench.detection.rules import ALL_RULES, Learnt, Rule
from shared.arrays import Floats, Scores, Times
from shared.domain.environment import Environment

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
        flags = {rule.name: self._flags(rule) for rule in ALL_RULES if rule.name in self.scores}
        return {"sensor": self.sensor, "first_day": str(self.known.first), "last_day": str(self.known.last), **flags}

    def _flags(self, rule: Rule) -> dict[str, str | None]:
        flags = {name: self.first_flag(rule.name, threshold) for name, threshold in rule.fixed.items()}
        return {"warning": None, "critical": None, **flags}

    def first_flag(self, rule: str, threshold: float) -> str | None:
        """Return the first moment of the known days at or above a threshold, or None."""
        inside = (self.times >= self.known.first) & (self.times < self.known.last + DAY)
        above = np.flatnonzero(inside & (self.scores[rule] >= threshold))
        return str(self.times[above[0]]) if above.size else None


def rises(found: Folder, rules: Sequence[Rule]) -> list[Rise]:
    """Return the known rises that a folder's series hold, scored after all data up to 3 days before them."""
    return [
        rise
        for one in KNOWN
        for recorded in found.series
        if one.sensor in recorded.sensor and (rise := _scored(recorded, one, found.currents, rules)) is not None
    ]


def history_before(recorded: Recorded, moment: np.datetime64) -> slice:
    """Return the buckets of a series that a baseline of a moment is made of, ``LEAD`` before it; empty: none."""
    first = int(np.searchsorted(recorded.series.times, moment - LEAD))
    present = np.flatnonzero(~np.isnan(recorded.series.ppmv[:first]))
    cuts = np.flatnonzero(np.diff(present) > CUT_AT)
    present = present[cuts[-1] + 1 :] if cuts.size else present
    return slice(int(present[0]), first) if present.size >= LEAST_BASELINE else slice(first, first)


def leak_free(recorded: Recorded, part: slice) -> Floats:
    """Return the readings of a part of a series, without known rises."""
    times, ppmv = recorded.series.times[part], recorded.series.ppmv[part]
    return np.where(in_known_rise(recorded.sensor, times), np.nan, ppmv)


def _scored(recorded: Recorded, known: Known, measured: Environment | None, rules: Sequence[Rule]) -> Rise | None:
    times, ppmv = recorded.series.times, recorded.series.ppmv
    part = history_before(recorded, known.first)
    begin, first = part.start, part.stop
    end = int(np.searchsorted(times, known.last + DAY + AFTER))
    if first in (begin, end):
        return None
    told: dict[Told, Environment | None] = {"nothing": None}
    if measured is not None:
        told["measured"] = measured
    heard = [rule for rule in rules if rule.told in told]
    learnt = Learnt.of(heard, recorded.sensor, times[part], leak_free(recorded, part))
    scores = learnt.scores(times[begin:end], ppmv[begin:end], times[first], told)
    return Rise(known, recorded.sensor, times[first:end], ppmv[first:end], scores)
