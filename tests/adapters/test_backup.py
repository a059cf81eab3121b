"""Backups: rows keep their types, a day's parts become a backup by their manifest alone, old months are read once."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from azure.data.tables import EdmType, EntityProperty

from shared.adapters.backups import AzureBackupStore
from shared.adapters.tables import AzureJournalTable
from shared.adapters.tables.exported_rows import AzureStoredRows, exported, imported
from shared.bootstrap import Bootstrap
from shared.domain.backup import Manifest
from shared.domain.journal import Evidence, JournalEntry
from shared.errors import Conflict, CorruptBlob, InvalidInput, LeakDetectionError, NewerSchema, NotFound
from shared.schemas import SCHEMA
from shared.usecases.keep.backup import KINDS, BackUp
from shared.usecases.keep.restore import Restore
from tests.support.examples import platform, template
from tests.support.fakes import FakeBaselines, FakeClock, FakeProofTests, World
from tests.support.memory_storage import Counted, MemoryContainer, MemoryTable

TODAY = datetime(2026, 3, 20, 0, 40, tzinfo=UTC)
EVERY_TYPE: dict[str, Any] = {
    "PartitionKey": "troll",
    "RowKey": "sensor|a 1",
    SCHEMA: 2,
    "text": "µmol, \u2028 and \n",
    "yes": True,
    "small": -7,
    "large": EntityProperty(2**40, EdmType.INT64),
    "whole": 3.0,
    "exact": 0.1 + 0.2,
    "endless": float("-inf"),
    "bytes": bytes(range(256)),
    "moment": datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
    "name": UUID(int=7),
}


@dataclass
class Storage:
    """Tables and a container in memory, and the use cases on them."""

    world: World
    counted: Counted
    tables: dict[str, MemoryTable]
    container: MemoryContainer
    clock: FakeClock

    @property
    def rows(self) -> AzureStoredRows:
        return AzureStoredRows(self.tables)  # type: ignore[arg-type]

    @property
    def store(self) -> AzureBackupStore:
        return AzureBackupStore(self.container)  # type: ignore[arg-type]

    @property
    def backup(self) -> BackUp:
        return BackUp(
            rows=self.rows,
            store=self.store,
            registry=self.world.registry,
            events=self.world.events,
            clock=self.clock,
            budget=timedelta(minutes=5),
            version="1.2.3",
            on=True,
        )

    @property
    def restore(self) -> Restore:
        return Restore(
            rows=self.rows,
            store=self.store,
            registry=self.world.registry,
            baselines=FakeBaselines(self.world.writes),
            proof_tests=FakeProofTests(self.world.writes),
        )

    def say(self, said: datetime, topic: str = "level:troll-a-1", number: int = 0) -> None:
        """Add an entry to the journal."""
        common = {"platform": "troll", "subject": "troll-a", "topic": topic, "number": number, "kind": "level"}
        entry = JournalEntry(**common, said=said, at=said, about="troll-a-1", message=f"{number}")
        AzureJournalTable(self.tables["journal"]).append(entry, Evidence(state="{}"))  # type: ignore[arg-type]


@pytest.fixture
def storage() -> Storage:
    """A platform, a mark, and a journal of three months, each of which said something of one topic and of others."""
    world, counted = World(), Counted()
    world.registry.add(platform(template()))
    tables = {name: MemoryTable(name, counted) for name in KINDS}
    found = Storage(world, counted, tables, MemoryContainer("backup", counted), FakeClock(TODAY))
    tables["marks"].create_entity({"PartitionKey": "troll-a-1", "RowKey": "decision|1", SCHEMA: 2, "by": "A. Person"})
    tables["registry"].create_entity(EVERY_TYPE)
    for number, month in enumerate((1, 2, 3)):
        found.say(datetime(2026, month, 1, tzinfo=UTC), number=2 * number)
        found.say(datetime(2026, month, 15, tzinfo=UTC), number=2 * number + 1)
        found.say(datetime(2026, month, 16, tzinfo=UTC), f"event:2026{month:02d}16T000000Z-{month:016d}")
    return found


def held(storage: Storage) -> dict[str, Any]:
    """Return what the tables hold, without etags."""
    return {name: {key: row for key, (row, _) in table.held.items()} for name, table in storage.tables.items()}


def months(manifest: Manifest) -> dict[str, int]:
    """Return how many rows of the journal a backup has, by month."""
    return {one.month: one.rows for one in manifest.parts if one.table == "journal"}


# --- rows


def test_a_row_comes_back_with_every_type_that_it_had() -> None:
    """A 3.0 stays a double, a 2**40 an Int64; the line is plain JSON, and the same whenever it is made."""
    row = exported(EVERY_TYPE)
    assert (row.partition, row.key, row.schema) == ("troll", "sensor|a 1", 2)
    assert "\n" not in row.line
    assert json.loads(row.line)["large@odata.type"] == "Edm.Int64"
    back = imported(row.line)
    assert back == EVERY_TYPE
    assert {name: type(one) for name, one in back.items()} == {name: type(one) for name, one in EVERY_TYPE.items()}
    assert exported(back) == row


@pytest.mark.azurite
def test_real_tables_give_back_what_they_were_given(make_app: Callable[..., Bootstrap], unique: str) -> None:
    """What is exported from a real table, and put into it emptied, is exported as the same lines."""
    app = make_app(unique)
    table = app.clients.backed_up_tables()["registry"]
    table.create_entity(EVERY_TYPE)
    (row,) = app.stored_rows.rows("registry")
    table.delete_entity(EVERY_TYPE)
    app.stored_rows.put("registry", [row.line])
    assert list(app.stored_rows.rows("registry")) == [row]
    assert row.line == exported(EVERY_TYPE).line


@pytest.mark.parametrize(
    "line", ["", "[]", "{}", '{"PartitionKey":1,"RowKey":"a"}', '{"PartitionKey":"a","RowKey":"b","x@odata.type":"?"}']
)
def test_a_line_that_is_no_row_is_refused(line: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(InvalidInput, match="no row of a backup"):
        imported(line)


# --- the day's backup


def test_a_backup_holds_every_row_and_is_made_once_a_day(storage: Storage) -> None:
    """The second run of a day writes nothing; the next day's names the months that are over again."""
    made = storage.backup.run()
    assert made is not None
    assert made.rows == sum(len(table.held) for table in storage.tables.values())
    assert months(made) == {"2026-01": 6, "2026-02": 6, "2026-03": 6}
    before = dict(storage.container.held)
    assert storage.backup.run() is None
    assert storage.container.held == before
    storage.clock.moment = TODAY + timedelta(days=1)
    with patch.object(AzureStoredRows, "journal", autospec=True, side_effect=AzureStoredRows.journal) as asked:
        again = storage.backup.run()
    assert again is not None
    assert [one.name for one in again.parts if one.month == "2026-01"] == [
        one.name for one in made.parts if one.month == "2026-01"
    ]
    assert [call.args[1] for call in asked.call_args_list] == ["2026-03"], "a month that is over is not read again"
    assert all(storage.container.held[name] == one for name, one in before.items()), "nothing is written over"


