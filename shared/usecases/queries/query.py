"""Query: the stored resources as the API and pages return them; reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic import AwareDatetime

from shared import __version__
from shared.detection import engine_id
from shared.domain.event import SYSTEM, Event
from shared.domain.incident import split_incident
from shared.domain.template import PLATFORM_PATTERN, Sensor, Template
from shared.domain.tsd import BUCKET, EARLIEST
from shared.domain.validation import Model
from shared.errors import NotFound
from shared.ports import (
    Clock,
    EstimationsTable,
    EstimationSummary,
    EventsTable,
    IncidentsTable,
    ListPage,
    MessageQueues,
    PlatformRecord,
    RegistryTable,
    StoredEstimation,
    StoredIncident,
)
from shared.usecases.lookup import check_id, look_up_event, look_up_sensor, look_up_template
from shared.usecases.poison import failed
from shared.usecases.queries.template_status import STALE


class TemplateHealthBody(Model):
    """How far a template is ingested, and how many of its sensors can be scored."""

    template: str
    ingested_until: AwareDatetime | None
    lag_seconds: int | None
    sensors: int
    sensors_with_baseline: int
    sensors_of_another_engine: int  # their newest samples wait to be scored until their baselines are made anew
    scored_until: AwareDatetime | None  # of all its sensors that have a baseline and bring data
    stale: bool


class HealthBody(Model):
    """How the system is; ``degraded``: a template is behind or waits to be scored, or a message failed for good."""

    status: Literal["ok", "degraded"]
    version: str
    now: AwareDatetime
    templates: tuple[TemplateHealthBody, ...]
    queues: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Queries:
    """Returns what is stored: platforms, incidents, estimations, events, and the health of all."""

    registry: RegistryTable
    incidents_table: IncidentsTable
    estimations: EstimationsTable
    events_table: EventsTable
    messages: MessageQueues
    clock: Clock

    def platforms(self) -> Sequence[PlatformRecord]:
        """Return every platform."""
        return self.registry.platforms()

    def platform(self, platform: str) -> PlatformRecord:
        """Return one platform; raises NotFound or InvalidInput."""
        check_id("platform", platform, PLATFORM_PATTERN)
        return self.registry.platform(platform)

    def template(self, template: str) -> tuple[PlatformRecord, Template]:
        """Return a template and its platform; raises NotFound or InvalidInput."""
        return look_up_template(self.registry, template)

    def sensor(self, sensor: str) -> tuple[PlatformRecord, Template, Sensor]:
        """Return a sensor, its template and its platform; raises NotFound or InvalidInput."""
        return look_up_sensor(self.registry, sensor)

    def sensors(
        self, platform: str | None, template: str | None, pinned: bool | None
    ) -> list[tuple[PlatformRecord, Template, Sensor]]:
        """Return the sensors that fit, in order of platform, template and number; raises NotFound for an unknown one.

        A platform is read with one read; all of them are, too.
        """
        if template is not None:
            record, known = self.template(template)
            places = [(record, known)] if platform in (None, record.platform.id) else []
        else:
            chosen = self.platforms() if platform is None else [self.platform(platform)]
            places = [(record, one) for record in chosen for one in record.platform.templates]
        found = [(record, one, sensor) for record, one in places for sensor in one.sensors]
        return [one for one in found if pinned in (None, one[2].pinned)]

    def incidents(self, template: str, limit: int, after: str | None = None) -> ListPage[StoredIncident]:
        """Return so many of the template's incidents after a page, newest first; raises NotFound or InvalidInput."""
        return self.incidents_table.list(self.template(template)[1].id, limit=limit, after=after)

    def estimations_of(self, template: str, limit: int, after: str | None = None) -> ListPage[EstimationSummary]:
        """Return so many of the template's estimations after a page, newest first; raises NotFound or InvalidInput."""
        return self.estimations.list(self.template(template)[1].id, limit=limit, after=after)

    def incident(self, incident: str) -> StoredIncident:
        """Return one incident; raises NotFound or InvalidInput."""
        template, onset = split_incident(incident)
        stored = self.incidents_table.get(template, onset)
        if stored is None:
            raise NotFound(f"incident {incident!r} is not stored")
        return stored

    def estimation(self, incident: str) -> StoredEstimation:
        """Return the newest estimation of an incident; raises NotFound or InvalidInput."""
        template, _ = split_incident(incident)
        stored = self.estimations.get(template, incident)
        if stored is None:
            raise NotFound(f"incident {incident!r} has no estimation yet")
        return stored

    def events(self, subject: str, limit: int, after: str | None = None) -> ListPage[Event]:
        """Return so many events of a template, or of the system, after a page; raises NotFound or InvalidInput."""
        if subject != SYSTEM:
            self.template(subject)
        return self.events_table.list(subject, limit=limit, after=after)

    def event(self, template: str, event: str) -> Event:
        """Return one of the template's events; raises NotFound or InvalidInput."""
        return look_up_event(self.registry, self.events_table, template, event).event

    def health(self) -> HealthBody:
        """Return the state of ingestion per template, the queues' lengths and the version."""
        now = self.clock.now().replace(microsecond=0)
        templates = tuple(
            _health(record, template, now)
            for record in self.registry.platforms()
            for template in record.platform.templates
        )
        queues = dict(self.messages.lengths())
        behind = any(_is_behind(one) for one in templates if one.sensors)
        status: Literal["ok", "degraded"] = "degraded" if behind or failed(queues) else "ok"
        return HealthBody(status=status, version=__version__, now=now, templates=templates, queues=queues)


def _health(record: PlatformRecord, template: Template, now: datetime) -> TemplateHealthBody:
    moments = record.watermarks.get(template.id, {})
    until = min(moments.values(), default=None)
    late = None if until is None else now - until
    histories = [record.history(one.id) for one in template.sensors]
    return TemplateHealthBody(
        template=template.id,
        ingested_until=until,
        lag_seconds=None if late is None else int(late.total_seconds()),
        sensors=len(template.sensors),
        sensors_with_baseline=sum(one.current is not None for one in histories),
        scored_until=_scored_until(record, template, moments),
        sensors_of_another_engine=sum(one.engine not in ("", engine_id()) for one in histories),
        stale=late is None or late > STALE,
    )


def _scored_until(record: PlatformRecord, template: Template, ingested: Mapping[str, datetime]) -> datetime | None:
    """Return up to when every sensor is scored that has a baseline and brings data; None where there is none."""
    waiting = [one.id for one in template.sensors if record.history(one.id).current is not None and one.id in ingested]
    never = datetime.min.replace(tzinfo=UTC)
    moments = [record.latest[one].at + BUCKET if one in record.latest else never for one in waiting]
    return max(min(moments), EARLIEST) if moments else None


def _is_behind(health: TemplateHealthBody) -> bool:
    """Return whether readings do not come in, or have been there for a while and nobody has scored them."""
    if health.stale or health.sensors_of_another_engine:
        return True
    if health.ingested_until is None or health.scored_until is None:
        return False
    return health.ingested_until - health.scored_until > STALE
