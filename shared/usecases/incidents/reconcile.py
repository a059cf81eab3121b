"""Incidents: kept in step with the scored days, notified as events, and put on the queue to be estimated.

Whatever order the data came in, the table ends as the scored days say: an incident that late data moved or took
away is removed with its estimation and events. An estimation is asked for at the onset and at fixed times after
it, so that it depends on the data and not on when they were looked at.
"""

import logging
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shared.domain.deviation import DeviationDay, Level
from shared.domain.event import Event, incident_closed, incident_estimated, incident_opened
from shared.domain.incident import CriticalMessage, Incident
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.tsd import BUCKET, ONE_DAY, days_between, iso, start_of
from shared.errors import Conflict
from shared.ports import (
    DeviationsTable,
    EstimationsTable,
    EstimationSummary,
    EventsTable,
    IncidentsTable,
    MarksTable,
    MessageQueues,
    NotificationState,
    StoredIncident,
)
from shared.telemetry import log_event
from shared.usecases.alarms.alarms import Alarms
from shared.usecases.incidents.critical_runs import SILENT, find_incidents, reach_of
from shared.usecases.incidents.estimation_inputs import Documents, InputWindow, digest_of, load_inputs
from shared.usecases.telling import Names, half_told, names_of, tell

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class IncidentRules:
    """When an incident is over, and how often a growing one is estimated anew."""

    clear: timedelta
    update: timedelta
    inputs: InputWindow


