"""What the daily look after baselines reads of a long history, with what was checked remembered and forgotten."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from time import perf_counter
from unittest.mock import patch

import numpy as np

from shared.adapters.tables import AzureRegistryTable
from shared.bootstrap import Bootstrap
from shared.ports import StoredCheck
from tests.conftest import bootstrap, environment
from tests.support.examples import at, document, history, noise, platform, quiet_baseline, template
from tests.support.fakes import FakeClock, FakeSource
from tests.support.memory_storage import MemoryClients

SENSORS = 4
BEGIN = date(2023, 3, 1)


@dataclass(frozen=True)
class Look:
    """The mean of some daily looks after one template."""

    entities: float
    requests: float
    blobs: float  # read
    seconds: float


def daily_looks(days: int, looks: int) -> tuple[Look, Look]:
    """Return what a template's look takes after so many days: with nothing remembered of what was checked, and with it.

    No baseline is due to be renewed. The mean is over the days of which each older one has its turn once.
    """
    clients, app = _learnt(days)
    app.build_baselines.run_template("troll", "troll-a")
    with forgetting():
        before = _looked_after(clients, app, days, looks)
    app.build_baselines.run_template("troll", "troll-a")
    return before, _looked_after(clients, app, days + looks, looks)


@contextmanager
def forgetting() -> Iterator[None]:
    """Let nobody know which days were checked."""
    with (
        patch.object(AzureRegistryTable, "checked", lambda *_: StoredCheck(None, None)),
        patch.object(AzureRegistryTable, "set_checked", lambda *_: None),
    ):
        yield


def _learnt(days: int) -> tuple[MemoryClients, Bootstrap]:
    """Return an app whose lake holds so many days of a template with baselines, none of them scored."""
    values = environment("UseDevelopmentStorage=true", "history", BASELINE__AUGMENT_DAYS="0")
    app = bootstrap(values)
    clients = MemoryClients(app.settings)
    app.__dict__.update(clients=clients, clock=FakeClock(at(BEGIN)), sources={"omnia": FakeSource()})
    one = template(sensors=SENSORS)
    app.registry.change(None, platform(one))
    learnt = quiet_baseline()
    for sensor in one.sensors:
        app.baselines.put(sensor.id, learnt)
        etag = app.registry.platform("troll").stored[sensor.id].etag
        app.registry.set_history(one, sensor, history(sensor.id, learnt.version, BEGIN), etag)
    for offset in range(days):
        _put(app, offset)
    return clients, app


def _put(app: Bootstrap, offset: int) -> None:
    day = BEGIN + timedelta(days=offset)
    readings = {f"s{number}": np.round(noise(offset * SENSORS + number), 3) for number in range(1, SENSORS + 1)}
    app.lake.write(template(sensors=SENSORS), document(template(sensors=SENSORS), day, **readings), None)


def _looked_after(clients: MemoryClients, app: Bootstrap, days: int, looks: int) -> Look:
    entities = requests = blobs = 0
    seconds = 0.0
    for offset in range(days, days + looks):
        _put(app, offset)
        app.detect.run("troll", "troll-a", BEGIN + timedelta(days=offset))
        fresh = Bootstrap(app.settings)  # a worker that has read nothing yet
        fresh.__dict__.update(clients=clients, clock=app.clock, sources=app.sources)
        clients.counted.clear()
        begun = perf_counter()
        fresh.build_baselines.run_template("troll", "troll-a")
        seconds += perf_counter() - begun
        entities += sum(count for what, count in clients.counted.rows.items() if what.startswith("read"))
        requests += sum(clients.counted.requests.values())
        blobs += sum(count for what, count in clients.counted.requests.items() if what.startswith("blob read"))
    return Look(entities / looks, requests / looks, blobs / looks, seconds / looks)
