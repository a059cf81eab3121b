"""Ingest: bring the lake up to the last closed bucket, in bounded steps, without a gap and without a duplicate.

Per template: what its platform's data source has since each series' watermark, with an overlap for late data, is
merged into the day blobs; then the watermarks move. A crash in between asks again for what is there already, and
changes nothing.
"""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, astuple, dataclass
from datetime import UTC, date, datetime, timedelta

from shared.domain.event import corrupt_day
from shared.domain.platform import EnvironmentSeries, Platform, Quantity
from shared.domain.template import Template
from shared.domain.tsd import (
    PlausibleRange,
    Reading,
    SeriesDay,
    TemplateDay,
    by_day,
    days_between,
    floor_to_bucket,
    start_of,
)
from shared.errors import SourceError
from shared.platforms import OMNIA
from shared.ports import (
    Clock,
    DayStore,
    EventsTable,
    MessageQueues,
    PlatformRecord,
    ReadingSource,
    RegistryTable,
    StoredDay,
    Window,
)
from shared.retry import after_conflicts
from shared.telemetry import in_context, log_event

logger = logging.getLogger(__name__)

CATCH_UP = timedelta(hours=12)  # a last step from so far behind ends a backfill or a long outage

# What a measurement of the sea can be, in the project's units; outside lies a fault.
PLAUSIBLE_SEA: Mapping[Quantity, PlausibleRange] = {
    "current_speed": PlausibleRange(0, 5),
    "current_direction": PlausibleRange(-360, 720),
    "wave_height": PlausibleRange(0, 40),
    "wave_period": PlausibleRange(0, 60),
    "temperature": PlausibleRange(-3, 40),
}


@dataclass(frozen=True, kw_only=True)
class IngestRules:
    """How far back a run looks, how large its steps are, and when it stops taking another."""

    overlap: timedelta
    backfill: timedelta
    step: timedelta
    budget: timedelta
    parallel: int  # templates at once
    plausible: PlausibleRange  # ppmv


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """Brings the lake up to date; one instance per process."""

    sources: Mapping[str, ReadingSource]  # by the name that platforms' rules give them
    lake: DayStore
    registry: RegistryTable
    events: EventsTable
    messages: MessageQueues
    clock: Clock
    rules: IngestRules

    def run(self) -> "IngestReport":
        """Ingest every template; one that fails does not stop the others, and fails the run at its end.

        Raises SourceError that names the templates that failed.
        """
        deadline = self.clock.now() + self.rules.budget
        total, failed = IngestReport(), {}
        with ThreadPoolExecutor(self.rules.parallel, "ingest") as pool:  # the time goes into waiting for sources
            runs = {
                template.id: (record, pool.submit(in_context(_TemplateRun(self, record, template, deadline).run)))
                for record, template in self._longest_waiting_first()
            }
            for name, (record, run) in runs.items():
                try:
                    total += run.result()
                except SourceError as error:
                    _tell_failed(record.platform, name, error)
                    failed[name] = f"{type(error).__name__}: {error}"
                except Exception as error:
                    logger.exception("ingest of %s failed", name)
                    failed[name] = f"{type(error).__name__}: {error}"
        if failed:
            raise SourceError("; ".join(f"{name}: {why}" for name, why in failed.items()))
        return total

    def source_of(self, platform: Platform) -> ReadingSource:
        """Return the source that the platform's rules name; raises SourceError where it is not configured."""
        name = platform.rules.source
        if name not in self.sources:
            raise SourceError(f"{platform.id} reads the source {name!r}, which is not configured")
        return self.sources[name]

    def _longest_waiting_first(self) -> list[tuple[PlatformRecord, Template]]:
        """Return the templates, those first that a run whose time was used up has left behind."""
        both = [(record, one) for record in self.registry.platforms() for one in record.platform.templates]
        never = datetime.min.replace(tzinfo=UTC)
        return sorted(both, key=lambda one: min(one[0].watermarks.get(one[1].id, {}).values(), default=never))


