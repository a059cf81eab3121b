"""One template's part of a run: what its source has since each series' watermark, and what came late.

Its state is written on what was read: whoever changed the template meanwhile makes the run begin anew with what is
registered then.
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cached_property

from shared.domain.event import clock_ahead, series_left_out
from shared.domain.ingest_state import IngestState, SeriesState
from shared.domain.template import Template
from shared.domain.tsd import BUCKET, EARLIEST, ONE_DAY, PlausibleRange, floor_to_bucket, start_of
from shared.errors import Conflict, LeakDetectionError, NotFound
from shared.ports import (
    Clock,
    DayStore,
    EventsTable,
    MessageQueues,
    PlatformRecord,
    ReadingSource,
    RegistryTable,
)
from shared.telemetry import log_event
from shared.usecases.ingestion.lake_writer import LakeWriter
from shared.usecases.ingestion.look_back import Look, is_due, looks
from shared.usecases.ingestion.read_units import unit_of
from shared.usecases.ingestion.report import IngestReport
from shared.usecases.ingestion.series_reader import SeriesReader, Span
from shared.usecases.ingestion.wanted import WantedSeries, wanted_series

logger = logging.getLogger(__name__)


class Superseded(Exception):
    """Somebody changed the template, or ingested it, since it was read."""


CATCH_UP = timedelta(hours=12)  # a last step from so far behind ends a backfill or a long outage


@dataclass(frozen=True, kw_only=True)
class IngestRules:
    """How far back a run looks, how large its steps are, and when it stops taking another."""

    overlap: timedelta
    backfill: timedelta
    late: timedelta  # how old data may be that come, or are corrected, at last
    step: timedelta
    budget: timedelta
    template_budget: timedelta
    parallel: int  # templates at once that ask by themselves
    share: int = 24  # templates of a message at most
    spread: timedelta = timedelta(0)  # time over which a tick's messages come
    plausible: PlausibleRange  # ppmv


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What a template's run needs of the outside."""

    source: ReadingSource
    lake: DayStore
    registry: RegistryTable
    events: EventsTable
    messages: MessageQueues
    clock: Clock
    rules: IngestRules


