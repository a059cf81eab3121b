"""Table of events: PartitionKey subject (a template id, or ``system``), RowKey newest first and then the content."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared.adapters.tables.access import (
    PartitionedTable,
    etag_of,
    get_entity,
    newest_first,
    page_of,
    put_entity,
    refuse_newer,
    remove_entity,
    upsert_entity,
)
from shared.domain.event import Event, split_event
from shared.domain.tsd import iso
from shared.errors import NewerSchema
from shared.ports import ETag, ListPage, StoredEvent
from shared.schemas import Stored, numbered, read

logger = logging.getLogger(__name__)


class AzureEventsTable(PartitionedTable):
    """What a person should see, newest first."""

    def put(self, event: Event) -> None:
        """Store the event; the same event again changes nothing."""
        upsert_entity(self._table, event_entity(event))

    def replace(self, event: Event, etag: ETag) -> None:
        """Write the event on what was read; raises Conflict, or NewerSchema where this release may not change it."""
        refuse_newer(self._table, Stored.EVENT, event.subject, _row(event.id))
        put_entity(self._table, event_entity(event), etag)

    def get(self, subject: str, event: str) -> StoredEvent | None:
        """Return the subject's event of that id, or None; raises InvalidInput."""
        entity = get_entity(self._table, subject, _row(event))
        return None if entity is None else StoredEvent(event_of(entity), etag_of(entity))

    def remove(self, event: Event, etag: ETag = None) -> None:
        """Remove an event, of what was read if a etag is given; removing it again changes nothing; raises Conflict."""
        remove_entity(self._table, event.subject, _row(event.id), etag)

    def remove_id(self, subject: str, event: str) -> None:
        """Remove the subject's event of that id; removing it again changes nothing."""
        remove_entity(self._table, subject, _row(event))

    def list(self, subject: str, *, limit: int = 1000, after: str | None = None) -> ListPage[Event]:
        """Return the subject's events, newest first, so many after a page."""
        found, continuation = page_of(self._table, subject, limit, after)
        return ListPage.of(_known(found), continuation)


def _row(event: str) -> str:
    at, key = split_event(event)
    return f"{newest_first(at)}-{key}"


def _known(entities: Iterable[Mapping[str, Any]]) -> Iterator[Event]:
    """Yield the events; one that only a newer release can read must not hide the others."""
    for entity in entities:
        try:
            yield event_of(entity)
        except NewerSchema as error:
            logger.warning("%s/%s: %s", entity["PartitionKey"], entity["RowKey"], error)


def event_entity(event: Event) -> dict[str, Any]:
    """Return the event as its row in the table."""
    properties = {
        "PartitionKey": event.subject,
        "RowKey": _row(event.id),
        "kind": event.kind,
        "at": iso(event.at),
        "about": event.about,
        "message": event.message,
        "by": event.by,
    }
    return numbered(Stored.EVENT, properties)


def event_of(entity: Mapping[str, Any]) -> Event:
    """Return the event that a row of the table holds; raises NewerSchema."""
    return read(Stored.EVENT, entity, _event)


def _event(entity: Mapping[str, Any]) -> Event:
    return Event(
        subject=entity["PartitionKey"],
        kind=entity["kind"],
        at=entity["at"],
        about=entity["about"],
        message=entity["message"],
        by=entity.get("by", ""),
    )