@dataclass(frozen=True)
class IngestReport:
    """What a run did: new samples, bad ones among them, blobs written, and templates left for a later run."""

    samples: int = 0
    bad: int = 0
    blobs_written: int = 0
    behind: int = 0

    def __add__(self, other: "IngestReport") -> "IngestReport":
        """Return both together."""
        return IngestReport(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class _Series:
    """One series to ingest: its key in the day document, its tag and what of it is plausible (source unit)."""

    key: str
    tag: str
    unit: str
    plausible: PlausibleRange
    is_sensor: bool


class _TemplateRun:
    """One template's part of a run."""

    def __init__(self, ingest: Ingest, record: PlatformRecord, template: Template, deadline: datetime) -> None:
        self._deps = ingest
        self._template = template
        self._platform = record.platform
        self._deadline = deadline
        self._samples = self._bad = self._blobs_written = 0
        self._series = {one.key: one for one in _series(record.platform, template, ingest.rules.plausible)}
        self._target = floor_to_bucket(ingest.clock.now())
        self._first = start_of((self._target - ingest.rules.backfill).date())
        self._known = record.watermarks.get(template.id, {})
        self._watermarks: dict[str, datetime] = {}

    def run(self) -> IngestReport:
        """Step until every series is up to date, or the run's time is used up."""
        if not self._template.sensors:
            logger.warning("%s has no sensors: nothing to ingest", self._template.id)
            return IngestReport()
        self._source = self._deps.source_of(self._platform)
        found = self._source.resolve(self._platform.facility, [one.tag for one in self._series.values()])
        self._ids = {one.key: found[one.tag] for one in self._series.values() if one.tag in found}
        unknown = sorted(one.tag for one in self._series.values() if one.key not in self._ids)
        if unknown:
            # Their watermarks stay where they are: what the source has of them one day is fetched then.
            logger.error("%s: %s knows no series %s", self._template.id, self._platform.source_name, ", ".join(unknown))
        self._watermarks = {key: self._known.get(key, self._first) for key in self._ids}
        behind = 0
        while (start := min(self._watermarks.values(), default=self._target)) < self._target:
            if self._deps.clock.now() >= self._deadline:
                behind = 1
                break
            # The last step takes up to half a step more: it is never so short that it passes for a tick.
            longest = start + 1.5 * self._deps.rules.step
            self._step(self._target if longest >= self._target else start + self._deps.rules.step)
        report = IngestReport(self._samples, self._bad, self._blobs_written, behind)
        reached = min(self._watermarks.values(), default=self._first)
        lag = int((self._deps.clock.now() - reached).total_seconds())
        log_event(logger, "template ingested", template=self._template.id, lag_s=lag, **asdict(report))
        return report

    def _step(self, end: datetime) -> None:
        due = [key for key, moment in self._watermarks.items() if moment < end]
        overlap = self._deps.rules.overlap
        starts = {key: self._watermarks[key] - (overlap if key in self._known else timedelta(0)) for key in due}
        readings = self._read({key: (start, end) for key, start in starts.items()})
        for day in days_between(min(starts.values()), end):
            arrived = {key: readings[key].get(day, []) for key in due if starts[key].date() <= day}
            self._merge_day(day, end, arrived)
        if end == self._target and end - min(self._watermarks.values()) >= CATCH_UP:
            # A backfill or a long outage has ended; said before the watermarks move, so that a crash repeats it.
            self._deps.messages.build_baselines(self._template)
        self._watermarks.update(dict.fromkeys(due, end))
        self._known = {**self._known, **self._watermarks}
        self._deps.registry.set_watermarks(self._template, self._known)

    def _read(self, spans: Mapping[str, tuple[datetime, datetime]]) -> Mapping[str, Mapping[date, list[Reading]]]:
        windows = [Window(self._ids[key], *span) for key, span in spans.items()]
        answers = self._source.read(windows) if windows else {}
        return {key: by_day(answers.get(self._ids[key], [])) for key in spans}

    def _merge_day(self, day: date, end: datetime, readings: Mapping[str, Sequence[Reading]]) -> None:
        def attempt(_: bool) -> None:
            stored = self._deps.lake.read(self._template, day)
            arrived = self._reread_corrupt(stored, day, end) if stored.problem else readings
            document = self._merged(stored, day, end, arrived)
            if document != stored.document:
                self._deps.lake.write(self._template, document, stored.etag)
                self._count(stored.document, document)

        after_conflicts(attempt, f"{self._template.id} on {day}")

    def _count(self, before: TemplateDay | None, after: TemplateDay) -> None:
        """Count a written blob, and what of it is new."""
        self._blobs_written += 1
        for part in ("sensors", "environment"):
            held = {} if before is None else getattr(before, part)
            for key, series in getattr(after, part).items():
                news = series.news(held.get(key))
                self._samples += news.samples
                self._bad += news.bad

    def _merged(
        self, stored: StoredDay, day: date, end: datetime, readings: Mapping[str, Sequence[Reading]]
    ) -> TemplateDay:
        document = stored.document or TemplateDay(platform=self._template.platform, template=self._template.id, day=day)
        sensors, environment = dict(document.sensors), dict(document.environment)
        for key, arrived in readings.items():
            one = self._series[key]
            part = sensors if one.is_sensor else environment
            before = part.get(key)
            if before is None or before.tag != one.tag:  # readings belong to their tag
                before = SeriesDay(tag=one.tag, unit=one.unit, until=start_of(day))
            part[key] = before.merged(arrived, self._reach(key, day, end), one.plausible)
        return document.model_copy(
            update={"sensors": dict(sorted(sensors.items())), "environment": dict(sorted(environment.items()))}
        )

    def _reread_corrupt(self, stored: StoredDay, day: date, end: datetime) -> Mapping[str, Sequence[Reading]]:
        """Set the unreadable blob aside and ask for the whole day again: nothing of it is lost."""
        copy = self._deps.lake.quarantine(self._template, day)
        logger.error("%s; kept as %s, the day is fetched again", stored.problem, copy)
        self._deps.events.put(corrupt_day(self._template.id, day, stored.problem, copy, self._platform.source_name))
        spans = {key: (start_of(day), self._reach(key, day, end)) for key in self._watermarks}
        found = self._read({key: span for key, span in spans.items() if span[0] < span[1]})
        return {key: days.get(day, []) for key, days in found.items()}

    def _reach(self, key: str, day: date, end: datetime) -> datetime:
        """Return up to when of that day the series is known after this step."""
        return min(max(end, self._watermarks[key]), start_of(day) + timedelta(days=1))


def _tell_failed(platform: Platform, template: str, error: SourceError) -> None:
    source = platform.rules.source
    if source == OMNIA:  # the words that the alert omnia-errors looks for
        log_event(logger, "OMNIA failed", logging.ERROR, template=template, why=error)
    else:
        log_event(logger, "source failed", logging.ERROR, source=source, template=template, why=error)


def _series(platform: Platform, template: Template, ppmv: PlausibleRange) -> list[_Series]:
    sensors = [_Series(sensor.id, sensor.tag, "ppmv", ppmv, is_sensor=True) for sensor in template.sensors]
    sea = [
        _Series(quantity, series.tag, series.unit, _in_source_unit(quantity, series), is_sensor=False)
        for quantity, series in sorted(platform.environment.items())
    ]
    return sensors + sea


def _in_source_unit(quantity: Quantity, series: EnvironmentSeries) -> PlausibleRange:
    span = PLAUSIBLE_SEA[quantity]
    return PlausibleRange(span.low / series.scale, span.high / series.scale)
