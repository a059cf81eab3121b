"""Time series data on the 10-minute grid, and the day document that the lake keeps of one template.

A bucket is named by its start; it is closed when its end has passed. A day has 144 buckets (slots 0 to 143).
Bad values are kept beside the good ones, marked with a reason, so that they can be counted and never scored.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple, Self

import numpy as np
from pydantic import AwareDatetime, Field, model_validator

from shared.arrays import BUCKET_S, BUCKET_STEP, Floats, Times
from shared.domain.template import PLATFORM_PATTERN, Sensor
from shared.domain.validation import StoredModel, parse_stored
from shared.errors import CorruptBlob, InvalidInput
from shared.schemas import CURRENT, SCHEMA, Stored

BUCKET = timedelta(seconds=BUCKET_S)
ONE_DAY = timedelta(days=1)
SLOTS = 144
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)

BadReason = Literal["bad_status", "not_finite", "out_of_range"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the source says of one bucket: mean of the good samples, their count, and how many were bad."""

    time: datetime
    value: float | None
    count: int
    bad_count: int = 0


@dataclass(frozen=True, slots=True)
class PlausibleRange:
    """Values outside [low, high] are sentinels or faults, never measurements."""

    low: float
    high: float


class BadBucket(StoredModel):
    """Bad samples of a bucket: why, what was delivered (as text: JSON has no inf), how many.

    Samples of bad status may stand beside good ones, whose mean the bucket keeps; otherwise it has no value.
    """

    reason: BadReason
    value: str
    count: int = Field(ge=0)


class News(NamedTuple):
    """How many samples are new or other than before, and how many of those are bad."""

    samples: int
    bad: int


class SeriesDay(StoredModel):
    """One series' day: 144 values (None: nothing usable), their sample counts, and the bad samples by slot.

    ``until`` is the end of what was asked for so far: an empty slot before it is missing, one after it unknown.
    """

    tag: str
    unit: str
    until: AwareDatetime
    values: tuple[float | None, ...] = (None,) * SLOTS
    counts: tuple[int, ...] = (0,) * SLOTS
    bad: dict[int, BadBucket] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _full_day(self) -> Self:
        if len(self.values) != SLOTS or len(self.counts) != SLOTS:
            raise ValueError(f"values and counts must have {SLOTS} slots, not {len(self.values)}, {len(self.counts)}")
        if any(value is not None and not math.isfinite(value) for value in self.values):
            raise ValueError("values must be finite or null")
        if not EARLIEST <= self.until <= LATEST:
            raise ValueError(f"until must be between {EARLIEST.year} and {LATEST.year}, not {self.until}")
        if any(not 0 <= slot < SLOTS for slot in self.bad):
            raise ValueError(f"bad slots must be in [0, {SLOTS - 1}]")
        return self

    def closed_slots(self, day: date) -> int:
        """Return how many buckets of the day are known: closed and asked for."""
        until = utc(self.until)
        if until >= start_of(day) + ONE_DAY:
            return SLOTS
        return slot_of(until) if until.date() == day else 0

    def last_sample(self, day: date) -> datetime | None:
        """Return the bucket of the day's newest usable value; None where there is none."""
        slots = (slot for slot in reversed(range(SLOTS)) if self.values[slot] is not None)
        last = next(slots, None)
        return None if last is None else start_of(day) + last * BUCKET

    def news(self, before: Self | None) -> News:
        """Return what this day says that the one before did not."""
        bad = {slot for slot, one in self.bad.items() if before is None or before.bad.get(slot) != one}
        mine = zip(self.values, self.counts, strict=True)
        theirs = [(None, 0)] * SLOTS if before is None else zip(before.values, before.counts, strict=True)
        other = {slot for slot, (new, old) in enumerate(zip(mine, theirs, strict=True)) if new != old}
        return News(len(other | bad), len(bad))

    def first_change(self, before: Self | None) -> int | None:
        """Return the first slot of which this day says something else than the one before; None where there is none."""
        held = type(self)(tag=self.tag, unit=self.unit, until=self.until) if before is None else before
        differ = (
            slot
            for slot in range(SLOTS)
            if (self.values[slot], self.counts[slot], self.bad.get(slot))
            != (held.values[slot], held.counts[slot], held.bad.get(slot))
        )
        return next(differ, None)

    def array(self) -> Floats:
        """Return the day's usable values [144], NaN where there is none."""
        return np.array([np.nan if value is None else value for value in self.values], dtype=np.float64)

    def readings(self) -> Floats:
        """Return the day's values [144]: NaN where there is none, inf where only bad ones came."""
        values = self.array()
        values[[slot for slot in self.bad if self.values[slot] is None]] = np.inf
        return values

    def merged(
        self,
        readings: Iterable[Reading],
        until: datetime,
        plausible: PlausibleRange,
        emptied: Iterable[int] = (),
    ) -> Self:
        """Return this day with the readings put in; a later reading of a bucket replaces the earlier one.

        ``emptied`` are the slots that hold nothing but what the readings say of them.
        """
        values, counts, bad = list(self.values), list(self.counts), dict(self.bad)
        for slot in emptied:
            values[slot], counts[slot] = None, 0
            bad.pop(slot, None)
        for reading in readings:
            slot = slot_of(reading.time)
            fault = _fault(reading, plausible)
            usable = fault is None or fault.reason == "bad_status"
            values[slot] = reading.value if usable and reading.count else None
            counts[slot] = reading.count if usable else 0
            bad.pop(slot, None)
            if fault is not None:
                bad[slot] = fault
        return self.model_copy(
            update={
                "values": tuple(values),
                "counts": tuple(counts),
                "bad": dict(sorted(bad.items())),
                "until": max(self.until, until),
            }
        )


