"""In-memory storage with the semantics that matter (conditional writes), and a switch that crashes at any write.

It holds bytes, as real storage does: what is read went through the same formats as on Azure.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Generic, TypeVar

import numpy as np

from shared.adapters.tables import deviations
from shared.adapters.tables.alarms import alarm_entity, alarm_of
from shared.adapters.tables.events import event_entity, event_of
from shared.adapters.tables.incidents import estimation_entity, estimation_of, incident_entity, incident_of
from shared.adapters.tables.journal import entry_of, evidence_of, journal_entities
from shared.adapters.tables.marks import decision_entity, decisions_of
from shared.adapters.tables.proof_tests import proof_tests_entity, proof_tests_of
from shared.adapters.tables.registry_rows import (
    checked_entity,
    checked_of,
    history_entity,
    history_of,
    ingest_entity,
    ingest_state,
    latest_entity,
    latest_of,
    series_by_template,
)
from shared.adapters.tables.statements import statements_entity, statements_of
from shared.adapters.tables.suppressions import suppression_entity, suppression_of
from shared.detection import Baseline
from shared.domain.baseline_history import BaselineHistory
from shared.domain.checked_days import CheckedDays
from shared.domain.decisions import Decision, Decisions
from shared.domain.deviation import DeviationDay, Latest
from shared.domain.environment import Environment
from shared.domain.estimation import Estimation, Observations
from shared.domain.event import Event, split_event
from shared.domain.incident import CriticalMessage, Incident, split_incident
from shared.domain.ingest_request import IngestRequest
from shared.domain.ingest_state import IngestState
from shared.domain.journal import Evidence, JournalEntry, split_entry, split_place
from shared.domain.notice import TOLD, NotificationMessage
from shared.domain.performance import Statements
from shared.domain.platform import Platform
from shared.domain.proof_test import ProofTests
from shared.domain.suppression import Suppression
from shared.domain.template import Sensor, Template
from shared.domain.tsd import BUCKET, ONE_DAY, Reading, TemplateDay, start_of
from shared.errors import Conflict, CorruptBlob, Exists, NotFound
from shared.ports import (
    Answers,
    DaySummary,
    EstimationSummary,
    ETag,
    ListPage,
    NotificationState,
    PlatformRecord,
    PlatformRecords,
    Registration,
    SourceSeries,
    StoredAlarm,
    StoredCheck,
    StoredDay,
    StoredDeviations,
    StoredEstimation,
    StoredEvent,
    StoredHistory,
    StoredIncident,
    StoredProofTests,
    StoredStatements,
    StoredSuppression,
    Window,
)
from shared.usecases.alarms.alarms import Alarms
from shared.usecases.alarms.suppressions import Suppressions
from shared.usecases.detection.detect import Detect
from shared.usecases.detection.recalled import Recalled
from shared.usecases.feedback.planned_ranges import PlannedRanges
from shared.usecases.incidents.estimate import Estimate
from shared.usecases.incidents.estimation_inputs import InputWindow
from shared.usecases.incidents.reconcile import IncidentRules, Reconcile
from shared.usecases.journal.journal import Journal
from shared.usecases.journal.journaled_events import JournaledEvents
from tests.support.examples import DAY, template

Value = TypeVar("Value")


class Crash(BaseException):
    """The process dies: nothing may catch this."""


@dataclass
class Writes:
    """Counts every write, and dies instead of the one that it is told to."""

    count: int = 0
    crash_at: int | None = None

    def tick(self) -> None:
        self.count += 1
        if self.crash_at is not None and self.count >= self.crash_at:
            raise Crash

    @contextmanager
    def as_one(self) -> Iterator[None]:
        """Let what is written go with the write before: one transaction."""
        crash_at, self.crash_at = self.crash_at, None
        yield
        self.crash_at = crash_at


@dataclass(frozen=True)
class Format(Generic[Value]):
    """How a value becomes bytes, and bytes a value."""

    encode: Callable[[Value], bytes]
    decode: Callable[[bytes], Value]


def rows_of(entity: Callable[[Value], Mapping[str, Any]], value: Callable[[Mapping[str, Any]], Value]) -> Format[Value]:
    """Return the format of a table's rows: JSON that tells bytes, whole numbers and floats apart, as tables do."""

    def binary(one: object) -> dict[str, str]:
        assert isinstance(one, bytes)
        return {"binary": base64.b64encode(one).decode()}

    def restored(one: dict[str, Any]) -> Any:
        return base64.b64decode(one["binary"]) if one.keys() == {"binary"} else one

    return Format(
        lambda one: json.dumps(entity(one), default=binary, allow_nan=False).encode(),
        lambda data: value(json.loads(data, object_hook=restored)),
    )


def read_once(form: Format[Value]) -> Format[Value]:
    """Return the format that remembers what bytes held: only for values that nobody can change."""
    return Format(form.encode, lru_cache(maxsize=8192)(form.decode))


