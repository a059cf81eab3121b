"""One tick, as a small discrete-event model: measured work, the platform's limits, instances that start while it waits.

What comes above a limit waits. Instances of a group start one after the other while work waits, each cold, and there
are none from the tick before: the worst case. Each day is scored by an instance that has not read its template yet.
"""

import heapq
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

import numpy as np

from bench.cost.model import MOST, rounds_of

ACCOUNT_PER_S = 20_000.0  # requests to a storage account
PARTITION_PER_S = 2_000.0  # rows of a table's partition
QUEUE_PER_S = 500.0  # messages that are put or taken
STARTED_PER_S = 1.0  # instances that the platform adds to a group
COLD_S = (10.0, 50.0)  # until a new instance works
EVENT_S = 1.0  # from a written blob to its event
SPREAD = 0.5  # of the logarithm of a latency


@dataclass(frozen=True)
class Work:
    """What was measured of one template with four sensors; rows are of the platform's partition of the registry."""

    sensors: int
    ingest_requests: float
    ingest_s: float  # of Python
    cold_requests: float  # of scoring a day, in a process that has read nothing of the template
    cold_rows: float
    score_s: float  # of Python
    timer_requests: tuple[float, float]  # fixed, and for each template
    timer_rows: tuple[float, float]
    timer_s: tuple[float, float]


@dataclass(frozen=True)
class World:
    """What is not measured here."""

    omnia_s: float = 0.5  # a request
    storage_s: float = 0.010  # a request
    share: int = MOST  # templates
    spread_s: float = 60.0
    most: int = 100  # instances of a group
    platforms: int = 4
    accounts: int = 1  # deployments of their own, each with its part of the sensors


@dataclass
class Gate:
    """Serves so much a second at most: what comes above that waits."""

    per_s: float
    free: float = 0.0
    taken: Counter[int] = field(default_factory=Counter)  # by second

    def take(self, moment: float, count: float) -> float:
        """Return when so much is served that comes at that moment."""
        self.free = max(self.free, moment) + count / self.per_s
        self.taken[int(self.free)] += round(count)
        return self.free

    @property
    def utilisation(self) -> float:
        """The busiest second, as a part of the limit."""
        return max(self.taken.values(), default=0) / self.per_s


@dataclass(frozen=True)
class Tick:
    """What became of a tick."""

    sensors: int
    ingested_s: float  # until the last template is written
    scored_s: float  # until the last template is scored
    p50_s: float  # from the end of a reading's bucket to its score
    p99_s: float
    ingesting: int  # instances
    scoring: int
    account: float  # utilisations of the busiest second
    partition: float
    queue: float
    timer_s: float


class Simulation:
    """Events in order of time."""

    def __init__(self) -> None:
        """Begin at nought."""
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._number = 0

    def at(self, moment: float, what: Callable[[float], None]) -> None:
        """Let something happen."""
        self._number += 1
        heapq.heappush(self._events, (moment, self._number, what))

    def run(self) -> None:
        """Let everything happen."""
        while self._events:
            moment, _, what = heapq.heappop(self._events)
            what(moment)


class Group:
    """A function group: work that waits, and instances that take it."""

    def __init__(self, simulation: Simulation, rng: np.random.Generator, most: int) -> None:
        """Begin with none; an instance does one piece of work at a time, and one starts for each piece that waits."""
        self._simulation, self._rng, self._most = simulation, rng, most
        self.instances = self._slots = 0
        self._work: deque[Callable[[float], float]] = deque()
        self._next_start = 0.0
        self._asked = False

    def add(self, moment: float, work: Callable[[float], float]) -> None:
        """Let work wait, which says of when it begins when it ends."""
        self._work.append(work)
        self._go_on(moment)

    def _go_on(self, moment: float) -> None:
        while self._slots and self._work:
            self._slots -= 1
            self._simulation.at(max(self._work.popleft()(moment), moment), self._ended)
        if len(self._work) > self.instances and self.instances < self._most and not self._asked:
            self._asked = True
            self._simulation.at(max(moment, self._next_start), self._start)

    def _ended(self, moment: float) -> None:
        self._slots += 1
        self._go_on(moment)

    def _start(self, moment: float) -> None:
        self._asked = False
        if not self._work:
            return
        self.instances += 1
        self._next_start = moment + 1.0 / STARTED_PER_S
        self._simulation.at(moment + float(self._rng.uniform(*COLD_S)), self._started)
        self._go_on(moment)

    def _started(self, moment: float) -> None:
        self._slots += 1
        self._go_on(moment)


def tick(sensors: int, work: Work, world: World, seed: int = 1) -> Tick:
    """Let a tick of so many sensors happen, in one of the deployments among which they are."""
    rng, simulation = np.random.default_rng(seed), Simulation()
    templates = max(1, ceil(sensors / work.sensors / world.accounts))
    account, queue, events = Gate(ACCOUNT_PER_S), Gate(QUEUE_PER_S), Gate(QUEUE_PER_S)
    platforms = [Gate(PARTITION_PER_S) for _ in range(world.platforms)]
    ingest, score = Group(simulation, rng, world.most), Group(simulation, rng, world.most)
    written: list[float] = []
    scored: list[float] = []

    def latency(mean: float, count: int = 1) -> float:
        return float(mean * np.exp(rng.normal(-(SPREAD**2) / 2, SPREAD, count)).sum())

    def scoring(place: int) -> Callable[[float], float]:
        def work_of(begin: float) -> float:
            served = platforms[place % world.platforms].take(begin, work.cold_rows)
            served = max(served, account.take(begin, work.cold_requests), events.take(begin, 1))
            ended = served + latency(world.storage_s, round(work.cold_requests)) + work.score_s
            scored.append(ended)
            return ended

        return work_of

    def wrote(place: int) -> Callable[[float], None]:
        def happens(moment: float) -> None:
            written.append(moment)
            comes = events.take(moment, 1) + latency(EVENT_S)
            simulation.at(comes, lambda now: score.add(now, scoring(place)))

        return happens

    def sharing(first: int, count: int) -> Callable[[float], float]:
        def work_of(begin: float) -> float:
            asked = rounds_of(count * work.sensors)
            served = max(queue.take(begin, 1), account.take(begin, count * work.ingest_requests))
            fetched = served + latency(world.omnia_s, asked) + latency(world.storage_s, round(work.ingest_requests))
            for number in range(count):
                simulation.at(fetched + (number + 1) * work.ingest_s, wrote(first + number))
            return fetched + count * work.ingest_s

        return work_of

    fixed, each = work.timer_s
    requests = work.timer_requests[0] + templates * work.timer_requests[1]
    timer_s = fixed + each * templates + world.storage_s * requests
    begun = float(rng.uniform(*COLD_S)) + timer_s
    shares = [(first, min(world.share, templates - first)) for first in range(0, templates, world.share)]
    for place, (first, count) in enumerate(shares):
        put = max(begun + place * world.storage_s, queue.take(begun + place * world.storage_s, 1))
        shows = put + world.spread_s * place / len(shares)
        simulation.at(shows, lambda now, of=(first, count): ingest.add(now, sharing(*of)))  # type: ignore[misc]
    simulation.run()
    return Tick(
        sensors,
        max(written),
        max(scored),
        float(np.percentile(scored, 50)),
        float(np.percentile(scored, 99)),
        ingest.instances,
        score.instances,
        account.utilisation,
        max(one.utilisation for one in platforms),
        max(queue.utilisation, events.utilisation),
        timer_s,
    )
