"""What the use cases need of the outside, as small protocols; ``shared.adapters`` holds the real ones.

A ``ETag`` is what makes a write conditional (an ETag): the write succeeds only on what was read, or, with None,
only where nothing is yet; otherwise it raises Conflict.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy.typing as npt

from shared.arrays import Times
from shared.detection import Baseline
from shared.domain.baseline_history import BaselineHistory
from shared.domain.decisions import Decision, Decisions
from shared.domain.deviation import Carry, Context, DeviationDay, Latest, Level
from shared.domain.estimation import Estimation, EstimationStep
from shared.domain.event import Event
from shared.domain.incident import CriticalMessage, Incident
from shared.domain.ingest_state import IngestState
from shared.domain.platform import Platform
from shared.domain.template import Sensor, Template
from shared.domain.tsd import Reading, TemplateDay

ETag = str | None


ItemT = TypeVar("ItemT")


class ListPage(tuple[ItemT, ...]):
    """A part of a list; ``continuation`` asks for what comes after it, None: nothing does."""

    continuation: str | None = None

    @classmethod
    def of(cls, items: Iterable[ItemT], continuation: str | None = None) -> "ListPage[ItemT]":
        """Return these items, and where the next ones begin."""
        page = cls(items)
        page.continuation = continuation
        return page

    @staticmethod
    def all(read: "Callable[[str | None], ListPage[ItemT]]") -> "list[ItemT]":
        """Return the items of all pages; ``read`` reads the one after a continuation, or the first."""
        page = read(None)
        found = [*page]
        while page.continuation is not None:
            page = read(page.continuation)
            found += page
        return found


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> datetime:
        """Return the current time, UTC."""
        ...


class Answers(dict[str, ItemT]):
    """What a source answered by tag or id; ``problems`` says why there is none for one that is not well."""

    def __init__(self, found: Mapping[str, ItemT], problems: Mapping[str, str] | None = None) -> None:
        """Take both."""
        super().__init__(found)
        self.problems: Mapping[str, str] = problems or {}


class SourceSeries(NamedTuple):
    """A series as its source knows it; ``unit`` is empty where the source names none."""

    id: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """The buckets of one series of a data source in [start, end).

    ``turn`` is the value of a whole turn where the series is an angle: its samples are averaged as vectors.
    """

    series: str  # the source's id
    start: datetime
    end: datetime
    turn: float | None = None


class ReadingSource(Protocol):
    """A data source, such as OMNIA, as the use cases see it."""

    def resolve(self, facility: str, tags: Sequence[str]) -> Answers[SourceSeries]:
        """Return the source's series for each tag of the facility that exists; raises SourceError.

        Unknown tags are left out; a tag that cannot be told, as one with two series, is among the problems.
        """
        ...

    def read(self, windows: Sequence[Window]) -> Answers[Sequence[Reading]]:
        """Return each window's 10-minute buckets by series id, in order of time; raises SourceError.

        A series that cannot be read is among the problems, and does not keep the others from being read; one that
        the source has no more is looked up anew by the next ``resolve``.
        """
        ...


class StoredHistory(NamedTuple):
    """A sensor's baseline history as it is in the registry, with the etag of the sensor's row."""

    history: BaselineHistory
    etag: ETag


@dataclass(frozen=True)
class PlatformRecord:
    """A platform with what is known of its data: how far each template was ingested, baseline histories by sensor.

    ``etag`` names the state of everything that is registered of the platform; None in storage of old, until the next
    write. ``latest`` is each sensor's newest sample; ``latest_etags`` and ``ingest_etags`` are the etags of what holds
    these and the templates' states, by template. ``deletions`` are the ids of what is being deleted with all its data.
    """

    platform: Platform
    ingested: Mapping[str, IngestState] = field(default_factory=dict)
    stored: Mapping[str, StoredHistory] = field(default_factory=dict)
    etag: ETag = None
    latest: Mapping[str, Latest] = field(default_factory=dict)
    latest_etags: Mapping[str, ETag] = field(default_factory=dict)
    # The newest of what is registered: of a newer release's, this one changes nothing.
    schema: int = field(default=1, compare=False)
    ingest_etags: Mapping[str, ETag] = field(default_factory=dict)
    deletions: frozenset[str] = frozenset()

    @property
    def watermarks(self) -> Mapping[str, Mapping[str, datetime]]:
        """Up to when each series was asked for, by template and series."""
        return {template: state.watermarks for template, state in self.ingested.items()}

    def history(self, sensor: str) -> BaselineHistory:
        """Return the sensor's baseline history; an empty one while it learns."""
        return self.stored[sensor].history if sensor in self.stored else BaselineHistory()


