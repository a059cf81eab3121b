"""Tables of incidents and of their newest estimation: PartitionKey template id.

Their RowKey sorts the newest onset first. An estimation's verdict,
probability and rate are plain properties for people; all of it, and its course, are compressed JSON.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from shared.adapters.tables.access import (
    PartitionedTable,
    etag_of,
    get_entity,
    names_from_text,
    names_in_text,
    newest_first,
    page_of,
    put_entity,
    query,
    remove_entity,
)
from shared.domain.estimation import Estimation, EstimationStep
from shared.domain.incident import Incident, split_incident
from shared.domain.tsd import iso
from shared.ports import EstimationSummary, ETag, ListPage, NotificationState, StoredEstimation, StoredIncident
from shared.schemas import SCHEMA, Stored, numbered, read

_HISTORY: TypeAdapter[tuple[EstimationStep, ...]] = TypeAdapter(tuple[EstimationStep, ...])


class AzureIncidentsTable(PartitionedTable):
    """The incidents of each template, newest first."""

    def list(self, template: str, *, limit: int | None = None, after: str | None = None) -> ListPage[StoredIncident]:
        """Return the template's incidents, newest first: all, or so many after a page."""
        found, continuation = page_of(self._table, template, limit, after)
        return ListPage.of((incident_of(entity, etag_of(entity)) for entity in found), continuation)

    def open_ones(self) -> Sequence[StoredIncident]:
        """Return every template's incidents that go on, by one query."""
        return [incident_of(one, etag_of(one)) for one in query(self._table, "closed eq ''")]

    def get(self, template: str, onset: datetime) -> StoredIncident | None:
        """Return the template's incident with that onset, or None."""
        entity = get_entity(self._table, template, newest_first(onset))
        return None if entity is None else incident_of(entity, etag_of(entity))

    def put(
        self, incident: Incident, notified: NotificationState | None, etag: ETag, told: Sequence[str] | None = None
    ) -> str:
        """Write the incident on what was read and return its new etag; raises Conflict."""
        return put_entity(self._table, incident_entity(incident, notified, told), etag)

    def remove(self, incident: Incident) -> None:
        """Remove an incident that the data no longer support; removing it again changes nothing."""
        remove_entity(self._table, incident.template, newest_first(incident.onset))


