"""What a sensor outside the box reads of the water that leaves it through walls and top."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.arrays import Floats, Indices
from shared.simulation.physics import Physics
from shared.simulation.plume import green_function, mixing_length
from shared.simulation.zones import Zones

_PER_ZONE = 3  # points along a zone's part of a wall; from 1 m off it twelve would read alike within a third
_HEIGHTS = 3  # points over the height of a wall
_PER_ZONE_TOP = 2  # points each way over a zone's part of the top
_SPREAD_NODES = 3
_BLOCK_VALUES = 200_000  # values per temporary array: blocks stay in the cache


@dataclass(frozen=True, eq=False, slots=True)
class Outlets:
    """Points at which water leaves: ``places`` [p, 3] in m, wall (4: top), zone and share of the wall's flow [p]."""

    places: Floats
    wall: Indices
    zone: Indices
    share: Floats


def outlets_of(zones: Zones, *, roof: bool) -> Outlets:
    """Return points spread evenly over the four walls, and over the top where there is no roof."""
    x = (_middles(_PER_ZONE * zones.nx) - 0.5) * zones.width
    y = (_middles(_PER_ZONE * zones.ny) - 0.5) * zones.length
    z = _middles(_HEIGHTS) * zones.height
    half_width, half_length = [0.5 * zones.width], [0.5 * zones.length]
    faces = [
        _grid(x, half_length, z),
        _grid(x, np.negative(half_length), z),
        _grid(np.negative(half_width), y, z),
        _grid(half_width, y, z),
    ]
    if not roof:
        top_x = (_middles(_PER_ZONE_TOP * zones.nx) - 0.5) * zones.width
        top_y = (_middles(_PER_ZONE_TOP * zones.ny) - 0.5) * zones.length
        faces.append(_grid(top_x, top_y, [zones.height]))
    sizes = [len(face) for face in faces]
    places = np.concatenate(faces)
    return Outlets(
        places=places,
        wall=np.repeat(np.arange(len(faces)), sizes),
        zone=zones.of(places),
        share=np.repeat(1.0 / np.array(sizes), sizes),
    )


def outside_readings(
    outlets: Outlets,
    sensors: Floats,
    leaving: Floats,
    angle: Floats,
    friction_ratio: Floats,
    physics: Physics,
    zones: int,
) -> Floats:
    """Return the share of each zone's concentration that sensors outside the box read [n, s, zones].

    Every outlet is a point source of what leaves there, with its image in the seabed, carried by the current outside;
    its direction spreads inside 10 minutes by 3 Gauss-Hermite nodes. U_e cancels: what leaves grows with it, what
    remains of it per rate falls with it. ``sensors`` [s, 3] in m, ``leaving`` [n, 5] in m2, ``angle`` [n] in rad,
    ``friction_ratio`` u*/U_e [n].
    """
    out = np.empty((angle.size, sensors.shape[0], zones))
    step = max(1, _BLOCK_VALUES // max(1, outlets.wall.size * sensors.shape[0]))
    for start in range(0, angle.size, step):
        now = slice(start, start + step)
        reach = _reach(outlets, sensors, angle[now], friction_ratio[now], physics)
        strength = leaving[now][:, outlets.wall] * outlets.share
        out[now] = (reach * strength[:, None, :]) @ np.eye(zones)[outlets.zone]
    # A mixture of the box's water and clean water holds no more than the box: near a point source it would.
    return np.asarray(out / np.maximum(out.sum(axis=-1, keepdims=True), 1.0), dtype=np.float64)


def _reach(outlets: Outlets, sensors: Floats, angle: Floats, friction_ratio: Floats, physics: Physics) -> Floats:
    """Return the concentration at the sensors per strength of each outlet, for U_e = 1 m/s [n, s, p] in s/m3."""
    offset = sensors[:, None] - outlets.places
    flat = (offset[..., :2] ** 2).sum(axis=-1) + physics.source_radius_m**2
    direct = np.sqrt(flat + offset[..., 2] ** 2)
    image = np.sqrt(flat + (sensors[:, None, 2] + outlets.places[:, 2]) ** 2)
    length = mixing_length(outlets.places[:, 2], friction_ratio[:, None, None], physics)
    nodes, weights = np.polynomial.hermite.hermgauss(_SPREAD_NODES if physics.direction_spread_deg else 1)
    spread = np.radians(physics.direction_spread_deg) * np.sqrt(2)
    total = np.zeros((angle.size, *flat.shape))
    for node, weight in zip(nodes, weights / np.sqrt(np.pi), strict=True):
        turned = (angle + spread * node)[:, None, None]
        downstream = offset[..., 0] * np.sin(turned) + offset[..., 1] * np.cos(turned)
        for radius in (direct, image):
            total += weight * green_function(downstream, radius, length, 1.0)
    return total


def _middles(count: int) -> Floats:
    return np.asarray((np.arange(count) + 0.5) / count, dtype=np.float64)


def _grid(*axes: npt.ArrayLike) -> Floats:
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
