"""The open template's plume written out slowly and plainly, and a template with a sea to try things on."""

import math
from datetime import UTC, datetime

import numpy as np

from shared.domain.environment import Environment, Floats, Times
from shared.domain.template import Template
from shared.simulation import Physics

START = np.datetime64("2021-04-01T00:00:00", "s")
ONSET = datetime(2021, 4, 1, 8, 0, tzinfo=UTC)

_HERMITE_7 = (  # nodes and weights for the weight exp(-x^2), Abramowitz & Stegun, Table 25.10
    (0.0, 0.8102646175568),
    (0.8162878828589647, 0.4256072526101278),
    (1.673551628767471, 0.05451558281912703),
    (2.6519613568352334, 0.0009717812450995192),
)


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
    place: Floats, sensor: Floats, speed: float, direction: float, heading: float, physics: Physics
) -> float:
    """Return the concentration [s/m3] per kg/s of one leak at one sensor in one steady current above 2 cm/s."""
    carried = math.sqrt(speed**2 + 0.02**2)
    drag = (0.41 / math.log(3.0 / (0.025 / 30))) ** 2
    friction = math.sqrt(drag) * carried
    wall = 0.41 * friction * place[2]
    k = physics.mixing_factor * (wall + physics.structure_mixing * carried * physics.structure_size_m)
    dx, dy = sensor[0] - place[0], sensor[1] - place[1]
    total = 0.0
    for node, weight in _HERMITE_7:
        for sign in (1.0,) if node == 0 else (1.0, -1.0):
            spread = math.radians(physics.direction_spread_deg) * math.sqrt(2) * sign * node
            angle = math.radians(direction - heading) + spread
            downstream = dx * math.sin(angle) + dy * math.cos(angle)
            across = dx * math.cos(angle) - dy * math.sin(angle)
            lifted = place[2]
            if downstream > 0:
                lifted += physics.rise_factor * 5.5 * (carried / 0.3) ** -0.4 * (downstream / carried / 600) ** 0.34
            for source in (lifted, -lifted):
                height = sensor[2] - source
                r = math.sqrt(downstream**2 + across**2 + height**2 + physics.source_radius_m**2)
                decay = math.exp(-carried * (r - downstream) / (2 * k))
                total += weight / math.sqrt(math.pi) * decay / (4 * math.pi * k * r)
    return total
