"""The zones that a semi-closed template's water is divided into, and how the water moves between them."""

from dataclasses import dataclass

import numpy as np

from shared.arrays import Floats, Indices
from shared.domain.template import Template
from shared.simulation.physics import Physics
from shared.simulation.walls import Openings, exchange_flows, mean_flows

LEAST_ZONE_M = 1.5  # a smaller zone would be smaller than the eddies that mix it
_SLOWEST_INSIDE = 0.1  # of U_e: what stirs a box that nothing flows through


@dataclass(frozen=True, eq=False, slots=True)
class Zones:
    """A grid of nx by ny zones of the box, x first: the zone of column i and row j is j nx + i.

    ``shares`` [5, zones]: how each wall's flow, and the top's, divides among the zones. ``through`` [edges, 4]: the
    flow along each edge from its first to its second zone per flow into each wall. ``patterns`` [2 edges + zones,
    zones^2]: what a flow forth, back and out does to the mass balance. ``volume`` of one zone in m3.
    """

    nx: int
    ny: int
    width: float
    length: float
    height: float
    volume: float
    shares: Floats
    conductance: Floats  # m, face over distance of each edge
    through: Floats
    patterns: Floats

    @property
    def count(self) -> int:
        """Return how many zones there are."""
        return self.nx * self.ny

    def of(self, places: Floats) -> Indices:
        """Return the zone [p] of places [p, 3] in m; the nearest one for places outside the box."""
        column = np.floor((places[:, 0] / self.width + 0.5) * self.nx)
        row = np.floor((places[:, 1] / self.length + 0.5) * self.ny)
        return np.asarray(
            np.clip(row, 0, self.ny - 1) * self.nx + np.clip(column, 0, self.nx - 1),
            dtype=np.int64,
        )


def zones_of(template: Template, most: int = 3) -> Zones:
    """Return the zones of a template, at most ``most`` each way and not smaller than 1.5 m unless the box is."""
    nx, ny = (max(1, min(most, int(size / LEAST_ZONE_M))) for size in (template.width, template.length))
    box = template.length * template.width * template.height
    volume = (template.internal_volume or box) / (nx * ny)
    edges, conductance = _edges(template, nx, ny)
    shares = _shares(nx, ny)
    return Zones(
        nx=nx,
        ny=ny,
        width=template.width,
        length=template.length,
        height=template.height,
        volume=volume,
        shares=shares,
        conductance=conductance,
        through=_potential_flow(edges, conductance, shares[:4]),
        patterns=_patterns(edges, nx * ny),
    )


def transport(zones: Zones, openings: Openings, angle: Floats, physics: Physics) -> tuple[Floats, Floats]:
    """Return M [n, zones, zones] of dC/dt = M C, in 1/m (1/s per m/s of U_e), and what leaves [n, 5] in m2.

    Mean flow between zones is potential flow on the network, upwind; turbulence exchanges K face / distance between
    neighbours, K = c d U_in times the mixing factor. U_in is the mean inflow over the box's face as the current sees
    it, H (W |cos| + L |sin|), and at least 0.1 U_e. What leaves is per wall and last the top, mean and turbulent.
    """
    entering = mean_flows(openings, angle)
    leaving = np.maximum(-np.pad(entering, ((0, 0), (0, 1))), 0.0) + exchange_flows(openings, physics)
    stirred = _inner_mixing(zones, entering, angle, physics)[:, None] * zones.conductance
    along = entering @ zones.through.T
    carried = [np.maximum(along, 0.0) + stirred, np.maximum(-along, 0.0) + stirred, leaving @ zones.shares]
    balance = np.concatenate(carried, axis=1) @ zones.patterns
    return balance.reshape(-1, zones.count, zones.count) / zones.volume, leaving


def _inner_mixing(zones: Zones, entering: Floats, angle: Floats, physics: Physics) -> Floats:
    face = zones.height * (zones.width * np.abs(np.cos(angle)) + zones.length * np.abs(np.sin(angle)))
    inside = np.maximum(np.maximum(entering, 0.0).sum(axis=1) / face, _SLOWEST_INSIDE)
    return np.asarray(physics.mixing_factor * physics.box_mixing_m * inside, dtype=np.float64)


def _edges(template: Template, nx: int, ny: int) -> tuple[Indices, Floats]:
    """Return the pairs of neighbours [edges, 2] and the face between them over their distance [edges] in m."""
    zone = np.arange(nx * ny).reshape(ny, nx)
    across = np.stack([zone[:, :-1].ravel(), zone[:, 1:].ravel()], axis=1)
    along = np.stack([zone[:-1].ravel(), zone[1:].ravel()], axis=1)
    dx, dy = template.width / nx, template.length / ny
    conductance = np.repeat([template.height * dy / dx, template.height * dx / dy], [len(across), len(along)])
    return np.concatenate([across, along]).astype(np.int64), conductance


def _shares(nx: int, ny: int) -> Floats:
    """Return how each wall's flow, and the top's, is divided evenly among the zones at it [5, zones]."""
    at = np.zeros((5, ny, nx))
    at[0, -1], at[1, 0], at[2, :, 0], at[3, :, -1], at[4] = 1, 1, 1, 1, 1
    flat = at.reshape(5, -1)
    return np.asarray(flat / flat.sum(axis=1, keepdims=True), dtype=np.float64)


def _potential_flow(edges: Indices, conductance: Floats, shares: Floats) -> Floats:
    """Return the flow along each edge per flow into each wall [edges, 4]: L p = b solved once for every wall.

    The pseudo-inverse takes the singular constant out: its eigenvalue is rounding (1e-16 of the largest), the others
    are over 1e-4. It conserves water whenever the wall flows sum to zero.
    """
    difference = np.zeros((len(edges), shares.shape[1]))
    rows = np.arange(len(edges))
    difference[rows, edges[:, 0]], difference[rows, edges[:, 1]] = 1.0, -1.0
    laplacian = difference.T @ (conductance[:, None] * difference)
    pressures = np.linalg.pinv(laplacian, rcond=1e-10, hermitian=True) @ shares.T
    return np.asarray(conductance[:, None] * (difference @ pressures), dtype=np.float64)


def _patterns(edges: Indices, count: int) -> Floats:
    """Return what one m3/s forth, back and out adds to V M [2 edges + zones, zones^2]."""
    sources = np.concatenate([edges[:, 0], edges[:, 1], np.arange(count)])
    patterns = np.zeros((sources.size, count, count))
    rows = np.arange(sources.size)
    patterns[rows, sources, sources] = -1.0
    inner = rows[: 2 * len(edges)]
    patterns[inner, np.concatenate([edges[:, 1], edges[:, 0]]), sources[inner]] = 1.0
    return patterns.reshape(sources.size, count * count)