class Cells(Generic[Value]):
    """Rows by key, each as bytes and with an etag that changes with every write."""

    def __init__(self, writes: Writes, form: Format[Value]) -> None:
        self.rows: dict[Any, tuple[bytes, str]] = {}
        self._writes = writes
        self._form = form

    def get(self, key: Any) -> tuple[Value | None, ETag]:
        if key not in self.rows:
            return None, None
        data, etag = self.rows[key]
        return self._form.decode(data), etag

    def put(self, key: Any, value: Value, etag: ETag) -> str:
        if (self.rows[key][1] if key in self.rows else None) != etag:
            raise Conflict(f"{key} changed in between")
        self._writes.tick()
        new = str(self._writes.count)
        self.rows[key] = (self._form.encode(value), new)
        return new

    def set(self, key: Any, value: Value) -> None:
        self.put(key, value, self.rows[key][1] if key in self.rows else None)

    def remove(self, key: Any, etag: ETag = None) -> None:
        if key in self.rows:
            if etag not in (None, self.rows[key][1]):
                raise Conflict(f"{key} changed in between")
            self._writes.tick()
            del self.rows[key]

    def of(self, first: Any) -> list[Any]:
        """The keys that begin with that."""
        return [key for key in self.rows if key[0] == first]

    def remove_all(self, first: Any) -> None:
        for key in self.of(first):
            self.remove(key)

    def values(self) -> dict[Any, Value]:
        return {key: self._form.decode(self.rows[key][0]) for key in sorted(self.rows)}


@cache
def _baseline(data: bytes) -> Baseline:
    """Return what the bytes hold, once a process, as the adapter's memory does."""
    return Baseline.from_bytes(data)


def _day(data: bytes) -> TemplateDay | str:
    try:
        return TemplateDay.from_json(data, "in memory")
    except CorruptBlob:
        return data.decode()


def _decision(row: Mapping[str, Any]) -> Decision:
    (found,) = decisions_of(row)
    return found


def _estimation(row: Mapping[str, Any]) -> StoredEstimation:
    return estimation_of(row, None)


IncidentRow = tuple[Incident, NotificationState | None, tuple[str, ...] | None]


def _incident(row: Mapping[str, Any]) -> IncidentRow:
    found = incident_of(row, None)
    return found.incident, found.notified, found.told


_TEMPLATE = template()  # whose rows the registry's formats are tried on

DAYS: Format[TemplateDay | str] = read_once(
    Format(lambda one: one.encode() if isinstance(one, str) else one.to_json(), _day)
)
DEVIATIONS: Format[DeviationDay] = read_once(rows_of(deviations.entity_of, deviations.row_of))
INCIDENTS: Format[IncidentRow] = read_once(rows_of(lambda parts: incident_entity(*parts), _incident))
ESTIMATIONS: Format[StoredEstimation] = read_once(rows_of(estimation_entity, _estimation))
ALARMS: Format[StoredAlarm] = read_once(rows_of(alarm_entity, lambda row: alarm_of(row, None)))
SUPPRESSIONS: Format[StoredSuppression] = read_once(rows_of(suppression_entity, lambda row: suppression_of(row, None)))
JournalRow = tuple[JournalEntry, Evidence]
JOURNAL: Format[JournalRow] = read_once(
    rows_of(lambda parts: journal_entities(*parts)[0], lambda row: (entry_of(row), evidence_of(row)))
)
EVENTS: Format[Event] = read_once(rows_of(event_entity, event_of))
HISTORIES: Format[BaselineHistory] = read_once(
    rows_of(lambda one: history_entity(_TEMPLATE, _TEMPLATE.sensors[0], one), history_of)
)
LATEST: Format[Mapping[str, Latest]] = rows_of(lambda one: latest_entity("troll-a", one), latest_of)
CHECKED: Format[CheckedDays] = rows_of(lambda one: checked_entity("troll-a", one), checked_of)
INGESTED: Format[IngestState] = rows_of(lambda one: ingest_entity("troll-a", one), ingest_state)


def page(found: Sequence[Value], limit: int | None, after: str | None) -> ListPage[Value]:
    """Return the part of a list after a page; here a continuation is a number."""
    begin = int(after or 0)
    end = len(found) if limit is None else begin + limit
    return ListPage.of(found[begin:end], str(end) if end < len(found) else None)


