"""How fast the API answers over HTTP, on Azurite: three years of a sensor, unchanged polls, two hundred sensors.

    python -m bench.api [--json]

The host runs in a process of its own. A request is timed from its sending to its last byte, by a client that keeps its
connection, as a browser does.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import requests

from bench.storage import counted
from local.azurite import Azurite
from local.metadata import BY_HAND
from local.process import HostProcess
from shared.adapters.clock import FixedClock
from shared.bootstrap import Bootstrap
from shared.detection import engine_id
from shared.domain.deviation import Carry, DeviationDay, Latest, Level, no_currents
from shared.domain.incident import Incident
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.settings import Settings

FIRST, DAYS = date(2023, 1, 1), 1096
SPAN = {"from": "2023-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
INCIDENTS = 10  # of a template
FIELDS, TEMPLATES, SENSORS = ("gullfaks", "heidrun", "oseberg", "visund"), 10, 5
SENSOR, TEMPLATE = "gullfaks-a-1", "gullfaks-a"
READERS = 16  # requests that one instance takes at once: infra/parts/app.bicep
CLAIMS = {  # [s]
    "three_years_tsd": 0.7,
    "three_years_deviations": 0.7,
    "year_as_it_is": 0.5,
    "unchanged_poll": 0.02,
    "sensors_changed": 0.3,
}


def field(name: str) -> Platform:
    """Return a platform with ten templates of five sensors."""
    sides = dict.fromkeys(("fore", "aft", "port", "starboard"), 1.0)
    templates = [
        {
            "id": f"{name}-{letter}",
            "platform": name,
            "name": letter.upper(),
            "angle_from_north": 0.0,
            "height": 6.0,
            "length": 15.0,
            "width": 19.0,
            "depth": 300.0,
            "porosity": sides,
            "wall_area": dict.fromkeys(sides, 100.0),
            "inclination": dict.fromkeys(sides, 0.0),
            "internal_volume": 0.0,
            "leak_points": [],
            "sensors": [
                {
                    "id": f"{name}-{letter}-{number}",
                    "tag": f"{name}-{letter}-{number}",
                    "number": number,
                    "x": number - 3.0,
                    "y": 0.0,
                    "z": 2.0,
                }
                for number in range(1, SENSORS + 1)
            ],
        }
        for letter in "abcdefghij"[:TEMPLATES]
    ]
    return Platform.model_validate(
        {"id": name, "name": name.title(), "facility": name[:3].upper(), "environment": {}, "templates": templates}
    )


def fill(app: Bootstrap) -> None:
    """Store 200 sensors with their newest samples, 400 incidents, and three years of one sensor."""
    app.clients.ensure_storage()
    for name in FIELDS:
        platform = field(name)
        app.registry.add(platform)
        for number, template in enumerate(platform.templates):
            write_latest(app, template, NOW)
            write_incidents(app, template, goes_on=number % 4 == 0)
    rng = np.random.default_rng(1)
    for offset in range(DAYS):
        score = rng.uniform(0, 1.2, 144).astype(np.float32)
        row = DeviationDay(
            SENSOR,
            FIRST + timedelta(days=offset),
            engine_id(),
            "v",
            ppmv=rng.uniform(5, 60, 144),
            score=score,
            level=(score > 1).astype(np.int8),
            raw=score,
            channel=np.zeros(144, dtype=np.int8),
            away=np.zeros(144, dtype=np.int8),
            fault=np.zeros(144, dtype=np.int8),
            currents=no_currents(144),
            before=None,
            carry=Carry((0.0, 0.0, 0.0, 0.0), 0, "v"),
        )
        app.deviations.put(row, None)


def write_incidents(app: Bootstrap, template: Template, goes_on: bool) -> None:
    """Write ten incidents of the template, a week apart, each told as an alarm; the newest may go on."""
    alarms = replace(app.alarms, clock=FixedClock(NOW))
    for week in range(INCIDENTS):
        onset = NOW - timedelta(hours=3) - week * timedelta(days=7)
        last = onset + timedelta(hours=2)
        incident = Incident(
            id=f"{template.id}-{onset:%Y%m%dT%H%MZ}",
            platform=template.platform,
            template=template.id,
            onset=onset,
            last_critical=last,
            closed=None if goes_on and not week else last + timedelta(hours=12),
            sensors=(template.sensors[0].id,),
            max_score=3.5,
        )
        app.incidents.put(incident, None, None)
        alarms.follow(incident)


def write_latest(app: Bootstrap, template: Template, at: datetime) -> None:
    """Write the template's newest samples, as each tick does."""
    newest = Latest(at=at, level=Level.OK, score=0.4, ppmv=12.3, fault=0, since=NOW - timedelta(days=1))
    tag = app.registry.record(template.id).latest_etags.get(template.id)
    app.registry.set_latest(template, {one.id: newest for one in template.sensors}, tag)


@dataclass
class Client:
    """Sends requests over one connection that it keeps, and times each."""

    url: str
    session: requests.Session
    root: str = "api/"

    def seconds(self, path: str, status: int = 200, **more: Any) -> tuple[float, requests.Response]:
        """Return how long an answer took, and the answer; AssertionError for another status."""
        begun = time.perf_counter()
        answer = self.session.get(f"{self.url}/{self.root}{path}", timeout=60, **more)
        took = time.perf_counter() - begun
        assert answer.status_code == status, answer.text
        return took, answer

    def median(self, times: int, path: str, before: Callable[[], None] = lambda: None, **more: Any) -> float:
        """Return the median time of so many requests, after one that is not counted."""
        self.seconds(path, **more)
        took = []
        for _ in range(times):
            before()
            took.append(self.seconds(path, **more)[0])
        return statistics.median(took)


