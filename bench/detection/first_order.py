"""What a first-order sensor of time constant 2 h adds while a source near it leaks: five shapes that are no plumes.

A shape is the source's strength [n], 0 to 1, at hours [n] after the onset; those that are not said are drawn.
"""

from collections.abc import Callable

import numpy as np

from shared.arrays import Floats

STEP_H = 1 / 6
TIDE_H = 12.42
TAU_H = 2.0
RAMPS_H = (6.0, 24.0, 48.0)
HOLDING_H = (2.0, 6.0, 24.0)  # mean time in each state of a source that is on and off at random
PERIODS_H = (6.0, 8.0, 17.0, 24.0)  # that are no tide's
Shape = Callable[[Floats, np.random.Generator], Floats]


def sustained(hours: Floats, rng: np.random.Generator) -> Floats:
    """Return a steady source of which the tide takes a share away."""
    share, phase = rng.uniform(0.3, 0.6), rng.uniform()
    return np.asarray(1 - share * (0.5 + 0.5 * np.cos(2 * np.pi * (hours / TIDE_H + phase))))


def pulsed(hours: Floats, rng: np.random.Generator) -> Floats:
    """Return a source that is on for a share of each tide."""
    return pulses(hours, TIDE_H, rng)


def other_period(hours: Floats, rng: np.random.Generator) -> Floats:
    """Return a source that is on for a share of a period that is no tide's."""
    return pulses(hours, float(rng.choice(PERIODS_H)), rng)


def pulses(hours: Floats, period_h: float, rng: np.random.Generator) -> Floats:
    """Return a source that is on for a share of each period."""
    share, phase = rng.uniform(0.3, 0.6), rng.uniform()
    return ((hours / period_h + phase) % 1 < share).astype(np.float64)


def growing(hours: Floats, rng: np.random.Generator) -> Floats:
    """Return a source that grows linearly and then stays."""
    return ramp(hours, float(rng.choice(RAMPS_H)))


def ramp(hours: Floats, rises_for_h: float) -> Floats:
    """Return a source that grows for so many hours and then stays."""
    return np.minimum(hours / rises_for_h, 1.0)


def on_off(hours: Floats, rng: np.random.Generator) -> Floats:
    """Return a source that is on and off at random."""
    return switched(hours, float(rng.choice(HOLDING_H)), rng)


def switched(hours: Floats, mean_h: float, rng: np.random.Generator) -> Floats:
    """Return a source that stays on, and off, for times of an exponential distribution with this mean."""
    ends = [float(rng.exponential(mean_h))]
    while ends[-1] < hours[-1]:
        ends.append(ends[-1] + float(rng.exponential(mean_h)))
    return np.asarray((np.searchsorted(ends, hours, side="right") + rng.integers(2)) % 2, dtype=np.float64)


def response(source: Floats, tau_h: float = TAU_H) -> Floats:
    """Return what the sensor reads [n] of a source [n]: y(t) = k y(t - dt) + (1 - k) x(t) from 0, k = e^(-dt / tau)."""
    kept = np.exp(-STEP_H / tau_h)
    readings = np.zeros(source.size)
    for index in range(1, source.size):
        readings[index] = kept * readings[index - 1] + (1 - kept) * source[index]
    return readings


FIRST_ORDER: dict[str, Shape] = {
    "sustained": sustained,
    "pulsed": pulsed,
    "growing": growing,
    "on_off": on_off,
    "other_period": other_period,
}