class FakeRegistry:
    """One head for all that is registered of a platform; what changes with every tick has etags of its own."""

    def __init__(self, writes: Writes) -> None:
        self.known: dict[str, Platform] = {}
        self.unreadable: dict[str, Exception] = {}
        self.ingested: Cells[IngestState] = Cells(writes, INGESTED)
        self.histories: Cells[BaselineHistory] = Cells(writes, HISTORIES)
        self.latest: Cells[Mapping[str, Latest]] = Cells(writes, LATEST)
        self.checks: Cells[CheckedDays] = Cells(writes, CHECKED)
        self.deletions: set[str] = set()
        self._writes = writes
        self._definitions = 0

    def platforms(self) -> PlatformRecords[Registration]:
        return PlatformRecords.of([self.platform(name) for name in self._readable], self.unreadable)

    def records(self, *, changed: bool = False) -> PlatformRecords[PlatformRecord]:
        return PlatformRecords.of([self._record(self.platform(name)) for name in self._readable], self.unreadable)

    @property
    def _readable(self) -> list[str]:
        return sorted(self.known.keys() - self.unreadable.keys())

    def record(self, template: str) -> PlatformRecord:
        found = self.part(template.partition("-")[0], [template])
        if not found.platform.templates:
            raise NotFound(f"template {template!r} is not registered at {found.platform.id}")
        return found

    def part(self, platform: str, templates: Sequence[str], generation: str = "") -> PlatformRecord:
        found = self.platform(platform)
        chosen = tuple(one for one in found.platform.templates if one.id in templates)
        changed = found.platform.model_copy(update={"templates": chosen})
        return self._record(replace(found, platform=changed, whole=False))

    def platform(self, platform: str) -> Registration:
        if platform not in self.known:
            raise NotFound(f"platform {platform!r} is not registered")
        rows = self.histories.rows
        return Registration(
            self.known[platform],
            stored={key: StoredHistory(one, rows[key][1]) for key, one in self.histories.values().items()},
            etag=self._head(platform),
            deletions=frozenset(one for one in self.deletions if one.partition("-")[0] == platform),
        )

    def _record(self, found: Registration) -> PlatformRecord:
        states = {one.id: self.ingested.get(one.id) for one in found.platform.templates}
        latest = {one.id: self.latest.get(one.id) for one in found.platform.templates}
        return PlatformRecord(
            **{one.name: getattr(found, one.name) for one in fields(found)},
            ingested={name: state for name, (state, _) in states.items() if state is not None},
            ingest_etags={name: etag for name, (_, etag) in states.items() if etag is not None},
            latest={sensor: one for known, _ in latest.values() for sensor, one in (known or {}).items()},
            latest_etags={name: etag for name, (_, etag) in latest.items() if etag is not None},
        )

    def _head(self, platform: str) -> str:
        rows = sorted(self.histories.rows.items())
        return " ".join([str(self._definitions), *(etag for key, (_, etag) in rows if key.startswith(f"{platform}-"))])

    def begin_deletion(self, before: Registration, name: str) -> None:
        assert before.whole
        if before.etag != self._head(before.platform.id):
            raise Conflict(f"{name} changed in between")
        self._writes.tick()
        self._definitions += 1
        self.deletions.add(name)

    def change(self, before: Registration | None, after: Platform | None) -> None:
        assert before is None or before.whole
        name = before.platform.id if before else after.id if after else ""
        if before is None and name in self.known:
            raise Exists(f"platform {name!r} exists")
        if before is not None and (name not in self.known or before.etag != self._head(name)):
            raise Conflict(f"{name} changed in between")
        old, new = (series_by_template(one) for one in (before.platform if before else None, after))
        for one, tags in new.items():  # as the table does: what runs left goes before, what is gone goes after
            self._drop(one, None if one not in old else tags.keys() - old[one].keys(), touch=True)
        self._writes.tick()
        self._definitions += 1
        self.known.pop(name, None)
        if after is not None:
            self.known[name] = after
        kept = after.ids if after is not None else frozenset()
        self.deletions -= {one for one in self.deletions if one.partition("-")[0] == name} - kept
        sensors = {sensor.id for one in after.templates for sensor in one.sensors} if after else set()
        for key in [key for key in self.histories.rows if key.startswith(f"{name}-") and key not in sensors]:
            del self.histories.rows[key]
        for one, tags in old.items():
            gone = {key for key, tag in tags.items() if new.get(one, {}).get(key) != tag}
            self._drop(one, None if one not in new else gone, touch=False)

    def _drop(self, template: str, keys: AbstractSet[str] | None, *, touch: bool) -> None:
        """Take these series out of what is known of a template; None: all."""
        if keys is None:
            for cells in (self.ingested, self.latest, self.checks):
                cells.remove(template)
            return
        if keys:
            self.checks.remove(template)
        state, latest = self.ingested.get(template)[0], self.latest.get(template)[0]
        touch = touch and any("-" in key for key in keys)
        if state is not None and (touch or (state.series.keys() | state.told.keys()) & keys):
            known = state.series.keys() | state.told.keys()
            self.ingested.set(template, state.only(known - keys) if known & keys else state)
        if latest is not None and (touch or latest.keys() & keys):
            self.latest.set(template, {name: one for name, one in latest.items() if name not in keys})

    def mend(self) -> None:
        """Remove what is nobody's."""
        templates = {one.id: one for platform in self.known.values() for one in platform.templates}
        for cells in (self.ingested, self.latest, self.checks):
            for key in [key for key in cells.rows if key not in templates]:
                cells.remove(key)
        for key, one in templates.items():
            state, latest = self.ingested.get(key)[0] or IngestState(), self.latest.get(key)[0] or {}
            held = {name for name in (*state.series, *state.told, *latest) if "-" in name}
            self._drop(key, held - {sensor.id for sensor in one.sensors}, touch=False)

    def add(self, platform: Platform, *, replace: bool = False) -> int:
        self._definitions += 1
        self.known[platform.id] = platform
        return 1

    @property
    def watermarks(self) -> dict[str, Mapping[str, datetime]]:
        """Up to when each series was asked for, by template and series."""
        return {template: state.watermarks for template, state in self.ingested.values().items()}

    def look_up_again(self) -> None:
        """Let it be time to find all series at their source by their tags."""
        for key, state in self.ingested.values().items():
            self.ingested.set(key, state.model_copy(update={"looked_up": None}))

    def set_ingested(self, template: Template, state: IngestState, etag: ETag) -> ETag:
        return self.ingested.put(template.id, state, etag)

    def set_history(self, template: Template, sensor: Sensor, history: BaselineHistory, etag: ETag) -> ETag:
        return self.histories.put(sensor.id, history, etag)

    def set_latest(self, template: Template, latest: Mapping[str, Latest], etag: ETag) -> None:
        self.latest.put(template.id, dict(latest), etag)

    def checked(self, template: Template) -> StoredCheck:
        return StoredCheck(*self.checks.get(template.id))

    def set_checked(self, template: Template, days: CheckedDays, etag: ETag) -> None:
        self.checks.put(template.id, days, etag)


