"""A fleet of templates on storage in memory, of which a tick is counted: requests, rows, partitions, bytes."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import numpy as np

from shared.bootstrap import Bootstrap
from shared.detection import build_baseline
from shared.domain.ingest_request import IngestRequest
from shared.domain.platform import EnvironmentSeries
from shared.domain.tsd import BUCKET, grid
from tests.conftest import bootstrap, environment
from tests.support.examples import DAY, at, history, platform, template
from tests.support.fakes import FakeClock, FakeSource
from tests.support.memory_storage import MemoryClients

BEGIN = DAY - timedelta(days=2)
NOON = at(DAY, 12)
A = template(slug="t00", sensors=4)
SEA = {
    "current_speed": EnvironmentSeries(tag="CS", unit="m/s"),
    "current_direction": EnvironmentSeries(tag="CD", unit="degrees"),
}


@dataclass
class Fleet:
    """A platform of so many templates that has been ingested up to noon; the first one was scored, too."""

    templates: int
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOON))
    source: FakeSource = field(default_factory=FakeSource)

    def __post_init__(self) -> None:
        """Register, ingest and score."""
        self.values = environment("UseDevelopmentStorage=true", "scale", INGEST__BACKFILL_DAYS="2")
        fleet = platform(*(template(slug=f"t{number:02}", sensors=4) for number in range(self.templates)))
        fleet = fleet.model_copy(update={"environment": SEA})
        for tag in [*(one.tag for of in fleet.templates for one in of.sensors), "CS", "CD"]:
            self.source.say(tag, at(BEGIN), [10 + (slot * 7) % 5 / 10 for slot in range(4 * 144)])
        self.clients = MemoryClients(bootstrap(self.values).settings)
        app = self.worker()
        app.registry.change(None, fleet)
        learnt = build_baseline(grid(BEGIN - timedelta(days=20), 10 * 144), 10 + np.arange(1440) * 7 % 5 / 10)
        for sensor in A.sensors:
            app.baselines.put(sensor.id, learnt)
            etag = app.registry.platform("troll").stored[sensor.id].etag
            app.registry.set_history(A, sensor, history(sensor.id, learnt.version, BEGIN), etag)
        app.tell_health.run()
        app.ingest.run()
        app.detect.run("troll", A.id, BEGIN, DAY)

    def worker(self) -> Bootstrap:
        """Return the app in a process that has read nothing yet."""
        app = bootstrap(self.values)
        app.__dict__.update(clients=self.clients, clock=self.clock, sources={"omnia": self.source})
        return app

    def counted(self, work: Callable[[], object]) -> tuple[Counter[str], Counter[str]]:
        """Return the requests of some work, and the rows that it reads and writes."""
        self.clients.counted.clear()
        work()
        return Counter(self.clients.counted.requests), Counter(self.clients.counted.rows)

    def move_on(self) -> datetime:
        """Let ten minutes pass; return the new present."""
        self.clock.moment += BUCKET
        return self.clock.moment


def ticks(fleet: Fleet, app: Bootstrap, count: int = 3) -> list[tuple[Counter[str], Counter[str]]]:
    """Let time pass; return the requests and rows of each tick of the first template, a share of its own, scored."""
    found = []
    for _ in range(count):
        fleet.move_on()
        app.tell_health.run()
        share = share_of(app)
        ingested = fleet.counted(partial(app.ingest.run_share, share))
        scored = fleet.counted(lambda: app.detect.run("troll", A.id, DAY))
        found.append((ingested[0] + scored[0], ingested[1] + scored[1]))
    return found


def share_of(app: Bootstrap) -> IngestRequest:
    """Return the message that asks for the first template alone."""
    (first, *_) = sorted(app.ingest.shares(), key=lambda share: share.templates)
    return first.model_copy(update={"templates": (A.id,)})
