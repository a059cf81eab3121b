"""The currents that carry the plumes, and what a detector is told of them.

A record is put under each leak: a random moment of it becomes the leak's onset, and it begins anew where it ends. The
detector is told it with the error of a meter, or, as a control, the same shifted by days.
"""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from bench.estimation.noise import wandering
from shared.arrays import BUCKET_S, BUCKET_STEP, Floats, Times
from shared.domain.environment import Environment

Told = Literal["nothing", "measured", "shifted"]
DAY = 144
LEAST_RECORD = 21 * DAY  # so that a shift by days is one
SPEED_ERROR, DIRECTION_ERROR_DEG, ERROR_MEMORY_S = 0.12, 8.0, 6 * 3600.0
SHIFT_DAYS = (3, 10)
FASTEST = 2.0  # m/s; a record says more only when its meter fails
TIDE_H = 12.42


@dataclass(frozen=True, eq=False)
class Currents:
    """A record on the 10-minute grid from ``start`` on: speed [n] in m/s and direction [n] in degrees, towards."""

    start: np.datetime64
    speed: Floats
    direction: Floats

    @classmethod
    def of(cls, measured: Environment) -> Self:
        """Return what was measured, NaN where a bucket has nothing."""
        places = (measured.times - measured.times[0]).astype(np.int64) // BUCKET_S
        speed, direction = np.full((2, int(places[-1]) + 1), np.nan)
        good = measured.current_speed < FASTEST
        speed[places[good]], direction[places[good]] = measured.current_speed[good], measured.current_direction[good]
        return cls(measured.times[0], speed, direction)

    @property
    def size(self) -> int:
        """Buckets of the record."""
        return self.speed.size

    def at(self, first: int, times: Times) -> Environment:
        """Return the record from bucket ``first`` on, as if it had been measured at 10-minute times [n]."""
        places = (first + np.arange(times.size)) % self.size
        return Environment.of(times, current_speed=self.speed[places], current_direction=self.direction[places])

    def times(self, first: int, count: int) -> Times:
        """Return the times [count] of the record's buckets from ``first`` on, which may lie before its start."""
        return np.asarray(self.start + (first + np.arange(count)) * BUCKET_STEP)

    def place_of(self, times: Times, rng: np.random.Generator) -> int:
        """Return the bucket at the first of the times [n]: the true one where the record meets them, else any."""
        first = int((times[0] - self.start).astype(np.int64) // BUCKET_S)
        return first if -times.size < first < self.size else int(rng.integers(self.size))

    def told(self, first: int, times: Times, rng: np.random.Generator) -> dict[Told, Environment | None]:
        """Return what a detector is told at times [n] when the record runs from bucket ``first`` on."""
        shift = DAY * rng.uniform(*SHIFT_DAYS) * rng.choice([-1, 1])
        speed, turn = wandering(2, times.size, ERROR_MEMORY_S, rng)
        return {
            "nothing": None,
            "measured": with_error(self.at(first, times), speed, turn),
            "shifted": with_error(self.at(first + int(shift), times), speed, turn),
        }


def with_error(
    sea: Environment,
    speed: Floats,
    turn: Floats,
    speed_error: float = SPEED_ERROR,
    direction_error_deg: float = DIRECTION_ERROR_DEG,
) -> Environment:
    """Return the sea with its currents as a meter tells them, with standard normal errors [n] of speed and direction.

    The error of the speed is a share of it.
    """
    told = {
        "current_speed": np.maximum(sea.current_speed * (1 + speed_error * speed), 0.0),
        "current_direction": (sea.current_direction + direction_error_deg * turn) % 360,
    }
    return sea.model_copy(update=told)


def metered(
    sea: Environment,
    rng: np.random.Generator,
    speed_error: float = SPEED_ERROR,
    direction_error_deg: float = DIRECTION_ERROR_DEG,
) -> Environment:
    """Return the sea with its currents as a meter tells them, whose errors wander."""
    speed, turn = wandering(2, sea.times.size, ERROR_MEMORY_S, rng)
    return with_error(sea, speed, turn, speed_error, direction_error_deg)


def record_of(measured: Environment | None) -> Currents | None:
    """Return what was measured; None where it is too little."""
    if measured is None or measured.times.size == 0:
        return None
    record = Currents.of(measured)
    return record if record.size >= LEAST_RECORD else None


def currents_of(measured: Environment | None) -> Currents:
    """Return what was measured, or what stands in for it."""
    return record_of(measured) or Currents.of(tidal_currents())


def tidal_currents() -> Environment:
    """Return a month of a tide that turns, with a steady drift: stands in for recorded currents."""
    steps = np.arange(31 * DAY)
    turn = 2 * np.pi * steps * BUCKET_S / (3600 * TIDE_H)
    east, north = 0.05 + 0.10 * np.cos(turn), 0.02 + 0.05 * np.sin(turn + 0.4)
    return Environment.of(
        np.datetime64("2021-01-01T00:00:00", "s") + steps * BUCKET_STEP,
        current_speed=np.hypot(east, north),
        current_direction=np.degrees(np.arctan2(east, north)) % 360,
    )