class FakeTable:
    """Cells whose keys begin with their subject."""

    cells: Cells[Any]

    def remove_all(self, subject: str, /) -> None:
        self.cells.remove_all(subject)

    def count(self, subject: str, /) -> int:
        return len(self.cells.of(subject))

    def subjects(self, prefix: str, /) -> list[str]:
        return sorted({str(key[0]) for key in self.cells.rows if key[0].startswith(prefix)})


class FakeMarks:
    def __init__(self, writes: Writes) -> None:
        self.cells: Cells[Decision] = Cells(writes, rows_of(decision_entity, _decision))

    def remove_all(self, sensor: str) -> None:
        self.cells.remove_all(sensor)

    def count(self, sensor: str) -> int:
        return len(self.cells.of(sensor))

    def subjects(self, prefix: str) -> list[str]:
        return sorted({str(key[0]) for key in self.cells.rows if key[0].startswith(prefix)})

    def of(self, sensor: str) -> Decisions:
        return Decisions.of(one for key, one in self.cells.values().items() if key[0] == sensor)

    def add(self, decision: Decision) -> None:
        self.cells.put((decision.what.sensor, decision.number), decision, None)


class FakeLake:
    def __init__(self, writes: Writes) -> None:
        self.cells: Cells[TemplateDay | str] = Cells(writes, DAYS)  # a text stands for a blob that cannot be read
        self.aside: list[str] = []
        self.reads = 0
        self.memory: dict[str, StoredDay] = {}  # by template: what was written last

    def read(self, template: Template, day: date, *, fresh: bool = True) -> StoredDay:
        written = None if fresh else self.memory.get(template.id)
        if written is not None and written.document is not None and written.document.day == day:
            return written
        self.reads += 1
        value, etag = self.cells.get((template.id, day))
        if isinstance(value, str):
            return StoredDay(None, etag, f"day blob {template.id}/{day}: {value}")
        return StoredDay(value, etag)

    def etag(self, template: Template, day: date) -> ETag:
        return self.cells.get((template.id, day))[1]

    def write(self, template: Template, document: TemplateDay, etag: ETag) -> None:
        written = self.cells.put((template.id, document.day), document, etag)
        self.memory[template.id] = StoredDay(document, written, fresh=False)

    def quarantine(self, template: Template, day: date) -> str:
        self.aside.append(f"{template.id}/{day}")
        return self.aside[-1]

    def remove_all(self, template: Template) -> None:
        self.cells.remove_all(template.id)
        self.memory.pop(template.id, None)

    def days(self, template: Template) -> list[date]:
        return sorted(day for name, day in self.cells.rows if name == template.id)

    def etags(self, template: Template) -> dict[date, str]:
        return {day: etag for (name, day), (_, etag) in self.cells.rows.items() if name == template.id}


class FakeBaselines(FakeTable):
    def __init__(self, writes: Writes) -> None:
        self.cells: Cells[Baseline] = Cells(writes, Format(Baseline.to_bytes, _baseline))

    def put(self, sensor: str, baseline: Baseline) -> None:
        self.cells.set((sensor, baseline.version), baseline)

    def get(self, sensor: str, version: str) -> Baseline:
        baseline, _ = self.cells.get((sensor, version))
        if baseline is None:
            raise NotFound(f"baseline {version} of {sensor} is not stored")
        return baseline


