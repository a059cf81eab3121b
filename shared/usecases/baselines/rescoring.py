"""Rescoring: which stored days are scored again: holes, other versions or readings, incidents that do not fit.

Rows of years need not be read every day: a mark of each day that was found right says what it rests on
(``rests_on.py``). The first day whose mark is another one is where the next look begins; from there on all rows are
read, because what a day hands on may be felt for long.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from shared.detection import engine_id
from shared.domain.checked_days import CheckedDays
from shared.domain.deviation import Level
from shared.domain.incident import Incident
from shared.domain.template import Template
from shared.domain.tsd import ONE_DAY, runs_of
from shared.errors import Conflict
from shared.ports import DaySummary, DeviationsTable, EstimationSummary, ListPage, Registration
from shared.usecases.baselines.rests_on import marks_of
from shared.usecases.detection.day_rows import rests_on_other
from shared.usecases.detection.detect import REACH, Detect
from shared.usecases.incidents.reconcile import is_of_other_template, is_outlived
from shared.usecases.telling import BEING_TOLD

RECENT_DAYS = 3  # looked at again each time, whatever their rows say: cheap, and heals what a lost event left
PAGE = 1000  # estimations a read
AT_ONCE = 28  # days that are scored in one go: what is in memory, and what is done again after a crash
CYCLE_DAYS = 28  # in which each older day's rows are read once, whatever its mark says: they may have been lost

Rows = Mapping[str, Mapping[date, DaySummary]]  # by sensor


@dataclass(frozen=True, kw_only=True)
class Rescoring:
    """Scores the days of a template whose rows are not what they should be."""

    deviations: DeviationsTable
    detect: Detect
    scored_among: Callable[[Iterable[date]], list[date]] = sorted  # of the lake's days, those whose scores are kept

    def run(
        self,
        record: Registration,
        template: Template,
        is_over: Callable[[], bool] = lambda: False,
        since: date = date.min,
    ) -> date | None:
        """Score the days from ``since`` on whose rows are missing or come from another version, and the newest ones.

        And those of incidents that no rows tell of any more, since their sensors were deleted, and of those that were
        estimated when the template was another.
        Returns the day to go on with where time was used up first. Some days are scored however late it is.
        """
        registry = self.detect.registry
        checked = registry.checked(template)
        held = self.detect.lake.etags(template)  # also of days whose scores are not kept: the first ones rest on them
        days = self.scored_among(held)
        if not days:
            return None
        stored = self.detect.reconcile.incidents.list(template.id)
        incidents = [one.incident for one in stored]
        older = held.keys() - set(days)
        marks = _without(older, marks_of(record, template, held, incidents))
        before = {} if checked.days is None else checked.days.by_day()
        others = {day for day, mark in marks.items() if before.get(day) != mark}
        newest, turn = set(days[-RECENT_DAYS:]), _in_turn(days)
        begin = min(others | newest)
        looked = {day for day in marks if day >= begin} | turn
        looked |= {day for one in incidents if not looked.isdisjoint(one.days) for day in one.days}
        rows = self._rows(template, looked)

        answered = {one.incident: one for one in self._answered(template)}
        stale = newest | (others & before.keys())
        stale |= {one.onset.date() for one in incidents if is_outlived(one, answered.get(one.id))}
        stale |= {one.incident.onset.date() for one in stored if is_of_other_template(one, template)}
        of_incidents = {day for one in incidents for day in one.days}
        stale |= _stale(record, template, rows, [day for day in days if day in looked], of_incidents)
        # In the lake or not any more.
        unsaid = {one.onset.date() for one in incidents if looked.issuperset(one.days) and not _is_said_by(rows, one)}
        end = self._score(record, template, stale.intersection(days) | unsaid, is_over, since)
        now = [one.incident for one in self.detect.reconcile.incidents.list(template.id)]  # scoring may have found some
        marks = _without(older, marks_of(record, template, held, now))
        found = {day: mark for day, mark in marks.items() if since <= day and (end is None or day < end)}
        kept = {day: mark for day, mark in before.items() if day in marks}
        after = CheckedDays.of(kept | found)
        if after is not None and after != checked.days:
            with suppress(Conflict):  # of another run, or of a sensor that is new: the next run looks again
                registry.set_checked(template, after, checked.etag)
        return end

    def _score(
        self, record: Registration, template: Template, days: Iterable[date], is_over: Callable[[], bool], since: date
    ) -> date | None:
        """Score these days from ``since`` on; return the one to go on with where time was used up first."""
        for number, (first, last) in enumerate(runs_of((day for day in days if day >= since), at_most=AT_ONCE)):
            if number and is_over():
                return first
            self.detect.run(record.platform.id, template.id, first, last)
        return None

    def _rows(self, template: Template, days: Set[date]) -> Rows:
        """Return the rows of these days, and of those before each that it rests on."""
        before = {day - offset * ONE_DAY for day in days for offset in range(1, REACH // ONE_DAY + 1)}
        runs = list(runs_of(days | before))
        return {
            sensor.id: {
                one.day: one for first, last in runs for one in self.deviations.summaries(sensor.id, first, last)
            }
            for sensor in template.sensors
        }

    def _answered(self, template: Template) -> list[EstimationSummary]:
        estimations = self.detect.reconcile.estimations
        return ListPage.all(lambda after: estimations.list(template.id, limit=PAGE, after=after))


def _without(days: Set[date], marks: Mapping[date, str]) -> dict[date, str]:
    return {day: mark for day, mark in marks.items() if day not in days}


def _in_turn(days: Sequence[date]) -> set[date]:
    """Return the days whose turn it is when the last one is the newest: neighbours, which are read at once."""
    place = days[-1].toordinal() % CYCLE_DAYS
    return {day for day in days if day.toordinal() // AT_ONCE % CYCLE_DAYS == place}


def _stale(
    record: Registration, template: Template, rows: Rows, days: Iterable[date], of_incidents: Set[date]
) -> set[date]:
    """Return which of the days their rows show not to be scored as they should be."""
    stale: set[date] = set()
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
    return stale


def _is_said_by(rows: Rows, incident: Incident) -> bool:
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
