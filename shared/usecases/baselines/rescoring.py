"""Rescoring: which stored days are scored again: holes, other versions or readings, Criticals without an incident."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shared.detection import engine_id
from shared.domain.deviation import Level, agree, fingerprint, same_carry
from shared.domain.template import Template
from shared.domain.tsd import ONE_DAY
from shared.ports import DaySummary, DeviationsTable, PlatformRecord
from shared.usecases.detection.detect import REACH, Detect

RECENT_DAYS = 3  # looked at again each time, whatever their rows say: cheap, and heals what a lost event left


@dataclass(frozen=True, kw_only=True)
class Rescoring:
    """Scores the days of a template whose rows are not what they should be."""

    deviations: DeviationsTable
    detect: Detect

    def run(self, record: PlatformRecord, template: Template, days: Sequence[date]) -> None:
        """Score the days whose rows are missing or come from another version, and the newest ones."""
        if not days:
            return
        rows = {
            sensor.id: {one.day: one for one in self.deviations.summaries(sensor.id, days[0], days[-1])}
            for sensor in template.sensors
        }
        incidents = [one.incident for one in self.detect.reconcile.incidents.list(template.id)]
        stale = set(days[-RECENT_DAYS:])
        looked_at = set[date]()  # what days that rest on something else have to be held against
        for day in days:
            covered_by_incident = any(one.onset.date() <= day <= one.last_critical.date() for one in incidents)
            found = {sensor.id: rows[sensor.id].get(day) for sensor in template.sensors}
            if not any(found.values()) or any(
                _is_stale(row, record.history(sensor).version_of(day), day, newest=max(rows[sensor], default=date.min))
                or _was_handed_something_else(row, rows[sensor].get(day - ONE_DAY))
                or (row is not None and row.counts[Level.CRITICAL] and not covered_by_incident)
                for sensor, row in found.items()
            ):
                stale.add(day)
            before = [day - ONE_DAY, day - REACH]
            if any(row and _rests_on_other(row, *map(rows[sensor].get, before)) for sensor, row in found.items()):
                looked_at.update([*before, day])
        for first, last in _runs(sorted(stale | looked_at.intersection(days))):
            # Days are written last one first: next to a block that a crash left unwritten lies a half-written day.
            self.detect.run(record.platform.id, template.id, first, min(last + ONE_DAY, days[-1]))


def _is_stale(row: DaySummary | None, version: str, day: date, *, newest: date) -> bool:
    """Return whether the row is a hole among the sensor's rows, or comes from another version or engine."""
    if row is None:
        return day < newest  # a sensor may have ended; one that goes on has a row for each day
    return (row.engine, row.baseline) != (engine_id(), version)


def _was_handed_something_else(row: DaySummary | None, before: DaySummary | None) -> bool:
    """Return whether the row rests on another latch than the day before hands on, where both have one version."""
    if row is None or before is None or not row.baseline or row.baseline != before.baseline:
        return False
    return not same_carry(row.before, None if before.is_empty else before.carry)


def _rests_on_other(row: DaySummary, yesterday: DaySummary | None, day_before: DaySummary | None) -> bool:
    """Return whether the row was scored from other readings than the two days before it hold."""
    pairs = ((row.context.yesterday, yesterday), (row.context.day_before, day_before))
    return any(one is not None and not _may_rest_on(recorded, one) for recorded, one in pairs)


def _may_rest_on(recorded: str, before: DaySummary) -> bool:
    """Return whether that names the day's readings; an emptied day may have no series any more."""
    if not before.fingerprint or (before.is_empty and recorded == fingerprint(None)):
        return True
    return agree(recorded, before.fingerprint)


def _runs(days: Sequence[date]) -> list[tuple[date, date]]:
    """Return the days as runs of consecutive ones (first, last)."""
    runs: list[tuple[date, date]] = []
    for day in days:
        if runs and (day - runs[-1][1]).days == 1:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs
