"""A semi-closed template: methane that mixes through zones of its water and leaves through walls and top."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.arrays import Flags, Floats, Indices
from shared.domain.template import Template
from shared.simulation.drag import drag_coefficient
from shared.simulation.matrix_exponential import step_matrices
from shared.simulation.outlets import Outlets, outlets_of, outside_readings
from shared.simulation.physics import Physics
from shared.simulation.plume import Flow, direction_variance
from shared.simulation.release import effective_speed
from shared.simulation.walls import Openings, face_areas, open_shares, openings_of
from shared.simulation.zones import Zones, transport, zones_of

ALWAYS = -1  # the onset of a source that always was
_WHOLLY_CONFINED = 0.3  # mean open share of the sides up to which the box alone decides
_APART = np.pi / 12  # rad between directions, about as wide as the current's own spread
_AROUND: Floats = _APART * np.arange(24, dtype=np.float64)  # that stand for all directions


@dataclass(frozen=True, eq=False, slots=True)
class Enclosure:
    """A template's box: its openings, its zones, where its water leaves, and its sensors [s, 3] in m."""

    openings: Openings
    zones: Zones
    outlets: Outlets
    sensors: Floats

    def zone_of(self, places: Floats) -> Indices:
        """Return the zone [p] of places [p, 3] in m; the nearest one for places outside the box."""
        return self.zones.of(places)


def confinement(template: Template) -> float:
    """Return how much of a release mixes through the box instead of behaving as in the open, in [0, 1].

    1 up to a mean open share of the sides of 0.3 (by face area; a side's share is phi cos(beta), 1 without a wall), 0
    for a template that is open on all sides, a smoothstep in between.
    """
    share = float(np.average(open_shares(template), weights=face_areas(template)))
    t = min(max((1 - share) / (1 - _WHOLLY_CONFINED), 0.0), 1.0)
    return t * t * (3 - 2 * t)


def enclosure_of(template: Template, most_zones: int = 3) -> Enclosure | None:
    """Return the template's box with at most ``most_zones`` zones each way, or None where it confines nothing."""
    if confinement(template) <= 0:
        return None
    zones = zones_of(template, most_zones)
    return Enclosure(openings_of(template), zones, outlets_of(zones, roof=template.roof), template.sensor_positions)


def zone_responses(
    enclosure: Enclosure, flow: Flow, seconds: Floats, onsets: npt.ArrayLike, physics: Physics
) -> Floats:
    """Return what reaches the sensors [onsets, zones, sensors, n] in s/m3 of 1 kg/s released in each zone.

    The source starts at one of ``onsets`` [onsets], an index into ``seconds`` [n]: nothing is read up to and including
    it. ``ALWAYS`` (-1) starts from the steady state of the first moment. The flow of t_n holds over the step that ends
    at t_n; steps are exact. Transport is a mean over the directions that the current takes inside 10 minutes. Zones and
    onsets go forward as columns of one state: the adjoint would need a run back in time for each sensor and each
    moment, and those are more. A source that ends is the difference of two that start. Raises ValueError when the
    shapes do not fit, times do not increase, or an onset is below -1.
    """
    starts = np.asarray(onsets, dtype=np.int64)
    _refuse_unfit(flow, seconds, starts)
    matrices, shares = _moving(enclosure, flow, physics)
    zones = enclosure.zones
    if seconds.size == 0:
        return np.zeros((starts.size, zones.count, enclosure.sensors.shape[0], 0))
    out = np.empty((seconds.size, enclosure.sensors.shape[0], starts.size * zones.count))
    steady = np.linalg.inv(-matrices[0])[:, None] * (starts == ALWAYS)[:, None]
    state = steady.reshape(zones.count, -1)
    keep, gain = step_matrices(matrices[1:], np.diff(seconds))
    out[0] = shares[0] @ state
    for n in range(1, seconds.size):
        released = gain[n - 1][:, None] * (starts < n)[:, None]
        state = keep[n - 1] @ state
        state += released.reshape(state.shape)
        out[n] = shares[n] @ state
    readings = out.reshape(*out.shape[:2], starts.size, zones.count) / zones.volume
    return np.ascontiguousarray(readings.transpose(2, 3, 1, 0))


