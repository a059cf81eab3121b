"""The water inside a template as 5 x 5 x 2 cells, with what moves gas between them; upwind finite volumes."""

from dataclasses import dataclass

import numpy as np

from shared.arrays import Floats, Indices

CELLS = (5, 5, 2)  # to starboard, to fore, up
COUNT = int(np.prod(CELLS))
# The axis and the direction of each wall's outward normal.
WALLS = {"port": (0, -1), "starboard": (0, 1), "aft": (1, -1), "fore": (1, 1)}
NUMBERS = np.arange(COUNT).reshape(CELLS)
COURANT = 0.4


@dataclass(frozen=True, eq=False, slots=True)
class Faces:
    """The inner faces [f]: the cells on either side, the axis across, and the potential flow through them.

    ``flow`` [f, 50] is what passes from lower to upper per unit of water that enters each cell.
    """

    lower: Indices
    upper: Indices
    axis: Indices
    flow: Floats


def faces_of(edge: Floats) -> Faces:
    """Return the inner faces of cells with edges [3] in m; water follows a potential, faces conduct by their width."""
    lower, upper, axes = [], [], []
    for axis in range(3):
        along = np.moveaxis(NUMBERS, axis, 0)
        lower.append(along[:-1].ravel())
        upper.append(along[1:].ravel())
        axes.append(np.full(along[1:].size, axis))
    low, up, axis_of = np.concatenate(lower), np.concatenate(upper), np.concatenate(axes)
    differences = np.eye(COUNT)[low] - np.eye(COUNT)[up]
    conducting = differences * (edge.prod() / edge[axis_of] ** 2)[:, None]
    return Faces(low, up, axis_of, conducting @ np.linalg.pinv(differences.T @ conducting, rcond=1e-10, hermitian=True))


def wall_cells(wall: str) -> Indices:
    """Return the numbers [cells of the wall] of the cells along a wall."""
    axis, sign = WALLS[wall]
    end = -1 if sign > 0 else 0
    return NUMBERS[end].ravel() if axis == 0 else NUMBERS[:, end].ravel()


def top_cells() -> Indices:
    """Return the numbers [cells of the roof] of the cells under the roof."""
    return NUMBERS[:, :, -1].ravel()


def exchange_matrix(faces: Faces, flow: Floats, mixing: Floats, leaving: Floats) -> Floats:
    """Return the matrix M [50, 50] in m3/s of V dC/dt = M C + source.

    ``flow`` [f] through the inner faces, upwind; ``mixing`` [f] across them each way; ``leaving`` [50] to the outside.
    """
    matrix = np.zeros((COUNT, COUNT))
    down, back = np.maximum(flow, 0) + mixing, np.maximum(-flow, 0) + mixing
    matrix[faces.upper, faces.lower] = down
    matrix[faces.lower, faces.upper] = back
    out = leaving + np.bincount(faces.lower, down, COUNT) + np.bincount(faces.upper, back, COUNT)
    matrix[np.arange(COUNT), np.arange(COUNT)] = -out
    return matrix


def advanced(held: Floats, matrix: Floats, source: Floats, volume: float, seconds: float) -> Floats:
    """Return the concentrations [50] after some seconds, by explicit steps that are short enough for the matrix."""
    steps = max(1, int(np.ceil(-matrix.diagonal().min() * seconds / volume / COURANT)))
    share = seconds / steps / volume
    for _ in range(steps):
        held = held + share * (matrix @ held + source)
    return held
