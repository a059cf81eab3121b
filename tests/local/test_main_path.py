"""The whole way of the data on real parts: emulator over HTTP, Azurite, the local host, and killed processes."""

import base64
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from omnia_emulator import running
from omnia_emulator.series import fixed, platforms
from omnia_emulator.synthetic import beginning, placed, synthetic

from admin.manage import seed, seed_platforms
from admin.replay import replay
from local.azurite import Azurite
from local.event_grid import EventGrid
from local.process import HostProcess
from local.snapshot import Snapshot, derived
from local.triggers import Faults
from shared.bootstrap import Bootstrap
from shared.domain.incident import CriticalMessage
from shared.domain.platform import Platform
from tests.conftest import bootstrap, environment

pytestmark = [pytest.mark.azurite, pytest.mark.slow, pytest.mark.xdist_group("main-path")]

PRESENT = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
ONSET = PRESENT - timedelta(hours=40)
RULES = {
    "AS_OF": "2026-03-20T12:00:00Z",
    "PERFORMANCE__RENEW": "false",  # half a minute of a core, and no part of this
    "INGEST__BACKFILL_DAYS": "19",
    "INGEST__STEP_DAYS": "4",
    "BASELINE__MIN_DAYS": "12",  # and three days to judge by: scored before the leak begins
}
LEAKING = "askeladd-a"
RATE = 1e-4  # kg/s dissolved


def askeladd() -> Platform:
    """Return the smallest seed platform: one template with two sensors."""
    return next(platform for platform in seed_platforms() if platform.id == "askeladd")


@pytest.fixture(scope="module")
def omnia() -> Iterator[str]:
    """An emulator with a leak at Askeladd; its base URL."""
    sea = platforms(["askeladd"])
    leak = placed(sea, LEAKING, "A1", RATE, ONSET)
    store = synthetic(sea, seed=4, begin=beginning(PRESENT, 19), clock=fixed(PRESENT), leak=leak)
    with running(store, token="test") as emulator:
        yield emulator.base_url


def settings_of(azurite: Azurite, prefix: str, omnia: str) -> dict[str, str]:
    """Return the settings of an app of its own on that emulator."""
    return environment(azurite.connection_string, prefix, OMNIA__BASE_URL=omnia, **RULES)


def seeded(settings: dict[str, str]) -> Bootstrap:
    """Return an app with its storage made and Askeladd loaded."""
    app = bootstrap(settings)
    app.clients.ensure_storage()
    seed(app, [askeladd()])
    return app


def rows(app: Bootstrap) -> dict[tuple[str, str, str], str]:
    """Return the tables' rows with the tables' own names, without this test's prefix.

    What was said on the way is left out: it depends on when data came.
    """
    taken: Snapshot = derived(app)
    prefix = app.settings.storage.registry_table.removesuffix("registry")
    return {(table.removeprefix(prefix), *key): digest for (table, *key), digest in taken.items()}  # type: ignore[misc]


def drain(app: Bootstrap) -> None:
    """Estimate every queued message, as the queue trigger does."""
    queue = app.clients.queue(app.settings.storage.critical_queue)
    for message in queue.receive_messages():
        app.estimate.run(CriticalMessage.model_validate_json(base64.b64decode(message.content)))
        queue.delete_message(message)


def one_pass(app: Bootstrap) -> None:
    """Run every use case once, in order, in this process."""
    app.ingest.run()
    app.build_baselines.run()
    template = app.registry.platform("askeladd").platform.templates[0]
    for day in app.lake.days(template):
        app.detect.run("askeladd", LEAKING, day)
    drain(app)
    app.tell_health.run()


@pytest.fixture(scope="module")
def reference(omnia: str) -> Iterator[tuple[Bootstrap, dict[tuple[str, str, str], str]]]:
    """The tables after one undisturbed pass of the use cases, in order, in this process."""
    with Azurite() as azurite:
        app = seeded(settings_of(azurite, "calm", omnia))
        one_pass(app)
        yield app, rows(app)


def test_the_leak_is_found_placed_and_sized(reference: tuple[Bootstrap, dict[Any, str]]) -> None:
    """An incident begins after the leak does, and its estimation confirms it."""
    app, _ = reference
    found = [one for one in app.incidents.list(LEAKING) if one.incident.onset >= ONSET]
    assert len(found) == 1
    stored = app.estimations.get(LEAKING, found[0].incident.id)
    assert stored is not None
    answer = stored.estimation
    assert answer.verdict == "CONFIRMED"
    assert answer.nearest_leak_point is not None
    assert answer.nearest_leak_point.name == "A1"
    assert answer.dissolved_rate_kg_s is not None
    assert answer.dissolved_rate_kg_s.low_90 < RATE < answer.dissolved_rate_kg_s.high_90


def test_a_second_pass_changes_no_row(reference: tuple[Bootstrap, dict[Any, str]]) -> None:
    """The same again is the same."""
    app, before = reference
    one_pass(app)
    assert rows(app) == before


def test_replaying_the_lake_rebuilds_the_tables_byte_for_byte(
    reference: tuple[Bootstrap, dict[Any, str]], omnia: str
) -> None:
    """With every table deleted, lake and seeds are enough; the source's ids come with the next run of ingest."""
    app, before = reference
    for table in app.clients.tables():
        for entity in list(table.list_entities()):
            table.delete_entity(entity)
    fresh = Bootstrap(app.settings)
    seed(fresh, [askeladd()])
    replay(fresh)
    fresh.ingest.run()
    drain(fresh)
    fresh.tell_health.run()
    assert rows(fresh) == before


