"""Latest: each sensor's newest sample, kept beside its registration so that one read tells all levels.

It is derived from the deviation rows, after they were written. What holds the newest samples is read BEFORE the rows
that they are made of, and written only if it is still what was read; who loses reads both again. A run that wrote
rows writes even where nothing differs. So of two runs that change a template's rows at once, the one that writes
the newest samples last has read the rows of both. A run that died in between is healed by the event's repetition,
which finds the rows unchanged and the newest samples different.

A row counts as read when this run wrote it, or read it from the table: what a process remembers may be behind.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from shared.domain.deviation import DeviationDay, Latest, Level
from shared.domain.template import Template
from shared.domain.tsd import BUCKET, ONE_DAY, iso, start_of
from shared.ports import DeviationsTable, PlatformRecord, RegistryTable
from shared.retry import after_conflicts
from shared.telemetry import log_event
from shared.usecases.lookup import find_template

logger = logging.getLogger(__name__)

Rows = Mapping[tuple[str, date], DeviationDay]  # by sensor and day


@dataclass(frozen=True, kw_only=True)
class UpdateLatest:
    """Brings the newest samples of a template's sensors in step with their rows."""

    registry: RegistryTable
    deviations: DeviationsTable

    def run(self, record: PlatformRecord, template: Template, rows: Rows, *, wrote: bool) -> None:
        """Write the newest samples if these rows, read after ``record``, can have changed them; raises Conflict.

        ``wrote`` says that some of the rows were written just now.
        """
        rows = {key: row for key, row in rows.items() if row.level.size or row.sensor in record.latest}
        if not any(day >= _newest(record, sensor) - ONE_DAY for sensor, day in rows):
            return
        reach = {sensor: max(day for name, day in rows if name == sensor) for sensor, _ in rows}

        def attempt(again: bool) -> None:
            known = self.registry.platform(record.platform.id) if again else record
            sensors = find_template(known, template.id).sensors  # others, by now, perhaps
            self._write(known, template, {one.id: reach.get(one.id) for one in sensors}, {} if again else rows, wrote)

        after_conflicts(attempt, f"newest samples of {template.id}")

    def _write(
        self, record: PlatformRecord, template: Template, reach: Mapping[str, date | None], rows: Rows, wrote: bool
    ) -> None:
        found = {sensor: self._of(record, sensor, rows, day) for sensor, day in reach.items()}
        latest = {sensor: one for sensor, one in found.items() if one is not None}
        if not wrote and latest == {sensor: record.latest.get(sensor) for sensor in found.keys() & record.latest}:
            return
        self.registry.set_latest(template, latest, record.latest_etags.get(template.id))
        _log_changes(template, record.latest, latest)

    def _of(self, record: PlatformRecord, sensor: str, rows: Rows, reach: date | None) -> Latest | None:
        """Return the sensor's newest sample; the table is read only where the rows do not tell.

        ``reach`` is the newest day that the run looked at.
        """
        known = record.latest.get(sensor)
        row = None if reach is None else rows.get((sensor, reach))
        if row is not None and row.level.size and known is not None and row.day >= known.at.date():
            before, since = rows.get((sensor, row.day - ONE_DAY)), _level_since(row)
            if since > start_of(row.day) or before is not None:
                return _sample(row, before, since)
            if _goes_on(known, row):
                return _sample(row, None, known.since)
            if known.at == start_of(row.day) - BUCKET:  # the day before ended with it
                same = known.level == row.last_level()
                return _sample(row, None, max(known.since, start_of(row.day) - ONE_DAY) if same else since)
        low = known.at.date() if known is not None else reach
        if low is None:
            return None
        held = self._with_samples(sensor, low - ONE_DAY, date.max) or self._newest_before(sensor, low)
        if not held:
            return None
        before = next((one for one in held if one.day == held[-1].day - ONE_DAY), None)
        return _sample(held[-1], before, _level_since(held[-1]))

    def _newest_before(self, sensor: str, low: date) -> list[DeviationDay]:
        """Return the last row before that day that holds a sample, and the one before: later days were emptied."""
        days = [one.day for one in self.deviations.summaries(sensor, date.min, low) if not one.is_empty]
        return self._with_samples(sensor, days[-1] - ONE_DAY, days[-1]) if days else []

    def _with_samples(self, sensor: str, first: date, last: date) -> list[DeviationDay]:
        return [one for one in self.deviations.range(sensor, first, last) if one.level.size]


def _log_changes(template: Template, before: Mapping[str, Latest], after: Mapping[str, Latest]) -> None:
    for sensor, one in after.items():
        was = before[sensor].level if sensor in before else Level.UNDEFINED
        if one.level != was:
            score = "none" if one.score is None else one.score
            names = {"sensor": sensor, "template": template.id}
            log_event(logger, "level changed", **names, was=was.word, level=one.level.word, score=score, at=iso(one.at))


def _newest(record: PlatformRecord, sensor: str) -> date:
    """Return the day of the newest sample that is known."""
    return record.latest[sensor].at.date() if sensor in record.latest else date.min + ONE_DAY


def _goes_on(known: Latest, row: DeviationDay) -> bool:
    """Return whether a run of that day that reached back into the day before goes on: the day before told since when.

    Whoever changes that day writes the newest samples, too, so what they say of it is right, or lost by this run.
    """
    return known.at.date() == row.day and known.level == row.last_level() and known.since <= start_of(row.day)


def _level_since(row: DeviationDay) -> datetime:
    """Return the start of the last sample's run of its level in the day."""
    others = np.flatnonzero(row.level != row.level[-1])
    return start_of(row.day) + (int(others[-1]) + 1 if others.size else 0) * BUCKET


def _sample(row: DeviationDay, before: DeviationDay | None, since: datetime) -> Latest:
    """Return the row's last sample; a run since midnight goes back into a whole day before it."""
    if since == start_of(row.day) and before is not None and before.level.size and before.level[-1] == row.level[-1]:
        since = _level_since(before)
    return Latest(
        at=start_of(row.day) + (row.level.size - 1) * BUCKET,
        level=Level(int(row.level[-1])),
        score=_known(row.score[-1]),
        ppmv=_known(row.ppmv[-1]),
        fault=int(row.fault[-1]),
        since=since,
        channel=int(row.channel[-1]),
        raw=_known(row.raw[-1]),
    )


def _known(value: np.floating[Any]) -> float | None:
    return float(value) if np.isfinite(value) else None
