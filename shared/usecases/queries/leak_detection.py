"""Would a leak be found: how likely a Warning or Critical tells of it in a few days, and how soon."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import numpy as np

from shared.arrays import Floats
from shared.detection.channels import CRITICAL_SCORE, WARNING_SCORE
from shared.detection.sensitivity import least_rise
from shared.domain.deviation import Level
from shared.domain.environment import Environment
from shared.domain.leak import Release
from shared.domain.template import Template
from shared.domain.tsd import floor_to_bucket
from shared.estimation.detection_delay import WATCHED, detection_delays
from shared.ports import BaselineStore, Clock, DayStore, Registration, RegistryTable
from shared.usecases.incidents.estimation_inputs import sea_between
from shared.usecases.lookup import look_up_template, readable_baseline

WITHIN = (timedelta(hours=24), timedelta(hours=6), WATCHED)
SCORES = {Level.WARNING: WARNING_SCORE, Level.CRITICAL: CRITICAL_SCORE}
KEPT = 64  # templates' currents, and sensors' levels, that a process remembers
HOUR = timedelta(hours=1)
ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class Chance:
    """How likely a level comes within a time of the onset, and the median delay where it does; None: it never does."""

    level: Level
    within: timedelta
    probability: float
    median_delay: timedelta | None


@dataclass(frozen=True, slots=True)
class LeakDetection:
    """Whether a leak would be found, by leaks that begin at so many moments of [start, end).

    ``chances`` is empty where that is not known, and ``unknown`` says why.
    """

    template: Template
    start: datetime
    end: datetime
    moments: int
    blind: tuple[str, ...]  # ids of sensors without a baseline: they find nothing
    chances: Sequence[Chance]
    unknown: str = ""


@dataclass(frozen=True, kw_only=True)
class LeakDetections:
    """Tells whether hypothetical leaks would be found, by the sensors' baselines and the newest currents."""

    lake: DayStore
    registry: RegistryTable
    baselines: BaselineStore
    clock: Clock
    period: timedelta  # of the currents
    _seas: dict[str, tuple[object, Environment]] = field(default_factory=dict)
    _levels: dict[str, tuple[str, Floats]] = field(default_factory=dict)

    def run(self, template: str, release: Release) -> LeakDetection:
        """Return whether the release would be found, were it to begin at many moments of the period up to now.

        Raises NotFound, or InvalidInput for a place outside the template.
        """
        record, known = look_up_template(self.registry, template)
        now = floor_to_bucket(self.clock.now())
        end = now.replace(minute=0)  # what is read of the lake serves the whole hour
        levels = [self._least_rises(record, one.id) for one in known.sensors]
        blind = tuple(one.id for one, rises in zip(known.sensors, levels, strict=True) if rises is None)
        found = LeakDetection(known, end - self.period, end, 0, blind, ())
        if len(blind) == len(known.sensors):
            why = "has a baseline" if known.sensors else "is registered"
            return _unknown(found, f"no sensor of {known.id} {why}, so nobody knows what one of them would notice")
        nothing = np.full(len(SCORES), np.inf)
        rises = np.column_stack([nothing if one is None else one for one in levels])
        delays = detection_delays(known, self._sea(record, known, found.start, end), release, rises)
        if not delays.moments:
            hours, days = WATCHED // HOUR, self.period.days
            return _unknown(
                found, f"the current was not measured for {hours} h on end in the last {days} days before now"
            )
        chances = [
            _chance(level, within, seconds)
            for within in WITHIN
            for level, seconds in zip(SCORES, delays.seconds, strict=True)
        ]
        return LeakDetection(known, found.start, end, delays.moments, blind, chances)

    def _least_rises(self, record: Registration, sensor: str) -> Floats | None:
        """Return the rises [levels] in ppmv that become each level; None without a baseline that can be read."""
        current = record.history(sensor).current
        if current is None or not current.version:
            return None
        version, rises = self._levels.get(sensor, ("", np.empty(0)))
        if version != current.version:
            baseline = readable_baseline(self.baselines, sensor, current.version)
            if baseline is None:
                return None
            rises = np.array([least_rise(baseline, score) for score in SCORES.values()])
            _remember(self._levels, sensor, (current.version, rises))
        return rises

    def _sea(self, record: Registration, template: Template, start: datetime, end: datetime) -> Environment:
        """Return the environment in [start, end), read once while the hour and what is registered of it last."""
        key = (start, end, record.platform.environment)
        known = self._seas.get(template.id)
        if known is not None and known[0] == key:
            return known[1]
        sea = sea_between(record.platform, template, lambda day: self.lake.read(template, day).document, start, end)
        _remember(self._seas, template.id, (key, sea))
        return sea


def _remember(cache: dict[str, ValueT], key: str, value: ValueT) -> None:
    cache.pop(key, None)
    cache[key] = value
    while len(cache) > KEPT:
        cache.pop(next(iter(cache)), None)


def _unknown(found: LeakDetection, why: str) -> LeakDetection:
    return LeakDetection(found.template, found.start, found.end, 0, found.blind, (), why)


def _chance(level: Level, within: timedelta, seconds: Floats) -> Chance:
    """Return the share of delays [n] that are within a time, and the median of these."""
    soon = seconds[seconds <= within.total_seconds()]
    median = timedelta(seconds=float(np.median(soon))) if soon.size else None
    return Chance(level, within, soon.size / seconds.size, median)
