"""State: how a template is now, by its sensors' newest samples; what is old is not taken for how it is."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.detection import Fault
from shared.domain.deviation import Latest, Level
from shared.domain.incident import Incident
from shared.domain.platform import Platform
from shared.domain.template import Sensor, Template
from shared.ports import EstimationSummary, PlatformRecord

STALE = timedelta(minutes=30)

ALARM, WARNING, FAULT, STALE_DATA, UNSCORED, FINE = range(6)


@dataclass(frozen=True)
class SensorStatus:
    """A sensor with its newest scored sample; ``stale``: that is too old to say how it is now."""

    sensor: Sensor
    latest: Latest | None
    stale: bool
    scored: bool  # whether it has a baseline

    @property
    def level(self) -> Level:
        """The newest level, which may be an old one; Undefined where there is none."""
        return self.latest.level if self.latest is not None else Level.UNDEFINED

    @property
    def fault(self) -> Fault:
        """What is wrong with the sensor."""
        return Fault(self.latest.fault) if self.latest is not None else Fault.NONE


@dataclass(frozen=True)
class TemplateStatus:
    """A template with its sensors, and the incident that goes on at it."""

    platform: Platform
    template: Template
    sensors: tuple[SensorStatus, ...]
    incident: Incident | None
    estimation: EstimationSummary | None

    @property
    def level(self) -> Level:
        """The worst of the sensors' newest levels."""
        return max((one.level for one in self.sensors), default=Level.UNDEFINED)

    @property
    def since(self) -> datetime | None:
        """Since when a sensor has been at that level."""
        return min((one.latest.since for one in self.sensors if one.latest and one.level == self.level), default=None)

    @property
    def newest(self) -> datetime | None:
        """The newest sample of any sensor."""
        return max((one.latest.at for one in self.sensors if one.latest), default=None)

    @property
    def counts(self) -> Mapping[Level, int]:
        """How many sensors are at which level."""
        return Counter(one.level for one in self.sensors)

    @property
    def stale(self) -> bool:
        """Whether no sensor says how it is now."""
        return bool(self.sensors) and all(one.stale for one in self.sensors)

    @property
    def faulty(self) -> tuple[SensorStatus, ...]:
        """The sensors that are not well."""
        return tuple(one for one in self.sensors if one.fault is not Fault.NONE)

    @property
    def urgency(self) -> int:
        """What is wrong, the worst first: one of ALARM ... FINE."""
        if self.incident is not None or self.level is Level.CRITICAL:
            return ALARM
        if self.level is Level.WARNING:
            return WARNING
        if self.faulty:
            return FAULT
        if any(one.stale for one in self.sensors if one.scored):
            return STALE_DATA
        return FINE if self.level is Level.OK else UNSCORED


def status_of(
    record: PlatformRecord,
    template: Template,
    now: datetime,
    incident: Incident | None,
    estimation: EstimationSummary | None,
) -> TemplateStatus:
    """Return how the template is at ``now``."""
    sensors = tuple(_sensor(record, one, now) for one in template.sensors)
    return TemplateStatus(record.platform, template, sensors, incident, estimation)


def _sensor(record: PlatformRecord, sensor: Sensor, now: datetime) -> SensorStatus:
    latest, history = record.latest.get(sensor.id), record.history(sensor.id)
    old = latest is None or now - latest.at > STALE
    return SensorStatus(sensor, latest, old, scored=history.current is not None and bool(history.current.version))