@dataclass(frozen=True, kw_only=True)
class Reconcile:
    """Brings a template's incidents in step with its scored days."""

    deviations: DeviationsTable
    incidents: IncidentsTable
    estimations: EstimationsTable
    events: EventsTable
    messages: MessageQueues
    marks: MarksTable
    alarms: Alarms
    rules: IncidentRules

    def run(
        self,
        platform: Platform,
        template: Template,
        days: Iterable[date],
        rows: Sequence[DeviationDay],
        documents: Documents,
    ) -> None:
        """Bring the incidents that these days or rows can have touched, and the open ones, up to date; raises Conflict.

        days: what was looked at, also where no row is left of it: an incident may be there whose sensors are gone.
        """
        stored = self.incidents.list(template.id)
        looked_at = {*days, *(row.day for row in rows)}
        concerned = {row.day for row in rows if row.count(Level.CRITICAL)}
        for one in stored:
            touched = {day for day in looked_at if self._touches(one.incident, day)}
            if touched or one.incident.open:
                concerned |= touched | {one.incident.onset.date()}
        if not concerned:
            return
        around, low, high = self._rows(template, min(concerned), max(concerned))
        found = {one.id: one for one in find_incidents(template, around, self.rules.clear)}
        known = {one.incident.id: one for one in stored if low <= one.incident.onset.date() <= high}
        scored = {(row.sensor, row.day) for row in around}
        held = [
            one.incident
            for one in known.values()
            if _is_unscored(one.incident, template, scored, looked_at, high, documents)
        ]
        for gone in sorted(known.keys() - found.keys() - {one.id for one in held}):
            self._remove(known[gone])
        for incident in sorted(found.values(), key=lambda one: one.onset):
            if not any(_holds(one, incident) for one in held):
                self._keep(platform, template, incident, known.get(incident.id), documents)
        self._check_still(template, around)

    def _touches(self, incident: Incident, day: date) -> bool:
        """Return whether samples of that day can prolong, split or remove the incident, or change its estimation."""
        before = max(SILENT, self.rules.inputs.lead)
        ended = incident.closed is not None and start_of(day) > incident.closed
        return incident.onset - before < start_of(day) + ONE_DAY and not ended

    def _rows(self, template: Template, first: date, last: date) -> tuple[list[DeviationDay], date, date]:
        """Return the rows around [first, last], as far out as runs of Critical reach, and between which days."""
        low, high = first - SILENT, last + SILENT
        rows = self._range(template, low, high)
        while (wider := reach_of(rows, low, high)) != (low, high):
            low, high = wider
            more = self._range(template, low, high)
            if len(more) == len(rows):
                break
            rows = more
        return rows, low, high

    def _range(self, template: Template, low: date, high: date) -> list[DeviationDay]:
        return [row for sensor in template.sensors for row in self.deviations.range(sensor.id, low, high)]

    def _check_still(self, template: Template, rows: Sequence[DeviationDay]) -> None:
        """Raise Conflict when the rows changed meanwhile: another run may have seen incidents that this one undid."""
        days = {row.day for row in rows}
        if not days:  # the template's last sensor is gone
            return
        again = self._range(template, min(days), max(days))
        if len(again) != len(rows) or not all(one.same_as(other) for one, other in zip(again, rows, strict=True)):
            raise Conflict(f"{template.id}: deviations changed while its incidents were looked at")

    def _keep(
        self,
        platform: Platform,
        template: Template,
        incident: Incident,
        stored: StoredIncident | None,
        documents: Documents,
    ) -> None:
        """Write the incident, notify of it, and put it on the queue when the data to estimate from are new.

        The row keeps what people were notified of. It is written before with the state of before, and after it with
        the new one: a crash in between is seen, and the notification repeated.
        """
        at = self._notification_time(incident)
        digest = load_inputs(platform, template, documents, incident.onset, at, self.rules.inputs).digest
        notified = NotificationState(at, digest, incident.closed, incident.sensors)
        events = events_of(incident)
        names = names_of(events)
        if stored is not None and (stored.incident, stored.notified, stored.told) == (incident, notified, names):
            if is_outlived(
                incident, self.estimations.summary(template.id, incident.id)
            ):  # a run that answered the longer one ended after it had been shortened
                self.messages.critical(_message(incident, at))
            return
        before, told = (stored.notified, _told(stored)) if stored else (None, ())
        etag = stored.etag if stored else None
        if (before, told) != (notified, names):
            shorter = before is not None and before.at > at  # its answer rests on data that are not Critical any more
            etag = self.incidents.put(incident, None if shorter else before, etag, half_told(told, events))
            if shorter:
                self._remove_estimation(incident)
                self.alarms.estimation_taken_back(incident.id)
            tell(self.events, template.id, events, told)
            self.alarms.follow(incident)
            if before is None:
                sensors = ",".join(incident.sensors)
                log_event(logger, "incident opened", template=template.id, incident=incident.id, sensors=sensors)
            if before is None or (before.at, before.digest) != (at, digest):
                self.messages.critical(_message(incident, at))
        try:
            self.incidents.put(incident, notified, etag, names)
        except Conflict:
            self._let_it_be_told_again(incident, names)
            raise

    def _notification_time(self, incident: Incident) -> datetime:
        """Return the last of the fixed times after the onset that the incident's Criticals have reached.

        Those that change nothing but how the rate went on come once a day.
        """
        inputs, update = self.rules.inputs, self.rules.update
        reached = min(incident.last_critical - incident.onset, inputs.followed)
        last = inputs.longest // update * update
        if reached < last + ONE_DAY:
            return incident.onset + min(reached // update * update, last)
        return incident.onset + last + (reached - last) // ONE_DAY * ONE_DAY

    def _let_it_be_told_again(self, incident: Incident, names: Names) -> None:
        """Record what this run told beside another one, which may not know of it."""
        stored = self.incidents.get(incident.template, incident.onset)
        if stored is None:
            tell(self.events, incident.template, [], names)
        else:
            told = half_told({*_told(stored), *names}, [])
            self.incidents.put(stored.incident, stored.notified, stored.etag, told)

    def _remove(self, stored: StoredIncident) -> None:
        """Remove what hangs on the incident first, so that a crash in between is repeated; raises Conflict.

        And once more after it: an estimation that ended meanwhile still found it there. Before anything goes, the row
        says so: where the data are as before by the time that somebody looks again, all is told and asked for anew.
        """
        incident, told = stored.incident, _told(stored)
        self.incidents.put(incident, None, stored.etag, half_told(told, []))
        self._remove_estimation(incident)
        tell(self.events, incident.template, [], told)
        self.alarms.withdraw(incident, self._why_gone(incident))
        self.incidents.remove(incident)
        self._remove_estimation(incident)

    def _why_gone(self, incident: Incident) -> str:
        """Return why nothing supports the incident any more: what people said of it, or that the data say otherwise."""
        span = (incident.onset, incident.last_critical + BUCKET)
        judged = {
            mark.made: mark
            for sensor in incident.sensors
            for mark in self.marks.of(sensor).counting
            if mark.verdict == "no_leak" and mark.start < span[1] and mark.end > span[0]
        }
        if judged:
            last = judged[max(judged)]
            return f"judged no leak by {last.by}, {iso(last.made)}" + (f": {last.note}" if last.note else "")
        return "late or corrected data, or another baseline: nothing Critical is left of it"

    def _remove_estimation(self, incident: Incident) -> None:
        self.estimations.remove(incident.template, incident.id)
        self.events.remove(incident_estimated(incident.template, incident.id, incident.onset))


def events_of(incident: Incident) -> list[Event]:
    """Return the events that stand for an incident; that of its estimation comes with the answer."""
    return [incident_opened(incident), *([] if incident.closed is None else [incident_closed(incident)])]


def is_outlived(incident: Incident, answered: EstimationSummary | None) -> bool:
    """Return whether an incident's estimation rests on data from after its last Critical: it was a longer one then."""
    return answered is not None and answered.at > incident.last_critical


def is_of_other_template(stored: StoredIncident, template: Template) -> bool:
    """Return whether its estimation was asked for when the template was another: a sensor more, a place moved."""
    return stored.notified is not None and not stored.notified.digest.startswith(digest_of(template))


def _is_unscored(
    incident: Incident,
    template: Template,
    scored: Set[tuple[str, date]],
    looked_at: Set[date],
    high: date,
    documents: Documents,
) -> bool:
    """Return whether rows up to the day ``high`` that the incident rests on are lost, and not made anew yet.

    After a restore the days are scored piece by piece: until all of an incident's are, nothing speaks against it.
    """
    sensors = [sensor.id for sensor in template.sensors if sensor.id in incident.sensors]
    lost = [
        day
        for day in days_between(incident.onset, incident.closed or incident.last_critical + BUCKET)
        if day <= high and day not in looked_at and not any((sensor, day) in scored for sensor in sensors)
    ]
    return bool(sensors) and any(documents(day) is not None for day in lost)


def _holds(held: Incident, found: Incident) -> bool:
    """Return whether what was found is of an incident that cannot be judged yet."""
    return held.onset <= found.onset and (held.closed is None or found.onset < held.closed)


def _told(stored: StoredIncident) -> Names:
    """Return the names of the events that may stand for an incident; of an older release's, what it would have told."""
    if stored.told is not None:
        return stored.told
    ended = stored.notified.closed if stored.notified else None
    before = [] if ended is None else [incident_closed(stored.incident, ended)]
    return half_told(names_of(before), events_of(stored.incident))


def _message(incident: Incident, at: datetime) -> CriticalMessage:
    return CriticalMessage(
        platform=incident.platform,
        template=incident.template,
        incident=incident.id,
        onset=incident.onset,
        at=at,
        sensors=incident.sensors,
    )
