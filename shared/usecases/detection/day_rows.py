"""The rows of a template's days in one run of detect: as they are stored, and as they were scored just now."""

from collections.abc import Sequence
from datetime import date

from shared.detection import engine_id
from shared.domain.deviation import Carry, DeviationDay, same_carry
from shared.domain.template import Template
from shared.domain.tsd import ONE_DAY, SLOTS
from shared.ports import DeviationsTable, StoredDeviations

RowKey = tuple[str, date]  # sensor and day


class DayRows:
    """Reads what is stored, remembers what was scored, and writes what differs; for one run, never longer."""

    def __init__(self, deviations: DeviationsTable, template: Template, *, fresh: bool) -> None:
        """Read rows from the table if ``fresh``, else also from this process's memory."""
        self._deviations = deviations
        self._template = template
        self._fresh = fresh
        self.stored: dict[RowKey, StoredDeviations] = {}
        self.scored: dict[RowKey, DeviationDay] = {}

    def read(self, day: date) -> None:
        """Read what is stored of the day, before what it is scored from is read."""
        for sensor in self._template.sensors:
            self.stored[sensor.id, day] = self._deviations.get(sensor.id, day, fresh=self._fresh)

    def read_from_table(self, sensor: str, day: date) -> DeviationDay | None:
        """Read what is stored of a sensor's day once more: memory may be behind the table."""
        self.stored[sensor, day] = self._deviations.get(sensor, day, fresh=True)
        return self.stored[sensor, day].row

    def known(self, sensor: str, day: date) -> DeviationDay | None:
        """Return the row as it was scored just now, or as it is stored."""
        return self.scored.get((sensor, day)) or self._deviations.get(sensor, day, fresh=self._fresh).row

    def carry(self, sensor: str, day: date) -> Carry | None:
        """Return what the day hands on; None where this engine did not score it."""
        row = self.known(sensor, day)
        return None if row is None or row.engine != engine_id() else row.carry

    def keep(self, row: DeviationDay) -> None:
        """Remember a scored day, unless it is empty and was never stored."""
        key = row.sensor, row.day
        if row.level.size or self.stored[key].row is not None:
            self.scored[key] = row

    def changed(self) -> list[DeviationDay]:
        """Return the scored days that differ from what is stored, the last day first."""
        differing = [row for key, row in self.scored.items() if not row.same_as(self.stored[key].row)]
        return sorted(differing, key=lambda row: row.day, reverse=True)

    def write(self, row: DeviationDay) -> None:
        """Write a scored day on what was read; raises Conflict."""
        self._deviations.put(row, self.stored[row.sensor, row.day].etag)

    def bump_next_days(self, written: Sequence[DeviationDay]) -> None:
        """Write the days again that follow on one which now hands on something else.

        Another run may have read that one before it was written, and the day after it since: its write then fails
        on this one, and it reads again.
        """
        for row in written:
            before = self.stored[row.sensor, row.day].row
            after = self.scored.get((row.sensor, row.day + ONE_DAY))
            if before is not None and after is not None and not same_carry(before.carry, row.carry):
                self._deviations.put(after, self._deviations.get(after.sensor, after.day).etag)

    def day_after_last(self) -> date | None:
        """Return the day after the last one that was scored by a baseline, if that one is whole."""
        last = max((day for (_, day), row in self.scored.items() if row.baseline), default=None)
        if last is None or all(row.level.size < SLOTS for (_, day), row in self.scored.items() if day == last):
            return None
        return last + ONE_DAY

    def stored_rows(self, day: date) -> list[DeviationDay]:
        """Return the rows that are stored of a day."""
        found = [self._deviations.get(sensor.id, day).row for sensor in self._template.sensors]
        return [row for row in found if row is not None]
