"""The data source of a history: readings that are corrected, removed, held back, and tags that come and go."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np

from shared.arrays import Floats
from shared.domain.tsd import BUCKET, ONE_DAY, SLOTS, Reading, slot_of, start_of
from shared.ports import Answers, SourceSeries, Window
from tests.support.fakes import FakeClock

FIRST = date(2026, 3, 1)
DAYS = 14  # of the sea: more than any history takes
LIVELY = 4  # days at its beginning: what comes after is usual to a baseline of these


@dataclass
class Series:
    """What the source has under a tag: readings [slots since FIRST] (NaN: none), an id, and what is wrong with it."""

    readings: Floats
    generation: int = 0
    problem: str = ""
    held_from: datetime | None = None  # nothing newer is shown

    def id_of(self, tag: str) -> str:
        """Return its id."""
        return f"{tag}#{self.generation}"


@dataclass
class Sea:
    """All series by tag, as the source shows them at a time."""

    clock: FakeClock
    series: dict[str, Series] = field(default_factory=dict)
    original: dict[str, Floats] = field(default_factory=dict)

    def add(self, tag: str, readings: Floats) -> None:
        """Add a series."""
        self.series[tag] = Series(readings.copy())
        self.original[tag] = readings

    def resolve(self, facility: str, tags: Sequence[str]) -> Answers[SourceSeries]:  # noqa: ARG002 (the port's)
        """Return each tag's series, or what is wrong with it."""
        known = {tag: self.series[tag] for tag in tags if tag in self.series}
        return Answers(
            {tag: SourceSeries(one.id_of(tag)) for tag, one in known.items() if not one.problem},
            {tag: one.problem for tag, one in known.items() if one.problem and one.problem != GONE},
        )

    def read(self, windows: Sequence[Window]) -> Answers[Sequence[Reading]]:
        """Return each window's readings, up to what has come by now."""
        tags = {one.id_of(tag): tag for tag, one in self.series.items() if not one.problem}
        return Answers(
            {one.series: self._shown(tags[one.series], one) for one in windows if one.series in tags},
            {one.series: "it cannot be read" for one in windows if one.series not in tags},
        )

    def _shown(self, tag: str, window: Window) -> list[Reading]:
        one, found = self.series[tag], []
        end = min(window.end, self.clock.moment, one.held_from or window.end)
        moment = max(window.start, start_of(FIRST))
        while moment + BUCKET <= end:
            value = one.readings[place(moment)]
            if not np.isnan(value):
                found.append(Reading(moment, float(value), 1))
            moment += BUCKET
        return found


GONE = "gone"  # a tag that the source does not know for now


def place(moment: datetime) -> int:
    """Return the bucket's number since FIRST."""
    return (moment.date() - FIRST).days * SLOTS + slot_of(moment)


def day_of(number: int) -> date:
    """Return the history's day of that number."""
    return FIRST + number * ONE_DAY


def at(day: int, hours: float = 0) -> datetime:
    """Return a moment of the history's day of that number."""
    return start_of(day_of(day)) + timedelta(hours=hours)


def usual(seed: int) -> Floats:
    """Return readings of a usual sensor: lively at first, calmer ever after, so that nothing is amiss."""
    spread = np.where(np.arange(DAYS * SLOTS) < LIVELY * SLOTS, 1.0, 0.5)
    return 10 + spread * np.random.default_rng(seed).normal(0, 1, DAYS * SLOTS)
