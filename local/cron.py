"""NCRONTAB expressions: six fields, second minute hour day month weekday, in UTC."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import product

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (("second", 0, 59), ("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 6))
_HORIZON = timedelta(days=366 * 9)  # the 29th of February may be eight years away


@dataclass(frozen=True)
class Schedule:
    """The moments at which all six fields match; unlike in Unix, day and weekday must both match."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]

    def after(self, moment: datetime) -> datetime:
        """The first occurrence later than a moment; ValueError if there is none, as on the 31st of June."""
        day, last = moment.astimezone(UTC).date(), moment.astimezone(UTC).date() + _HORIZON
        while day < last:
            if day.day in self.days and day.month in self.months and day.isoweekday() % 7 in self.weekdays:
                for occurrence in self._of(day):
                    if occurrence > moment:
                        return occurrence
            day += timedelta(days=1)
        raise ValueError("the schedule never occurs")

    def _of(self, day: date) -> Iterator[datetime]:
        for hour, minute, second in product(self.hours, self.minutes, self.seconds):
            yield datetime.combine(day, time(hour, minute, second), UTC)


def parse(expression: str) -> Schedule:
    """Reads an NCRONTAB expression; five fields mean second 0. ValueError says which field is wrong."""
    fields = expression.split()
    if len(fields) == 5:
        fields.insert(0, "0")
    if len(fields) != 6:
        raise ValueError(
            f"schedule {expression!r} has {len(fields)} fields, not six (second minute hour day month weekday)"
        )
    return Schedule(*(_field(text, *field) for text, field in zip(fields, _FIELDS, strict=True)))


def _field(text: str, name: str, low: int, high: int) -> tuple[int, ...]:
    """One field: a list of `*`, `a`, `a-b`, each with an optional `/step`."""
    values: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        try:
            start = low if span == "*" else _number(first, name)
            stop = _number(last, name) if dash else high if span == "*" or step else start
            every = int(step) if "/" in part else 1
        except ValueError as error:
            raise ValueError(f"the {name} field {text!r} of a schedule: {error}") from None
        if not low <= start <= stop <= high or every < 1:
            raise ValueError(f"the {name} field {text!r} of a schedule is not within {low}-{high}")
        values.update(range(start, stop + 1, every))
    return tuple(sorted(values))


def _number(text: str, name: str) -> int:
    names = {"month": _MONTHS, "weekday": _DAYS}.get(name, ())
    if text[:3].lower() in names:
        return names.index(text[:3].lower()) + (1 if name == "month" else 0)
    return int(text)
