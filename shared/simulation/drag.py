"""Bottom drag of a current, alone and with waves: the friction velocity that mixes the plume."""

import numpy as np

from shared.arrays import Floats
from shared.simulation.physics import GRAVITY, REFERENCE_HEIGHT, ROUGHNESS, VON_KARMAN

_ROUGHNESS_LENGTH = ROUGHNESS / 30  # m, z_0 = k_N / 30 of a rough bed
_MEAN_COSINE = 2 / np.pi  # of the unknown angle between waves and current, any angle being as likely
_ITERATIONS = 8
_STILL_ORBIT = 1e-4  # m/s; below it waves add nothing that matters


def drag_coefficient(reference_height: float = REFERENCE_HEIGHT, roughness: float = ROUGHNESS) -> float:
    """Return Cd = (kappa / ln(z_r / z_0))^2 of a rough bed with z_0 = k_N / 30 [-], heights in m."""
    return float((VON_KARMAN / np.log(30 * reference_height / roughness)) ** 2)


def orbital_velocity(wave_height: Floats, wave_period: Floats, depth: float) -> Floats:
    """Return the representative orbital velocity at the seabed [n] in m/s of waves in water of ``depth`` [m].

    u_b = pi H_rms / (T sinh kh), H_rms = H_s / sqrt 2, with omega^2 = g k tanh kh (linear waves; Newton).
    ``wave_height`` H_s [n] in m, ``wave_period`` T [n] in s.
    """
    omega = 2 * np.pi / wave_period
    target = omega**2 * depth / GRAVITY
    kh = target / np.sqrt(np.tanh(target))
    for _ in range(4):
        tanh = np.tanh(kh)
        kh = kh - (kh * tanh - target) / (tanh + kh * (1 - tanh**2))
    sinh = np.sinh(np.minimum(kh, 700.0))
    return np.asarray(np.pi * wave_height / np.sqrt(2) / (wave_period * sinh), dtype=np.float64)


def wave_current_factor(x: Floats, cmu: Floats | float) -> Floats:
    """Return the wave-current friction factor f_wc, dimensionless [n], for ``x`` = Cmu A_b / k_N [n] and ``cmu`` [n].

    x is held at its ends outside 0.2 to 1e4. Cmu exp(7.02 x^-0.078 - 8.82) up to x = 100, Cmu exp(5.61 x^-0.109 - 7.30)
    above; Madsen (1994), eqs 32 and 33, Coastal Engineering 1994, doi 10.1061/9780784400890.030.
    """
    held = np.clip(x, 0.2, 1e4)
    small = np.exp(7.02 * held**-0.078 - 8.82)
    large = np.exp(5.61 * held**-0.109 - 7.30)
    return np.asarray(cmu * np.where(held <= 100, small, large), dtype=np.float64)


def friction_velocity(speed: Floats, orbital: Floats, wave_period: Floats) -> Floats:
    """Return the current's friction velocity u*c [n] in m/s under waves; without waves sqrt(Cd) U.

    ``speed`` U and ``orbital`` velocity [n] in m/s, ``wave_period`` [n] in s.

    Fixed number of iterations of Madsen (1994), eqs 32 to 38; never below the value of the current alone. The angle
    between waves and current is not measured: its mean cosine is taken.
    """
    alone = np.sqrt(drag_coefficient()) * speed
    wavy = np.asarray((orbital > _STILL_ORBIT) & (speed > 0), dtype=bool)
    if not wavy.any():
        return np.asarray(alone, dtype=np.float64)
    combined = _under_waves(speed[wavy], orbital[wavy], 2 * np.pi / wave_period[wavy])
    result = np.array(alone, dtype=np.float64)
    result[wavy] = np.maximum(result[wavy], combined)
    return result


def _under_waves(speed: Floats, orbital: Floats, omega: Floats) -> Floats:
    excursion = orbital / omega / ROUGHNESS
    ratio = np.zeros_like(speed)
    current = np.zeros_like(speed)
    for _ in range(_ITERATIONS):
        cmu = np.sqrt(1 + 2 * ratio * _MEAN_COSINE + ratio**2)
        wave_squared = 0.5 * wave_current_factor(cmu * excursion, cmu) * orbital**2
        total = np.sqrt(cmu * wave_squared)
        layer = np.where(cmu * excursion >= 8, 2 * VON_KARMAN * total / omega, ROUGHNESS)
        layer = np.clip(layer, 2 * _ROUGHNESS_LENGTH, 0.9 * REFERENCE_HEIGHT)
        above, below = np.log(REFERENCE_HEIGHT / layer), np.log(layer / _ROUGHNESS_LENGTH)
        root = np.sqrt(1 + 4 * VON_KARMAN * below / above**2 * speed / total)
        current = 0.5 * total * above / below * (root - 1)
        ratio = current**2 / wave_squared
    return np.asarray(current, dtype=np.float64)
