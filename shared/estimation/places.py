"""Where the leak is likely to be: from the probability of every candidate to places with names."""

import math

import numpy as np

from shared.arrays import Floats
from shared.domain.estimation import PlaceProbability
from shared.domain.template import Template
from shared.estimation.candidates import Places
from shared.estimation.posterior import region

_WEIGHTS = (1.0, 1.0, 0.25)  # of squared distances to starboard, to fore and up
MOST_PLACES = 250  # so that an answer stays small
_NEAR_M = 5.0  # what is further away than that counts little more
_NEAR_POINT_M = 1.5
_ALMOST_ALL = 0.999  # of the probability; what is beyond decides no place


def cell_mass(places: Places, probability: Floats) -> Floats:
    """Return each cell's probability [cells] from each place's [p]; leak points count into the cell they lie in."""
    return np.asarray(np.bincount(places.home, weights=probability, minlength=places.cells), dtype=np.float64)


def likely_place(template: Template, places: Places, probability: Floats) -> tuple[PlaceProbability, float]:
    """Return the place nearest to where the leak may be by ``probability`` [p], and the rms distance from it in m.

    The least mean of d / (d + 5 m): as the most likely place where one stands out, as the middle of a cluster where
    none does, and not drawn away by what is far. Height counts half, since the sensors hardly see it.
    """
    likely = np.sort(region(probability, _ALMOST_ALL))
    scaled = (places.positions[likely] * np.sqrt(_WEIGHTS)).astype(np.float32)
    square = np.einsum("pi,pi->p", scaled, scaled)
    distance = np.sqrt(np.maximum(square[:, None] + square - 2 * scaled @ scaled.T, 0.0))
    chosen = int(likely[int((distance / (distance + _NEAR_M) @ probability[likely]).argmin())])
    away = places.positions - places.positions[chosen]
    error = math.sqrt(float((away**2).sum(axis=-1) @ probability))
    return named(template, places, chosen, float(cell_mass(places, probability)[places.home[chosen]])), error


def likely_leak_point(template: Template, places: Places, probability: Floats) -> PlaceProbability | None:
    """Return the known leak point with the most ``probability`` [p] within 1.5 m of it; None without any."""
    found = []
    for point in template.leak_points:
        at = np.array([point.x, point.y, point.z])
        near = ((places.positions - at) ** 2).sum(axis=1) <= _NEAR_POINT_M**2
        mass = min(1.0, round(float(probability[near].sum()), 6))
        found.append(PlaceProbability(name=point.name, x=point.x, y=point.y, z=point.z, probability=mass))
    return max(found, key=lambda place: place.probability, default=None)


def likely_places(template: Template, places: Places, probability: Floats) -> tuple[PlaceProbability, ...]:
    """Return the fewest places that together hold 90 % of the ``probability`` [p], the likeliest first; at most 250."""
    chosen = region(probability, 0.9)[:MOST_PLACES]
    return tuple(named(template, places, int(k), float(probability[k])) for k in chosen)


def named(template: Template, places: Places, k: int, probability: float) -> PlaceProbability:
    """Return place ``k`` with its name where it is a known leak point, its position [m] and its probability."""
    name = template.leak_points[k - places.cells].name if k >= places.cells else ""
    x, y, z = (round(one, 3) for one in places.positions[k].tolist())
    return PlaceProbability(name=name, x=x, y=y, z=z, probability=min(1.0, round(probability, 6)))
