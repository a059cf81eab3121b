"""What if: what a template's sensors would read of a leak in the sea that was measured."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from shared.arrays import Floats, Times
from shared.domain.estimation_words import digits, per_hour
from shared.domain.leak import Leak
from shared.domain.template import Template
from shared.domain.tsd import BUCKET, floor_to_bucket
from shared.errors import InvalidInput
from shared.ports import DayStore, RegistryTable
from shared.simulation import simulate
from shared.usecases.incidents.estimation_inputs import buckets_between, sea_between
from shared.usecases.lookup import look_up_template

PURE_METHANE = 1e6  # [ppmv]; no sensor can read more


@dataclass(frozen=True, eq=False)
class SimulatedReadings:
    """What the template's sensors would read above their background: ppmv [sensors, n] at times [n]."""

    template: Template
    times: Times
    ppmv: Floats
    known: float  # share of the times at which the current was measured


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """Simulates hypotheses."""

    lake: DayStore
    registry: RegistryTable

    def run(self, template: str, leak: Leak, start: datetime, end: datetime) -> SimulatedReadings:
        """Return the leak's readings in [start, end).

        Raises NotFound, or InvalidInput for a leak that cannot be, also one that a sensor would read as more than pure
        methane.
        """
        record, known = look_up_template(self.registry, template)
        start = floor_to_bucket(start)
        if end - start < BUCKET:
            raise InvalidInput("to: must be at least ten minutes after from")
        sea = sea_between(record.platform, known, lambda day: self.lake.read(known, day).document, start, end)
        measured = float(np.isfinite(sea.current_speed).mean())
        if not measured:
            raise InvalidInput("from: no current was measured in this range, so that nothing can be simulated in it")
        times = buckets_between(start, end)
        ppmv = simulate(known, sea, leak, times)
        _check_possible(known, leak, ppmv)
        return SimulatedReadings(known, times, ppmv, measured)


def _check_possible(template: Template, leak: Leak, ppmv: Floats) -> None:
    """Raise InvalidInput where a sensor would read more than pure methane, and say up to which rate none would."""
    most = float(ppmv.max(initial=0.0))
    if most > PURE_METHANE:
        sensor = template.sensors[int(ppmv.max(axis=1).argmax())].id
        possible = leak.rate_kg_s * PURE_METHANE / most
        raise InvalidInput(
            f"rateKgS: {per_hour(leak.rate_kg_s)} cannot dissolve here: {sensor} would read {digits(most)} ppmv, and "
            f"pure methane is 1000000 ppmv; at most about {per_hour(possible)} ({digits(possible)} kg/s) can"
        )
