"""Orphans: what runs that were under way wrote of sensors and templates after these had been deleted.

Only what derives from the lake is removed, and only of platforms that are registered and can be read: a registry that
was lost takes nothing with it. What people said is removed by who deletes, and by nobody else.
"""

import logging
from collections.abc import Sequence, Set
from dataclasses import dataclass

from shared.domain.event import OF_A_STATE
from shared.errors import NotFound
from shared.ports import EventsTable, RegistryTable, Removable
from shared.telemetry import log_event
from shared.usecases.telling import all_events

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RemoveOrphans:
    """Removes what belongs to no sensor and no template."""

    registry: RegistryTable
    of_sensors: Sequence[Removable]
    of_templates: Sequence[Removable]
    events: EventsTable

    def run(self) -> None:
        """Look at every platform; removing it again changes nothing."""
        for record in self.registry.platforms():
            name = record.platform.id
            held = [(table, table.subjects(f"{name}-")) for table in (*self.of_sensors, *self.of_templates)]
            told = self.events.subjects(f"{name}-")
            try:
                known = self.registry.platform(
                    name
                ).platform.ids  # after: what is registered by then is nobody's orphan
            except NotFound:
                continue
            for table, subjects in held:
                for subject in subjects:
                    if subject not in known:
                        table.remove_all(subject)
                        log_event(logger, "orphan removed", logging.WARNING, of=subject)
            for subject in told:
                self._remove_events(subject, known)

    def _remove_events(self, subject: str, known: Set[str]) -> None:
        """Remove what the system said of a template that is gone, or of a gone sensor's state; people's notes stay."""
        for event in all_events(self.events, subject):
            of_gone_sensor = event.kind in OF_A_STATE and event.about.startswith(f"{subject}-")
            gone = event.about if of_gone_sensor else subject
            if not event.by and gone not in known:
                self.events.remove(event)
