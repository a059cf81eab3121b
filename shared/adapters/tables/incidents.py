"""Tables of incidents and of their newest estimation: PartitionKey template id.

An incident's RowKey sorts newest onset first; an estimation's RowKey is the incident's id. An estimation's verdict,
probability and rate are plain properties for people; all of it, and its course, are compressed JSON.
"""

import json
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient, TableEntity
from pydantic import TypeAdapter

from shared.adapters.tables.access import get_entity, newest_first, put_entity, quoted, tag_of
from shared.domain.estimation import Estimation, EstimationStep
from shared.domain.incident import Incident
from shared.domain.tsd import iso
from shared.ports import StoredEstimation, StoredIncident, Tag, Told

_HISTORY: TypeAdapter[tuple[EstimationStep, ...]] = TypeAdapter(tuple[EstimationStep, ...])


def _remove(table: TableClient, partition: str, row: str) -> None:
    try:
        table.delete_entity(partition, row)
    except ResourceNotFoundError:
        return  # it is gone already, which is what was asked for


class TableIncidents:
    """The incidents of each template, newest first."""

    def __init__(self, table: TableClient) -> None:
        """Use the table."""
        self._table = table

    def list(self, template: str) -> list[StoredIncident]:
        """Return the template's incidents, newest first."""
        return [_incident(entity) for entity in self._table.query_entities(f"PartitionKey eq {quoted(template)}")]

    def get(self, template: str, onset: datetime) -> StoredIncident | None:
        """Return the template's incident with that onset, or None."""
        entity = get_entity(self._table, template, newest_first(onset))
        return None if entity is None else _incident(entity)

    def put(self, incident: Incident, told: Told | None, tag: Tag) -> str:
        """Write the incident on what was read and return its new tag; raises Conflict."""
        entity = {
            "PartitionKey": incident.template,
            "RowKey": newest_first(incident.onset),
            "incident": incident.id,
            "platform": incident.platform,
            "onset": iso(incident.onset),
            "last_critical": iso(incident.last_critical),
            "closed": iso(incident.closed) if incident.closed else "",
            "sensors": json.dumps(incident.sensors),
            "max_score": incident.max_score,
            "notified_until": iso(told.at) if told else "",
            "notified_digest": told.digest if told else "",
            "told_closed": iso(told.closed) if told and told.closed else "",
            "told_sensors": json.dumps(told.sensors if told else []),
        }
        return put_entity(self._table, entity, tag)

    def remove(self, incident: Incident) -> None:
        """Remove an incident that the data no longer support; removing it again changes nothing."""
        _remove(self._table, incident.template, newest_first(incident.onset))


def _incident(entity: TableEntity) -> StoredIncident:
    incident = Incident(
        id=entity["incident"],
        platform=entity["platform"],
        template=entity["PartitionKey"],
        onset=entity["onset"],
        last_critical=entity["last_critical"],
        closed=_moment(entity["closed"]),
        sensors=tuple(json.loads(entity["sensors"])),
        max_score=entity["max_score"],
    )
    until, sensors = _moment(entity["notified_until"]), tuple(json.loads(entity["told_sensors"]))
    told = Told(until, entity["notified_digest"], _moment(entity["told_closed"]), sensors) if until else None
    return StoredIncident(incident, told, tag_of(entity))


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


class TableEstimations:
    """The newest estimation of each incident."""

    def __init__(self, table: TableClient) -> None:
        """Use the table."""
        self._table = table

    def get(self, template: str, incident: str) -> StoredEstimation | None:
        """Return the incident's estimation, or None."""
        entity = get_entity(self._table, template, incident)
        return None if entity is None else _estimation(entity)

    def put(self, estimation: StoredEstimation) -> None:
        """Write the estimation on what was read (its ``tag``); raises Conflict."""
        put_entity(self._table, _entity(estimation), estimation.tag)

    def remove(self, template: str, incident: str) -> None:
        """Remove the estimation of an incident that the data no longer support."""
        _remove(self._table, template, incident)


def _entity(stored: StoredEstimation) -> Mapping[str, Any]:
    answer = stored.estimation
    rate = answer.dissolved_rate_kg_s
    return {
        "PartitionKey": stored.template,
        "RowKey": stored.incident,
        "onset": iso(stored.onset),
        "at": iso(stored.at),
        "digest": stored.digest,
        "verdict": answer.verdict,
        "probability": answer.probability,
        "rate_kg_s": rate.median if rate else -1.0,
        "body": _packed(answer.model_dump_json()),
        "history": _packed(_HISTORY.dump_json(stored.history).decode()),
    }


def _packed(text: str) -> bytes:
    """Return the text so that it fits into a binary property, of at most 64 kB."""
    return zlib.compress(text.encode(), level=9)


def _estimation(entity: TableEntity) -> StoredEstimation:
    return StoredEstimation(
        incident=entity["RowKey"],
        template=entity["PartitionKey"],
        onset=datetime.fromisoformat(entity["onset"]),
        at=datetime.fromisoformat(entity["at"]),
        digest=entity["digest"],
        estimation=Estimation.model_validate_json(zlib.decompress(entity["body"])),
        history=_HISTORY.validate_json(zlib.decompress(entity["history"])),
        tag=tag_of(entity),
    )