class PlatformRecords(tuple[PlatformRecord, ...]):
    """Platforms in order of id; ``unreadable`` says by id why others that are registered cannot be read."""

    unreadable: Mapping[str, Exception] = {}

    @classmethod
    def of(
        cls, records: Iterable[PlatformRecord], unreadable: Mapping[str, Exception] | None = None
    ) -> "PlatformRecords":
        """Return these platforms, and what keeps others from being among them."""
        found = cls(records)
        found.unreadable = unreadable or {}
        return found


class RegistryTable(Protocol):
    """Platforms, templates, sensors, and per template how far they were ingested."""

    def platforms(self, *, changed: bool = False) -> PlatformRecords:
        """Return every platform that can be read, in order of id, and why others cannot.

        It costs one read if none has changed, or if the caller expects that they have (``changed``).
        """
        ...

    def platform(self, platform: str, *, changed: bool = False) -> PlatformRecord:
        """Return one platform as it is now; raises NotFound.

        It costs one read if it has not changed, or if the caller expects that it has (``changed``).
        """
        ...

    def change(self, before: PlatformRecord | None, after: Platform | None) -> None:
        """Make ``after`` of what was read; raises Conflict if anything of the platform changed since.

        None before: the platform must not exist. None after: it goes, with all that is registered of it. What is
        new begins without watermarks, baselines and newest samples; what stays keeps them.
        """
        ...

    def begin_deletion(self, before: PlatformRecord, name: str) -> None:
        """Record that what has this id is being deleted, until it is; raises Conflict if anything changed since."""
        ...

    def add(self, platform: Platform, *, replace: bool = False) -> int:
        """Store what is not stored yet (or replace it), and return how many rows were written."""
        ...

    def set_ingested(self, template: Template, state: IngestState, etag: ETag) -> ETag:
        """Write the template's state on what was read (``ingest_etags``) and return its new etag; raises Conflict."""
        ...

    def set_history(self, template: Template, sensor: Sensor, history: BaselineHistory, etag: ETag) -> ETag:
        """Write the sensor's baseline history on the row that was read and return its new etag; raises Conflict."""
        ...

    def set_latest(self, template: Template, latest: Mapping[str, Latest], etag: ETag) -> None:
        """Write the newest samples of the template's sensors on what was read (``latest_etags``); raises Conflict."""
        ...


class StoredDay(NamedTuple):
    """A day document as it is in the lake; ``document`` is None where the blob is absent or unreadable."""

    document: TemplateDay | None
    etag: ETag
    problem: str = ""  # why the blob cannot be read
    fresh: bool = True  # False: from this process's memory


class DayStore(Protocol):
    """The source of truth: one document per template and UTC day."""

    def remove_all(self, template: Template) -> None:
        """Remove every document of the template."""
        ...

    def read(self, template: Template, day: date, *, fresh: bool = True) -> StoredDay:
        """Return the day's document and etag; unless ``fresh``, from memory if this process wrote it last."""
        ...

    def etag(self, template: Template, day: date) -> ETag:
        """Return the etag of the day's document as it is now; None where there is none."""
        ...

    def write(self, template: Template, document: TemplateDay, etag: ETag) -> None:
        """Write the document on what was read; raises Conflict."""
        ...

    def quarantine(self, template: Template, day: date) -> str:
        """Copy an unreadable blob aside, named by its content, and return the copy's name."""
        ...

    def days(self, template: Template) -> Sequence[date]:
        """Return the days that the lake holds of the template, in order."""
        ...


