"""Where the methane dissolves: in the plume that rises with the current, and along the bubbles that leave it."""

from dataclasses import dataclass

import numpy as np

from shared.arrays import Floats
from shared.simulation.physics import RESIDUAL_SPEED, Physics

BUBBLE_SPEED = 0.25  # m/s, terminal rise of millimetre bubbles
BUBBLE_NODES = 6  # of the quadrature along their way


@dataclass(frozen=True, eq=False, slots=True)
class Bubbles:
    """The line source as nodes [k]: height above the leak [m], drift downstream per current [s], share of the rate."""

    height: Floats
    drift: Floats
    share: Floats


def effective_speed(speed: Floats) -> Floats:
    """Return U_e = sqrt(U^2 + 0.02^2) [...] for ``speed`` U [...], both in m/s: slack water carries and mixes, too."""
    return np.asarray(np.hypot(speed, RESIDUAL_SPEED), dtype=np.float64)


def rise_scale(carried: Floats, factor: float) -> Floats:
    """Return the rise [...] in m after 1 m of drift; the rise after x m is this times x^0.34.

    dz = factor 5.5 (U/0.3)^-0.4 (t/600)^0.34 with t = x/U: Johansen's fit as the project's reference gives it,
    independent of the leak's rate, which keeps the model linear. ``carried``, U_e [...] in m/s, stands for U.
    """
    return np.asarray(factor * 5.5 * (carried / 0.3) ** -0.4 * (600 * carried) ** -0.34, dtype=np.float64)


def rise(downstream: Floats, scale: Floats) -> Floats:
    """Return the rise [...] at a distance ``downstream`` [...], both in m, by ``rise_scale`` [...]; none upstream."""
    return np.asarray(scale * np.maximum(downstream, 0.0) ** 0.34, dtype=np.float64)


def bubbles(physics: Physics) -> Bubbles:
    """Return the line source of bubbles that left the plume: strength exp(-z/h) up to ``bubble_column_m``.

    They drift U z / u_s while they rise by z, u_s 0.25 m/s; h is ``bubble_dissolution_m``, u_s over the rate of
    dissolution. What dissolves above the column is no part of the dissolved rate: the sensors do not see it.
    """
    nodes, weights = np.polynomial.legendre.leggauss(BUBBLE_NODES)
    height = 0.5 * physics.bubble_column_m * (nodes + 1)
    strength = weights * np.exp(-height / physics.bubble_dissolution_m)
    return Bubbles(height, height / BUBBLE_SPEED, physics.bubble_share * strength / strength.sum())
