"""The currents of a scenario: a day of a record, or of a synthetic tide."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.detection.recorded_series import Folder, add_file
from bench.estimation.noise import STEP_S, wandering
from shared.arrays import Times
from shared.domain.environment import Environment
from shared.errors import InvalidInput

BEFORE, AFTER = 60, 5  # steps of the sea around a scenario's times
TEMPERATURE = 7.0  # degrees Celsius
FASTEST = 2.0  # m/s; a record says more only when its meter fails
MOST_MISSING = 3  # steps
TIDE_S = 12.42 * 3600
START = np.datetime64("2021-04-01T00:00:00", "s")
_STEP = np.timedelta64(int(STEP_S), "s")


@dataclass(frozen=True, eq=False)
class SeaStates:
    """Where scenarios take their currents from; without a record from a tide."""

    record: Environment | None = None

    def drawn(self, count: int, rng: np.random.Generator) -> tuple[Environment, Times]:
        """Return the sea around a random stretch of that many 10-minute steps, and its times [n]."""
        return _tide(count, rng) if self.record is None else _stretch(self.record, count, rng)


def recorded(path: Path, count: int) -> SeaStates:
    """Return the sea states of a CSV file; raises InvalidInput where it holds no ``count`` steps in a row."""
    found = Folder()
    add_file(found, path)
    if found.currents is None:
        raise InvalidInput(f"{path.name} must have the columns time,direction_deg,speed_cm_s")
    sea = found.currents
    good = np.isfinite(sea.current_direction) & (sea.current_speed < FASTEST)
    record = _sea(sea.times[good], sea.current_speed[good], sea.current_direction[good])
    if not _starts(record, count).size:
        raise InvalidInput(f"{path.name} holds no {count * STEP_S / 3600:.0f} hours without a gap")
    return SeaStates(record)


def turned(sea: Environment, degrees: float) -> Environment:
    """Return the same sea with its currents turned clockwise."""
    return _sea(sea.times, sea.current_speed, (sea.current_direction + degrees) % 360)


def _sea(times: Times, speed: object, direction: object) -> Environment:
    warm = np.full(times.shape, TEMPERATURE)
    return Environment.of(times, current_speed=speed, current_direction=direction, temperature=warm)


def _starts(record: Environment, count: int) -> np.ndarray:
    """Return the indices [k] from which ``count`` steps follow with hardly any missing."""
    last = record.times.size - count
    if last < 0:
        return np.zeros(0, dtype=np.intp)
    spans = record.times[count - 1 :] - record.times[: last + 1]
    return np.flatnonzero(spans <= (count + MOST_MISSING) * _STEP)


def _stretch(record: Environment, count: int, rng: np.random.Generator) -> tuple[Environment, Times]:
    first = int(rng.choice(_starts(record, count)))
    part = slice(max(0, first - BEFORE), first + count + AFTER)
    sea = _sea(record.times[part], record.current_speed[part], record.current_direction[part])
    return sea, record.times[first] + np.arange(count) * _STEP


def _tide(count: int, rng: np.random.Generator) -> tuple[Environment, Times]:
    """Return the sea of a steady drift, an elliptical M2 tide and a wandering rest, 2 to 25 cm/s, and times [n]."""
    steps = np.arange(-BEFORE, count + AFTER)
    turn = 2 * np.pi * (steps * STEP_S / TIDE_S + rng.uniform())
    major, minor, drift = rng.uniform(0.06, 0.14), rng.uniform(-0.05, 0.05), rng.uniform(0.0, 0.08)
    axis, towards = rng.uniform(0, 2 * np.pi, 2)
    rest = 0.03 * wandering(2, steps.size, 6 * 3600.0, rng)
    ellipse = np.exp(1j * axis) * (major * np.cos(turn) + 1j * minor * np.sin(turn))
    flow = ellipse + drift * np.exp(1j * towards) + rest[0] + 1j * rest[1]  # north + i east
    sea = _sea(START + steps * _STEP, np.abs(flow), np.degrees(np.angle(flow)) % 360)
    return sea, START + np.arange(count) * _STEP
