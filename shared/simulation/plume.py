"""Concentration around a point source in a current over the seabed: an open template."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.domain.environment import Floats
from shared.simulation.drag import drag_coefficient
from shared.simulation.physics import VON_KARMAN, Physics
from shared.simulation.rise import effective_speed, rise, rise_scale
from shared.simulation.surroundings import ResolvedEnvironment

DIRECTION_NODES = 7
_BLOCK_VALUES = 400_000  # values per temporary array: about 3 MB, so that blocks stay in the cache


@dataclass(frozen=True, eq=False, slots=True)
class Flow:
    """The current as the plume meets it [n]: speed [m/s], angle theta - psi [rad], u*/U_e [-], isotropic share."""

    speed: Floats
    angle: Floats
    friction_ratio: Floats
    isotropic: Floats


def flow_of(resolved: ResolvedEnvironment, angle_from_north: float) -> Flow:
    """Return the flow in the axes of a template whose fore axis points ``angle_from_north`` [degrees]."""
    return Flow(
        speed=resolved.speed,
        angle=np.radians(resolved.direction - angle_from_north),
        friction_ratio=resolved.friction / effective_speed(resolved.speed),
        isotropic=resolved.isotropic,
    )


def mixing_length(height: npt.ArrayLike, friction_ratio: npt.ArrayLike, physics: Physics) -> Floats:
    """Return K / U_e [m] at a source height [m]: K = kappa u* z + c U d, with U_e for U, times the mixing factor."""
    wall = VON_KARMAN * np.asarray(friction_ratio) * np.asarray(height)
    return np.asarray(
        physics.mixing_factor * (wall + physics.structure_mixing * physics.structure_size_m), dtype=np.float64
    )


def green_function(downstream: Floats, radius: Floats, length: npt.ArrayLike, carried: npt.ArrayLike) -> Floats:
    """Return exp[-U_e (r - x') / 2K] / (4 pi K r) [s/m3], one source without its image.

    Steady advection and diffusion of a point source: Roberts (1923), as the project's
    reference gives it. ``downstream`` x' and
    ``radius`` r in m, ``length`` K/U_e in m, ``carried`` U_e in m/s; all of one shape or broadcast to it.
    """
    decay = np.exp((downstream - radius) / (2 * np.asarray(length)))
    return np.asarray(decay / (4 * np.pi * np.asarray(length) * np.asarray(carried) * radius), dtype=np.float64)


def concentration(places: Floats, sensors: Floats, flow: Flow, physics: Physics) -> Floats:
    """Return the steady concentration [p, sensors, n] in kg/m3 per kg/s dissolved [s/m3].

    Image source in the seabed; r^2 = x'^2 + y'^2 + (z_s -+ z_p)^2 + a^2; the direction varies inside 10 minutes by
    7 Gauss-Hermite nodes; z_p is the source's height with its rise. Where the direction is not known, or the current
    stands, the mean over all directions takes its place by its share. ``places`` [p, 3], ``sensors`` [s, 3] in m.
    """
    out = np.empty((places.shape[0], sensors.shape[0], flow.speed.size))
    if out.size == 0:
        return out
    per_place = max(1, sensors.shape[0] * flow.speed.size * DIRECTION_NODES)
    step = max(1, _BLOCK_VALUES // per_place)
    for start in range(0, places.shape[0], step):
        block = places[start : start + step]
        out[start : start + step] = _block(block, sensors, flow, physics)
    return out


def _block(places: Floats, sensors: Floats, flow: Flow, physics: Physics) -> Floats:
    if flow.isotropic.max() <= 0:
        return _directed(places, sensors, flow, physics)
    share = flow.isotropic
    return (1 - share) * _directed(places, sensors, flow, physics) + share * _undirected(places, sensors, flow, physics)


def _directed(places: Floats, sensors: Floats, flow: Flow, physics: Physics) -> Floats:
    offset, flat, heights, carried = _geometry(places, sensors, flow, physics)
    nodes, weights = np.polynomial.hermite.hermgauss(DIRECTION_NODES)
    spread = np.radians(physics.direction_spread_deg) * np.sqrt(2)
    length = mixing_length(places[:, None, None, 2], flow.friction_ratio, physics)
    scale = rise_scale(flow.speed, physics.rise_factor)
    total = np.zeros((*flat.shape, flow.speed.size))
    for node, weight in zip(nodes, weights / np.sqrt(np.pi), strict=True):
        angle = flow.angle + spread * node
        downstream = offset[..., 0] * np.sin(angle) + offset[..., 1] * np.cos(angle)
        lifted = places[:, None, None, 2] + rise(downstream, scale) if physics.rise_factor else heights[0]
        for source in (lifted, -lifted):
            radius = np.sqrt(flat[..., None] + (heights[1] - source) ** 2)
            total += weight * green_function(downstream, radius, length, carried)
    return total


def _undirected(places: Floats, sensors: Floats, flow: Flow, physics: Physics) -> Floats:
    """Mean of the plume over all directions: exp(-r / 2l) I0(rho / 2l) / (4 pi l U_e r), without rise."""
    _, flat, heights, carried = _geometry(places, sensors, flow, physics)
    bare = np.sqrt(drag_coefficient())
    length = mixing_length(places[:, None, None, 2], bare, physics)
    reach = np.sqrt(np.maximum(flat - physics.source_radius_m**2, 0.0))[..., None]
    total = np.zeros((*flat.shape, 1))
    for source in (heights[0], -heights[0]):
        radius = np.sqrt(flat[..., None] + (heights[1] - source) ** 2)
        total += green_function(reach, radius, length, 1.0) * _scaled_i0(reach / (2 * length))
    return total / carried


def _geometry(
    places: Floats, sensors: Floats, flow: Flow, physics: Physics
) -> tuple[Floats, Floats, tuple[Floats, Floats], Floats]:
    offset = sensors[None, :, None, :2] - places[:, None, None, :2]
    flat = (offset**2).sum(axis=-1)[..., 0] + physics.source_radius_m**2
    heights = (places[:, None, None, 2], sensors[None, :, None, 2])
    return offset, flat, heights, effective_speed(flow.speed)


def _scaled_i0(x: Floats) -> Floats:
    """Return exp(-x) I0(x) for x >= 0; from 50 on by the first terms of its asymptotic series."""
    small = np.minimum(x, 50.0)
    large = np.maximum(x, 50.0)
    tail = (1 + (1 + 9 / (16 * large)) / (8 * large)) / np.sqrt(2 * np.pi * large)
    return np.asarray(np.where(x < 50, np.i0(small) * np.exp(-small), tail), dtype=np.float64)
