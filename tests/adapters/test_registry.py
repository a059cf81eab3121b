"""The registry on real storage: what an unchanged read costs, who may change a definition, what a change leaves."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from azure.core.pipeline.transport import RequestsTransport

from shared.adapters.tables import AzureRegistryTable
from shared.adapters.tables import registry as registry_module
from shared.adapters.tables.registry_rows import INDEX, registration_of
from shared.bootstrap import Bootstrap
from shared.domain.deviation import Latest, Level
from shared.domain.ingest_state import IngestState, SeriesState, ToldGap
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.errors import Conflict, Exists, InvalidInput, NotFound
from shared.ports import PlatformRecord, Registration
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


def without_sensor(record: Registration, number: int) -> Platform:
    """Return the platform without that sensor of template A."""
    sensors = tuple(one for one in A.sensors if one.number != number)
    return with_a(record, A.model_copy(update={"sensors": sensors}))


def with_a(record: Registration, a: Template) -> Platform:
    """Return the platform with another template A."""
    others = tuple(one for one in record.platform.templates if one.id != A.id)
    return record.platform.model_copy(update={"templates": (a, *others)})


def renamed(record: Registration, name: str) -> Platform:
    """Return the platform under another name."""
    return record.platform.model_copy(update={"name": name})


def known_of(registry: AzureRegistryTable) -> PlatformRecord:
    """Return the platform with what is known of its data."""
    return next(one for one in registry.records() if one.platform.id == "troll")


def filled(app: Bootstrap) -> PlatformRecord:
    """Register two templates that have been ingested, learnt and scored; return what is read then."""
    app.registry.change(None, platform(A, B))
    stored = app.registry.platform("troll").stored
    for one in (A, B):
        watermarked(app.registry, one, {sensor.id: MOMENT for sensor in one.sensors} | {"current_speed": MOMENT})
        app.registry.set_latest(one, {sensor.id: LATEST for sensor in one.sensors}, None)
        for sensor in one.sensors:
            app.registry.set_history(one, sensor, history(sensor.id, "v1", DAY), stored[sensor.id].etag)
    app.registry.mend()  # as the first tick does
    return known_of(app.registry)


def keys(app: Bootstrap) -> set[str]:
    """Return the keys of all rows of the registry but the index."""
    table = app.clients.tables()[0]
    return {row["RowKey"] for row in table.list_entities() if row["PartitionKey"] != INDEX}


def test_what_is_written_is_read_back(make_app: Make, unique: str) -> None:
    """Watermarks, histories and newest samples come with the platform, each by its own key."""
    record = filled(make_app(unique))
    assert record.platform == platform(A, B)
    assert record.watermarks(B) == {"troll-b-1": MOMENT, "troll-b-2": MOMENT, "current_speed": MOMENT}
    assert record.latest == {sensor.id: LATEST for one in (A, B) for sensor in one.sensors}
    assert record.history("troll-a-2") == history("troll-a-2", "v1", DAY)


def test_an_unchanged_platform_costs_one_read(make_app: Make, unique: str) -> None:
    """The second reading asks for the head only; of all platforms for the index, with what is known of them or not."""
    app = make_app(unique)
    first = filled(app)
    known = app.registry.platform("troll")
    app.registry.platforms()
    with counted() as counts:
        assert app.registry.platform("troll") is known
    assert counts == {"GET": 1}
    with counted() as counts:
        assert list(app.registry.platforms()) == [known]
    assert counts == {"GET": 1}
    with counted() as counts:
        assert list(app.registry.records()) == [first]
    assert counts == {"GET": 1}


def test_what_changes_with_every_tick_costs_what_is_registered_nothing(make_app: Make, unique: str) -> None:
    """A watermark that moves leaves the head as it is, and one query tells all platforms' new ones."""
    app, other = make_app(unique), make_app(unique)
    filled(app)
    registered = app.registry.platform("troll")
    known_of(app.registry)
    tag = other.registry.record(A.id).latest_etags[A.id]
    other.registry.set_latest(A, {"troll-a-1": LATEST}, tag)
    watermarked(other.registry, A, {"troll-a-1": MOMENT})
    assert app.registry.platform("troll") is registered
    with counted() as counts:
        found = known_of(app.registry)
    assert counts == {"GET": 2}, "keys, then rows"
    assert found.watermarks(A) == {"troll-a-1": MOMENT}
    assert found == known_of(make_app(unique).registry)
    app.registry.change(registered, None)  # on the head that was read before
    with pytest.raises(NotFound):
        app.registry.platform("troll")


