"""While one release takes over from another: what either wrote is read, kept and named, on real storage."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from azure.data.tables import TableClient, UpdateMode

from admin.upgrade import upgrade
from shared.adapters.blobs import day_blob
from shared.adapters.tables import access
from shared.bootstrap import Bootstrap
from shared.detection import Baseline
from shared.domain.decisions import Decision
from shared.domain.event import note
from shared.domain.mark import Effect, Mark
from shared.domain.series_bodies import DeviationsBody
from shared.domain.tsd import ONE_DAY
from shared.errors import CorruptBlob, NewerSchema
from shared.schemas import CURRENT, FIRST_ENGINE, SCHEMA, STEPS, Stored
from shared.usecases.queries.series import Resolution, TimeRange
from tests.support.examples import (
    DAY,
    at,
    document,
    history,
    noise,
    platform,
    quiet_baseline,
    scored_day,
    template,
    watermarked,
)

pytestmark = pytest.mark.azurite
Make = Callable[..., Bootstrap]
TEMPLATE = template()
SENSOR = TEMPLATE.sensors[0]
ROW = f"sensor|{TEMPLATE.slug}|001"


@pytest.fixture
def app(make_app: Make, unique: str) -> Bootstrap:
    """A platform whose first sensor has a baseline history."""
    app = make_app(unique)
    app.registry.add(platform(TEMPLATE))
    stored = app.registry.platform("troll").stored[SENSOR.id]
    known = history(SENSOR.id, quiet_baseline().version, DAY)
    app.registry.set_history(TEMPLATE, SENSOR, known, stored.etag)
    return app


def rewrite(table: TableClient, partition: str, row: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Let another release have written a row otherwise."""
    properties = dict(table.get_entity(partition, row))
    change(properties)
    table.update_entity(properties, mode=UpdateMode.REPLACE)


def registry(app: Bootstrap) -> TableClient:
    """Return the registry's table."""
    return app.clients.table(app.settings.storage.registry_table)


def as_the_first_release_wrote_it(properties: dict[str, Any]) -> None:
    """Take what it did not write."""
    for name in (SCHEMA, "engine"):
        properties.pop(name, None)


def as_the_next_release_writes_it(properties: dict[str, Any]) -> None:
    """Add what this release does not know."""
    properties |= {SCHEMA: int(properties.get(SCHEMA, 1)) + 1, "unheard_of": "kept"}


@pytest.mark.parametrize(
    "change",
    [
        lambda app: app.registrations.change_sensor(SENSOR.id, {"pinned": True}),
        lambda app: app.registry.add(platform(TEMPLATE), replace=True),
        lambda app: app.registrations.change_template(TEMPLATE.id, {"depth": 299.0}),
    ],
    ids=["pin", "seed --replace", "depth"],
)
def test_a_part_of_an_older_row_is_written_and_the_rest_is_still_of_its_schema(
    app: Bootstrap, change: Callable[[Bootstrap], object]
) -> None:
    """The history beside it is read by its step, as before, also by who upgrades later."""
    rewrite(registry(app), "troll", ROW, as_the_first_release_wrote_it)
    change(app)
    assert app.registry.platform("troll").history(SENSOR.id).engine == FIRST_ENGINE
    list(upgrade(app))
    row = registry(app).get_entity("troll", ROW)
    assert (row["engine"], row[SCHEMA]) == (FIRST_ENGINE, CURRENT[Stored.REGISTRY])
    assert [one.platform.id for one in app.registry.platforms()] == ["troll"]


def test_a_history_is_written_into_a_row_of_the_next_release_and_nothing_of_it_is_lost(app: Bootstrap) -> None:
    """Neither what this release does not know, nor the number."""
    rewrite(registry(app), "troll", ROW, as_the_next_release_writes_it)
    before = registry(app).get_entity("troll", ROW)
    stored = app.registry.platform("troll").stored[SENSOR.id]
    later = history(SENSOR.id, "0123456789abcdef", DAY)
    app.registry.set_history(TEMPLATE, SENSOR, later, stored.etag)
    after = registry(app).get_entity("troll", ROW)
    assert {name: after[name] for name in ("body", "unheard_of", SCHEMA)} == {
        name: before[name] for name in ("body", "unheard_of", SCHEMA)
    }
    assert app.registry.platform("troll").history(SENSOR.id) == later


