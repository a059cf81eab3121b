"""The registry on real storage: what an unchanged read costs, who may change a definition, what a change leaves."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from azure.core.pipeline.transport import RequestsTransport

from shared.adapters.tables.registry_rows import platform_record
from shared.bootstrap import Bootstrap
from shared.domain.deviation import Latest, Level
from shared.domain.ingest_state import IngestState, SeriesState, ToldGap
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.errors import Conflict, Exists, InvalidInput, NotFound
from shared.ports import PlatformRecord
from tests.support.examples import DAY, history, platform, template, watermarked

pytestmark = pytest.mark.azurite
Make = Callable[..., Bootstrap]
MOMENT = datetime(2026, 3, 1, tzinfo=UTC)
A, B = template(slug="a"), template(slug="b")
LATEST = Latest(at=MOMENT, level=Level.OK, score=0.5, ppmv=10.0, since=MOMENT, channel=3, raw=0.5)


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count the requests that are sent, by method."""
    counts: Counter[str] = Counter()
    send = RequestsTransport.send

    def counting(self: RequestsTransport, request: Any, **more: Any) -> Any:
        counts[request.method] += 1
        return send(self, request, **more)

    with patch.object(RequestsTransport, "send", counting):
        yield counts


def without_sensor(record: PlatformRecord, number: int) -> Platform:
    """Return the platform without that sensor of template A."""
    sensors = tuple(one for one in A.sensors if one.number != number)
    return with_a(record, A.model_copy(update={"sensors": sensors}))


def with_a(record: PlatformRecord, a: Template) -> Platform:
    """Return the platform with another template A."""
    others = tuple(one for one in record.platform.templates if one.id != A.id)
    return record.platform.model_copy(update={"templates": (a, *others)})


def renamed(record: PlatformRecord, name: str) -> Platform:
    """Return the platform under another name."""
    return record.platform.model_copy(update={"name": name})


def filled(app: Bootstrap) -> PlatformRecord:
    """Register two templates that have been ingested, learnt and scored; return what is read then."""
    app.registry.change(None, platform(A, B))
    stored = app.registry.platform("troll").stored
    for one in (A, B):
        watermarked(app.registry, one, {sensor.id: MOMENT for sensor in one.sensors} | {"current_speed": MOMENT})
        app.registry.set_latest(one, {sensor.id: LATEST for sensor in one.sensors}, None)
        for sensor in one.sensors:
            app.registry.set_history(one, sensor, history(sensor.id, "v1", DAY), stored[sensor.id].etag)
    return app.registry.platform("troll")


def keys(app: Bootstrap) -> set[str]:
    """Return the keys of all rows of the registry."""
    table = app.clients.tables()[0]
    return {row["RowKey"] for row in table.list_entities(select=["RowKey"])}


def test_what_is_written_is_read_back(make_app: Make, unique: str) -> None:
    """Watermarks, histories and newest samples come with the platform, each by its own key."""
    record = filled(make_app(unique))
    assert record.platform == platform(A, B)
    assert record.watermarks[B.id] == {"troll-b-1": MOMENT, "troll-b-2": MOMENT, "current_speed": MOMENT}
    assert record.latest == {sensor.id: LATEST for one in (A, B) for sensor in one.sensors}
    assert record.history("troll-a-2") == history("troll-a-2", "v1", DAY)


def test_an_unchanged_platform_costs_one_read(make_app: Make, unique: str) -> None:
    """The second reading asks for the head only, of one platform as of all, and gives the same."""
    app = make_app(unique)
    first = filled(app)
    with counted() as counts:
        assert app.registry.platform("troll") is first
    assert counts == {"GET": 1}
    with counted() as counts:
        assert list(app.registry.platforms()) == [first]
    assert counts == {"GET": 1}


def one_of(app: Bootstrap, *, changed: bool) -> list[PlatformRecord]:
    """Read one platform."""
    return [app.registry.platform("troll", changed=changed)]


def all_of(app: Bootstrap, *, changed: bool) -> list[PlatformRecord]:
    """Read all platforms."""
    return list(app.registry.platforms(changed=changed))


