"""The sea at the moments that a simulation needs, with what was missing filled in and said in words."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from shared.arrays import Flags, Floats, Times
from shared.domain.environment import Environment
from shared.domain.template import Template
from shared.simulation.drag import friction_velocity, orbital_velocity
from shared.simulation.release import effective_speed

Scalar = TypeVar("Scalar", bound=np.generic)

BRIDGED_GAP_S = 3 * 3600.0  # currents are interpolated over gaps up to this
CLIMATE_SPEED = 0.10  # m/s, of any direction alike: stands in where currents are missing
CLIMATE_TEMPERATURE = 7.0  # degrees Celsius, deep water of the Norwegian shelf as the reference gives it


@dataclass(frozen=True, eq=False, slots=True)
class ResolvedEnvironment:
    """The sea at given times [n]: no NaN, and ``words`` on what it rests on."""

    times: Times
    speed: Floats  # m/s
    direction: Floats  # degrees, towards
    friction: Floats  # m/s, u* at U_e, with waves
    temperature: Floats  # degrees Celsius
    known: Flags  # currents measured or bridged; elsewhere they may point anywhere
    words: str


def resolve(environment: Environment, times: Times, template: Template) -> ResolvedEnvironment:
    """Return the environment at ``times`` [n], datetime64.

    Speed and direction are interpolated as vectors over gaps of at most 3 h, and held for half of that beyond the ends
    of the record; elsewhere the climatology stands: 0.10 m/s, any direction alike. Waves that are not known count as
    calm, temperature that is not known as 7 degrees Celsius.
    """
    at, seconds = _seconds(times), _seconds(environment.times)
    speed, direction, known = _currents(environment, seconds, at)
    orbital, period, waves_known = _waves(environment, seconds, at, template.depth)
    warm, warm_known = _bridged(environment.temperature, seconds, at)
    return ResolvedEnvironment(
        times=times,
        speed=speed,
        direction=direction,
        friction=friction_velocity(effective_speed(speed), orbital, period),
        temperature=np.where(warm_known, warm, CLIMATE_TEMPERATURE),
        known=known,
        words=_words(known, waves_known, warm_known),
    )


def _currents(environment: Environment, seconds: Floats, at: Floats) -> tuple[Floats, Floats, Flags]:
    towards = np.radians(environment.current_direction)
    still = environment.current_speed == 0
    east = np.where(still, 0.0, environment.current_speed * np.sin(towards))
    north = np.where(still, 0.0, environment.current_speed * np.cos(towards))
    to_east, known = _bridged(east, seconds, at)
    to_north, _ = _bridged(np.where(np.isnan(east), np.nan, north), seconds, at)
    speed = np.where(known, np.hypot(to_east, to_north), CLIMATE_SPEED)
    direction = np.where(known, np.degrees(np.arctan2(to_east, to_north)) % 360, 0.0)
    return speed, direction, known


def _waves(environment: Environment, seconds: Floats, at: Floats, depth: float) -> tuple[Floats, Floats, Flags]:
    height, height_known = _bridged(environment.wave_height, seconds, at)
    period, period_known = _bridged(environment.wave_period, seconds, at)
    sane = height_known & period_known & (height > 0) & (period >= 1)
    period = np.where(sane, np.clip(period, 1.0, 30.0), 10.0)
    height = np.where(sane, np.clip(height, 0.0, 30.0), 0.0)
    return orbital_velocity(height, period, depth), period, height_known & period_known


def _bridged(values: Floats, seconds: Floats, at: Floats) -> tuple[Floats, Flags]:
    """Return the values interpolated at the moments, and where they are known: inside a short enough gap."""
    good = np.isfinite(values)
    if not good.any():
        return np.zeros(at.shape), np.zeros(at.shape, dtype=bool)
    x, y = seconds[good], values[good]
    after = np.searchsorted(x, at, side="left")
    left, right = x[np.maximum(after - 1, 0)], x[np.minimum(after, x.size - 1)]
    inside = (after > 0) & (after < x.size) & (right - left <= BRIDGED_GAP_S)
    near = np.minimum(np.abs(at - left), np.abs(at - right)) <= BRIDGED_GAP_S / 2
    ends = ((after == 0) | (after == x.size)) & near
    exact = right == at
    return np.interp(at, x, y), inside | ends | exact


def _words(currents: Flags, waves: Flags, temperature: Flags) -> str:
    if currents.size == 0:
        return "no times"
    share = float(currents.mean())
    parts = [f"currents measured for {100 * share:.0f} % of the time"]
    if share < 1:
        parts.append(f"elsewhere {CLIMATE_SPEED:g} m/s in any direction (climatology)")
    parts.append(_known(waves, "waves", "calm"))
    parts.append(_known(temperature, "temperature", f"{CLIMATE_TEMPERATURE:g} degrees Celsius"))
    return "; ".join(parts)


def _known(flags: Flags, name: str, stand_in: str) -> str:
    if flags.all():
        return f"{name} measured"
    share = float(flags.mean())
    return f"{name} {'not known' if share == 0 else f'measured for {100 * share:.0f} %'}, else taken as {stand_in}"


def _seconds(times: Times) -> Floats:
    return times.astype("datetime64[ms]").astype(np.int64).astype(np.float64) / 1000
