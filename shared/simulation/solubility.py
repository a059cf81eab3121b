"""Methane in sea water: the mass concentration behind the ppmv that a membrane sensor reads.

Wiesenburg & Guinasso (1979), J. Chem. Eng. Data 24(4), 356-360: Bunsen coefficient (Table I).
"""

import numpy as np
import numpy.typing as npt

from shared.arrays import Floats
from shared.simulation.physics import GRAVITY

MOLAR_MASS = 16.0425e-3  # kg/mol, methane
MOLAR_VOLUME_STP = 22.356  # L/mol, methane as a real gas
GAS_CONSTANT = 8.314462618  # J/(mol K)
SEA_WATER_DENSITY = 1027.0  # kg/m3; one constant is enough for the pressure correction
PARTIAL_MOLAR_VOLUME = 37e-6  # m3/mol of dissolved methane, from memory; gives the reference's 5 % at 317 m

Numbers = npt.ArrayLike


def bunsen(temperature: Numbers, salinity: Numbers) -> Floats:
    """Return the Bunsen coefficient [...] in L gas at STP / (L water atm).

    ``temperature`` [...] in degrees Celsius, held to -2 to 30, and practical ``salinity`` [...] broadcast to one shape.
    """
    kelvin = np.clip(np.asarray(temperature, dtype=np.float64), -2.0, 30.0) + 273.15
    t, s = kelvin / 100, np.asarray(salinity, dtype=np.float64)
    salt = s * (-0.076146 + 0.043970 * t - 0.0068672 * t**2)
    return np.asarray(np.exp(-68.8862 + 101.4956 / t + 28.7314 * np.log(t) + salt), dtype=np.float64)


def pressure_factor(temperature: Numbers, depth: float) -> Floats:
    """Return by how much ``depth`` in m raises the reading of a given concentration [...], about 1.05 at 317 m.

    exp(v P / R T) at ``temperature`` [...] in degrees Celsius: Krichevsky and Kasarnovsky's form of the Poynting
    correction for a dissolved gas.
    """
    kelvin = np.asarray(temperature, dtype=np.float64) + 273.15
    pressure = SEA_WATER_DENSITY * GRAVITY * depth
    return np.asarray(np.exp(PARTIAL_MOLAR_VOLUME * pressure / (GAS_CONSTANT * kelvin)), dtype=np.float64)


def kg_m3_per_ppmv(temperature: Numbers, salinity: Numbers = 35.0, depth: float = 0.0) -> Floats:
    """Return the dissolved methane [...] in kg/m3 behind a reading of 1 ppmv at ``depth`` in m.

    ``temperature`` [...] in degrees Celsius and practical ``salinity`` [...] broadcast to one shape.

    C = 1e-6 beta / 22.356 mol/L per micro-atmosphere; at 6 deg C, S 35, surface: 1.693 nM = 2.715e-8 kg/m3.
    """
    moles_per_m3 = 1e-6 * bunsen(temperature, salinity) / MOLAR_VOLUME_STP * 1000
    return np.asarray(moles_per_m3 * MOLAR_MASS / pressure_factor(temperature, depth), dtype=np.float64)
