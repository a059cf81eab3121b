"""What people say of baselines: marks on ranges of readings, marks withdrawn, and baseline changes undone."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple, Self

import numpy as np
from pydantic import AwareDatetime, Field, model_validator

from shared.domain.deviation import DeviationDay, Level
from shared.domain.template import SENSOR_PATTERN
from shared.domain.tsd import floor_to_bucket, iso, to_datetime64
from shared.domain.validation import Model

GivenVerdict = Literal["no_leak", "leak"]  # what a person may say of a range
MarkVerdict = Literal[GivenVerdict, "planned"]  # planned: what a planned operation may have disturbed
VERDICT_WORDS: Mapping[MarkVerdict, str] = {"no_leak": "no leak", "leak": "leak", "planned": "planned operation"}
LONGEST = timedelta(days=31)
MOST_MARKS = 300  # of a sensor that count: all of them are in its baseline history, which is one row


class Span(NamedTuple):
    """A time range [start, end) on the 10-minute grid, UTC."""

    start: AwareDatetime
    end: AwareDatetime

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last UTC day that it touches."""
        return self.start.date(), (self.end - timedelta(microseconds=1)).date()


class Effect(Model):
    """What the rows say of a range: samples by level, and the highest score (None: nothing is scored)."""

    ok: int
    warning: int
    critical: int
    undefined: int
    max_score: float | None

    @classmethod
    def of(cls, rows: Iterable[DeviationDay], span: Span) -> Self:
        """Return what a sensor's rows, which hold all days of the range, say of it."""
        start, end = to_datetime64(span.start), to_datetime64(span.end)
        level, score = np.empty(0, np.int8), np.empty(0, np.float32)
        for row in rows:
            inside = (row.times >= start) & (row.times < end)
            level, score = np.append(level, row.level[inside]), np.append(score, row.score[inside])
        known = score[~np.isnan(score)]
        return cls(
            **{one.name.lower(): int(np.count_nonzero(level == one)) for one in Level},
            max_score=round(float(known.max()), 4) if known.size else None,
        )


class Mark(Model):
    """A person's verdict on a range of a sensor's readings, with what the rows said of it before."""

    sensor: str = Field(pattern=SENSOR_PATTERN)
    start: AwareDatetime
    end: AwareDatetime
    verdict: MarkVerdict
    by: str = Field(min_length=1, max_length=100)
    note: str = Field(default="", max_length=1000)
    made: AwareDatetime
    undone: AwareDatetime | None = None  # since when it counts no more
    before: Effect

    @model_validator(mode="after")
    def _a_range(self) -> Self:
        check_range(self.start, self.end)
        return self

    @property
    def span(self) -> Span:
        """The range that is marked."""
        return Span(self.start, self.end)

    @property
    def id(self) -> str:
        """Name of what is marked and how: the same mark again has the same name."""
        text = "|".join((self.sensor, iso(self.start), iso(self.end), self.verdict))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def check_range(start: datetime, end: datetime) -> None:
    """Raise ValueError, naming ``from`` or ``to``, unless [start, end) is a range that may be marked."""
    for name, moment in (("from", start), ("to", end)):
        if floor_to_bucket(moment) != moment:
            raise ValueError(f"{name}: must be a whole multiple of ten minutes, not {moment.isoformat()}")
    if not start < end:
        raise ValueError(f"from: must be before to, not {iso(start)} with to {iso(end)}")
    if end - start > LONGEST:
        raise ValueError(f"to: a mark may span at most {LONGEST.days} days, not {end - start}")


class Withdrawal(Model):
    """A person's wish that a mark counts no more."""

    sensor: str = Field(pattern=SENSOR_PATTERN)
    mark: str  # its id
    made: AwareDatetime


class Undo(Model):
    """A person's wish that a baseline change counts no more, or (``undone`` false) counts again."""

    sensor: str = Field(pattern=SENSOR_PATTERN)
    valid_from: date  # names the change
    undone: bool
    made: AwareDatetime
