"""What a leak inside a semi-closed template brings to its sensors, as a box of cells, for a truth of the family.

Water enters by the walls that face the current and leaves by the others; inside it follows a potential flow, which
eddies mix (``cells``). Of the family's truth the current's swings, the sensors and the meter hold here; how clouds
spread in the open does not, since walls stop them.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from bench.estimation.cells import (
    CELLS,
    COUNT,
    NUMBERS,
    WALLS,
    advanced,
    exchange_matrix,
    faces_of,
    top_cells,
    wall_cells,
)
from bench.estimation.courses import STEADY, Course
from bench.estimation.family import Truth
from bench.estimation.sea import STEP_S, STEPS_PER_BLOCK, currents, kg_m3_per_ppmv, sensed, span_of, swinging
from shared.arrays import Floats, Indices, Times
from shared.domain.environment import Environment
from shared.domain.template import Template

FILL = 0.9  # of the box is water where its volume is not known
SIDE_SUCTION = 0.6  # of what the lee draws, per opening
SLACK = 0.012  # m/s, what mixes and leaks at slack water


@dataclass(frozen=True, slots=True)
class Hull:
    """What nobody knows of the flow through one template."""

    through: float  # speed in the openings over the current before them
    leaky: float  # turbulent exchange through an opening over the current, each way
    stirring: float  # eddy size inside over the cells' size


def drawn(rng: np.random.Generator) -> Hull:
    """Return one hull; the spreads are guesses that a single template would not need."""
    return Hull(
        through=rng.uniform(0.4, 0.8),
        leaky=rng.uniform(0.02, 0.06),
        stirring=rng.uniform(0.05, 0.2),
    )


def box_readings(
    template: Template,
    environment: Environment,
    place: tuple[float, float, float],
    dissolved_rate_kg_s: float,
    onset: datetime | np.datetime64,
    times: Times,
    truth: Truth,
    rng: np.random.Generator,
    course: Course = STEADY,
) -> Floats:
    """Return what the sensors read above background [sensors, n] in ppmv at increasing ``times`` [n].

    For a template that is closed in part. The leak is in the cell of its ``place`` and every sensor reads its own cell;
    outside the box that is the nearest cell. ``environment`` holds the true currents; the rate changes by its
    ``course``. Linear in it for the same ``rng``, which also draws the hull.
    """
    span = span_of(times, onset, max(truth.up_s, truth.down_s))
    mean = currents(environment, template.angle_from_north, span.steps, truth.phase)
    box = Box(template, drawn(rng))
    flow = swinging(mean, truth, rng, STEP_S)
    source = box.cell(place)
    cells = [box.cell((one.x, one.y, one.z)) for one in template.sensors]
    released = span.leaking * course.factor(np.maximum(span.steps - span.onset, 0.0))
    per_step, held = np.zeros((len(cells), flow.shape[1])), np.zeros(COUNT)
    for step in np.flatnonzero(span.steps + STEP_S > span.onset):
        held = box.after(held, source, float(released[step]), flow[:, step])
        per_step[:, step] = held[cells]
    per_rate = per_step.reshape(len(cells), -1, STEPS_PER_BLOCK).mean(axis=-1)
    ppmv = per_rate / kg_m3_per_ppmv(environment, template.depth, span.ends)
    return dissolved_rate_kg_s * sensed(ppmv, span, times, truth.up_s, truth.down_s)


class Box:
    """The water inside a template: concentrations [50] in s/m3 per unit rate, and what moves them."""

    def __init__(self, template: Template, hull: Hull) -> None:
        """Lay out cells and openings."""
        self.hull, self.roof = hull, template.roof
        self.size = np.array([template.width, template.length, template.height])
        self.edge = self.size / CELLS
        volume = template.internal_volume or FILL * float(self.size.prod())
        self.fill = volume / float(self.size.prod())
        self.cell_volume = volume / COUNT
        self.openings = np.array([_opening(template, wall) for wall in WALLS])
        self.faces = faces_of(self.edge)
        self.spread = np.stack([_evenly(wall_cells(wall)) for wall in WALLS])

    def cell(self, place: tuple[float, float, float]) -> int:
        """Return the number of a place's cell, of the nearest one for a place outside; the place in m."""
        share = (np.array(place) + self.size * [0.5, 0.5, 0.0]) / self.edge
        x, y, z = np.clip(np.floor(share).astype(int), 0, np.array(CELLS) - 1)
        return int(NUMBERS[x, y, z])

    def inflow(self, current: Floats) -> Floats:
        """Return what enters by each wall [4] in m3/s, negative where it leaves; the sum is 0.

        The windward walls take what the current pushes at them, throttled by what the other openings let out; the lee
        draws in proportion to its facing, the sides less.
        """
        facing = np.array([-sign * current[axis] for axis, sign in WALLS.values()])
        pull = np.maximum(-facing, SIDE_SUCTION * float(np.hypot(*current)))
        pushed = self.openings * np.maximum(facing, 0.0)
        pulled = np.where(facing > 0, 0.0, self.openings * pull)
        into, out = pushed.sum(), pulled.sum()
        if into * out == 0:
            return np.zeros(len(WALLS))
        through = self.hull.through * into * out / np.hypot(into, out)
        return np.asarray(through * (pushed / into - pulled / out), dtype=np.float64)

    def leaving(self, current: Floats) -> Floats:
        """Return the water that leaves each cell [50] in m3/s: with the flow, by eddies, over the top."""
        restless = self.hull.leaky * (float(np.hypot(*current)) + SLACK)
        leaving = (np.maximum(-self.inflow(current), 0) + restless * self.openings) @ self.spread
        if not self.roof:
            leaving += restless * self.size[0] * self.size[1] * _evenly(top_cells())
        return np.asarray(leaving, dtype=np.float64)

    def after(self, held: Floats, source: int, leaking: float, current: Floats) -> Floats:
        """Return the concentrations a step later [50], with a unit rate for a share ``leaking`` of the step."""
        flow = self.faces.flow @ (self.inflow(current) @ self.spread)
        matrix = exchange_matrix(self.faces, flow, self._mixing(current), self.leaving(current))
        released = np.zeros(COUNT)
        released[source] = leaking
        return advanced(held, matrix, released, self.cell_volume, STEP_S)

    def _mixing(self, current: Floats) -> Floats:
        """Return the eddies' exchange through the inner faces [f] in m3/s, each way: K A / distance."""
        speed = self.hull.through * float(np.hypot(*current)) + SLACK
        diffusivity = self.hull.stirring * speed * float(self.edge.min())
        return np.asarray(
            (diffusivity * self.fill * self.edge.prod() / self.edge**2)[self.faces.axis], dtype=np.float64
        )


def _evenly(cells: Indices) -> Floats:
    return np.bincount(cells, minlength=COUNT) / cells.size


def _opening(template: Template, wall: str) -> float:
    part = [getattr(one, wall) for one in (template.porosity, template.wall_area, template.inclination)]
    return float(part[0] * part[1] * np.cos(np.radians(part[2])))
