"""Concentration around a unit source in one steady current over the seabed: an open template."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.arrays import Floats
from shared.simulation.ambient import ResolvedEnvironment
from shared.simulation.physics import VON_KARMAN, Physics
from shared.simulation.release import bubbles, effective_speed, rise, rise_scale

_FAR_FROM_REST = 30.0  # U^2 / 4 sigma^2, from where Bessel's I0 is as good by its series


@dataclass(frozen=True, eq=False, slots=True)
class Flow:
    """The current as the plume meets it [n]: speed [m/s], angle theta - psi [rad], u*/U_e [-].

    ``isotropic`` is 1 where the current may point anywhere, since it is not known, and 0 elsewhere.
    """

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
        isotropic=np.where(resolved.known, 0.0, 1.0),
    )


def mixing_length(height: npt.ArrayLike, friction_ratio: npt.ArrayLike, physics: Physics) -> Floats:
    """Return K / U_e [...] in m: K = kappa u* z + c U d, with U_e for U, times the mixing factor.

    ``height`` z of the source [...] in m and ``friction_ratio`` u*/U_e [...] broadcast to one shape.
    """
    wall = VON_KARMAN * np.asarray(friction_ratio) * np.asarray(height)
    return np.asarray(
        physics.mixing_factor * (wall + physics.structure_mixing * physics.structure_size_m), dtype=np.float64
    )


def direction_variance(speed: Floats, physics: Physics) -> Floats:
    """Return the variance of the direction inside 10 minutes [n] in rad2, for a current's ``speed`` [n] in m/s.

    That of a steady current, plus what the residual motion turns a current by: without bound as it comes to rest, so
    that slack water points everywhere.
    """
    steady = np.radians(physics.direction_spread_deg)
    return np.asarray(steady**2 + (physics.residual_m_s / np.maximum(speed, 1e-6)) ** 2, dtype=np.float64)


def mean_slowness(speed: Floats, physics: Physics) -> Floats:
    """Return the mean of 1 / |U| [n] in s/m while the residual motion is added to a current's ``speed`` [n] in m/s.

    Of a speed after Rice: sqrt(pi / 2) / sigma exp(-a) I0(a), a = U^2 / 4 sigma^2, sigma the residual of a component.
    """
    sigma = physics.residual_m_s
    a = speed**2 / (4 * sigma**2)
    near = np.minimum(a, _FAR_FROM_REST)
    far = np.maximum(a, _FAR_FROM_REST)
    series = 1 + (1 + 9 / (16 * far) * (1 + 25 / (24 * far))) / (8 * far)  # Abramowitz and Stegun 9.7.1
    scaled = np.where(a < _FAR_FROM_REST, np.exp(-near) * np.i0(near), series / np.sqrt(2 * np.pi * far))
    return np.asarray(np.sqrt(np.pi / 2) / sigma * scaled, dtype=np.float64)


def green_function(downstream: Floats, radius: Floats, length: npt.ArrayLike, carried: npt.ArrayLike) -> Floats:
    """Return exp(-U_e (r - x') / 2K) / (4 pi K r) [...] in s/m3, one source without its image.

    Steady advection and diffusion of a point source: Roberts (1923), as the project's reference gives it.
    ``downstream`` x' and ``radius`` r in m, ``length`` K/U_e in m, ``carried`` U_e in m/s; all [...]
    of one shape or broadcast to it.
    """
    decay = np.exp((downstream - radius) / (2 * np.asarray(length)))
    return np.asarray(decay / (4 * np.pi * np.asarray(length) * np.asarray(carried) * radius), dtype=np.float64)


def unit_plume(
    downstream: Floats, across: Floats, heights: tuple[float, float], carried: Floats, ratio: Floats, physics: Physics
) -> Floats:
    """Return the concentration [...] in s/m3 of 1 kg/s dissolved, in a current of one direction.

    ``downstream`` x' and ``across`` y' [...] in m from the leak, ``heights`` of leak and sensor in m; ``carried`` U_e
    [...] in m/s and ``ratio`` u*/U_e [...] broadcast with them. The part in the plume spreads from its risen height,
    the rest from the line of bubbles; image sources keep the seabed tight.
    """
    leak, sensor = heights
    length = mixing_length(leak, ratio, physics)
    flat = downstream**2 + across**2 + physics.source_radius_m**2
    lifted = leak + rise(downstream, rise_scale(carried, physics.rise_factor))
    total = (1 - physics.bubble_share) * _with_image(downstream, flat, sensor, lifted, length, carried)
    if physics.bubble_share == 0:
        return total
    line = bubbles(physics)
    for height, drift, share in zip(line.height, line.drift, line.share, strict=True):
        behind = downstream - drift * carried
        flat = behind**2 + across**2 + physics.bubble_radius_m**2
        total += share * _with_image(behind, flat, sensor, leak + height, length, carried)
    return total


def _with_image(
    downstream: Floats, flat: Floats, sensor: float, source: npt.ArrayLike, length: Floats, carried: Floats
) -> Floats:
    """Return the source and its image in the seabed, ``flat`` r^2 without its vertical part [m2]."""
    above, below = (np.sqrt(flat + (sensor - sign * np.asarray(source)) ** 2) for sign in (1, -1))
    return green_function(downstream, above, length, carried) + green_function(downstream, below, length, carried)