class FakeDeviations(FakeTable):
    def __init__(self, writes: Writes) -> None:
        self.cells: Cells[DeviationDay] = Cells(writes, DEVIATIONS)
        self.memory: dict[tuple[str, date], tuple[DeviationDay, ETag]] = {}

    def get(self, sensor: str, day: date, *, fresh: bool = False) -> StoredDeviations:
        if not fresh and (sensor, day) in self.memory:
            return StoredDeviations(*self.memory[sensor, day], fresh=False)
        row, etag = self.cells.get((sensor, day))
        if row is not None:
            self.memory[sensor, day] = (row, etag)
        return StoredDeviations(row, etag, fresh=True)

    def with_earlier(
        self, sensor: str, day: date, *, fresh: bool = False
    ) -> tuple[Mapping[date, StoredDeviations], StoredDeviations]:
        known = self.get(sensor, day, fresh=fresh)
        earlier = (day - ONE_DAY, day - 2 * ONE_DAY) if known.fresh else ()
        return {one: self.get(sensor, one, fresh=True) for one in earlier}, known

    def put(self, row: DeviationDay, etag: ETag) -> str:
        try:
            new = self.cells.put((row.sensor, row.day), row, etag)
        except Conflict:
            self.memory.pop((row.sensor, row.day), None)
            raise
        self.memory[row.sensor, row.day] = (row, new)
        return new

    def range(self, sensor: str, first: date, last: date) -> list[DeviationDay]:
        return [row for (name, day), row in self.cells.values().items() if name == sensor and first <= day <= last]

    def columns(
        self, sensor: str, first: date, last: date, names: Sequence[str]
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        rows = self.range(sensor, first, last)
        times = np.concatenate([np.empty(0, "datetime64[s]"), *(row.times for row in rows)])
        kinds = {
            "ppmv": np.float64,
            "score": np.float32,
            "raw": np.float32,
            "level": np.int8,
            "fault": np.int8,
            "channel": np.int8,
            "currents": np.complex128,
        }
        return times, {
            name: np.concatenate([np.empty(0, kinds[name]), *(getattr(row, name) for row in rows)]) for name in names
        }

    def summaries(self, sensor: str, first: date, last: date) -> Sequence[DaySummary]:
        return [deviations.summary_of(deviations.entity_of(row)) for row in self.range(sensor, first, last)]


def _stored_incident(row: IncidentRow, etag: ETag) -> StoredIncident:
    incident, notified, told = row
    return StoredIncident(incident, notified, etag, told)


class FakeIncidents(FakeTable):
    def __init__(self, writes: Writes) -> None:
        self.cells: Cells[IncidentRow] = Cells(writes, INCIDENTS)

    def list(self, template: str, *, limit: int | None = None, after: str | None = None) -> ListPage[StoredIncident]:
        found = [one for (name, _), one in self._stored().items() if name == template]
        return page(sorted(found, key=lambda one: one.incident.onset, reverse=True), limit, after)

    def open_ones(self) -> Sequence[StoredIncident]:
        return [one for one in self._stored().values() if one.incident.open]

    def _stored(self) -> dict[Any, StoredIncident]:
        tags = self.cells.rows
        return {key: _stored_incident(value, tags[key][1]) for key, value in self.cells.values().items()}

    def get(self, template: str, onset: datetime) -> StoredIncident | None:
        value, etag = self.cells.get((template, onset))
        return None if value is None else _stored_incident(value, etag)

    def put(
        self, incident: Incident, notified: NotificationState | None, etag: ETag, told: Sequence[str] | None = None
    ) -> str:
        row = incident, notified, None if told is None else tuple(told)
        return self.cells.put((incident.template, incident.onset), row, etag)

    def remove(self, incident: Incident) -> None:
        self.cells.remove((incident.template, incident.onset))


class FakeEstimations(FakeTable):
    def __init__(self, writes: Writes) -> None:
        self.cells: Cells[StoredEstimation] = Cells(writes, ESTIMATIONS)

    def summary(self, template: str, incident: str) -> EstimationSummary | None:
        return next((one for one in self.list(template, limit=1000) if one.incident == incident), None)

    def get(self, template: str, incident: str) -> StoredEstimation | None:
        stored, etag = self.cells.get((template, incident))
        return None if stored is None else stored._replace(etag=etag)

    def list(self, template: str, *, limit: int, after: str | None = None) -> ListPage[EstimationSummary]:
        found = [
            EstimationSummary(one.incident, one.onset, one.at, one.estimation.verdict, one.estimation.probability, None)
            for (name, _), one in self.cells.values().items()
            if name == template
        ]
        return page(sorted(found, key=lambda one: one.onset, reverse=True), limit, after)

    def put(self, estimation: StoredEstimation) -> None:
        key = (estimation.template, estimation.incident)
        self.cells.put(key, estimation._replace(etag=None), estimation.etag)

    def remove(self, template: str, incident: str) -> None:
        self.cells.remove((template, incident))


class FakeEvents(FakeTable):
    def __init__(self, writes: Writes) -> None:
        self.cells: Cells[Event] = Cells(writes, EVENTS)

    def put(self, event: Event) -> None:
        self.cells.set((event.subject, event.key), event)

    def remove(self, event: Event, etag: ETag = None) -> None:
        self.cells.remove((event.subject, event.key), etag)

    def remove_id(self, subject: str, event: str) -> None:
        self.cells.remove((subject, split_event(event)[1]))

    def list(self, subject: str, *, limit: int = 1000, after: str | None = None) -> ListPage[Event]:
        found = [event for (name, _), event in self.cells.values().items() if name == subject]
        return page(sorted(found, key=lambda event: event.at, reverse=True), limit, after)

    def get(self, subject: str, event: str) -> StoredEvent | None:
        value, etag = self.cells.get((subject, split_event(event)[1]))
        return None if value is None else StoredEvent(value, etag)

    def replace(self, event: Event, etag: ETag) -> None:
        self.cells.put((event.subject, event.key), event, etag)


class FakeJournal:
    """Keyed by platform, topic and number; what is there cannot be written again."""

    def __init__(self, writes: Writes) -> None:
        self.cells: Cells[JournalRow] = Cells(writes, JOURNAL)

    @property
    def entries(self) -> list[JournalEntry]:
        """All entries, in the order in which they were said."""
        return [one for one, _ in self.cells.values().values()]

    def append(self, entry: JournalEntry, evidence: Evidence) -> None:
        self.cells.put((entry.platform, entry.topic, entry.number), (entry, evidence), None)

    def topic(self, platform: str, topic: str) -> list[JournalEntry]:
        return [one for one in self.topics(platform, topic) if one.topic == topic]

    def topics(self, platform: str, prefix: str) -> list[JournalEntry]:
        found = [one for one in self.entries if one.platform == platform and one.topic.startswith(prefix)]
        return sorted(found, key=lambda one: (one.topic, -one.number))

    def last(self, platform: str, topic: str, until: datetime | None = None) -> JournalEntry | None:
        return next((one for one in self.topic(platform, topic) if until is None or one.said <= until), None)

    def evidence(self, platform: str, entry: str) -> Evidence:
        found, _ = self.cells.get((platform, *split_entry(entry)))
        return Evidence() if found is None else found[1]

    def list(
        self,
        platform: str,
        *,
        limit: int,
        after: str | None = None,
        until: datetime | None = None,
        subject: str | None = None,
    ) -> Sequence[JournalEntry]:
        below = None if after is None else newest_said(*split_place(after))
        found = [
            one
            for one in self.entries
            if one.platform == platform
            and subject in (None, one.subject)
            and (until is None or one.said <= until)
            and (below is None or newest_said(*split_place(one.place)) > below)
        ]
        return sorted(found, key=lambda one: newest_said(*split_place(one.place)))[:limit]


def newest_said(said: datetime, topic: str, number: int) -> tuple[float, str, int]:
    """Return what sorts entries as the table does: newest first, then by topic, its newest first."""
    return -said.timestamp(), topic, -number


class FakeAlarms:
    def __init__(self, writes: Writes) -> None:
        self.cells: Cells[StoredAlarm] = Cells(writes, ALARMS)

    def get(self, incident: str) -> StoredAlarm | None:
        stored, etag = self.cells.get(incident)
        return None if stored is None else stored._replace(etag=etag)

    def put(self, stored: StoredAlarm) -> str:
        return self.cells.put(stored.alarm.incident.id, stored._replace(etag=None), stored.etag)

    def list(
        self, platform: str, *, limit: int, after: str | None = None, until: datetime | None = None
    ) -> Sequence[StoredAlarm]:
        def place(incident: str) -> tuple[float, str]:
            template, onset = split_incident(incident)
            return -onset.timestamp(), template

        found = [
            one
            for one in self._stored()
            if one.alarm.incident.platform == platform
            and (until is None or one.alarm.incident.onset <= until)
            and (after is None or place(one.alarm.incident.id) > place(after))
        ]
        return sorted(found, key=lambda one: place(one.alarm.incident.id))[:limit]

    def standing(self) -> Sequence[StoredAlarm]:
        return [one for one in self._stored() if one.alarm.standing]

    def _stored(self) -> Iterator[StoredAlarm]:
        tags = self.cells.rows
        return (one._replace(etag=tags[key][1]) for key, one in self.cells.values().items())


class FakeSuppressions:
    def __init__(self, writes: Writes) -> None:
        self.cells: Cells[StoredSuppression] = Cells(writes, SUPPRESSIONS)

    def get(self, name: str) -> StoredSuppression | None:
        stored, etag = self.cells.get(name)
        return None if stored is None else stored._replace(etag=etag)

    def put(self, stored: StoredSuppression) -> str:
        return self.cells.put(stored.suppression.id, stored._replace(etag=None), stored.etag)

    def of(self, platform: str) -> Sequence[Suppression]:
        return [one for one in self._all() if one.platform == platform]

    def lasting(self, moment: datetime, platform: str | None = None) -> Sequence[Suppression]:
        return [one for one in self._all() if one.until > moment and platform in (None, one.platform)]

    def _all(self) -> Sequence[Suppression]:
        return [one.suppression for one in self.cells.values().values()]


class FakeStatements(FakeTable):
    def __init__(self, writes: Writes) -> None:
        self.cells: Cells[Statements] = Cells(
            writes,
            rows_of(
                lambda one: statements_entity(one.newest.template, one), lambda row: statements_of(row, None).statements
            ),
        )

    def get(self, template: str) -> StoredStatements | None:
        statements, etag = self.cells.get((template,))
        return None if statements is None else StoredStatements(statements, etag)

    def put(self, template: str, statements: Statements, etag: ETag) -> str:
        return self.cells.put((template,), statements, etag)


class FakeProofTests(FakeTable):
    def __init__(self, writes: Writes) -> None:
        self.cells: Cells[ProofTests] = Cells(
            writes, rows_of(proof_tests_entity, lambda row: proof_tests_of(row, None).tests)
        )

    def all(self) -> Sequence[StoredProofTests]:
        return [StoredProofTests(tests, self.cells.rows[key][1]) for key, tests in self.cells.values().items()]

    def get(self, template: str) -> StoredProofTests | None:
        tests, etag = self.cells.get((template,))
        return None if tests is None else StoredProofTests(tests, etag)

    def put(self, tests: ProofTests, etag: ETag) -> str:
        return self.cells.put((tests.template,), tests, etag)


@dataclass
class FakeMessages:
    writes: Writes
    criticals: list[CriticalMessage] = field(default_factory=list)
    baselines: list[str] = field(default_factory=list)
    notifications: list[NotificationMessage] = field(default_factory=list)
    # Of each template's newest request for baselines: before which days all is decided, and scored.
    done: dict[str, tuple[date | None, date | None]] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)
    shares: list[IngestRequest] = field(default_factory=list)
    waiting: dict[str, datetime] = field(default_factory=dict)  # since when, by queue
    waits: list[timedelta] = field(default_factory=list)  # of the requests for baselines

    def critical(self, message: CriticalMessage) -> None:
        self.writes.tick()
        self.criticals.append(CriticalMessage.from_json(message.model_dump_json(by_alias=True).encode()))

    def build_baselines(
        self,
        template: Template,
        decided: date | None = None,
        scored: date | None = None,
        wait: timedelta = timedelta(0),
    ) -> None:
        self.writes.tick()
        self.waits.append(wait)
        self.baselines.append(template.id)
        self.done[template.id] = decided, scored

    def notify(self, message: NotificationMessage) -> None:
        self.writes.tick()
        self.notifications.append(NotificationMessage.from_json(message.model_dump_json(by_alias=True).encode()))

    def state_performance(self, template: Template) -> None:
        self.writes.tick()
        self.statements.append(template.id)

    def ingest(self, request: IngestRequest, wait: timedelta, life: timedelta) -> None:
        self.writes.tick()
        self.shares.append(IngestRequest.from_json(request.model_dump_json(by_alias=True).encode()))

    def oldest(self) -> Mapping[str, datetime]:
        return self.waiting

    def lengths(self) -> Mapping[str, int]:
        return {"critical-deviations": len(self.criticals), "critical-deviations-poison": 0}


