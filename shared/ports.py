"""What the use cases need of the outside, as small protocols; ``shared.adapters`` holds the real ones.

A ``ETag`` is what makes a write conditional (an ETag): the write succeeds only on what was read, or, with None,
only where nothing is yet; otherwise it raises Conflict.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy.typing as npt

from shared.arrays import Times
from shared.detection import Baseline
from shared.domain.alarm import Alarm
from shared.domain.backup import Manifest, Part
from shared.domain.baseline_history import BaselineHistory
from shared.domain.checked_days import CheckedDays
from shared.domain.decisions import Decision, Decisions
from shared.domain.deviation import Carry, Context, DeviationDay, Latest, Level
from shared.domain.estimation import Estimation, EstimationStep
from shared.domain.event import Event
from shared.domain.incident import CriticalMessage, Incident
from shared.domain.ingest_request import IngestRequest
from shared.domain.ingest_state import IngestState
from shared.domain.journal import Evidence, JournalEntry
from shared.domain.notice import Notice, NotificationMessage
from shared.domain.performance import Statements
from shared.domain.platform import Platform
from shared.domain.proof_test import ProofTests
from shared.domain.suppression import Suppression
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


class StoredCheck(NamedTuple):
    """Up to which day a template's scores were found right, as it is in the registry; None: nobody looked."""

    days: CheckedDays | None
    etag: ETag


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A platform as it is registered, with its sensors' baseline histories: what does not change from tick to tick.

    ``etag`` names the state of everything that is registered of the platform; None in storage of old, until the next
    write. ``deletions`` are the ids of what is being deleted with all its data. ``whole`` is False where only some of
    the platform's templates were read.
    """

    platform: Platform = field(kw_only=False)
    stored: Mapping[str, StoredHistory] = field(default_factory=dict)
    etag: ETag = None
    generation: str = field(default="", compare=False)  # the name of that state; empty: it has none
    # The newest of what is registered: of a newer release's, this one changes nothing.
    schema: int = field(default=1, compare=False)
    deletions: frozenset[str] = frozenset()
    whole: bool = True

    def history(self, sensor: str) -> BaselineHistory:
        """Return the sensor's baseline history; an empty one while it learns."""
        return self.stored[sensor].history if sensor in self.stored else BaselineHistory()


@dataclass(frozen=True, kw_only=True)
class PlatformRecord(Registration):
    """A platform with what is known of its data: how far each template was ingested, and the newest samples.

    ``latest`` is each sensor's newest sample; ``latest_etags`` and ``ingest_etags`` are the etags of what holds these
    and the templates' states, by template.
    """

    ingested: Mapping[str, IngestState] = field(default_factory=dict)
    latest: Mapping[str, Latest] = field(default_factory=dict)
    latest_etags: Mapping[str, ETag] = field(default_factory=dict)
    ingest_etags: Mapping[str, ETag] = field(default_factory=dict)

    def watermarks(self, template: Template) -> Mapping[str, datetime]:
        """Return up to when each series of the template that is registered was asked for."""
        keys = {one.id for one in template.sensors} | self.platform.environment.keys()
        known = self.ingested.get(template.id, IngestState()).watermarks
        return {key: until for key, until in known.items() if key in keys}


RecordT = TypeVar("RecordT", bound=Registration)


class PlatformRecords(tuple[RecordT, ...]):
    """Platforms in order of id; ``unreadable`` says by id why others that are registered cannot be read."""

    unreadable: Mapping[str, Exception] = {}

    @classmethod
    def of(
        cls, records: Iterable[RecordT], unreadable: Mapping[str, Exception] | None = None
    ) -> "PlatformRecords[RecordT]":
        """Return these platforms, and what keeps others from being among them."""
        found = cls(records)
        found.unreadable = unreadable or {}
        return found


class RegistryTable(Protocol):
    """Platforms, templates, sensors; and beside them, per template, what changes with every tick.

    What is registered and what changes with every tick are read and written apart: neither costs the other anything.
    """

    def platforms(self) -> PlatformRecords[Registration]:
        """Return every platform that can be read, in order of id, and why others cannot; one read if none changed."""
        ...

    def platform(self, platform: str) -> Registration:
        """Return one platform as it is registered now; raises NotFound; one read if it has not changed."""
        ...

    def records(self, *, changed: bool = False) -> PlatformRecords[PlatformRecord]:
        """Return every platform with what is known of its data: one read if nothing changed.

        ``changed``: the caller expects that it has, and wants to be sure of everything.
        """
        ...

    def record(self, template: str) -> PlatformRecord:
        """Return a template's platform, with that template alone, and what is known of its data; raises NotFound.

        It costs as much however many templates the platform has.
        """
        ...

    def part(self, platform: str, templates: Sequence[str], generation: str = "") -> PlatformRecord:
        """Return a platform with those of these templates that it has, and what is known of them; raises NotFound.

        generation: the state of what is registered that was just read; it need not be asked for again.
        """
        ...

    def change(self, before: Registration | None, after: Platform | None) -> None:
        """Make ``after`` of what was read; raises Conflict if anything of the platform changed since.

        None before: the platform must not exist. None after: it goes, with all that is registered of it. What is
        new begins without watermarks, baselines and newest samples; what stays keeps them.
        """
        ...

    def begin_deletion(self, before: Registration, name: str) -> None:
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

    def checked(self, template: Template) -> StoredCheck:
        """Return which of the template's days were found to be scored right; a tick does not read it."""
        ...

    def set_checked(self, template: Template, days: CheckedDays, etag: ETag) -> None:
        """Write which days were found right on what was read; raises Conflict."""
        ...

    def mend(self) -> None:
        """Bring in step what a crash or an older release left apart; cheap, and may be done at any time."""
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

    def etags(self, template: Template) -> Mapping[date, str]:
        """Return the etag of each day's document that the lake holds of the template, by one list."""
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

    def with_earlier(
        self, sensor: str, day: date, *, fresh: bool = False
    ) -> tuple[Mapping[date, StoredDeviations], StoredDeviations]:
        """Return the rows of the two days before, and the day's own, all read from the table by one query.

        Unless ``fresh``, the day's own from this process's memory if it is there; none then beside it.
        """
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
        """Return times [n] and these columns [n] of the rows of [first, last], such as ppmv, level, fault, currents."""
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


