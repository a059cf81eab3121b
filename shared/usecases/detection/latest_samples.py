"""Latest: each sensor's newest sample, kept beside its registration so that one read tells all levels.

It is derived from the deviation rows, after they were written. What holds the newest samples is read BEFORE the rows
that they are made of, and written only if it is still what was read; who loses reads both again. A run that wrote
rows writes even where nothing differs. So of two runs that change a template's rows at once, the one that writes
the newest samples last has read the rows of both. A run that died in between is healed by the event's repetition,
which finds the rows unchanged and the newest samples different.

A row counts as read when this run wrote it, or read it from the table: what a process remembers may be behind.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from shared.domain.deviation import DeviationDay, Latest, Level
from shared.domain.template import Template
from shared.domain.tsd import BUCKET, ONE_DAY, SLOTS, iso, start_of, to_datetime64
from shared.ports import DeviationsTable, PlatformRecord, RegistryTable
from shared.retry import after_conflicts
from shared.telemetry import log_event
from shared.usecases.journal.journal import Journal
from shared.usecases.lookup import find_template

logger = logging.getLogger(__name__)

Rows = Mapping[tuple[str, date], DeviationDay]  # by sensor and day


@dataclass(frozen=True, kw_only=True)
class UpdateLatest:
    """Brings the newest samples of a template's sensors in step with their rows."""

    registry: RegistryTable
    deviations: DeviationsTable
    journal: Journal

    def run(self, record: PlatformRecord, template: Template, rows: Rows, *, wrote: bool) -> None:
        """Write the newest samples if these rows, read after ``record``, can have changed them; raises Conflict.

        ``wrote`` says that some of the rows were written just now.
        """
        rows = {key: row for key, row in rows.items() if row.level.size or row.sensor in record.latest}
        if not any(day >= _rests_on(record, sensor) for sensor, day in rows):
            return
        looked: dict[str, list[date]] = {}
        for sensor, day in sorted(rows):
            looked.setdefault(sensor, []).append(day)

        def attempt(again: bool) -> None:
            known = self.registry.record(template.id) if again else record
            sensors = find_template(known, template.id).sensors  # others, by now, perhaps
            self._write(
                known, template, {one.id: looked.get(one.id, []) for one in sensors}, {} if again else rows, wrote
            )

        after_conflicts(attempt, f"newest samples of {template.id}")

    def _write(
        self, record: PlatformRecord, template: Template, looked: Mapping[str, Sequence[date]], rows: Rows, wrote: bool
    ) -> None:
        found = {sensor: self._of(record.latest.get(sensor), sensor, rows, days) for sensor, days in looked.items()}
        latest = {sensor: one for sensor, one in found.items() if one is not None}
        if not wrote and latest == {sensor: record.latest.get(sensor) for sensor in found.keys() & record.latest}:
            return
        for sensor, one in latest.items():
            if _told(one) != _told(record.latest.get(sensor)):
                self.journal.level(template, sensor, one)
        self.registry.set_latest(template, latest, record.latest_etags.get(template.id))
        _log_changes(template, record.latest, latest)

    def _of(self, known: Latest | None, sensor: str, rows: Rows, looked: Sequence[date]) -> Latest | None:
        """Return the sensor's newest sample; the table is read only where the rows do not tell.

        ``looked`` are the days that the run looked at, in order.
        """
        row = rows.get((sensor, looked[-1])) if looked else None
        if row is None or not row.level.size or known is None or row.day < known.at.date():
            low = known.at.date() if known is not None else looked[-1] if looked else None
            stored = [] if low is None else self.deviations.range(sensor, low - ONE_DAY, date.max)
            if known is not None and not any(one.day >= known.at.date() for one in stored):
                return known  # its row, which stays where a day is emptied, was lost, and will be made anew
            held = [one for one in stored if one.level.size]
            if low is not None and not held:
                held = self._newest_before(sensor, low)
            if not held:
                return None
            row, rows = held[-1], {(sensor, one.day): one for one in held}
        return _sample(row, self._since(row, rows, known, min(looked, default=date.max)))

    def _since(self, row: DeviationDay, rows: Rows, known: Latest | None, oldest: date) -> datetime:
        """Return the start of the run of the row's last level, however long it is.

        It ends where a bucket has another level, or nothing is known of one. What was known tells how it went on
        before the rows, unless the run looked at days before those (``oldest``): whoever changes a day of a run writes
        the newest samples, too, so what they say of it is right, or lost by this run.
        """
        level, since = row.last_level(), _level_since(row)
        while since == start_of(row.day) and (before := rows.get((row.sensor, row.day - ONE_DAY))) is not None:
            if before.level.size < SLOTS or before.last_level() is not level:
                return since
            row, since = before, _level_since(before)
        if since > start_of(row.day):
            return since
        if known is not None and _is_exact(known) and oldest >= row.day:
            if known.level == level and known.since <= since <= known.at + BUCKET:
                return known.since
            if known.level != level and known.at == since - BUCKET:
                return since
        return self._look_back(row.sensor, level, since)

    def _look_back(self, sensor: str, level: Level, since: datetime) -> datetime:
        """Return the start of a run that is known to go back to that midnight.

        Levels alone are read, 144 bytes a day, in steps of 2, 8, 32 ... days: five reads for a year, and never much
        more than four times the run. What bounds it is the run.
        """
        days = 2
        while True:
            first = since.date() - days * ONE_DAY
            times, columns = self.deviations.columns(sensor, first, since.date() - ONE_DAY, ("level",))
            without_gap = to_datetime64(since) - np.arange(times.size, 0, -1) * np.timedelta64(BUCKET, "s")
            others = np.flatnonzero((columns["level"] != level) | (times != without_gap))
            since -= (times.size - (int(others[-1]) + 1 if others.size else 0)) * BUCKET
            if since > start_of(first):
                return since
            days *= 4

    def _newest_before(self, sensor: str, low: date) -> list[DeviationDay]:
        """Return the last row before that day that holds a sample, and the one before: later days were emptied."""
        days = [one.day for one in self.deviations.summaries(sensor, date.min, low) if not one.is_empty]
        return self._with_samples(sensor, days[-1] - ONE_DAY, days[-1]) if days else []

    def _with_samples(self, sensor: str, first: date, last: date) -> list[DeviationDay]:
        return [one for one in self.deviations.range(sensor, first, last) if one.level.size]


