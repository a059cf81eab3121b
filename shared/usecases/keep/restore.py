"""Restore: the tables as a backup has them; what derives from them and the lake is made by a replay afterwards.

Everything is checked before anything is written. What is written comes in an order in which nothing is watched before
all of it is there: what is registered comes last.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from shared.domain.backup import Manifest, Part
from shared.errors import Conflict, NewerSchema, NotFound
from shared.ports import BackupStore, BaselineStore, ProofTestsTable, RegistryTable, StoredRows
from shared.schemas import CURRENT
from shared.usecases.keep.backup import KINDS, newest_of

ORDER = ("journal", *(name for name in KINDS if name not in ("journal", "registry")), "registry")


class Restored(NamedTuple):
    """A table that was restored: how many rows of the backup, and how many others are there and stay."""

    table: str
    rows: int
    others: int


class _InTheWay(NamedTuple):
    differ: int
    others: int
    first: str


@dataclass(frozen=True, kw_only=True)
class Restore:
    """Writes a backup's rows into the tables."""

    rows: StoredRows
    store: BackupStore
    registry: RegistryTable
    baselines: BaselineStore
    proof_tests: ProofTestsTable

    def chosen(self, day: date | None) -> Manifest:
        """Return the manifest of a day, or the newest; raises NotFound, CorruptBlob, or NewerSchema.

        NewerSchema: of what a newer release wrote, this one would lose what it does not know.
        """
        newest = day or newest_of(self.store)
        if newest is None:
            raise NotFound("there is no whole backup")
        manifest = self.store.manifest(newest)
        for part in manifest.parts:
            if part.table not in KINDS:
                raise NewerSchema(f"the backup of {newest} holds {part.table!r}, which this release does not know")
            known = CURRENT[KINDS[part.table]]
            if part.row_schema > known:
                raise NewerSchema(
                    f"the backup of {newest} holds rows of schema {part.row_schema} in {part.table}; "
                    f"this release knows {known}: restore with the release that wrote it, {manifest.version}"
                )
        return manifest

    def run(self, manifest: Manifest, *, replace: bool = False) -> Iterator[Restored]:
        """Restore table by table; yield each that is done; raises CorruptBlob, NotFound or Conflict before any write.

        Rows that are there as the backup has them are no hindrance, so a restore that was cut short goes on. replace:
        write over others, too; rows that the backup does not have stay.
        """
        parts = {table: [one for one in manifest.parts if one.table == table] for table in ORDER}
        found = {table: self._in_the_way(table, parts[table]) for table in ORDER}
        hindering = {table: one for table, one in found.items() if one.differ or one.others}
        if hindering and not replace:
            listed = "; ".join(
                f"{table}: {one.differ} rows differ from the backup's, {one.others} are not in it ({one.first})"
                for table, one in hindering.items()
            )
            raise Conflict(f"something is there already, and stays unless it is to be replaced: {listed}")
        for table in ORDER:
            count = sum(self.rows.put(table, self.store.read(part)) for part in parts[table])
            yield Restored(table, count, found[table].others)

    def mend(self) -> Mapping[str, Sequence[str]]:
        """Bring what was restored in step with what there is no more; return what was changed, by what it is.

        A proof test that went on has lost its copies. A baseline version that is gone is made anew of its recipe by
        the next run that builds baselines, if the sensor's history does not say that it is there.
        """
        ended = []
        for stored in self.proof_tests.all():
            if stored.tests.now is not None:
                self.proof_tests.put(stored.tests.model_copy(update={"now": None}), stored.etag)
                ended.append(stored.tests.template)
        return {"proof tests called off": ended, "sensors whose baselines are made anew": self._forget_lost()}

    def _forget_lost(self) -> Sequence[str]:
        lost = []
        for record in self.registry.platforms():
            for template in record.platform.templates:
                for sensor in template.sensors:
                    if sensor.id not in record.stored:
                        continue
                    history, etag = record.stored[sensor.id]
                    if all(self._is_there(sensor.id, one.version) for one in history.changes if one.version):
                        continue
                    unmade = tuple(one.model_copy(update={"version": ""}) for one in history.changes)
                    update = {"changes": unmade, "engine": ""}
                    self.registry.set_history(template, sensor, history.model_copy(update=update), etag)
                    lost.append(sensor.id)
        return lost

    def _is_there(self, sensor: str, version: str) -> bool:
        try:
            self.baselines.get(sensor, version)
        except NotFound:
            return False
        return True

    def _in_the_way(self, table: str, parts: Sequence[Part]) -> _InTheWay:
        """Read all parts, so that what is damaged is known before anything is written, and hold the table against it.

        A line is remembered by its hash alone.
        """
        held = {_key_of(line): hash(line) for part in parts for line in self.store.read(part)}
        differ, others, first = 0, 0, ""
        for row in self.rows.rows(table):
            known = held.get((row.partition, row.key))
            if known != hash(row.line):
                differ, others = differ + (known is not None), others + (known is None)
                first = first or f"{row.partition}/{row.key}"
        return _InTheWay(differ, others, first)


def _key_of(line: str) -> tuple[str, str]:
    said = json.loads(line)
    return said["PartitionKey"], said["RowKey"]
