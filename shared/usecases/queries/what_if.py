"""What if: what a template's sensors would read of a leak in the sea that was measured."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from shared.arrays import Floats, Times
from shared.domain.leak import Leak
from shared.domain.template import Template
from shared.domain.tsd import BUCKET, floor_to_bucket
from shared.errors import InvalidInput
from shared.ports import DayStore, RegistryTable
from shared.simulation import simulate
from shared.usecases.incidents.estimation_inputs import buckets_between, sea_between
from shared.usecases.lookup import look_up_template


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
        """Return the leak's readings in [start, end); raises NotFound, or InvalidInput for a leak that cannot be."""
        record, known = look_up_template(self.registry, template)
        start = floor_to_bucket(start)
        if end - start < BUCKET:
            raise InvalidInput("to: must be at least ten minutes after from")
        sea = sea_between(record.platform, known, lambda day: self.lake.read(known, day).document, start, end)
        measured = float(np.isfinite(sea.current_speed).mean())
        if not measured:
            raise InvalidInput("from: no current was measured in this range, so that nothing can be simulated in it")
        times = buckets_between(start, end)
        return SimulatedReadings(known, times, simulate(known, sea, leak, times), measured)
