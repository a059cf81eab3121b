"""Table of people's decisions about baselines: PartitionKey sensor id, RowKey ``mark|id`` or ``undo|day|time``.

It is the only table that the lake cannot rebuild.
"""

from azure.data.tables import UpdateMode

from shared.adapters.tables.access import PartitionedTable, get_entity, put_entity, quoted, tag_of
from shared.domain.mark import Decisions, Mark, Undo
from shared.domain.tsd import iso
from shared.ports import StoredMark, Tag


class TableMarks(PartitionedTable):
    """Marks and undone baseline changes."""

    def of(self, sensor: str) -> Decisions:
        """Return all decisions about the sensor."""
        bodies: dict[str, list[str]] = {"mark": [], "undo": []}
        for entity in self._table.query_entities(f"PartitionKey eq {quoted(sensor)}"):
            bodies[entity["RowKey"].partition("|")[0]].append(entity["body"])
        return Decisions(
            tuple(Mark.model_validate_json(body) for body in bodies["mark"]),
            tuple(Undo.model_validate_json(body) for body in bodies["undo"]),
        )

    def get(self, sensor: str, mark: str) -> StoredMark | None:
        """Return the sensor's mark of that id, or None."""
        entity = get_entity(self._table, sensor, f"mark|{mark}")
        return None if entity is None else StoredMark(Mark.model_validate_json(entity["body"]), tag_of(entity))

    def put(self, mark: Mark, tag: Tag) -> None:
        """Write the mark on what was read; raises Conflict."""
        entity = {
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
        put_entity(self._table, entity, tag)

    def put_undo(self, undo: Undo) -> None:
        """Add what was decided about a baseline change; of the same moment, the last word stays."""
        entity = {
            "PartitionKey": undo.sensor,
            "RowKey": f"undo|{undo.valid_from}|{iso(undo.made)}",
            "undone": undo.undone,
            "body": undo.model_dump_json(),
        }
        self._table.upsert_entity(entity, mode=UpdateMode.REPLACE)
