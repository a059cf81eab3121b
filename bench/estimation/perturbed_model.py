"""What this project's forward model says when everything is off that nobody knows exactly."""

import numpy as np

from bench.estimation.leak import TrueLeak
from bench.estimation.noise import wandering
from bench.estimation.sea_states import turned
from shared.arrays import Floats, Times
from shared.domain.environment import Environment
from shared.domain.template import Template
from shared.estimation.ensemble import BOX_MIXING_M, RISE
from shared.simulation import Physics, simulate
from shared.simulation.physics import SENSOR_TIME_CONSTANT_S

MIXING_ERROR, TAU_ERROR, TURN_DEG = 0.5, 0.2, 10.0  # of ln diffusivity, of ln time constant, of the direction
MODEL_ERROR, CONSTANT, MEMORY_S = 0.5, 0.5, 3 * 3600.0  # of ln signal at a sensor; the share that stays; of the rest


def perturbed(
    template: Template, environment: Environment, leak: TrueLeak, times: Times, rng: np.random.Generator
) -> Floats:
    """Return what a leak adds to the sensors' readings [sensors, n] in ppmv by a physics that is drawn."""
    rise, bubbles = RISE[rng.integers(len(RISE))]
    physics = Physics(
        mixing_factor=float(np.exp(MIXING_ERROR * rng.standard_normal())),
        sensor_time_constant_s=SENSOR_TIME_CONSTANT_S * float(np.exp(TAU_ERROR * rng.standard_normal())),
        rise_factor=rise,
        bubble_share=bubbles,
        box_mixing_m=BOX_MIXING_M[rng.integers(len(BOX_MIXING_M))],
    )
    sea = turned(environment, TURN_DEG * rng.standard_normal())
    signal = simulate(template, sea, leak.hypothesis(), times, physics=physics)
    return signal * _model_error(len(template.sensors), times.size, rng)


def _model_error(rows: int, count: int, rng: np.random.Generator) -> Floats:
    """Return lognormal factors [sensors, n]: a part of each sensor's that stays, and a part that wanders."""
    stays = np.sqrt(CONSTANT) * rng.standard_normal((rows, 1))
    wanders = np.sqrt(1 - CONSTANT) * wandering(rows, count, MEMORY_S, rng)
    return np.asarray(np.exp(MODEL_ERROR * (stays + wanders)))