def direction_weights(flow: Flow, physics: Physics) -> Floats:
    """Return how much of its 10 minutes the current spends in each of 24 directions [n, 24], from the fore axis on.

    A wrapped normal distribution, or all of them alike where the direction is not known.
    """
    spread = np.sqrt(direction_variance(flow.speed, physics)).clip(_APART, np.pi)
    turns = _AROUND[:, None] + 2 * np.pi * np.arange(-2, 3)
    away = np.remainder(flow.angle, 2 * np.pi)[:, None, None] - turns
    weights = np.exp(-0.5 * (away / spread[:, None, None]) ** 2).sum(axis=-1)
    weights /= weights.sum(axis=1, keepdims=True)
    unknown = flow.isotropic[:, None]
    return np.asarray((1 - unknown) * weights + unknown / _AROUND.size, dtype=np.float64)


def _moving(enclosure: Enclosure, flow: Flow, physics: Physics) -> tuple[Floats, Floats]:
    """Return M [n, zones, zones] in 1/s and the share of each zone that the sensors read [n, sensors, zones].

    The direction varies faster than the box forgets, so that water moves as in the mean over directions.
    """
    zones, sensors = enclosure.zones, enclosure.sensors
    weights = direction_weights(flow, physics)
    matrices, leaving = transport(zones, enclosure.openings, _AROUND, physics)
    seen = np.zeros((flow.angle.size, sensors.shape[0], zones.count))
    seen[:, np.arange(sensors.shape[0]), zones.of(sensors)] = 1.0
    outside = ~_inside(zones, sensors)
    if outside.any():
        seen[:, outside] = _seen_outside(enclosure, sensors[outside], weights, leaving, flow, physics)
    turned = np.tensordot(weights, matrices, axes=1)
    return effective_speed(flow.speed)[:, None, None] * turned, seen


def _seen_outside(
    enclosure: Enclosure, sensors: Floats, weights: Floats, leaving: Floats, flow: Flow, physics: Physics
) -> Floats:
    """Return the share of each zone that sensors outside the box read [n, s, zones].

    ``leaving`` [24, 5] is what leaves in each direction of the current, ``weights`` [n, 24] how much of them there is.
    """
    outlets, count = enclosure.outlets, enclosure.zones.count
    seen = outside_readings(outlets, sensors, weights @ leaving, flow.angle, flow.friction_ratio, physics, count)
    if flow.isotropic.max(initial=0) == 0:
        return seen
    bare = np.full(_AROUND.size, drag_coefficient() ** 0.5)
    anywhere = outside_readings(outlets, sensors, leaving, _AROUND, bare, physics, count).mean(axis=0)
    unknown = flow.isotropic[:, None, None]
    return np.asarray((1 - unknown) * seen + unknown * anywhere, dtype=np.float64)


def _inside(zones: Zones, places: Floats) -> Flags:
    half = np.array([zones.width / 2, zones.length / 2, zones.height / 2])
    centred = places - np.array([0.0, 0.0, zones.height / 2])
    return np.asarray((np.abs(centred) <= half).all(axis=1), dtype=bool)


def _refuse_unfit(flow: Flow, seconds: Floats, starts: Indices) -> None:
    if seconds.shape != flow.speed.shape:
        raise ValueError(f"seconds must have the shape of the flow {flow.speed.shape}, not {seconds.shape}")
    if (np.diff(seconds) <= 0).any():
        raise ValueError("seconds must increase")
    if starts.ndim != 1 or (starts < ALWAYS).any():
        raise ValueError(f"onsets must be indices [k] from {ALWAYS} on, not {starts}")