def test_a_backup_that_died_half_way_is_none_and_the_next_run_makes_it(storage: Storage) -> None:
    """Wherever it dies: only the manifest, which comes last, makes the parts a backup."""
    whole = 0
    for crash_at in range(1, 20):
        storage.container.held.clear()
        write, count = storage.container.upload_blob, iter(range(1, 100))

        def dying(name: str, content: bytes, at: int = crash_at, **more: Any) -> dict[str, str]:
            if next(count) == at:  # noqa: B023 (used in this turn alone)
                raise KeyboardInterrupt
            return write(name, content, **more)  # noqa: B023

        storage.container.upload_blob = dying  # type: ignore[method-assign]
        try:
            storage.backup.run()
            whole += 1
        except KeyboardInterrupt:
            assert list(storage.store.days()) == []
            with pytest.raises(NotFound, match="no whole backup"):
                storage.restore.chosen(None)
        finally:
            storage.container.upload_blob = write  # type: ignore[method-assign]
        storage.tables["marks"].upsert_entity(
            {"PartitionKey": "troll-a-1", "RowKey": "decision|2", SCHEMA: 2, "note": f"{crash_at}"}
        )
        storage.backup.run()
        assert list(storage.store.days()) == [TODAY.date()]
        assert storage.restore.chosen(None).parts
    assert 0 < whole < 10


def test_a_month_of_the_journal_is_over_some_days_after_its_end(storage: Storage) -> None:
    """Until then it is read again: somebody whose clock is behind may still say something in it."""
    storage.clock.moment = datetime(2026, 3, 3, 23, tzinfo=UTC)
    storage.backup.run()
    assert sorted(storage.store.closed_months()) == ["2026-01"]
    storage.say(datetime(2026, 2, 28, 23, tzinfo=UTC), "event:late-1")
    storage.clock.moment = datetime(2026, 3, 4, 0, 40, tzinfo=UTC)
    made = storage.backup.run()
    assert made is not None
    assert months(made)["2026-02"] == 8
    assert sorted(storage.store.closed_months()) == ["2026-01", "2026-02"]


