"""Query: the stored resources as the API and pages return them; reads only."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared import __version__
from shared.domain.backup import is_late
from shared.domain.event import SYSTEM, Event
from shared.domain.template import PLATFORM_PATTERN, Sensor, Template
from shared.errors import NotFound
from shared.ports import (
    BackupStore,
    Clock,
    EstimationsTable,
    EstimationSummary,
    EventsTable,
    IncidentsTable,
    ListPage,
    MessageQueues,
    PlatformRecord,
    Registration,
    RegistryTable,
    StoredIncident,
)
from shared.usecases.health.health import HealthBody, is_watched, template_health
from shared.usecases.lookup import check_id, look_up_event, look_up_record, look_up_sensor, look_up_template
from shared.usecases.poison import failed


@dataclass(frozen=True, kw_only=True)
class Queries:
    """Returns what is stored: platforms, incidents, estimations, events, and the health of all."""

    registry: RegistryTable
    incidents_table: IncidentsTable
    estimations: EstimationsTable
    events_table: EventsTable
    messages: MessageQueues
    clock: Clock
    notified: bool = False  # whether anybody outside is told of alarms
    backups: BackupStore | None = None  # None: none are made

    def platforms(self) -> Sequence[Registration]:
        """Return every platform."""
        return self.registry.platforms()

    def platform(self, platform: str) -> Registration:
        """Return one platform; raises NotFound or InvalidInput."""
        check_id("platform", platform, PLATFORM_PATTERN)
        return self.registry.platform(platform)

    def template(self, template: str) -> tuple[Registration, Template]:
        """Return a template and its platform; raises NotFound or InvalidInput."""
        return look_up_template(self.registry, template)

    def template_record(self, template: str) -> tuple[PlatformRecord, Template]:
        """Return a template and what is known of its data; raises NotFound or InvalidInput."""
        return look_up_record(self.registry, template)

    def sensor(self, sensor: str) -> tuple[Registration, Template, Sensor]:
        """Return a sensor, its template and its platform; raises NotFound or InvalidInput."""
        return look_up_sensor(self.registry, sensor)

    def sensors(
        self, platform: str | None, template: str | None, pinned: bool | None
    ) -> list[tuple[PlatformRecord, Template, Sensor]]:
        """Return the sensors that fit, in order of platform, template and number; raises NotFound for an unknown one.

        All platforms are read with one read; so is one of them.
        """
        if template is not None:
            record, known = self.template_record(template)
            places = [(record, known)] if platform in (None, record.platform.id) else []
        else:
            chosen = self.registry.records() if platform is None else [self._record(platform)]
            places = [(record, one) for record in chosen for one in record.platform.templates]
        found = [(record, one, sensor) for record, one in places for sensor in one.sensors]
        return [one for one in found if pinned in (None, one[2].pinned)]

    def _record(self, platform: str) -> PlatformRecord:
        """Return a platform with what is known of its data; raises NotFound, InvalidInput, and what is unreadable."""
        check_id("platform", platform, PLATFORM_PATTERN)
        known = self.registry.records()
        if platform in known.unreadable:
            raise known.unreadable[platform]
        for record in known:
            if record.platform.id == platform:
                return record
        raise NotFound(f"platform {platform!r} is not registered")

    def incidents(self, template: str, limit: int, after: str | None = None) -> ListPage[StoredIncident]:
        """Return so many of the template's incidents after a page, newest first; raises NotFound or InvalidInput."""
        return self.incidents_table.list(self.template(template)[1].id, limit=limit, after=after)

    def estimations_of(self, template: str, limit: int, after: str | None = None) -> ListPage[EstimationSummary]:
        """Return so many of the template's estimations after a page, newest first; raises NotFound or InvalidInput."""
        return self.estimations.list(self.template(template)[1].id, limit=limit, after=after)

    def events(self, subject: str, limit: int, after: str | None = None) -> ListPage[Event]:
        """Return so many events of a template, or of the system, after a page; raises NotFound or InvalidInput."""
        if subject != SYSTEM:
            self.template(subject)
        return self.events_table.list(subject, limit=limit, after=after)

    def event(self, template: str, event: str) -> Event:
        """Return one of the template's events; raises NotFound or InvalidInput."""
        return look_up_event(self.registry, self.events_table, template, event).event

    def health(self) -> HealthBody:
        """Return how far each template's data are, what nobody watches, the queues' lengths and the version."""
        now, known = self.clock.now().replace(microsecond=0), self.registry.records()
        templates = tuple(
            template_health(record, template, now) for record in known for template in record.platform.templates
        )
        queues = dict(self.messages.lengths())
        newest = max(self.backups.days(), default=None) if self.backups else None
        kept = self.backups is None or not is_late(newest, now.date())
        watched = bool(templates) and all(map(is_watched, templates)) and not known.unreadable
        return HealthBody(
            status="ok" if watched and kept and not failed(queues) else "degraded",
            version=__version__,
            now=now,
            templates=templates,
            unreadable_platforms=tuple(known.unreadable),
            queues=queues,
            notifications="on" if self.notified else "off",
            backups="on" if self.backups else "off",
            newest_backup=newest,
        )
