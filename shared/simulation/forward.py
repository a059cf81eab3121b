"""The forward model: what the sensors of a template read when it leaks."""

from datetime import UTC, datetime

import numpy as np

from shared.arrays import BUCKET_S, Floats, Indices, Times
from shared.domain.environment import Environment
from shared.domain.leak import Leak
from shared.domain.template import Template
from shared.errors import InvalidInput
from shared.simulation.enclosure import confinement, enclosure_of
from shared.simulation.exposure import box_exposure, plume_exposure, refuse_outside, sea_of
from shared.simulation.physics import Physics
from shared.simulation.response import first_order

MAX_STEPS = 60_000  # a bit over a year of the grid; the currents are followed at least that finely
_SPIN_UP = 6  # time constants of history before the first time
_FIRST, _LAST = np.datetime64("1970-01-01T00:00:00", "s"), np.datetime64("2200-01-01T00:00:00", "s")


def simulate(
    template: Template, environment: Environment, leak: Leak, times: Times, *, physics: Physics | None = None
) -> Floats:
    """Return what the sensors read above background [sensors, n] in ppmv, linear in the leak's rate.

    ``times`` [n] increase, datetime64, UTC. The leak dissolves ``rate_kg_s`` from its onset to its end. A steady plume
    (``plume``), what mixes through the box of a semi-closed template (``enclosure``), or a share of each reaches the
    sensors, which follow it with their time constant (``response``). Every value is finite.
    Raises InvalidInput for a leak more than 5 m outside the template, or times that do not increase.
    """
    chosen = physics or Physics()
    place = np.array([[leak.x, leak.y, leak.z]])
    refuse_outside(template, place)
    stamps = _checked(times)
    never = leak.end is not None and leak.end <= leak.onset
    if stamps.size == 0 or not template.sensors or never:
        return np.zeros((len(template.sensors), stamps.size))
    onset, end = _second(leak.onset), np.inf if leak.end is None else _second(leak.end)
    wanted = _seconds(stamps)
    steps = _inner_seconds(wanted, onset, chosen)
    inner = np.unique(np.append(steps, [one for one in (onset, end) if steps[0] < one < steps[-1]]))
    sea = sea_of(template, environment, steps, chosen).held(np.searchsorted(steps, inner))
    exposure = plume_exposure(template, place, sea, chosen)[0] * ((inner > onset) & (inner <= end))
    if (enclosure := enclosure_of(template)) is not None:
        turned = [moment for moment in (onset, end) if moment < np.inf]
        begun = box_exposure(enclosure, confinement(template), sea, inner, turned, chosen)
        zone = int(enclosure.zone_of(place)[0])
        exposure += begun[0, zone] - (begun[1, zone] if len(turned) > 1 else 0.0)
    readings = first_order(exposure, inner, chosen.sensor_time_constant_s, chosen.sensor_fall)
    return np.asarray(leak.rate_kg_s * readings[:, np.searchsorted(inner, wanted)], dtype=np.float64)


def plume_response(
    template: Template,
    environment: Environment,
    places: Floats,
    times: Times,
    *,
    physics: Physics | None = None,
    turn_deg: float = 0.0,
) -> Floats:
    """Return the readings [p, sensors, n] in ppmv per kg/s dissolved, of leaks at ``places`` [p, 3] that always were.

    ``times`` [n] increase, UTC. Only what reaches the sensors as in the open: all of it at an open template. A leak
    that starts at t0 follows from these, y(t) - exp(-(t - t0) / tau) y(t0), since the sensors forget exponentially;
    nearly so where they fall otherwise than they rise.
    ``turn_deg`` is added to the current's direction. Raises InvalidInput for places more than 5 m outside the template
    or of another shape, and for times that do not increase.
    """
    chosen = physics or Physics()
    grid = np.asarray(places, dtype=np.float64)
    refuse_outside(template, grid)
    stamps = _checked(times)
    if grid.shape[0] == 0 or stamps.size == 0 or not template.sensors or confinement(template) == 1:
        return np.zeros((grid.shape[0], len(template.sensors), stamps.size))
    wanted = _seconds(stamps)
    inner = _inner_seconds(wanted, -np.inf, chosen)
    sea = sea_of(template, environment, inner, chosen, turn_deg)
    exposure = plume_exposure(template, grid, sea, chosen)
    return first_order(exposure, inner, chosen.sensor_time_constant_s, chosen.sensor_fall)[
        ..., np.searchsorted(inner, wanted)
    ]


