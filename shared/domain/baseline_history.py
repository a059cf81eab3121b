"""A sensor's baseline history: which version scores which day, what each version is made of, and why.

It is a cache of a pure function: ``derive`` makes it of the changes that the lake led to and of people's decisions.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Literal, NamedTuple

from pydantic import Field

from shared.domain.decisions import Decisions
from shared.domain.mark import Span
from shared.domain.template import SENSOR_PATTERN
from shared.domain.tsd import ONE_DAY
from shared.domain.validation import Model

Reason = Literal["built", "selected", "augmented", "feedback"]


class DayRange(NamedTuple):
    """UTC days from the first to the last, both included."""

    first: date
    last: date


class Ranges(NamedTuple):
    """The ranges that are marked, in order."""

    no_leak: tuple[Span, ...]
    kept_out: tuple[Span, ...]

    @classmethod
    def of(cls, decisions: Decisions) -> "Ranges":
        """Return what a sensor's decisions say."""
        return cls(decisions.ranges("no_leak"), decisions.kept_out)


class Recipe(Model):
    """What a version is made of: whole UTC days of a sensor's readings, ranges put in and ranges kept out."""

    source: str = Field(pattern=SENSOR_PATTERN)
    days: tuple[DayRange, ...]
    included: tuple[Span, ...] = ()  # by "no leak" marks
    excluded: tuple[Span, ...] = ()  # by "leak" marks and planned operations
    rates: tuple[float, float] = (1.0, 0.1)  # false alarms expected per sensor-month, Warning and Critical

    @property
    def last(self) -> date:
        """The last of the whole days."""
        return self.days[-1].last

    def whole_days(self) -> list[date]:
        """Return the whole days, in order."""
        return [day for one in self.days for day in days_of(one)]

    def marked(self, valid_from: date, marks: "Ranges") -> "Recipe":
        """Return the recipe with the source's marks: "no leak" from its day on, what is kept out for good."""
        included = tuple(span for span in marks.no_leak if span.start.date() <= valid_from)
        held = [*self.days, *(DayRange(span.days[0] - ONE_DAY, span.days[1]) for span in included)]
        excluded = tuple(span for span in marks.kept_out if _touches(span, held))
        return self.model_copy(update={"included": included, "excluded": excluded})


class Change(Model):
    """From a day on, a sensor is scored by a version (empty: too little is left of it to be one)."""

    valid_from: date
    reason: Reason
    recipe: Recipe
    version: str = ""
    undone: bool = False


class BaselineHistory(Model):
    """The changes in order of the day from which they count, and what led to them."""

    changes: tuple[Change, ...] = ()
    last_attempt: date | None = None  # the newest day on which a new version was tried and the one in use stayed
    engine: str = ""  # the detection engine that made the versions; empty while there are none
    decisions: str = ""  # digest of the decisions that are in it

    def change_of(self, day: date) -> Change | None:
        """Return the change that rules the day: the newest not undone that is valid by then."""
        return newest(self.changes, day)

    def version_of(self, day: date) -> str:
        """Return the version that scores the day; empty while learning."""
        change = self.change_of(day)
        return change.version if change else ""

    @property
    def current(self) -> Change | None:
        """The newest change that is not undone."""
        return newest(self.changes, date.max)

    @property
    def base(self) -> tuple[Change, ...]:
        """The changes that the lake led to; those by feedback derive from them and the marks."""
        return tuple(change for change in self.changes if change.reason != "feedback")


def _touches(span: Span, held: Iterable[DayRange]) -> bool:
    """Return whether the range lies, in part, in these days: another one, such as one of the future, says nothing."""
    first, last = span.days
    return any(one.first <= last and first <= one.last for one in held)


def newest(changes: Iterable[Change], day: date) -> Change | None:
    """Return the newest change not undone with ``valid_from`` <= day, or None."""
    valid = [change for change in changes if not change.undone and change.valid_from <= day]
    return max(valid, key=lambda change: change.valid_from, default=None)


def derive(sensor: str, base: Sequence[Change], decisions: Mapping[str, Decisions]) -> tuple[Change, ...]:
    """Return the changes that the base changes and the decisions (by sensor) lead to; their versions are stale.

    Every recipe gets its source's marks; a "no leak" mark adds a change of its own from its day on.
    """
    undone = decisions[sensor].undone()
    ranges = {name: Ranges.of(one) for name, one in decisions.items()}
    changes = [
        change.model_copy(
            update={
                "recipe": change.recipe.marked(change.valid_from, ranges[change.recipe.source]),
                "undone": change.valid_from in undone,
            }
        )
        for change in base
    ]
    fed = []
    for day in sorted({span.start.date() for span in ranges[sensor].no_leak}):
        ruling = newest(changes, day)
        if ruling is not None and ruling.valid_from < day and ruling.recipe.source == sensor:
            recipe = ruling.recipe.marked(day, ranges[sensor])
            fed.append(Change(valid_from=day, reason="feedback", recipe=recipe))
    return tuple(sorted([*changes, *fed], key=lambda change: (change.valid_from, change.reason)))


def days_of(one: DayRange) -> list[date]:
    """Return the days of a range."""
    return [one.first + offset * ONE_DAY for offset in range((one.last - one.first).days + 1)]


def ranges_of(days: Iterable[date], most: int | None = None) -> tuple[DayRange, ...]:
    """Return the days, or the newest so many of them, as ranges of consecutive ones, in order."""
    ranges: list[DayRange] = []
    for day in sorted(set(days))[-most if most else 0 :]:
        if ranges and day - ranges[-1].last == ONE_DAY:
            ranges[-1] = DayRange(ranges[-1].first, day)
        else:
            ranges.append(DayRange(day, day))
    return tuple(ranges)


def first_difference(before: BaselineHistory, after: BaselineHistory) -> date | None:
    """Return the first day that may be scored otherwise by the one history than by the other; None: there is none."""
    if before.engine != after.engine:
        return date.min
    one, other = before.changes, after.changes
    return min(
        (change.valid_from for change in (*one, *other) if change not in one or change not in other), default=None
    )