@pytest.mark.parametrize("row", ["platform", f"template|{TEMPLATE.slug}", ROW])
def test_what_a_newer_release_registered_is_changed_there(app: Bootstrap, row: str) -> None:
    """Written by this one, it would lose what this one ignores; ingest and detect go on meanwhile."""
    rewrite(registry(app), "troll", row, as_the_next_release_writes_it)
    before = dict(registry(app).get_entity("troll", row))
    with pytest.raises(NewerSchema, match="can only be changed there"):
        app.registrations.change_sensor(SENSOR.id, {"pinned": True})
    with pytest.raises(NewerSchema):
        app.registry.add(platform(TEMPLATE), replace=True)
    watermarked(app.registry, TEMPLATE, {SENSOR.id: at(DAY)})
    assert dict(registry(app).get_entity("troll", row)) == before
    assert app.registry.record(TEMPLATE.id).watermarks(TEMPLATE) == {SENSOR.id: at(DAY)}


def test_what_people_said_to_a_newer_release_is_changed_there(app: Bootstrap) -> None:
    """A mark of it is read and can be withdrawn, since nothing is written over; a note is not written over."""
    nothing = Effect(ok=0, warning=0, critical=0, undefined=0, max_score=None)
    mark = Mark(
        sensor=SENSOR.id, start=at(DAY), end=at(DAY, 2), verdict="leak", by="A", made=at(DAY, 3), before=nothing
    )
    app.marks.add(Decision(1, DAY, mark))
    marks = app.clients.table(app.settings.storage.marks_table)
    rewrite(marks, SENSOR.id, "decision|0000000001", as_the_next_release_writes_it)
    before = dict(marks.get_entity(SENSOR.id, "decision|0000000001"))
    assert app.marks.of(SENSOR.id).marks == (mark,)
    assert app.feedback.undo_mark(SENSOR.id, mark.id).undone
    assert dict(marks.get_entity(SENSOR.id, "decision|0000000001")) == before

    written = note(TEMPLATE.id, at(DAY), "A", "one")
    app.events.put(written)
    events = app.clients.table(app.settings.storage.events_table)
    row = next(one for one in events.list_entities() if one["kind"] == "note")
    rewrite(events, TEMPLATE.id, row["RowKey"], as_the_next_release_writes_it)
    seen = app.events.get(TEMPLATE.id, written.id)
    assert seen is not None
    with pytest.raises(NewerSchema):
        app.events.replace(written.model_copy(update={"message": "two"}), seen.etag)


def test_an_event_of_a_kind_that_only_a_newer_release_knows_hides_no_other(app: Bootstrap) -> None:
    """Also long after it was taken back."""
    for hour, message in ((1, "one"), (2, "two"), (3, "three")):
        app.events.put(note(TEMPLATE.id, at(DAY, hour), "A", message))
    events = app.clients.table(app.settings.storage.events_table)
    second = next(row for row in events.list_entities() if row["message"] == "two")
    rewrite(events, TEMPLATE.id, second["RowKey"], lambda row: row.update({"kind": "unheard_of", SCHEMA: 9}))
    assert [one.message for one in app.events.list(TEMPLATE.id)] == ["three", "one"]


def test_a_decision_that_is_neither_mark_nor_undo_is_not_taken_for_one(app: Bootstrap) -> None:
    """Rather nothing is decided than something else."""
    marks = app.clients.table(app.settings.storage.marks_table)
    marks.create_entity(
        {"PartitionKey": SENSOR.id, "RowKey": "decision|0000000001", "kind": "pause", SCHEMA: 3, "body": "{}"}
    )
    with pytest.raises(NewerSchema):
        app.marks.of(SENSOR.id)


