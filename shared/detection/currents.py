"""The currents on the 10-minute grid of a sensor's readings."""

from typing import Protocol

import numpy as np

from shared.arrays import BUCKET_S, ComplexFloats, Floats, Times
from shared.detection.regular import HOLD_BINS, forward_fill


class Sea(Protocol):
    """What detection asks of an environment (``shared.domain.environment``): times [n], m/s, and degrees towards."""

    @property
    def times(self) -> Times:
        """Increasing times [n], UTC."""
        ...

    @property
    def current_speed(self) -> Floats:
        """Speed of the current [n] in m/s, NaN where missing."""
        ...

    @property
    def current_direction(self) -> Floats:
        """Where it flows towards [n] in degrees clockwise from north, NaN where missing."""
        ...


def currents_on(times: Times, environment: Sea | None) -> ComplexFloats:
    """Return the current of each bucket, east + i north [n] in m/s: the mean of its samples, held for at most 2 h.

    times [n]: the buckets' starts, one after the other; NaN where nothing is known.
    """
    missing = np.full(times.size, complex(np.nan, np.nan))
    if environment is None or not times.size:
        return missing
    bins = environment.times.astype(np.int64) // BUCKET_S - times[0].astype(np.int64) // BUCKET_S
    radians = np.radians(environment.current_direction)  # towards, clockwise from north
    known = (bins >= 0) & (bins < times.size) & ~np.isnan(environment.current_speed) & ~np.isnan(radians)
    bins, speed, radians = bins[known], environment.current_speed[known], radians[known]
    counts = np.bincount(bins, minlength=times.size)
    east = np.bincount(bins, weights=speed * np.sin(radians), minlength=times.size)
    north = np.bincount(bins, weights=speed * np.cos(radians), minlength=times.size)
    means = np.where(counts > 0, (east + 1j * north) / np.maximum(counts, 1), missing)
    return np.asarray(forward_fill(means, HOLD_BINS))
