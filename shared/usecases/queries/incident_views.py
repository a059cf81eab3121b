"""Look at an incident: as it is, as it was known at any moment, and after nothing supports it any more."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from shared.domain.alarm import Alarm
from shared.domain.estimation import Estimation, EstimationStep
from shared.domain.incident import Incident, split_incident
from shared.domain.journal import JournalEntry
from shared.domain.kept import Kept, words_of
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.errors import NotFound
from shared.ports import Clock, EstimationsTable, IncidentsTable, RegistryTable
from shared.usecases.lookup import find_template
from shared.usecases.queries.alarms import AlarmQueries
from shared.usecases.queries.as_of import AsOf
from shared.usecases.queries.template_status import SensorStatus, status_of


@dataclass(frozen=True)
class IncidentPage:
    """An incident, what its newest estimation says (None until there is one), and what was said and done about it."""

    platform: Platform
    template: Template
    incident: Incident
    alarm: Alarm | None  # None: of an incident that an older release found
    answer: Estimation | None
    answered: datetime | None  # up to when the data go that it rests on
    steps: Sequence[EstimationStep]  # newest first
    course: Sequence[JournalEntry]  # newest first
    sensors: Sequence[SensorStatus]  # as they are now
    notified_until: datetime | None = None  # of one that the data support
    digest: str = ""  # of what the answer rests on


@dataclass(frozen=True, kw_only=True)
class IncidentViews:
    """Reads all that an incident's page shows."""

    registry: RegistryTable
    incidents: IncidentsTable
    estimations: EstimationsTable
    alarms: AlarmQueries
    as_of: AsOf
    clock: Clock
    kept: Kept = field(default_factory=Kept)

    def incident(self, incident: str, moment: datetime | None = None) -> IncidentPage:
        """Return an incident as it is, or as it was known at a moment; raises NotFound or InvalidInput."""
        template, onset = split_incident(incident)
        record = self.registry.record(template)
        known = find_template(record, template)
        page = partial(
            IncidentPage,
            platform=record.platform,
            template=known,
            course=self.alarms.course(incident, moment),
            sensors=status_of(record, known, self.clock.now(), None, None).sensors,
        )
        stored = None if moment else self.incidents.get(template, onset)
        if stored is not None and stored.incident.id == incident:
            held = self.estimations.get(template, incident)
            return page(
                incident=stored.incident,
                alarm=self.alarms.find(incident),
                answer=held.estimation if held else None,
                answered=held.at if held else None,
                steps=held.history[::-1] if held else (),
                notified_until=stored.notified.at if stored.notified else None,
                digest=held.digest if held else "",
            )
        alarm = self.as_of.alarm(incident, moment) if moment else self.alarms.find(incident)
        if alarm is None:
            raise NotFound(f"incident {incident!r} is not stored{self._if_deleted(onset)}")
        step = alarm.estimation
        return page(
            incident=alarm.incident,
            alarm=alarm,
            answer=self.as_of.estimation(alarm, moment),
            answered=step.at if step else None,
            steps=(step,) if step else (),
        )

    def _if_deleted(self, onset: datetime) -> str:
        """Return what may have become of an incident that began then."""
        since = self.kept.incidents_since(self.clock.now())
        if since is None or onset.date() >= since:
            return ""
        return f": {words_of('incidents that are over', self.kept.incidents)}"
