"""What is played: templates of recorded sensors, without a leak or with one of the family of truths.

A template has the sensors of Snorre that were recorded at the same time, or four whose stretches are put together. Its
currents are those of another time: a background's own ones are not recorded. Blocks of ten days belong to one of two
halves, by turns, and a template's are all of one: what is chosen on one half is judged on the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from bench.chain.watch import Series
from bench.detection.channel_figures import adjusted
from bench.detection.currents import Currents, currents_of, metered
from bench.detection.folds import CONTEXT, DAY
from bench.detection.recorded_series import read_folder
from bench.detection.scales import peaks_in, without
from bench.estimation import family, sites
from bench.estimation.backgrounds import BEFORE, BLOCK, LEAST_PRESENT, Backgrounds, Block
from bench.estimation.clouds import cloud_readings
from bench.estimation.leak import TrueLeak, known_or_anywhere, log_uniform
from bench.estimation.scenarios import FAMILY_RATES, LEAST_PPMV
from bench.estimation.sea_states import SeaStates, recorded
from shared.arrays import Floats, Indices, Times
from shared.detection import Baseline
from shared.detection.baseline import MONTH_BINS
from shared.detection.channels import SCALES, thresholds
from shared.domain.environment import Environment
from shared.domain.template import Template
from shared.errors import InvalidInput
from shared.estimation import EstimationOptions

WATCHED = 3 * DAY  # after a leak's onset
STRETCH = CONTEXT + WATCHED
SENSORS = 4  # of a whole template
LEAST_TOGETHER = 2
HALVES = (0, 1)
SCALES_SEED = 1  # of the moments of the currents under what scales are measured on


@dataclass(frozen=True)
class Files:
    """Where recorded series and currents are; without a record of currents a tide stands in."""

    readings: Path
    currents: Path | None = None


@dataclass(frozen=True, eq=False)
class World:
    """The backgrounds, the currents, and each block's baseline with the thresholds that other sensors measure."""

    backgrounds: Backgrounds
    seas: SeaStates
    baselines: Mapping[Block, Baseline]

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks of which most is there, with a stretch of a leak."""
        return tuple(one for one in self.backgrounds.blocks if present(one) >= LEAST_PRESENT and starts([one]).size)

    @cached_property
    def together(self) -> tuple[tuple[Block, ...], ...]:
        """The blocks of sensors that were recorded at the same time, as many as a template has at most."""
        by_days = self.backgrounds.by_days.values()
        found = [tuple(one for one in blocks if one in self.blocks)[:SENSORS] for blocks in by_days]
        return tuple(blocks for blocks in found if len(blocks) >= LEAST_TOGETHER and starts(blocks).size)


@cache
def world_of(files: Files) -> World:
    """Return what files hold, read once a process; raises InvalidInput or OSError."""
    seas = recorded(files.currents, CONTEXT + BLOCK) if files.currents else SeaStates()
    found = read_folder(files.readings)
    backgrounds = Backgrounds.of(found.series, BEFORE)
    world = World(backgrounds, seas, _baselines(backgrounds, currents_of(found.currents)))
    for half in HALVES:
        if sum(half_of(one) == half for one in world.blocks) < SENSORS:
            raise InvalidInput(f"{files.readings} holds too few blocks of ten days to judge on some by others")
    return world


def _baselines(backgrounds: Backgrounds, currents: Currents) -> dict[Block, Baseline]:
    """Return each block's baseline; where the other sensors hold too little, the thresholds are as they are set."""
    peaks = [peaks_in(one, currents, SCALES_SEED) for one in backgrounds.blocks]
    scales = {sensor: without(peaks, sensor) or SCALES for sensor in backgrounds.by_sensor}
    return {
        one: adjusted(one.baseline, thresholds(one.baseline.rates, one.baseline.months, scales[one.sensor]))
        for one in backgrounds.blocks
    }


@dataclass(frozen=True)
class Task:
    """What to play, by numbers of blocks among the world's; of a leak, None for the template of each half and kind."""

    files: Files
    seed: int
    number: int
    leak: bool
    together: bool
    half: int
    blocks: tuple[int, ...] = ()  # of a template without a leak


@dataclass(frozen=True, eq=False)
class Leaking:
    """A leak that begins at bin CONTEXT, and the sea that carries it."""

    leak: TrueLeak
    sea: Environment
    truth: family.Truth
    seed: int

    def signal(self, series: Series) -> Floats:
        """Return what it adds to the readings of a series [sensors, n]."""
        found, leak, rng = np.zeros_like(series.ppmv), self.leak, np.random.default_rng(self.seed)
        found[:, CONTEXT:] = cloud_readings(
            series.template, self.sea, leak.place, leak.rate_kg_s, leak.moment, series.times[CONTEXT:], self.truth, rng
        )
        return found


@dataclass(frozen=True, eq=False)
class Played:
    """A template's readings without a leak, the blocks behind them, and the leak to add, if any."""

    without: Series
    blocks: tuple[Block, ...]
    leaking: Leaking | None


def half_of(block: Block) -> int:
    """Return which half a block belongs to."""
    return block.days[1] % len(HALVES)


