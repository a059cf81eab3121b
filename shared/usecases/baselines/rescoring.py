"""Rescoring: which stored days are scored again: holes, other versions or readings, incidents that do not fit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from shared.detection import engine_id
from shared.domain.deviation import Level
from shared.domain.incident import Incident
from shared.domain.template import Template
from shared.domain.tsd import ONE_DAY, runs_of
from shared.ports import DaySummary, DeviationsTable, EstimationSummary, ListPage, PlatformRecord
from shared.usecases.detection.day_rows import rests_on_other
from shared.usecases.detection.detect import REACH, Detect
from shared.usecases.incidents.reconcile import is_of_other_template, is_outlived
from shared.usecases.telling import BEING_TOLD

RECENT_DAYS = 3  # looked at again each time, whatever their rows say: cheap, and heals what a lost event left
PAGE = 1000  # estimations a read
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

        And those of incidents that no rows tell of any more, since their sensors were deleted, and of those that were
        estimated when the template was another.
        Returns the day to go on with where time was used up first. Some days are scored however late it is.
        """
        if not days:
            return None
        stored = self.detect.reconcile.incidents.list(template.id)
        incidents = [one.incident for one in stored]
        of_incidents = {day for one in incidents for day in one.days}
        first, last = min(of_incidents | {days[0]}), max(of_incidents | {days[-1]})
        rows = {
            sensor.id: {one.day: one for one in self.deviations.summaries(sensor.id, first, last)}
            for sensor in template.sensors
        }
        answered = {one.incident: one for one in self._answered(template)}
        stale = {*days[-RECENT_DAYS:], *(day for day in days if (days[-1] - day).days % CYCLE_DAYS == 0)}
        stale |= {one.onset.date() for one in incidents if is_outlived(one, answered.get(one.id))}
        stale |= {one.incident.onset.date() for one in stored if is_of_other_template(one, template)}
        for day in days:
            found = {sensor.id: rows[sensor.id].get(day) for sensor in template.sensors}
            if any(
                _is_stale(row, record.history(sensor).version_of(day))
                or (row is not None and row.counts[Level.CRITICAL] and day not in of_incidents)
                for sensor, row in found.items()
            ):
                stale.add(day)
            before = [day - ONE_DAY, day - REACH]
            if any(row and rests_on_other(row, *map(rows[sensor].get, before)) for sensor, row in found.items()):
                stale |= {*before, day}  # it is held against the days that the same run looks at
        unsaid = {one.onset.date() for one in incidents if not _is_said_by(rows, one)}  # in the lake or not any more
        runs = runs_of((day for day in stale.intersection(days) | unsaid if day >= since), at_most=AT_ONCE)
        for number, (first, last) in enumerate(runs):
            if number and is_over():
                return first
            self.detect.run(record.platform.id, template.id, first, last)
        return None

    def _answered(self, template: Template) -> list[EstimationSummary]:
        estimations = self.detect.reconcile.estimations
        return ListPage.all(lambda after: estimations.list(template.id, limit=PAGE, after=after))


def _is_said_by(rows: Mapping[str, Mapping[date, DaySummary]], incident: Incident) -> bool:
    """Return whether each sensor that an incident names has a Critical in its days; one that was deleted has none."""
    return all(
        any(row.counts[Level.CRITICAL] for day in incident.days if (row := rows.get(sensor, {}).get(day)) is not None)
        for sensor in incident.sensors
    )


def _is_stale(row: DaySummary | None, version: str) -> bool:
    """Return whether the row is missing, comes from another version or engine, or was left while people were told."""
    if row is None:  # a day that lacks the series has one, too
        return True
    return (row.engine, row.baseline) != (engine_id(), version) or BEING_TOLD in (row.told or ())