@pytest.mark.parametrize("source", ["polling", "queue"])
def test_killed_hosts_and_repeated_shuffled_events_end_in_the_same_tables(
    azurite: Azurite, omnia: str, unique: str, tmp_path: Path, reference: tuple[Bootstrap, dict[Any, str]], source: str
) -> None:
    """A host is killed again and again at random moments while events come twice and out of order."""
    settings = settings_of(azurite, unique, omnia) | {"LAKE_TRIGGER": source}
    chance = random.Random(5)
    app, log = seeded(settings), tmp_path / "host.log"
    names = app.settings.storage
    grid = EventGrid(azurite.connection_string, names.lake_container, names.lake_events_queue, Faults(0.3, True, 5))
    options = ("--lease", "1", "--redeliver", "0.3", "--shuffle")

    def rest(host: HostProcess) -> None:
        host.wait_idle(200)
        while source == "queue" and grid.tell():
            host.wait_idle(200)

    for turn, delay in enumerate((0.15, 0.6, 1.2, 2.0, 3.0)):
        host = HostProcess(settings, *options, "--seed", str(turn), log=log).start()
        host.run_now("ingest")
        time.sleep(delay * chance.uniform(0.7, 1.3))  # the moment of death is the point of this test
        host.kill()
        if source == "queue":
            grid.tell()
    with HostProcess(settings, *options, "--seed", "9", log=log) as host:
        host.run_now("ingest")
        rest(host)
        host.run_now("baselines")  # the daily run heals what no event tells of any more
        rest(host)
        host.run_now("ingest")  # tells how it is by now
        rest(host)
        _, expected = reference
        assert rows(app) == expected, log.read_text()[-3000:]
        check_http(host.url)


def check_http(url: str) -> None:
    """Read back over HTTP what the tables hold."""

    def get(path: str, **params: str) -> Any:
        answer = requests.get(f"{url}/api/{path}", params, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    assert [one["id"] for one in get("platforms")["items"]] == ["askeladd"]
    assert get("platforms/askeladd/templates")["items"][0]["angleFromNorth"] == 90.0
    sensors = get(f"templates/{LEAKING}/sensors")["items"]
    assert all(sensor["baseline"]["version"] for sensor in sensors)
    assert {sensor["latest"]["at"] for sensor in sensors} == {"2026-03-20T11:50:00Z"}
    more = {name: sensors[0][name] for name in ("latest", "unwatched")}
    assert {**get("sensors/askeladd-a-1"), **more} == sensors[0]
    span = {"from": "2026-03-19T00:00:00Z", "to": "2026-03-20T12:00:00+00:00"}
    deviations, tsd = get("sensors/askeladd-a-1/deviations", **span), get("sensors/askeladd-a-1/tsd", **span)
    assert len(deviations["times"]) == len(deviations["level"]) == len(tsd["ppmv"]) == 144 + 72
    assert set(deviations["level"]) <= {"Ok", "Warning", "Critical", "Undefined"}
    assert set(deviations["fault"]) <= {None, "stale", "stuck", "out of range", "noisy"}
    incident = get(f"templates/{LEAKING}/incidents")["items"][0]
    assert get(f"incidents/{incident['id']}") == incident
    assert get(f"incidents/{incident['id']}/estimation")["incident"] == incident["id"]
    kinds = {one["kind"] for one in get(f"templates/{LEAKING}/events")["items"]}
    assert kinds >= {"incident_opened", "estimation"}
    assert get("events")["items"] == []
    # Not its status: the platform's one blob poison queue is shared with other tests on this storage.
    (health,) = get("health")["templates"]
    assert health["newestSample"] == "2026-03-20T11:50:00Z"
    assert (health["stale"], health["lagSeconds"]) == (False, 0)
    assert health["ingestedUntil"] == "2026-03-20T12:00:00Z"


def test_bad_messages_and_blobs_are_told_and_stop_nothing(
    azurite: Azurite, omnia: str, unique: str, tmp_path: Path
) -> None:
    """A truncated day blob and wrong queue messages become events; the rest of the data goes its way."""
    settings = settings_of(azurite, unique, omnia) | {
        "AzureWebJobs.baselines_after_backfill.Disabled": "true",
        "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:00",
    }
    app, names = seeded(settings), bootstrap(settings).settings.storage
    lake = app.clients.container(names.lake_container)
    with HostProcess(settings, "--lease", "1", log=tmp_path / "host.log") as host:
        host.run_now("ingest")
        host.wait_idle()
        lake.upload_blob("askeladd/a/2026-03-05.json", b'{"schema":1,"plat', overwrite=True)
        lake.upload_blob("askeladd/a/notes.json", b"{}")
        for body in ("not JSON", '{"schema":1,"platform":"askeladd"}'):
            app.clients.queue(names.critical_queue).send_message(body)
        host.wait_idle(120)
        kinds = {event.kind for event in app.events.list(LEAKING)}
        assert "corrupt_blob" in kinds
        host.run_now("ingest")
        host.wait_idle()
        poison = [event for event in app.events.list("system") if event.kind == "poison_message"]
        assert len(poison) == 2
        assert "is kept in" in poison[0].message
        lengths = app.messages.lengths()
        assert lengths[f"{names.critical_queue}-given-up"] == 2
        assert requests.get(f"{host.url}/api/health", timeout=10).json()["status"] == "degraded"
        assert len(app.deviations.range("askeladd-a-1", datetime(2026, 3, 1, tzinfo=UTC).date(), PRESENT.date())) == 20
