"""Concentration around a unit source whose clouds grow as Taylor (1921) says: an open template.

Travel inside a template takes tens of seconds. Until the eddies have turned over a cloud grows in proportion to its
way: sigma = i s, with i the turbulence intensity; only later does it diffuse. Wakes of structures spread alike while
they are narrower than the integral scale (Eames et al. 2011). So near the seabed a plume is narrower than a diffusivity
makes it from the source on, and in strong wakes wider. As clouds spread by the way they have come, the field is one
over the current's speed, times what depends on geometry alone.
"""

import numpy as np

from shared.arrays import Floats
from shared.simulation.physics import Physics

LEVELS = 4  # of the gas: let go evenly over the rise
_STEP = 0.5  # standard deviations of a cloud between two: the sum of Gaussians is the integral to 1e-4
_BEYOND = 5.0  # standard deviations of a cloud that still reach back


def variances(way: Floats, physics: Physics) -> tuple[Floats, Floats]:
    """Return the horizontal and the vertical variance [...] in m2 of clouds that have come so far [...] in m."""
    scale = physics.eddy_m
    growth = 2 * (physics.intensity * scale) ** 2 * (way / scale - 1 + np.exp(-way / scale))
    return physics.cloud_m**2 + growth, physics.cloud_m**2 + physics.vertical_ratio * growth


def unit_clouds(distance: Floats, angle: Floats, heights: tuple[float, float], physics: Physics) -> Floats:
    """Return the concentration times the speed [d, a] in 1/m2 of 1 kg/s dissolved, in a current of one direction.

    At horizontal ``distance`` [d] in m from the leak and ``angle`` [a] in rad off the current; ``heights`` of leak and
    sensor in m. The integral over the clouds' way, with image sources that keep the seabed tight.
    """
    way, step = _ways(float(distance.max(initial=0.0)), physics)
    wide, tall = variances(way, physics)
    leak, sensor = heights
    released = leak + physics.rise_m * (np.arange(LEVELS) + 0.5) / LEVELS
    vertical = sum(np.exp(-((sensor - sign * released[:, np.newaxis]) ** 2) / (2 * tall)) for sign in (1, -1))
    weight = step / ((2 * np.pi) ** 1.5 * wide * np.sqrt(tall)) * np.mean(vertical, axis=0)
    x, y = distance[:, np.newaxis] * np.cos(angle), distance[:, np.newaxis] * np.sin(angle)
    along = (x[..., np.newaxis] - way) ** 2 + y[..., np.newaxis] ** 2
    return np.asarray(np.exp(-along / (2 * wide)) @ weight)


def _ways(farthest: float, physics: Physics) -> tuple[Floats, Floats]:
    """Return ways [k] at which clouds are looked at, and what each stands for [k], both in m (trapezoidal rule)."""
    ways = [0.0]
    while True:
        wide, _ = variances(np.array(ways[-1]), physics)
        if ways[-1] > farthest + _BEYOND * float(np.sqrt(wide)):
            break
        ways.append(ways[-1] + _STEP * float(np.sqrt(wide)))
    way = np.array(ways)
    return way, np.gradient(way) * np.where(np.arange(way.size) == 0, 0.5, 1.0)
