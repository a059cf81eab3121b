"""What changes with every tick, taken over from the release that kept it among what is registered, on real storage.

The release before is its own code, from the repository: it runs before, beside and after this one.
"""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from admin.upgrade import upgrade
from chaos.upgrade import known_to
from local.azurite import Azurite
from shared.adapters.tables.registry_rows import GENERATION, INDEX
from shared.bootstrap import Bootstrap
from shared.domain.deviation import Latest, Level
from shared.domain.ingest_state import IngestState, SeriesState, ToldGap
from tests.conftest import environment
from tests.support.examples import DAY, history, platform, template
from tests.support.paths import ROOT

pytestmark = pytest.mark.azurite
Make = Callable[..., Bootstrap]
BEFORE = "726118ca129c52dfa4053468c631cbdf21e42795"
A, B = template(slug="a"), template(slug="b")
MOMENT = datetime(2026, 3, 1, tzinfo=UTC)
PROGRAM = """
import sys
from datetime import datetime, timedelta
from shared.bootstrap import Bootstrap
from shared.domain.deviation import Latest, Level
from shared.domain.ingest_state import IngestState, SeriesState, ToldGap
from shared.settings import settings
app = Bootstrap(settings())
known = app.registry.platform("troll")
templates = {one.id: one for one in known.platform.templates}
def until(name, moment):
    moment = datetime.fromisoformat(moment)
    template, known = templates[name], app.registry.platform("troll")
    keys = [sensor.id for sensor in template.sensors]
    told = {keys[0]: ToldGap(why="no samples", since=moment)}
    state = IngestState(
        series={
            one.id: SeriesState(until=moment, tag=one.tag, begin=moment, source_id="S") for one in template.sensors
        },
        told=told,
        looked_back=moment,
    )
    app.registry.set_ingested(template, state, known.ingest_etags.get(name))
    newest = Latest(at=moment, level=Level.OK, score=0.5, ppmv=10.0, since=moment)
    app.registry.set_latest(template, {key: newest for key in keys}, known.latest_etags.get(name))
def rename(name):
    known = app.registry.platform("troll")
    app.registry.change(known, known.platform.model_copy(update={"name": name}))
def say():
    for name, state in sorted(app.registry.platform("troll").ingested.items()):
        print(name, *(f"{key}={moment:%d.%H}" for key, moment in sorted(state.watermarks.items())))
for line in sys.argv[1:]:
    eval(line)
"""


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of the release before."""
    archive = subprocess.run(
        ["git", "archive", BEFORE, "shared", "local.settings.sample.json"], cwd=ROOT, capture_output=True, check=False
    )
    if archive.returncode:
        pytest.skip("the release before is not in this clone's history")
    folder = tmp_path_factory.mktemp("before")
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    return folder


@pytest.fixture
def old(before: Path, azurite: Azurite, unique: str) -> Callable[..., str]:
    """Return what runs lines in a process of the release before, and returns what they print."""

    def run(*lines: str) -> str:
        known = environment(azurite.connection_string, unique)
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM, *lines],
            env={"PYTHONPATH": str(before)} | known_to(before, known),
            cwd=before,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return run


@pytest.fixture
def app(make_app: Make, unique: str, old: Callable[..., str]) -> Bootstrap:
    """A platform that the release before has registered and ingested; nothing of this one's is there yet."""
    app = make_app(unique)
    app.registry.change(None, platform(A, B))
    for sensor in A.sensors:
        etag = app.registry.platform("troll").stored[sensor.id].etag
        app.registry.set_history(A, sensor, history(sensor.id, "v1", DAY), etag)
    table = app.clients.table(app.settings.storage.registry_table)
    for row in list(table.query_entities(f"PartitionKey ge '{INDEX}'")):
        table.delete_entity(row)
    old(until("troll-a", MOMENT), until("troll-b", MOMENT))
    assert GENERATION not in table.get_entity("troll", "head")
    return make_app(unique)


def until(name: str, moment: datetime) -> str:
    """Return the line that has the release before ingest a template up to a moment."""
    return f"until({name!r}, {moment.isoformat()!r})"


def marks(app: Bootstrap, name: str = "troll-a") -> set[datetime]:
    """Return the template's watermarks, of which every way of reading says the same."""
    alone = app.registry.record(name)
    whole = next(one for one in app.registry.records() if one.platform.id == "troll")
    assert whole.ingested[name] == alone.ingested[name]
    assert {key: one for key, one in whole.latest.items() if key.startswith(name)} == alone.latest
    return set(alone.ingested[name].watermarks.values())


def ingest(app: Bootstrap, moment: datetime) -> None:
    """Have this release ingest template A up to a moment."""
    record = app.registry.record(A.id)
    state = record.ingested.get(A.id, IngestState())
    series = {one.id: SeriesState(until=moment, tag=one.tag, begin=MOMENT, source_id="S") for one in A.sensors}
    app.registry.set_ingested(A, state.model_copy(update={"series": series}), record.ingest_etags.get(A.id))
    newest = Latest(at=moment, level=Level.WARNING, score=1.5, ppmv=20.0, since=moment)
    app.registry.set_latest(A, {one.id: newest for one in A.sensors}, record.latest_etags.get(A.id))