def box_response(
    template: Template,
    environment: Environment,
    places: Floats,
    onsets: Floats,
    times: Times,
    *,
    physics: Physics | None = None,
    turn_deg: float = 0.0,
) -> tuple[Floats, Indices]:
    """Return the readings [o, zones, sensors, n] in ppmv per kg/s of leaks in each zone, and the places' zones [p].

    ``times`` [n] increase, UTC; ``places`` [p, 3] in m. Only what mixes through a semi-closed template's box: no zones
    for an open template, and zone 0 for all places. The leaks begin at ``onsets`` [o], seconds since 1970. Raises
    InvalidInput as ``plume_response`` does.
    """
    chosen = physics or Physics()
    grid = np.asarray(places, dtype=np.float64)
    refuse_outside(template, grid)
    enclosure, stamps = enclosure_of(template), _checked(times)
    if enclosure is None:
        return np.zeros((onsets.size, 0, len(template.sensors), stamps.size)), np.zeros(len(grid), dtype=np.int64)
    zone = enclosure.zone_of(grid)
    if stamps.size == 0:
        return np.zeros((onsets.size, enclosure.zones.count, len(template.sensors), 0)), zone
    wanted = _seconds(stamps)
    steps = _inner_seconds(wanted, float(onsets.min(initial=np.inf)), chosen)
    inner = np.union1d(steps, onsets[(onsets > steps[0]) & (onsets < steps[-1])])
    sea = sea_of(template, environment, steps, chosen, turn_deg).held(np.searchsorted(steps, inner))
    exposure = box_exposure(enclosure, confinement(template), sea, inner, onsets.tolist(), chosen)
    readings = first_order(exposure, inner, chosen.sensor_time_constant_s, chosen.sensor_fall)
    return readings[..., np.searchsorted(inner, wanted)], zone


def _checked(times: Times) -> Times:
    stamps = np.asarray(times)
    if stamps.ndim != 1 or stamps.dtype.kind != "M":
        raise InvalidInput(f"times must be a datetime64 array [n], not {stamps.dtype} {stamps.shape}")
    stamps = stamps.astype("datetime64[s]")
    if np.isnat(stamps).any() or (np.diff(stamps) <= np.timedelta64(0, "s")).any():
        raise InvalidInput("times must increase without repetition, to the second")
    if stamps.size and (stamps[0] < _FIRST or stamps[-1] >= _LAST):
        raise InvalidInput("times must lie between 1970 and 2200")
    return stamps


def _inner_seconds(wanted: Floats, onset: float, physics: Physics) -> Floats:
    """Return the seconds asked for and the 10-minute grid between them; with history where the leak is older.

    What reaches the sensors is held over the step that ends at each of them.
    """
    first, last = float(wanted[0]), float(wanted[-1])
    history = _SPIN_UP * physics.sensor_time_constant_s * max(1.0, physics.sensor_fall)
    start = float(np.clip(onset, first - history, first)) // BUCKET_S * BUCKET_S
    if (last - start) // BUCKET_S + wanted.size > MAX_STEPS:
        raise InvalidInput(f"times span more than {MAX_STEPS} steps of {BUCKET_S} s")
    return np.union1d(np.arange(start, last, BUCKET_S), wanted)


def _seconds(times: Times) -> Floats:
    return times.astype("datetime64[s]").astype(np.int64).astype(np.float64)


def _second(moment: datetime) -> float:
    return moment.astimezone(UTC).timestamp()
