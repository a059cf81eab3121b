"""The plume of every place at every sensor and time, as a product of two small matrices.

Between one leak and one sensor the plume depends on the angle between the current and the bearing, and on the
current's speed. Both are smooth: cosines of the angle and Chebyshev polynomials of the logarithms of speed and drag
hold it to about 1e-3 of its peak. Turning the current's direction inside 10 minutes damps the cosines, exactly as a
normal distribution does. So a plume is a row of coefficients times a column of time, and a thousand places times a
day are one matrix product.
"""

from dataclasses import dataclass

import numpy as np

from shared.arrays import Floats
from shared.simulation.ballistic import unit_clouds, variances
from shared.simulation.physics import Physics
from shared.simulation.plume import Flow, direction_variance, mean_slowness, mixing_length, unit_plume
from shared.simulation.release import effective_speed

_LEAST_DAMPING = 1e-4  # of the last cosine that is kept
_MOST_HARMONICS = 400
_FAR_M = 25.0  # where plumes are looked at: across a large template
_DISTANCES = 40  # nodes of the distance, where there are more pairs than that
_PER_E_FOLD = 5.0  # Chebyshev nodes per factor e of speed
_CHUNK = 4096  # times at once: bounds the memory of a long series


@dataclass(frozen=True, eq=False, slots=True)
class _Axis:
    """A quantity on Chebyshev nodes [k] of its logarithm, and its polynomials at the times [k, n]."""

    nodes: Floats
    basis: Floats


def concentration(places: Floats, sensors: Floats, flow: Flow, physics: Physics) -> Floats:
    """Return the steady concentration [p, sensors, n] in kg/m3 per kg/s dissolved [s/m3].

    The direction varies inside 10 minutes (``direction_variance``); where it is not known, the mean over all
    directions takes its place by its share. ``places`` [p, 3], ``sensors`` [s, 3] in m.
    """
    shape = (places.shape[0], sensors.shape[0], flow.speed.size)
    if 0 in shape:
        return np.zeros(shape)
    speed, drag = _axes(flow, physics)
    offset = sensors[None, :, :2] - places[:, None, :2]
    distance, bearing = np.hypot(offset[..., 0], offset[..., 1]), np.arctan2(offset[..., 0], offset[..., 1])
    count = _harmonics(flow, physics)
    rows = np.empty((*distance.shape, (2 * count - 1) * speed.nodes.size * drag.nodes.size))
    heights = np.broadcast_to(places[:, None, 2], distance.shape), np.broadcast_to(sensors[None, :, 2], distance.shape)
    kinds, of = np.unique(np.stack(heights, axis=-1).reshape(-1, 2), axis=0, return_inverse=True)
    for index, (low, high) in enumerate(kinds.tolist()):
        chosen = of.reshape(distance.shape) == index
        table = _coefficients(distance[chosen], (low, high), (speed.nodes, drag.nodes), count, physics)
        rows[chosen] = _turned(table, bearing[chosen])
    out = np.empty(shape)
    for start in range(0, shape[2], _CHUNK):
        part = slice(start, start + _CHUNK)
        np.matmul(rows, _columns(flow, speed, drag, count, physics, part), out=out[..., part])
    return np.maximum(out, 0.0, out=out)


def _axes(flow: Flow, physics: Physics) -> tuple[_Axis, _Axis]:
    """Return the axes of speed and drag that the plume's shape depends on: a ballistic one's on neither."""
    if physics.closure == "ballistic":
        always = _axis(np.ones(flow.speed.size))
        return always, always
    return _axis(effective_speed(flow.speed)), _axis(flow.friction_ratio)


def _axis(values: Floats) -> _Axis:
    """Return as many nodes as the range of the values needs; one where it is narrower than 1 %."""
    low, high = float(np.log(values.min())), float(np.log(values.max()))
    count = 1 if high - low < 0.01 else 3 + int(np.ceil(_PER_E_FOLD * (high - low)))
    if count == 1:
        return _Axis(np.exp([(low + high) / 2]), np.ones((1, values.size)))
    scaled = (2 * np.log(values) - low - high) / (high - low)
    basis = np.polynomial.chebyshev.chebvander(np.clip(scaled, -1, 1), count - 1).T
    return _Axis(np.exp((low + high) / 2 + (high - low) / 2 * _points(count)), np.ascontiguousarray(basis))


