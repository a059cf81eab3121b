"""How a leak's rate changes after its onset: steady, in steps, growing, on and off, or over again."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from shared.arrays import Floats

Shape = Literal["steady", "step", "growing", "on_off", "stopped"]
SHAPES: tuple[Shape, ...] = get_args(Shape)
STEEPEST = np.log(10.0)  # of ln rate, up or down
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Course:
    """The rate over the leak's own, ``factors`` [m], from each of ``since_s`` [m] after the onset on."""

    since_s: tuple[float, ...] = (0.0,)
    factors: tuple[float, ...] = (1.0,)

    def factor(self, since_s: Floats) -> Floats:
        """Return the factor [...] at seconds after the onset [...]; 0 before it."""
        index = np.searchsorted(self.since_s, since_s, side="right") - 1
        return np.where(index >= 0, np.array(self.factors)[np.maximum(index, 0)], 0.0)

    def mean(self, low_s: Floats, high_s: Floats) -> Floats:
        """Return the mean factor [k] between seconds after the onset [k] and [k]."""
        edges = np.array([*self.since_s, np.inf])
        held = np.minimum(high_s[:, None], edges[1:]) - np.maximum(low_s[:, None], edges[:-1])
        return np.asarray(np.maximum(held, 0.0) @ np.array(self.factors) / (high_s - low_s))


STEADY = Course()


def drawn(length_s: float, rng: np.random.Generator) -> Course:
    """Return a course of any shape over ``length_s`` from the onset on."""
    shape = SHAPES[rng.integers(len(SHAPES))]
    change = float(np.exp(rng.uniform(-STEEPEST, STEEPEST)))
    at = float(rng.uniform(0.25, 0.75) * length_s)
    if shape == "step":
        return Course((0.0, at), (1.0, change))
    if shape == "stopped":
        return Course((0.0, at), (1.0, 0.0))
    if shape == "growing":
        since = np.arange(0.0, length_s, HOUR_S)
        return Course(tuple(since.tolist()), tuple((np.exp(STEEPEST * since / length_s)).tolist()))
    if shape == "on_off":
        since = np.cumsum([0.0, *rng.uniform(6 * HOUR_S, 18 * HOUR_S, int(length_s / (6 * HOUR_S)))])
        return Course(tuple(since.tolist()), tuple(float(k % 2 == 0) for k in range(since.size)))
    return STEADY
