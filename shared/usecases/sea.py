"""The sea at a template, as a day of the lake says it."""

from collections.abc import Mapping

import numpy as np

from shared.arrays import ComplexFloats, Floats
from shared.domain.deviation import no_currents
from shared.domain.platform import Platform
from shared.domain.tsd import SLOTS, TemplateDay, values_of

SPEED, DIRECTION = "current_speed", "current_direction"


def sea_of(platform: Platform, document: TemplateDay) -> Mapping[str, Floats]:
    """Return the day's environment in the project's units, by quantity in a fixed order, each [144], NaN: missing."""
    return {
        quantity: series.scale * values_of(document.sea_of(quantity, series.tag, series.unit))
        for quantity, series in sorted(platform.environment.items())
    }


def currents_of(platform: Platform, document: TemplateDay) -> ComplexFloats:
    """Return the day's currents [144], east + i north in m/s, as exact as rows store them; NaN: missing."""
    sea = sea_of(platform, document)
    if SPEED not in sea or DIRECTION not in sea:
        return no_currents(SLOTS)
    radians = np.radians(sea[DIRECTION])  # towards, clockwise from north
    currents = sea[SPEED] * (np.sin(radians) + 1j * np.cos(radians))
    return np.where(np.isnan(currents), no_currents(SLOTS), currents).astype(np.complex64).astype(np.complex128)
