"""The openings of a semi-closed template, and the water that a current drives through them.

Everything is proportional to the effective speed U_e, so flows are given for U_e = 1 m/s: m3/s per m/s, that is m2.
Walls come in the order of ``WALLS``, and the top after them where it counts.
"""

from dataclasses import dataclass

import numpy as np

from shared.arrays import Floats
from shared.domain.template import WALLS, Template
from shared.simulation.physics import Physics

OUTWARD = np.array([[0.0, 1.0], [0.0, -1.0], [-1.0, 0.0], [1.0, 0.0]])  # x, y of each wall's outward normal
TURBULENT_EXCHANGE = 0.025  # of U_e through an opening, both ways; from memory of the reference, no source read
_LEAST_OPEN = 0.005  # share of its area by which any wall leaks: no steel structure is tight
_SHARP_EDGED, _SHARP_UP_TO = 0.62, 0.3  # C_d of sharp-edged holes, up to this porosity; 1 where nothing stands
_HIGHEST, _LOWEST = 0.7, -0.5  # pressure coefficients windward and at the sides
_BISECTIONS = 60  # 1.2 / 2^60 is below the rounding of p_i


@dataclass(frozen=True, eq=False, slots=True)
class Openings:
    """Opening areas [4] in m2, discharge coefficients [4], the open top's area in m2 (0 under a roof)."""

    area: Floats
    discharge: Floats
    top: float


def face_areas(template: Template) -> Floats:
    """Return the area of each side of the box [4] in m2, whether a wall stands there or not."""
    across, along = template.width * template.height, template.length * template.height
    return np.array([across, across, along, along])


def open_shares(template: Template) -> Floats:
    """Return phi cos(beta) of each wall [4] in [0, 1]; 1 where there is no wall (its area is 0)."""
    porosity = _per_wall(template.porosity) * np.cos(np.radians(_per_wall(template.inclination)))
    return np.where(_per_wall(template.wall_area) > 0, np.minimum(porosity, 1.0), 1.0)


def openings_of(template: Template) -> Openings:
    """Return the openings of a template: phi A cos(beta), at least 0.5 % of A; the whole side where there is no wall.

    C_d is 0.62 up to a porosity of 30 % and rises linearly to 1 where nothing is in the way.
    """
    wall = _per_wall(template.wall_area)
    share = np.maximum(open_shares(template), _LEAST_OPEN)
    porosity = np.where(wall > 0, _per_wall(template.porosity), 1.0)
    beyond = np.maximum(porosity - _SHARP_UP_TO, 0.0) / (1 - _SHARP_UP_TO)
    return Openings(
        area=share * np.where(wall > 0, wall, face_areas(template)),
        discharge=_SHARP_EDGED + (1 - _SHARP_EDGED) * beyond,
        top=0.0 if template.roof else template.length * template.width,
    )


def pressure_coefficient(cosine: Floats) -> Floats:
    """Return Cp [...] by the ``cosine`` [...] between a wall's outward normal and where the current comes from.

    +0.7 windward, -0.5 at the side, -0.3 leeward, smooth in between: -0.5 + 1.2 c^2 for c >= 0, -0.5 + 0.2 c^2 below.
    """
    return np.asarray(_LOWEST + np.where(cosine >= 0, 1.2, 0.2) * cosine**2, dtype=np.float64)


def mean_flows(openings: Openings, angle: Floats) -> Floats:
    """Return the mean flow into the box through each wall [n, 4] in m2 (m3/s per m/s), negative where it leaves.

    Q = C_d a sgn(dp) sqrt(2 |dp| / rho) with dp = 0.5 rho U_e^2 (Cp - p_i), so that rho cancels; p_i by bisection from
    sum Q = 0. ``angle`` [n] in rad is where the current flows towards, from the fore axis to starboard.
    """
    towards = np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    outside = pressure_coefficient(-towards @ OUTWARD.T)
    conductance = openings.discharge * openings.area
    low, high = np.full((angle.size, 1), _LOWEST), np.full((angle.size, 1), _HIGHEST)
    for _ in range(_BISECTIONS):
        inside = 0.5 * (low + high)
        surplus = _driven(conductance, outside - inside).sum(axis=1, keepdims=True) > 0
        low, high = np.where(surplus, inside, low), np.where(surplus, high, inside)
    return _balanced(_driven(conductance, outside - 0.5 * (low + high)))


def exchange_flows(openings: Openings, physics: Physics) -> Floats:
    """Return what turbulence carries both ways through each wall and the top [5] in m2 (m3/s per m/s)."""
    return physics.mixing_factor * TURBULENT_EXCHANGE * np.append(openings.area, openings.top)


def _driven(conductance: Floats, difference: Floats) -> Floats:
    return np.asarray(conductance * np.sign(difference) * np.sqrt(np.abs(difference)), dtype=np.float64)


def _balanced(flows: Floats) -> Floats:
    """Close what rounding leaves open: near dp = 0 the square root turns 1e-16 of pressure into 1e-8 of flow."""
    entering, leaving = np.maximum(flows, 0.0), np.maximum(-flows, 0.0)
    total_in, total_out = entering.sum(axis=1, keepdims=True), leaving.sum(axis=1, keepdims=True)
    through = np.minimum(total_in, total_out)
    tiny = np.finfo(np.float64).tiny
    return np.asarray(
        entering * (through / np.maximum(total_in, tiny)) - leaving * (through / np.maximum(total_out, tiny)),
        dtype=np.float64,
    )


def _per_wall(values: object) -> Floats:
    return np.array([getattr(values, wall) for wall in WALLS], dtype=np.float64)
