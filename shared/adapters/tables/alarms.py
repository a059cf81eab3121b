"""Table of alarms as they stand: PartitionKey platform, RowKey newest onset first and then the template.

It follows the journal, and like it cannot be rebuilt from the lake. Plain properties are for people and for queries.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from azure.data.tables import TableClient

from shared.adapters.tables.access import (
    etag_of,
    first_of,
    following,
    get_entity,
    newest_first,
    put_entity,
    query,
    quoted,
)
from shared.domain.alarm import Alarm
from shared.domain.incident import split_incident
from shared.domain.tsd import iso
from shared.ports import ETag, StoredAlarm
from shared.schemas import Stored, numbered, read


class AzureAlarmsTable:
    """Alarms, newest onset first."""

    def __init__(self, table: TableClient) -> None:
        """Use the table."""
        self._table = table

    def get(self, incident: str) -> StoredAlarm | None:
        """Return the alarm of the incident, or None; raises InvalidInput."""
        platform, row = _keys(incident)
        found = get_entity(self._table, platform, row)
        return None if found is None else alarm_of(found, etag_of(found))

    def put(self, stored: StoredAlarm) -> str:
        """Write the alarm on what was read (its ``etag``) and return its new etag; raises Conflict."""
        return put_entity(self._table, alarm_entity(stored), stored.etag)

    def list(
        self, platform: str, *, limit: int, after: str | None = None, until: datetime | None = None
    ) -> Sequence[StoredAlarm]:
        """Return so many of the platform's alarms, newest onset first, up to ``until``.

        after: the id of an incident of any platform, in whose place they go on; raises InvalidInput.
        """
        first = "" if until is None else newest_first(until)
        if after is not None:
            first = max(first, following(_keys(after)[1]))
        where = f"PartitionKey eq {quoted(platform)} and RowKey ge {quoted(first)}"
        return [alarm_of(one, etag_of(one)) for one in first_of(self._table, where, limit)]

    def standing(self) -> Sequence[StoredAlarm]:
        """Return every platform's alarms that stand, by one query."""
        return [alarm_of(one, etag_of(one)) for one in query(self._table, "standing eq true")]


def _keys(incident: str) -> tuple[str, str]:
    template, onset = split_incident(incident)
    return template.partition("-")[0], f"{newest_first(onset)}|{template}"


def alarm_entity(stored: StoredAlarm) -> dict[str, Any]:
    """Return the alarm as its row in the table."""
    alarm = stored.alarm
    platform, row = _keys(alarm.incident.id)
    properties = {
        "PartitionKey": platform,
        "RowKey": row,
        "incident": alarm.incident.id,
        "raised": iso(alarm.raised),
        "state": alarm.state.value,
        "priority": alarm.priority.value,
        "standing": alarm.standing,
        "entries": stored.entries,
        "body": alarm.model_dump_json(),
    }
    return numbered(Stored.ALARM, properties)


def alarm_of(entity: Mapping[str, Any], etag: ETag) -> StoredAlarm:
    """Return the alarm that a row of the table holds; raises NewerSchema."""
    return read(
        Stored.ALARM,
        entity,
        lambda row: StoredAlarm(Alarm.from_json(row["body"]), row["entries"], etag),
    )
