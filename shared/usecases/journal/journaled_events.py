"""Events that are written down: whoever tells one, or takes one back, does it through this table."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.event import Event, EventKind
from shared.errors import Conflict
from shared.ports import ETag, EventsTable, ListPage, StoredEvent
from shared.usecases.journal.journal import Journal

# What the journal knows as entries of an alarm (shared/usecases/alarms), with all that it rests on.
OF_AN_ALARM: frozenset[EventKind] = frozenset({"incident_opened", "incident_closed", "estimation"})


@dataclass(frozen=True, kw_only=True)
class JournaledEvents:
    """The table of events, each of whose changes is in the journal first."""

    table: EventsTable
    journal: Journal

    def put(self, event: Event) -> None:
        """Store the event; the same event again changes nothing."""
        if event.kind not in OF_AN_ALARM:
            self.journal.event(event)
        self.table.put(event)

    def replace(self, event: Event, etag: ETag) -> None:
        """Write the event on what was read; raises Conflict."""
        if not self._is_there(event, etag):
            raise Conflict(f"event {event.id} of {event.subject} is gone")
        self.journal.event(event)
        self.table.replace(event, etag)

    def remove(self, event: Event, etag: ETag = None) -> None:
        """Remove an event, of what was read if a etag is given; raises Conflict."""
        if etag is not None and not self._is_there(event, etag):
            return
        self.journal.event_taken_back(event)
        self.table.remove(event, etag)

    def _is_there(self, event: Event, etag: ETag) -> bool:
        """Return whether the event is there; raises Conflict where it is not what was read: nothing is said of it."""
        stored = self.table.get(event.subject, event.id)
        if stored is not None and stored.etag != etag:
            raise Conflict(f"event {event.id} of {event.subject} changed in between")
        return stored is not None

    def remove_id(self, subject: str, event: str) -> None:
        """Remove the subject's event of that id; removing it again changes nothing."""
        self.journal.event_id_taken_back(subject, event)
        self.table.remove_id(subject, event)

    def get(self, subject: str, event: str) -> StoredEvent | None:
        """Return the subject's event of that id, or None."""
        return self.table.get(subject, event)

    def list(self, subject: str, *, limit: int = 1000, after: str | None = None) -> ListPage[Event]:
        """Return the subject's events, newest first, so many after a page; raises InvalidInput."""
        return self.table.list(subject, limit=limit, after=after)

    def remove_all(self, subject: str, /) -> None:
        """Remove all of the subject; the journal keeps what was said of it."""
        self.table.remove_all(subject)

    def count(self, subject: str, /) -> int:
        """Return how many there are of the subject."""
        return self.table.count(subject)

    def subjects(self, prefix: str, /) -> Sequence[str]:
        """Return the subjects that begin so and have anything stored, in order."""
        return self.table.subjects(prefix)