class Removable(Protocol):
    """What is stored of a sensor, a template or another subject, and goes with it."""

    def remove_all(self, subject: str, /) -> None:
        """Remove all of the subject; removing it again changes nothing."""
        ...

    def count(self, subject: str, /) -> int:
        """Return how many there are of the subject."""
        ...

    def subjects(self, prefix: str, /) -> Sequence[str]:
        """Return the subjects that begin so and have anything stored, in order."""
        ...


class BaselineStore(Removable, Protocol):
    """Immutable baseline versions."""

    def put(self, sensor: str, baseline: Baseline) -> None:
        """Store the baseline under its version; storing it again changes nothing."""
        ...

    def get(self, sensor: str, version: str) -> Baseline:
        """Return a stored version; raises NotFound, CorruptBlob, OtherEngine or NewerSchema."""
        ...


class MarksTable(Removable, Protocol):
    """What people decided about baselines, which is only added to: the only source besides the lake."""

    def of(self, sensor: str) -> Decisions:
        """Return all decisions about the sensor."""
        ...

    def add(self, decision: Decision) -> None:
        """Store a decision; raises Conflict where there is one of its number."""
        ...


class StoredDeviations(NamedTuple):
    """A sensor's scored day as it is in the table; ``fresh`` is False when it comes from this process's memory."""

    row: DeviationDay | None
    etag: ETag
    fresh: bool


class DaySummary(NamedTuple):
    """A scored day in short: what scored it, how many samples (and of which level), what it was handed and hands on."""

    day: date
    engine: str
    baseline: str
    samples: int
    counts: Mapping[Level, int]
    bad: str  # buckets with bad samples by reason, as people read it
    before: Carry | None
    carry: Carry
    fingerprint: str  # of the readings that it was scored from; empty: an older release did not record it
    context: Context
    told: tuple[str, ...] | None  # names of the events that stand for it; None: nobody recorded them

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of the day any more."""
        return not any(self.counts.values())

    @property
    def handed_on(self) -> Carry | None:
        """What the next day is handed; nothing of a day that was emptied."""
        return None if self.is_empty else self.carry


class DeviationsTable(Removable, Protocol):
    """One row per sensor and day."""

    def get(self, sensor: str, day: date, *, fresh: bool = False) -> StoredDeviations:
        """Return the stored row and its etag, from memory if this process wrote or read it before."""
        ...

    def put(self, row: DeviationDay, etag: ETag) -> ETag:
        """Write the row on what was read and return its new etag; raises Conflict (and forgets what it remembered)."""
        ...

    def range(self, sensor: str, first: date, last: date) -> Sequence[DeviationDay]:
        """Return the sensor's rows of [first, last] in order, read from the table."""
        ...

    def columns(
        self, sensor: str, first: date, last: date, names: Sequence[str]
    ) -> tuple[Times, Mapping[str, npt.NDArray[Any]]]:
        """Return times [n] and these columns [n] (ppmv, score, level, fault) of the rows of [first, last]."""
        ...

    def summaries(self, sensor: str, first: date, last: date) -> Sequence[DaySummary]:
        """Return the rows of [first, last] in short and in order, without the packed samples."""
        ...


@dataclass(frozen=True, slots=True)
class NotificationState:
    """What people were notified of: the time and digest of the data that are on the queue, and what its events said."""

    at: datetime
    digest: str
    closed: datetime | None
    sensors: tuple[str, ...]


class StoredIncident(NamedTuple):
    """An incident as it is in the table; ``notified`` is None until its first message is on the queue."""

    incident: Incident
    notified: NotificationState | None
    etag: ETag
    told: tuple[str, ...] | None = None  # names of the events that stand for it; None: nobody recorded them


class IncidentsTable(Removable, Protocol):
    """The incidents of each template, newest first."""

    def list(self, template: str, *, limit: int | None = None, after: str | None = None) -> ListPage[StoredIncident]:
        """Return the template's incidents, newest first: all, or so many after a page; raises InvalidInput."""
        ...

    def open_ones(self) -> Sequence[StoredIncident]:
        """Return every template's incidents that go on, by one query."""
        ...

    def get(self, template: str, onset: datetime) -> StoredIncident | None:
        """Return the template's incident with that onset, or None."""
        ...

    def put(
        self, incident: Incident, notified: NotificationState | None, etag: ETag, told: Sequence[str] | None = None
    ) -> ETag:
        """Write the incident on what was read and return its new etag; raises Conflict."""
        ...

    def remove(self, incident: Incident) -> None:
        """Remove an incident that the data no longer support; removing it again changes nothing."""
        ...


