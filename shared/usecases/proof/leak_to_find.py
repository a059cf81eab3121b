"""Which leak a proof test plays: one that the template's statement promises to find, and that shows in these currents.

A promise is over many currents: in those of two given days a leak may be carried past no sensor, and that would prove
nothing. So places are tried until the forward model has one whose leak stands above what a baseline of the statement
notices for as long as the statement asks for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from shared.arrays import Floats
from shared.detection.channels import CRITICAL_SCORE
from shared.detection.sensitivity import least_rise
from shared.domain.leak import Leak
from shared.domain.performance import Statement
from shared.domain.platform import Platform
from shared.domain.proof_test import PROMISED_WITHIN, TIMES_PROMISED, ProofTest
from shared.domain.template import Template
from shared.domain.tsd import BUCKET
from shared.ports import BaselineStore, DayStore
from shared.simulation import simulate
from shared.usecases.incidents.estimation_inputs import buckets_between, sea_between
from shared.usecases.lookup import readable_baseline

MOST_TRIED = 12
SHOWN_FOR = timedelta(hours=3)  # as a statement reckons (shared/estimation/detectability.py)
Promised = tuple[tuple[float, float, float], float]  # a place [m], and the smallest rate that is found there [kg/s]


@dataclass(frozen=True, kw_only=True)
class ChooseLeak:
    """Chooses among what is promised."""

    lake: DayStore
    baselines: BaselineStore

    def run(
        self, test: ProofTest, statement: Statement, platform: Platform, template: Template, onset: datetime
    ) -> tuple[Leak, float] | None:
        """Return a leak from ``onset`` on and the rate that is promised at its place; None where none shows.

        Raises InvalidInput for a sea in which nothing can be simulated.
        """
        end = onset + PROMISED_WITHIN
        sea = sea_between(platform, template, lambda day: self.lake.read(template, day).document, onset, end)
        times, noticed = buckets_between(onset, end), self._noticed(statement, template)
        for (x, y, z), rate in promised_leaks(test, statement, template)[:MOST_TRIED]:
            leak = Leak(x=x, y=y, z=z, rate_kg_s=TIMES_PROMISED * rate, onset=onset)
            shown = simulate(template, sea, leak, times) >= noticed[:, None]
            if (shown.sum(axis=1) * BUCKET >= SHOWN_FOR).any():
                return leak, rate
        return None

    def _noticed(self, statement: Statement, template: Template) -> Floats:
        """Return from which rise on each sensor [n] was Critical when the promise was made [ppmv]; infinite: none."""
        found = np.full(len(template.sensors), np.inf)
        for k, sensor in enumerate(template.sensors):
            version = statement.inputs.baselines.get(sensor.id)
            baseline = readable_baseline(self.baselines, sensor.id, version) if version else None
            if baseline is not None:
                found[k] = least_rise(baseline, CRITICAL_SCORE)
        return found


def promised_leaks(test: ProofTest, statement: Statement, template: Template) -> Sequence[Promised]:
    """Return places and the rates that are promised there, in an order that is the same for the same test.

    Known leak points first in every second test.
    """
    points, cells = _points(statement, template), _cells(statement)
    rng = np.random.default_rng([int(test.asked.timestamp()), *test.template.encode()])
    parts = (points, cells) if rng.random() < 0.5 else (cells, points)
    return [part[k] for part in parts for k in rng.permutation(len(part))]


def _points(statement: Statement, template: Template) -> list[Promised]:
    places = {one.name: (one.x, one.y, one.z) for one in template.without_misplaced().leak_points}
    return [
        (places[one.name], one.rate_kg_s)
        for one in statement.points
        if one.rate_kg_s is not None and one.name in places
    ]


def _cells(statement: Statement) -> list[Promised]:
    if statement.map is None:
        return []
    rates = statement.map
    return [
        ((x, y, z), rate)
        for z, plane in zip(rates.z, rates.rates_kg_s, strict=True)
        for y, row in zip(rates.y, plane, strict=True)
        for x, rate in zip(rates.x, row, strict=True)
        if rate is not None
    ]