def test_a_platform_that_is_expected_to_have_changed_costs_one_read(make_app: Make, unique: str) -> None:
    """Its rows are read at once, with the head that they are of; of one platform as of all."""
    app, other = make_app(unique), make_app(unique)
    filled(app)
    app.registry.change(None, Platform(id="oseberg", name="Oseberg", facility="OSE"))
    app.registry.platforms()
    for read in (one_of, all_of):
        tag = other.registry.platform("troll").latest_etags[A.id]
        other.registry.set_latest(A, {"troll-a-1": LATEST}, tag)
        with counted() as counts:
            found = read(app, changed=True)
        assert counts == {"GET": 1}
        assert found == read(make_app(unique), changed=False)
        assert all(one is known for one, known in zip(read(app, changed=True), found, strict=True)), "it is in memory"
    app.registry.change(one_of(app, changed=True)[0], None)  # on the head that was read
    with pytest.raises(NotFound):
        app.registry.platform("troll", changed=True)


def test_another_process_write_is_seen_at_once(make_app: Make, unique: str) -> None:
    """Whatever is written elsewhere, what this process remembers is not used any more."""
    mine, theirs = make_app(unique).registry, make_app(unique).registry
    filled(make_app(unique))
    tag = theirs.platform("troll").latest_etags[A.id]
    writes: list[Callable[[], Any]] = [
        lambda: watermarked(theirs, A, {"troll-a-1": MOMENT}),
        lambda: theirs.set_latest(A, {}, tag),
        lambda: theirs.change(known := theirs.platform("troll"), renamed(known, "Troll 2")),
        lambda: theirs.set_history(
            A, A.sensors[0], history("troll-a-1", "v2", DAY), theirs.platform("troll").stored["troll-a-1"].etag
        ),
    ]
    for write in writes:
        before = mine.platform("troll")
        write()
        assert mine.platform("troll") != before
        assert list(mine.platforms()) == [mine.platform("troll")]
    record = mine.platform("troll")
    assert (record.platform.name, record.watermarks[A.id]) == ("Troll 2", {"troll-a-1": MOMENT})
    assert record.history("troll-a-1") == history("troll-a-1", "v2", DAY)


def test_of_two_writers_one_reads_again(make_app: Make, unique: str) -> None:
    """A definition is changed only on the state that was read."""
    mine, theirs = make_app(unique).registry, make_app(unique).registry
    read = filled(make_app(unique))
    theirs.change(theirs.platform("troll"), renamed(read, "Theirs"))
    with pytest.raises(Conflict):
        mine.change(read, renamed(read, "Mine"))
    with pytest.raises(Conflict):
        mine.change(read, None)
    with pytest.raises(Exists, match="exists"):
        mine.change(None, read.platform)
    assert mine.platform("troll").platform.name == "Theirs"


def test_watermarks_that_move_between_reading_and_changing_are_not_lost(make_app: Make, unique: str) -> None:
    """A change on what was read before them is refused: it could have carried old watermarks over new ones."""
    app = make_app(unique)
    read = filled(app)
    later = datetime(2026, 3, 2, tzinfo=UTC)
    watermarked(app.registry, A, {"troll-a-1": later, "troll-a-2": later})
    with pytest.raises(Conflict):
        app.registry.change(read, without_sensor(read, 1))
    again = app.registry.platform("troll")
    app.registry.change(again, without_sensor(again, 1))
    assert app.registry.platform("troll").watermarks[A.id] == {"troll-a-2": later}


def test_a_sensor_that_goes_takes_what_was_known_of_it(make_app: Make, unique: str) -> None:
    """Created anew it begins from nothing; its neighbours keep baselines, watermarks and samples."""
    app = make_app(unique)
    read = filled(app)
    app.registry.change(read, without_sensor(read, 1))
    gone = app.registry.platform("troll")
    app.registry.change(gone, read.platform)
    back = app.registry.platform("troll")
    assert back.platform == read.platform
    assert not back.history("troll-a-1").changes
    assert set(back.latest) == {"troll-a-2", "troll-b-1", "troll-b-2"}
    assert set(back.watermarks[A.id]) == {"troll-a-2", "current_speed"}
    assert back.history("troll-a-2") == read.history("troll-a-2")


