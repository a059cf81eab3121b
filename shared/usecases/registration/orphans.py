"""Orphans: what runs that were under way wrote of sensors and templates after these had been deleted.

Only what derives from the lake is removed, and only of platforms that are registered and can be read: a registry that
was lost takes nothing with it. What people said is removed by who deletes, and by nobody else.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import NotFound
from shared.ports import EventsTable, PlatformRecord, RegistryTable, Removable
from shared.telemetry import log_event

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
                known = _known(self.registry.platform(name))  # after: what is registered by then is nobody's orphan
            except NotFound:
                continue
            for table, subjects in held:
                for subject in subjects:
                    if subject not in known:
                        table.remove_all(subject)
                        log_event(logger, "orphan removed", logging.WARNING, of=subject)
            for subject in told:
                if subject not in known:
                    self._remove_events(subject)

    def _remove_events(self, subject: str) -> None:
        """Remove what the system said; people's notes stay."""
        page = self.events.list(subject)
        found = [*page]
        while page.continuation is not None:
            page = self.events.list(subject, after=page.continuation)
            found += page
        for event in found:
            if not event.by:
                self.events.remove(event)


def _known(record: PlatformRecord) -> set[str]:
    """Return the ids of the platform's templates and sensors."""
    templates = record.platform.templates
    return {one.id for one in templates} | {sensor.id for one in templates for sensor in one.sensors}
