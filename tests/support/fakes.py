"""In-memory storage with the semantics that matter (conditional writes), and a switch that crashes at any write.

It holds bytes, as real storage does: what is read went through the same formats as on Azure.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Generic, TypeVar

import numpy as np

from shared.adapters.tables import deviations
from shared.adapters.tables.events import event_entity, event_of
from shared.adapters.tables.incidents import estimation_entity, estimation_of, incident_entity, incident_of
from shared.adapters.tables.marks import decision_entity, decisions_of
from shared.adapters.tables.registry_rows import (
    history_entity,
    history_of,
    ingest_entity,
    ingest_state,
    latest_entity,
    latest_of,
)
from shared.detection import Baseline
from shared.domain.baseline_history import BaselineHistory
from shared.domain.decisions import Decision, Decisions
from shared.domain.deviation import DeviationDay, Latest
from shared.domain.environment import Environment
from shared.domain.estimation import Estimation, Observations
from shared.domain.event import Event, split_event
from shared.domain.incident import CriticalMessage, Incident
from shared.domain.ingest_state import IngestState
from shared.domain.platform import Platform
from shared.domain.template import Sensor, Template
from shared.domain.tsd import BUCKET, Reading, TemplateDay
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
    SourceSeries,
    StoredDay,
    StoredDeviations,
    StoredEstimation,
    StoredEvent,
    StoredHistory,
    StoredIncident,
    Window,
)
from shared.usecases.detection.detect import Detect
from shared.usecases.incidents.estimate import Estimate
from shared.usecases.incidents.estimation_inputs import InputWindow
from shared.usecases.incidents.reconcile import IncidentRules, Reconcile
from tests.support.examples import template

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
EVENTS: Format[Event] = read_once(rows_of(event_entity, event_of))
HISTORIES: Format[BaselineHistory] = read_once(
    rows_of(lambda one: history_entity(_TEMPLATE, _TEMPLATE.sensors[0], one), history_of)
)
LATEST: Format[Mapping[str, Latest]] = rows_of(lambda one: latest_entity("troll", "a", one), latest_of)
INGESTED: Format[IngestState] = rows_of(lambda one: ingest_entity("troll", "a", one), ingest_state)


def page(found: Sequence[Value], limit: int | None, after: str | None) -> ListPage[Value]:
    """Return the part of a list after a page; here a continuation is a number."""
    begin = int(after or 0)
    end = len(found) if limit is None else begin + limit
    return ListPage.of(found[begin:end], str(end) if end < len(found) else None)


class FakeRegistry:
    """One head for all that is registered of a platform: every write that concerns it changes its etag."""

    def __init__(self, writes: Writes) -> None:
        self.known: dict[str, Platform] = {}
        self.unreadable: dict[str, Exception] = {}
        self.ingested: Cells[IngestState] = Cells(writes, INGESTED)
        self.histories: Cells[BaselineHistory] = Cells(writes, HISTORIES)
        self.latest: Cells[Mapping[str, Latest]] = Cells(writes, LATEST)
        self.deletions: set[str] = set()
        self._writes = writes
        self._definitions = 0

    def platforms(self, *, changed: bool = False) -> PlatformRecords:
        readable = sorted(self.known.keys() - self.unreadable.keys())
        return PlatformRecords.of([self.platform(name) for name in readable], self.unreadable)

    def platform(self, platform: str, *, changed: bool = False) -> PlatformRecord:
        if platform not in self.known:
            raise NotFound(f"platform {platform!r} is not registered")
        rows = self.histories.rows
        stored = {key: StoredHistory(one, rows[key][1]) for key, one in self.histories.values().items()}
        latest = {sensor: one for sensors in self.latest.values().values() for sensor, one in sensors.items()}
        tags, states = ({name: etag for name, (_, etag) in one.rows.items()} for one in (self.latest, self.ingested))
        return PlatformRecord(
            self.known[platform],
            self.ingested.values(),
            stored,
            self._head(platform),
            latest,
            tags,
            ingest_etags=states,
            deletions=frozenset(one for one in self.deletions if one.partition("-")[0] == platform),
        )

    def _head(self, platform: str) -> str:
        cells = (self.ingested, self.histories, self.latest)
        tags = [etag for one in cells for key, (_, etag) in sorted(one.rows.items()) if key.startswith(f"{platform}-")]
        return " ".join([str(self._definitions), *tags])

    def begin_deletion(self, before: PlatformRecord, name: str) -> None:
        if before.etag != self._head(before.platform.id):
            raise Conflict(f"{name} changed in between")
        self._writes.tick()
        self._definitions += 1
        self.deletions.add(name)

    def change(self, before: PlatformRecord | None, after: Platform | None) -> None:
        name = before.platform.id if before else after.id if after else ""
        if before is None and name in self.known:
            raise Exists(f"platform {name!r} exists")
        if before is not None and (name not in self.known or before.etag != self._head(name)):
            raise Conflict(f"{name} changed in between")
        self._writes.tick()
        self._definitions += 1
        self.known.pop(name, None)
        if after is not None:
            self.known[name] = after
        kept = after.ids if after is not None else frozenset()
        self.deletions -= {one for one in self.deletions if one.partition("-")[0] == name} - kept
        with self._writes.as_one():
            self._forget(name)

    def _forget(self, platform: str) -> None:
        templates = self.known[platform].templates if platform in self.known else ()
        sensors = {sensor.id for one in templates for sensor in one.sensors}
        for cells, keys in ((self.histories, sensors), (self.latest, {one.id for one in templates})):
            for key in [key for key in cells.rows if key.startswith(f"{platform}-") and key not in keys]:
                del cells.rows[key]
        for key, latest in self.latest.values().items():
            if key.startswith(f"{platform}-") and latest.keys() - sensors:
                self.latest.set(key, {name: one for name, one in latest.items() if name in sensors})
        for key, state in self.ingested.values().items():
            kept = {name for name in state.series if name in sensors or "-" not in name}
            if key.startswith(f"{platform}-") and state.series.keys() - kept:
                self.ingested.set(key, state.only(kept))

    def add(self, platform: Platform, *, replace: bool = False) -> int:
        self._definitions += 1
        self.known[platform.id] = platform
        return 1

    @property
    def watermarks(self) -> dict[str, Mapping[str, datetime]]:
        """Up to when each series was asked for, by template and series."""
        return {template: state.watermarks for template, state in self.ingested.values().items()}

    def set_ingested(self, template: Template, state: IngestState, etag: ETag) -> ETag:
        return self.ingested.put(template.id, state, etag)

    def set_history(self, template: Template, sensor: Sensor, history: BaselineHistory, etag: ETag) -> ETag:
        return self.histories.put(sensor.id, history, etag)

    def set_latest(self, template: Template, latest: Mapping[str, Latest], etag: ETag) -> None:
        self.latest.put(template.id, dict(latest), etag)


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
        kinds = {"ppmv": np.float64, "score": np.float32, "level": np.int8, "fault": np.int8, "channel": np.int8}
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


@dataclass
class FakeMessages:
    writes: Writes
    criticals: list[CriticalMessage] = field(default_factory=list)
    baselines: list[str] = field(default_factory=list)
    # Of each template's newest request for baselines: before which days all is decided, and scored.
    done: dict[str, tuple[date | None, date | None]] = field(default_factory=dict)

    def critical(self, message: CriticalMessage) -> None:
        self.writes.tick()
        self.criticals.append(CriticalMessage.from_json(message.model_dump_json(by_alias=True).encode()))

    def build_baselines(self, template: Template, decided: date | None = None, scored: date | None = None) -> None:
        self.writes.tick()
        self.baselines.append(template.id)
        self.done[template.id] = decided, scored

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

    def __init__(self) -> None:
        self.writes = Writes()
        self.registry = FakeRegistry(self.writes)
        self.lake = FakeLake(self.writes)
        self.baselines = FakeBaselines(self.writes)
        self.deviations = FakeDeviations(self.writes)
        self.marks = FakeMarks(self.writes)
        self.incidents = FakeIncidents(self.writes)
        self.estimations = FakeEstimations(self.writes)
        self.events = FakeEvents(self.writes)
        self.messages = FakeMessages(self.writes)
        self.inputs = InputWindow(lead=timedelta(hours=24), longest=timedelta(hours=24))
        self.rules = IncidentRules(clear=timedelta(hours=12), update=timedelta(hours=3), inputs=self.inputs)

    @property
    def detect(self) -> Detect:
        reconcile = Reconcile(
            deviations=self.deviations,
            incidents=self.incidents,
            estimations=self.estimations,
            events=self.events,
            messages=self.messages,
            rules=self.rules,
        )
        return Detect(
            lake=self.lake,
            registry=self.registry,
            baselines=self.baselines,
            deviations=self.deviations,
            events=self.events,
            messages=self.messages,
            reconcile=reconcile,
        )

    @property
    def estimate(self) -> Estimate:
        return Estimate(
            lake=self.lake,
            registry=self.registry,
            incidents=self.incidents,
            estimations=self.estimations,
            events=self.events,
            rules=self.inputs,
            invert=invert,
        )

    def restart(self) -> None:
        """A new process: what was only in memory is gone, and the next write succeeds."""
        self.writes.crash_at = None
        self.deviations.memory.clear()
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