def hours(count: int) -> datetime:
    """Return a moment so many hours later."""
    return MOMENT + timedelta(hours=count)


def test_what_the_release_before_stored_is_seen_before_anything_is_moved(app: Bootstrap) -> None:
    """By who only reads: watermarks, newest samples, what was told."""
    assert marks(app) == {MOMENT}
    record = app.registry.record(A.id)
    assert record.latest["troll-a-1"].level is Level.OK
    assert record.ingested[A.id].told == {"troll-a-1": ToldGap(why="no samples", since=MOMENT)}
    assert record.history("troll-a-1") == history("troll-a-1", "v1", DAY)
    assert record.ingest_etags == {}


def test_the_first_tick_takes_it_over_and_then_a_tick_touches_nothing_that_is_registered(
    app: Bootstrap, make_app: Make, unique: str
) -> None:
    """What the release before left stays for it, and is not looked at any more."""
    app.registry.records(changed=True)
    head = app.registry.platform("troll").etag
    ingest(app, hours(2))
    fresh = make_app(unique)
    fresh.registry.records(changed=True)
    assert marks(fresh) == {hours(2)}
    assert fresh.registry.record(A.id).latest["troll-a-1"].level is Level.WARNING
    assert marks(fresh, "troll-b") == {MOMENT}
    assert fresh.registry.platform("troll").etag == head


def test_beside_this_release_the_one_before_loses_no_watermark_and_this_one_neither(
    app: Bootstrap, old: Callable[..., str]
) -> None:
    """Whoever came further is right, in whatever order they write; each goes on from what it knows."""
    app.registry.records(changed=True)
    ingest(app, hours(2))
    assert "troll-a troll-a-1=01.00" in old("say()"), "the one before goes on from where it was: it asks again"
    old(until("troll-a", hours(1)))
    assert marks(app) == {hours(2)}
    old(until("troll-a", hours(3)))
    assert marks(app) == {hours(3)}, "at once"
    app.registry.records(changed=True)
    assert marks(app) == {hours(3)}, "and moved by the tick"
    ingest(app, hours(4))
    app.registry.records(changed=True)
    assert marks(app) == {hours(4)}
    assert app.registry.record(A.id).latest["troll-a-1"].at == hours(4)


def test_a_reset_is_not_undone_by_what_was_taken_over_before(app: Bootstrap, old: Callable[..., str]) -> None:
    """A watermark that was taken back, and a sensor that was made anew: what was moved before counts no more."""
    app.registry.records(changed=True)
    ingest(app, hours(0) - timedelta(hours=5))
    read = app.registry.platform("troll")
    less = A.model_copy(update={"sensors": A.sensors[:1]})
    app.registry.change(read, read.platform.model_copy(update={"templates": (less, B)}))
    app.registry.change(app.registry.platform("troll"), read.platform)
    old("rename('Theirs')")
    app.registry.records(changed=True)
    assert app.registry.record(A.id).ingested[A.id].watermarks == {"troll-a-1": MOMENT - timedelta(hours=5)}


def test_what_the_release_before_registers_is_seen(app: Bootstrap, old: Callable[..., str]) -> None:
    """At once by who reads one platform, and by the next tick in every list; a change of this one's takes it over."""
    app.registry.records(changed=True)
    app.registry.platforms()
    old("rename('Theirs')")
    assert app.registry.platform("troll").platform.name == "Theirs"
    app.registry.records(changed=True)
    assert [one.platform.name for one in app.registry.platforms()] == ["Theirs"]
    old(until("troll-a", hours(3)))
    app.registrations.change_platform("troll", {"name": "Ours"})
    assert marks(app) == {hours(3)}
    assert "troll-a troll-a-1=01.03" in old("say()")
    assert [one.platform.name for one in app.registry.records()] == ["Ours"]


def test_after_the_upgrade_nothing_of_before_is_left(app: Bootstrap, make_app: Make, unique: str) -> None:
    """Watermarks and newest samples are as they were; a second run moves nothing."""
    moved: list[Any] = [one for one in upgrade(app) if one.what == "what is known of each template"]
    assert [(one.rewritten, one.ended) for one in moved] == [(4, True)]
    table = app.clients.table(app.settings.storage.registry_table)
    assert not [row["RowKey"] for row in table.query_entities("PartitionKey eq 'troll'") if "ingest" in row["RowKey"]]
    fresh = make_app(unique)
    assert marks(fresh) == {MOMENT}
    assert marks(fresh, "troll-b") == {MOMENT}
    assert next(iter(upgrade(fresh))).rewritten == 0


def test_the_way_back_goes_on_from_the_watermarks_of_the_takeover(app: Bootstrap, old: Callable[..., str]) -> None:
    """The release before asks again for what came since; nothing begins from nothing."""
    app.registry.records(changed=True)
    ingest(app, hours(5))
    assert "troll-a troll-a-1=01.00 troll-a-2=01.00" in old("say()")