@dataclass
class FakeSource:
    """OMNIA as it was told to be: readings by tag; an answer, or a series, may be made to fail.

    A series' id is its tag where it was given no other one.
    """

    readings: dict[str, dict[datetime, Reading]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)  # by tag
    units: dict[str, str] = field(default_factory=dict)  # by tag
    unresolvable: dict[str, str] = field(default_factory=dict)  # why, by tag
    unreadable: set[str] = field(default_factory=set)  # tags
    failure: Exception | None = None
    windows: list[Window] = field(default_factory=list)

    def say(self, tag: str, start: datetime, values: Sequence[float | None]) -> None:
        series = self.readings.setdefault(tag, {})
        for index, value in enumerate(values):
            moment = start + index * BUCKET
            series[moment] = Reading(moment, value, 0 if value is None else 1, 1 if value is None else 0)

    def resolve(self, facility: str, tags: Sequence[str]) -> Answers[SourceSeries]:
        found = {tag: SourceSeries(self.ids.get(tag, tag), self.units.get(tag, "")) for tag in tags}
        known = {tag: one for tag, one in found.items() if tag in self.readings and tag not in self.unresolvable}
        return Answers(known, {tag: why for tag, why in self.unresolvable.items() if tag in tags})

    def read(self, windows: Sequence[Window]) -> Answers[Sequence[Reading]]:
        if self.failure is not None:
            raise self.failure
        self.windows.extend(windows)
        tags = {series: tag for tag, series in self.ids.items()}
        good = [one for one in windows if tags.get(one.series, one.series) not in self.unreadable]
        found: dict[str, Sequence[Reading]] = {
            one.series: [
                reading
                for moment, reading in sorted(self.readings[tags.get(one.series, one.series)].items())
                if one.start <= moment < one.end
            ]
            for one in good
        }
        problems = {one.series: "it cannot be read" for one in windows if one.series not in found}
        return Answers(found, problems)


