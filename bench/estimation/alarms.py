"""Alarms of the project's own detector on real backgrounds, and the data that the app would take for them.

A leak of the family (``family``) is added to a stretch of four sensors, or none; each sensor is watched by the detector
with the baseline of its other days; an incident begins at the first Critical. A template without a leak is one sensor's
false alarm among three other sensors.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

import numpy as np

from bench.detection.currents import metered
from bench.detection.folds import CONTEXT, DAY
from bench.estimation import family, sites
from bench.estimation.backgrounds import BLOCK, STRETCH, Backgrounds, Block, Stretch
from bench.estimation.clouds import cloud_readings
from bench.estimation.leak import TrueLeak, known_or_anywhere, log_uniform
from bench.estimation.scenarios import FAMILY_RATES, LEAST_PPMV, MOST_DRAWS, Scenario
from bench.estimation.sea_states import SeaStates
from shared.arrays import BUCKET_S, Flags, Floats, Levels, Times
from shared.detection import detect
from shared.domain.deviation import Level
from shared.domain.environment import Environment
from shared.domain.estimation import Observations
from shared.domain.template import Template
from shared.domain.tsd import to_datetime
from shared.estimation import EstimationOptions
from shared.settings import DetectionSettings, EstimationSettings
from shared.usecases.incidents.estimate import BACKGROUND_SHARE

Alarm = Literal["leak", "Critical", "Warning"]
LEAST_SIGNAL_PPMV, LEAST_DEVIATIONS = 5.0, 3.0  # of a leak that is to be found
HOUR = 6  # bins
CLEAR = DetectionSettings().clear_hours * HOUR
UPDATE = DetectionSettings().update_hours * HOUR
LEAD = EstimationSettings().lead_hours * HOUR


@dataclass(frozen=True, eq=False)
class Incident:
    """What was read around an alarm, ``alarms`` [n] of any sensor, the first of them at bin ``first``; None: none.

    The times are those of the record of currents; ``told`` is what its meter says of them.
    """

    kind: Alarm
    sensors: tuple[str, ...]
    template: Template
    told: Environment
    times: Times
    ppmv: Floats
    leak: TrueLeak | None
    alarms: Flags
    first: int | None

    def seen_by_estimation(self, hours: int) -> tuple[Scenario, EstimationOptions]:
        """Return what the app would estimate so long after the first alarm: up to a fixed time that alarms reach."""
        if self.first is None:
            raise ValueError("nobody is alarmed: nothing is estimated")
        last = np.flatnonzero(self.alarms[: self.first + hours * HOUR + 1])[-1]
        at = self.first + (last - self.first) // UPDATE * UPDATE
        part = slice(self.first - LEAD, at + 1)
        readings = Observations(self.times[part], self.ppmv[:, part])
        earliest = to_datetime(self.times[self.first]) - BACKGROUND_SHARE * timedelta(seconds=LEAD * BUCKET_S)
        options = replace(EstimationOptions(), earliest_onset=earliest, latest_onset=to_datetime(self.times[at]))
        return Scenario(self.template, self.told, readings, self.leak), options


def with_leak(backgrounds: Backgrounds, seas: SeaStates, rng: np.random.Generator) -> Incident:
    """Return what a leak brings whose signal exceeds 5 ppmv and 3 deviations of a sensor's history within a day.

    The first one drawn, at a random moment; nobody is alarmed yet in the two days before it, or all is drawn anew.
    """
    template = sites.drawn("open", rng)
    for _ in range(MOST_DRAWS):
        stretches = backgrounds.drawn(len(template.sensors), rng)
        sea, times = seas.drawn(STRETCH, rng)
        truth = family.drawn(rng)
        leak = _leak(template, times, rng)
        generator = np.random.default_rng(rng.integers(2**63))
        signal = np.zeros((len(template.sensors), STRETCH))
        signal[:, CONTEXT:] = cloud_readings(
            template, sea, leak.place, leak.rate_kg_s, leak.moment, times[CONTEXT:], truth, generator
        )
        if not _large(signal, stretches):
            continue
        told = _told(sea, truth, rng)
        ppmv = np.stack([one.ppmv for one in stretches]) + signal
        critical = np.stack([_levels(one.block, times, row, told) for one, row in zip(stretches, ppmv, strict=True)])
        alarms = np.concatenate([np.zeros(CONTEXT, bool), (critical == Level.CRITICAL).any(axis=0)])
        if alarms[: CONTEXT + 1].any():
            continue
        found = np.flatnonzero(alarms[: CONTEXT + DAY + 1])
        sensors = tuple(one.block.sensor for one in stretches)
        first = int(found[0]) if found.size else None
        return Incident("leak", sensors, template, told, times, np.maximum(ppmv, LEAST_PPMV), leak, alarms, first)
    raise RuntimeError(f"none of {MOST_DRAWS} leaks is large enough")


def false_alarms(
    block: Block, level: Level, backgrounds: Backgrounds, seas: SeaStates, rng: np.random.Generator
) -> Iterator[Incident]:
    """Yield the runs of a level that the detector gives a block without a leak, each among other sensors."""
    sea, times = seas.drawn(CONTEXT + BLOCK, rng)
    told = _told(sea, family.drawn(rng), rng)
    raised = np.concatenate([np.zeros(CONTEXT, bool), _levels(block, times, block.ppmv, told) >= level])
    clear_until = 0
    for alarm in np.flatnonzero(raised).tolist():
        new = alarm > clear_until
        clear_until = alarm + CLEAR
        first = alarm - CONTEXT
        if not new or first >= block.whole.size or not block.whole[first]:
            continue
        template = sites.drawn("open", rng)
        stretches = backgrounds.around(Stretch(block, first), len(template.sensors), rng)
        part = slice(first, first + STRETCH)
        ppmv = np.maximum(np.stack([one.ppmv for one in stretches]), LEAST_PPMV)
        sensors = tuple(one.block.sensor for one in stretches)
        kind: Alarm = "Critical" if level is Level.CRITICAL else "Warning"
        yield Incident(kind, sensors, template, told, times[part], ppmv, None, raised[part], CONTEXT)


def _leak(template: Template, times: Times, rng: np.random.Generator) -> TrueLeak:
    place = known_or_anywhere(template, EstimationOptions().known_point_weight, rng)
    return TrueLeak(place, log_uniform(*FAMILY_RATES, rng), float(times[CONTEXT].astype(np.int64)))


def _large(signal: Floats, stretches: tuple[Stretch, ...]) -> bool:
    least = [max(LEAST_SIGNAL_PPMV, LEAST_DEVIATIONS * one.block.deviation) for one in stretches]
    return bool((signal[:, : CONTEXT + DAY + 1].max(axis=1) > least).any())


def _told(sea: Environment, truth: family.Truth, rng: np.random.Generator) -> Environment:
    return metered(sea, rng, truth.speed_error, truth.direction_error_deg)


def _levels(block: Block, times: Times, ppmv: Floats, told: Environment) -> Levels:
    """Return the detector's levels after the context [n - CONTEXT] of readings [n] at the record's times."""
    found = np.full(times.size, Level.UNDEFINED, dtype=np.int8)
    detection = detect(block.baseline, times, ppmv, told)
    begin = int((detection.times[0] - times[0]).astype(np.int64)) // BUCKET_S
    found[begin : begin + detection.level.size] = detection.level
    return found[CONTEXT:]
