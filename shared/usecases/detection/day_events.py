"""What people are told of a template's days: unknown series, bad values, sensors that are not well, broken blobs.

The events of a row follow it, and the document that it was scored from (``shared/usecases/telling.py``); those of what
has no row are put again while it is so.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from shared.domain import event
from shared.domain.deviation import DeviationDay
from shared.domain.event import Event
from shared.domain.template import Template
from shared.domain.tsd import TemplateDay
from shared.ports import EventsTable
from shared.usecases.detection.fault_changes import fault_changes
from shared.usecases.telling import Names, names_of, tell

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DayEvents:
    """The events of one template's days."""

    events: EventsTable
    template: Template
    source: str  # the name of the platform's data source
    document: Callable[[date], TemplateDay | None]  # of a day, as this run read it

    def corrupt_day(self, day: date, problem: str) -> None:
        """Tell of a day blob that cannot be read."""
        logger.error("%s", problem)
        self.events.put(event.corrupt_day(self.template.id, day, problem))

    def corrupt_baseline(self, sensor: str, day: date, problem: str) -> None:
        """Tell of a sensor whose baseline cannot be read."""
        self.events.put(event.corrupt_baseline(self.template.id, sensor, day, problem))

    def of(self, row: DeviationDay) -> list[Event]:
        """Return the events that stand for a scored day."""
        bad = [event.bad_values(self.template.id, row.sensor, row.day, row.bad)] if row.bad else []
        return [*self._unknown(row), *bad, *fault_changes(self.template.id, row)]

    def _unknown(self, row: DeviationDay) -> list[Event]:
        """Return the event of a sensor that the day's document lacks."""
        document = None if row.level.size else self.document(row.day)
        sensors = [] if document is None else [one for one in self.template.sensors if document.series_of(one) is None]
        return [
            event.unknown_series(self.template.id, one, row.day, self.source) for one in sensors if one.id == row.sensor
        ]

    def told(self, row: DeviationDay | None) -> Names:
        """Return the names of the events that may stand for a stored row; of an older release's, what it told."""
        if row is None:
            return ()
        return names_of(self.of(row)) if row.told is None else row.told

    def tell(self, row: DeviationDay, told: Names) -> None:
        """Put and take back events until they are those of the row."""
        for one in tell(self.events, self.template.id, self.of(row), told):
            logger.warning("%s", one.message)

    def take_back(self, told: Names) -> None:
        """Take back what a row was told of that is not there any more."""
        tell(self.events, self.template.id, [], told)