class StoredEstimation(NamedTuple):
    """An incident's newest estimation as it is in the table, with the course of all of them."""

    incident: str
    template: str
    onset: datetime
    at: datetime
    digest: str
    estimation: Estimation
    history: tuple[EstimationStep, ...]  # oldest first, this one's last
    etag: ETag


class EstimationSummary(NamedTuple):
    """An incident's newest estimation in short; the rate is None where there is none."""

    incident: str
    onset: datetime
    at: datetime
    verdict: str
    probability: float
    dissolved_rate_kg_s: float | None


class EstimationsTable(Removable, Protocol):
    """The newest estimation of each incident."""

    def list(self, template: str, *, limit: int, after: str | None = None) -> ListPage[EstimationSummary]:
        """Return the template's estimations in short, newest incident first, so many after a page."""
        ...

    def summary(self, template: str, incident: str) -> EstimationSummary | None:
        """Return the incident's estimation in short, or None."""
        ...

    def get(self, template: str, incident: str) -> StoredEstimation | None:
        """Return the incident's estimation, or None."""
        ...

    def put(self, estimation: StoredEstimation) -> None:
        """Write the estimation on what was read (its ``etag``); raises Conflict."""
        ...

    def remove(self, template: str, incident: str) -> None:
        """Remove the estimation of an incident that the data no longer support."""
        ...


class StoredEvent(NamedTuple):
    """An event as it is in the table."""

    event: Event
    etag: ETag


class EventsTable(Removable, Protocol):
    """What a person should see, newest first."""

    def put(self, event: Event) -> None:
        """Store the event; the same event again changes nothing."""
        ...

    def remove(self, event: Event, etag: ETag = None) -> None:
        """Remove an event, of what was read if a etag is given; raises Conflict."""
        ...

    def remove_id(self, subject: str, event: str) -> None:
        """Remove the subject's event of that id; removing it again changes nothing."""
        ...

    def list(self, subject: str, *, limit: int = 1000, after: str | None = None) -> ListPage[Event]:
        """Return the subject's events, newest first, so many after a page; raises InvalidInput."""
        ...

    def get(self, subject: str, event: str) -> StoredEvent | None:
        """Return the subject's event of that id, or None."""
        ...

    def replace(self, event: Event, etag: ETag) -> None:
        """Write the event on what was read; raises Conflict."""
        ...


class MessageQueues(Protocol):
    """The queues between the functions."""

    def critical(self, message: CriticalMessage) -> None:
        """Ask for an estimation."""
        ...

    def build_baselines(self, template: Template, decided: date | None = None, scored: date | None = None) -> None:
        """Ask for a template's baselines; days before these are decided, and scored by them (None: not known)."""
        ...

    def lengths(self) -> Mapping[str, int]:
        """Return the approximate length of every queue, poison queues included."""
        ...


class PoisonMessage(NamedTuple):
    """A message that failed every try, as its queue holds it: base64 of text, or whatever somebody put there."""

    queue: str
    content: str
    id: str
    receipt: str
    put_at: datetime  # when it came into this queue


class PoisonQueues(Protocol):
    """The queues of what failed, and the ones to which it goes back."""

    def waiting(self, queue: str) -> Iterator[PoisonMessage]:
        """Yield the messages of a queue, each hidden from others for some minutes; none where there is no queue."""
        ...

    def put(self, queue: str, text: str, wait: timedelta) -> None:
        """Put a message on a queue that shows after a while, and stays until it is worked on."""
        ...

    def copy(self, message: PoisonMessage, queue: str) -> None:
        """Put the message, as it is, on another queue, where it stays."""
        ...

    def remove(self, message: PoisonMessage) -> None:
        """Remove the message; removing it again changes nothing."""
        ...

    def lengths(self, queues: Sequence[str]) -> Mapping[str, int]:
        """Return the approximate lengths of queues; one that does not exist yet is empty."""
        ...
