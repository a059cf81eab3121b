"""The work of a tick, measured: the app's own use cases on storage in memory that counts what they ask for."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter

from bench.scale.model import Work
from shared.bootstrap import Bootstrap
from shared.domain.tsd import BUCKET
from tests.support.examples import DAY
from tests.support.fleet import A, Fleet, share_of

TURNS = 5
SIZES = (25, 100)  # templates, of which two the timer's work is drawn as a line


@dataclass(frozen=True)
class Counts:
    """Requests, rows and bytes of one template's tick, and the rows of its busiest partition."""

    requests: int
    rows: int
    bytes: int
    busiest: int


def measured() -> Work:
    """Return the work of one template with four sensors, and what the timer's grows by."""
    fleets = [Fleet(size) for size in SIZES]
    large = fleets[-1]
    app = large.worker()
    ingests, ingest_requests, colds, warms = [], [], [], []
    for _ in range(TURNS):
        large.move_on()
        app.tell_health.run()
        share = next(one for one in app.ingest.shares() if A.id in one.templates)
        seconds, requests, _ = _of(large, partial(app.ingest.run_share, share))
        ingests.append(seconds / len(share.templates))
        ingest_requests.append(requests / len(share.templates))
        colds.append(_of(large, lambda: large.worker().detect.run("troll", A.id, DAY)))
        for _ in range(2):  # the first look finds what the other process wrote
            large.move_on()
            app.ingest.run_share(share_of(app))
            looked = _of(large, lambda: app.detect.run("troll", A.id, DAY))
        warms.append(looked)
    timers = [_timer(fleet) for fleet in fleets]
    lines = [_line(first, second) for first, second in zip(*timers, strict=True)]
    return Work(
        sensors=len(A.sensors),
        ingest_requests=median(ingest_requests),
        ingest_s=median(ingests),
        cold_requests=median(one[1] for one in colds),
        cold_rows=median(one[2] for one in colds),
        score_s=median(one[0] for one in warms),
        timer_s=lines[0],
        timer_requests=lines[1],
        timer_rows=lines[2],
    )


def counts(templates: int, *, cold: bool) -> Counts:
    """Return what a tick of one template takes, a share of its own and scored, on a platform of so many."""
    fleet = Fleet(templates)
    app = fleet.worker()
    found: list[Counts] = []
    for _ in range(4):
        fleet.move_on()
        app.tell_health.run()
        share = share_of(app)
        fleet.clients.counted.clear()
        app.ingest.run_share(share)
        (fleet.worker() if cold else app).detect.run("troll", A.id, DAY)
        counted = fleet.clients.counted
        found.append(
            Counts(
                sum(counted.requests.values()),
                sum(counted.rows.values()),
                sum(counted.bytes.values()),
                max(counted.partitions.values()),
            )
        )
    return found[-1]


def _of(fleet: Fleet, work: Callable[[], object]) -> tuple[float, float, float]:
    """Return the seconds and requests of some work, and the rows of the platform's partition that it reads."""
    fleet.clients.counted.clear()
    begun = perf_counter()
    work()
    seconds = perf_counter() - begun
    rows: Counter[tuple[str, str]] = fleet.clients.counted.partitions
    return seconds, sum(fleet.clients.counted.requests.values()), rows[_registry(fleet), "troll"]


def _registry(fleet: Fleet) -> str:
    return str(fleet.worker().settings.storage.registry_table)


def _timer(fleet: Fleet) -> tuple[float, float, float]:
    """Return seconds, requests and rows of what the timer's function does before the last share is asked for."""
    app: Bootstrap = fleet.worker()
    found = []
    for _ in range(TURNS):
        fleet.clock.moment += BUCKET
        fleet.worker().ingest.run()  # the templates' own rows change with every tick
        fleet.clients.counted.clear()
        begun = perf_counter()
        for work in (app.tell_health.run, app.tell_queues.run, app.adopt_incidents.run, app.notify.release):
            work()
        app.ingest.shares()
        seconds = perf_counter() - begun
        counted = fleet.clients.counted
        found.append((seconds, float(sum(counted.requests.values())), float(sum(counted.rows.values()))))
    return median(one[0] for one in found), median(one[1] for one in found), median(one[2] for one in found)


def _line(first: float, second: float) -> tuple[float, float]:
    """Return what is fixed, and what each template adds."""
    each = max(second - first, 0.0) / (SIZES[1] - SIZES[0])
    return max(first - each * SIZES[0], 0.0), each
