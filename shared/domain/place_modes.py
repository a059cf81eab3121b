"""The modes of where a leak may be: separate places that the data cannot choose between."""

import math
from collections.abc import Sequence

import numpy as np

from shared.arrays import Flags, Floats, Indices
from shared.domain.estimation import PlaceMode, PlaceProbability
from shared.domain.template import Template

VALLEY = 0.5  # of the lower summit's probability: what lies deeper between two summits keeps them apart
COARSEST_M = 2.0  # of grids; where only two cells are left, the gap between them is no spacing
LEAST = 0.1  # of the probability that a mode is worth a line
NEIGHBOUR = 1.5  # spacings of the grid: cells that touch, also by a corner


def modes_of(template: Template, places: Sequence[PlaceProbability]) -> tuple[PlaceMode, ...]:
    """Return the modes that hold at least a tenth of the probability of the ``places``, the likeliest first.

    Seen from above, since the sensors hardly tell heights apart. A mode is what lies around a summit, down to the
    valley to a higher one. Probabilities are of the places as they are given, so those of the 90 % region add up to
    less than 1.
    """
    if not places:
        return ()
    at = np.array([[one.x, one.y] for one in places])
    columns, of = np.unique(at, axis=0, return_inverse=True)
    touching = _touching(columns, _spacing([one for one in places if not one.name]))
    around = np.asarray(touching @ np.bincount(of.ravel(), [one.probability for one in places]), dtype=np.float64)
    summit = _summits(around, touching)[of.ravel()]
    members = [np.flatnonzero(summit == one).tolist() for one in np.unique(summit)]
    found = [_mode(template, [places[k] for k in inside]) for inside in members]
    return tuple(sorted((one for one in found if one.probability >= LEAST), key=lambda one: -one.probability))


def _spacing(cells: Sequence[PlaceProbability]) -> float:
    """Return the grid's spacing in m, as far as its cells show it."""
    steps = [np.diff(np.unique([getattr(one, axis) for one in cells])) for axis in ("x", "y")]
    return min(COARSEST_M, max((float(one.min()) for one in steps if one.size), default=COARSEST_M))


def _touching(columns: Floats, spacing: float) -> Flags:
    """Return which columns [n, 2] touch each other [n, n]; known leak points lie between those of the grid."""
    away = np.abs(columns[:, None] - columns)
    return np.asarray((away <= NEIGHBOUR * spacing).all(axis=-1))


def _summits(height: Floats, touching: Flags) -> Indices:
    """Return the summit [n] that each column belongs to, of their heights [n]: from the highest down, by flooding."""
    parent: dict[int, int] = {}

    def summit(one: int) -> int:
        while parent[one] != one:
            one = parent[one]
        return one

    for column in np.argsort(-height, kind="stable").tolist():
        met = {summit(one) for one in np.flatnonzero(touching[column]).tolist() if one in parent}
        highest = max(met, key=lambda one: (height[one], -one), default=column)
        parent[column] = highest
        for other in met:
            if height[column] > VALLEY * height[other]:  # the valley between them is no deeper than this
                parent[other] = highest
    return np.array([summit(one) for one in range(height.size)], dtype=np.intp)


def _mode(template: Template, places: Sequence[PlaceProbability]) -> PlaceMode:
    """Return the mode of its places: all of their probability, at the likeliest of them."""
    at = max(places, key=lambda one: one.probability)
    known = [(math.dist((at.x, at.y, at.z), (one.x, one.y, one.z)), one.name) for one in template.leak_points]
    distance, name = min(known, default=(None, ""))
    return PlaceMode(
        x=at.x,
        y=at.y,
        z=at.z,
        probability=min(1.0, round(sum(one.probability for one in places), 6)),
        nearest_leak_point=name,
        distance_m=None if distance is None else round(distance, 2),
    )
