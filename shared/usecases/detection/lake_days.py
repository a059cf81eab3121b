"""The days of a template in the lake: each is read once, and an unreadable one is as its rows remember it."""

from collections.abc import Callable
from datetime import date

from shared.domain.deviation import DeviationDay, Readings
from shared.domain.platform import Platform
from shared.domain.template import Sensor, Template
from shared.domain.tsd import SeriesDay, TemplateDay
from shared.ports import DayStore, StoredDay
from shared.usecases.sea import currents_of

RowOf = Callable[[str, date], DeviationDay | None]  # a sensor's stored row of a day


class LakeDays:
    """Reads days of one template; for one look at them, never longer."""

    def __init__(
        self,
        lake: DayStore,
        platform: Platform,
        template: Template,
        row_of: RowOf,
        tell: Callable[[date, str], None] | None = None,
    ) -> None:
        """Read a platform's template from the lake; ``tell`` is told of a day whose blob cannot be read, and why."""
        self._lake, self._platform, self._template, self._row_of, self._tell = lake, platform, template, row_of, tell
        self.stored: dict[date, StoredDay] = {}

    def document(self, day: date) -> TemplateDay | None:
        """Return the day's document; None where there is none that can be read."""
        if day not in self.stored:
            self.stored[day] = stored = self._lake.read(self._template, day)
            if stored.problem and self._tell is not None:
                self._tell(day, stored.problem)
        return self.stored[day].document

    def series(self, sensor: Sensor, day: date) -> SeriesDay | None:
        """Return the sensor's series of the day."""
        document = self.document(day)
        return None if document is None else document.series_of(sensor)

    def readings(self, sensor: Sensor, day: date) -> Readings | None:
        """Return a day's readings and currents [144]; of one that cannot be read now, those that its row remembers.

        None where nothing is known of it.
        """
        document, series = self.document(day), self.series(sensor, day)
        if document is not None and series is not None:
            known = series.closed_slots(day)
            return Readings(series.readings(), currents_of(self._platform, document)) if known else None
        row = self._row_of(sensor.id, day) if self.stored[day].problem else None
        return None if row is None or row.is_empty else row.readings

    def forget_before(self, day: date) -> None:
        """Forget the days before one."""
        self.stored = {known: one for known, one in self.stored.items() if known >= day}
