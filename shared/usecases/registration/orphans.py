"""Orphans: what runs that were under way left of what is not there any more.

They wrote of sensors and templates after these had been deleted, or told of a row after another run had written and
told it otherwise; where such a run ended there, nothing else says so. Only what derives from the lake is removed, and
only of platforms that are registered and can be read: a registry that was lost takes nothing with it. What people said
is removed by who deletes, and by nobody else.
"""

import logging
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from itertools import groupby

from shared.domain.event import OF_A_ROW, OF_A_STATE, Event
from shared.domain.tsd import utc
from shared.errors import NotFound
from shared.ports import DeviationsTable, EventsTable, RegistryTable, Removable
from shared.telemetry import log_event
from shared.usecases.telling import all_events, ids_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RemoveOrphans:
    """Removes what belongs to no sensor, no template and no row."""

    registry: RegistryTable
    deviations: DeviationsTable
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
        of_rows = []
        for event in all_events(self.events, subject):
            of_gone_sensor = event.kind in OF_A_STATE and event.about.startswith(f"{subject}-")
            gone = event.about if of_gone_sensor else subject
            if not event.by and gone not in known:
                self.events.remove(event)
            elif event.kind in OF_A_ROW:
                of_rows.append(event)
        self._remove_what_no_row_says(of_rows)

    def _remove_what_no_row_says(self, events: Iterable[Event]) -> None:
        """Remove the events that their rows do not name, which are read after the events: a row is written first."""
        for sensor, told in groupby(sorted(events, key=lambda one: one.about), key=lambda one: one.about):
            by_day = [(utc(event.at).date(), event) for event in told]
            days = [day for day, _ in by_day]
            rows = {row.day: row.told for row in self.deviations.summaries(sensor, min(days), max(days))}
            for day, event in by_day:
                names = rows.get(day, ())
                if names is not None and event.id not in ids_of(names):  # None: of a release that named none
                    self.events.remove(event)
                    log_event(logger, "orphan removed", logging.WARNING, of=event.id)
