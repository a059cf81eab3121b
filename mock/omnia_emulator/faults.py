"""What can go wrong with the real API, on purpose: chosen on the command line or by ``POST /faults``."""

import fnmatch
import threading
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import AwareDatetime, Field

from omnia_emulator.series import Samples, Series, instant
from shared.domain.validation import Model


class Chance(Model):
    """Strikes the next ``count`` requests for sure, and others with ``probability``."""

    probability: float = Field(default=0, ge=0, le=1)
    count: int = Field(default=0, ge=0)


class Throttle(Chance):
    """Answers 429 with Retry-After as given: seconds or an HTTP date."""

    retry_after: str | int = 1


class Slow(Chance):
    """Answers after that many seconds."""

    seconds: float = Field(default=2, ge=0, le=3600)


class Repeat(Model):
    """Gives that share of an answer's datapoints twice, the second time at the end and so out of order."""

    share: float = Field(default=0, ge=0, le=1)


class Late(Model):
    """Shows each sample only when it is ``minutes`` old, and a share of them only at ``share_minutes``."""

    minutes: float = Field(default=0, ge=0)
    share: float = Field(default=0, ge=0, le=1)
    share_minutes: float = Field(default=0, ge=0)


class Change(Model):
    """What happens to the samples of the series whose tags match ``tags`` (``*`` stands for any characters).

    Samples in [start, end) are hidden for good ("deleted"), or until ``at`` ("silent": nothing comes, and then
    everything is there; "corrected": they read ``value`` until then).
    """

    tags: str = "*"
    kind: Literal["deleted", "silent", "corrected"]
    start: AwareDatetime
    end: AwareDatetime
    at: AwareDatetime | None = None  # None: from the first on (deleted), or for good
    value: float = 0


class OddSeries(Model):
    """What is wrong with the series whose tags match ``tags``, as OMNIA describes and answers them."""

    tags: str
    kind: Literal["anew", "gone", "twice", "unreadable", "refused", "hanging"]


class Units(Model):
    """In which unit the series of matching tags are said to be: their samples are not converted."""

    tags: str
    unit: str


class FaultPlan(Model):
    """All faults; what is not named does not happen."""

    throttle: Throttle = Throttle()
    error: Chance = Chance()  # 500
    slow: Slow = Slow()
    cut: Chance = Chance()  # the connection ends in the middle of the body
    malformed: Chance = Chance()  # the body is not JSON
    repeat: Repeat = Repeat()
    late: Late = Late()
    changes: tuple[Change, ...] = ()
    odd: tuple[OddSeries, ...] = ()
    units: tuple[Units, ...] = ()


class Faults:
    """The plan in force and its seeded dice, safe for the server's threads."""

    def __init__(self, plan: FaultPlan | None = None, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._dice = np.random.default_rng(seed)
        self._seed = seed
        self._left: dict[str, int] = {}
        self.plan = FaultPlan()
        self.set(plan or FaultPlan())

    def set(self, plan: FaultPlan) -> None:
        """Put another plan in force."""
        with self._lock:
            self.plan = plan
            self._left = {kind: chance.count for kind, chance in plan if isinstance(chance, Chance)}

    def strikes(self, kind: str) -> bool:
        """Return whether that fault befalls the request at hand."""
        chance: Chance = getattr(self.plan, kind)
        with self._lock:
            if self._left[kind] > 0:
                self._left[kind] -= 1
                return True
            return bool(chance.probability > 0 and self._dice.random() < chance.probability)

    def repeated(self, datapoints: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the datapoints with some of them once more at the end."""
        share = self.plan.repeat.share
        if share == 0 or not datapoints:
            return datapoints
        with self._lock:
            again = np.flatnonzero(self._dice.random(len(datapoints)) < share)
        return datapoints + [datapoints[index] for index in again]

    def is_odd(self, series: Series, kind: str) -> bool:
        """Return whether that is wrong with the series."""
        return any(one.kind == kind and fnmatch.fnmatchcase(series.name, one.tags) for one in self.plan.odd)

    def known(self, every: Iterable[Series]) -> Iterator[Series]:
        """Yield the series as they are by now: gone, made anew under another id, there twice, in another unit."""
        for one in every:
            if self.is_odd(one, "gone"):
                continue
            for unit in self.plan.units:
                if fnmatch.fnmatchcase(one.name, unit.tags):
                    one = replace(one, unit=unit.unit)  # noqa: PLW2901 (the series as it is said to be)
            if self.is_odd(one, "anew"):
                yield replace(one, generation=1)
            else:
                yield one
            if self.is_odd(one, "twice"):
                yield replace(one, generation=2)

    def changed(self, series: Series, samples: Samples, now: np.datetime64) -> Samples:
        """Return the samples as they are by now, after all that happens to them."""
        for one in self.plan.changes:
            if not fnmatch.fnmatchcase(series.name, one.tags):
                continue
            mended = one.at is not None and now >= instant(one.at)
            within = (samples.times >= instant(one.start)) & (samples.times < instant(one.end))
            if one.kind == "corrected" and not mended:
                samples = Samples(samples.times, np.where(within, one.value, samples.values), samples.statuses)
            elif (one.kind == "deleted" and (one.at is None or mended)) or (one.kind == "silent" and not mended):
                samples = samples.where(~within)
        return samples

    def arrived(self, series: Series, samples: Samples, now: np.datetime64) -> Samples:
        """Return the samples that have arrived by now; which of them are late depends on series and time."""
        samples = self.changed(series, samples, now)
        late = self.plan.late
        age = now - samples.times
        shown = age >= np.timedelta64(timedelta(minutes=late.minutes))
        if late.share > 0:
            slow = _shares(self._seed, series.id, samples.times) < late.share
            shown &= ~slow | (age >= np.timedelta64(timedelta(minutes=late.share_minutes)))
        return samples.where(shown)


def _shares(seed: int, name: str, times: npt.NDArray[np.datetime64]) -> npt.NDArray[np.float64]:
    """Return a number in [0, 1) for each time, always the same for the same seed, name and time (splitmix64)."""
    with np.errstate(over="ignore"):
        state = times.astype("datetime64[us]").astype(np.int64).astype(np.uint64)
        state += np.uint64(zlib.crc32(f"{seed}/{name}".encode())) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    return (state >> np.uint64(11)).astype(np.float64) / 2.0**53