def _told(latest: Latest | None) -> tuple[object, ...] | None:
    """Return what people are told of a newest sample, in the journal."""
    return None if latest is None else (latest.level, latest.since, latest.fault)


def _log_changes(template: Template, before: Mapping[str, Latest], after: Mapping[str, Latest]) -> None:
    for sensor, one in after.items():
        was = before[sensor].level if sensor in before else Level.UNDEFINED
        if one.level != was:
            score = "none" if one.score is None else one.score
            names = {"sensor": sensor, "template": template.id}
            log_event(logger, "level changed", **names, was=was.word, level=one.level.word, score=score, at=iso(one.at))


def _rests_on(record: PlatformRecord, sensor: str) -> date:
    """Return the first day that the sensor's newest sample looks at: the one before its level's run began."""
    return record.latest[sensor].since.date() - ONE_DAY if sensor in record.latest else date.min


def _is_exact(known: Latest) -> bool:
    """Return whether a run began when it says: the release before looked back to the midnight before, no further."""
    return known.since != start_of(known.at.date() - ONE_DAY)


def _level_since(row: DeviationDay) -> datetime:
    """Return the start of the last sample's run of its level in the day."""
    others = np.flatnonzero(row.level != row.level[-1])
    return start_of(row.day) + (int(others[-1]) + 1 if others.size else 0) * BUCKET


def _sample(row: DeviationDay, since: datetime) -> Latest:
    """Return the row's last sample."""
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
