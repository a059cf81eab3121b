"""Where the design stops scaling: one tick of many sensors, simulated on the measured times and on paper figures."""

import heapq
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from bench.cost.measured import Measured
from bench.cost.model import PARALLEL, Paper, fetch_seconds, score_seconds
from shared.settings import IngestSettings

TICK_S = 600.0
BUDGET_S = float(IngestSettings().budget_seconds)  # after it a run starts no further template's step
AT_ONCE = 2  # blobs of an instance (host.json)
START_S = 15.0  # until an instance that the platform adds takes its first event
PER_INSTANCE = 16  # events that wait before the platform adds another instance, one at a time
SPREAD = 0.5  # of the logarithm of a latency
PARTITION_PER_S = 2000.0  # requests that one partition of a table takes


@dataclass(frozen=True)
class Load:
    """What a tick of so many sensors does to the app."""

    sensors: int
    ingest_s: float
    left: float  # share of the templates that the run does not reach within its budget
    scored_s: float  # from the tick until the last of those that it does reach is scored
    instances: int
    registry_per_s: float  # requests to the partition of the registry that has most templates


def tick(
    sensors: int, found: Measured, paper: Paper, *, seed: int, platforms: int, most_instances: int, runs: int = 1
) -> Load:
    """Simulate a tick: a pool that ingests, events that follow, instances that are added while events wait.

    ``runs`` ingest at the same time, each its share of the templates on an instance of its own: one, as it is.
    """
    rng = np.random.default_rng(seed)
    templates = max(1, round(sensors / found.sensors))
    waits = fetch_seconds(found, paper) * _spread(rng, templates)
    shares = [_ingested(waits[first::runs], found.ingest_s) for first in range(min(runs, templates))]
    written, left = sorted(one for share, _ in shares for one in share), sum(one for _, one in shares)
    scored_s, instances = _scored(written, score_seconds(found, paper) * _spread(rng, len(written)), most_instances)
    registry = found.tick_transactions["table read"] + found.tick_transactions["table write"] / 2
    busiest = registry * templates / platforms / max(scored_s, 1.0)
    return Load(sensors, written[-1] if written else 0.0, left / templates, scored_s, instances, busiest)


def _spread(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.exp(rng.normal(-(SPREAD**2) / 2, SPREAD, count))  # of mean 1


def _ingested(waits: np.ndarray, busy: float) -> tuple[list[float], int]:
    """Return when in s each template's blob is written, in order, and how many are left for the next run.

    ``waits`` [templates] are the seconds that each waits for OMNIA and storage, ``busy`` those that it computes.
    """
    threads = [0.0] * PARALLEL
    free, done, left = 0.0, [], 0  # free: when the interpreter, which computes one at a time, is
    for wait in waits:
        begin = heapq.heappop(threads)
        if begin >= BUDGET_S:
            left += 1
            heapq.heappush(threads, begin)
            continue
        free = max(free, begin + float(wait)) + busy
        heapq.heappush(threads, free)
        done.append(free)
    return sorted(done), left


def _scored(written: list[float], takes: np.ndarray, most: int) -> tuple[float, int]:
    """Return when in s the last event is done, and how many instances worked; ``takes`` [templates] are seconds."""
    slots = [0.0] * AT_ONCE
    heapq.heapify(slots)
    instances, last, added = 1, 0.0, -START_S
    for index, (moment, take) in enumerate(zip(written, takes, strict=True)):
        begin = max(moment, slots[0])
        waiting = bisect_right(written, begin) - index
        if waiting > PER_INSTANCE * instances and instances < most and begin - added > 1.0:
            instances, added = instances + 1, begin
            for _ in range(AT_ONCE):
                heapq.heappush(slots, begin + START_S)
        begin = max(moment, heapq.heappop(slots))
        heapq.heappush(slots, begin + float(take))
        last = max(last, begin + float(take))
    return last, instances


def breaks_at(found: Measured, paper: Paper, *, seed: int, platforms: int, most_instances: int) -> int:
    """Return the first of 100, 200, 400, ... sensors of which a run leaves some for the next one."""
    sensors = 100
    while sensors < 10_000_000:
        if tick(sensors, found, paper, seed=seed, platforms=platforms, most_instances=most_instances).left > 0:
            return sensors
        sensors *= 2
    return sensors