def test_what_stays_keeps_its_baselines(make_app: Make, unique: str) -> None:
    """A sensor that is moved is the same sensor; of the other rows none is written."""
    app = make_app(unique)
    read = filled(app)
    moved = A.sensors[0].model_copy(update={"x": 1.5})
    app.registry.change(read, with_a(read, A.model_copy(update={"sensors": (moved, A.sensors[1])})))
    back = app.registry.platform("troll")
    assert back.platform.templates[0].sensors[0].x == 1.5
    assert back.history("troll-a-1") == read.history("troll-a-1")
    assert back.watermarks == read.watermarks
    changed = [name for name in back.stored if back.stored[name].etag != read.stored[name].etag]
    assert changed == ["troll-a-1"]


def test_a_sensor_that_reads_another_series_begins_anew(make_app: Make, unique: str) -> None:
    """Baselines and watermark were those of the other series."""
    app = make_app(unique)
    read = filled(app)
    other = A.sensors[0].model_copy(update={"tag": "OTHER"})
    app.registry.change(read, with_a(read, A.model_copy(update={"sensors": (other, A.sensors[1])})))
    back = app.registry.platform("troll")
    assert not back.history("troll-a-1").changes
    assert "troll-a-1" not in {*back.latest, *back.watermarks[A.id]}


def test_a_template_and_a_platform_go_with_all_their_rows(make_app: Make, unique: str) -> None:
    """Nothing is left that a new one of that name could inherit."""
    app = make_app(unique)
    read = filled(app)
    app.registry.change(read, read.platform.model_copy(update={"templates": (B,)}))
    assert not [key for key in keys(app) if "|a" in key]
    app.registry.change(app.registry.platform("troll"), None)
    assert not keys(app)
    with pytest.raises(NotFound):
        app.registry.platform("troll")
    assert not app.registry.platforms()


def test_what_a_late_run_left_is_not_inherited(make_app: Make, unique: str) -> None:
    """Watermarks that a run wrote after the platform had gone do not keep a new one from being filled."""
    app = make_app(unique)
    app.registry.change(filled(app), None)
    watermarked(app.registry, A, {"troll-a-1": MOMENT})
    assert not app.registry.platforms()
    app.registry.change(None, platform(A))
    assert not app.registry.platform("troll").watermarks


def test_more_rows_than_a_transaction_takes(make_app: Make, unique: str) -> None:
    """150 rows come and go in several transactions, each on the head that the last one left."""
    app = make_app(unique)
    many = platform(*(template(slug=f"t{number}", sensors=4) for number in range(30)))
    app.registry.change(None, many)
    read = make_app(unique).registry.platform("troll")
    assert set(read.platform.templates) == set(many.templates)
    app.registry.change(read, many.model_copy(update={"templates": ()}))
    assert keys(app) == {"head", "platform"}
    app.registry.change(app.registry.platform("troll"), many)
    app.registry.change(app.registry.platform("troll"), None)
    assert not keys(app)


def without_heads(app: Bootstrap) -> None:
    """Make the storage one of old."""
    table = app.clients.tables()[0]
    for row in table.query_entities("RowKey eq 'head'"):
        table.delete_entity(row)


def test_storage_of_old_is_read_and_changed(make_app: Make, unique: str) -> None:
    """Partitions without a head are found beside those that have one; the first change gives them one."""
    app = make_app(unique)
    filled(app)
    without_heads(app)
    other = Platform(id="oseberg", name="Oseberg", facility="OSE")
    app.registry.change(None, other)
    assert [one.platform.id for one in app.registry.platforms()] == ["oseberg", "troll"]
    old = app.registry.platform("troll")
    assert old.etag is None
    app.registry.change(old, renamed(old, "New"))
    with pytest.raises(Conflict):
        app.registry.change(old, renamed(old, "Newer"))
    assert app.registry.platform("troll").etag is not None
    without_heads(app)
    app.registry.change(app.registry.platform("troll"), None)
    assert keys(app) == {"platform"}  # the other one's