class StoredAlarm(NamedTuple):
    """An alarm as it is in the table, and how many entries its topic of the journal has by then."""

    alarm: Alarm
    entries: int
    etag: ETag


class AlarmsTable(Protocol):
    """Alarms as they stand; each row follows the journal's newest entry about it."""

    def get(self, incident: str) -> StoredAlarm | None:
        """Return the alarm of the incident, or None; raises InvalidInput."""
        ...

    def put(self, stored: StoredAlarm) -> ETag:
        """Write the alarm on what was read (its ``etag``) and return its new etag; raises Conflict."""
        ...

    def list(
        self, platform: str, *, limit: int, after: str | None = None, until: datetime | None = None
    ) -> Sequence[StoredAlarm]:
        """Return so many of the platform's alarms, newest onset first, up to ``until``.

        after: the id of an incident of any platform, in whose place they go on; raises InvalidInput.
        """
        ...

    def standing(self) -> Sequence[StoredAlarm]:
        """Return every platform's alarms that stand, by one query."""
        ...


class StoredSuppression(NamedTuple):
    """A suppression as it is in the table, and how many entries its topic of the journal has by then."""

    suppression: Suppression
    entries: int
    etag: ETag


class SuppressionsTable(Protocol):
    """What is shelved, out of service or planned; each row follows the journal's newest entry about it."""

    def get(self, name: str) -> StoredSuppression | None:
        """Return the suppression of that id, or None; raises InvalidInput."""
        ...

    def put(self, stored: StoredSuppression) -> ETag:
        """Write the suppression on what was read (its ``etag``) and return its new etag; raises Conflict."""
        ...

    def of(self, platform: str) -> Sequence[Suppression]:
        """Return all of the platform, also those that are over."""
        ...

    def lasting(self, moment: datetime, platform: str | None = None) -> Sequence[Suppression]:
        """Return what is not over, of a platform or of all, by one query."""
        ...


class JournalTable(Protocol):
    """What was said and done, which is only added to."""

    def append(self, entry: JournalEntry, evidence: Evidence) -> None:
        """Store the entry; raises Conflict where the topic has one of its number."""
        ...

    def last(self, platform: str, topic: str, until: datetime | None = None) -> JournalEntry | None:
        """Return the topic's newest entry, of those that were said by ``until`` if it is given; None: there is none."""
        ...

    def topic(self, platform: str, topic: str) -> Sequence[JournalEntry]:
        """Return all entries of a topic, newest first."""
        ...

    def topics(self, platform: str, prefix: str) -> Sequence[JournalEntry]:
        """Return all entries of the topics that begin so, by topic, newest first."""
        ...

    def evidence(self, platform: str, entry: str) -> Evidence:
        """Return what an entry rests on; nothing where there is no such entry; raises InvalidInput."""
        ...

    def list(
        self,
        platform: str,
        *,
        limit: int,
        after: str | None = None,
        until: datetime | None = None,
        subject: str | None = None,
    ) -> Sequence[JournalEntry]:
        """Return so many entries, newest first, said by ``until``, of all subjects or of one.

        after: the place of an entry of any platform, after which they go on; raises InvalidInput.
        """
        ...


class StoredStatements(NamedTuple):
    """A template's performance statements as they are in the table."""

    statements: Statements
    etag: ETag


class StatementsTable(Removable, Protocol):
    """The performance statements of each template: the newest, and the one before."""

    def get(self, template: str) -> StoredStatements | None:
        """Return the template's statements, or None."""
        ...

    def put(self, template: str, statements: Statements, etag: ETag) -> ETag:
        """Write them on what was read and return the new etag; raises Conflict."""
        ...


class StoredProofTests(NamedTuple):
    """A template's proof tests as they are in the table."""

    tests: ProofTests
    etag: ETag


