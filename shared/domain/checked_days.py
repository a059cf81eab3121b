"""Checked days: up to which day a template's scores were found to be what they rest on, and what that was."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from shared.domain.tsd import ONE_DAY

LENGTH = 4  # characters of a mark
UNKNOWN = "." * LENGTH  # of a day that was not checked


@dataclass(frozen=True)
class CheckedDays:
    """A mark for each day from ``first`` on: a digest of what its scores rested on when they were found right."""

    first: date
    marks: str

    @classmethod
    def of(cls, marks: Mapping[date, str]) -> "CheckedDays | None":
        """Return these marks; None where there are none. Days between them that have none are not checked."""
        if not marks:
            return None
        first, last = min(marks), max(marks)
        span = (first + offset * ONE_DAY for offset in range((last - first).days + 1))
        return cls(first, "".join(marks.get(day, UNKNOWN) for day in span))

    def before(self, day: date) -> "CheckedDays":
        """Return what is said of the days before that one."""
        return CheckedDays(self.first, self.marks[: LENGTH * max((day - self.first).days, 0)])

    def by_day(self) -> dict[date, str]:
        """Return the mark of each day that was checked."""
        count = len(self.marks) // LENGTH
        found = {self.first + number * ONE_DAY: self.marks[number * LENGTH :][:LENGTH] for number in range(count)}
        return {day: mark for day, mark in found.items() if mark != UNKNOWN}
