"""Rescoring: which stored days are scored again: holes, other versions or readings, Criticals without an incident."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from shared.detection import engine_id
from shared.domain.deviation import Level, agree, fingerprint
from shared.domain.template import Template
from shared.domain.tsd import ONE_DAY
from shared.ports import DaySummary, DeviationsTable, PlatformRecord
from shared.usecases.detection.day_rows import handed_other
from shared.usecases.detection.detect import REACH, Detect

RECENT_DAYS = 3  # looked at again each time, whatever their rows say: cheap, and heals what a lost event left
CYCLE_DAYS = 28  # in which each older day is looked at once: a lost event of an old day leaves no trace in its row
AT_ONCE = 28  # days that are scored in one go: what is in memory, and what is done again after a crash


@dataclass(frozen=True, kw_only=True)
class Rescoring:
    """Scores the days of a template whose rows are not what they should be."""

    deviations: DeviationsTable
    detect: Detect

    def run(
        self,
        record: PlatformRecord,
        template: Template,
        days: Sequence[date],
        is_over: Callable[[], bool] = lambda: False,
        since: date = date.min,
    ) -> date | None:
        """Score the days from ``since`` on whose rows are missing or come from another version, and the newest ones.

        Returns the day to go on with where time was used up first. Some days are scored however late it is.
        """
        if not days:
            return None
        rows = {
            sensor.id: {one.day: one for one in self.deviations.summaries(sensor.id, days[0], days[-1])}
            for sensor in template.sensors
        }
        newest = {sensor: max(found, default=date.min) for sensor, found in rows.items()}
        incidents = [one.incident for one in self.detect.reconcile.incidents.list(template.id)]
        stale = {*days[-RECENT_DAYS:], *(day for day in days if (days[-1] - day).days % CYCLE_DAYS == 0)}
        for day in days:
            covered_by_incident = any(one.onset.date() <= day <= one.last_critical.date() for one in incidents)
            found = {sensor.id: rows[sensor.id].get(day) for sensor in template.sensors}
            if not any(found.values()) or any(
                _is_stale(row, record.history(sensor).version_of(day), day, newest=newest[sensor])
                or (row is not None and row.counts[Level.CRITICAL] and not covered_by_incident)
                for sensor, row in found.items()
            ):
                stale.add(day)
            before = [day - ONE_DAY, day - REACH]
            if any(row and _rests_on_other(row, *map(rows[sensor].get, before)) for sensor, row in found.items()):
                stale |= {*before, day}  # it is held against the days that the same run looks at
        runs = pieces([day for day in sorted(stale.intersection(days)) if day >= since])
        for number, (first, last) in enumerate(runs):
            if number and is_over():
                return first
            self.detect.run(record.platform.id, template.id, first, last)
        return None


def _is_stale(row: DaySummary | None, version: str, day: date, *, newest: date) -> bool:
    """Return whether the row is a hole among the sensor's rows, or comes from another version or engine."""
    if row is None:
        return day < newest  # a sensor may have ended; one that goes on has a row for each day
    return (row.engine, row.baseline) != (engine_id(), version)


def _rests_on_other(row: DaySummary, before: DaySummary | None, older: DaySummary | None) -> bool:
    """Return whether the row rests on other readings or another latch than the two days before it have."""
    pairs = ((row.context.yesterday, before), (row.context.day_before, older))
    if any(one is not None and not _may_rest_on(recorded, one) for recorded, one in pairs):
        return True
    return before is not None and handed_other(row, before)


def _may_rest_on(recorded: str, before: DaySummary) -> bool:
    """Return whether that names the day's readings; an emptied day may have no series any more."""
    if not before.fingerprint or (before.is_empty and recorded == fingerprint(None)):
        return True
    return agree(recorded, before.fingerprint)


def pieces(days: Sequence[date]) -> list[tuple[date, date]]:
    """Return the days as runs of consecutive ones (first, last), none of them too long."""
    runs: list[tuple[date, date]] = []
    for day in days:
        if runs and day - runs[-1][1] == ONE_DAY and (day - runs[-1][0]).days < AT_ONCE:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs
