"""Storage in memory, with conditional writes: what the use cases of the chain call of their ports, and no more."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, TypeVar

import numpy as np

from shared.detection import Baseline
from shared.domain.baseline_history import BaselineHistory
from shared.domain.decisions import Decisions
from shared.domain.deviation import DeviationDay, Latest
from shared.domain.event import Event, split_event
from shared.domain.incident import CriticalMessage, Incident
from shared.domain.journal import Evidence, JournalEntry, split_entry
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.tsd import ONE_DAY, TemplateDay
from shared.errors import Conflict
from shared.ports import (
    EstimationSummary,
    ETag,
    ListPage,
    NotificationState,
    PlatformRecord,
    StoredAlarm,
    StoredDay,
    StoredDeviations,
    StoredEstimation,
    StoredEvent,
    StoredHistory,
    StoredIncident,
)

Value = TypeVar("Value")


class Rows(Generic[Value]):
    """Values by key, each with an etag that changes with every write."""

    def __init__(self) -> None:
        """Begin empty."""
        self.held: dict[Any, tuple[Value, str]] = {}
        self._writes = 0

    def get(self, key: Hashable) -> tuple[Value | None, ETag]:
        """Return the value and its etag; None where there is none."""
        return self.held.get(key, (None, None))

    def put(self, key: Hashable, value: Value, etag: ETag) -> str:
        """Write on what was read and return the new etag; raises Conflict."""
        if self.get(key)[1] != etag:
            raise Conflict(f"{key} changed in between")
        self._writes += 1
        self.held[key] = value, str(self._writes)
        return str(self._writes)

    def remove(self, key: Hashable) -> None:
        """Remove a row; removing it again changes nothing."""
        self.held.pop(key, None)


class MemoryRegistry:
    """One platform, its baseline histories and newest samples."""

    def __init__(self, platform: Platform, histories: Mapping[str, BaselineHistory]) -> None:
        """Register the platform with a history for each sensor."""
        self._platform = platform
        self._histories = {sensor: StoredHistory(one, "1") for sensor, one in histories.items()}
        self._latest: Rows[Mapping[str, Latest]] = Rows()

    def record(self, _: str) -> PlatformRecord:
        """Return it as it is now."""
        return self.part("", ())

    def platform(self, _: str) -> PlatformRecord:
        """Return it as it is now."""
        return self.part("", ())

    def part(self, _: str, __: Sequence[str]) -> PlatformRecord:
        """Return all of it: there is one template."""
        latest = {sensor: one for sensors, _ in self._latest.held.values() for sensor, one in sensors.items()}
        etags = {template: etag for template, (_, etag) in self._latest.held.items()}
        return PlatformRecord(self._platform, stored=self._histories, latest=latest, latest_etags=etags)

    def set_latest(self, template: Template, latest: Mapping[str, Latest], etag: ETag) -> None:
        """Write the newest samples; raises Conflict."""
        self._latest.put(template.id, dict(latest), etag)


class MemoryLake:
    """Day documents."""

    def __init__(self) -> None:
        """Begin empty."""
        self._rows: Rows[TemplateDay] = Rows()

    def read(self, template: Template, day: date, *, fresh: bool = True) -> StoredDay:
        """Return the day's document."""
        return StoredDay(*self._rows.get((template.id, day)))

    def etag(self, template: Template, day: date) -> ETag:
        """Return the etag of the day's document."""
        return self._rows.get((template.id, day))[1]

    def write(self, template: Template, document: TemplateDay, etag: ETag) -> None:
        """Write the document; raises Conflict."""
        self._rows.put((template.id, document.day), document, etag)


@dataclass(frozen=True)
class MemoryBaselines:
    """The baseline of each sensor."""

    known: Mapping[str, Baseline]

    def get(self, sensor: str, version: str) -> Baseline:
        """Return the only version that a sensor has."""
        return self.known[sensor]


class MemoryDeviations:
    """Scored days."""

    def __init__(self) -> None:
        """Begin empty."""
        self._rows: Rows[DeviationDay] = Rows()

    def get(self, sensor: str, day: date, *, fresh: bool = False) -> StoredDeviations:
        """Return the row; it is never behind."""
        return StoredDeviations(*self._rows.get((sensor, day)), fresh=True)

    def with_earlier(
        self, sensor: str, day: date, *, fresh: bool = False
    ) -> tuple[Mapping[date, StoredDeviations], StoredDeviations]:
        """Return the rows of the two days before and of the day."""
        return {one: self.get(sensor, one) for one in (day - 2 * ONE_DAY, day - ONE_DAY)}, self.get(sensor, day)

    def put(self, row: DeviationDay, etag: ETag) -> ETag:
        """Write the row; raises Conflict."""
        return self._rows.put((row.sensor, row.day), row, etag)

    def range(self, sensor: str, first: date, last: date) -> Sequence[DeviationDay]:
        """Return the rows of [first, last] in order."""
        return [
            self._rows.held[key][0] for key in sorted(self._rows.held) if key[0] == sensor and first <= key[1] <= last
        ]

    def columns(
        self, sensor: str, first: date, last: date, names: Sequence[str]
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return times [n] and these columns [n] of the rows of [first, last]."""
        rows = self.range(sensor, first, last)
        times = np.concatenate([np.empty(0, "datetime64[s]"), *(row.times for row in rows)])
        return times, {name: np.concatenate([np.empty(0), *(getattr(row, name) for row in rows)]) for name in names}


class NoMarks:
    """Nobody judges anything."""

    def of(self, sensor: str) -> Decisions:
        """Return no decisions."""
        return Decisions.of(())


class MemoryIncidents:
    """Incidents by onset."""

    def __init__(self) -> None:
        """Begin empty."""
        self._rows: Rows[tuple[Incident, NotificationState | None, tuple[str, ...] | None]] = Rows()

    def list(self, template: str) -> ListPage[StoredIncident]:
        """Return all of the template, newest first."""
        onsets = sorted((onset for name, onset in self._rows.held if name == template), reverse=True)
        return ListPage.of(one for onset in onsets if (one := self.get(template, onset)) is not None)

    def get(self, template: str, onset: datetime) -> StoredIncident | None:
        """Return the incident with that onset, or None."""
        row, etag = self._rows.get((template, onset))
        return None if row is None else StoredIncident(row[0], row[1], etag, row[2])

    def put(
        self, incident: Incident, notified: NotificationState | None, etag: ETag, told: Sequence[str] | None = None
    ) -> ETag:
        """Write the incident; raises Conflict."""
        row = incident, notified, None if told is None else tuple(told)
        return self._rows.put((incident.template, incident.onset), row, etag)

    def remove(self, incident: Incident) -> None:
        """Remove it."""
        self._rows.remove((incident.template, incident.onset))


class MemoryEstimations:
    """The newest estimation of each incident."""

    def __init__(self) -> None:
        """Begin empty."""
        self._rows: Rows[StoredEstimation] = Rows()

    def get(self, template: str, incident: str) -> StoredEstimation | None:
        """Return the incident's estimation, or None."""
        row, etag = self._rows.get((template, incident))
        return None if row is None else row._replace(etag=etag)

    def summary(self, template: str, incident: str) -> EstimationSummary | None:
        """Return it in short, or None."""
        one = self.get(template, incident)
        if one is None:
            return None
        return EstimationSummary(incident, one.onset, one.at, one.estimation.verdict, one.estimation.probability, None)

    def put(self, estimation: StoredEstimation) -> None:
        """Write it; raises Conflict."""
        self._rows.put((estimation.template, estimation.incident), estimation, estimation.etag)

    def remove(self, template: str, incident: str) -> None:
        """Remove it."""
        self._rows.remove((template, incident))


class MemoryEvents:
    """Events by subject and key."""

    def __init__(self) -> None:
        """Begin empty."""
        self._rows: Rows[Event] = Rows()

    def put(self, event: Event) -> None:
        """Store it, whatever was there."""
        key = event.subject, event.key
        self._rows.put(key, event, self._rows.get(key)[1])

    def remove(self, event: Event, etag: ETag = None) -> None:
        """Remove it."""
        self._rows.remove((event.subject, event.key))

    def remove_id(self, subject: str, event: str) -> None:
        """Remove the event of that id."""
        self._rows.remove((subject, split_event(event)[1]))

    def list(self, subject: str, *, limit: int = 1000, after: str | None = None) -> ListPage[Event]:
        """Return the subject's events, newest first, on one page."""
        found = [event for (name, _), (event, _) in self._rows.held.items() if name == subject]
        return ListPage.of(sorted(found, key=lambda event: event.at, reverse=True))

    def get(self, subject: str, event: str) -> StoredEvent | None:
        """Return the event of that id, or None."""
        row, etag = self._rows.get((subject, split_event(event)[1]))
        return None if row is None else StoredEvent(row, etag)


class MemoryJournal:
    """Entries in the order in which they were said; ``entries`` with what each rests on."""

    def __init__(self) -> None:
        """Begin empty."""
        self.entries: list[tuple[JournalEntry, Evidence]] = []
        self._topics: dict[str, list[int]] = {}  # places among the entries

    def append(self, entry: JournalEntry, evidence: Evidence) -> None:
        """Store the entry; raises Conflict where the topic has one of its number."""
        topic = self._topics.setdefault(entry.topic, [])
        if entry.number != len(topic):
            raise Conflict(f"{entry.id} is there")
        topic.append(len(self.entries))
        self.entries.append((entry, evidence))

    def last(self, platform: str, topic: str, until: datetime | None = None) -> JournalEntry | None:
        """Return the topic's newest entry."""
        places = self._topics.get(topic)
        return self.entries[places[-1]][0] if places else None

    def evidence(self, platform: str, entry: str) -> Evidence:
        """Return what an entry rests on."""
        topic, number = split_entry(entry)
        return self.entries[self._topics[topic][number]][1]


class MemoryAlarms:
    """Alarms by incident."""

    def __init__(self) -> None:
        """Begin empty."""
        self._rows: Rows[StoredAlarm] = Rows()

    def get(self, incident: str) -> StoredAlarm | None:
        """Return the alarm of the incident, or None."""
        row, etag = self._rows.get(incident)
        return None if row is None else row._replace(etag=etag)

    def put(self, stored: StoredAlarm) -> ETag:
        """Write the alarm; raises Conflict."""
        return self._rows.put(stored.alarm.incident.id, stored, stored.etag)


@dataclass
class MemoryQueue:
    """What waits to be estimated."""

    criticals: list[CriticalMessage] = field(default_factory=list)

    def critical(self, message: CriticalMessage) -> None:
        """Ask for an estimation."""
        self.criticals.append(message)