def incident_entity(
    incident: Incident, notified: NotificationState | None, told: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the incident, and what people were notified of, as its row in the table."""
    notified_closed = iso(notified.closed) if notified and notified.closed else ""
    notified_sensors = json.dumps(notified.sensors if notified else [])
    properties = {
        "PartitionKey": incident.template,
        "RowKey": newest_first(incident.onset),
        "incident": incident.id,
        "platform": incident.platform,
        "onset": iso(incident.onset),
        "last_critical": iso(incident.last_critical),
        "closed": iso(incident.closed) if incident.closed else "",
        "sensors": json.dumps(incident.sensors),
        "max_score": incident.max_score,
        "notified_until": iso(notified.at) if notified else "",
        "notified_digest": notified.digest if notified else "",
        "notified_closed": notified_closed,
        "notified_sensors": notified_sensors,
        "told": names_in_text(told),
        # The names of schema 1, for a release that may still be running beside this one.
        "told_closed": notified_closed,
        "told_sensors": notified_sensors,
    }
    return numbered(Stored.INCIDENT, properties)


def incident_of(entity: Mapping[str, Any], etag: ETag) -> StoredIncident:
    """Return the incident that a row of the table holds; raises NewerSchema."""
    return read(Stored.INCIDENT, entity, lambda properties: _incident(properties, etag))


def _incident(entity: Mapping[str, Any], etag: ETag) -> StoredIncident:
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
    until, sensors = _moment(entity["notified_until"]), tuple(json.loads(entity["notified_sensors"]))
    notified = (
        NotificationState(until, entity["notified_digest"], _moment(entity["notified_closed"]), sensors)
        if until
        else None
    )
    return StoredIncident(incident, notified, etag, names_from_text(entity["told"]))


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


class AzureEstimationsTable(PartitionedTable):
    """The newest estimation of each incident."""

    def summary(self, template: str, incident: str) -> EstimationSummary | None:
        """Return the incident's estimation in short, or None."""
        entity = get_entity(self._table, template, _row(incident), select=_PLAIN)
        return None if entity is None else summary_of(entity)

    def get(self, template: str, incident: str) -> StoredEstimation | None:
        """Return the incident's estimation, or None."""
        entity = get_entity(self._table, template, _row(incident))
        return None if entity is None else estimation_of(entity, etag_of(entity))

    def list(self, template: str, *, limit: int, after: str | None = None) -> ListPage[EstimationSummary]:
        """Return the template's estimations in short, newest incident first, so many after a page."""
        found, continuation = page_of(self._table, template, limit, after, select=_PLAIN)
        return ListPage.of((summary_of(entity) for entity in found), continuation)

    def put(self, estimation: StoredEstimation) -> None:
        """Write the estimation on what was read (its ``etag``); raises Conflict."""
        put_entity(self._table, estimation_entity(estimation), estimation.etag)

    def remove(self, template: str, incident: str) -> None:
        """Remove the estimation of an incident that the data no longer support."""
        remove_entity(self._table, template, _row(incident))


def estimation_entity(stored: StoredEstimation) -> dict[str, Any]:
    """Return the estimation as its row in the table."""
    answer = stored.estimation
    rate = answer.dissolved_rate_kg_s
    properties = {
        "PartitionKey": stored.template,
        "RowKey": newest_first(stored.onset),
        "incident": stored.incident,
        "onset": iso(stored.onset),
        "at": iso(stored.at),
        "digest": stored.digest,
        "verdict": answer.verdict,
        "probability": answer.probability,
        "rate_kg_s": rate.median if rate else -1.0,
        "body": _packed(answer.model_dump_json()),
        "history": _packed(_HISTORY.dump_json(stored.history).decode()),
    }
    return numbered(Stored.ESTIMATION, properties)


_PLAIN = ["RowKey", SCHEMA, "incident", "onset", "at", "verdict", "probability", "rate_kg_s"]


def summary_of(entity: Mapping[str, Any]) -> EstimationSummary:
    """Return what the plain properties of an estimation's row say; raises NewerSchema."""
    return read(Stored.ESTIMATION, entity, _summary)


def _summary(entity: Mapping[str, Any]) -> EstimationSummary:
    rate = entity["rate_kg_s"]
    return EstimationSummary(
        incident=entity["incident"],
        onset=datetime.fromisoformat(entity["onset"]),
        at=datetime.fromisoformat(entity["at"]),
        verdict=entity["verdict"],
        probability=entity["probability"],
        dissolved_rate_kg_s=rate if rate >= 0 else None,
    )


def _row(incident: str) -> str:
    return newest_first(split_incident(incident)[1])


def _packed(text: str) -> bytes:
    """Return the text so that it fits into a binary property, of at most 64 kB."""
    return zlib.compress(text.encode(), level=9)


def estimation_of(entity: Mapping[str, Any], etag: ETag) -> StoredEstimation:
    """Return the estimation that a row of the table holds; raises NewerSchema."""
    return read(Stored.ESTIMATION, entity, lambda properties: _estimation(properties, etag))


def _estimation(entity: Mapping[str, Any], etag: ETag) -> StoredEstimation:
    return StoredEstimation(
        incident=entity["incident"],
        template=entity["PartitionKey"],
        onset=datetime.fromisoformat(entity["onset"]),
        at=datetime.fromisoformat(entity["at"]),
        digest=entity["digest"],
        estimation=Estimation.model_validate_json(zlib.decompress(entity["body"]), extra="ignore"),
        history=_HISTORY.validate_json(zlib.decompress(entity["history"]), extra="ignore"),
        etag=etag,
    )
