"""Many templates in a quiet sea: what the emulator of OMNIA serves of them, and when that was first asked for."""

import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from omnia_emulator.series import Samples, Series, Store, Stored, aggregated, instant
from omnia_emulator.synthetic import synthetic

from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.tsd import start_of
from tests.support.examples import platform, template

BEGUN = datetime(2026, 3, 20, 22, 0, tzinfo=UTC)  # a midnight is among the ticks
HISTORY = timedelta(days=5)  # that is ingested before, from a midnight on: two days to learn from, three to judge by
FIRST = start_of((BEGUN - HISTORY).date())
SENSORS = 4  # of a template
STEP = np.timedelta64(300, "s")
TEN_MINUTES = np.timedelta64(600, "s").astype("timedelta64[us]")
NOISE = 0.04  # of a sensor's level


class Served:
    """Samples in memory, and when the newest of them were asked for first."""

    def __init__(self, kept: Samples) -> None:
        """Hold the samples; nobody has asked yet."""
        self._stored = Stored(kept)
        self._asked: list[tuple[np.datetime64, float]] = []

    def samples(self, start: np.datetime64, end: np.datetime64) -> Samples:
        """Return the samples in [start, end)."""
        found = self._stored.samples(start, end)
        if found.times.size and (not self._asked or found.times[-1] > self._asked[-1][0]):
            self._asked.append((found.times[-1], time.time()))
        return found

    def first_asked(self, moment: np.datetime64) -> float:
        """Return when samples up to a moment were asked for first [s since 1970]; raises LookupError: never."""
        for newest, asked in self._asked:
            if newest >= moment:
                return asked
        raise LookupError(f"nobody asked for {moment}")

    def buckets(self, end: datetime) -> dict[datetime, tuple[float, int]]:
        """Return mean and number of samples of every bucket from the history's first to a moment, by its start."""
        kept = self._stored.kept.between(instant(FIRST), instant(end))
        times, columns = aggregated(kept, kept.times[0], TEN_MINUTES)
        found = zip(columns["avg"].tolist(), columns["count"].tolist(), strict=True)
        return {one.replace(tzinfo=UTC): both for one, both in zip(times.tolist(), found, strict=True)}


@dataclass(frozen=True)
class QuietSea:
    """Platforms, the store that the emulator serves, and each sensor's record."""

    platforms: Sequence[Platform]
    store: Store
    records: Mapping[str, Served]  # by sensor

    @property
    def templates(self) -> list[Template]:
        """All templates of all platforms."""
        return [template for platform in self.platforms for template in platform.templates]


def quiet_sea(templates: int, platforms: int, seed: int, until: datetime, clock: Callable[[], datetime]) -> QuietSea:
    """Return so many templates of four sensors, whose readings are noise around a level of each, up to a moment.

    A baseline of two days knows all that such a sensor can read: what is measured is the way of the data, not alarms.
    """
    names = [f"t{number:03}" for number in range(templates)]
    known = [_platform(number, names[number::platforms]) for number in range(platforms)]
    begin = FIRST - timedelta(days=1)  # nobody sees where it begins
    records: dict[str, Served] = {}
    series: list[Series] = []
    for one in known:
        around = synthetic([one.model_copy(update={"templates": ()})], seed=seed, begin=begin, clock=clock)
        series += around.series.values()
        for sensor in (sensor for of in one.templates for sensor in of.sensors):
            record = Served(_readings(seed, sensor.id, begin, until))
            series.append(Series(sensor.tag, one.facility, "ppmv", record, sensor.id))
            records[sensor.id] = record
    return QuietSea(known, Store.of(series, clock), records)


def _platform(number: int, templates: Sequence[str]) -> Platform:
    name = f"field{number + 1}"
    own = {"id": name, "name": f"Field {number + 1}", "facility": f"F{number + 1}"}
    known = [template(name, slug, SENSORS).model_dump() for slug in templates]
    return Platform.model_validate(platform().model_dump() | own | {"templates": known})


def _readings(seed: int, sensor: str, begin: datetime, until: datetime) -> Samples:
    times = np.arange(instant(begin), instant(until), STEP.astype("timedelta64[us]"))
    dice = np.random.default_rng([seed, zlib.crc32(sensor.encode())])
    level = dice.uniform(8, 30)
    return Samples.of(times, np.round(level * (1 + NOISE * dice.standard_normal(times.size)), 3))