class TemplateRun:
    """Brings one template up to date, in steps."""

    def __init__(self, context: RunContext, record: PlatformRecord, template: Template, deadline: datetime) -> None:
        """Begin with what was read of the platform; no step begins after the deadline."""
        self._deps, self._rules = context, context.rules
        self._template = template
        self._deadline = deadline
        self._target = floor_to_bucket(context.clock.now())
        wanted = wanted_series(record.platform, template, context.rules.plausible)
        self._stored = record.ingested.get(template.id, IngestState())
        self._etag = record.ingest_etags.get(template.id)
        self._states = {key: one for key, one in self._stored.series.items() if _is_of(one, wanted.get(key))}
        self._looked_back, self._looked_up = self._stored.looked_back, self._stored.looked_up
        self._reader = SeriesReader(context.source, record.platform, template, wanted)
        self._writer = LakeWriter(context.lake, context.events, template, self._reader, self._target)
        self._writer.newest = {key: one.newest for key, one in self._states.items() if one.newest}
        self._asked_from: dict[str, datetime] = {}  # in this run

    def run(self) -> IngestReport:
        """Step until every series is up to date, or the time is used up; then look back for what came late."""
        if self._is_over():
            return IngestReport(behind=1)
        try:
            return self._report(behind=self._run())
        except Superseded as why:
            logger.info("%s: %s; the next run begins with what is registered now", self._template.id, why)
            return self._report(behind=1)

    def _run(self) -> int:
        """Return 1 if the time was used up, else 0."""
        self._heal()
        self._find()
        self._begin()
        late, behind = False, 0
        while (start := min(self._marks().values(), default=self._target)) < self._target:
            if self._is_over():
                behind = 1
                break
            # The last step takes up to half a step more: it is never so short that it passes for a tick.
            longest = start + 1.5 * self._rules.step
            late |= self._step(self._target if longest >= self._target else start + self._rules.step)
        if not behind:
            self._look_back(late)
        self._save()
        return behind

    # --- what is read

    def _find(self) -> None:
        """Find the series at their source: by what is known of them, and once a day all of them by their tags."""
        look = Look(ONE_DAY, ONE_DAY)
        if not is_due(look, self._looked_up, self._target, self._template.id):
            self._reader.recall(self._states)
        if left := self._reader.wanted.keys() - self._reader.found.keys():
            self._reader.look_up(sorted(left))
        if left == self._reader.wanted.keys():
            self._looked_up = self._target

    def _heal(self) -> None:
        """Take watermarks back that lie in the future: a clock was ahead, and what has come since was not asked for."""
        ahead = [one.until for one in self._states.values() if one.until and one.until > self._target + BUCKET]
        if not ahead:
            return
        today = self._target.date()
        event = clock_ahead(self._template.id, today, max(ahead))
        logger.error("%s: %s", self._template.id, event.message)
        self._deps.events.put(event)
        for key, one in self._states.items():
            if one.until and one.until > self._target:
                self._states[key] = one.model_copy(update={"until": self._target})
        for day in self._deps.lake.days(self._template):
            if day >= today:
                self._writer.merge(day, {})
        self._looked_back = self._looked_up = None

    def _begin(self) -> None:
        """Give every series that was found a state, and see which of them were made anew at their source.

        That one is read in another unit is written before it is: a run that dies would leave readings of which nobody
        knows that they are in it.
        """
        first, in_another_unit = start_of((self._target - self._rules.backfill).date()), False
        for key, series in self._reader.found.items():
            one = self._states.get(key, SeriesState())
            if one.until is not None and one.begin is None:
                one = one.model_copy(update={"begin": self._beginning_of_old})
            wanted, again = self._reader.wanted[key], self._target - self._rules.late
            unit, told = unit_of(self._template, wanted, series.unit, one, one.begin or first, again)
            if told is not None:
                logger.warning("%s: %s", self._template.id, told.message)
                self._deps.events.put(told)
                self._looked_back, in_another_unit = None, True
            changed = {"tag": wanted.tag, "source_id": series.id, "unit": unit}
            if one.until is None:
                self._states[key] = one.model_copy(update={**changed, "until": first, "begin": first})
            elif one.source_id and one.source_id != series.id:
                logger.warning("%s: %s was made anew at its source", self._template.id, key)
                self._states[key] = one.model_copy(update={**changed, "anew": one.until})
            else:
                self._states[key] = one.model_copy(update=changed)
            if (anew := self._states[key].anew) is not None:
                self._writer.kept[key] = anew
        if in_another_unit:
            self._save()

    @cached_property
    def _beginning_of_old(self) -> datetime:
        """When the lake begins, which storage of old does not say of its series."""
        return start_of(min(self._deps.lake.days(self._template), default=self._target.date()))

    def _marks(self) -> dict[str, datetime]:
        """Return the watermark of each series that can be read."""
        states = {key: self._states[key] for key in self._reader.found}
        return {key: one.until for key, one in states.items() if one.until is not None}

    def _step(self, end: datetime) -> bool:
        """Ask for everything up to ``end``; return whether it came so late that what lies before it may have, too."""
        marks = {key: moment for key, moment in self._marks().items() if moment < end}
        shallow, deeper, *_ = looks(self._rules.late)
        # What is due every hour is asked for together with what is new: each day is read and written once.
        again = self._target - shallow.depth if end == self._target and self._is_due(shallow) else end
        spans = {
            key: Span(max(min(moment - self._rules.overlap, again), self._states[key].begin or EARLIEST), end)
            for key, moment in marks.items()
        }
        far_behind = end == self._target and end - min(marks.values()) >= CATCH_UP
        changed, reached = self._fetch(spans)
        if far_behind:
            # A backfill or a long outage has ended; said before the watermarks move, so that a crash repeats it.
            self._deps.messages.build_baselines(self._template)
        for key in reached:
            self._states[key] = self._states[key].model_copy(update={"until": end})
        oldest = min(span.start for span in spans.values())
        late = changed is not None and changed < oldest + (max(marks.values()) - oldest) / 2
        if end == self._target and not late and not self._is_due(deeper):
            self._looked_back = end
        self._save()
        return late

    def _fetch(self, spans: Mapping[str, Span]) -> tuple[datetime | None, set[str]]:
        """Put what the source says into the lake; return the first bucket that changed, and which series were read."""
        fetched = self._reader.read(spans)
        self._begin()  # ids may have been looked up anew
        first = self._writer.merge_all(fetched)
        for key, span in spans.items():
            self._asked_from[key] = min(span.start, self._asked_from.get(key, span.start))
        return first, set(fetched)

    def _look_back(self, late: bool) -> None:
        """Ask again for what was asked for before this run, as far back as it is time to."""
        was_due = False
        try:
            for look in looks(self._rules.late):
                due = self._is_due(look)
                if not (due or late):
                    break
                was_due |= due
                late = self._look(self._target - look.depth, late=late)
        except LeakDetectionError:
            self._looked_back = None  # what came late is looked for in full by the next run that can
            self._save()
            raise
        if self._is_over():
            self._looked_back = None if late else self._looked_back
        elif was_due:
            self._looked_back = self._target

    def _is_due(self, look: Look) -> bool:
        return is_due(look, self._looked_back, self._target, self._template.id)

    def _look(self, start: datetime, *, late: bool) -> bool:
        """Ask for everything from ``start`` on that this run has not asked for, the newest first.

        Returns what ``_step`` does; ``late`` where all was asked for.
        """
        begins = {key: max(start, self._states[key].begin or start) for key in self._reader.found}
        ends = {key: self._asked_from.get(key, moment) for key, moment in self._marks().items()}
        newest = max(ends.values(), default=start)
        while newest > start and not self._is_over():
            oldest = max(start, newest - self._rules.step)
            spans = {key: Span(max(begin, oldest), min(ends[key], newest)) for key, begin in begins.items()}
            changed, _ = self._fetch({key: span for key, span in spans.items() if span.start < span.end})
            late = changed is not None and changed < oldest + (newest - oldest) / 2
            newest = oldest
        return late

    def _is_over(self) -> bool:
        return self._deps.clock.now() >= self._deadline

    # --- what is told and written

    def _save(self) -> None:
        """Tell of series that are left out, take back what holds no more, and write the state on what was read.

        A state with ``since`` and without a problem is written first: a crash in between leaves what says that the
        event of that time may be there.
        """
        series = {key: self._state_of(key) for key in sorted(self._states.keys() | self._reader.problems.keys())}
        stored = self._stored.series
        news = {key: one for key, one in series.items() if _told(one) != _told(stored.get(key, SeriesState()))}
        events = {key: one.since or stored[key].since for key, one in news.items()}
        if news:
            begun = {key: one.model_copy(update={"problem": "", "since": events[key]}) for key, one in news.items()}
            self._write(series | begun)
        for key in stored.keys() - series.keys():
            self._take_back(key, stored[key].since)
        for key, one in news.items():
            if one.since is None:
                self._take_back(key, events[key])
            else:
                logger.error("%s: %s", self._template.id, one.problem)
                self._deps.events.put(series_left_out(self._template.id, key, one.since, one.problem))
        try:
            self._write(series)
        except Superseded:
            self._take_back_what_does_not_stand(events)
            raise
        self._states = series

    def _take_back_what_does_not_stand(self, events: Mapping[str, datetime | None]) -> None:
        """Take back what this run told of series that others let go meanwhile, as with a sensor that was deleted."""
        try:
            record = self._deps.registry.record(self._template.id)
        except NotFound:
            record = None
        state = record.ingested.get(self._template.id, IngestState()) if record else IngestState()
        for key, since in events.items():
            if state.series.get(key, SeriesState()).since != since:
                self._take_back(key, since)

    def _state_of(self, key: str) -> SeriesState:
        """Return the series' state with why it is left out, and the time of the event that tells so."""
        one = self._states.get(key, SeriesState(tag=self._reader.wanted[key].tag))
        one = one.model_copy(update={"newest": self._writer.newest.get(key)})
        why, told = self._reader.problems.get(key, ""), self._stored.series.get(key, SeriesState())
        since = told.since or one.until or start_of(self._target.date())
        return one.model_copy(update={"problem": why, "since": since if why else None})

    def _take_back(self, key: str, since: datetime | None) -> None:
        if since is not None:
            self._deps.events.remove(series_left_out(self._template.id, key, since, ""))

    def _write(self, series: Mapping[str, SeriesState]) -> None:
        """Write the state on what was read, where it differs; raises Superseded."""
        moments = {"looked_back": self._looked_back, "looked_up": self._looked_up}
        changed = {"series": dict(series), **moments, "failed": None}
        state = self._stored.model_copy(update=changed)
        if state == self._stored:
            return
        try:
            self._etag = self._deps.registry.set_ingested(self._template, state, self._etag)
        except Conflict as conflict:
            raise Superseded(str(conflict)) from conflict
        self._stored = state

    def _report(self, behind: int) -> IngestReport:
        writer = self._writer
        report = IngestReport(writer.samples, writer.bad, writer.blobs_written, behind)
        lowest = min(self._marks().values(), default=start_of((self._target - self._rules.backfill).date()))
        lag = int((self._deps.clock.now() - lowest).total_seconds())
        log_event(logger, "template ingested", template=self._template.id, lag_s=lag, **asdict(report))
        return report


def _is_of(state: SeriesState, one: WantedSeries | None) -> bool:
    """Return whether the state is of the series that is registered; one of old does not say of which it is."""
    return one is not None and state.tag in ("", one.tag)


def _told(state: SeriesState) -> tuple[str, bool]:
    """Return what people were told of the series, and whether an event may be there."""
    return state.problem, state.since is not None