def test_a_template_is_read_alone(make_app: Make, unique: str) -> None:
    """By its head and its own rows if nothing changed; in a process that has read nothing yet the head comes along."""
    app = make_app(unique)
    whole = filled(app)
    for registry, reads in ((app.registry, 2), (make_app(unique).registry, 2)):
        with counted() as counts:
            found = registry.record(A.id)
        assert counts == {"GET": reads}
        assert found.platform == platform(A)
        assert (found.ingested, found.ingest_etags) == tuple(
            {A.id: one[A.id]} for one in (whole.ingested, whole.ingest_etags)
        )
        assert found.latest.keys() == {"troll-a-1", "troll-a-2"}
        assert found.stored.keys() == {"troll-a-1", "troll-a-2"}
        with pytest.raises(NotFound, match="template 'troll-c' is not registered at troll"):
            registry.record("troll-c")
        with pytest.raises(NotFound, match="platform 'snorre' is not registered"):
            registry.record("snorre-a")
        with pytest.raises(ValueError, match="read in part"):
            registry.change(found, None)


def test_another_process_write_is_seen_at_once(make_app: Make, unique: str) -> None:
    """Whatever is written elsewhere, what this process remembers is not used any more."""
    mine, theirs = make_app(unique).registry, make_app(unique).registry
    filled(make_app(unique))
    tag = known_of(theirs).latest_etags[A.id]
    writes: list[Callable[[], Any]] = [
        lambda: watermarked(theirs, A, {"troll-a-1": MOMENT}),
        lambda: theirs.set_latest(A, {}, tag),
        lambda: theirs.change(known := theirs.platform("troll"), renamed(known, "Troll 2")),
        lambda: theirs.set_history(
            A, A.sensors[0], history("troll-a-1", "v2", DAY), theirs.platform("troll").stored["troll-a-1"].etag
        ),
    ]
    for number, write in enumerate(writes):
        before, registered, alone = known_of(mine), mine.platform("troll"), mine.record(A.id)
        write()
        assert known_of(mine) != before
        assert mine.record(A.id) != alone
        assert (mine.platform("troll") != registered) is (number > 1)
        assert list(mine.platforms()) == [mine.platform("troll")]
    record = known_of(mine)
    assert (record.platform.name, record.watermarks(A)) == ("Troll 2", {"troll-a-1": MOMENT})
    assert record.history("troll-a-1") == history("troll-a-1", "v2", DAY)


