"""What is stored can change: each release reads what the one before wrote, and leaves alone what the next one will."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables import TableEntity

from shared.adapters.tables import deviations
from shared.adapters.tables.alarms import alarm_of
from shared.adapters.tables.events import event_of
from shared.adapters.tables.incidents import estimation_of, incident_of
from shared.adapters.tables.journal import entry_of, evidence_of
from shared.adapters.tables.marks import decisions_of
from shared.adapters.tables.proof_tests import proof_tests_of
from shared.adapters.tables.registry_rows import (
    INDEX,
    INGEST,
    LATEST,
    ingest_state,
    latest_entity,
    latest_of,
    legacy_of,
    registration_of,
)
from shared.adapters.tables.registry_states import Own, record_of
from shared.adapters.tables.statements import statements_of
from shared.adapters.tables.suppressions import suppression_of
from shared.detection import Baseline, engine_id
from shared.detection.channels import SCALES, Channel
from shared.domain.baseline_request import BaselineRequest
from shared.domain.decisions import Decisions
from shared.domain.deviation import Latest
from shared.domain.incident import CriticalMessage
from shared.domain.notice import NotificationMessage
from shared.domain.statement_request import StatementRequest
from shared.domain.tsd import TemplateDay
from shared.errors import CorruptBlob, InvalidInput, NewerSchema, OtherEngine
from shared.ports import PlatformRecord
from shared.schemas import CURRENT, FIRST_ENGINE, SCHEMA, STEPS, Stored, schema_of, upgraded
from tests.conftest import bootstrap, environment
from tests.support.examples import DAY, PPMV, platform, template
from tests.support.fakes import World
from tests.support.paths import DATA, ROOT
from tests.support.record_formats import PREFIX, record

FORMATS = DATA / "formats"
FIRST, PREVIOUS, TODAY = FORMATS / "first", FORMATS / "before", FORMATS / "today"

Row = Mapping[str, Any]


def rows(folder: Path, table: str) -> list[TableEntity]:
    """Return a table's recorded rows as the table client gives them."""

    def restored(one: dict[str, Any]) -> Any:
        return base64.b64decode(one["binary"]) if one.keys() == {"binary"} else one

    found = []
    for row in json.loads((folder / f"{table}.json").read_text(), object_hook=restored):
        found.append(entity_of(row))
    return found


def entity_of(row: Row) -> TableEntity:
    """Return the row as the table client gives it."""
    entity = TableEntity(row)
    entity._metadata = {"etag": "1", "timestamp": None}
    return entity


def shown(day: Any) -> Any:
    """Return a scored day so that it can be compared."""
    return (
        day.engine,
        day.baseline,
        day.bad,
        repr(day.before),
        repr(day.carry),
        day.score.tobytes(),
        day.level.tobytes(),
    )


def registered(found: list[TableEntity]) -> PlatformRecord:
    """Return the platform that the rows of a registry say, of whichever release."""
    own: dict[str, dict[str, Own | Exception]] = {}
    for row in found:
        if row["PartitionKey"].startswith(INDEX) and row["RowKey"] in (INGEST, LATEST):
            value = (ingest_state if row["RowKey"] == INGEST else latest_of)(row)
            own.setdefault(row["PartitionKey"].removeprefix(INDEX), {})[row["RowKey"]] = Own(value, "etag")
    registered = [row for row in found if not row["PartitionKey"].startswith(INDEX)]
    record = record_of(registration_of(registered, None), legacy_of(registered), own)
    return replace(record, ingest_etags={}, latest_etags={})


# What this release makes of a table's rows, by table.
READERS: dict[str, tuple[Stored, Callable[[list[TableEntity]], Any]]] = {
    "registry": (Stored.REGISTRY, registered),
    "deviations": (Stored.DEVIATIONS, lambda found: [shown(deviations.row_of(row)) for row in found]),
    "incidents": (Stored.INCIDENT, lambda found: [incident_of(row, None)._replace(told=None) for row in found]),
    "estimations": (Stored.ESTIMATION, lambda found: [estimation_of(row, None) for row in found]),
    "events": (Stored.EVENT, lambda found: [event_of(row) for row in found]),
    "marks": (Stored.MARK, lambda found: Decisions.of(one for row in found for one in decisions_of(row))),
    "journal": (Stored.JOURNAL, lambda found: [(entry_of(row), evidence_of(row)) for row in found]),
    "alarms": (Stored.ALARM, lambda found: [alarm_of(row, None) for row in found]),
    "suppressions": (Stored.SUPPRESSION, lambda found: [suppression_of(row, None) for row in found]),
    "prooftests": (Stored.PROOF_TEST, lambda found: [proof_tests_of(row, None) for row in found]),
    "statements": (Stored.STATEMENT, lambda found: [statements_of(row, None) for row in found]),
}


