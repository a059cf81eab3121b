"""Real backgrounds: stretches of recorded series without a leak, each with a baseline of the same sensor's other days.

Series are cut into blocks of ten days, all at the same moments, so that sensors of one field which were recorded at the
same time can be kept together. A block's baseline is what was read around it, as long as estimations alone are judged,
or before it, as an app has it. Known rises are in neither. What reads exactly zero is a dead sensor, and missing.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from bench.detection.folds import CONTEXT, DAY, FLAT_PPMV
from bench.detection.known import in_known_rise
from bench.detection.recorded_series import Recorded
from shared.arrays import BUCKET_S, Flags, Floats, Indices
from shared.detection import Baseline, build_baseline
from shared.errors import InvalidInput
from shared.settings import BaselineSettings

BASELINES = BaselineSettings()
BLOCK = 10 * DAY  # bins
LEAST_HISTORY = BASELINES.min_days * DAY
WATCHED = 2 * DAY  # after the context, of a stretch
STRETCH = CONTEXT + WATCHED
LEAST_PRESENT = 0.8
MOST_DRAWS = 1000


@dataclass(frozen=True)
class Learned:
    """Of what a block's baseline is: so many bins before it and after it, but for those next to it."""

    before: int
    after: int
    apart: int


AROUND = Learned(30 * DAY, 30 * DAY, 3 * DAY)
# An app knows the past alone.
BEFORE = Learned(BASELINES.max_days * DAY, 0, 3 * DAY)


@dataclass(frozen=True, eq=False)
class Block:
    """Ten days of a sensor, ``ppmv`` [CONTEXT + BLOCK] with the context before them, and its ``history`` [any]."""

    sensor: str
    days: tuple[str, int]  # the field, and a number: the same for blocks of sensors that can be kept together
    ppmv: Floats
    history: Floats

    @cached_property
    def baseline(self) -> Baseline:
        """The baseline that the detector has of this sensor; its times are any."""
        return build_baseline(np.datetime64("2020-01-01", "s") + BUCKET_S * np.arange(self.history.size), self.history)

    @cached_property
    def deviation(self) -> float:
        """The history's standard deviation in ppmv."""
        return float(np.nanstd(self.history))

    @cached_property
    def whole(self) -> Flags:
        """Whether enough is known of the stretch from each bin on [BLOCK - WATCHED + 1]."""
        known = np.concatenate([[0], np.cumsum(np.isfinite(self.ppmv))])
        return np.asarray(known[STRETCH:] - known[:-STRETCH] >= LEAST_PRESENT * STRETCH)


@dataclass(frozen=True, eq=False)
class Stretch:
    """Five days of a block from bin ``first`` on."""

    block: Block
    first: int

    @property
    def ppmv(self) -> Floats:
        """What the sensor read [STRETCH], NaN where it did not."""
        return self.block.ppmv[self.first : self.first + STRETCH]


@dataclass(frozen=True, eq=False)
class Backgrounds:
    """The blocks of all recorded series."""

    blocks: Sequence[Block]

    @classmethod
    def of(cls, series: Sequence[Recorded], learned: Learned = AROUND) -> Self:
        """Return the blocks that have a baseline and a whole stretch; raises InvalidInput where none has."""
        found = [block for one in series for block in _blocks_of(one, learned)]
        if not found:
            raise InvalidInput("no series is long enough for a baseline and five other days")
        return cls(found)

    @cached_property
    def by_days(self) -> dict[tuple[str, int], list[Block]]:
        """The blocks of the same days of one field."""
        found: dict[tuple[str, int], list[Block]] = defaultdict(list)
        for block in self.blocks:
            found[block.days].append(block)
        return found

    @cached_property
    def by_sensor(self) -> dict[str, list[Block]]:
        """The blocks of each sensor."""
        found: dict[str, list[Block]] = defaultdict(list)
        for block in self.blocks:
            found[block.sensor].append(block)
        return found

    def drawn(self, count: int, rng: np.random.Generator) -> tuple[Stretch, ...]:
        """Return stretches of so many sensors, in every second draw of the same days as far as there are any."""
        common = [days for days, blocks in self.by_days.items() if len(blocks) >= count]
        if common and rng.random() < 0.5:
            for _ in range(MOST_DRAWS):
                blocks = self.by_days[common[rng.integers(len(common))]]
                chosen = [blocks[k] for k in rng.permutation(len(blocks))[:count]]
                if (starts := _starts(chosen)).size:
                    first = int(rng.choice(starts))
                    return tuple(Stretch(block, first) for block in chosen)
        return self.apart(count, rng)

    def apart(self, count: int, rng: np.random.Generator, without: str = "") -> tuple[Stretch, ...]:
        """Return stretches of so many sensors, each of a moment of its own; ``without`` one sensor."""
        names = [name for name in self.by_sensor if name != without]
        chosen = rng.choice(names, count, replace=len(names) < count)
        return tuple(self._any(self.by_sensor[name], rng) for name in chosen)

    def around(self, stretch: Stretch, count: int, rng: np.random.Generator) -> tuple[Stretch, ...]:
        """Return a stretch among those of other sensors, so many in all: of the same moment as far as there are any."""
        same = [
            Stretch(other, stretch.first)
            for other in self.by_days[stretch.block.days]
            if other is not stretch.block and other.whole[stretch.first]
        ]
        others = [same[k] for k in rng.permutation(len(same))[: count - 1]]
        found = [stretch, *others, *self.apart(count - 1 - len(others), rng, stretch.block.sensor)]
        return tuple(found[k] for k in rng.permutation(count))

    @staticmethod
    def _any(blocks: Sequence[Block], rng: np.random.Generator) -> Stretch:
        block = blocks[int(rng.integers(len(blocks)))]
        return Stretch(block, int(rng.choice(np.flatnonzero(block.whole))))


def _starts(blocks: Sequence[Block]) -> Indices:
    """Return the bins from which on all of the blocks hold a whole stretch."""
    return np.flatnonzero(np.all([block.whole for block in blocks], axis=0))


def _blocks_of(recorded: Recorded, learned: Learned) -> Iterator[Block]:
    times, values = recorded.series.times, recorded.series.ppmv
    ppmv = np.where((values == 0) | in_known_rise(recorded.sensor, times), np.nan, values)
    field = recorded.sensor.split("_")[0]
    bin_of_first = int(times[0].astype(np.int64)) // BUCKET_S
    for number in range(bin_of_first // BLOCK, (bin_of_first + ppmv.size) // BLOCK + 1):
        first = number * BLOCK - bin_of_first
        end = first + BLOCK
        earlier = _span(ppmv, first - learned.apart - learned.before, first - learned.apart)
        later = _span(ppmv, end + learned.apart, end + learned.apart + learned.after)
        readings = _span(ppmv, first - CONTEXT, end)
        block = Block(recorded.sensor, (field, number), readings, np.concatenate([earlier, later]))
        known = np.count_nonzero(np.isfinite(block.history))
        if block.whole.any() and known >= LEAST_HISTORY and block.deviation > FLAT_PPMV:
            yield block


def _span(ppmv: Floats, first: int, end: int) -> Floats:
    """Return the bins [end - first], NaN outside of the series."""
    found = np.full(end - first, np.nan)
    low, high = max(first, 0), min(end, ppmv.size)
    if high > low:
        found[low - first : high - first] = ppmv[low:high]
    return found
