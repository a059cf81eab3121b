"""The semi-closed template's box written out slowly and plainly: loops over walls, zones and small time steps."""

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from shared.arrays import Floats
from shared.domain.template import WALLS, Template
from shared.simulation import Physics
from shared.simulation.plume import Flow
from tests.support.naive_plume import template

NORMALS = {"fore": (0.0, 1.0), "aft": (0.0, -1.0), "port": (-1.0, 0.0), "starboard": (1.0, 0.0)}


def boxed(porosity: float | Sequence[float] = 0.2, angle: float = 0.0, **changes: Any) -> Template:
    """Return a template 19 m wide, 15 m long, 6 m high, with walls of this porosity (fore, aft, port, starboard)."""
    shares = [porosity] * 4 if isinstance(porosity, int | float) else porosity
    values = template(angle).model_dump()
    values["porosity"] = dict(zip(WALLS, shares, strict=True))
    return Template.model_validate({**values, **changes})


def sensors_at(places: Sequence[Sequence[float]]) -> list[dict[str, object]]:
    """Return sensors of that template at these places."""
    return [
        {"id": f"snorre-w-{n}", "tag": f"tag-{n}", "number": n, "x": x, "y": y, "z": z}
        for n, (x, y, z) in enumerate(places, 1)
    ]


def steady_flow(count: int, speed: float = 0.08, angle: float = 0.0, isotropic: float = 0.0) -> Flow:
    """Return a flow that does not change."""
    return Flow(*(np.full(count, value) for value in (speed, angle, 0.05, isotropic)))


def varying_flow(count: int, seed: int = 3) -> Flow:
    """Return a flow of which every moment has its own speed and direction."""
    rng = np.random.default_rng(seed)
    speed, angle = rng.uniform(0.02, 0.3, count), rng.uniform(0, 2 * math.pi, count)
    return Flow(speed, angle, np.full(count, 0.05), np.zeros(count))


def naive_wall_flows(here: Template, carried: float, angle: float) -> dict[str, float]:
    """Return the flow into the box through each wall [m3/s], positive inwards, by scalar bisection."""
    rho = 1027.0

    def through(wall: str, inside: float) -> float:
        standing = getattr(here.wall_area, wall)
        side = (here.width if wall in {"fore", "aft"} else here.length) * here.height
        porosity = getattr(here.porosity, wall) if standing else 1.0
        tilt = math.radians(getattr(here.inclination, wall)) if standing else 0.0
        area = (standing or side) * max(porosity * math.cos(tilt), 0.005)
        discharge = 0.62 if porosity <= 0.3 else 0.62 + 0.38 * (porosity - 0.3) / 0.7
        nx, ny = NORMALS[wall]
        c = -(nx * math.sin(angle) + ny * math.cos(angle))
        cp = -0.5 + (1.2 if c >= 0 else 0.2) * c * c
        dp = 0.5 * rho * carried**2 * (cp - inside)
        return math.copysign(discharge * area * math.sqrt(2 * abs(dp) / rho), dp)

    low, high = -1.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        if sum(through(wall, middle) for wall in WALLS) > 0:
            low = middle
        else:
            high = middle
    return {wall: through(wall, low) for wall in WALLS}