def values_of(series: SeriesDay | None) -> Floats:
    """Return the usable values [144] of a day's series, NaN where there is none."""
    return np.full(SLOTS, np.nan) if series is None else series.array()


def _fault(reading: Reading, plausible: PlausibleRange) -> BadBucket | None:
    value = reading.value
    if reading.count > 0 and value is not None:
        if not math.isfinite(value):
            return BadBucket(reason="not_finite", value=str(value), count=reading.count)
        if not plausible.low <= value <= plausible.high:
            return BadBucket(reason="out_of_range", value=repr(value), count=reading.count)
    if reading.bad_count > 0:
        return BadBucket(reason="bad_status", value="", count=reading.bad_count)
    return None


class TemplateDay(StoredModel):
    """All sensor and environment series of one template and UTC day: the lake's unit of storage."""

    schema_number: int = Field(default=CURRENT[Stored.DAY], alias=SCHEMA)
    platform: str = Field(pattern=PLATFORM_PATTERN)
    template: str
    day: date
    sensors: dict[str, SeriesDay] = Field(default_factory=dict)
    environment: dict[str, SeriesDay] = Field(default_factory=dict)

    def series_of(self, sensor: Sensor) -> SeriesDay | None:
        """Return the sensor's series; None where there is none of its tag.

        Readings belong to their tag: those of a sensor that had the same id and read another series are not this one's.
        """
        series = self.sensors.get(sensor.id)
        return series if series is not None and series.tag == sensor.tag else None

    def sea_of(self, quantity: str, tag: str, unit: str) -> SeriesDay | None:
        """Return the environment's series; None where there is none of that tag in that unit."""
        series = self.environment.get(quantity)
        return series if series is not None and (series.tag, series.unit) == (tag, unit) else None

    def to_json(self) -> bytes:
        """Return the canonical JSON: same content, same bytes."""
        return self.model_dump_json(by_alias=True).encode()

    @classmethod
    def from_json(cls, data: bytes, name: str) -> Self:
        """Read a day document; raise CorruptBlob that names the blob and what is wrong with it, or NewerSchema."""
        try:
            return parse_stored(Stored.DAY, cls, data, f"day blob {name}")
        except InvalidInput as error:
            raise CorruptBlob(str(error)) from error


def utc(moment: datetime) -> datetime:
    """Return the moment in UTC; raise InvalidInput for a naive time, which could mean any zone."""
    if moment.tzinfo is None:
        raise InvalidInput(f"time {moment.isoformat()} has no time zone")
    return moment.astimezone(UTC)


def floor_to_bucket(moment: datetime) -> datetime:
    """Return the start of the bucket that holds the moment."""
    moment = utc(moment)
    return moment - timedelta(minutes=moment.minute % 10, seconds=moment.second, microseconds=moment.microsecond)


def slot_of(moment: datetime) -> int:
    """Return the slot [0, 143] of the moment's bucket in its UTC day."""
    moment = utc(moment)
    return moment.hour * 6 + moment.minute // 10


def start_of(day: date) -> datetime:
    """Return midnight UTC at the day's start."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def runs_of(days: Iterable[date], at_most: int | None = None) -> list[tuple[date, date]]:
    """Return days as runs of consecutive ones (first, last), in order; none longer than so many days."""
    runs: list[tuple[date, date]] = []
    for day in sorted(days):
        if runs and day - runs[-1][1] == ONE_DAY and (at_most is None or (day - runs[-1][0]).days < at_most):
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def days_between(start: datetime, end: datetime) -> list[date]:
    """Return the UTC days that [start, end) touches, in order."""
    first, last = utc(start).date(), utc(end - timedelta(microseconds=1)).date()
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def by_day(readings: Iterable[Reading]) -> Mapping[date, list[Reading]]:
    """Return the readings grouped by UTC day."""
    days: dict[date, list[Reading]] = {}
    for reading in readings:
        days.setdefault(utc(reading.time).date(), []).append(reading)
    return days


def grid(day: date, slots: int = SLOTS) -> Times:
    """Return the day's first bucket starts as datetime64[s], shape [slots]."""
    return np.datetime64(day, "s") + np.arange(slots) * BUCKET_STEP


def to_datetime64(moment: datetime) -> np.datetime64:
    """Return the moment as a UTC datetime64[s]."""
    return np.datetime64(utc(moment).replace(tzinfo=None), "s")


def to_datetime(moment: np.datetime64) -> datetime:
    """Return a UTC datetime64 as an aware datetime."""
    return datetime.fromtimestamp(int(moment.astype("datetime64[s]").astype(np.int64)), UTC)


def iso(moment: datetime) -> str:
    """Return the moment as ISO 8601 in UTC with a Z, to the second: sorts as text."""
    return utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")
