"""Runs of Critical in a template's scored days: where an incident begins, goes on and is over.

An incident is over once its sensors have been heard to be clear for a while. Silence is not clear: a sensor that was
Critical and then says nothing keeps its incident open, for a week at most.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from shared.arrays import Flags, Levels, Scores
from shared.domain.deviation import DeviationDay, Level
from shared.domain.incident import Incident
from shared.domain.template import Template
from shared.domain.tsd import BUCKET, SLOTS, start_of, to_datetime

SILENT = timedelta(days=7)  # longer than this nobody waits for a sensor that fell silent


@dataclass(frozen=True, eq=False)
class LevelGrid:
    """Levels of a template's sensors on one grid: level [sensors, buckets], from ``start`` to the newest bucket."""

    start: datetime
    sensors: tuple[str, ...]
    level: Levels
    score: Scores

    def moment(self, bucket: int) -> datetime:
        """Return the bucket's start."""
        return self.start + bucket * BUCKET

    @classmethod
    def of(cls, rows: Sequence[DeviationDay]) -> "LevelGrid":
        """Put the rows on one grid; what no row says is Undefined."""
        first = min(row.day for row in rows)
        size = max((row.day - first).days * SLOTS + row.level.size for row in rows)
        sensors = tuple(sorted({row.sensor for row in rows}))
        level = np.full((len(sensors), size), Level.UNDEFINED, dtype=np.int8)
        score = np.zeros((len(sensors), size), dtype=np.float32)
        for row in rows:
            begin = (row.day - first).days * SLOTS
            place = sensors.index(row.sensor), slice(begin, begin + row.level.size)
            level[place], score[place] = row.level, np.nan_to_num(row.score)
        return cls(start_of(first), sensors, level, score)


def find_incidents(template: Template, rows: Sequence[DeviationDay], clear: timedelta) -> list[Incident]:
    """Return the incidents in the rows, oldest first; ``clear`` is how long its sensors must be heard to be clear."""
    if not any(row.count(Level.CRITICAL) for row in rows):
        return []
    grid = LevelGrid.of(rows)
    critical = np.flatnonzero((grid.level == Level.CRITICAL).any(axis=0)).tolist()
    incidents, first = [], 0
    while first < len(critical):
        last, over = _end_of_run(grid, critical, first, clear)
        incidents.append(_incident(template, grid, critical[first], critical[last], over))
        first = last + 1
    return incidents


def _end_of_run(grid: LevelGrid, critical: list[int], first: int, clear: timedelta) -> tuple[int, int | None]:
    """Return the index of the run's last Critical, and the bucket at whose start it is over (None: it is not)."""
    involved = np.zeros(len(grid.sensors), dtype=bool)
    for index in range(first, len(critical)):
        involved |= grid.level[:, critical[index]] == Level.CRITICAL
        end = critical[index + 1] if index + 1 < len(critical) else grid.level.shape[1]
        over = _over(grid, critical[index], end, involved, clear)
        if over is not None:
            return index, over
    return len(critical) - 1, None


def _over(grid: LevelGrid, last: int, end: int, involved: Flags, clear: timedelta) -> int | None:
    """Return from which bucket on the run is over, if it is before ``end``."""
    between = grid.level[involved, last + 1 : end]
    heard = np.flatnonzero((between >= Level.OK).any(axis=0))
    needed, silent = clear // BUCKET, SILENT // BUCKET
    ends = [last + silent + 1] if end - last > silent else []
    if heard.size >= needed:
        ends.append(last + 1 + int(heard[needed - 1]) + 1)
    return min(ends, default=None)


def _incident(template: Template, grid: LevelGrid, first: int, last: int, over: int | None) -> Incident:
    inside = grid.level[:, first : last + 1] == Level.CRITICAL
    onset = grid.moment(first)
    return Incident(
        id=f"{template.id}-{onset:%Y%m%dT%H%M}Z",
        platform=template.platform,
        template=template.id,
        onset=onset,
        last_critical=grid.moment(last),
        closed=None if over is None else grid.moment(over),
        sensors=tuple(sensor for sensor, own in zip(grid.sensors, inside.any(axis=1), strict=True) if own),
        max_score=round(float(grid.score[:, first : last + 1][inside].max()), 4),
    )


def reach_of(rows: Iterable[DeviationDay], low: date, high: date) -> tuple[date, date]:
    """Return the span of days to read so that no run of Critical reaches over its edges, as far as these rows tell."""
    times = [moment for row in rows for moment in row.times[row.level == Level.CRITICAL]]
    if not times:
        return low, high
    earliest = (to_datetime(min(times)) - SILENT).date()
    latest = (to_datetime(max(times)) + SILENT).date()
    return min(low, earliest), max(high, latest)
