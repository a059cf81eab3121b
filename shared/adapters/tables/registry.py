"""Table of what is watched: PartitionKey platform; rows for platform, templates, sensors, ingest state, newest samples.

Every write to a partition is one transaction that writes the row ``head``, too: its etag names the state of the whole
partition. So an unchanged platform costs one read of its head, a changed one a query more; who expects a change queries
at once. A definition is changed only where nothing else changed since it was read. Partitions of old, without a head,
are always queried.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from azure.data.tables import TableClient, TableEntity

from shared.adapters.tables.access import (
    commit,
    delete,
    etag_of,
    every,
    get_entity,
    put,
    query,
    quoted,
    upsert,
)
from shared.adapters.tables.registry_rows import (
    HEAD,
    PLATFORM,
    definitions,
    deletion_row,
    differences,
    entity,
    history_entity,
    ingest_entity,
    latest_entity,
    platform_record,
)
from shared.adapters.tables.writes import TransactionStep
from shared.domain.baseline_history import BaselineHistory
from shared.domain.deviation import Latest
from shared.domain.ingest_state import IngestState
from shared.domain.platform import Platform
from shared.domain.template import Sensor, Template
from shared.errors import Exists, InvalidInput, NewerSchema, NotFound
from shared.ports import ETag, PlatformRecord, PlatformRecords
from shared.retry import after_conflicts
from shared.schemas import CURRENT, SCHEMA, Stored, schema_of

logger = logging.getLogger(__name__)

MOST_OPERATIONS = 99  # of a transaction, beside the head


class AzureRegistryTable:
    """Platforms, templates, sensors, how far each series was ingested, and each sensor's newest sample."""

    def __init__(self, table: TableClient, keep: int = 64) -> None:
        """Use the table, and keep so many platforms in memory."""
        self._table = table
        self._keep = keep
        self._memory: OrderedDict[str, PlatformRecord] = OrderedDict()
        self._lock = threading.Lock()

    def platforms(self, *, changed: bool = False) -> PlatformRecords:
        """Return every platform that can be read, in order of id, and why others cannot."""
        found: list[PlatformRecord] = []
        unreadable: dict[str, Exception] = {}
        for name, read in sorted((self._all() if changed else self._changed()).items()):
            try:
                found.append(read())
            except NotFound:  # it was deleted, and a run that began before wrote beside it
                logger.warning("platform %s: its row in the registry is missing", name)
            except (NewerSchema, ValueError, LookupError, TypeError) as error:  # must not stop the others
                unreadable[name] = error
        return PlatformRecords.of(found, unreadable)

    def _all(self) -> Mapping[str, Callable[[], PlatformRecord]]:
        """Return what reads each platform, of all rows by one query."""
        partitions: dict[str, list[TableEntity]] = {}
        for row in every(self._table):
            partitions.setdefault(row["PartitionKey"], []).append(row)
        return {
            name: partial(self._record, name, rows)
            for name, rows in partitions.items()
            if not {HEAD, PLATFORM}.isdisjoint(row["RowKey"] for row in rows)
        }

    def _changed(self) -> Mapping[str, Callable[[], PlatformRecord]]:
        """Return what reads each platform, by a query of each that has changed."""
        return {name: partial(self._read, name, tags.get(HEAD)) for name, tags in self._heads().items()}

    def _heads(self) -> Mapping[str, Mapping[str, str]]:
        """Return the etags of the rows ``head`` and ``platform`` of every partition: one query finds old ones, too."""
        heads: dict[str, dict[str, str]] = {}
        where = f"RowKey eq {quoted(HEAD)} or RowKey eq {quoted(PLATFORM)}"
        for row in query(self._table, where, ["PartitionKey", "RowKey"]):
            heads.setdefault(row["PartitionKey"], {})[row["RowKey"]] = etag_of(row)
        return heads

    def platform(self, platform: str, *, changed: bool = False) -> PlatformRecord:
        """Return one platform, from memory if its head has not changed; raises NotFound."""
        quoted(platform)
        if changed:
            return self._record(platform, self._rows(platform))
        head = get_entity(self._table, platform, HEAD)
        return self._read(platform, None if head is None else etag_of(head))

    def _read(self, platform: str, etag: ETag) -> PlatformRecord:
        """Return the platform as of the head of that etag or later: a write in between shows as a change next time."""
        known = self._known(platform, etag)
        return self._remembered(platform, self._rows(platform), etag) if known is None else known

    def _record(self, platform: str, rows: Sequence[TableEntity]) -> PlatformRecord:
        """Return the platform that the rows say, as of their head or later: in order of key, it comes first."""
        etag = next((etag_of(row) for row in rows if row["RowKey"] == HEAD), None)
        known = self._known(platform, etag)
        return self._remembered(platform, rows, etag) if known is None else known

    def _known(self, platform: str, etag: ETag) -> PlatformRecord | None:
        """Return what is in memory of the platform if it is of that head."""
        with self._lock:
            known = self._memory.get(platform)
        return known if known is not None and etag is not None and known.etag == etag else None

    def _remembered(self, platform: str, rows: Sequence[TableEntity], etag: ETag) -> PlatformRecord:
        """Return the platform that the rows say, and keep it in memory."""
        if not any(row["RowKey"] == PLATFORM for row in rows):
            raise NotFound(f"platform {platform!r} is not registered")
        found = platform_record(rows, etag)
        with self._lock:
            self._memory[platform] = found
            self._memory.move_to_end(platform)
            while len(self._memory) > self._keep:
                self._memory.popitem(last=False)
        return found

    def _rows(self, platform: str, *, keys_only: bool = False) -> list[TableEntity]:
        select = ["PartitionKey", "RowKey", SCHEMA] if keys_only else None
        return list(query(self._table, f"PartitionKey eq {quoted(platform)}", select=select))

    def change(self, before: PlatformRecord | None, after: Platform | None) -> None:
        """Write the rows by which ``after`` differs from what was read; raises Conflict if anything changed since."""
        if before is None and after is not None:
            self._create(after)
        elif before is not None and after is None:
            self._remove(before)
        elif before is not None and after is not None:
            if before.schema > CURRENT[Stored.REGISTRY]:
                raise NewerSchema(f"{after.id} was registered by a newer release, and can only be changed there")
            steps = differences(before, after)
            if steps:
                self._write(after.id, steps, before.etag)

    def begin_deletion(self, before: PlatformRecord, name: str) -> None:
        """Record that what has this id is being deleted, until it is; raises Conflict if anything changed since."""
        platform = before.platform.id
        self._write(platform, [upsert(entity(platform, deletion_row(name)))], before.etag)

    def _create(self, platform: Platform) -> None:
        """Write a new platform; rows that runs left of one that was there before go."""
        there = {row["RowKey"]: etag_of(row) for row in self._rows(platform.id, keys_only=True)}
        if PLATFORM in there:
            raise Exists(f"platform {platform.id!r} exists")
        new = definitions(platform)
        left = [delete(platform.id, row) for row in there.keys() - new.keys() - {HEAD}]
        self._write(platform.id, [*map(upsert, new.values()), *left], there.get(HEAD))

    def _remove(self, before: PlatformRecord) -> None:
        """Remove the whole partition: the platform's own row first, by which it is gone, the head last.

        What is left if that is cut short is not seen by anybody, and goes when the platform is created anew.
        """
        name = before.platform.id
        self._write(name, [delete(name, PLATFORM)], before.etag)

        def remove_rest(_: bool) -> None:
            there = {row["RowKey"]: etag_of(row) for row in self._rows(name, keys_only=True)}
            if not there or PLATFORM in there:  # somebody may have created it anew by now
                return
            left = [delete(name, row) for row in there.keys() - {HEAD}]
            commit(self._table, [delete(name, HEAD, self._write(name, left, there.get(HEAD)))])

        after_conflicts(remove_rest, f"platform {name}, which is removed")  # a run that began before may still write

    def _write(self, platform: str, steps: Sequence[TransactionStep], etag: ETag) -> str:
        """Write on the head of that etag (None: on none) and return its new etag; raises Conflict.

        More than one transaction takes is written in several, each on the head that the last one left.
        """
        for begin in range(0, max(len(steps), 1), MOST_OPERATIONS):
            some = steps[begin : begin + MOST_OPERATIONS]
            etag = commit(self._table, [put(entity(platform, HEAD), etag), *some])[0]
        return str(etag)

    def _write_beside(self, platform: str, step: TransactionStep) -> str:
        """Write one row that is no definition, whatever else was written meanwhile; return its etag."""
        return commit(self._table, [step, upsert(entity(platform, HEAD))])[0]

    def add(self, platform: Platform, *, replace: bool = False) -> int:
        """Store the platform's rows that are not stored yet (or replace them); return how many were written."""
        rows = self._rows(platform.id, keys_only=True)
        there, new = {row["RowKey"]: etag_of(row) for row in rows}, definitions(platform)
        if PLATFORM not in there:
            self._create(platform)
            return len(new)
        if replace:
            self._refuse_another_facility(platform)
        if replace and any(schema_of(row) > CURRENT[Stored.REGISTRY] for row in rows if row["RowKey"] in new):
            raise NewerSchema(f"{platform.id} was registered by a newer release, and can only be changed there")
        missing = [upsert(one, merge=row in there) for row, one in new.items() if replace or row not in there]
        if missing or HEAD not in there:
            self._write(platform.id, missing, there.get(HEAD))
        return len(missing)

    def _refuse_another_facility(self, platform: Platform) -> None:
        """Raise InvalidInput where the platform is read from another installation: its data would mix with theirs."""
        known = self.platform(platform.id).platform.facility
        if known != platform.facility:
            raise InvalidInput(
                f"{platform.id} is read from facility {known}; delete it and create it anew to change that"
            )

    def rewrite(self, row: Mapping[str, Any], etag: ETag) -> None:
        """Write a row that says the same as the one that was read; raises Conflict."""
        self._write_beside(row["PartitionKey"], put(row, etag))

    def set_ingested(self, template: Template, state: IngestState, etag: ETag) -> str:
        """Write how far the template was ingested on the row that was read, return its etag; raises Conflict."""
        return self._write_beside(template.platform, put(ingest_entity(template.platform, template.slug, state), etag))

    def set_history(self, template: Template, sensor: Sensor, history: BaselineHistory, etag: ETag) -> str:
        """Write the sensor's baseline history on the row that was read and return its new etag; raises Conflict."""
        return self._write_beside(template.platform, put(history_entity(template, sensor, history), etag, merge=True))

    def set_latest(self, template: Template, latest: Mapping[str, Latest], etag: ETag) -> None:
        """Write the newest samples of the template's sensors on the row that was read; raises Conflict."""
        self._write_beside(template.platform, put(latest_entity(template.platform, template.slug, latest), etag))
