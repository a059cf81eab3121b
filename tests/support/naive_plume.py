"""The open template's plume written out slowly and plainly, and a template with a sea to try things on."""

import math
from datetime import UTC, datetime

import numpy as np

from shared.arrays import Floats, Times
from shared.domain.environment import Environment
from shared.domain.template import Template
from shared.simulation import Physics

START = np.datetime64("2021-04-01T00:00:00", "s")
ONSET = datetime(2021, 4, 1, 8, 0, tzinfo=UTC)
NODES, WEIGHTS = (one.tolist() for one in np.polynomial.legendre.leggauss(6))  # of Gauss, over a column of bubbles


def template(angle: float = 0.0, sensors: int = 4) -> Template:
    """Return an open template with the known geometry of Snorre."""
    one = {"fore": 1.0, "aft": 1.0, "port": 1.0, "starboard": 1.0}
    at = [(-4.9, 1.0, 4.1), (4.9, 5.3, 4.1), (4.9, -1.0, 4.1), (-4.9, -5.3, 4.1)]
    leaks = [(-7.427, 4.486, 3.3), (7.427, 1.814, 3.3), (7.427, -4.486, 3.3), (-7.427, -1.814, 3.3)]
    return Template.model_validate(
        {
            "id": "snorre-w",
            "platform": "snorre",
            "name": "W",
            "angle_from_north": angle,
            "height": 6.0,
            "length": 15.0,
            "width": 19.0,
            "depth": 317.0,
            "porosity": one,
            "wall_area": dict.fromkeys(one, 100.0),
            "inclination": dict.fromkeys(one, 0.0),
            "internal_volume": 0.0,
            "leak_points": [{"name": f"W{n}", "x": x, "y": y, "z": z} for n, (x, y, z) in enumerate(leaks, 1)],
            "sensors": [
                {"id": f"snorre-w-{n}", "tag": f"tag-{n}", "number": n, "x": x, "y": y, "z": z}
                for n, (x, y, z) in enumerate(at[:sensors], 1)
            ],
        }
    )


def times(count: int, step_s: int = 600) -> Times:
    """Return that many times on a regular grid."""
    return START + np.arange(count) * np.timedelta64(step_s, "s")


def turning_sea(count: int, phase: float = 0.0, speed: float = 0.08) -> Environment:
    """Return a current that turns with the semi-diurnal tide around a slow drift."""
    stamps = times(count)
    angle = 2 * math.pi * np.arange(count) / 74.5 + phase
    east, north = 0.5 * speed + speed * np.cos(angle), speed * 0.8 * np.sin(angle)
    direction = np.degrees(np.arctan2(east, north)) % 360
    return Environment.of(
        stamps,
        current_speed=np.hypot(east, north),
        current_direction=direction,
        temperature=np.full(count, 7.0),
    )


def naive_concentration(
    place: Floats, sensor: Floats, speed: float, direction: float, heading: float, physics: Physics, turns: int = 401
) -> float:
    """Return the concentration [s/m3] per kg/s of one leak at one sensor in one steady current.

    The mean over directions is a plain sum of a normal density over so many of them.
    """
    carried = math.sqrt(speed**2 + 0.02**2)
    drag = (0.41 / math.log(3.0 / (0.025 / 30))) ** 2
    wall = 0.41 * math.sqrt(drag) * place[2]
    length = physics.mixing_factor * (wall + physics.structure_mixing * physics.structure_size_m)
    spread = math.hypot(math.radians(physics.direction_spread_deg), physics.residual_m_s / max(speed, 1e-6))
    nodes = [-5 + 10 * k / (turns - 1) for k in range(turns)] if spread > 0 else [0.0]
    weights = [math.exp(-0.5 * node**2) for node in nodes]
    total = 0.0
    for node, weight in zip(nodes, weights, strict=True):
        angle = math.radians(direction - heading) + spread * node
        total += weight / sum(weights) * _one_direction(place, sensor, carried, angle, length, physics)
    return float(total * naive_slowness(speed, physics.residual_m_s))


def naive_slowness(speed: float, residual: float) -> float:
    """Return the mean of 1 / |U| [s/m] over a residual motion, as a sum over the plane of velocities."""
    radius = (np.arange(20_000) + 0.5) * (speed + 10 * residual) / 20_000
    angle = (np.arange(720) + 0.5) * 2 * np.pi / 720
    inside = 2 * speed * radius[:, None] * np.cos(angle) - radius[:, None] ** 2 - speed**2
    density = np.exp(inside / (2 * residual**2)).mean(axis=1) / residual**2
    return float(density.sum() * radius[0] * 2)


def _one_direction(
    place: Floats, sensor: Floats, carried: float, angle: float, length: float, physics: Physics
) -> float:
    dx, dy = float(sensor[0] - place[0]), float(sensor[1] - place[1])
    downstream = dx * math.sin(angle) + dy * math.cos(angle)
    across = dx * math.cos(angle) - dy * math.sin(angle)
    lifted = float(place[2])
    if downstream > 0:
        lifted += physics.rise_factor * 5.5 * (carried / 0.3) ** -0.4 * (downstream / carried / 600) ** 0.34
    sources = [(1 - physics.bubble_share, lifted, 0.0, physics.source_radius_m)]
    heights = [0.5 * physics.bubble_column_m * (node + 1) for node in NODES]
    strengths = [w * math.exp(-h / physics.bubble_dissolution_m) for w, h in zip(WEIGHTS, heights, strict=True)]
    for height, strength in zip(heights, strengths, strict=True):
        share = physics.bubble_share * strength / sum(strengths)
        sources.append((share, place[2] + height, carried * height / 0.25, physics.bubble_radius_m))
    total = 0.0
    for share, at, drift, radius in sources:
        for source in (at, -at):
            behind = downstream - drift
            r = math.sqrt(behind**2 + across**2 + (sensor[2] - source) ** 2 + radius**2)
            decay = math.exp((behind - r) / (2 * length))
            total += share * decay / (4 * math.pi * length * r)
    return float(total)