OF_THE_FIRST = [table for table in READERS if (FIRST / f"{table}.json").exists()]  # it had no others


@pytest.mark.parametrize("table", OF_THE_FIRST)
def test_rows_that_the_first_release_wrote_say_the_same(table: str) -> None:
    """The steps lead from its rows to what this release's rows say."""
    _, read = READERS[table]
    before, after = rows(FIRST, table), rows(TODAY, table)
    if table == "marks":  # today's hold one more decision, and all of them when they were recorded
        assert read(before).undone() == read(after).undone()
        assert {(one.id, one.note) for one in read(before).marks} == {(one.id, one.note) for one in read(after).marks}
    elif table in ("events", "estimations"):  # these hold when they were recorded
        assert {type(one) for one in read(before)} == {type(one) for one in read(after)}
    elif table == "registry":  # the first release did not record what a level rests on
        assert read(before) == replace(read(after), latest=unexplained(read(after)))
    else:
        assert read(before) == read(after)


def test_rows_that_the_release_before_wrote_say_the_same() -> None:
    """It kept what changes with every tick among what is registered."""
    assert registered(rows(PREVIOUS, "registry")) == registered(rows(TODAY, "registry"))


def unexplained(record: PlatformRecord) -> dict[str, Latest]:
    """Return the newest samples without what their levels rest on."""
    return {key: one.model_copy(update={"channel": -1, "raw": None}) for key, one in record.latest.items()}


def test_what_a_level_rests_on_is_read_where_it_was_recorded() -> None:
    """By the release that wrote it; in rows of before nothing is known of it."""
    today, first = (registered(rows(folder, "registry")).latest for folder in (TODAY, FIRST))
    assert {(one.channel, one.raw is None) for one in today.values()} == {(Channel.RELEASE, False)}
    assert {(one.channel, one.raw) for one in first.values()} == {(Channel.NONE, None)}


def test_what_a_level_rests_on_stands_beside_the_samples() -> None:
    """The first release refuses a sample with a property that it does not know, and with it the whole platform."""
    first = next(row for row in rows(FIRST, "registry") if row["RowKey"] == "latest|w")
    written = latest_entity("snorre-w", registered(rows(TODAY, "registry")).latest)
    known = [{name for sample in json.loads(row["sensors"]).values() for name in sample} for row in (first, written)]
    assert known[0] == known[1]
    assert latest_of(entity_of(written)) == registered(rows(TODAY, "registry")).latest


