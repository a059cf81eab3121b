"""What the way of the data costs in storage transactions, on Azurite.

    python -m bench.storage [--json]

A transaction is one request that the app sends to blobs, tables or queues; what the Functions host does for its
triggers is not counted. The template has four sensors; the tick brings one new sample of each.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import numpy as np
from azure.core.pipeline.transport import RequestsTransport
from omnia_emulator import Emulator, running
from omnia_emulator.series import platforms
from omnia_emulator.synthetic import synthetic

from admin.manage import seed
from local.azurite import Azurite
from local.metadata import BY_HAND
from shared.bootstrap import Bootstrap
from shared.detection import Baseline, build_baseline, engine_id
from shared.domain.baseline_history import BaselineHistory, Change, DayRange, Recipe
from shared.domain.ingest_request import IngestRequest
from shared.domain.platform import Platform
from shared.settings import Settings

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
TICK = timedelta(minutes=10)
MOST = 12
TOKEN = "bench"  # noqa: S105 (the emulator's)


class Present:
    """A clock that stands still until the bench moves it on."""

    def __init__(self, moment: datetime) -> None:
        """Begin at that moment."""
        self.moment = moment

    def now(self) -> datetime:
        """Return the present."""
        return self.moment


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count the requests that the Azure SDK sends, by service and method."""
    counts: Counter[str] = Counter()
    send = RequestsTransport.send

    def counting(self: RequestsTransport, request: Any, **more: Any) -> Any:
        counts[f"{request.method} {_first_name(request.url)}"] += 1
        return send(self, request, **more)

    with patch.object(RequestsTransport, "send", counting):
        yield counts


def _first_name(url: str) -> str:
    """Return the container, table or queue that a request is for."""
    path = url.partition("?")[0].partition("/devstoreaccount1/")[2]
    return re.split(r"[/(]", path)[0]


def snorre(*names: str) -> Platform:
    """Return Snorre with these of its templates; with all six where none is named."""
    platform = platforms(["snorre"])[0]
    chosen = tuple(one for one in platform.templates if not names or one.name in names)
    return platform.model_copy(update={"templates": chosen})


def wired(config: Settings, present: Present) -> Bootstrap:
    """Return the app at a present that can be moved."""
    app = Bootstrap(config)
    app.__dict__["clock"] = present
    return app


def quiet_baseline() -> Baseline:
    """Return a baseline by which all readings are Ok: what is said of a leak would cost more."""
    values = 40 + np.random.default_rng(1).normal(0, 15, 30 * 144)
    times = np.datetime64("2026-01-01T00:00:00") + np.arange(values.size) * np.timedelta64(600, "s")
    return build_baseline(times, values)


@dataclass
class Ticking:
    """An app whose sensors have baselines and three scored days, before its next tick."""

    config: Settings
    present: Present
    platform: Platform
    emulator: Emulator
    app: Bootstrap = field(init=False)
    asked: list[IngestRequest] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        """Register the platforms and fill the lake, so that a tick finds what it finds in operation."""
        self.app = self.fresh_worker()
        self.app.clients.ensure_storage()
        seed(self.app, [self.platform])
        baseline = quiet_baseline()
        stored = self.app.registry.platform(self.platform.id).stored
        for template in self.platform.templates:
            for sensor in template.sensors:
                self.app.baselines.put(sensor.id, baseline)
                recipe = Recipe(source=sensor.id, days=(DayRange(date(2026, 1, 1), date(2026, 1, 30)),))
                change = Change(valid_from=BEGIN.date(), reason="built", recipe=recipe, version=baseline.version)
                history = BaselineHistory(changes=(change,), engine=engine_id())
                self.app.registry.set_history(template, sensor, history, stored[sensor.id].etag)
        self.app.ingest.run()
        for template in self.platform.templates:
            self.app.detect.run(self.platform.id, template.id, BEGIN.date(), NOON.date())

    def fresh_worker(self) -> Bootstrap:
        """Return the app in a process that has read nothing yet."""
        return wired(self.config, self.present)

    def move_on(self) -> None:
        """Let ten minutes pass."""
        self.present.moment += TICK

    def ask(self) -> None:
        """What the timer's function does, once a run: it reads which templates there are, and asks for shares."""
        self.asked = self.app.ingest.shares()

    def ingest(self) -> None:
        """Fetch what was asked for."""
        for share in self.asked:
            self.app.ingest.run_share(share)

    def tell_health(self) -> None:
        """What the timer's function does before, once a run, however many templates there are."""
        self.app.tell_health.run()

    def take_up_poison(self) -> None:
        """What the timer's function does after, once a run, however many templates there are."""
        self.app.tell_queues.run()
        self.app.take_up_poison.run()

    def prove(self) -> None:
        """Go on with proof tests, once a run."""
        self.app.proof_tests.run()

    def detect(self, template: str) -> None:
        """Score the day that was written."""
        self.app.detect.run(self.platform.id, template, (self.present.moment - TICK).date())

    def tick(self) -> Counter[str]:
        """Ingest and detect, after what is told of health; return the transactions."""
        self.move_on()
        self.tell_health()
        self.ask()
        with counted() as counts:
            self.ingest()
            for template in self.platform.templates:
                self.detect(template.id)
        return counts


