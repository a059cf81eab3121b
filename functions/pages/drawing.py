"""Drawings: a template from above and from aft, to scale in metres, with where a leak may be.

Coordinates are the template's own: to the right x (starboard), upwards y (fore) or z (up). A picture's y grows
downwards, so what is drawn has its second coordinate turned round.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from functions.pages.labels import Box, Label, Sheet, beside
from shared.domain.estimation import Estimation, PlaceProbability
from shared.domain.performance import RateMap
from shared.domain.template import WALLS, Template
from shared.usecases.queries.page_views import Current

MARGIN = 1.25
FONT = 0.04  # of the width
ARROW = 0.045  # of the width: half of the arrow that points north
RADIUS, DOT = 0.75, 0.35  # of the letters' height: of a sensor with its number in it, and of one among others
SMALL = 0.8  # of the letters' height: names of walls and points
LINE_WIDTH = 0.25  # [m]: of a wall, as in the style sheet
ALONG = (0.5, 0.35, 0.65, 0.2, 0.8, 0.1, 0.9)  # where a wall's name may stand
STEPS = (1, 2, 5)  # of a decade
KG_S = 3.6e6  # in g/h
EXACT = 1e-9  # of a rate that is an edge
LEAST_STEP = 0.05  # [m]: nearer centres are of one cell


@dataclass(frozen=True)
class Cell:
    """A cell of the map: its left upper corner, its size [m], and how likely it is beside the likeliest, 0 to 1."""

    x: float
    y: float
    width: float
    height: float
    share: float
    rate: float | None = None  # that a cell of a map of rates stands for, in kg/s


@dataclass(frozen=True)
class Marker:
    """A place with the names of what is there, and the ids of sensors among it."""

    name: str
    x: float
    y: float
    ids: tuple[str, ...] = ()
    radius: float = 0.0
    inside: bool = False  # the name stands in the circle


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


class Spot(NamedTuple):
    """Where an arrow turns around, and half of its length [m]."""

    x: float
    y: float
    half: float


@dataclass(frozen=True)
class Drawing:
    """A drawing in metres: its frame, the map of the place, walls, leak points, sensors, names, the likeliest place."""

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
    labels: Sequence[Label]
    target: Marker | None  # the likeliest place
    north: Spot | None  # of a plan
    flow: Spot | None

    @property
    def font(self) -> float:
        """Height of letters [m]."""
        return FONT * self.width

    @property
    def unit(self) -> int:
        """Length of the ruler [m]."""
        return 5 if self.width > 15 else 1


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
    reach = [*((marker.x, marker.y) for marker in (*points, *sensors)), (half_width, half_length)]
    size = MARGIN * max(max(abs(x), abs(y)) for x, y in reach)
    band = 3.6 * ARROW * 2 * size  # above the template, for the arrows
    half = ARROW * 2 * size
    spots = (Spot(size - band / 2, -size - band / 2, half), Spot(-size + band / 2, -size - band / 2, 1.5 * half))
    frame = Box(-size, -size - band, size, size)
    return _drawing(frame, _map(estimation, "x", "y"), sides, points, sensors, _target(estimation, "y"), spots)


def rate_plan(template: Template, found: RateMap, height: int, steps: Sequence[float]) -> Drawing:
    """Return the template from above with the smallest rates that are found at one of the map's heights."""
    return replace(plan(template, None), cells=_rate_cells(template, found, height, steps))


def _rate_cells(template: Template, found: RateMap, height: int, steps: Sequence[float]) -> list[Cell]:
    """Return a cell for each rate of a height, the darker the smaller it is; none where no rate is found."""
    width, depth = _step(found.x, template.width), _step(found.y, template.length)
    return [
        Cell(x - width / 2, -y - depth / 2, width, depth, shade(rate, steps), rate)
        for y, row in zip(found.y, found.rates_kg_s[height], strict=True)
        for x, rate in zip(found.x, row, strict=True)
        if rate is not None
    ]


def _step(centres: Sequence[float], whole: float) -> float:
    return centres[1] - centres[0] if len(centres) > 1 else whole


def rate_steps(*found: RateMap) -> tuple[float, ...]:
    """Return edges [kg/s] of steps, 1, 2 and 5 g/h of each decade, that hold all rates of some maps."""
    rates = [rate for one in found for table in one.rates_kg_s for row in table for rate in row if rate is not None]
    if not rates:
        return ()
    low, high = (rate * KG_S for rate in (min(rates), max(rates)))
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    edges = [digit * 10.0**decade for decade in decades for digit in STEPS]
    first = max(k for k, edge in enumerate(edges) if edge <= low * (1 + EXACT))
    last = min(k for k, edge in enumerate(edges) if edge >= high * (1 - EXACT))
    return tuple(edge / KG_S for edge in edges[first : max(last, first + 1) + 1])


