"""What a leak adds to one sensor's readings, from two independent sources, scaled to an amplitude.

Simulated: this project's forward model, a random place in a random template of the seeds, one of its sensors, the
recorded currents from a random moment on (a synthetic tide without a record). First-order: a sensor of time constant
2 h that follows a source, sustained with a tide on it or pulsed with the tide. The amplitude is the mean of the
highest tenth of the 72 h that the leak lasts; the model is linear in the rate, so scaling is exact.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from shared.arrays import Floats
from shared.domain.environment import Environment
from shared.domain.leak import Leak
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.validation import parse
from shared.simulation import simulate

STEP_H = 1 / 6
LASTS = 72 * 6  # bins from the onset to the end
AFTER = 60 * 6  # bins after the end: 48 h to become clear in, 12 h to stay so
TIDE_H = 12.42
TAU_H = 2.0
KINDS = ("simulated", "sustained", "simulated", "pulsed")
MOST_PEAKED = 4.0  # a plume that only brushes the sensor would be scaled to a spike
MOST_DRAWS = 200


def seeds(folder: Path) -> list[Template]:
    """Return the templates with sensors of the platforms in a folder of seeds."""
    platforms = [parse(Platform, path.read_bytes(), path.name) for path in sorted(folder.glob("*.json"))]
    return [template for platform in platforms for template in platform.templates if template.sensors]


def tidal_currents() -> Environment:
    """Return a month of a tide that turns, with a steady drift: stands in for recorded currents."""
    hours = np.arange(31 * 144) * STEP_H
    turn = 2 * np.pi * hours / TIDE_H
    east, north = 0.05 + 0.10 * np.cos(turn), 0.02 + 0.05 * np.sin(turn + 0.4)
    start = np.datetime64("2021-01-01T00:00:00", "s")
    return Environment.of(
        start + (hours * 3600).round().astype(np.int64).astype("timedelta64[s]"),
        current_speed=np.hypot(east, north),
        current_direction=np.degrees(np.arctan2(east, north)) % 360,
    )


def amplitude(response: Floats) -> float:
    """Return the mean of the highest tenth of what a leak adds while it lasts, response [LASTS + ...]."""
    lasting = np.sort(response[1 : LASTS + 1])
    return float(lasting[-LASTS // 10 :].mean())


def signature(kind: str, templates: list[Template], currents: Environment, rng: np.random.Generator) -> Floats:
    """Return what a leak of amplitude 1 adds [1 + LASTS + AFTER]: at its onset, while it lasts, after its end."""
    response = simulated(templates, currents, rng) if kind == "simulated" else first_order(kind == "pulsed", rng)
    return response / amplitude(response)


def simulated(templates: list[Template], currents: Environment, rng: np.random.Generator) -> Floats:
    """Return one sensor's response [1 + LASTS + AFTER] in ppmv to a simulated leak of 1 kg/s.

    It is drawn again where the plume only brushes the sensor; raises ValueError after MOST_DRAWS of those.
    """
    for _ in range(MOST_DRAWS):
        response = _drawn(templates, currents, rng)
        if 0 < response.max() <= MOST_PEAKED * amplitude(response):
            return response
    raise ValueError(f"in {MOST_DRAWS} draws no simulated leak reached a sensor for long")


def _drawn(templates: list[Template], currents: Environment, rng: np.random.Generator) -> Floats:
    template = templates[rng.integers(len(templates))]
    span = float((currents.times[-1] - currents.times[0]).astype(np.int64))
    begin = currents.times[0] + np.timedelta64(int(rng.uniform(0, max(span - LASTS * 600, 0))), "s")
    onset = datetime.fromtimestamp(int(begin.astype(np.int64)), UTC)
    leak = Leak(
        x=rng.uniform(-0.5, 0.5) * template.width,
        y=rng.uniform(-0.5, 0.5) * template.length,
        z=rng.uniform(0.0, 1.0) * template.height,
        rate_kg_s=1.0,
        onset=onset,
        end=onset + timedelta(hours=LASTS * STEP_H),
    )
    times = begin + np.arange(1 + LASTS + AFTER) * np.timedelta64(600, "s")
    responses = simulate(template, currents, leak, times)
    return np.asarray(responses[rng.integers(len(template.sensors))])


def first_order(pulsed: bool, rng: np.random.Generator) -> Floats:
    """Return a first-order sensor's response [1 + LASTS + AFTER] to a source pulsed by the tide, or steady with one."""
    hours = np.arange(1 + LASTS + AFTER) * STEP_H
    phase = (hours / TIDE_H + rng.uniform()) % 1
    share = rng.uniform(0.3, 0.6)  # of the tide for which the pulse lasts, or of the source that the tide takes away
    source = (phase < share).astype(float) if pulsed else 1 - share * (0.5 + 0.5 * np.cos(2 * np.pi * phase))
    source[LASTS + 1 :] = 0.0
    kept = np.exp(-STEP_H / TAU_H)
    response = np.zeros(hours.size)
    for index in range(1, hours.size):
        response[index] = kept * response[index - 1] + (1 - kept) * source[index]
    return response
