"""Remove what is older than it is kept: days of rows at once, for as long as a run has time; the next one goes on.

The lake is none of it, nor alarms, marks, notes and what is registered. What is said of removed rows is removed with
them, and nothing is taken back in the journal: it was so.
"""

import logging
from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from shared.domain.event import OF_A_ROW, OF_A_STATE, SYSTEM, EventKind
from shared.domain.incident import Incident
from shared.domain.kept import Kept, first_kept
from shared.domain.template import Template
from shared.domain.tsd import days_between, start_of
from shared.ports import AgedStorage, AlarmsTable, Clock, EstimationsTable, IncidentsTable, OldEvent, RegistryTable
from shared.telemetry import log_event

logger = logging.getLogger(__name__)

AT_ONCE = 1000  # rows between two looks at the clock
# Around an incident: as far as another look at it reads rows (critical_runs.SILENT), and a day for the time of day.
AROUND = timedelta(days=8)
OF_AN_INCIDENT: frozenset[EventKind] = frozenset({"incident_opened", "incident_closed", "estimation"})


@dataclass(frozen=True, slots=True)
class Removed:
    """How much a run removed, and whether it came to the end."""

    scored_days: int = 0
    events: int = 0
    incidents: int = 0
    corrupt: int = 0
    entries: int = 0
    ended: bool = True


class _OutOfTime(Exception):
    pass


@dataclass(frozen=True, kw_only=True)
class RemoveOld:
    """Removes what is older than it is kept."""

    storage: AgedStorage
    registry: RegistryTable
    incidents: IncidentsTable
    estimations: EstimationsTable
    alarms: AlarmsTable
    clock: Clock
    kept: Kept
    budget: timedelta

    def run(self) -> Removed:
        """Remove what is too old, until it is gone or time is used up; return how much."""
        count = {"scored_days": 0, "events": 0, "incidents": 0, "corrupt": 0, "entries": 0}
        now, ended = self.clock.now(), True
        try:
            for name, number in self._steps(now):
                count[name] += number
                if self.clock.now() - now >= self.budget:
                    raise _OutOfTime
        except _OutOfTime:
            ended = False
        removed = Removed(**count, ended=ended)
        if any(count.values()) or not ended:
            log_event(logger, "old rows removed", **count, ended=int(ended))
        return removed

    def _steps(self, now: datetime) -> Iterator[tuple[str, int]]:
        """Remove, and yield after each piece what it was and how many."""
        known = self.registry.platforms()
        templates = [one for record in known for one in record.platform.templates]
        for template in templates:
            yield from self._of_template(template, now)
        yield from self._events(SYSTEM, now, frozenset())
        if (since := first_kept(self.kept.corrupt, now)) is not None:
            while names := list(islice(self.storage.corrupt_before(since), AT_ONCE)):
                self.storage.remove_corrupt(names)
                yield "corrupt", len(names)
        if (since := first_kept(self.kept.journal, now)) is not None:
            standing = {f"alarm:{one.alarm.incident.id}" for one in self.alarms.standing()}
            for platform in [SYSTEM, *(record.platform.id for record in known)]:
                for number in self.storage.remove_entries(platform, start_of(since), standing):
                    yield "entries", number

    def _of_template(self, template: Template, now: datetime) -> Iterator[tuple[str, int]]:
        stored = [one.incident for one in self.incidents.list(template.id)]
        over = self.kept.incidents_since(now)
        gone = [one for one in stored if over and one.closed is not None and one.closed.date() < over]
        gone = [one for one in gone if not self._is_scored(one, now)]
        for incident in gone:
            # First the answer: without its incident nobody would find it.
            self.estimations.remove(template.id, incident.id)
            self.incidents.remove(incident)
            yield "incidents", 1
        left = [one for one in stored if one not in gone]
        held = {day for one in left for day in days_between(one.onset - AROUND, (one.closed or now) + AROUND)}
        since = self.kept.scored_since(now)
        if since is not None:
            for sensor in template.sensors:
                days = [day for day in self.storage.scored_days_before(sensor.id, since) if day not in held]
                for begin in range(0, len(days), AT_ONCE):
                    piece = days[begin : begin + AT_ONCE]
                    self.storage.remove_scored_days(sensor.id, piece)
                    yield "scored_days", len(piece)
        yield from self._events(template.id, now, held, frozenset(one.id for one in left))

    def _is_scored(self, incident: Incident, now: datetime) -> bool:
        """Return whether its days are still scored: they would find it again, and raise its alarm anew."""
        since = self.kept.scored_since(now)
        return since is None or (incident.closed or now).date() + AROUND >= since

    def _events(
        self, subject: str, now: datetime, held: Set[date], incidents: frozenset[str] = frozenset()
    ) -> Iterator[tuple[str, int]]:
        """Remove events that are too old, and those of scored days that are; never notes, or what still stands."""
        events, rows = self.kept.events_since(now), self.kept.scored_since(now)
        newest = max((one for one in (events, rows) if one), default=None)
        if newest is None:
            return

        def is_old(event: OldEvent) -> bool:
            day = event.at.date()
            if event.kind == "note" or (event.kind in OF_AN_INCIDENT and event.about in incidents):
                return False
            if event.kind in OF_A_ROW:  # they go with their rows
                return rows is not None and day < rows and day not in held
            return event.kind not in OF_A_STATE and events is not None and day < events

        old = [one.key for one in self.storage.events_before(subject, start_of(newest)) if is_old(one)]
        for begin in range(0, len(old), AT_ONCE):
            piece = old[begin : begin + AT_ONCE]
            self.storage.remove_events(subject, piece)
            yield "events", len(piece)
