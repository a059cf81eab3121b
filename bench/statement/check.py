"""What was promised of a template against leaks of the family, found or not by the detector in noise like its history.

Every leak has its own truth (``bench.estimation.family``), of which the promise knows nothing but the template, the
currents as the meter tells them, and the sensors' baselines. Its rate is what the map promises at its place, and
smaller and larger ones beside it.
"""

import resource
import time
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bench.detection.currents import metered
from bench.estimation import family, noise, sites
from bench.estimation.box import box_readings
from bench.estimation.clouds import cloud_readings
from bench.estimation.leak import known_or_anywhere
from bench.estimation.sea_states import SeaStates
from shared.arrays import BUCKET_STEP, Floats, Times
from shared.detection import build_baseline, detect
from shared.detection.baseline import Baseline
from shared.domain.tsd import to_datetime
from shared.estimation import EstimationOptions
from shared.usecases.performance.promises import SCORES, Promises, SensorFigures, periods_of

HISTORY, CURRENTS = 60 * 144, 28 * 144  # steps of 10 minutes: of the baselines, and of the currents before now
TIMES = (0.5, 0.7, 1.0, 2.0)  # the promised rate
BEFORE, DAY = 2 * 144, 144  # of a leak: what the detector looks back on, and the time in which it is to be found


@dataclass(frozen=True, eq=False)
class Task:
    """A template in a sea of its own, and how many of its leaks are looked at."""

    template: sites.Kind
    sea_states: SeaStates
    leaks: int
    seed: np.random.SeedSequence


class Outcome(NamedTuple):
    """A leak: its level by the end of the day at each of ``TIMES`` the promised rate, and the promise in kg/s."""

    promised_kg_s: float
    levels: tuple[int, ...]


class Result(NamedTuple):
    """What came of a task: leaks, those whose place has no promise, and what the promises took."""

    outcomes: list[Outcome]
    without: int
    seconds: float
    memory_mb: float


def run(task: Task) -> Result:
    """Return what came of a task's leaks."""
    rng = np.random.default_rng(task.seed)
    template = sites.drawn(task.template, rng)
    sea, times = task.sea_states.drawn(CURRENTS, rng)
    noises = noise.drawn((), len(template.sensors), rng)
    quiet = noise.readings(noises, HISTORY + CURRENTS, rng)
    grid = times[0] + np.arange(-HISTORY, CURRENTS) * BUCKET_STEP
    baselines = [build_baseline(grid[:HISTORY], row[:HISTORY]) for row in quiet]
    begun = time.process_time()
    told = metered(sea, rng)
    promises = Promises(template, told, periods_of(told), [SensorFigures.of(one) for one in baselines])
    rates = promises.rates()
    everything = (promises.map(), promises.points(), promises.promises(), promises.variants(), promises.accuracy())
    assert all(everything)
    seconds = time.process_time() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    outcomes, without = [], 0
    for _ in range(task.leaks):
        place = known_or_anywhere(template, EstimationOptions().known_point_weight, rng)
        rate = float(rates[int(((promises.places.positions - place) ** 2).sum(axis=1).argmin())])
        begins = int(rng.integers(BEFORE, CURRENTS - DAY))
        part = slice(begins - BEFORE, begins + DAY + 1)
        if not np.isfinite(rate):
            without += 1
            continue
        known = (template, sea, place, rate, to_datetime(times[begins]), times[part])
        readings = box_readings if task.template == "semi" else cloud_readings
        signal = readings(*known, family.drawn(rng), rng)
        noisy = quiet[:, HISTORY:][:, part]
        levels = tuple(_level(baselines, times[part], noisy + factor * signal) for factor in TIMES)
        outcomes.append(Outcome(rate, levels))
    return Result(outcomes, without, seconds, memory)


def _level(baselines: list[Baseline], times: Times, readings: Floats) -> int:
    """Return the worst level of any sensor within a day of the onset."""
    since = times[BEFORE]
    return max(
        int(detect(one, times, row, since=since).level.max()) for one, row in zip(baselines, readings, strict=True)
    )


LEVELS = {word: int(score) for word, score in SCORES.items()}
