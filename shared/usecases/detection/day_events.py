"""What people are told of a template's days: unknown series, bad values, sensors that are not well, broken blobs.

An event follows what is stored: it is put before the row that it tells of, and taken back when the row tells of it no
more.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shared.domain import event
from shared.domain.deviation import DeviationDay
from shared.domain.event import Event
from shared.domain.template import Template
from shared.domain.tsd import TemplateDay
from shared.ports import EventsTable
from shared.usecases.detection.day_rows import DayRows
from shared.usecases.detection.fault_changes import fault_changes

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DayEvents:
    """The events of one template's days."""

    events: EventsTable
    template: Template
    source: str  # the name of the platform's data source

    def corrupt_day(self, day: date, problem: str) -> None:
        """Tell of a day blob that cannot be read."""
        logger.error("%s", problem)
        self.events.put(event.corrupt_day(self.template.id, day, problem))

    def corrupt_baseline(self, sensor: str, day: date, problem: str) -> None:
        """Tell of a sensor whose baseline cannot be read."""
        self.events.put(event.corrupt_baseline(self.template.id, sensor, day, problem))

    def series_of(self, document: TemplateDay, rows: DayRows) -> None:
        """Tell of sensors that the day's document lacks, and take it back of those that it has by now."""
        day = document.day
        had_rows = any(rows.stored[sensor.id, day].row is not None for sensor in self.template.sensors)
        for sensor in self.template.sensors:
            unknown = event.unknown_series(self.template.id, sensor, day, self.source)
            if document.series_of(sensor) is None:
                self.events.put(unknown)
            elif had_rows and rows.stored[sensor.id, day].row is None:
                self.events.remove(unknown)

    def row(self, row: DeviationDay, before: DeviationDay | None) -> None:
        """Tell what differs between a row that is about to be written and the stored one."""
        self._bad_values(row, before.bad if before else "")
        self._faults(fault_changes(self.template.id, row), fault_changes(self.template.id, before) if before else [])

    def _bad_values(self, row: DeviationDay, before: str) -> None:
        found = event.bad_values(self.template.id, row.sensor, row.day, row.bad)
        if row.bad and row.bad != before:
            logger.warning("%s on %s: bad values: %s", row.sensor, row.day, row.bad)
            self.events.put(found)
        elif before and not row.bad:
            self.events.remove(found)

    def _faults(self, now: Sequence[Event], before: Sequence[Event]) -> None:
        for one in before:
            if one not in now:
                self.events.remove(one)
        for one in now:
            if one not in before:
                logger.warning("%s", one.message)
                self.events.put(one)