def test_a_run_without_time_goes_on_where_it_was(storage: Storage) -> None:
    """Months that are over are there already, so a first backup of many years ends some day."""
    moments = iter([TODAY, TODAY, TODAY + timedelta(minutes=6)])
    slow = replace(storage.backup, clock=_Ticking(moments))
    with pytest.raises(LeakDetectionError, match="no time left for the journal of 2026-02"):
        slow.run()
    assert sorted(storage.store.closed_months()) == ["2026-01"]
    assert list(storage.store.days()) == []


@dataclass
class _Ticking:
    moments: Iterator[datetime]

    def now(self) -> datetime:
        return next(self.moments)


def test_an_emptied_storage_is_not_backed_up(storage: Storage) -> None:
    """Its backup would be the newest, and hold nothing."""
    storage.world.registry = World().registry
    assert storage.backup.run() is None
    assert list(storage.store.days()) == []


def test_a_backup_that_is_missing_is_told_once_a_day(storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    """Yesterday's is enough; what is older is told, with the day of the newest."""
    storage.backup.run()
    storage.clock.moment = TODAY + timedelta(days=1)
    storage.backup.tell()
    assert not storage.world.events.list("system")
    storage.clock.moment = TODAY + timedelta(days=2)
    storage.backup.tell()
    storage.backup.tell()
    (event,) = storage.world.events.list("system")
    assert (event.kind, event.at.date()) == ("backup_missing", date(2026, 3, 22))
    assert "since 2026-03-20" in event.message
    assert "backup missing newest=2026-03-20" in caplog.text


# --- restoring


def test_a_restore_brings_back_every_row(storage: Storage) -> None:
    """Into empty tables, and, row by row the same, once more."""
    storage.backup.run()
    before = held(storage)
    for name in KINDS:
        storage.tables[name] = MemoryTable(name, storage.counted)
    done = list(storage.restore.run(storage.restore.chosen(None)))
    assert done[-1].table == "registry", "what is registered comes last: before, nothing is watched"
    assert held(storage) == before
    list(storage.restore.run(storage.restore.chosen(None)))
    assert held(storage) == before


def test_nothing_is_written_where_something_else_is(storage: Storage) -> None:
    """Unless it is to be replaced; rows that the backup does not have stay even then."""
    storage.backup.run()
    mark = {"PartitionKey": "troll-a-1", "RowKey": "decision|1", SCHEMA: 2, "by": "B. Person"}
    storage.tables["marks"].upsert_entity(mark)
    storage.tables["marks"].upsert_entity({**mark, "RowKey": "decision|2"})
    before, restore = held(storage), storage.restore
    with pytest.raises(Conflict, match="marks: 1 rows differ from the backup's, 1 are not in it"):
        list(restore.run(restore.chosen(None)))
    assert held(storage) == before
    done = {one.table: one for one in restore.run(restore.chosen(None), replace=True)}
    assert done["marks"].others == 1
    assert {row["RowKey"]: row["by"] for row, _ in storage.tables["marks"].held.values()} == {
        "decision|1": "A. Person",
        "decision|2": "B. Person",
    }


def test_a_part_that_was_changed_is_refused_before_anything_is_written(storage: Storage) -> None:
    """Its digest is in the manifest."""
    made = storage.backup.run()
    assert made is not None
    name = next(one.name for one in made.parts if one.table == "marks")
    content, *rest = storage.container.held[name]
    storage.container.held[name] = (content[:-1] + bytes([content[-1] ^ 1]), *rest)  # type: ignore[assignment]
    for one in KINDS:
        storage.tables[one] = MemoryTable(one, storage.counted)
    with pytest.raises(CorruptBlob, match="is not what its manifest says"):
        list(storage.restore.run(storage.restore.chosen(None)))
    assert not any(table.held for table in storage.tables.values())


def test_what_a_newer_release_backed_up_is_refused(storage: Storage) -> None:
    """Rows of a newer schema, a table that is not known, another format: each is named."""
    storage.tables["marks"].upsert_entity({"PartitionKey": "a", "RowKey": "b", SCHEMA: 99})
    made = storage.backup.run()
    assert made is not None
    with pytest.raises(NewerSchema, match=r"schema 99 in marks.*1\.2\.3"):
        storage.restore.chosen(None)
    name = f"manifests/{TODAY.date()}.json"
    for change, why in (({"format": 2, "more": 1}, "format 2"), ({"parts": [{**_part(made), "table": "x"}]}, "'x'")):
        other = json.dumps({**made.model_dump(mode="json"), **change}).encode()
        storage.container.held[name] = (other, "e", {})
        with pytest.raises(NewerSchema, match=why):
            storage.restore.chosen(TODAY.date())


def _part(made: Manifest) -> dict[str, Any]:
    return made.parts[0].model_dump(mode="json")