def test_baselines_are_named_by_the_bytes_that_are_stored(
    make_app: Make, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a release with another schema of baselines reads those of before, and those of after."""
    app = make_app(unique)
    app.baselines.put("troll-a-1", quiet_baseline())
    version, number = quiet_baseline().version, CURRENT[Stored.BASELINE]
    monkeypatch.setitem(CURRENT, Stored.BASELINE, number + 1)
    monkeypatch.setitem(STEPS, (Stored.BASELINE, number), lambda header: header)
    later = make_app(unique).baselines
    assert later.get("troll-a-1", version).version == version
    newer = Baseline.from_bytes(quiet_baseline().to_bytes())
    assert newer.version != version
    later.put("troll-a-1", newer)
    monkeypatch.setitem(CURRENT, Stored.BASELINE, number)
    assert make_app(unique).baselines.get("troll-a-1", newer.version).version == newer.version


@pytest.mark.parametrize("nulls", [False, True], ids=["missing", "null"])
def test_days_of_before_name_no_channel_and_the_next_ones_do(
    app: Bootstrap, request: pytest.FixtureRequest, nulls: bool
) -> None:
    """As columns of one answer, whose rows are of both schemas."""
    if nulls:
        request.getfixturevalue("_nulls")
    later = replace(scored_day(sensor=SENSOR.id), day=DAY + ONE_DAY)
    for day in (scored_day(sensor=SENSOR.id), later):
        app.deviations.put(day, None)
    rewrite(app.clients.table(app.settings.storage.deviations_table), SENSOR.id, DAY.isoformat(), without_channels)
    _, columns = app.deviations.columns(SENSOR.id, DAY, DAY + ONE_DAY, ("score", "channel"))
    assert columns["channel"].tolist() == [-1] * 144 + later.channel.tolist()
    assert columns["score"].size == 288
    found = app.series_queries.scores(SENSOR.id, TimeRange(at(DAY), at(DAY, 48)), Resolution.parse("raw"), None)
    assert isinstance(found, DeviationsBody)
    assert (found.channel[:144], found.channel[144:147]) == ([None] * 144, ["profile", "course", None])


def without_channels(properties: dict[str, Any]) -> None:
    """Take what the release before did not write."""
    for name in ("channel", "currents"):
        del properties[name]
    properties[SCHEMA] = CURRENT[Stored.DEVIATIONS] - 1


def test_a_damaged_baseline_is_corrupt_and_no_other_engines(make_app: Make, unique: str) -> None:
    """One bit of a channel's name must not pass for another engine, of which nobody is told."""
    app = make_app(unique)
    app.baselines.put("troll-a-1", quiet_baseline())
    container = app.clients.container(app.settings.storage.baselines_container)
    name = f"troll-a-1/{quiet_baseline().version}.bin"
    container.upload_blob(name, quiet_baseline().to_bytes().replace(b"release", b"releasE"), overwrite=True)
    with pytest.raises(CorruptBlob, match="holds"):
        make_app(unique).baselines.get("troll-a-1", quiet_baseline().version)


def test_an_upgrade_of_the_lake_names_what_it_cannot_read_and_goes_on(app: Bootstrap) -> None:
    """A blob of a newer release, a broken one and a strange number in the metadata stop nothing."""
    app.lake.write(TEMPLATE, document(TEMPLATE, DAY, s1=noise(1)), None)
    container = app.clients.container(app.settings.storage.lake_container)
    for day, content in (("2026-03-02", b'{"schema": 9}'), ("2026-03-03", b"{"), ("2026-03-04", b"")):
        container.upload_blob(f"troll/a/{day}.json", content, metadata={SCHEMA: "many"})
    lake = [one for one in upgrade(app) if one.what == Stored.DAY][-1]
    assert (lake.looked_at, lake.rewritten, lake.refused) == (4, 0, 3)
    assert container.download_blob(day_blob(TEMPLATE, DAY)).readall()


@pytest.fixture
def _nulls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables as on Azure: what was selected and is not there is null (Azurite leaves it out)."""
    for name in ("query_entities", "list_entities", "get_entity"):
        plain = getattr(TableClient, name)

        def with_nulls(self: TableClient, *args: Any, plain: Any = plain, **more: Any) -> Any:
            found = plain(self, *args, **more)
            names = more.get("select") or []
            one = [found] if isinstance(found, dict) else found
            filled = []
            for entity in one:
                for missing in set(names) - entity.keys():
                    entity[missing] = None
                filled.append(entity)
            return filled[0] if isinstance(found, dict) else iter(filled)

        monkeypatch.setattr(TableClient, name, with_nulls)


@pytest.mark.usefixtures("_nulls")
def test_rows_of_before_are_read_and_upgraded_where_what_is_missing_is_null(app: Bootstrap) -> None:
    """A property that was asked for and is not there has no value, rather than a wrong one."""
    app.deviations.put(scored_day(sensor=SENSOR.id), None)
    table = app.clients.table(app.settings.storage.deviations_table)
    rewrite(table, SENSOR.id, DAY.isoformat(), as_the_first_release_wrote_it)
    (summary,) = app.deviations.summaries(SENSOR.id, DAY, DAY)
    assert summary.engine == FIRST_ENGINE
    times, columns = app.deviations.columns(SENSOR.id, DAY, DAY, ("ppmv", "level"))
    assert times.size == columns["level"].size == 144
    done = {one.what: one for one in upgrade(app) if one.ended}
    assert (done[table.table_name].rewritten, done[table.table_name].refused) == (1, 0)
    assert access.get_entity(table, SENSOR.id, DAY.isoformat(), [SCHEMA, "unheard_of"]) == {
        SCHEMA: CURRENT[Stored.DEVIATIONS]
    }
