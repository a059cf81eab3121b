"""Table of people's decisions about baselines: PartitionKey sensor id, RowKey ``decision|number``; rows are only added.

The lake cannot rebuild it. An older release wrote rows ``mark|id``, over and over, and
``undo|day|time``: these have the number 0.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from shared.adapters.tables.access import PartitionedTable, put_entity, query, quoted
from shared.domain.decisions import Decision, Decisions, decisions_without_number
from shared.domain.mark import Mark, Undo, Withdrawal
from shared.domain.tsd import iso
from shared.schemas import Stored, numbered, read

_KINDS: Mapping[str, type[Mark] | type[Withdrawal] | type[Undo]] = {
    "mark": Mark,
    "withdrawal": Withdrawal,
    "undo": Undo,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


class AzureMarksTable(PartitionedTable):
    """Decisions, each stored once."""

    def of(self, sensor: str) -> Decisions:
        """Return all decisions about the sensor."""
        found = query(self._table, f"PartitionKey eq {quoted(sensor)}")
        return Decisions.of(decision for row in found for decision in decisions_of(row))

    def add(self, decision: Decision) -> None:
        """Store a decision; raises Conflict where there is one of its number."""
        put_entity(self._table, decision_entity(decision), None)


def decision_entity(decision: Decision) -> dict[str, Any]:
    """Return the decision as its row in the table."""
    properties = {
        "PartitionKey": decision.what.sensor,
        "RowKey": f"decision|{decision.number:010d}",
        "number": decision.number,
        "kind": _NAMES[type(decision.what)],
        "made": iso(decision.what.made),
        "known_on": decision.known_on.isoformat(),
        "body": decision.what.model_dump_json(),
    }
    return numbered(Stored.MARK, properties)


def decisions_of(entity: Mapping[str, Any]) -> tuple[Decision, ...]:
    """Return what a row of the table holds: one decision, of an older release up to two; raises NewerSchema."""
    return read(Stored.MARK, entity, _decisions)


def _decisions(entity: Mapping[str, Any]) -> tuple[Decision, ...]:
    what = _KINDS[entity["kind"]].model_validate_json(entity["body"], extra="ignore")
    if not entity["number"] and not isinstance(what, Withdrawal):
        return decisions_without_number(what)
    return (Decision(entity["number"], date.fromisoformat(entity["known_on"]), what),)