@contextmanager
def ticking(connection: str, platform: Platform) -> Iterator[Ticking]:
    """Fill that storage for a platform on the synthetic sea, and yield what ticks on it."""
    present = Present(NOON)
    with running(synthetic([platform], seed=1, begin=BEGIN, clock=present.now), token=TOKEN) as emulator:
        config = Settings(
            AzureWebJobsStorage=connection,
            omnia={"base_url": emulator.base_url, "static_token": TOKEN},
            ingest={"backfill_days": 3},
            ingest_schedule=BY_HAND,
            baselines_schedule=BY_HAND,
            keep_schedule=BY_HAND,
        )
        yield Ticking(config, present, platform, emulator)


def ticks(connection: str) -> dict[str, int]:
    """Return the transactions of a tick: in a worker that is warm, in a fresh one, and over midnight."""
    with ticking(connection, snorre("W")) as world:
        world.tick()
        hour = sorted((world.tick() for _ in range(6)), key=Counter.total)
        warm, looking_back = hour[0], hour[-1]
        world.app = world.fresh_worker()
        fresh = world.tick()
        world.present.moment = datetime(2026, 3, 4, 23, 50, tzinfo=UTC)
        world.tick()
        midnight = world.tick()
        world.move_on()
        with counted() as besides:
            world.tell_health()
            world.ask()
            world.take_up_poison()
    return {
        "warm": warm.total(),
        "looking_back_a_day": looking_back.total(),
        "fresh_worker": fresh.total(),
        "first_after_midnight": midnight.total(),
        "besides": besides.total(),
        **{f"warm: {what}": count for what, count in sorted(warm.items())},
    }


def main() -> int:
    """Measure and print; return 1 when a claim does not hold."""
    parser = argparse.ArgumentParser(prog="python -m bench.storage", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with Azurite() as azurite:
        cost = ticks(azurite.connection_string)
    if options.json:
        print(json.dumps(cost))
    else:
        print("storage transactions of one 10-minute tick, ingested and scored, template of 4 sensors")
        print(f"  warm worker            {cost['warm']:4d}   (claim: at most {MOST})")
        for name, count in cost.items():
            if name.startswith("warm: "):
                print(f"    {name.removeprefix('warm: '):<24}{count}")
        print(f"  once an hour           {cost['looking_back_a_day']:4d}   (looks back over a day for late data)")
        print(f"  fresh worker           {cost['fresh_worker']:4d}   (reads its rows and baselines once)")
        print(f"  first after midnight   {cost['first_after_midnight']:4d}")
        print(f"  once a run besides     {cost['besides']:4d}   (tells health, asks for shares, takes up poison)")
    return 0 if cost["warm"] <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
