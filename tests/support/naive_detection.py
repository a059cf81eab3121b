"""A slow, obvious oracle for detection: every window against every window, one value at a time."""

import math

import numpy as np

from shared.arrays import Floats


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


def forward_fill(values: Floats, bins: int) -> Floats:
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


def distances(series: Floats, query: Floats, head: int) -> Floats:
    """Return the distance from the query to every window, NaN where that is incomplete, one value at a time.

    With a head, each side is measured from the mean of its own first ``head`` bins.
    """
    window = query.size
    found = np.full(series.size - window + 1, np.nan)
    for start in range(found.size):
        pieces = series[start : start + window]
        mine, theirs = (math.fsum(side[:head]) / head if head else 0.0 for side in (query, pieces))
        found[start] = math.sqrt(sum(((q - mine) - (x - theirs)) ** 2 for q, x in zip(query, pieces, strict=True)))
    return found


def distances_at_once(series: Floats, query: Floats, head: int) -> Floats:
    """Return the same for larger cases, in a few array operations."""
    difference = query - np.lib.stride_tricks.sliding_window_view(series, query.size)
    if head:
        difference = difference - difference[:, :head].mean(axis=1, keepdims=True)
    return np.asarray(np.sqrt((difference**2).sum(axis=1)))
