"""Where the design stops scaling: one tick of many sensors, simulated on the measured times and on paper figures."""

import heapq
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from bench.cost.measured import Measured
from bench.cost.model import Paper, fetch_seconds, score_seconds, shares
from shared.settings import IngestSettings
from shared.usecases.ingestion.ingest import LAST_STEP

TICK_S = 600.0
UNTIL_S = TICK_S - LAST_STEP.total_seconds()  # of a tick: no share begins later
SPREAD_S = float(IngestSettings().spread_seconds)  # over which a tick's shares come
START_S = 15.0  # until an instance that the platform adds takes its first event
PER_INSTANCE = 1  # messages that wait (batchSize of host.json) before the platform adds another instance, one at a time
SPREAD = 0.5  # of the logarithm of a latency
PARTITION_PER_S = 2000.0  # requests that one partition of a table takes


@dataclass(frozen=True)
class Load:
    """What a tick of so many sensors does to the app."""

    sensors: int
    ingest_s: float
    left: float  # share of the templates whose shares find no instance in time
    scored_s: float  # from the tick until the last of those that it does reach is scored
    instances: int
    registry_per_s: float  # requests to the partition of the platform that has most templates


def tick(sensors: int, found: Measured, paper: Paper, *, seed: int, platforms: int, most_instances: int) -> Load:
    """Simulate a tick: shares that ingest, events that follow, instances that are added while either waits."""
    rng = np.random.default_rng(seed)
    templates = max(1, round(sensors / found.sensors))
    written, left = _ingested(templates, found, paper, rng, most_instances)
    scored_s, instances = _scored(written, score_seconds(found, paper) * _spread(rng, len(written)), most_instances)
    busiest = templates / platforms / max(scored_s, 1.0)  # each reads its platform's head
    return Load(sensors, written[-1] if written else 0.0, left / templates, scored_s, instances, busiest)


def _spread(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.exp(rng.normal(-(SPREAD**2) / 2, SPREAD, count))  # of mean 1


def _ingested(
    templates: int, found: Measured, paper: Paper, rng: np.random.Generator, most: int
) -> tuple[list[float], int]:
    """Return when in s each template's blob is written, in order, and how many are left for the next tick."""
    sizes = [round(one) for one in shares(templates)]
    instances = [0.0]  # when each is free
    done: list[float] = []
    left = 0
    for place, (size, factor) in enumerate(zip(sizes, _spread(rng, len(sizes)), strict=True)):
        comes = SPREAD_S * place / len(sizes)
        if instances[0] > comes and len(instances) < most:
            begin = comes + START_S  # on one that the platform adds
        else:
            begin = max(heapq.heappop(instances), comes)
        if begin >= UNTIL_S:
            left += size
            heapq.heappush(instances, begin)
            continue
        fetched = begin + fetch_seconds(size, found, paper) * float(factor)
        written = [fetched + number * found.ingest_s for number in range(1, size + 1)]
        heapq.heappush(instances, written[-1])
        done += written
    return sorted(done), left


def _scored(written: list[float], takes: np.ndarray, most: int) -> tuple[float, int]:
    """Return when in s the last event is done, and how many instances worked; ``takes`` [templates] are seconds."""
    slots = [written[0] + START_S] if written else []
    instances, last, added = 1, 0.0, -START_S
    for index, (moment, take) in enumerate(zip(written, takes, strict=True)):
        begin = max(moment, slots[0])
        waiting = bisect_right(written, begin) - index - 1
        if waiting > PER_INSTANCE * instances and instances < most and begin - added > 1.0:
            instances, added = instances + 1, begin
            heapq.heappush(slots, begin + START_S)
        begin = max(moment, heapq.heappop(slots))
        heapq.heappush(slots, begin + float(take))
        last = max(last, begin + float(take))
    return last, instances


def breaks_at(found: Measured, paper: Paper, *, seed: int, platforms: int, most_instances: int) -> int:
    """Return the first of 100, 200, 400, ... sensors of which a tick leaves some for the next one."""
    sensors = 100
    while sensors < 10_000_000:
        if tick(sensors, found, paper, seed=seed, platforms=platforms, most_instances=most_instances).left > 0:
            return sensors
        sensors *= 2
    return sensors