def test_who_lists_while_another_writes_sees_what_was_written(
    make_app: Make, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At whichever point of the write the list was read, also where it ended there, or met another one."""
    mine = make_app(unique).registry
    first = renamed(filled(make_app(unique)), "First")
    mine.platforms()

    def meanwhile(before: str, work: Callable[[], Any]) -> AzureRegistryTable:
        theirs = make_app(unique).registry
        plain: Callable[..., Any] = theirs._states.name if before == "name" else vars(registry_module)["commit"]
        done: list[bool] = []

        def patched(*arguments: Any) -> Any:
            if not done:
                done.append(True)
                work()
            return plain(*arguments)

        target = theirs._states if before == "name" else registry_module
        monkeypatch.setattr(target, before, patched)
        return theirs

    def names() -> list[str]:
        return [one.platform.name for one in mine.platforms()]

    for point in ("name", "commit"):
        theirs = meanwhile(point, names)
        theirs.change(read := theirs.platform("troll"), renamed(read, f"At {point}"))
        assert names() == [f"At {point}"]

    def loses() -> None:
        other = make_app(unique).registry
        other.change(read := other.platform("troll"), renamed(read, "Winner"))
        assert names() == ["Winner"]

    for point in ("name", "commit"):
        theirs = meanwhile(point, loses)
        with pytest.raises(Conflict):
            theirs.change(theirs.platform("troll"), first)
        assert names() == ["Winner"]
        theirs = make_app(unique).registry
        theirs.change(read := theirs.platform("troll"), renamed(read, "After"))
        assert names() == ["After"]


def test_what_a_write_that_died_left_in_the_index_is_mended_by_the_next_tick(make_app: Make, unique: str) -> None:
    """Until then each list costs a read more of that platform, and says what is."""
    app, other = make_app(unique), make_app(unique)
    filled(app)
    app.registry.records(changed=True)
    other.registry._states.name("troll", "of a write that never came")
    for _ in range(2):
        with counted() as counts:
            assert [one.platform.id for one in app.registry.platforms()] == ["troll"]
        assert counts == {"GET": 2}
    app.registry.records(changed=True)
    app.registry.platforms()
    with counted() as counts:
        app.registry.platforms()
    assert counts == {"GET": 1}


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
    """A change leaves alone what belongs to what stays, and takes what belongs to what goes."""
    app = make_app(unique)
    read = filled(app)
    later = datetime(2026, 3, 2, tzinfo=UTC)
    watermarked(app.registry, A, {"troll-a-1": later, "troll-a-2": later})
    app.registry.change(read, without_sensor(read, 1))
    record = app.registry.record(A.id)
    assert record.ingested[A.id].watermarks == {"troll-a-2": later}


def test_a_sensor_that_goes_takes_what_was_known_of_it(make_app: Make, unique: str) -> None:
    """Created anew it begins from nothing; its neighbours keep baselines, watermarks and samples."""
    app = make_app(unique)
    read = filled(app)
    app.registry.change(read, without_sensor(read, 1))
    gone = app.registry.platform("troll")
    app.registry.change(gone, read.platform)
    back = known_of(app.registry)
    assert back.platform == read.platform
    assert not back.history("troll-a-1").changes
    assert set(back.latest) == {"troll-a-2", "troll-b-1", "troll-b-2"}
    assert set(back.watermarks(A)) == {"troll-a-2", "current_speed"}
    assert back.history("troll-a-2") == read.history("troll-a-2")


def test_what_stays_keeps_its_baselines(make_app: Make, unique: str) -> None:
    """A sensor that is moved is the same sensor; of the other rows none is written."""
    app = make_app(unique)
    read = filled(app)
    moved = A.sensors[0].model_copy(update={"x": 1.5})
    app.registry.change(read, with_a(read, A.model_copy(update={"sensors": (moved, A.sensors[1])})))
    back = known_of(app.registry)
    assert back.platform.templates[0].sensors[0].x == 1.5
    assert back.history("troll-a-1") == read.history("troll-a-1")
    assert back.ingested == read.ingested
    changed = [name for name in back.stored if back.stored[name].etag != read.stored[name].etag]
    assert changed == ["troll-a-1"]


def test_a_sensor_that_reads_another_series_begins_anew(make_app: Make, unique: str) -> None:
    """Baselines and watermark were those of the other series."""
    app = make_app(unique)
    read = filled(app)
    other = A.sensors[0].model_copy(update={"tag": "OTHER"})
    app.registry.change(read, with_a(read, A.model_copy(update={"sensors": (other, A.sensors[1])})))
    back = known_of(app.registry)
    assert not back.history("troll-a-1").changes
    assert "troll-a-1" not in {*back.latest, *back.watermarks(A)}


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
    assert not known_of(app.registry).ingested


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

    def meanwhile(*arguments: Any, **more: Any) -> Registration:
        found = registration_of(*arguments, **more)
        if not done:
            done.append(True)
            theirs.change(known := theirs.platform("troll"), renamed(known, "Meanwhile"))
        return found

    monkeypatch.setattr("shared.adapters.tables.registry.registration_of", meanwhile)
    stale = mine.platform("troll")
    assert stale.platform.name != "Meanwhile"
    assert mine.platform("troll").platform.name == "Meanwhile"
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
    read = known_of(app.registry)
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
    assert known_of(app.registry).ingested[A.id] == state


def test_what_was_told_of_a_sensor_goes_with_it(make_app: Make, unique: str) -> None:
    """One of the same name begins without."""
    app = make_app(unique)
    read = filled(app)
    told = {name: ToldGap(why="no samples", since=MOMENT) for name in ("troll-a-1", "troll-a-2")}
    state = read.ingested[A.id].model_copy(update={"told": told})
    app.registry.set_ingested(A, state, read.ingest_etags[A.id])
    read = known_of(app.registry)
    app.registry.change(read, without_sensor(read, 1))
    assert known_of(app.registry).ingested[A.id].told.keys() == {"troll-a-2"}


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