def naive_derivative(
    here: Template, speed: float, angle: float, physics: Physics, nx: int = 3, ny: int = 3
) -> tuple[Callable[[Floats], Floats], Floats]:
    """Return dC/dt without sources as a function of C [zones], and what leaves each zone for good [zones] in m3/s."""
    carried = math.hypot(speed, 0.02)
    volume = (here.internal_volume or here.length * here.width * here.height) / (nx * ny)
    mixing, flows = physics.mixing_factor, naive_wall_flows(here, carried, angle)
    at_wall = {
        "fore": [(i, ny - 1) for i in range(nx)],
        "aft": [(i, 0) for i in range(nx)],
        "port": [(0, j) for j in range(ny)],
        "starboard": [(nx - 1, j) for j in range(ny)],
    }
    cells = [(i, j) for j in range(ny) for i in range(nx)]
    entering, leaving = dict.fromkeys(cells, 0.0), dict.fromkeys(cells, 0.0)
    for wall, zones in at_wall.items():
        standing = getattr(here.wall_area, wall)
        share = getattr(here.porosity, wall) * math.cos(math.radians(getattr(here.inclination, wall)))
        side = (here.width if wall in {"fore", "aft"} else here.length) * here.height
        area = standing * max(share, 0.005) if standing else side
        for cell in zones:
            entering[cell] += flows[wall] / len(zones)
            leaving[cell] += (max(-flows[wall], 0.0) + mixing * 0.025 * area * carried) / len(zones)
    if not here.roof:
        for cell in cells:
            leaving[cell] += mixing * 0.025 * here.length * here.width * carried / len(cells)
    dx, dy, h = here.width / nx, here.length / ny, here.height
    links = [((i, j), (i + 1, j), h * dy / dx) for i, j in cells if i + 1 < nx]
    links += [((i, j), (i, j + 1), h * dx / dy) for i, j in cells if j + 1 < ny]
    pressure = _pressures(cells, links, entering)
    face = h * (here.width * abs(math.cos(angle)) + here.length * abs(math.sin(angle)))
    inside = max(sum(max(q, 0.0) for q in flows.values()) / face, 0.1 * carried)
    k = mixing * physics.box_mixing_m * inside

    def derivative(concentration: Floats) -> Floats:
        c = dict(zip(cells, concentration, strict=True))
        change = {cell: -leaving[cell] * c[cell] for cell in cells}
        for one, other, width in links:
            flow = width * (pressure[one] - pressure[other])
            moved = flow * (c[one] if flow > 0 else c[other]) + k * width * (c[one] - c[other])
            change[one] -= moved
            change[other] += moved
        return np.array([change[cell] / volume for cell in cells])

    return derivative, np.array([leaving[cell] for cell in cells])


def _pressures(
    cells: list[tuple[int, int]],
    links: list[tuple[tuple[int, int], tuple[int, int], float]],
    entering: dict[tuple[int, int], float],
) -> dict[tuple[int, int], float]:
    """Return the pressures that let each zone pass on what enters it, by sweeps of relaxation until they stand."""
    pressure = dict.fromkeys(cells, 0.0)
    near = {cell: [(b if a == cell else a, width) for a, b, width in links if cell in {a, b}] for cell in cells}
    for _ in range(3000):
        before = dict(pressure)
        for cell in cells:
            if near[cell]:
                pulled = sum(width * pressure[other] for other, width in near[cell])
                pressure[cell] = (entering[cell] + pulled) / sum(width for _, width in near[cell])
        largest = max(abs(one) for one in pressure.values())
        if all(abs(pressure[cell] - before[cell]) <= 1e-15 * largest for cell in cells):
            break
    return pressure


def naive_weights(speed: float, angle: float, physics: Physics) -> list[float]:
    """Return how likely each of 24 directions is, by a wrapped normal distribution written out turn by turn."""
    meander = physics.residual_m_s / max(speed, 1e-6)
    spread = min(max(math.hypot(math.radians(physics.direction_spread_deg), meander), math.pi / 12), math.pi)
    raw = [
        sum(math.exp(-0.5 * ((angle - math.pi / 12 * k - 2 * math.pi * turn) / spread) ** 2) for turn in range(-6, 7))
        for k in range(24)
    ]
    return [one / sum(raw) for one in raw]


@cache
def _in_direction(here: Template, k: int, physics: Physics, nx: int, ny: int) -> tuple[Floats, Floats]:
    """Return dC/dt of each zone's C alone as columns of a matrix, and what leaves, in one direction at U_e = 1 m/s."""
    derivative, leaving = naive_derivative(here, math.sqrt(1 - 0.02**2), k * math.pi / 12, physics, nx, ny)
    return np.column_stack([derivative(one) for one in np.eye(nx * ny)]), leaving


def naive_moving(
    here: Template, speed: float, angle: float, physics: Physics, nx: int = 3, ny: int = 3
) -> tuple[Floats, Floats]:
    """Return M of dC/dt = M C, and what leaves each zone for good [zones] in m3/s, as a mean over directions."""
    carried, weights = math.hypot(speed, 0.02), naive_weights(speed, angle, physics)
    parts = [_in_direction(here, k, physics, nx, ny) for k in range(24)]
    matrix = sum((carried * w * part[0] for w, part in zip(weights, parts, strict=True)), np.zeros((nx * ny, nx * ny)))
    leaving = sum((carried * w * part[1] for w, part in zip(weights, parts, strict=True)), np.zeros(nx * ny))
    return matrix, leaving


