"""Deviations: how far each sample strays from its sensor's leak-free baseline."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from hashlib import blake2b
from math import isnan
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import AwareDatetime, BeforeValidator, PlainSerializer

from shared.arrays import ComplexFloats, Floats, Levels, Scores, Times
from shared.domain.tsd import ONE_DAY, SLOTS, grid
from shared.domain.validation import Model


class Level(IntEnum):
    """The level of one sample; Undefined while learning or where data are missing."""

    UNDEFINED = -1
    OK = 0
    WARNING = 1
    CRITICAL = 2

    @property
    def word(self) -> str:
        """The level as people read it."""
        return self.name.capitalize()

    @classmethod
    def of(cls, value: Any) -> "Level":
        """Return the level of that word, or the level itself; raises ValueError."""
        words = {level.word: level for level in cls}
        return words[value] if value in words else cls(value)


def worst(levels: Iterable[Level]) -> Level:
    """Return the worst level of several; Ok only where all are, and there is one."""
    found = set(levels)
    return Level.UNDEFINED if not found or found == {Level.OK, Level.UNDEFINED} else max(found)


class Latest(Model):
    """A sensor's newest sample: what it said in the bucket ``at``, and since when its level is what it is.

    ``since`` is the start of the run of that level, however long it is: it ends where a bucket has another level, or
    nothing is known of one. ``channel`` and ``raw`` say what the level rests on; where an older release wrote it, they
    are not known.
    """

    at: AwareDatetime
    level: Annotated[Level, BeforeValidator(Level.of), PlainSerializer(lambda level: level.word, return_type=str)]
    score: float | None = None  # None: Undefined
    ppmv: float | None = None  # None: nothing usable came
    fault: int = 0  # shared.detection's Fault; 0: the sensor is well
    since: AwareDatetime
    channel: int = -1  # shared.detection's Channel, of what spoke in raw; -1: none
    raw: float | None = None  # score before the latch


class Carry(NamedTuple):
    """What a bucket hands on to the next one: the latch's state, the fault, and the version that they come from."""

    latch: tuple[float, float, float, float]
    fault: int
    baseline: str


class Readings(NamedTuple):
    """What a day is scored from: a sensor's readings [n] [ppmv] and the currents [n], NaN where there is none.

    Currents are east + i north in m/s, as exact as a row stores them (complex64).
    """

    ppmv: Floats
    currents: ComplexFloats


def no_currents(slots: int) -> ComplexFloats:
    """Return currents [slots] of which nothing is known."""
    return np.full(slots, complex(np.nan, np.nan))


class Context(NamedTuple):
    """Fingerprints of the readings and currents of the two days before one, as that one was scored from them.

    Empty: they made no difference, or an older release did not record them.
    """

    yesterday: str = ""
    day_before: str = ""


NOT_RECORDED = Context()


def fingerprint(readings: Readings | None) -> str:
    """Return what names a day's readings and currents, each [144]; None: nothing is known of it."""
    if readings is None:
        return "none"
    named = blake2b(readings.ppmv.astype("<f8").tobytes(), digest_size=8)
    if not np.isnan(readings.currents).all():
        named.update(readings.currents.astype("<c8").tobytes())
    return named.hexdigest()


def agree(recorded: str, now: str) -> bool:
    """Return whether a day may rest on readings with that fingerprint; where one is not recorded, it may."""
    return recorded in ("", now) or not now


@dataclass(frozen=True, eq=False)
class DeviationDay:
    """One sensor's scored day: what is known of its first n closed buckets, arrays [n].

    ppmv: NaN where missing, inf where only bad values came; score and raw (before the latch): NaN for Undefined;
    channel: what spoke in raw, a number of ``Channel``; away: 1 while the current carries a leak's methane elsewhere,
    -1 while it carries it here; fault: 0 where the sensor is well; currents: east + i north in m/s, NaN where none are
    known. ``before`` is what the day before handed on, ``carry`` what this one does;
    ``context`` names the earlier readings that the scores rest on.
    """

    sensor: str
    day: date
    engine: str  # detection engine that scored it
    baseline: str  # version that scored it; empty while learning
    ppmv: Floats
    score: Scores
    level: Levels
    raw: Scores
    channel: Levels
    away: Levels
    fault: Levels
    currents: ComplexFloats
    before: Carry | None
    carry: Carry
    bad: str = ""  # buckets with bad samples by reason, as people read it
    context: Context = NOT_RECORDED
    told: tuple[str, ...] | None = None  # names of the events that stand for it; None: nobody recorded them

    @property
    def fingerprint(self) -> str:
        """What names the readings that the day was scored from."""
        return fingerprint(None if self.is_empty else self.readings)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of the day any more: it is then as if it had never been there."""
        return not self.level.size

    @property
    def readings(self) -> Readings:
        """The readings and currents of the whole day [144], NaN where nothing is known yet."""
        rest = SLOTS - self.ppmv.size
        return Readings(
            np.concatenate((self.ppmv, np.full(rest, np.nan))), np.concatenate((self.currents, no_currents(rest)))
        )

    @property
    def times(self) -> Times:
        """The buckets' starts [n]."""
        return grid(self.day, self.level.size)

    @property
    def handed_on(self) -> Carry | None:
        """What the next day is handed; nothing of a day that was emptied."""
        return None if self.is_empty else self.carry

    def rests_on(self, earlier: date) -> str:
        """Return the fingerprint of the readings of an earlier day that it rests on; empty where it names none."""
        names = {self.day - ONE_DAY: self.context.yesterday, self.day - 2 * ONE_DAY: self.context.day_before}
        return names.get(earlier, "")

    def count(self, level: Level) -> int:
        """Return how many samples have that level."""
        return int(np.count_nonzero(self.level == level))

    def last_level(self) -> Level:
        """Return the newest sample's level; Undefined when there is no sample."""
        return Level(int(self.level[-1])) if self.level.size else Level.UNDEFINED

    def same_as(self, other: "DeviationDay | None") -> bool:
        """Return whether both say the same to the last bit, whatever people were told of it."""
        return (
            other is not None
            and (self.sensor, self.day, self.engine, self.baseline, self.bad, self.context)
            == (other.sensor, other.day, other.engine, other.baseline, other.bad, other.context)
            and same_carry(self.before, other.before)
            and same_carry(self.carry, other.carry)
            and all(getattr(self, name).tobytes() == getattr(other, name).tobytes() for name in DAY_ARRAYS)
        )


DAY_ARRAYS = ("ppmv", "score", "level", "raw", "channel", "away", "fault", "currents")  # of a scored day, each [n]


def same_carry(one: Carry | None, other: Carry | None) -> bool:
    """Return whether both hand on the same, as numbers, whatever their type (NaN is NaN)."""
    if one is None or other is None:
        return one is other
    pairs = zip(one.latch, other.latch, strict=True)
    return one[1:] == other[1:] and all(a == b or (isnan(a) and isnan(b)) for a, b in pairs)
