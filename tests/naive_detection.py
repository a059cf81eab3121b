"""A slow, obvious oracle for detection: every window against every window, one value at a time."""

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def nearest(series: Floats, window: int, query: Floats) -> float:
    """Return the distance from the query to its nearest complete window, missing query bins left out and scaled."""
    best = math.inf
    for start in range(series.size - window + 1):
        pieces = series[start : start + window]
        if np.isnan(pieces).any():
            continue
        total, seen = 0.0, 0
        for mine, theirs in zip(query, pieces, strict=True):
            if not math.isnan(mine):
                total += (mine - theirs) ** 2
                seen += 1
        best = min(best, total * window / seen)
    return math.sqrt(best)


def hold(values: Floats, bins: int) -> Floats:
    """Return values with gaps of up to ``bins`` filled by the last value, one at a time."""
    held, last, age = values.copy(), math.nan, 0
    for index, value in enumerate(values):
        if not math.isnan(value):
            last, age = float(value), 0
        else:
            age += 1
            if age <= bins:
                held[index] = last
    return held
