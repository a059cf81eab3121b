"""Look: all that a page shows of one thing, read at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from shared.detection import Baseline, Fault
from shared.domain.alarm import Alarm
from shared.domain.baseline_history import BaselineHistory
from shared.domain.deviation import Level
from shared.domain.estimation import Estimation
from shared.domain.event import Event
from shared.domain.incident import Incident
from shared.domain.journal import JournalEntry
from shared.domain.platform import Platform
from shared.domain.suppression import Suppression, lasting
from shared.domain.template import SENSOR_PATTERN, Sensor, Template
from shared.domain.tsd import BUCKET, ONE_DAY, floor_to_bucket, start_of, to_datetime, to_datetime64
from shared.errors import InvalidInput
from shared.ports import (
    BaselineStore,
    Clock,
    DayStore,
    DeviationsTable,
    EstimationsTable,
    EstimationSummary,
    EventsTable,
    IncidentsTable,
    JournalTable,
    PlatformRecord,
    RegistryTable,
    SuppressionsTable,
)
from shared.usecases.incidents.estimation_inputs import sea_between
from shared.usecases.lookup import (
    check_id,
    look_up_record,
    look_up_sensor,
    look_up_template,
    readable_baseline,
    sensor_of,
)
from shared.usecases.queries.alarms import AlarmFilter, AlarmQueries
from shared.usecases.queries.as_of import AsOf
from shared.usecases.queries.baselines import BaselineQueries, MarkWithEffect
from shared.usecases.queries.template_status import SensorStatus, TemplateStatus, status_of

MOST_INCIDENTS, MOST_EVENTS = 20, 30
CURRENT_FOR = timedelta(hours=6)  # an older current says nothing of now
QUALITY_DAYS = 30
MOST_COMPARED = 8  # as many as there are colours


@dataclass(frozen=True)
class Current:
    """The newest measured current: speed [m/s], and where it flows towards [degrees from north]."""

    speed: float
    direction: float
    at: datetime


@dataclass(frozen=True)
class PlatformOverview:
    """A platform with each of its templates as it is, what is wrong first."""

    platform: Platform
    states: Sequence[TemplateStatus]


@dataclass(frozen=True)
class Overview:
    """Every platform in the order of their names, and the ids of those that are registered and cannot be read."""

    platforms: Sequence[PlatformOverview]
    unreadable: tuple[str, ...]

    @property
    def states(self) -> Sequence[TemplateStatus]:
        """Every template as it is."""
        return [state for one in self.platforms for state in one.states]


class IncidentLine(NamedTuple):
    """An incident in a list, with its alarm; None where an older release found it."""

    incident: Incident
    alarm: Alarm | None


@dataclass(frozen=True)
class TemplatePage:
    """A template as it is, or was known to be at a moment, and what happened at it lately."""

    state: TemplateStatus
    current: Current | None
    answer: Estimation | None  # of the incident that goes on
    incidents: Sequence[IncidentLine]
    events: Sequence[Event] | Sequence[JournalEntry]


@dataclass(frozen=True)
class Comparison:
    """Sensors to be compared with the templates that they are at, and all platforms, to choose others from."""

    sensors: Sequence[Sensor]
    templates: Sequence[Template]
    platforms: Sequence[Platform]


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
    in_force: Sequence[Suppression]  # what keeps its alarms from calling now
    planned: Sequence[Suppression]  # what will


@dataclass(frozen=True, kw_only=True)
class PageViews:
    """Reads all that one page shows: the overview, a template, a sensor."""

    registry: RegistryTable
    lake: DayStore
    baselines: BaselineStore
    deviations: DeviationsTable
    incidents: IncidentsTable
    estimations: EstimationsTable
    events: EventsTable
    journal: JournalTable
    alarms: AlarmQueries
    as_of: AsOf
    suppressions: SuppressionsTable
    baseline_queries: BaselineQueries
    clock: Clock

    def overview(self) -> Overview:
        """Return every platform at its place, with what is wrong first inside, and what cannot be read."""
        now, goes_on = self.clock.now(), {one.incident.template: one.incident for one in self.incidents.open_ones()}
        standing: dict[str, list[Alarm]] = {}
        for alarm in self.alarms.standing():
            standing.setdefault(alarm.incident.template, []).append(alarm)
        known, suppressions = self.registry.records(), self.suppressions.lasting(now)
        found = [
            PlatformOverview(
                record.platform,
                sorted(
                    (
                        self._state(record, one, goes_on.get(one.id), standing.get(one.id, ()), now, suppressions)
                        for one in record.platform.templates
                    ),
                    key=lambda state: (state.urgency, state.template.name),
                ),
            )
            for record in sorted(known, key=lambda record: (record.platform.name, record.platform.id))
        ]
        return Overview(found, tuple(known.unreadable))

    def template(self, template: str) -> TemplatePage:
        """Return a template as it is; raises NotFound or InvalidInput."""
        record, known = look_up_record(self.registry, template)
        incidents = [one.incident for one in self.incidents.list(known.id, limit=MOST_INCIDENTS)]
        alarms = self.alarms.alarms(AlarmFilter(template=known.id), MOST_INCIDENTS)
        open_one = next((one for one in incidents if one.open), None)
        estimation = self.estimations.get(known.id, open_one.id) if open_one else None
        now, standing = self.clock.now(), [one for one in alarms if one.standing]
        return TemplatePage(
            self._state(record, known, open_one, standing, now, self.suppressions.lasting(now, record.platform.id)),
            self._current(record.platform, known, now),
            estimation.estimation if estimation else None,
            _lines(incidents, alarms),
            self.events.list(known.id, limit=MOST_EVENTS),
        )

    def template_as_of(self, template: str, moment: datetime) -> TemplatePage:
        """Return a template as it was known at a moment; raises NotFound or InvalidInput."""
        record, known = look_up_template(self.registry, template)
        alarms = self.as_of.alarms(known, moment, MOST_INCIDENTS)
        active = next((one for one in alarms if one.active), None)
        levels = self.as_of.levels(known, moment)
        known_then = self.as_of.suppressions(known.platform, moment)
        said = lasting((one for one in known_then if one.concerns(known.id)), moment)
        gaps = {one.sensor.id: one.gap for one in levels if one.gap is not None}
        sensors = tuple(
            SensorStatus(one.sensor, one.latest, one.latest.at if one.latest else None, one.gap, one.latest is not None)
            for one in levels
        )
        state = TemplateStatus(
            record.platform,
            known,
            sensors,
            gaps,
            active.incident if active else None,
            _in_short(active) if active else None,
            tuple(one for one in said if one.in_force(moment)),
            tuple(one for one in said if not one.in_force(moment)),
            [one for one in alarms if one.standing],
        )
        return TemplatePage(
            state,
            self._current(record.platform, known, moment),
            self.as_of.estimation(active, moment) if active else None,
            _lines([], alarms),
            self.journal.list(known.platform, limit=MOST_EVENTS, until=moment, subject=known.id),
        )

    def sensor(self, sensor: str) -> SensorPage:
        """Return a sensor as it is and was; raises NotFound or InvalidInput."""
        check_id("sensor", sensor, SENSOR_PATTERN)
        record = self.registry.record(sensor.rpartition("-")[0])
        (template, known), now = sensor_of(record, sensor), self.clock.now()
        status = status_of(record, template, now, None, None, self.suppressions.lasting(now, record.platform.id))
        state = next(one for one in status.sensors if one.sensor == known)
        history = record.history(known.id)
        return SensorPage(
            record.platform,
            template,
            state,
            history,
            self._baseline(known, history),
            self._quality(known, now),
            self.baseline_queries.marks(known.id),
            [one for one in status.in_force if one.concerns_sensor(known.id)],
            [one for one in status.planned if one.concerns_sensor(known.id)],
        )

    def comparison(self, sensors: Sequence[str]) -> Comparison:
        """Return sensors beside each other, each once; raises NotFound, or InvalidInput for too many."""
        wanted = tuple(dict.fromkeys(sensors))
        if len(wanted) > MOST_COMPARED:
            raise InvalidInput(f"sensors: at most {MOST_COMPARED} can be compared, not {len(wanted)}")
        found = [look_up_sensor(self.registry, one)[1:] for one in wanted]
        templates = {template.id: template for template, _ in found}
        platforms = [record.platform for record in self.registry.platforms()]
        return Comparison([sensor for _, sensor in found], list(templates.values()), platforms)

    def _state(
        self,
        record: PlatformRecord,
        template: Template,
        incident: Incident | None,
        alarms: Sequence[Alarm],
        now: datetime,
        suppressions: Iterable[Suppression],
    ) -> TemplateStatus:
        estimation = self.estimations.summary(template.id, incident.id) if incident else None
        return status_of(record, template, now, incident, estimation, suppressions, alarms)

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
        return readable_baseline(self.baselines, sensor.id, history.current.version)


def _lines(incidents: Sequence[Incident], alarms: Sequence[Alarm]) -> list[IncidentLine]:
    """Return the incidents, those that nothing supports any more among them, newest first."""
    found = {one.incident.id: IncidentLine(one.incident, one) for one in alarms}
    for one in incidents:
        found[one.id] = IncidentLine(one, found[one.id].alarm if one.id in found else None)
    return sorted(found.values(), key=lambda line: line.incident.onset, reverse=True)[:MOST_INCIDENTS]


def _in_short(alarm: Alarm) -> EstimationSummary | None:
    """Return the estimation of an alarm as an overview tells it."""
    step = alarm.estimation
    if step is None:
        return None
    rate = step.dissolved_rate_kg_s.median if step.dissolved_rate_kg_s else None
    return EstimationSummary(alarm.incident.id, alarm.incident.onset, step.at, step.verdict, step.probability, rate)