def test_a_write_while_a_platform_is_read_shows_the_next_time(
    make_app: Make, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read after the head is remembered under the head of before, which is not the head any more."""
    mine, theirs = make_app(unique).registry, make_app(unique).registry
    filled(make_app(unique))
    done: list[bool] = []

    def meanwhile(*arguments: Any) -> PlatformRecord:
        found = platform_record(*arguments)
        if not done:
            done.append(True)
            watermarked(theirs, A, {"troll-a-1": MOMENT})
        return found

    monkeypatch.setattr("shared.adapters.tables.registry.platform_record", meanwhile)
    stale = mine.platform("troll")
    assert mine.platform("troll").watermarks[A.id] == {"troll-a-1": MOMENT}
    with pytest.raises(Conflict):
        mine.change(stale, None)


def test_a_platform_of_another_facility_does_not_take_its_place(make_app: Make, unique: str) -> None:
    """Loading it again with ``replace`` would let two installations go on in one series."""
    app = make_app(unique)
    filled(app)
    other = platform(A, B).model_copy(update={"facility": "OSE"})
    with pytest.raises(InvalidInput, match="is read from facility TRA"):
        app.registry.add(other, replace=True)
    assert app.registry.platform("troll").platform.facility == "TRA"


def test_a_state_is_written_on_what_was_read(make_app: Make, unique: str) -> None:
    """Whoever read it before another one wrote it is refused; tags, problems and moments come back as they were."""
    app = make_app(unique)
    filled(app)
    read = app.registry.platform("troll")
    one = SeriesState(
        until=MOMENT,
        tag="T",
        source_id="s1",
        begin=MOMENT,
        anew=MOMENT,
        newest=MOMENT,
        problem="it is gone",
        since=MOMENT,
    )
    told = {"troll-a-1": ToldGap(why="left out", since=MOMENT)}
    state = IngestState(series={"troll-a-1": one}, told=told, looked_back=MOMENT, failed=MOMENT)
    app.registry.set_ingested(A, state, read.ingest_etags[A.id])
    with pytest.raises(Conflict):
        app.registry.set_ingested(A, IngestState(), read.ingest_etags[A.id])
    assert app.registry.platform("troll").ingested[A.id] == state


def test_what_was_told_of_a_sensor_goes_with_it(make_app: Make, unique: str) -> None:
    """One of the same name begins without."""
    app = make_app(unique)
    read = filled(app)
    told = {name: ToldGap(why="no samples", since=MOMENT) for name in ("troll-a-1", "troll-a-2")}
    state = read.ingested[A.id].model_copy(update={"told": told})
    app.registry.set_ingested(A, state, read.ingest_etags[A.id])
    read = app.registry.platform("troll")
    app.registry.change(read, without_sensor(read, 1))
    assert app.registry.platform("troll").ingested[A.id].told.keys() == {"troll-a-2"}


def test_a_sensor_made_anew_makes_a_run_that_still_knew_it_lose_its_write(make_app: Make, unique: str) -> None:
    """So no watermark of the old series stands for the new one."""
    app = make_app(unique)
    read = filled(app)
    app.registry.change(read, without_sensor(read, 1))
    with pytest.raises(Conflict):
        app.registry.set_ingested(A, read.ingested[A.id], read.ingest_etags[A.id])


def test_a_deletion_that_was_begun_is_known_until_it_is_done(make_app: Make, unique: str) -> None:
    """It is written on what was read, and goes with what it names; a sensor created anew is not being deleted."""
    registry = make_app(unique).registry
    registry.add(platform(A, B))
    before = registry.platform("troll")
    registry.begin_deletion(before, "troll-a-1")
    with pytest.raises(Conflict):
        registry.begin_deletion(before, "troll-b")
    begun = registry.platform("troll")
    assert (begun.deletions, begun.platform) == (frozenset({"troll-a-1"}), before.platform)
    registry.begin_deletion(begun, "troll-b")
    registry.change(registry.platform("troll"), without_sensor(begun, 1))
    assert registry.platform("troll").deletions == {"troll-b"}
    registry.change(registry.platform("troll"), before.platform)
    assert registry.platform("troll").deletions == {"troll-b"}