def present(block: Block) -> float:
    """Return how much of a block was read."""
    return float(np.isfinite(block.ppmv[CONTEXT:]).mean())


def starts(blocks: Sequence[Block]) -> Indices:
    """Return the bins from which on all of the blocks hold a stretch for a leak."""
    whole = np.all([block.whole for block in blocks], axis=0)
    return np.flatnonzero(whole[: BLOCK - WATCHED])


def leaks_of(files: Files, seed: int, count: int) -> list[Task]:
    """Return leaks, by turns of both halves, and of both kinds of template where sensors were recorded together."""
    kinds = [bool(any(half_of(one[0]) == half for one in world_of(files).together)) for half in HALVES]
    return [
        Task(files, seed, k, leak=True, together=kinds[k % 2] and k // 2 % 2 == 0, half=k % 2) for k in range(count)
    ]


def quiet_of(files: Files, seed: int, months: float) -> list[Task]:
    """Return templates without a leak of so many months in all: all that were recorded together, then others.

    Those are put together so that every block is used as often as every other, as far as it goes.
    """
    world = world_of(files)
    places = {id(block): k for k, block in enumerate(world.blocks)}
    chosen = [(True, tuple(places[id(one)] for one in blocks)) for blocks in world.together]
    order = _in_turn(world, np.random.default_rng(seed))
    while len(chosen) * BLOCK < months * MONTH_BINS:
        chosen.append((False, next(order)))
    return [
        Task(files, seed, k, leak=False, together=together, half=half_of(world.blocks[blocks[0]]), blocks=blocks)
        for k, (together, blocks) in enumerate(chosen)
    ]


def _in_turn(world: World, rng: np.random.Generator) -> Iterator[tuple[int, ...]]:
    while True:
        piles = [[k for k, one in enumerate(world.blocks) if half_of(one) == half] for half in HALVES]
        piles = [rng.permutation(pile).tolist() for pile in piles]
        for first in range(0, max(map(len, piles)) - SENSORS + 1, SENSORS):
            for pile in piles:
                if first + SENSORS <= len(pile):
                    yield tuple(pile[first : first + SENSORS])


def drawn(task: Task, attempt: int) -> Played:
    """Return what a task plays; another attempt draws anew."""
    world = world_of(task.files)
    rng = np.random.default_rng([task.seed, task.number, int(task.leak), attempt])
    if not task.leak:
        blocks = tuple(world.blocks[k] for k in task.blocks)
        return _without_leak(world, blocks, rng)
    blocks, firsts = _stretches(world, task, rng)
    template = _template(len(blocks), rng)
    sea, times = world.seas.drawn(STRETCH, rng)
    truth = family.drawn(rng)
    place = known_or_anywhere(template, EstimationOptions().known_point_weight, rng)
    leak = TrueLeak(place, log_uniform(*FAMILY_RATES, rng), float(times[CONTEXT].astype(np.int64)))
    told = metered(sea, rng, truth.speed_error, truth.direction_error_deg)
    ppmv = np.stack([one.ppmv[first : first + STRETCH] for one, first in zip(blocks, firsts, strict=True)])
    without = _series(world, template, blocks, times, ppmv, told)
    return Played(without, blocks, Leaking(leak, sea, truth, int(rng.integers(2**63))))


def _without_leak(world: World, blocks: tuple[Block, ...], rng: np.random.Generator) -> Played:
    sea, times = world.seas.drawn(CONTEXT + BLOCK, rng)
    truth = family.drawn(rng)
    told = metered(sea, rng, truth.speed_error, truth.direction_error_deg)
    ppmv = np.stack([one.ppmv for one in blocks])
    return Played(_series(world, _template(len(blocks), rng), blocks, times, ppmv, told), blocks, None)


def _stretches(world: World, task: Task, rng: np.random.Generator) -> tuple[tuple[Block, ...], list[int]]:
    """Return the blocks of a template with a leak, and the bin of each at which its stretch begins."""
    if task.together:
        same = [blocks for blocks in world.together if half_of(blocks[0]) == task.half]
        blocks = same[int(rng.integers(len(same)))]
        first = int(rng.choice(starts(blocks)))
        return blocks, [first] * len(blocks)
    mine = [one for one in world.blocks if half_of(one) == task.half]
    blocks = tuple(mine[k] for k in rng.choice(len(mine), SENSORS, replace=False))
    return blocks, [int(rng.choice(starts([one]))) for one in blocks]


def _template(sensors: int, rng: np.random.Generator) -> Template:
    """Return an open template with a random heading and so many of its sensors."""
    template = sites.drawn("open", rng)
    chosen = sorted(rng.permutation(len(template.sensors))[:sensors].tolist())
    return template.model_copy(update={"sensors": tuple(template.sensors[k] for k in chosen)})


def _series(
    world: World, template: Template, blocks: Sequence[Block], times: Times, ppmv: Floats, told: Environment
) -> Series:
    baselines = [world.baselines[one] for one in blocks]
    return Series(template, baselines, times, np.maximum(ppmv, LEAST_PPMV), told)
