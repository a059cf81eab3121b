"""Trust: which days of a scored history nobody suspects, as its rows were by what was known at the time.

A row depends on the lake and on the version that scored it. Where the stored row comes from another version (it was
scored again since, or is not there yet), the day is scored here, in memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

from shared.detection import engine_id
from shared.domain.baseline_history import BaselineHistory
from shared.domain.deviation import DeviationDay, Level
from shared.domain.incident import Incident
from shared.domain.template import Template
from shared.domain.tsd import ONE_DAY, SLOTS, start_of
from shared.ports import DeviationsTable
from shared.usecases.baselines.histories import Histories
from shared.usecases.baselines.recorded_readings import RecordedReadings
from shared.usecases.detection.scoring import score_day
from shared.usecases.incidents.critical_runs import SILENT, find_incidents

LEAST_OK = SLOTS // 2


@dataclass
class TrustedDays:
    """Judges the days of one template by what was known at the time; remembers what it scored, within its reach."""

    template: Template
    readings: RecordedReadings
    histories: Histories
    deviations: DeviationsTable
    clear: timedelta  # how long an incident's sensors must be clear for it to be over
    reach: timedelta  # how far back it is asked
    _rows: dict[tuple[str, date, str], DeviationDay | None] = field(default_factory=dict)

    def ends_in_alarm(self, sensor: str, day: date) -> bool:
        """Return whether the sensor is at Warning or above at the day's end."""
        history = self.histories.known_on(sensor, day + ONE_DAY)
        if not history.version_of(day):
            return False
        self._load(sensor, day, day)
        row = self._row(sensor, day, history)
        return row is not None and row.last_level() >= Level.WARNING

    def _forget_before(self, first: date) -> None:
        self._rows = {key: row for key, row in self._rows.items() if key[1] >= first}

    def _load(self, sensor: str, first: date, last: date) -> None:
        """Read the stored rows of [first, last]."""
        for row in self.deviations.range(sensor, first, last):
            if row.engine == engine_id():
                self._rows[sensor, row.day, row.baseline] = row

    def _row(self, sensor: str, day: date, history: BaselineHistory) -> DeviationDay | None:
        """Return the sensor's day as that history scores it, or None where the lake holds nothing of it."""
        version = history.version_of(day)
        for one in self._unscored(sensor, day, version, history):
            self._rows[sensor, one, version] = self._score(sensor, one, version)
        return self._rows[sensor, day, version]

    def _unscored(self, sensor: str, day: date, version: str, history: BaselineHistory) -> list[date]:
        """Return the days up to this one that must be scored for it, in order: each needs what the last handed on."""
        days: list[date] = []
        while (sensor, day, version) not in self._rows and (not days or history.version_of(day) == version):
            self._load(sensor, day, day)
            if (sensor, day, version) in self._rows:
                break
            days.append(day)
            if not version or self.readings.series(sensor, day) is None:
                break
            day -= ONE_DAY
        return days[::-1]

    def _score(self, sensor: str, day: date, version: str) -> DeviationDay | None:
        series = self.readings.series(sensor, day)
        if series is None:
            return None
        baseline = self.histories.baseline(sensor, version) if version else None
        before = self._rows.get((sensor, day - ONE_DAY, version))
        return score_day(sensor, day, series, partial(self.readings.scored_from, sensor), None, baseline, before=before)

    def trusted(self, sensor: str, days: Sequence[date], end: date) -> set[date]:
        """Return which of the days are quiet, well observed, and a day away from all incidents of the template.

        end: nothing from this day on is looked at or known.
        """
        if not days:
            return set()
        low = min(days) - SILENT - ONE_DAY
        self._forget_before(min(low, end - self.reach - SILENT - ONE_DAY))
        span = [low + offset * ONE_DAY for offset in range((end - low).days)]
        histories = {one.id: self.histories.known_on(one.id, end) for one in self.template.sensors}
        for known in histories:
            self._load(known, low, end - ONE_DAY)
        rows = {
            (known, day): row
            for known, history in histories.items()
            for day in span
            if (row := self._row(known, day, history)) is not None
        }
        incidents = find_incidents(self.template, list(rows.values()), self.clear) if rows else []
        return {
            day
            for day in days
            if (sensor, day) in rows
            and rows[sensor, day].count(Level.OK) >= LEAST_OK
            and not any(_alarmed(rows.get((sensor, near))) for near in (day - ONE_DAY, day, day + ONE_DAY))
            and not any(_overlaps(incident, day) for incident in incidents)
        }


def _alarmed(row: DeviationDay | None) -> bool:
    return row is not None and bool((row.level >= Level.WARNING).any())


def _overlaps(incident: Incident, day: date) -> bool:
    """Return whether the day lies within a day of the incident; one that goes on has no end."""
    begun = start_of(day) + ONE_DAY > incident.onset - ONE_DAY
    return begun and (incident.closed is None or start_of(day) < incident.closed + ONE_DAY)
