"""Notes: what a person wants others to see among the events; the other events tell what happened, and stay."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.event import Event, note
from shared.domain.tsd import utc
from shared.errors import InvalidInput
from shared.ports import Clock, EventsTable, RegistryTable, StoredEvent
from shared.usecases.lookup import look_up_event, look_up_template

FURTHEST = timedelta(days=31)  # ahead: what is planned may be noted; later ones would come first for years

Guard = Callable[[Event], None]


@dataclass(frozen=True, kw_only=True)
class Notes:
    """Adds, changes and removes people's notes."""

    registry: RegistryTable
    events: EventsTable
    clock: Clock

    def add(self, template: str, message: str, by: str, at: datetime | None = None) -> Event:
        """Note something at a moment (default: now); raises InvalidInput or NotFound.

        A person has one note a moment: the same again changes nothing, another message replaces it.
        """
        look_up_template(self.registry, template)
        now = self.clock.now()
        if at is not None and at > now + FURTHEST:
            raise InvalidInput(
                f"at: must lie at most {FURTHEST.days} days ahead, not {at.isoformat()}: notes come newest first"
            )
        moment = utc(at or now).replace(microsecond=0)
        added = note(template, moment, by, message)
        self.events.put(added)
        return added

    def change(self, template: str, event: str, message: str, guard: Guard) -> Event:
        """Let a note say something else; raises InvalidInput, NotFound, or Conflict."""
        stored = self._note(template, event, guard)
        changed = stored.event.model_copy(update={"message": message})
        if changed != stored.event:
            self.events.replace(changed, stored.etag)
        return changed

    def remove(self, template: str, event: str, guard: Guard) -> None:
        """Remove a note; raises InvalidInput, NotFound, or Conflict."""
        stored = self._note(template, event, guard)
        self.events.remove(stored.event, stored.etag)

    def _note(self, template: str, event: str, guard: Guard) -> StoredEvent:
        stored = look_up_event(self.registry, self.events, template, event)
        guard(stored.event)
        if stored.event.kind != "note":
            raise InvalidInput("event: only notes can be changed; this one tells what happened")
        return stored
