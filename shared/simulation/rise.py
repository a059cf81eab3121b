"""How far a buoyant plume lifts its dissolved methane on the way to a sensor."""

import numpy as np

from shared.domain.environment import Floats
from shared.simulation.physics import RESIDUAL_SPEED


def effective_speed(speed: Floats) -> Floats:
    """Return U_e = sqrt(U^2 + 0.02^2) [m/s]: what carries and mixes when the mean current stands still."""
    return np.asarray(np.hypot(speed, RESIDUAL_SPEED), dtype=np.float64)


def rise_scale(speed: Floats, factor: float) -> Floats:
    """Return the rise [m] after 1 m of drift; the rise after x m is this times x^0.34.

    dz = factor 5.5 (U/0.3)^-0.4 (t/600)^0.34 with t = x/U: Johansen's fit as the project's reference gives it,
    independent of the leak's rate, which keeps the model linear. U_e stands for U.
    """
    carried = effective_speed(speed)
    return np.asarray(factor * 5.5 * (carried / 0.3) ** -0.4 * (600 * carried) ** -0.34, dtype=np.float64)


def rise(downstream: Floats, scale: Floats) -> Floats:
    """Return the rise [m] at a distance downstream [m]; none upstream."""
    return np.asarray(scale * np.maximum(downstream, 0.0) ** 0.34, dtype=np.float64)
