"""Table of events: PartitionKey subject (a template id, or ``system``), RowKey newest first and then the content."""

from itertools import islice

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableClient, UpdateMode

from shared.adapters.tables.access import newest_first, quoted
from shared.domain.event import Event
from shared.domain.tsd import iso


class TableEvents:
    """What a person should see, newest first."""

    def __init__(self, table: TableClient) -> None:
        """Use the table."""
        self._table = table

    def put(self, event: Event) -> None:
        """Store the event; the same event again changes nothing."""
        self._table.upsert_entity(
            {
                "PartitionKey": event.subject,
                "RowKey": _row(event),
                "kind": event.kind,
                "at": iso(event.at),
                "about": event.about,
                "message": event.message,
            },
            mode=UpdateMode.REPLACE,
        )

    def remove(self, event: Event) -> None:
        """Remove an event that the data no longer support; removing it again changes nothing."""
        try:
            self._table.delete_entity(event.subject, _row(event))
        except ResourceNotFoundError:
            return

    def list(self, subject: str, *, limit: int = 1000) -> list[Event]:
        """Return the subject's newest events, newest first."""
        entities = self._table.query_entities(f"PartitionKey eq {quoted(subject)}", results_per_page=min(limit, 1000))
        return [
            Event(
                subject=entity["PartitionKey"],
                kind=entity["kind"],
                at=entity["at"],
                about=entity["about"],
                message=entity["message"],
            )
            for entity in islice(entities, limit)
        ]


def _row(event: Event) -> str:
    return f"{newest_first(event.at)}-{event.key}"
