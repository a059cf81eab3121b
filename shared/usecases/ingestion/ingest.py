"""Ingest: bring the lake up to the last closed bucket, in bounded steps, without a gap and without a duplicate.

Per template: what its platform's data source has since each series' watermark, with an overlap for late data, is
merged into the day blobs; then the watermarks move. A crash in between asks again for what is there already, and
changes nothing.
"""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.domain.ingest_state import IngestState
from shared.domain.platform import Platform
from shared.domain.template import Template
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
from shared.usecases.ingestion.report import IngestReport
from shared.usecases.ingestion.template_run import IngestRules, RunContext, TemplateRun

__all__ = ["Ingest", "IngestReport", "IngestRules"]

logger = logging.getLogger(__name__)

NEVER = datetime.min.replace(tzinfo=UTC)


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

    def run(self) -> IngestReport:
        """Ingest every template; one that fails does not stop the others, and fails the run at its end.

        Raises SourceError that names the templates that failed.
        """
        deadline = self.clock.now() + self.rules.budget
        total, failed = IngestReport(), {}
        with ThreadPoolExecutor(self.rules.parallel, "ingest") as pool:  # the time goes into waiting for sources
            runs = {
                template.id: (record, template, pool.submit(in_context(self._run_of(record, template, deadline))))
                for record, template in self._longest_waiting_first()
            }
            for name, (record, template, run) in runs.items():
                try:
                    total += run.result()
                except Exception as error:
                    if isinstance(error, SourceError):
                        _tell_failed(record.platform, name, error)
                    else:
                        logger.exception("ingest of %s failed", name)
                    failed[name] = f"{type(error).__name__}: {error}"
                    self._remember_failure(template)
        if failed:
            raise SourceError("; ".join(f"{name}: {why}" for name, why in failed.items()))
        return total

    def _run_of(self, record: PlatformRecord, template: Template, deadline: datetime) -> Callable[[], IngestReport]:
        def run() -> IngestReport:
            if not template.sensors:
                logger.warning("%s has no sensors: nothing to ingest", template.id)
                return IngestReport()
            own = min(deadline, self.clock.now() + self.rules.template_budget)
            context = RunContext(
                source=self.source_of(record.platform),
                lake=self.lake,
                registry=self.registry,
                events=self.events,
                messages=self.messages,
                clock=self.clock,
                rules=self.rules,
            )
            return TemplateRun(context, record, template, own).run()

        return run

    def source_of(self, platform: Platform) -> ReadingSource:
        """Return the source that the platform's rules name; raises SourceError where it is not configured."""
        name = platform.rules.source
        if name not in self.sources:
            raise SourceError(f"{platform.id} reads the source {name!r}, which is not configured")
        return self.sources[name]

    def _longest_waiting_first(self) -> list[tuple[PlatformRecord, Template]]:
        """Return the templates, those first that a run whose time was used up has left behind.

        Those whose last run failed come last: their sources may let every run wait until its time is used up.
        """

        def waiting(one: tuple[PlatformRecord, Template]) -> tuple[datetime, datetime]:
            state = one[0].ingested.get(one[1].id, IngestState())
            return state.failed or NEVER, min(state.watermarks.values(), default=NEVER)

        return sorted(
            ((record, one) for record in self.registry.platforms() for one in record.platform.templates), key=waiting
        )

    def _remember_failure(self, template: Template) -> None:
        """Put the template behind the others; what cannot be written now costs the next run only its order."""

        def attempt(_: bool) -> None:
            record = self.registry.platform(template.platform)
            if any(one.id == template.id for one in record.platform.templates):
                state = record.ingested.get(template.id, IngestState())
                failed = state.model_copy(update={"failed": self.clock.now()})
                self.registry.set_ingested(template, failed, record.ingest_etags.get(template.id))

        try:
            after_conflicts(attempt, template.id)
        except NotFound:
            return  # it was deleted meanwhile
        except Exception:
            logger.exception("%s: that it failed could not be written", template.id)


def _tell_failed(platform: Platform, template: str, error: SourceError) -> None:
    source = platform.rules.source
    if source == OMNIA:  # the words that the alert omnia-errors looks for
        log_event(logger, "OMNIA failed", logging.ERROR, template=template, why=error)
    else:
        log_event(logger, "source failed", logging.ERROR, source=source, template=template, why=error)