def _harmonics(flow: Flow, physics: Physics) -> int:
    """Return how many cosines it takes: fewer the more the direction varies, or the wider the narrowest plume is."""
    spread = float(np.sqrt(direction_variance(flow.speed, physics).min()))
    if physics.closure == "ballistic":
        width = float(np.sqrt(variances(np.array(_FAR_M), physics)[0])) / _FAR_M
    else:
        width = float(np.sqrt(2 * mixing_length(0.0, flow.friction_ratio.min(), physics) / _FAR_M))
    reach = np.sqrt(-2 * np.log(_LEAST_DAMPING))
    return int(np.clip(np.ceil(reach / np.hypot(spread, min(width, 1.0))), 8, _MOST_HARMONICS))


def _coefficients(
    distance: Floats, heights: tuple[float, float], nodes: tuple[Floats, Floats], count: int, physics: Physics
) -> Floats:
    """Return the coefficients [pairs, count, speeds, drags] of cosines and polynomials, the slowness left out."""
    few = distance.size <= _DISTANCES
    at, mix = (distance, None) if few else _spread_distances(distance, physics)
    angle = _angles(2 * count)
    if physics.closure == "ballistic":
        field = unit_clouds(at, angle, heights, physics)[..., None, None]
    else:
        x, y = at[:, None] * np.cos(angle), at[:, None] * np.sin(angle)
        carried, drag = nodes[0][:, None], nodes[1][None, :]
        field = carried * unit_plume(x[..., None, None], y[..., None, None], heights, carried, drag, physics)
    table = np.tensordot(_cosines(2 * count)[:count], field, axes=(1, 1)).transpose(1, 0, 2, 3)
    table = np.einsum("pmjr,aj,br->pmab", table, _cosines(nodes[0].size), _cosines(nodes[1].size), optimize=True)
    if mix is None:
        return np.asarray(table)
    return np.asarray((mix @ table.reshape(at.size, -1)).reshape(-1, *table.shape[1:]))


def _spread_distances(distance: Floats, physics: Physics) -> tuple[Floats, Floats]:
    """Return distances [k] and what turns values there into values at each pair [pairs, k], by polynomials."""
    soft = np.log(np.hypot(distance, 2 * physics.source_radius_m))
    low, high = float(soft.min()), float(soft.max())
    nodes = np.exp((low + high) / 2 + (high - low) / 2 * _points(_DISTANCES))
    scaled = np.clip((2 * soft - low - high) / max(high - low, 1e-9), -1, 1)
    basis = np.polynomial.chebyshev.chebvander(scaled, _DISTANCES - 1)
    near = np.sqrt(np.maximum(nodes**2 - (2 * physics.source_radius_m) ** 2, 0.0))
    return near, basis @ _cosines(_DISTANCES)


def _angles(count: int) -> Floats:
    """Return (k + 1/2) pi / count [count]."""
    return (np.arange(count) + 0.5) * np.pi / count


def _points(count: int) -> Floats:
    """Return the Chebyshev nodes in (-1, 1) [count]: the cosines of those angles."""
    return np.asarray(np.cos(_angles(count)))


def _cosines(count: int) -> Floats:
    """Return the transform [count, count] from values at the angles, or at the nodes, to coefficients."""
    rows = 2 / count * np.cos(np.arange(count)[:, None] * _angles(count))
    rows[0] *= 0.5
    return np.asarray(rows)


def _turned(table: Floats, bearing: Floats) -> Floats:
    """Return coefficients [pairs, (2 count - 1) speeds drags] of cosines and sines of the current's own angle."""
    order = np.arange(table.shape[1]) * bearing[:, None]
    cosine, sine = np.cos(order)[..., None, None] * table, np.sin(order[:, 1:])[..., None, None] * table[:, 1:]
    return np.concatenate([cosine, sine], axis=1).reshape(bearing.size, -1)


def _columns(flow: Flow, speed: _Axis, drag: _Axis, count: int, physics: Physics, part: slice) -> Floats:
    """Return what the coefficients are multiplied by at each time [(2 count - 1) speeds drags, n], with slowness."""
    order = np.arange(count)[:, None]
    damping = np.exp(-0.5 * order**2 * direction_variance(flow.speed[part], physics))
    damping[1:] *= 1 - flow.isotropic[part]
    angle = order * flow.angle[part]
    waves = np.concatenate([damping * np.cos(angle), (damping * np.sin(angle))[1:]])
    waves *= mean_slowness(flow.speed[part], physics)
    product = waves[:, None, None] * speed.basis[None, :, None, part] * drag.basis[None, None, :, part]
    return np.asarray(product.reshape(-1, product.shape[-1]))