def naive_run(
    here: Template, flow: Flow, seconds: Floats, zone: int, onset: int, physics: Physics, grid: tuple[int, int] = (3, 3)
) -> Floats:
    """Return C [zones, n] in kg/m3 of 1 kg/s into one zone from an onset, by the classic Runge-Kutta, 60 per step."""
    nx, ny = grid
    volume = (here.internal_volume or here.length * here.width * here.height) / (nx * ny)
    out = np.zeros((nx * ny, seconds.size))
    for n in range(onset + 1, seconds.size):
        matrix, _ = naive_moving(here, float(flow.speed[n]), float(flow.angle[n]), physics, nx, ny)
        source = np.zeros(nx * ny)
        source[zone] = 1 / volume
        c, h = out[:, n - 1], float(seconds[n] - seconds[n - 1]) / 60
        for _ in range(60):
            k1 = matrix @ c + source
            k2 = matrix @ (c + h / 2 * k1) + source
            k3 = matrix @ (c + h / 2 * k2) + source
            k4 = matrix @ (c + h * k3) + source
            c = c + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        out[:, n] = c
    return out


def naive_outside(here: Template, speed: float, angle: float, sensor: Sequence[float], physics: Physics) -> Floats:
    """Return the share of each zone's concentration [9] that a sensor outside an open-topped box reads."""
    carried, third = math.hypot(speed, 0.02), 1 / 3
    flows = _mean_outflows(here, speed, angle, physics)
    outlets: list[tuple[float, float, float, float]] = []
    middles = [(k + 0.5) / 9 - 0.5 for k in range(9)]
    for wall, (nx, ny) in NORMALS.items():
        area = getattr(here.wall_area, wall) * max(getattr(here.porosity, wall), 0.005)
        leaving = flows[wall] + physics.mixing_factor * 0.025 * area * carried
        for along in middles:
            x = here.width * (nx / 2 if nx else along)
            y = here.length * (ny / 2 if ny else along)
            outlets += [(x, y, here.height * (level + 0.5) * third, leaving / 27) for level in range(3)]
    leaving = physics.mixing_factor * 0.025 * here.width * here.length * carried
    for i in range(6):
        for j in range(6):
            x, y = here.width * ((i + 0.5) / 6 - 0.5), here.length * ((j + 0.5) / 6 - 0.5)
            outlets.append((x, y, here.height, leaving / 36))
    total = np.zeros(9)
    for x, y, z, strength in outlets:
        column = min(max(int((x / here.width + 0.5) * 3), 0), 2)
        row = min(max(int((y / here.length + 0.5) * 3), 0), 2)
        total[3 * row + column] += strength * _plume((x, y, z), sensor, carried, angle, physics)
    return np.asarray(total / max(1.0, total.sum()), dtype=np.float64)


def _mean_outflows(here: Template, speed: float, angle: float, physics: Physics) -> dict[str, float]:
    """Return the mean flow out through each wall [m3/s] over the directions."""
    carried = math.hypot(speed, 0.02)
    out: dict[str, float] = dict.fromkeys(WALLS, 0.0)
    for k, weight in enumerate(naive_weights(speed, angle, physics)):
        for wall, flow in _flows_in(here, k).items():
            out[wall] += carried * weight * max(-flow, 0.0)
    return out


@cache
def _flows_in(here: Template, k: int) -> dict[str, float]:
    return naive_wall_flows(here, 1.0, k * math.pi / 12)


def _plume(place: Sequence[float], sensor: Sequence[float], carried: float, angle: float, physics: Physics) -> float:
    """Return the concentration [s/m3] of a point source with its image, the direction spread by three nodes."""
    k = physics.mixing_factor * carried * (0.41 * 0.05 * place[2])
    k += physics.mixing_factor * physics.structure_mixing * physics.structure_size_m * carried
    dx, dy, total = sensor[0] - place[0], sensor[1] - place[1], 0.0
    for node, weight in ((0.0, 2 / 3), (math.sqrt(3), 1 / 6), (-math.sqrt(3), 1 / 6)):
        turned = angle + math.radians(physics.direction_spread_deg) * node
        downstream = dx * math.sin(turned) + dy * math.cos(turned)
        for height in (sensor[2] - place[2], sensor[2] + place[2]):
            r = math.sqrt(dx * dx + dy * dy + height * height + physics.source_radius_m**2)
            total += weight * math.exp(-carried * (r - downstream) / (2 * k)) / (4 * math.pi * k * r)
    return total
