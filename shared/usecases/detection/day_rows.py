"""The rows of a template's days in one run of detect: as they are stored, and as they were scored just now."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from shared.domain.deviation import DeviationDay, agree, same_carry
from shared.domain.template import Template
from shared.domain.tsd import ONE_DAY, SLOTS
from shared.errors import Conflict
from shared.ports import DaySummary, DeviationsTable, StoredDeviations
from shared.usecases.detection.day_events import DayEvents
from shared.usecases.telling import Names, half_told, names_of

AnyRow = DeviationDay | DaySummary
RowKey = tuple[str, date]  # sensor and day


class DayRows:
    """Reads what is stored, remembers what was scored, and writes what differs; for one run, never longer."""

    def __init__(self, deviations: DeviationsTable, events: DayEvents, template: Template, *, fresh: bool) -> None:
        """Read rows from the table if ``fresh``, else also from this process's memory."""
        self._deviations = deviations
        self._events = events
        self._template = template
        self._fresh = fresh
        self.stored: dict[RowKey, StoredDeviations] = {}
        self.scored: dict[RowKey, DeviationDay] = {}
        # Rows of the two days before one, by the day that they were read with.
        self._earlier: dict[RowKey, Mapping[date, StoredDeviations]] = {}

    def read(self, day: date, *, fresh: bool = False) -> None:
        """Read what is stored of the day, before what it is scored from is read."""
        for sensor in self._template.sensors:
            self._read(sensor.id, day, fresh=fresh or self._fresh)

    def _read(self, sensor: str, day: date, *, fresh: bool) -> None:
        """Read a sensor's day: from the table together with those before, which have to be as new."""
        earlier, self.stored[sensor, day] = self._deviations.with_earlier(sensor, day, fresh=fresh)
        if earlier:
            self._earlier[sensor, day] = earlier

    def read_from_table(self, sensor: str, day: date) -> None:
        """Read what is stored of a sensor's day once more: memory may be behind the table."""
        self._read(sensor, day, fresh=True)

    def known(self, sensor: str, day: date, *, fresh: bool = False) -> DeviationDay | None:
        """Return the row as it was scored just now, or as it is stored."""
        return self.scored.get((sensor, day)) or self._deviations.get(sensor, day, fresh=fresh or self._fresh).row

    def before(self, sensor: str, day: date) -> DeviationDay | None:
        """Return the row of the day before one.

        Where the day itself was read from the table, memory may be behind for the day before, too: it came with it.
        """
        scored = self.scored.get((sensor, day - ONE_DAY))
        if scored is None and self.stored[sensor, day].fresh:
            return self._earlier[sensor, day][day - ONE_DAY].row
        return scored or self.known(sensor, day - ONE_DAY)

    def read_with(self, sensor: str, day: date, earlier: date) -> DeviationDay | None:
        """Return the row of an earlier day as it was read together with the day's own; None where it was not."""
        stored = self._earlier.get((sensor, day), {}).get(earlier)
        return None if stored is None else stored.row

    def keep(self, row: DeviationDay) -> None:
        """Remember a scored day, unless it is empty, was never stored, and nothing is told of it."""
        key = row.sensor, row.day
        if not row.is_empty or self.stored[key].row is not None or self._events.of(row):
            self.scored[key] = row

    def changed(self, days: Sequence[date]) -> list[DeviationDay]:
        """Return the scored ones of these days that differ from what is stored or told, the first day first."""
        differing = [row for row in self.scored.values() if row.day in days and self._differs(row)]
        return sorted(differing, key=lambda row: row.day)

    def _differs(self, row: DeviationDay) -> bool:
        stored = self.stored[row.sensor, row.day].row
        return not row.same_as(stored) or names_of(self._events.of(row)) != self._events.told(stored)

    def write(self, row: DeviationDay) -> None:
        """Write a scored day on what was read, and see to it that people are told of it; raises Conflict."""
        stored = self.stored[row.sensor, row.day]
        events, told, etag = self._events.of(row), self._events.told(stored.row), stored.etag
        names = names_of(events)
        if names != told:
            etag = self._deviations.put(replace(row, told=half_told(told, events)), etag)
            self._events.tell(row, told)
        try:
            self._deviations.put(replace(row, told=names), etag)
        except Conflict:
            if names != told:
                self._let_it_be_told_again(row, names)
            raise

    def _let_it_be_told_again(self, row: DeviationDay, names: Names) -> None:
        """Record what this run told beside another one, which may not know of it."""
        now = self._deviations.get(row.sensor, row.day, fresh=True)
        if now.row is None:  # its sensor was deleted
            self._events.take_back(names)
        else:
            told = half_told({*self._events.told(now.row), *names}, [])
            self._deviations.put(replace(now.row, told=told), now.etag)

    def was_whole(self, day: date) -> bool:
        """Return whether a sensor's stored row of the day was whole before this run."""
        rows = [self.stored[sensor.id, day].row for sensor in self._template.sensors]
        return any(row is not None and row.level.size == SLOTS for row in rows)

    def rests_on_other(self, sensor: str, day: date) -> bool:
        """Return whether the stored day rests on something else than what this run knows of the two days before it."""
        row = self.stored[sensor, day].row
        before, older = self._held(sensor, day - ONE_DAY), self._held(sensor, day - 2 * ONE_DAY)
        return row is not None and rests_on_other(row, before, older)

    def rests_on_other_readings(self, sensor: str, day: date, earlier: date) -> bool:
        """Return whether the stored day rests on other readings of an earlier day than this run knows of that one."""
        row = self.stored[sensor, day].row
        return row is not None and _other_readings(row.rests_on(earlier), self._held(sensor, earlier))

    def trusted(self, sensor: str, day: date) -> DeviationDay | None:
        """Return the stored day if its scores may be gone on from: the readings two days before it are as they were."""
        return None if self.rests_on_other_readings(sensor, day, day - 2 * ONE_DAY) else self.stored[sensor, day].row

    def _held(self, sensor: str, day: date) -> DeviationDay | None:
        """Return the row as it was scored just now or read before; None where this run did not look at it."""
        stored = self.stored.get((sensor, day))
        return self.scored.get((sensor, day)) or (None if stored is None else stored.row)

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


def rests_on_other(row: AnyRow, before: AnyRow | None, older: AnyRow | None) -> bool:
    """Return whether a row rests on something else than the rows of the two days before it say, where there are any."""
    readings = _other_readings(row.context.yesterday, before) or _other_readings(row.context.day_before, older)
    return readings or (before is not None and handed_other(row, before))


def _other_readings(recorded: str, row: AnyRow | None) -> bool:
    return row is not None and not agree(recorded, row.fingerprint)


def handed_other(row: AnyRow, before: AnyRow) -> bool:
    """Return whether the row was handed something else than the day before hands on, where both have one version."""
    same_version = row.baseline and (row.engine, row.baseline) == (before.engine, before.baseline)
    return bool(same_version) and not same_carry(row.before, before.handed_on)
