"""Selection: of several baselines, the one that finds least amiss in a sensor's recent clean readings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np

from shared.arrays import Floats, Levels, Times
from shared.detection import Baseline, detect
from shared.detection.cleaning import suspect_days
from shared.domain.baseline_history import Recipe, ranges_of
from shared.domain.decisions import Decisions
from shared.domain.deviation import Level
from shared.domain.tsd import ONE_DAY, SLOTS
from shared.usecases.baselines.recorded_readings import RecordedReadings

RECENT = timedelta(days=3)  # judged on; no candidate holds any of it
CONTEXT = timedelta(days=2)  # before these, so that their first samples have a day before them
ENOUGH = 2 * SLOTS  # clean recent samples without which nobody can judge
SPANS = (90, 30)  # days: the younger part of a history may be more like today than all of it


@dataclass(frozen=True, eq=False)
class PastReadings:
    """A sensor's readings of whole days before a day T: times and ppmv [n]."""

    day: date  # T: everything before it is in here, nothing later
    times: Times
    ppmv: Floats  # without what nothing may be learnt from

    @classmethod
    def before(
        cls, day: date, readings: RecordedReadings, sensor: str, first: date, decisions: Decisions
    ) -> "PastReadings":
        """Return the sensor's history of [first, day) as the decisions leave it."""
        first = min(first, day - RECENT - CONTEXT)
        times, ppmv = readings.between(sensor, first, day - ONE_DAY, without=decisions.kept_out)
        return cls(day, times, ppmv)

    @cached_property
    def clean(self) -> Floats:
        """The readings [n] without suspect days."""
        suspect = np.isin(self.times.astype("datetime64[D]"), suspect_days(self.times, self.ppmv))
        return np.where(suspect, np.nan, self.ppmv)

    def samples(self, first: date, end: date) -> int:
        """Return how many clean samples the days [first, end) hold."""
        part = (self.times >= np.datetime64(first, "s")) & (self.times < np.datetime64(end, "s"))
        return int(np.count_nonzero(~np.isnan(self.clean[part])))

    def clean_days(self, first: date, end: date) -> list[date]:
        """Return the days of [first, end) that hold clean samples, in order."""
        days = np.unique(self.times[~np.isnan(self.clean)].astype("datetime64[D]")).astype(object)
        return [day for day in days if first <= day < end]

    @property
    def judgeable(self) -> bool:
        """Whether enough of the last days is clean to judge by them."""
        return self.samples(self.day - RECENT, self.day) >= ENOUGH

    def unlikeness(self, baseline: Baseline) -> float | None:
        """Return the share of the recent samples that the baseline scores at Warning or above; None: it scores none."""
        scored = self._levels(baseline, self.day - RECENT)
        return float(np.mean(scored >= Level.WARNING)) if scored.size else None

    def is_usual_to(self, baseline: Baseline) -> bool:
        """Return whether the baseline scores recent samples, and none at Warning or above; the last day first."""
        last = self._levels(baseline, self.day - ONE_DAY)
        return not bool((last >= Level.WARNING).any()) and self.unlikeness(baseline) == 0

    def _levels(self, baseline: Baseline, since: date) -> Levels:
        """Return the levels of the clean samples from that day on that the baseline can score."""
        part = self.times >= np.datetime64(since - CONTEXT, "s")
        level: Levels = detect(baseline, self.times[part], self.clean[part], since=np.datetime64(since, "s")).level
        known: Levels = level[level != Level.UNDEFINED]
        return known


def spans(recipe: Recipe, history: PastReadings, min_days: float) -> list[Recipe]:
    """Return the recipe and its younger parts, the longest first, that hold enough clean samples."""
    end = history.day - RECENT
    found = [recipe]
    for length in SPANS:
        days = [day for day in recipe.whole_days() if day >= end - timedelta(days=length)]
        found.append(recipe.model_copy(update={"days": ranges_of(days)}))
    return [one for one in dict.fromkeys(found) if sum(_held(one, history)) >= min_days * SLOTS]


def _held(recipe: Recipe, history: PastReadings) -> list[int]:
    return [history.samples(one.first, one.last + ONE_DAY) for one in recipe.days]


def choose(candidates: Sequence[Recipe], readings: RecordedReadings, history: PastReadings) -> Recipe | None:
    """Return the first of the candidates that are least unlike the recent readings; None where none can tell."""
    best: tuple[float, Recipe] | None = None
    for recipe in candidates:
        baseline = readings.make(recipe)
        share = None if baseline is None else history.unlikeness(baseline)
        if share is not None and (best is None or share < best[0]):
            best = (share, recipe)
        if share == 0:
            break
    return best[1] if best else None
