"""Look: all that a page shows of one thing, read at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from shared.detection import Baseline, Fault
from shared.domain.baseline_history import BaselineHistory
from shared.domain.deviation import Level
from shared.domain.event import Event
from shared.domain.incident import Incident
from shared.domain.platform import Platform
from shared.domain.template import Sensor, Template
from shared.domain.tsd import BUCKET, ONE_DAY, floor_to_bucket, start_of, to_datetime, to_datetime64
from shared.errors import CorruptBlob, NewerSchema, NotFound, OtherEngine
from shared.ports import (
    BaselineStore,
    Clock,
    DayStore,
    DeviationsTable,
    EstimationsTable,
    EventsTable,
    IncidentsTable,
    PlatformRecord,
    RegistryTable,
    StoredEstimation,
)
from shared.usecases.incidents.estimation_inputs import sea_between
from shared.usecases.lookup import find_template, look_up_sensor, look_up_template
from shared.usecases.queries.baselines import BaselineQueries, MarkWithEffect
from shared.usecases.queries.query import Queries
from shared.usecases.queries.template_status import SensorStatus, TemplateStatus, status_of

MOST_INCIDENTS, MOST_EVENTS = 20, 30
CURRENT_FOR = timedelta(hours=6)  # an older current says nothing of now
QUALITY_DAYS = 30


@dataclass(frozen=True)
class Current:
    """The newest measured current: speed [m/s], and where it flows towards [degrees from north]."""

    speed: float
    direction: float
    at: datetime


@dataclass(frozen=True)
class Overview:
    """Every template as it is, and the ids of platforms that are registered and cannot be read."""

    states: Sequence[TemplateStatus]
    unreadable: tuple[str, ...]


@dataclass(frozen=True)
class TemplatePage:
    """A template as it is, and what happened at it lately."""

    state: TemplateStatus
    current: Current | None
    estimation: StoredEstimation | None  # of the incident that goes on
    incidents: Sequence[Incident]
    events: Sequence[Event]


@dataclass(frozen=True)
class IncidentPage:
    """An incident, and what its newest estimation says; None until there is one."""

    platform: Platform
    template: Template
    incident: Incident
    estimation: StoredEstimation | None


@dataclass(frozen=True)
class Quality:
    """How many buckets of the last days brought a sample, only bad values, or nothing; levels, and hours by fault."""

    possible: int
    samples: int
    bad: int
    missing: int
    levels: Mapping[Level, int]
    faults: Mapping[str, float]


@dataclass(frozen=True)
class SensorPage:
    """A sensor as it is, what scores it, how good its data were, and what people said of it."""

    platform: Platform
    template: Template
    state: SensorStatus
    history: BaselineHistory
    baseline: Baseline | None  # the version in use
    quality: Quality
    marks: Sequence[MarkWithEffect]


@dataclass(frozen=True, kw_only=True)
class PageViews:
    """Reads all that one page shows: the overview, a template, an incident, a sensor."""

    registry: RegistryTable
    lake: DayStore
    baselines: BaselineStore
    deviations: DeviationsTable
    incidents: IncidentsTable
    estimations: EstimationsTable
    events: EventsTable
    query: Queries
    baseline_queries: BaselineQueries
    clock: Clock

    def overview(self) -> Overview:
        """Return every template, what is wrong first, then in order of their names, and what cannot be read."""
        now, goes_on = self.clock.now(), {one.incident.template: one.incident for one in self.incidents.open_ones()}
        known = self.registry.platforms()
        found = [
            self._state(record, template, goes_on.get(template.id), now)
            for record in known
            for template in record.platform.templates
        ]
        found.sort(key=lambda one: (one.urgency, one.platform.name, one.template.name))
        return Overview(found, tuple(known.unreadable))

    def template(self, template: str) -> TemplatePage:
        """Return a template as it is; raises NotFound or InvalidInput."""
        record, known = look_up_template(self.registry, template)
        incidents = [one.incident for one in self.incidents.list(known.id, limit=MOST_INCIDENTS)]
        open_one = next((one for one in incidents if one.open), None)
        now = self.clock.now()
        return TemplatePage(
            self._state(record, known, open_one, now),
            self._current(record.platform, known, now),
            self.estimations.get(known.id, open_one.id) if open_one else None,
            incidents,
            self.events.list(known.id, limit=MOST_EVENTS),
        )

    def incident(self, incident: str) -> IncidentPage:
        """Return an incident with its newest estimation; raises NotFound or InvalidInput."""
        found = self.query.incident(incident).incident
        record = self.registry.platform(found.platform)
        template = find_template(record, found.template)
        return IncidentPage(record.platform, template, found, self.estimations.get(template.id, incident))

    def sensor(self, sensor: str) -> SensorPage:
        """Return a sensor as it is and was; raises NotFound or InvalidInput."""
        record, template, known = look_up_sensor(self.registry, sensor)
        now = self.clock.now()
        state = next(one for one in status_of(record, template, now, None, None).sensors if one.sensor == known)
        history = record.history(known.id)
        return SensorPage(
            record.platform,
            template,
            state,
            history,
            self._baseline(known, history),
            self._quality(known, now),
            self.baseline_queries.marks(known.id),
        )

    def _state(
        self, record: PlatformRecord, template: Template, incident: Incident | None, now: datetime
    ) -> TemplateStatus:
        estimation = self.estimations.summary(template.id, incident.id) if incident else None
        return status_of(record, template, now, incident, estimation)

    def _current(self, platform: Platform, template: Template, now: datetime) -> Current | None:
        """Return the newest bucket in which speed and direction were measured."""
        end = floor_to_bucket(now) + BUCKET
        sea = sea_between(
            platform, template, lambda day: self.lake.read(template, day).document, end - CURRENT_FOR, end
        )
        known = np.flatnonzero(np.isfinite(sea.current_speed) & np.isfinite(sea.current_direction))
        if not known.size:
            return None
        last = known[-1]
        return Current(float(sea.current_speed[last]), float(sea.current_direction[last]), to_datetime(sea.times[last]))

    def _quality(self, sensor: Sensor, now: datetime) -> Quality:
        """Return how good the sensor's data of the last days were, up to now."""
        first = now.date() - (QUALITY_DAYS - 1) * ONE_DAY
        times, columns = self.deviations.columns(sensor.id, first, now.date(), ("ppmv", "level", "fault"))
        past = times < to_datetime64(now)
        ppmv, level, fault = (columns[name][past] for name in ("ppmv", "level", "fault"))
        possible = int((floor_to_bucket(now) - start_of(first)) / BUCKET)
        samples, bad = int(np.isfinite(ppmv).sum()), int(np.isinf(ppmv).sum())
        hours = {one.word: float(np.count_nonzero(fault == one)) / 6 for one in Fault if one is not Fault.NONE}
        return Quality(
            possible,
            samples,
            bad,
            possible - samples - bad,
            {one: int(np.count_nonzero(level == one)) for one in Level},
            {word: count for word, count in hours.items() if count},
        )

    def _baseline(self, sensor: Sensor, history: BaselineHistory) -> Baseline | None:
        """Return the version in use; one that cannot be read is told by the events, and shown as none."""
        if history.current is None or not history.current.version:
            return None
        try:
            return self.baselines.get(sensor.id, history.current.version)
        except (NotFound, CorruptBlob, OtherEngine, NewerSchema):
            return None