def at_once(client: Client, path: str) -> float:
    """Return the time of the slowest of READERS requests that are sent at once; the median of some times."""
    with ThreadPoolExecutor(READERS) as pool:
        readers = [Client(client.url, requests.Session()) for _ in range(READERS)]
        slowest = [max(pool.map(lambda one: one.seconds(path)[0], readers)) for _ in range(8)]
    return float(statistics.median(slowest[1:]))


@contextmanager
def serving(connection: str) -> Iterator[tuple[Bootstrap, Client]]:
    """Run a host on storage that ``fill`` filled; yield it."""
    nowhere = "http://127.0.0.1:9/v1.7"
    app = Bootstrap(
        Settings(
            AzureWebJobsStorage=connection,
            omnia={"base_url": nowhere},
            ingest_schedule=BY_HAND,
            baselines_schedule=BY_HAND,
            keep_schedule=BY_HAND,
        )
    )
    fill(app)
    settings = {
        "AzureWebJobsStorage": connection,
        "OMNIA__BASE_URL": nowhere,
        "INGEST_SCHEDULE": BY_HAND,
        "BASELINES_SCHEDULE": BY_HAND,
        "KEEP_SCHEDULE": BY_HAND,
        "PYTHON_THREADPOOL_THREAD_COUNT": os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT") or str(READERS),
    }
    with tempfile.TemporaryDirectory() as folder, HostProcess(settings, log=Path(folder, "log")) as host:
        yield app, Client(host.url, requests.Session())


def measure(connection: str) -> dict[str, float]:
    """Return the seconds by what is asked, and the transactions of an unchanged poll."""
    with serving(connection) as (app, client):
        template = app.registry.platform(TEMPLATE.partition("-")[0]).platform.templates[0]
        moment = [NOW]

        def change() -> None:
            moment[0] += timedelta(minutes=10)
            write_latest(app, template, moment[0])

        points = {**SPAN, "resolution": "1000"}
        year = {"from": "2025-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
        found = {
            "year_as_it_is": client.median(7, f"sensors/{SENSOR}/deviations", params=year),
            "three_years_tsd": client.median(7, f"sensors/{SENSOR}/tsd", params=points),
            "three_years_deviations": client.median(7, f"sensors/{SENSOR}/deviations", params=points),
            "sensors_unchanged_read": client.median(20, "sensors"),
            "sensors_changed": client.median(20, "sensors", change),
        }
        tag = {"If-None-Match": client.seconds("sensors")[1].headers["ETag"]}
        found["unchanged_poll_of_all"] = client.median(50, "sensors", headers=tag, status=304)
        path = f"templates/{TEMPLATE}/sensors"
        tag = {"If-None-Match": client.seconds(path)[1].headers["ETag"]}
        found["readers_at_once"] = at_once(client, path)
        found["unchanged_poll"] = client.median(50, path, headers=tag, status=304)
        app.queries.template(TEMPLATE)
        with counted() as counts:
            app.queries.template(TEMPLATE)
        found["reads_of_an_unchanged_poll"] = counts.total()
        whole = client.seconds(f"sensors/{SENSOR}/tsd", params=points)[1].json()
        assert len(whole["times"]) <= 1000
        assert len(client.seconds(f"sensors/{SENSOR}/deviations", params=year)[1].json()["score"]) == 365 * 144
        assert sum(whole["samples"]) == DAYS * 144
        assert len(client.seconds("sensors")[1].json()["items"]) == len(FIELDS) * TEMPLATES * SENSORS
    return found


def main() -> int:
    """Measure and print; return 1 when a claim does not hold."""
    parser = argparse.ArgumentParser(prog="python -m bench.api", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with Azurite() as azurite:
        found = measure(azurite.connection_string)
    if options.json:
        print(json.dumps(found))
    else:
        rows = {
            "three_years_tsd": "3 years of a sensor's readings (157,824 samples) at 1,000 points",
            "three_years_deviations": "3 years of its scores at 1,000 points",
            "year_as_it_is": "a year of its scores as they are (52,560 samples)",
            "unchanged_poll": "unchanged poll of a template's sensors (304)",
            "unchanged_poll_of_all": "unchanged poll of all 200 sensors (304)",
            "sensors_changed": "200 sensors with their newest levels, one of them changed since",
            "readers_at_once": f"{READERS} requests for a template's sensors at once, the slowest of them",
            "sensors_unchanged_read": "200 sensors with their newest levels, nothing changed since",
        }
        print("median seconds over HTTP, on Azurite")
        for name, what in rows.items():
            claim = f"   (claim: under {CLAIMS[name]:g})" if name in CLAIMS else ""
            print(f"  {what:<66} {found[name]:.3f}{claim}")
        print(f"  storage reads of an unchanged poll: {found['reads_of_an_unchanged_poll']:.0f}   (claim: 1)")
    kept = all(found[name] < most for name, most in CLAIMS.items()) and found["reads_of_an_unchanged_poll"] == 1
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
