"""One scenario: a sea, a template, a leak drawn from the estimation's prior, or none, and what the sensors read.

Truths: ``family`` is drawn from a family that shares no closure with the forward model (``family``): clouds at an open
template (``clouds``), cells inside a semi-closed one, whose walls stop clouds (``box``),
``varying`` is one of it over three days whose rate changes (``courses``),
``model`` is this project's forward model with everything in it perturbed that is not known (``perturbed_model``),
``puffs`` an independent one, of open templates alone (``puffs``), ``self_consistent`` exactly what the estimation
assumes (``self_consistent``).
``none`` has no leak, ``common`` a swing of the background at all sensors (``swings``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from bench.detection.currents import metered
from bench.estimation import courses, family, noise, self_consistent, sites, swings
from bench.estimation.box import box_readings
from bench.estimation.clouds import cloud_readings
from bench.estimation.leak import TrueLeak, known_or_anywhere, log_uniform
from bench.estimation.perturbed_model import perturbed
from bench.estimation.puffs import puff_readings
from bench.estimation.sea_states import SeaStates
from shared.arrays import Floats, Times
from shared.domain.environment import Environment
from shared.domain.estimation import Observations
from shared.domain.template import Template
from shared.estimation import EstimationOptions

Kind = Literal["model", "puffs", "self_consistent", "none", "common", "family", "varying"]
TRUTHS: dict[sites.Kind, tuple[Kind, ...]] = {
    "open": ("family", "model", "puffs"),
    "semi": ("family", "model"),  # puffs know no walls
}
COUNT = 145  # a day
VARYING_DAYS = 3
EARLIEST, LATEST = 1 / 6, 3 / 4  # of the readings' span: the onset
LATEST_VARYING = 1 / 2
LEAST_PPMV = 0.1  # that a sensor reads
SPREADS, SAMPLES = 5.0, 18  # a leak is detected when it is this many standard deviations high for 3 h
FAMILY_RATES = 10**-7.5, 10**-2.5  # kg/s
TAU_S, TAU_FACTOR = 7200.0, float(np.exp(0.2))
MOST_DRAWS = 2000


@dataclass(frozen=True, eq=False)
class World:
    """What all scenarios of a study share: the kind of template, the currents, the sensors' noise."""

    template: sites.Kind = "open"
    sea_states: SeaStates = field(default_factory=SeaStates)
    noises: Sequence[noise.Noise] = ()
    without: tuple[family.Unknown, ...] = ()  # of what the family leaves unknown


@dataclass(frozen=True, eq=False)
class Scenario:
    """What an estimation gets to see, the leak behind it if any, and how many were drawn for it."""

    template: Template
    environment: Environment
    observations: Observations
    leak: TrueLeak | None
    detected: bool = False
    drawn: int = 1


def drawn(kind: Kind, world: World, rng: np.random.Generator) -> Scenario:
    """Return a scenario; with a leak of ``family``, ``model`` or ``puffs`` the first that is detected.

    Raises ValueError for puffs at a semi-closed template.
    """
    if kind == "puffs" and world.template == "semi":
        raise ValueError("puffs know no walls: they are a truth of open templates alone")
    if kind in ("none", "common"):
        return _leakless(kind, world, rng)
    if kind == "self_consistent":
        return _self_consistent(world, rng)
    for number in range(1, MOST_DRAWS + 1):
        if (found := _leaky(kind, world, rng, number)) is not None:
            return found
    raise RuntimeError(f"none of {MOST_DRAWS} leaks is detected")


def detected(signal: Floats, noises: Sequence[noise.Noise]) -> bool:
    """Return whether some sensor's signal [sensors, n] stands out of its noise for 3 h in all."""
    spreads = np.array([one.spread_ppmv for one in noises])
    return bool((signal > SPREADS * spreads[:, None]).sum(axis=1).max() >= SAMPLES)


def _leaky(kind: Kind, world: World, rng: np.random.Generator, number: int) -> Scenario | None:
    varying = kind == "varying"
    template, environment, times, noises = _begun(world, rng, VARYING_DAYS if varying else 1)
    told = environment
    if kind == "family" or varying:
        leak = _prior(template, times, rng, FAMILY_RATES, LATEST_VARYING if varying else LATEST)
        if varying:
            left = float(times[-1].astype(np.int64)) - leak.onset_s
            leak = replace(leak, course=courses.drawn(left, rng))
        truth = family.drawn(rng, world.without)
        place, rate, onset = leak.place, leak.rate_kg_s, leak.moment
        readings = cloud_readings if world.template == "open" else box_readings
        signal = readings(template, environment, place, rate, onset, times, truth, rng, leak.course)
        told = metered(environment, rng, truth.speed_error, truth.direction_error_deg)
    elif kind == "model":
        leak = _prior(template, times, rng)
        signal = perturbed(template, environment, leak, times, rng)
    else:
        leak = _prior(template, times, rng)
        tau = TAU_S * TAU_FACTOR ** rng.standard_normal()
        signal = puff_readings(
            template, environment, leak.place, leak.rate_kg_s, leak.moment, times, rng, time_constant_s=tau
        )
    if not detected(signal, noises):
        return None
    return Scenario(template, told, read(times, signal, noises, rng), leak, detected=True, drawn=number)


def _self_consistent(world: World, rng: np.random.Generator) -> Scenario:
    template, environment, times, noises = _begun(world, rng)
    options = EstimationOptions()
    leak, signal = self_consistent.leak_and_signal(template, environment, times, options, rng)
    quiet = [noise.Noise(one.spread_ppmv, options.noise_time_s) for one in noises]
    return Scenario(template, environment, read(times, signal, quiet, rng), leak, detected(signal, quiet))


def _leakless(kind: Kind, world: World, rng: np.random.Generator) -> Scenario:
    template, environment, times, noises = _begun(world, rng)
    rows = len(template.sensors)
    swing = swings.drawn(rows, times.size, rng) if kind == "common" else np.zeros((rows, times.size))
    return Scenario(template, environment, read(times, swing, noises, rng), None)


def _begun(
    world: World, rng: np.random.Generator, days: int = 1
) -> tuple[Template, Environment, Times, tuple[noise.Noise, ...]]:
    template = sites.drawn(world.template, rng)
    environment, times = world.sea_states.drawn(days * (COUNT - 1) + 1, rng)
    return template, environment, times, noise.drawn(world.noises, len(template.sensors), rng)


def _prior(
    template: Template,
    times: Times,
    rng: np.random.Generator,
    rates: tuple[float, float] | None = None,
    latest: float = LATEST,
) -> TrueLeak:
    """Return a leak of the estimation's prior, with its rate [kg/s] where the estimation looks unless said."""
    options = EstimationOptions()
    place = known_or_anywhere(template, options.known_point_weight, rng)
    rate = log_uniform(*(rates or (options.lowest_rate_kg_s, options.highest_rate_kg_s)), rng)
    begin, end = times[[0, -1]].astype(np.int64).tolist()
    return TrueLeak(place, rate, begin + (end - begin) * rng.uniform(EARLIEST, latest))


def read(times: Times, signal: Floats, noises: Sequence[noise.Noise], rng: np.random.Generator) -> Observations:
    """Return what the sensors read of a signal [sensors, n] in ppmv with a background drawn by their noise."""
    return Observations(times, np.maximum(signal + noise.readings(noises, times.size, rng), LEAST_PPMV))