class FakeRecalled(Recalled):
    """What a process remembers; a world that is copied has one of its own."""

    def __deepcopy__(self, _: dict[int, Any]) -> "FakeRecalled":
        """Return a copy: what is held is never changed."""
        copied = FakeRecalled()
        copied._held.update(self._held)
        return copied


@dataclass
class FakeClock:
    moment: datetime

    def now(self) -> datetime:
        return self.moment


def invert(
    template: Template, environment: Environment, seen: Observations, earliest: datetime, latest: datetime
) -> Estimation:
    """Return an answer that depends on all of its input, and costs nothing."""
    digest = hashlib.sha256(seen.ppmv.tobytes() + environment.current_speed.tobytes()).hexdigest()
    return Estimation(
        verdict="UNDEFINED",
        probability=0.5,
        log_bayes_factor=0.0,
        place=None,
        nearest_leak_point=None,
        dissolved_rate_kg_s=None,
        total_rate_kg_s=None,
        onset=None,
        sensors=tuple(sensor.id for sensor in template.sensors),
        samples=seen.times.size,
        environment=f"{digest} {earliest} {latest}",
    )


class World:
    """All fakes, wired as the app is.

    ``state`` is what the tables hold, without tags, and without the course of estimations: what was told on the way
    depends on when data came.
    """

    def __init__(self, writes: Writes | None = None) -> None:
        self.writes = writes or Writes()
        self.registry = FakeRegistry(self.writes)
        self.lake = FakeLake(self.writes)
        self.baselines = FakeBaselines(self.writes)
        self.deviations = FakeDeviations(self.writes)
        self.marks = FakeMarks(self.writes)
        self.incidents = FakeIncidents(self.writes)
        self.estimations = FakeEstimations(self.writes)
        self.events = FakeEvents(self.writes)
        self.messages = FakeMessages(self.writes)
        self.journal_table = FakeJournal(self.writes)
        self.alarms_table = FakeAlarms(self.writes)
        self.statements = FakeStatements(self.writes)
        self.proof_tests = FakeProofTests(self.writes)
        self.clock = FakeClock(start_of(DAY) + timedelta(days=2))
        self.recalled = FakeRecalled()
        self.suppressions_table = FakeSuppressions(self.writes)
        self.inputs = InputWindow(lead=timedelta(hours=24), longest=timedelta(hours=24), followed=timedelta(hours=24))
        self.rules = IncidentRules(clear=timedelta(hours=12), update=timedelta(hours=3), inputs=self.inputs)

    @property
    def journal(self) -> Journal:
        return Journal(table=self.journal_table, clock=self.clock)

    @property
    def alarms(self) -> Alarms:
        return Alarms(
            table=self.alarms_table,
            journal=self.journal_table,
            messages=self.messages,
            clock=self.clock,
            high_rate_kg_s=1e-5,
            told=TOLD,
        )

    @property
    def told(self) -> JournaledEvents:
        """The events, each of which is written down."""
        return JournaledEvents(table=self.events, journal=self.journal)

    @property
    def detect(self) -> Detect:
        reconcile = Reconcile(
            deviations=self.deviations,
            incidents=self.incidents,
            estimations=self.estimations,
            events=self.told,
            messages=self.messages,
            marks=self.marks,
            alarms=self.alarms,
            rules=self.rules,
        )
        return Detect(
            lake=self.lake,
            registry=self.registry,
            baselines=self.baselines,
            deviations=self.deviations,
            events=self.told,
            messages=self.messages,
            reconcile=reconcile,
            journal=self.journal,
            recalled=self.recalled,
        )

    @property
    def planned_ranges(self) -> PlannedRanges:
        return PlannedRanges(
            registry=self.registry,
            marks_table=self.marks,
            deviations=self.deviations,
            suppressions=self.suppressions_table,
            messages=self.messages,
            clock=self.clock,
        )

    @property
    def suppressions(self) -> Suppressions:
        return Suppressions(
            table=self.suppressions_table,
            journal=self.journal_table,
            registry=self.registry,
            planned=self.planned_ranges,
            clock=self.clock,
        )

    @property
    def estimate(self) -> Estimate:
        return Estimate(
            lake=self.lake,
            registry=self.registry,
            incidents=self.incidents,
            estimations=self.estimations,
            events=self.told,
            alarms=self.alarms,
            rules=self.inputs,
            invert=invert,
        )

    def restart(self) -> None:
        """A new process: what was only in memory is gone, and the next write succeeds."""
        self.writes.crash_at = None
        self.deviations.memory.clear()
        self.recalled = FakeRecalled()
        self.lake.memory.clear()

    def drain(self) -> None:
        """Deliver every queued message."""
        while self.messages.criticals:
            self.estimate.run(self.messages.criticals[0])
            self.messages.criticals.pop(0)

    def state(self) -> dict[str, Any]:
        """Return what the tables hold, comparable byte for byte."""
        return {
            "deviations": {
                key: (row.baseline, row.bad, row.ppmv.tobytes(), row.score.tobytes(), row.level.tobytes())
                for key, row in self.deviations.cells.values().items()
            },
            "incidents": self.incidents.cells.values(),
            "estimations": {
                key: one._replace(etag=None, history=()) for key, one in self.estimations.cells.values().items()
            },
            "events": self.events.cells.values(),
            "histories": self.registry.histories.values(),
            "latest": self.registry.latest.values(),
        }
