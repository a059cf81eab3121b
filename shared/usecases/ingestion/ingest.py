"""Ingest: bring the lake up to the last closed bucket, in bounded steps, without a gap and without a duplicate.

A tick asks for shares: neighbours among a platform's templates, each share by a message that lives for that tick. Per
template: what its platform's data source has since each series' watermark, with an overlap for late data, is merged
into the day blobs; then the watermarks move. A crash in between asks again for what is there already, and changes
nothing; a share that was lost is taken up by the next tick.

All templates of a share are at work at once, and what they ask their source for goes out together
(``gathered_reads.py``). Those whose last run failed come after the others, each by itself: their sources may let every
run wait until its time is used up.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.domain.ingest_request import IngestRequest
from shared.domain.ingest_state import IngestState
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.tsd import BUCKET
from shared.errors import NotFound, SourceError
from shared.platforms import OMNIA
from shared.ports import (
    Clock,
    DayStore,
    EventsTable,
    MessageQueues,
    PlatformRecord,
    ReadingSource,
    RegistryTable,
)
from shared.retry import after_conflicts
from shared.telemetry import in_context, log_event
from shared.usecases.ingestion.gathered_reads import GatheredReads
from shared.usecases.ingestion.report import IngestReport
from shared.usecases.ingestion.template_run import IngestRules, RunContext, TemplateRun

__all__ = ["Ingest", "IngestReport", "IngestRules"]

logger = logging.getLogger(__name__)

NEVER = datetime.min.replace(tzinfo=UTC)
TICK = BUCKET  # as often as ingest runs
LAST_STEP = timedelta(
    seconds=150
)  # that a step takes at most which begins at the last moment: requests with their tries

Outcome = tuple[IngestReport, dict[str, str]]  # and why templates failed, by id


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

    def ask(self) -> int:
        """Put a message for each share on the queue, spread over some time; return how many there are.

        Those that a tick whose time was used up has left behind come first.
        """
        shares = self.shares()
        places = {share.templates: place for place, share in enumerate(sorted(shares, key=_name))}
        for share in shares:
            wait = self.rules.spread * places[share.templates] / len(shares)  # the same one in every tick
            self.messages.ingest(share, wait, TICK)
        return len(shares)

    def shares(self) -> list[IngestRequest]:
        """Return what a tick that begins now asks for, those first that have waited longest."""
        asked = self.clock.now()
        found: list[tuple[tuple[datetime, datetime], IngestRequest]] = []
        for record in self.registry.records():
            templates = sorted(one.id for one in record.platform.templates)
            for begin in range(0, len(templates), self.rules.share):
                names = tuple(templates[begin : begin + self.rules.share])
                share = IngestRequest(
                    platform=record.platform.id,
                    templates=names,
                    generation=record.generation,
                    asked=asked,
                    until=asked + TICK - LAST_STEP,
                )
                found.append((min(_waiting(record, name) for name in names), share))
        return [share for _, share in sorted(found, key=lambda one: one[0])]

    def run(self) -> IngestReport:
        """Ingest every share here and now; raises SourceError that names the templates that failed."""
        total, failed = IngestReport(), []
        for share in self.shares():
            try:
                total += self.run_share(share)
            except SourceError as error:
                failed.append(str(error))
        if failed:
            raise SourceError("; ".join(failed))
        return total

    def run_share(self, share: IngestRequest) -> IngestReport:
        """Ingest a share; a template that fails does not stop the others, and fails the run at its end.

        One that has failed in this tick already is left to the next one, and so is a share that comes too late.
        Raises SourceError that names the templates that failed.
        """
        now = self.clock.now()
        if now >= share.until:
            log_event(logger, "share too late", logging.WARNING, platform=share.platform, first=share.templates[0])
            return IngestReport(behind=len(share.templates))
        try:
            record = self.registry.part(share.platform, share.templates, share.generation)
        except NotFound as error:
            log_event(logger, "work dropped", logging.WARNING, platform=share.platform, why=error)
            return IngestReport()
        deadline = min(share.until, now + self.rules.budget)
        names = sorted((one.id for one in record.platform.templates), key=lambda name: _waiting(record, name))
        failed_when = {name: record.ingested.get(name, IngestState()).failed for name in names}
        well = [name for name in names if failed_when[name] is None]
        ill = [name for name, moment in failed_when.items() if moment is not None and moment <= share.asked]
        report, failed = self._together(record, well, deadline)
        more, failed_again = self._one_by_one(record, ill, deadline)
        failed |= failed_again
        if failed:
            raise SourceError("; ".join(f"{name}: {why}" for name, why in failed.items()))
        return report + more

    def _together(self, record: PlatformRecord, names: Sequence[str], deadline: datetime) -> Outcome:
        """Ingest these templates, all at once, asking their source together."""
        asked = GatheredReads(
            lambda: self.source_of(record.platform),
            runs=len(names),
            alone=self.rules.parallel,
            is_over=lambda: self.clock.now() >= deadline,
        )
        return self._all(record, names, deadline, len(names), asked)

    def _one_by_one(self, record: PlatformRecord, names: Sequence[str], deadline: datetime) -> Outcome:
        """Ingest these templates, a few at a time, each asking for itself."""
        return self._all(record, names, deadline, self.rules.parallel, None)

    def _all(
        self,
        record: PlatformRecord,
        names: Sequence[str],
        deadline: datetime,
        threads: int,
        together: GatheredReads | None,
    ) -> Outcome:
        total, failed = IngestReport(), dict[str, str]()
        if not names:
            return total, failed
        templates = {one.id: one for one in record.platform.templates}
        with ThreadPoolExecutor(threads, "ingest") as pool:  # the time goes into waiting for sources and storage
            runs = {
                name: pool.submit(in_context(self._run_of(record, templates[name], deadline, together)))
                for name in names
            }
            for name, run in runs.items():
                try:
                    total += run.result()
                except Exception as error:
                    if isinstance(error, SourceError):
                        _tell_failed(record.platform, name, error)
                    else:
                        logger.exception("ingest of %s failed", name)
                    failed[name] = f"{type(error).__name__}: {error}"
                    self._remember_failure(templates[name])
        return total, failed

    def _run_of(
        self, record: PlatformRecord, template: Template, deadline: datetime, together: GatheredReads | None
    ) -> Callable[[], IngestReport]:
        def run() -> IngestReport:
            try:
                return self._ingest(record, template, deadline, together or self.source_of(record.platform))
            finally:
                if together is not None:
                    together.leave()

        return run

    def _ingest(
        self, record: PlatformRecord, template: Template, deadline: datetime, source: ReadingSource
    ) -> IngestReport:
        if not template.sensors:
            logger.warning("%s has no sensors: nothing to ingest", template.id)
            return IngestReport()
        own = min(deadline, self.clock.now() + self.rules.template_budget)
        context = RunContext(
            source=source,
            lake=self.lake,
            registry=self.registry,
            events=self.events,
            messages=self.messages,
            clock=self.clock,
            rules=self.rules,
        )
        return TemplateRun(context, record, template, own).run()

    def source_of(self, platform: Platform) -> ReadingSource:
        """Return the source that the platform's rules name; raises SourceError where it is not configured."""
        name = platform.rules.source
        if name not in self.sources:
            raise SourceError(f"{platform.id} reads the source {name!r}, which is not configured")
        return self.sources[name]

    def _remember_failure(self, template: Template) -> None:
        """Put the template behind the others; what cannot be written now costs the next run only its order."""

        def attempt(_: bool) -> None:
            record = self.registry.record(template.id)
            state = record.ingested.get(template.id, IngestState())
            failed = state.model_copy(update={"failed": self.clock.now()})
            self.registry.set_ingested(template, failed, record.ingest_etags.get(template.id))

        try:
            after_conflicts(attempt, template.id)
        except NotFound:
            return  # it was deleted meanwhile
        except Exception:
            logger.exception("%s: that it failed could not be written", template.id)


def _waiting(record: PlatformRecord, template: str) -> tuple[datetime, datetime]:
    """Return what puts a template before others: one whose last run failed comes after those whose did not."""
    state = record.ingested.get(template, IngestState())
    return state.failed or NEVER, min(state.watermarks.values(), default=NEVER)


def _name(share: IngestRequest) -> tuple[str, ...]:
    return share.platform, *share.templates


def _tell_failed(platform: Platform, template: str, error: SourceError) -> None:
    source = platform.rules.source
    if source == OMNIA:  # the words that the alert omnia-errors looks for
        log_event(logger, "OMNIA failed", logging.ERROR, template=template, why=error)
    else:
        log_event(logger, "source failed", logging.ERROR, source=source, template=template, why=error)
