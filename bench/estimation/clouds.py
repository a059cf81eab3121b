"""What the clouds of a leak bring to the sensors of an open template, for a truth of the family.

All clouds at one height are carried alike, so where one is follows from two values of one integral of the current; no
cloud is stepped. How old the clouds are that are looked at is drawn anew at every moment, so that clouds which lie
further apart than they are wide are still right in the mean.
"""

from datetime import datetime

import numpy as np

from bench.estimation.courses import STEADY, Course
from bench.estimation.family import LEVELS, Truth, least_speed, spread
from bench.estimation.sea import BLOCK_S, Span, currents, kg_m3_per_ppmv, sensed, span_of, swinging
from shared.arrays import Floats, Times
from shared.domain.environment import Environment
from shared.domain.template import Template

STEP_S = 5  # of the current
SAMPLE_S = 20  # between two looks at the clouds
AGES_S = np.concatenate(  # edges
    [np.arange(0, 60, 2), np.arange(60, 300, 5), np.arange(300, 900, 15), np.arange(900, 5401, 60)]
).astype(np.float64)
METER_HEIGHT = 3.0  # m
LOWEST, HIGHEST = 0.2, 10.0  # m, between which the current follows the logarithm
CHUNK = 300  # moments at once: bounds the memory


def cloud_readings(
    template: Template,
    environment: Environment,
    place: tuple[float, float, float],
    dissolved_rate_kg_s: float,
    onset: datetime | np.datetime64,
    times: Times,
    truth: Truth,
    rng: np.random.Generator,
    course: Course = STEADY,
) -> Floats:
    """Return what the sensors read above background [sensors, n] in ppmv at increasing ``times`` [n].

    ``environment`` holds the true currents; the rate changes by its ``course``. Linear in it for the same ``rng``.
    """
    span = span_of(times, onset, max(truth.up_s, truth.down_s))
    at = np.arange(span.start - AGES_S[-1] - STEP_S, span.ends[-1] + 2 * STEP_S, STEP_S)
    flow = swinging(currents(environment, template.angle_from_north, at, truth.phase), truth, rng, STEP_S)
    per_rate = concentration(template.sensor_positions, place, at, flow, span, truth, rng, course)
    ppmv = per_rate / kg_m3_per_ppmv(environment, template.depth, span.ends)
    return dissolved_rate_kg_s * sensed(ppmv, span, times, truth.up_s, truth.down_s)


def concentration(
    points: Floats,
    place: tuple[float, float, float],
    at: Floats,
    flow: Floats,
    span: Span,
    truth: Truth,
    rng: np.random.Generator,
    course: Course = STEADY,
) -> Floats:
    """Return each block's mean concentration at ``points`` [p, 3] per unit rate [p, blocks] in s/m3.

    ``flow`` [2, n] is the current in m/s in the template's axes at 3 m, from the seconds ``at`` [n] on for a step each.
    """
    carried = np.concatenate([np.zeros((2, 1)), np.cumsum(STEP_S * flow, axis=1)], axis=1)
    path = np.concatenate([[0.0], np.cumsum(STEP_S * np.hypot(np.hypot(*flow), least_speed(truth)))])
    edges = np.append(at, at[-1] + STEP_S)
    heights = place[2] + truth.rise_m * (np.arange(LEVELS) + 0.5) / LEVELS
    held = np.clip(heights, LOWEST, HIGHEST)
    faster = np.log(held / truth.roughness_m) / np.log(METER_HEIGHT / truth.roughness_m)
    away = points[:, :2] - np.array(place[:2])
    moments = span.start + SAMPLE_S * (np.arange(span.ends.size * BLOCK_S // SAMPLE_S) + 0.5)
    found = np.zeros((points.shape[0], moments.size))
    for begin in range(0, moments.size, CHUNK):
        now = moments[begin : begin + CHUNK]
        if now[-1] <= span.onset:
            continue
        ages = AGES_S[:-1] + np.diff(AGES_S) * rng.random((now.size, 1))
        then = now[:, np.newaxis] - ages
        shift = [np.interp(now, edges, one)[:, np.newaxis] - np.interp(then, edges, one) for one in (*carried, path)]
        wide, tall = spread(truth, shift[2])
        released = np.diff(AGES_S) * course.factor(then - span.onset)
        mass = released / ((2 * np.pi) ** 1.5 * wide * np.sqrt(tall))
        for height, fast, part in zip(heights, faster, truth.level_shares, strict=True):
            for point, (x, y) in enumerate(away):
                flat = (x - fast * shift[0]) ** 2 + (y - fast * shift[1]) ** 2
                above, below = ((points[point, 2] - sign * height) ** 2 for sign in (1, -1))
                cloud = np.exp(-flat / (2 * wide)) * (np.exp(-above / (2 * tall)) + np.exp(-below / (2 * tall)))
                found[point, begin : begin + CHUNK] += part * (mass * cloud).sum(axis=1)
    return np.asarray(found.reshape(points.shape[0], -1, BLOCK_S // SAMPLE_S).mean(axis=-1))