def shade(rate: float, steps: Sequence[float]) -> float:
    """Return how dark a rate is drawn: from 0.9 in the first step to 0.1 in the last."""
    step = sum(edge <= rate for edge in steps[1:-1])
    return 0.9 - 0.8 * step / max(len(steps) - 2, 1)


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
    markers = (*points, *sensors)
    wide = MARGIN * max([half, *(abs(marker.x) for marker in markers)])
    high = MARGIN * max([top, *(-marker.y for marker in markers)])
    frame = Box(-wide, -high, wide, 4 * FONT * wide)
    return _drawing(frame, _map(estimation, "x", "z"), sides, points, sensors, _target(estimation, "z"), None)


def _target(estimation: Estimation | None, up: str) -> Marker | None:
    place = estimation.place if estimation is not None else None
    return Marker("", place.x, -getattr(place, up)) if place is not None else None


def _drawing(
    frame: Box,
    of_map: tuple[list[Cell], str, str],
    sides: Sequence[Side],
    points: Sequence[Marker],
    sensors: Sequence[Marker],
    target: Marker | None,
    spots: tuple[Spot, Spot] | None,
) -> Drawing:
    """Return the drawing with its labels: a number in a sensor's circle, or beside it where it does not fit."""
    width = frame.right - frame.left
    font = FONT * width
    small, thick = SMALL * font, DOT * font
    circles = [_circle(one, sensors, font) for one in sensors]
    taken = [Box.about(one.x, one.y, 2 * one.radius, 2 * one.radius) for one in circles]
    taken += [Box.about(one.x, one.y, 2 * thick, 2 * thick) for one in points]
    taken += [Box.about(one.x, one.y, 3.6 * ARROW * width, 3.6 * ARROW * width) for one in spots or ()]
    taken += [_wall(one) for one in sides]
    taken.append(Box(frame.left, frame.bottom - 1.6 * font, frame.left + 5 + 5 * font, frame.bottom))  # the ruler
    if target is not None:
        taken.append(Box.about(target.x, target.y, 2.6 * font, 2.6 * font))
    sheet = Sheet(frame, taken)
    for one in circles:
        if not one.inside:
            sheet.add(beside("sensor", one.name, one.x, one.y, small, one.radius + 0.1 * font))
    for one in points:
        sheet.add(beside("point", one.name, one.x, one.y, small, thick + 0.1 * font))
    for side in sides if spots else ():
        sheet.add(_wall_names(side, small))
    north, flow = spots or (None, None)
    return Drawing(
        frame.left,
        frame.top,
        width,
        frame.bottom - frame.top,
        *of_map,
        sides,
        points,
        circles,
        sheet.labels,
        target,
        north,
        flow,
    )


def _circle(sensor: Marker, others: Sequence[Marker], font: float) -> Marker:
    """Return a sensor with its circle: a small one without a number where another one is near, or the number long."""
    near = min((math.dist((sensor.x, sensor.y), (one.x, one.y)) for one in others if one is not sensor), default=9e9)
    inside = len(sensor.name) <= 2 and near > 2 * RADIUS * font * 1.1
    return replace(sensor, radius=(RADIUS if inside else DOT) * font, inside=inside)


def _wall(side: Side) -> Box:
    """Return what a wall's line covers."""
    half = LINE_WIDTH / 2
    return Box(
        min(side.x1, side.x2) - half,
        min(side.y1, side.y2) - half,
        max(side.x1, side.x2) + half,
        max(side.y1, side.y2) + half,
    )


def _wall_names(side: Side, size: float) -> Iterator[Label]:
    """Yield a wall's name along its outer side, in the middle first."""
    upright = side.name in ("port", "starboard")
    middle_x, middle_y = (side.x1 + side.x2) / 2, (side.y1 + side.y2) / 2
    away = math.copysign(0.9 * size, middle_x if upright else middle_y)
    for share in ALONG:
        x, y = side.x1 + share * (side.x2 - side.x1), side.y1 + share * (side.y2 - side.y1)
        yield Label("wall", side.name, x + away * upright, y + away * (not upright), size, turned=upright)


def _together(markers: Iterable[Marker]) -> list[Marker]:
    """Return the markers, those at one place as one."""
    found: dict[tuple[float, float], Marker] = {}
    for one in markers:
        key = round(one.x, 1), round(one.y, 1)
        there = found.get(key)
        found[key] = one if there is None else Marker(f"{there.name}, {one.name}", one.x, one.y, there.ids + one.ids)
    return list(found.values())


def from_north(template: Template, direction: float) -> float:
    """Return how far to turn an arrow that points fore [degrees clockwise], so that it points to a direction."""
    return (direction - template.angle_from_north) % 360


def arrow_length(current: Current) -> float:
    """Return the length of the current's arrow: 0.4, so that it is seen, to 1, of 0.5 m/s and more."""
    return min(1.0, max(0.4, current.speed / 0.5))


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
