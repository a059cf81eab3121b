"""Status: how a template is now, by its sensors' newest samples; what nobody watches is not taken for Ok."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.detection import Fault
from shared.domain.alarm import Alarm
from shared.domain.deviation import Latest, Level, worst
from shared.domain.incident import Incident
from shared.domain.ingest_state import IngestState, SeriesState
from shared.domain.platform import Platform
from shared.domain.suppression import Suppression, lasting
from shared.domain.template import Sensor, Template
from shared.ports import EstimationSummary, PlatformRecord
from shared.usecases.health.gaps import Gap, Reason, gaps_of, has_baseline

ALARM, WARNING, FAULT, STALE_DATA, UNSCORED, FINE = range(6)

UNLEARNT = {Reason.NO_BASELINE, Reason.UNDEFINED}  # time mends it


@dataclass(frozen=True)
class SensorStatus:
    """A sensor with its newest scored sample; ``gap``: why nobody watches it, None where somebody does."""

    sensor: Sensor
    latest: Latest | None
    newest: datetime | None  # its newest usable sample
    gap: Gap | None
    scored: bool  # whether it has a baseline
    out_of_service: Suppression | None = None  # in force

    @property
    def level(self) -> Level:
        """The level now: an alarm is one until it is heard to be over, but an Ok that nobody watches is none.

        A sensor that is out of service has none.
        """
        if self.out_of_service is not None:
            return Level.UNDEFINED
        if self.latest is None or (self.gap is not None and self.latest.level is Level.OK):
            return Level.UNDEFINED
        return self.latest.level

    @property
    def since(self) -> datetime | None:
        """Since when it has been at that level; None where that is not known."""
        if self.out_of_service is not None:
            return self.out_of_service.start
        if self.latest is not None and self.latest.level is self.level:
            return self.latest.since
        return None if self.gap is None else self.gap.since

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
    gaps: Mapping[str, Gap]  # of sensors in service and of the sea
    incident: Incident | None
    estimation: EstimationSummary | None
    in_force: tuple[Suppression, ...] = ()  # what keeps alarms from calling now
    planned: tuple[Suppression, ...] = ()  # what will
    alarms: Sequence[Alarm] = ()  # that stand

    @property
    def level(self) -> Level:
        """The worst of the sensors' levels; Ok only where all are."""
        return worst(one.level for one in self.sensors)

    @property
    def since(self) -> datetime | None:
        """Since when a sensor has been at that level; of Ok, since when all have."""
        known = [one.since for one in self.sensors if one.since and one.level is self.level]
        return (max if self.level is Level.OK else min)(known, default=None)

    @property
    def newest(self) -> datetime | None:
        """The newest usable sample of any sensor."""
        return max((one.newest for one in self.sensors if one.newest), default=None)

    @property
    def counts(self) -> Mapping[Level, int]:
        """How many sensors are at which level."""
        return Counter(one.level for one in self.sensors)

    @property
    def watched(self) -> int:
        """How many sensors are watched."""
        return sum(one.gap is None and one.out_of_service is None for one in self.sensors)

    @property
    def reasons(self) -> Mapping[Reason, tuple[str, ...]]:
        """Which series are not watched, by why: sensors by id, and quantities of the sea."""
        found: dict[Reason, tuple[str, ...]] = {}
        for key, gap in self.gaps.items():
            found[gap.why] = (*found.get(gap.why, ()), key)
        return found

    @property
    def faulty(self) -> tuple[SensorStatus, ...]:
        """The sensors in service that are not well."""
        return tuple(one for one in self.sensors if one.fault is not Fault.NONE and one.out_of_service is None)

    @property
    def urgency(self) -> int:
        """What is wrong, the worst first: one of ALARM ... FINE."""
        if self.incident is not None or self.level is Level.CRITICAL:
            return ALARM
        if self.level is Level.WARNING or self.alarms:  # one that returned waits to be seen
            return WARNING
        if self.faulty:
            return FAULT
        if self.reasons.keys() - UNLEARNT:
            return STALE_DATA
        return FINE if self.sensors and not self.gaps else UNSCORED


def status_of(
    record: PlatformRecord,
    template: Template,
    now: datetime,
    incident: Incident | None,
    estimation: EstimationSummary | None,
    suppressions: Iterable[Suppression] = (),
    alarms: Sequence[Alarm] = (),
) -> TemplateStatus:
    """Return how the template is at ``now``; of the suppressions count those that concern it and are not over."""
    known = lasting((one for one in suppressions if one.concerns(template.id)), now)
    in_force = tuple(one for one in known if one.in_force(now))
    out = {one.sensor: one for one in in_force if one.sensor}
    gaps = {key: gap for key, gap in gaps_of(record, template, now).items() if key not in out}
    series = record.ingested.get(template.id, IngestState()).series
    sensors = tuple(
        SensorStatus(
            one,
            record.latest.get(one.id),
            series.get(one.id, SeriesState()).newest,
            gaps.get(one.id),
            scored=has_baseline(record, one),
            out_of_service=out.get(one.id),
        )
        for one in template.sensors
    )
    planned = tuple(one for one in known if not one.in_force(now))
    return TemplateStatus(record.platform, template, sensors, gaps, incident, estimation, in_force, planned, alarms)