def test_decisions_without_a_number_come_first_and_by_time() -> None:
    """Whatever the clocks of those with a number said; a withdrawal that a mark of then holds comes after it."""
    first = rows(FIRST, "marks")
    (mark, body) = next((row, json.loads(row["body"])) for row in first if row["RowKey"].startswith("mark"))
    for moment in ("2026-11-27T12:00:00Z", "2026-11-20T12:00:00Z"):  # of a clock that was behind, too
        mark["body"] = json.dumps({**body, "undone": moment})
        decisions = Decisions.of(one for row in [*rows(TODAY, "marks"), *first] for one in decisions_of(row))
        assert [one.number for one in decisions.all] == [0, 0, 0, 0, 1, 2, 3, 4]
        unnumbered = Decisions(decisions.all[:4])
        assert [one.id for one in unnumbered.marks if one.undone] == [mark["RowKey"].removeprefix("mark|")]
        assert decisions.next(decisions.all[-1].what, DAY).number == 5
        (upgraded_mark,) = decisions_of(entity_of(upgraded(Stored.MARK, first[-1])))
        assert upgraded_mark in unnumbered.all


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step[0]} {step[1]}")
def test_each_step_is_needed(step: tuple[Stored, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, what the release before wrote cannot be read: so the recorded rows are of that schema."""
    monkeypatch.setitem(STEPS, step, lambda row: row)
    table, read = next((table, read) for table, (kind, read) in READERS.items() if kind is step[0])
    with pytest.raises((KeyError, ValueError)):
        read(rows(FIRST, table))


def test_every_schema_can_be_reached_from_the_one_before() -> None:
    """There is a step for each number below today's, but for what never had another."""
    assert STEPS.keys() == {
        (kind, number) for kind, today in CURRENT.items() for number in range(1, today) if kind is not Stored.BASELINE
    }


@pytest.mark.parametrize("folder", [FIRST, TODAY], ids=["first", "today"])
def test_recorded_blobs_and_messages_are_read(folder: Path) -> None:
    """Day, baseline and messages are as they were."""
    day = TemplateDay.from_json((folder / "day.json").read_bytes(), "day.json")
    assert (day.template, day.day, len(day.sensors)) == ("snorre-w", date(2026, 3, 2), 4)
    assert day.to_json() == (folder / "day.json").read_bytes()
    recorded = (folder / "baseline.bin").read_bytes()
    if recorded_channels(recorded) == [channel.word for channel in SCALES]:
        assert Baseline.from_bytes(recorded).to_bytes() == recorded
    else:
        with pytest.raises(OtherEngine):
            Baseline.from_bytes(recorded)
    assert CriticalMessage.from_json((folder / "critical-deviations.json").read_bytes()).template == "snorre-w"
    assert BaselineRequest.from_json((folder / "build-baselines.json").read_bytes()).template == "snorre-w"
    if folder != FIRST:  # nobody was notified then
        assert NotificationMessage.from_json((folder / "notifications.json").read_bytes()).kind == "raised"


def test_a_recorded_request_for_a_statement_is_read() -> None:
    """The first release had none."""
    assert StatementRequest.from_json((TODAY / "performance-statements.json").read_bytes()).template == "snorre-w"


def recorded_channels(baseline: bytes) -> list[str]:
    """Return the channels that a baseline was made for."""
    header = json.loads(baseline.split(b"\n")[1])
    return [channel["name"] for channel in header["channels"]]


@pytest.mark.azurite
def test_what_is_written_today_is_what_was_recorded(azurite: Any) -> None:
    """A property that comes or goes without a word in the recorded examples is noticed."""
    app = bootstrap(environment(azurite.connection_string, PREFIX))
    app.clients.ensure_storage()
    found = record(app)
    assert found.keys() == {path.name for path in TODAY.iterdir()}
    for table in READERS:
        written, recorded = json.loads(found[f"{table}.json"]), json.loads((TODAY / f"{table}.json").read_text())
        assert [_kinds(row) for row in written] == [_kinds(row) for row in recorded]
    messages = ("critical-deviations", "build-baselines", "notifications", "performance-statements", "ingest-templates")
    for name in ("day.json", *(f"{one}.json" for one in messages)):
        assert _kinds(json.loads(found[name])) == _kinds(json.loads((TODAY / name).read_text()))


def _kinds(row: Row) -> dict[str, str]:
    return {key: type(value).__name__ for key, value in row.items()}


# --- what the next release will write


@pytest.mark.parametrize("table", READERS)
def test_rows_of_the_next_release_are_read_but_for_what_is_new(table: str) -> None:
    """A release that is being rolled out may write beside this one."""
    kind, read = READERS[table]
    newer = rows(TODAY, table)
    for row in newer:
        row |= {SCHEMA: CURRENT[kind] + 1, "unheard_of": "a property of tomorrow"}
        for name in ("body", "baselines_0"):
            if isinstance(row.get(name), str):
                row[name] = json.dumps({**json.loads(row[name]), "unheardOf": 1})
    assert read(newer) == read(rows(TODAY, table))


@pytest.mark.parametrize("table", READERS)
def test_rows_of_the_next_release_that_cannot_be_read_are_named_as_such(table: str) -> None:
    """They are not broken: whoever knows their schema reads them."""
    kind, read = READERS[table]
    newer = [entity_of({**row, SCHEMA: CURRENT[kind] + 1}) for row in rows(TODAY, table)]
    for row in newer:
        for name in ("body", "score", "incident", "kind", "newest", "tests"):
            row.pop(name, None)
    with pytest.raises(NewerSchema, match=f"of schema {CURRENT[kind] + 1} cannot be read"):
        read(newer)


def test_a_day_of_the_next_release_keeps_what_this_one_does_not_know() -> None:
    """Ingest merges into it and writes it back: nothing of it is lost, nor its number."""
    stored = json.loads((TODAY / "day.json").read_text())
    stored[SCHEMA] = CURRENT[Stored.DAY] + 1
    stored["quality"] = {"checked": True}
    stored["sensors"]["snorre-w-1"]["medians"] = [1.0]
    day = TemplateDay.from_json(json.dumps(stored).encode(), "day.json")
    series = day.sensors["snorre-w-1"]
    again = day.model_copy(update={"sensors": {**day.sensors, "snorre-w-1": series.merged([], series.until, PPMV)}})
    assert json.loads(again.to_json()) == stored


@pytest.mark.parametrize("content", [{}, {"sensors": "elsewhere"}])
def test_a_day_of_the_next_release_that_cannot_be_read_is_neither_replaced_nor_put_aside(content: Row) -> None:
    """Ingest of its template fails, and is repeated by whoever can read it; detect tells nobody of a broken blob."""
    world = World()
    target = template()
    world.registry.add(platform(target))
    newer = json.dumps({SCHEMA: CURRENT[Stored.DAY] + 1, "template": target.id, "day": DAY.isoformat(), **content})
    world.lake.cells.rows[target.id, DAY] = (newer.encode(), "1")
    with pytest.raises(NewerSchema):
        world.detect.run("troll", target.id, DAY)
    with pytest.raises(NewerSchema):
        world.lake.read(target, DAY)
    assert not world.events.cells.rows
    assert not world.lake.aside
    assert world.lake.cells.rows[target.id, DAY] == (newer.encode(), "1")


@pytest.mark.parametrize(
    "read",
    [
        CriticalMessage.from_json,
        BaselineRequest.from_json,
        NotificationMessage.from_json,
        StatementRequest.from_json,
        Baseline.from_bytes,
    ],
    ids=["critical", "build", "notify", "state", "base"],
)
def test_messages_and_baselines_of_the_next_release_are_named_as_such(read: Callable[[bytes], object]) -> None:
    """A message goes back to the queue until a release that knows it takes it."""
    with pytest.raises(NewerSchema):
        read(b"leak-baseline 9\n{}\n" if read == Baseline.from_bytes else b'{"schema": 9}')


@pytest.mark.parametrize("number", [0, -1, "2", 1.5, True, None])
def test_a_number_that_is_none_is_no_schema(number: object) -> None:
    """Such a thing is broken, whoever wrote it."""
    with pytest.raises(ValueError, match="schema must be a whole number"):
        schema_of({SCHEMA: number})
    with pytest.raises((InvalidInput, CorruptBlob)):
        TemplateDay.from_json(json.dumps({SCHEMA: number}).encode(), "day.json")


def test_what_is_upgraded_twice_is_the_same() -> None:
    """A run that was stopped is repeated."""
    for table in OF_THE_FIRST:
        kind, _ = READERS[table]
        for row in rows(FIRST, table):
            once = upgraded(kind, row)
            assert schema_of(once) == CURRENT[kind]
            assert upgraded(kind, once) == once


# --- what the release before this one makes of today's bytes

BEFORE = "8d9393213a4d843544e1a7042a403f2dbdb544e8"
READERS_OF_BEFORE = """
import base64, json, sys
from pathlib import Path
from azure.data.tables import TableEntity
from shared.adapters.tables import deviations, events, incidents, registry_rows
from shared.detection import Baseline
from shared.domain.baseline_request import BaselineRequest
from shared.domain.incident import CriticalMessage
from shared.domain.tsd import TemplateDay
folder = Path(sys.argv[1])
def rows(table):
    restored = lambda one: base64.b64decode(one["binary"]) if one.keys() == {"binary"} else one
    for row in json.loads((folder / f"{table}.json").read_text(), object_hook=restored):
        entity = TableEntity(row)
        entity._metadata = {"etag": "1"}
        yield entity
known = registry_rows.watched(list(rows("registry")), None)
print(len(known.platform.templates), [change.version for change in known.history("snorre-w-2").changes])
print([deviations._unpack(row).baseline for row in rows("deviations")])
print([incidents._incident(row).told.sensors for row in rows("incidents")])
print([incidents._estimation(row).estimation.verdict for row in rows("estimations")])
print([events._event(row).kind for row in rows("events")])
TemplateDay.from_json((folder / "day.json").read_bytes(), "day.json")
if sys.argv[2] == "same engine":  # of another one, no release reads the baselines
    Baseline.from_bytes((folder / "baseline.bin").read_bytes())
CriticalMessage.model_validate_json((folder / "critical-deviations.json").read_bytes())
BaselineRequest.model_validate_json((folder / "build-baselines.json").read_bytes())
"""


def test_the_release_before_reads_what_this_one_writes(tmp_path: Path) -> None:
    """While both run, neither puts aside or drops what the other wrote; its code comes from the repository."""
    archive = subprocess.run(["git", "archive", BEFORE, "shared"], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip("the release before is not in this clone's history")
    subprocess.run(["tar", "-x", "-C", tmp_path], input=archive.stdout, check=True)
    ran = subprocess.run(
        [sys.executable, "-c", READERS_OF_BEFORE, str(TODAY), "same engine" if engine_id() == FIRST_ENGINE else ""],
        env={"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "CONFIRMED" in ran.stdout
