"""Incidents: runs of Critical at a template, derived from its scored days, kept in step with the table.

Whatever order the data came in, the table ends as the scored days say: an incident that late data moved or took
away is removed with its estimation and events. An estimation is asked for at the onset and at fixed times after
it, so that it depends on the data and not on when they were looked at.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from shared.domain.deviation import DeviationDay, Level
from shared.domain.event import Event
from shared.domain.incident import CriticalMessage, Incident
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.tsd import BUCKET, days_between, iso, start_of, to_datetime
from shared.ports import Deviations, Estimations, Events, Incidents, Messages, Notified, StoredIncident
from shared.usecases.evidence import Documents, EvidenceRules, gather

ONE_DAY = timedelta(days=1)
FURTHER = timedelta(days=7)  # how much more is read when a run reaches over the edge of what was read


@dataclass(frozen=True)
class IncidentRules:
    """When an incident is over, and how often a growing one is estimated anew."""

    clear: timedelta
    update: timedelta
    evidence: EvidenceRules


@dataclass(frozen=True)
class Reconcile:
    """Brings a template's incidents in step with its scored days."""

    deviations: Deviations
    incidents: Incidents
    estimations: Estimations
    events: Events
    messages: Messages
    rules: IncidentRules

    def run(self, platform: Platform, template: Template, rows: Sequence[DeviationDay], documents: Documents) -> None:
        """Bring the incidents that these rows can have touched, and the open ones, up to date; raises Conflict."""
        stored = self.incidents.list(template.id)
        days = {row.day for row in rows if row.count(Level.CRITICAL)}
        for one in stored:
            near = [row.day for row in rows if self._touches(one.incident, row.day)]
            days.update(near or ([one.incident.onset.date()] if one.incident.open else []))
        if not days:
            return
        first = min(days)
        for one in stored:
            if self._touches(one.incident, first):
                first = min(first, one.incident.onset.date())
        around, low = self._rows(template, first, max(days))
        found = {one.id: one for one in find_incidents(template, around, self.rules.clear)}
        known = {one.incident.id: one for one in stored if start_of(low) <= one.incident.onset}
        for gone in sorted(known.keys() - found.keys()):
            self._remove(known[gone].incident)
        for incident in sorted(found.values(), key=lambda one: one.onset):
            self._keep(platform, template, incident, known.get(incident.id), documents)

    def _touches(self, incident: Incident, day: date) -> bool:
        """Return whether samples of that day can prolong, split or remove the incident."""
        begins, ends = start_of(day) - self.rules.clear, start_of(day) + ONE_DAY + self.rules.clear
        return incident.onset < ends and incident.last_critical + self.rules.clear >= begins

    def _rows(self, template: Template, first: date, last: date) -> tuple[list[DeviationDay], date]:
        """Return the rows around [first, last], as far out as runs of Critical reach, and their first day."""
        pad = timedelta(days=self.rules.clear // ONE_DAY + 1)
        low, high = first - pad, last + pad
        rows = self._range(template, low, high)
        while (wider := self._wider(rows, low, high)) != (low, high):
            more = self._range(template, *wider)
            if len(more) == len(rows):
                break
            rows, (low, high) = more, wider
        return rows, low

    def _range(self, template: Template, low: date, high: date) -> list[DeviationDay]:
        return [row for sensor in template.sensors for row in self.deviations.range(sensor.id, low, high)]

    def _wider(self, rows: Sequence[DeviationDay], low: date, high: date) -> tuple[date, date]:
        """Return the span to read so that no run of Critical reaches over its edges, as far as is known yet."""
        critical = _critical_times(rows)
        if critical and critical[0] - self.rules.clear < start_of(low):
            low -= FURTHER
        if critical and critical[-1] + self.rules.clear >= start_of(high + ONE_DAY):
            high += FURTHER
        return low, high

    def _keep(
        self,
        platform: Platform,
        template: Template,
        incident: Incident,
        stored: StoredIncident | None,
        documents: Documents,
    ) -> None:
        """Write the incident and its events, and put it on the queue when the data to estimate from are new."""
        at = self._notification_time(incident)
        digest = gather(platform, template, documents, incident.onset, at, self.rules.evidence).digest
        notified = Notified(at, digest)
        if stored is not None and stored.incident == incident and stored.notified == notified:
            return
        before = stored.notified if stored else None
        if before is not None and before.at > at:
            self.estimations.remove(template.id, incident.id)  # it rests on data that are not Critical any more
        self._tell(incident, stored.incident if stored else None)
        tag = self.incidents.put(incident, before, stored.tag if stored else None)
        if before != notified:
            self.messages.critical(
                CriticalMessage(
                    schema=1,
                    platform=platform.id,
                    template=template.id,
                    incident=incident.id,
                    onset=incident.onset,
                    at=at,
                    sensors=incident.sensors,
                )
            )
            self.incidents.put(incident, notified, tag)

    def _notification_time(self, incident: Incident) -> datetime:
        """Return the last of the fixed times after the onset that the incident's Criticals have reached."""
        reached = min(incident.last_critical, incident.onset + self.rules.evidence.longest) - incident.onset
        return incident.onset + reached // self.rules.update * self.rules.update

    def _tell(self, incident: Incident, before: Incident | None) -> None:
        self.events.put(opened(incident))
        if before is not None and not before.open and before.last_critical != incident.last_critical:
            self.events.remove(closed(before, self.rules.clear))
        if not incident.open:
            self.events.put(closed(incident, self.rules.clear))

    def _remove(self, incident: Incident) -> None:
        """Remove what hangs on the incident first, so that a crash in between is repeated."""
        self.estimations.remove(incident.template, incident.id)
        estimation = estimated(incident.template, incident.id, incident.onset, "")
        for event in (opened(incident), closed(incident, self.rules.clear), estimation):
            self.events.remove(event)
        self.incidents.remove(incident)


def opened(incident: Incident) -> Event:
    """Return the event of an incident's beginning."""
    return Event(
        subject=incident.template,
        kind="incident_opened",
        at=incident.onset,
        about=incident.id,
        message=f"Critical at {', '.join(incident.sensors)} since {iso(incident.onset)}",
    )


def closed(incident: Incident, clear: timedelta) -> Event:
    """Return the event of an incident's end."""
    return Event(
        subject=incident.template,
        kind="incident_closed",
        at=incident.last_critical + clear,
        about=incident.id,
        message=f"no Critical since {iso(incident.last_critical)}; the highest score was {incident.max_score:.2f}",
    )


def estimated(template: str, incident: str, onset: datetime, message: str) -> Event:
    """Return the event of an incident's newest estimation."""
    return Event(subject=template, kind="estimation", at=onset, about=incident, message=message)


def find_incidents(template: Template, rows: Sequence[DeviationDay], clear: timedelta) -> list[Incident]:
    """Return the runs of Critical in the rows: Criticals of any sensor less than ``clear`` apart are one incident."""
    until = max((start_of(row.day) + row.level.size * BUCKET for row in rows), default=None)
    runs: list[list[datetime]] = []
    for moment in _critical_times(rows):
        if runs and moment - runs[-1][-1] < clear:
            runs[-1].append(moment)
        else:
            runs.append([moment])
    return [_incident(template, rows, run[0], run[-1], until is None or run[-1] + clear > until) for run in runs]


def _incident(
    template: Template, rows: Iterable[DeviationDay], onset: datetime, last: datetime, is_open: bool
) -> Incident:
    days = set(days_between(onset, last + BUCKET))
    sensors, scores = set(), [0.0]
    for row in rows:
        if row.day not in days:
            continue
        for index in np.flatnonzero(row.level == Level.CRITICAL):
            if onset <= start_of(row.day) + int(index) * BUCKET <= last:
                sensors.add(row.sensor)
                scores.append(float(row.score[index]))
    return Incident(
        id=f"{template.id}-{onset:%Y%m%dT%H%M}Z",
        platform=template.platform,
        template=template.id,
        onset=onset,
        last_critical=last,
        open=is_open,
        sensors=tuple(sorted(sensors)),
        max_score=round(max(scores), 4),
    )


def _critical_times(rows: Iterable[DeviationDay]) -> list[datetime]:
    """Return the sorted times of all Criticals, each once."""
    times = {to_datetime(moment) for row in rows for moment in row.times[row.level == Level.CRITICAL]}
    return sorted(times)
