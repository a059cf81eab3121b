"""Tell health: before each run of ingest, a line of each template, and an event of each series that is not watched.

What was told is kept in the template's state, so that an event is taken back when somebody watches the series again.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.event import not_watched, unreadable_platform
from shared.domain.ingest_state import IngestState, ToldGap
from shared.domain.template import Template
from shared.domain.tsd import BUCKET
from shared.errors import Conflict, NewerSchema, NotFound
from shared.ports import Clock, EventsTable, PlatformRecord, RegistryTable
from shared.retry import after_conflicts
from shared.telemetry import log_event
from shared.usecases.health.gaps import Reason, gaps_of
from shared.usecases.health.health import template_health
from shared.usecases.lookup import find_template

logger = logging.getLogger(__name__)

# Told in more detail by events of their own: series_left_out, sensor_fault.
TOLD_OTHERWISE = (Reason.LEFT_OUT, Reason.FAULTY)


@dataclass(frozen=True, kw_only=True)
class TellHealth:
    """Tells what is not watched, and what cannot be read."""

    registry: RegistryTable
    events: EventsTable
    clock: Clock

    def run(self) -> None:
        """Tell of every platform and template."""
        now, known = self.clock.now(), self.registry.records(changed=True)
        for name, error in known.unreadable.items():
            log_event(logger, "platform unreadable", logging.ERROR, platform=name, why=error)
            if not isinstance(error, NewerSchema):  # the release that wrote it reads it
                self.events.put(unreadable_platform(name, now.date(), str(error)))
        for record in known:
            for template in record.platform.templates:
                self._log(record, template, now)
                if _told(record, template) != _to_tell(record, template, now):
                    self._tell(template, now)

    def _log(self, record: PlatformRecord, template: Template, now: datetime) -> None:
        """Log how a template is: with each run where anything is amiss, once an hour where all is well.

        These lines are a third of all, and most of what a thousand sensors say.
        """
        found = template_health(record, template, now)
        if found.sensors and not found.gaps and now.minute >= BUCKET // timedelta(minutes=1):
            return
        age = "none" if found.newest_sample is None else int((now - found.newest_sample).total_seconds())
        counts = {"sensors": found.sensors, "watched": found.sensors_watched, "gaps": len(found.gaps)}
        log_event(logger, "template watched", template=template.id, **counts, sample_age_s=age)

    def _tell(self, template: Template, now: datetime) -> None:
        def attempt(_: bool) -> None:
            record = self.registry.record(template.id)
            known = find_template(record, template.id)
            before, after = _told(record, known), _to_tell(record, known, now)
            state, etag = record.ingested.get(known.id, IngestState()), record.ingest_etags.get(known.id)
            for key, one in before.items():
                if after.get(key) != one:
                    self.events.remove(not_watched(known.id, key, one.since, one.why))
            news = {key: one for key, one in after.items() if before.get(key) != one}
            if news:  # first: a share that ingests beside this, or a crash, would leave events that nobody knows
                unsure = {key: one.model_copy(update={"done": False}) for key, one in news.items()}
                etag = self.registry.set_ingested(known, state.model_copy(update={"told": after | unsure}), etag)
            for key, one in news.items():
                self.events.put(not_watched(known.id, key, one.since, one.why))
            self.registry.set_ingested(known, state.model_copy(update={"told": after}), etag)

        try:
            after_conflicts(attempt, template.id)
        except NotFound:
            return  # it was deleted meanwhile
        except Conflict:
            logger.exception("%s: what is not watched is told by the next run", template.id)


def _told(record: PlatformRecord, template: Template) -> dict[str, ToldGap]:
    return dict(record.ingested.get(template.id, IngestState()).told)


def _to_tell(record: PlatformRecord, template: Template, now: datetime) -> dict[str, ToldGap]:
    """Return what has to be told by now; of a gap that goes on, its beginning stays what it was."""
    told, found = _told(record, template), {}
    for key, gap in gaps_of(record, template, now).items():
        if gap.why not in TOLD_OTHERWISE:
            before = told.get(key)
            goes_on = before is not None and before.why == gap.why
            since = min(gap.since, before.since) if before and goes_on else gap.since
            found[key] = ToldGap(why=gap.why, since=since)
    return found
