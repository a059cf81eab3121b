"""The forward model: what the sensors of a template read when it leaks."""

from datetime import UTC, datetime

import numpy as np

from shared.domain.environment import Environment, Floats, Times
from shared.domain.leak import Leak
from shared.domain.template import Template
from shared.errors import InvalidInput
from shared.simulation.harmonics import concentration
from shared.simulation.physics import Physics
from shared.simulation.plume import flow_of
from shared.simulation.response import first_order
from shared.simulation.solubility import kg_m3_per_ppmv
from shared.simulation.surroundings import resolve

STEP_S = 600  # the grid of the data; the currents are followed at least this finely
MARGIN_M = 5.0  # a leak may lie this far outside the template's box
MAX_STEPS = 60_000  # a bit over a year of the grid
_SPIN_UP = 6  # time constants of history before the first time
_FIRST, _LAST = np.datetime64("1970-01-01T00:00:00", "s"), np.datetime64("2200-01-01T00:00:00", "s")


def simulate(
    template: Template, environment: Environment, leak: Leak, times: Times, *, physics: Physics | None = None
) -> Floats:
    """Return what the sensors read above background [sensors, n] in ppmv, linear in the leak's rate.

    ``times`` [n] increase, datetime64, UTC. The leak dissolves ``rate_kg_s`` from its onset to its end; a steady plume
    (``plume``) reaches the sensors, which follow it with their time constant (``response``). Every value is finite.
    Raises InvalidInput for a leak more than 5 m outside the template, or times that do not increase.
    """
    chosen = physics or Physics()
    place = np.array([[leak.x, leak.y, leak.z]])
    _refuse_outside(template, place)
    stamps = _checked(times)
    never = leak.end is not None and leak.end <= leak.onset
    if stamps.size == 0 or not template.sensors or never:
        return np.zeros((len(template.sensors), stamps.size))
    onset, end = _second(leak.onset), np.inf if leak.end is None else _second(leak.end)
    wanted = _seconds(stamps)
    steps = _inner_seconds(wanted, onset, chosen)
    held = _reaching(template, environment, place, steps, chosen)[0]
    inner = np.unique(np.append(steps, [one for one in (onset, end) if steps[0] < one < steps[-1]]))
    reaching = held[:, np.searchsorted(steps, inner)] * ((inner > onset) & (inner <= end))
    readings = first_order(reaching, inner, chosen.sensor_time_constant_s)
    return np.asarray(leak.rate_kg_s * readings[:, np.searchsorted(inner, wanted)], dtype=np.float64)


def unit_response(
    template: Template,
    environment: Environment,
    places: Floats,
    times: Times,
    *,
    physics: Physics | None = None,
    turn_deg: float = 0.0,
) -> Floats:
    """Return the readings [p, sensors, n] in ppmv per kg/s dissolved, of leaks at ``places`` [p, 3] that always were.

    A leak that starts later follows from these by ``response.from_onset``. ``turn_deg`` is added to the current's
    direction. Raises InvalidInput for places more than 5 m outside the template or of another shape, and for times
    that do not increase.
    """
    chosen = physics or Physics()
    grid = np.asarray(places, dtype=np.float64)
    _refuse_outside(template, grid)
    stamps = _checked(times)
    if grid.shape[0] == 0 or stamps.size == 0 or not template.sensors:
        return np.zeros((grid.shape[0], len(template.sensors), stamps.size))
    wanted = _seconds(stamps)
    inner = _inner_seconds(wanted, -np.inf, chosen)
    reaching = _reaching(template, environment, grid, inner, chosen, turn_deg)
    return first_order(reaching, inner, chosen.sensor_time_constant_s)[..., np.searchsorted(inner, wanted)]


def sensor_positions(template: Template) -> Floats:
    """Return where the sensors are [sensors, 3] in m."""
    return np.array([[s.x, s.y, s.z] for s in template.sensors], dtype=np.float64).reshape(-1, 3)


def _reaching(
    template: Template, environment: Environment, places: Floats, inner: Floats, physics: Physics, turn_deg: float = 0.0
) -> Floats:
    """Return what reaches the sensors [p, sensors, n] in ppmv per kg/s."""
    resolved = resolve(environment, (1000 * inner).astype(np.int64).astype("datetime64[ms]"), template)
    flow = flow_of(resolved, template.angle_from_north - turn_deg)
    per_rate = concentration(places, sensor_positions(template), flow, physics)
    per_rate /= kg_m3_per_ppmv(resolved.temperature, physics.salinity, template.depth)
    return per_rate


def _refuse_outside(template: Template, places: Floats) -> None:
    if places.ndim != 2 or places.shape[1] != 3:
        raise InvalidInput(f"places must have the shape [p, 3], not {places.shape}")
    half = np.array([template.width / 2, template.length / 2]) + MARGIN_M
    inside = (np.abs(places[:, :2]) <= half).all(axis=1)
    inside &= (places[:, 2] >= 0) & (places[:, 2] <= template.height + MARGIN_M)
    if not inside.all():
        x, y, z = places[int(np.argmin(inside))]
        raise InvalidInput(
            f"leak at ({x:g}, {y:g}, {z:g}) m is more than {MARGIN_M:g} m outside {template.id}: "
            f"|x| <= {half[0]:g}, |y| <= {half[1]:g}, 0 <= z <= {template.height + MARGIN_M:g}"
        )


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
    history = _SPIN_UP * physics.sensor_time_constant_s
    start = float(np.clip(onset, first - history, first)) // STEP_S * STEP_S
    if (last - start) // STEP_S + wanted.size > MAX_STEPS:
        raise InvalidInput(f"times span more than {MAX_STEPS} steps of {STEP_S} s")
    return np.union1d(np.arange(start, last, STEP_S), wanted)


def _seconds(times: Times) -> Floats:
    return times.astype("datetime64[s]").astype(np.int64).astype(np.float64)


def _second(moment: datetime) -> float:
    return moment.astimezone(UTC).timestamp()
