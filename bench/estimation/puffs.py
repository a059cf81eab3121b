"""A leak at an open template as a train of puffs: a truth that shares no code with the forward model."""

from datetime import datetime

import numpy as np

from bench.estimation.sea import STEPS_PER_BLOCK, Span, currents, kg_m3_per_ppmv, sensed, span_of
from bench.estimation.train import PlumeParameters, Train, drawn
from shared.arrays import Floats, Times
from shared.domain.environment import Environment
from shared.domain.template import Template

SAMPLED_EVERY = 2  # steps


def puff_readings(
    template: Template,
    environment: Environment,
    place: tuple[float, float, float],
    dissolved_rate_kg_s: float,
    onset: datetime | np.datetime64,
    times: Times,
    rng: np.random.Generator,
    *,
    time_constant_s: float = 7200.0,
    parameters: PlumeParameters | None = None,
) -> Floats:
    """Return what first-order sensors read above background [sensors, n] in ppmv at increasing ``times`` [n].

    ``place`` x, y, z in m of the template; the rate counts from ``onset`` on. Linear in the rate for the same ``rng``,
    which also draws the ``parameters`` where none are given. Waves are left out.
    """
    chosen = parameters or drawn(rng)
    span = span_of(times, onset, time_constant_s)
    flow = currents(environment, template.angle_from_north, span.steps, chosen.phase)
    per_rate = puff_concentration(template.sensor_positions, place, flow, span, chosen, rng)
    ppmv = per_rate / kg_m3_per_ppmv(environment, template.depth, span.ends)
    return dissolved_rate_kg_s * sensed(ppmv, span, times, time_constant_s, time_constant_s)


def puff_concentration(
    points: Floats,
    place: tuple[float, float, float],
    flow: Floats,
    span: Span,
    parameters: PlumeParameters,
    rng: np.random.Generator,
) -> Floats:
    """Return each block's mean concentration at ``points`` [p, 3] per unit rate [p, blocks] in s/m3.

    ``flow`` [2, steps] is the mean current in the template's axes in m/s.
    """
    train = Train.released(place, flow, span, parameters, rng)
    samples = np.zeros((points.shape[0], flow.shape[1] // SAMPLED_EVERY))
    for step in range(flow.shape[1]):
        if not train.leaking[step] and train.first == step:
            train.first = step + 1  # nothing has left the source yet
            continue
        train.advance(step)
        if step % SAMPLED_EVERY == SAMPLED_EVERY - 1:
            samples[:, step // SAMPLED_EVERY] = train.concentration(points, step)
    per_block = STEPS_PER_BLOCK // SAMPLED_EVERY
    return np.asarray(samples.reshape(points.shape[0], -1, per_block).mean(axis=-1), dtype=np.float64)
