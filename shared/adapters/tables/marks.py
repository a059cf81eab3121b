"""Table of people's decisions about baselines: PartitionKey sensor id, RowKey ``mark|id`` or ``undo|day|time``.

It is the only table that the lake cannot rebuild.
"""

from collections.abc import Mapping
from typing import Any

from shared.adapters.tables.access import (
    PartitionedTable,
    etag_of,
    get_entity,
    put_entity,
    query,
    quoted,
    refuse_newer,
    upsert_entity,
)
from shared.domain.mark import Decisions, Mark, Undo
from shared.domain.tsd import iso
from shared.ports import ETag, StoredMark
from shared.schemas import Stored, numbered, read


class AzureMarksTable(PartitionedTable):
    """Marks and undone baseline changes."""

    def of(self, sensor: str) -> Decisions:
        """Return all decisions about the sensor."""
        found = [decision_of(one) for one in query(self._table, f"PartitionKey eq {quoted(sensor)}")]
        return Decisions(
            tuple(one for one in found if isinstance(one, Mark)), tuple(one for one in found if isinstance(one, Undo))
        )

    def get(self, sensor: str, mark: str) -> StoredMark | None:
        """Return the sensor's mark of that id, or None."""
        entity = get_entity(self._table, sensor, f"mark|{mark}")
        found = None if entity is None else decision_of(entity)
        return StoredMark(found, etag_of(entity)) if entity is not None and isinstance(found, Mark) else None

    def put(self, mark: Mark, etag: ETag) -> None:
        """Write the mark on what was read; raises Conflict, or NewerSchema where this release may not change it."""
        entity = mark_entity(mark)
        refuse_newer(self._table, Stored.MARK, entity["PartitionKey"], entity["RowKey"])
        put_entity(self._table, entity, etag)

    def put_undo(self, undo: Undo) -> None:
        """Add what was decided about a baseline change; of the same moment, the last word stays."""
        upsert_entity(self._table, undo_entity(undo))


def mark_entity(mark: Mark) -> dict[str, Any]:
    """Return the mark as its row in the table."""
    properties = {
        "PartitionKey": mark.sensor,
        "RowKey": f"mark|{mark.id}",
        "start": iso(mark.start),
        "end": iso(mark.end),
        "verdict": mark.verdict,
        "by": mark.by,
        "made": iso(mark.made),
        "undone": iso(mark.undone) if mark.undone else "",
        "body": mark.model_dump_json(),
    }
    return numbered(Stored.MARK, properties)


def undo_entity(undo: Undo) -> dict[str, Any]:
    """Return what was decided about a baseline change as its row in the table."""
    properties = {
        "PartitionKey": undo.sensor,
        "RowKey": f"undo|{undo.valid_from}|{iso(undo.made)}",
        "undone": undo.undone,
        "body": undo.model_dump_json(),
    }
    return numbered(Stored.MARK, properties)


def decision_of(entity: Mapping[str, Any]) -> Mark | Undo:
    """Return the mark, or what was decided about a change, that a row of the table holds; raises NewerSchema."""
    return read(Stored.MARK, entity, _decision)


def _decision(entity: Mapping[str, Any]) -> Mark | Undo:
    models: Mapping[str, type[Mark] | type[Undo]] = {"mark": Mark, "undo": Undo}
    model = models[entity["RowKey"].partition("|")[0]]
    return model.model_validate_json(entity["body"], extra="ignore")
