"""What a plume adds to one sensor, by this project's forward model and by puffs that share no code with it.

A random place in a random template of the seeds, one of its sensors, the currents from a random moment of the record
on. Both are linear in the rate, so scaling a response of 1 kg/s to an amplitude is exact. Puffs take seconds, so a
run works out some of them once.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from bench.detection.currents import Currents
from bench.detection.first_order import STEP_H, TAU_H
from bench.estimation.puffs import puff_readings
from shared.arrays import Floats
from shared.domain.leak import Leak
from shared.domain.template import Template
from shared.simulation import simulate

LASTS = 72 * 6  # bins from the onset to the end
AFTER = 60 * 6  # bins after the end: 48 h to become clear in, 12 h to stay so
BEFORE = 36  # bins of currents before the onset
MOST_PEAKED = 4.0  # a plume that only brushes the sensor would be scaled to a spike
MOST_DRAWS = 200


@dataclass(frozen=True, eq=False)
class Signature:
    """What a leak adds to a sensor [1 + LASTS + AFTER], from its onset on, and the onset's bucket of the record."""

    added: Floats
    moment: int


def amplitude(added: Floats) -> float:
    """Return the mean of the highest tenth of what a leak adds while it lasts, added [LASTS + ...]."""
    lasting = np.sort(added[1 : LASTS + 1])
    return float(lasting[-LASTS // 10 :].mean())


def lasting(added: Floats) -> bool:
    """Return whether it is more than a brush: its peak at most MOST_PEAKED times its amplitude."""
    return bool(0 < added.max() <= MOST_PEAKED * amplitude(added))


def simulated(templates: list[Template], currents: Currents, rng: np.random.Generator) -> Signature:
    """Return one sensor's response in ppmv to a leak of 1 kg/s by the forward model."""
    template, place, moment = _drawn(templates, currents, rng)
    times = currents.times(moment - BEFORE, BEFORE + 1 + LASTS + AFTER)
    onset = datetime.fromtimestamp(int(times[BEFORE].astype(np.int64)), UTC)
    x, y, z = place
    leak = Leak(x=x, y=y, z=z, rate_kg_s=1.0, onset=onset, end=onset + timedelta(hours=LASTS * STEP_H))
    added = simulate(template, currents.at(moment - BEFORE, times), leak, times)[:, BEFORE:]
    return Signature(np.asarray(added[rng.integers(len(added))]), moment)


def puffs(templates: list[Template], currents: Currents, seed: list[int]) -> list[Signature]:
    """Return the responses to a puffing leak of 1 kg/s of those sensors that it does more than brush.

    Another leak is drawn where it brushes all; raises ValueError after MOST_DRAWS of those.
    """
    rng = np.random.default_rng(seed)
    for _ in range(MOST_DRAWS):
        template, place, moment = _drawn(templates, currents, rng)
        times = currents.times(moment - BEFORE, BEFORE + 1 + LASTS)
        sea = currents.at(moment - BEFORE, times)
        while_it_lasts = puff_readings(template, sea, place, 1.0, times[BEFORE], times, rng)[:, BEFORE:]
        fades = np.exp(-STEP_H / TAU_H * np.arange(1, AFTER + 1))
        added = np.concatenate((while_it_lasts, while_it_lasts[:, -1:] * fades), axis=1)
        if reached := [Signature(one, moment) for one in added if lasting(one)]:
            return reached
    raise ValueError(f"in {MOST_DRAWS} draws no puffing leak reached a sensor for long")


def _drawn(
    templates: list[Template], currents: Currents, rng: np.random.Generator
) -> tuple[Template, tuple[float, float, float], int]:
    """Draw a template, a place in it, and a moment from which the record lasts as long as the leak."""
    template = templates[rng.integers(len(templates))]
    x, y = rng.uniform(-0.5, 0.5, 2) * (template.width, template.length)
    place = float(x), float(y), float(rng.uniform(0.0, template.height))
    return template, place, int(rng.integers(max(currents.size - LASTS, 1)))