class ProofTestsTable(Removable, Protocol):
    """The proof tests of each template."""

    def all(self) -> Sequence[StoredProofTests]:
        """Return the tests of every template that has any."""
        ...

    def get(self, template: str) -> StoredProofTests | None:
        """Return the template's tests, or None."""
        ...

    def put(self, tests: ProofTests, etag: ETag) -> ETag:
        """Write them on what was read and return the new etag; raises Conflict."""
        ...


class ProofStore(Protocol):
    """All that the way of the data keeps of proof tests."""

    def clear(self) -> None:
        """Remove all of it; removing it again changes nothing."""
        ...


class Row(NamedTuple):
    """A row of a table as it is stored, with the types of its properties, as a line of JSON."""

    partition: str
    key: str
    schema: int
    line: str


class StoredRows(Protocol):
    """The rows of the tables that are backed up, whatever is in them; tables go by what they are called in a backup."""

    def rows(self, table: str) -> Iterator[Row]:
        """Yield the table's rows that nothing derives, in order of key."""
        ...

    def journal_months(self) -> Sequence[str]:
        """Return the months in which anything was said, in order."""
        ...

    def journal(self, month: str) -> Iterator[Row]:
        """Yield the rows of the journal's entries that were said in a month; no other entry is read."""
        ...

    def put(self, table: str, lines: Iterable[str]) -> int:
        """Write rows over whatever is there; return how many; raises InvalidInput for what is no row."""
        ...


class OldEvent(NamedTuple):
    """An event in short, by the key of its row."""

    key: str
    kind: str
    at: datetime
    about: str


class AgedStorage(Protocol):
    """What is stored by its age; nothing that is removed here is told of or taken back anywhere."""

    def scored_days_before(self, sensor: str, day: date) -> Sequence[date]:
        """Return the sensor's scored days before a day, in order."""
        ...

    def remove_scored_days(self, sensor: str, days: Sequence[date]) -> None:
        """Remove the rows of these days; removing them again changes nothing."""
        ...

    def events_before(self, subject: str, moment: datetime) -> Iterator[OldEvent]:
        """Yield the subject's events of before a moment."""
        ...

    def remove_events(self, subject: str, keys: Sequence[str]) -> None:
        """Remove events by the keys of their rows; removing them again changes nothing."""
        ...

    def remove_entries(self, platform: str, moment: datetime, standing: Collection[str]) -> Iterator[int]:
        """Remove entries of the journal that were said before a moment; yield how many after each piece.

        What a topic said last stays, unless it is an event; so do all entries of the topics that stand.
        """
        ...

    def corrupt_before(self, day: date) -> Iterator[str]:
        """Yield the names of the blobs that were put aside before a day."""
        ...

    def remove_corrupt(self, names: Sequence[str]) -> None:
        """Remove blobs that were put aside; removing them again changes nothing."""
        ...


class BackupStore(Protocol):
    """Where backups are: parts are never written over, and a manifest makes a day's parts a backup."""

    def days(self) -> Sequence[date]:
        """Return the days of which there is a whole backup, in order."""
        ...

    def manifest(self, day: date) -> Manifest:
        """Return a day's manifest; raises NotFound, CorruptBlob or NewerSchema."""
        ...

    def finish(self, manifest: Manifest) -> bool:
        """Write the day's manifest, unless there is one; return whether there was none."""
        ...

    def closed_months(self) -> Mapping[str, Part]:
        """Return the parts of the months of the journal that are over, by month."""
        ...

    def write(self, rows: Iterable[Row], table: str, day: date | None, month: str = "") -> Part:
        """Write rows as a part of a day's backup, or of every one from now on (None); what is there already stays."""
        ...

    def read(self, part: Part) -> Iterator[str]:
        """Yield the lines of a part; raises NotFound, or CorruptBlob before the first one unless it is as written."""
        ...


class MessageQueues(Protocol):
    """The queues between the functions."""

    def critical(self, message: CriticalMessage) -> None:
        """Ask for an estimation."""
        ...

    def build_baselines(
        self,
        template: Template,
        decided: date | None = None,
        scored: date | None = None,
        wait: timedelta = timedelta(0),
    ) -> None:
        """Ask for a template's baselines; days before these are decided, and scored by them (None: not known)."""
        ...

    def notify(self, message: NotificationMessage) -> None:
        """Ask for a step of an alarm to be told."""
        ...

    def state_performance(self, template: Template) -> None:
        """Ask for a template's performance statement."""
        ...

    def ingest(self, request: IngestRequest, wait: timedelta, life: timedelta) -> None:
        """Ask for a share of the templates to be ingested, after a while; the message is gone after its life."""
        ...

    def lengths(self) -> Mapping[str, int]:
        """Return the approximate length of every queue, poison queues included."""
        ...

    def oldest(self) -> Mapping[str, datetime]:
        """Return when the first message that shows was put, of each queue that has one; what failed is left out."""
        ...


class Notifier(Protocol):
    """Tells somebody outside."""

    def send(self, notice: Notice) -> None:
        """Send the notice, whose idempotency key tells a repetition; raises NotDelivered or SettingsError."""
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
