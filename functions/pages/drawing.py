"""Drawings: a template from above and from aft, to scale in metres, with where a leak may be.

Coordinates are the template's own: to the right x (starboard), upwards y (fore) or z (up). A picture's y grows
downwards, so what is drawn has its second coordinate turned round.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.domain.estimation import Estimation, PlaceProbability
from shared.domain.template import WALLS, Template
from shared.usecases.queries.page_views import Current

MARGIN = 1.25
FONT = 0.04  # of the width
LEAST_STEP = 0.05  # [m]: nearer centres are of one cell


@dataclass(frozen=True)
class Cell:
    """A cell of the map: its left upper corner, its size [m], and how likely it is beside the likeliest, 0 to 1."""

    x: float
    y: float
    width: float
    height: float
    share: float


@dataclass(frozen=True)
class Marker:
    """A place with the names of what is there, and the ids of sensors among it."""

    name: str
    x: float
    y: float
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Side:
    """A wall: where it is drawn from and to, and the open share of it."""

    name: str
    x1: float
    y1: float
    x2: float
    y2: float
    porosity: float

    @property
    def dash(self) -> str:
        """Strokes and gaps [m] by the open share; empty: closed."""
        return "" if self.porosity <= 0 else f"{1 - 0.8 * self.porosity:.2f} {0.2 + 0.6 * self.porosity:.2f}"


@dataclass(frozen=True)
class Drawing:
    """A drawing in metres: its frame, the map of the place, walls, leak points, sensors and the likeliest place."""

    left: float
    top: float
    width: float
    height: float
    cells: Sequence[Cell]
    region_50: str  # the path around the cells that hold half of the probability
    region_90: str
    sides: Sequence[Side]
    points: Sequence[Marker]
    sensors: Sequence[Marker]
    target: Marker | None  # the likeliest place

    @property
    def font(self) -> float:
        """Height of letters [m]."""
        return FONT * self.width


def plan(template: Template, estimation: Estimation | None) -> Drawing:
    """Return the template from above, fore upwards."""
    half_width, half_length = template.width / 2, template.length / 2
    corners = {
        "fore": (-half_width, -half_length, half_width, -half_length),
        "starboard": (half_width, -half_length, half_width, half_length),
        "aft": (half_width, half_length, -half_width, half_length),
        "port": (-half_width, half_length, -half_width, -half_length),
    }
    sides = [Side(name, *corners[name], porosity=getattr(template.porosity, name)) for name in WALLS]
    points = _together(Marker(one.name, one.x, -one.y) for one in template.leak_points)
    sensors = _together(Marker(str(one.number), one.x, -one.y, (one.id,)) for one in template.sensors)
    cells, inner, outer = _map(estimation, "x", "y")
    reach = [*((marker.x, marker.y) for marker in (*points, *sensors)), (half_width, half_length)]
    wide = MARGIN * max(abs(x) for x, _ in reach)
    high = MARGIN * max(abs(y) for _, y in reach)
    size = max(wide, high)
    place = estimation.place if estimation is not None else None
    target = Marker("", place.x, -place.y) if place is not None else None
    return Drawing(-size, -size, 2 * size, 2 * size, cells, inner, outer, sides, points, sensors, target)


def elevation(template: Template, estimation: Estimation | None) -> Drawing:
    """Return the template from aft, up upwards, the seabed at its foot."""
    half, top = template.width / 2, template.height
    sides = [
        Side("port", -half, 0, -half, -top, template.porosity.port),
        Side("starboard", half, 0, half, -top, template.porosity.starboard),
        Side("roof", -half, -top, half, -top, 0 if template.roof else 1),
    ]
    points = _together(Marker(one.name, one.x, -one.z) for one in template.leak_points)
    sensors = _together(Marker(str(one.number), one.x, -one.z, (one.id,)) for one in template.sensors)
    cells, inner, outer = _map(estimation, "x", "z")
    markers = (*points, *sensors)
    wide = MARGIN * max([half, *(abs(marker.x) for marker in markers)])
    high = MARGIN * max([top, *(-marker.y for marker in markers)])
    place = estimation.place if estimation is not None else None
    target = Marker("", place.x, -place.z) if place is not None else None
    return Drawing(-wide, -high, 2 * wide, 1.12 * high, cells, inner, outer, sides, points, sensors, target)


def _together(markers: Iterable[Marker]) -> list[Marker]:
    """Return the markers, those at one place as one."""
    found: dict[tuple[float, float], Marker] = {}
    for one in markers:
        key = round(one.x, 1), round(one.y, 1)
        there = found.get(key)
        found[key] = one if there is None else Marker(f"{there.name},{one.name}", one.x, one.y, there.ids + one.ids)
    return list(found.values())


def from_north(template: Template, direction: float) -> float:
    """Return how far to turn an arrow that points fore [degrees clockwise], so that it points to a direction."""
    return (direction - template.angle_from_north) % 360


def arrow_length(current: Current) -> float:
    """Return the length of the current's arrow, 0 to 1: 0.5 m/s and more is 1."""
    return min(1.0, max(0.15, current.speed / 0.5))


def _map(estimation: Estimation | None, first: str, second: str) -> tuple[list[Cell], str, str]:
    """Return the cells seen along the third axis, and the outlines of their 50 % and 90 % regions."""
    places = estimation.places if estimation is not None else ()
    if not places:
        return [], "", ""
    across, up = CellAxis.of(places, first), CellAxis.of(places, second)
    share: defaultdict[tuple[int, int], float] = defaultdict(float)
    for one in places:
        share[across.index(getattr(one, first)), up.index(getattr(one, second))] += one.probability
    largest, total = max(share.values()), sum(share.values())
    ranked = sorted(share.items(), key=lambda item: -item[1])
    half, held = set(), 0.0
    for key, probability in ranked:
        half.add(key)
        held += probability
        if held >= total * 50 / 90:  # the places are those of the 90 % region
            break
    cells = [
        Cell(across.edge(a), -up.edge(b + 1), across.step, up.step, math.sqrt(probability / largest))
        for (a, b), probability in ranked
    ]
    return cells, _outline(half, across, up), _outline(share, across, up)


@dataclass(frozen=True)
class CellAxis:
    """The cells along an axis: the first one's centre, and their distance [m]."""

    first: float
    step: float

    @classmethod
    def of(cls, places: Iterable[PlaceProbability], axis: str) -> "CellAxis":
        """Return the cells of places along an axis; a single one is a metre wide."""
        known = sorted({round(getattr(one, axis), 3) for one in places})
        return cls(known[0], min((b - a for a, b in pairwise(known) if b - a > LEAST_STEP), default=1.0))

    def index(self, value: float) -> int:
        """Return the cell that a place lies in."""
        return round((value - self.first) / self.step)

    def edge(self, index: int) -> float:
        """Return where a cell begins."""
        return self.first + (index - 0.5) * self.step


def _outline(keys: Iterable[tuple[int, int]], across: CellAxis, up: CellAxis) -> str:
    """Return the path around a set of cells: the edges that only one of them has."""
    edges: set[tuple[int, int, int, int]] = set()
    for a, b in keys:
        edges ^= {(a, b, a + 1, b), (a, b + 1, a + 1, b + 1), (a, b, a, b + 1), (a + 1, b, a + 1, b + 1)}
    return "".join(
        f"M{across.edge(a):.2f} {-up.edge(b):.2f}L{across.edge(c):.2f} {-up.edge(d):.2f}"
        for a, b, c, d in sorted(edges)
    )
