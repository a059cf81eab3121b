"""The latch: once an alarm is raised, it stays until the sensor reads low again.

The channels compare hours with hours, so they forget a leak that goes on: after two days it is all they know. While
the latch holds, the score stays at the level that was reached. It lets go when the hourly mean has stayed below a
release level for more than 8 h, longer than the half tide in which the current may carry a leak away from the sensor;
hours in which the measured current does so do not count, and those in which it brings a plume here count twice
(``directions``).
The release level lies halfway between what was low in the 18 h before and what raised the alarm, and follows the
highest hourly mean at 0.3 of its height. For 40 h after that the channels still see the leak; during them they are only
believed where the reading is above the release level again, or rises: a leak's end only falls.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from shared.arrays import Floats, Levels
from shared.detection.background import SPAN
from shared.detection.regular import trailing_counts, trailing_windows

QUIET_BINS = 50
AFTERMATH_BINS = SPAN  # what the channels still remember
OVER = float(QUIET_BINS + AFTERMATH_BINS)  # from then on an end is too long ago to count
SMOOTH_BINS = 6
BEFORE_BINS = 108  # 18 h: with what is held into them, no more than a day of context
LOW_PERCENTILE = 20
RELEASE_AT_ONSET = 0.5
RELEASE_AT_PEAK = 0.3
RISING = 1.6  # times the lowest hourly mean of the last 6 h, both with what was low added
RISING_SHARE = 0.15  # of the release level's height
RISING_BINS = 36
BELOW_WARNING = 0.99


class LatchState(NamedTuple):
    """The latch after a bucket: level held (0: none), low and release level [ppmv], buckets since above the latter."""

    held: float = 0.0
    low: float = np.nan
    release: float = np.nan
    age: float = OVER


@dataclass(frozen=True, eq=False)
class Latched:
    """The score with the latch [k], and the latch after the last bucket."""

    score: Floats
    state: LatchState


def latch(raw: Floats, away: Levels, ppmv: Floats, held: Floats, usual: float, state: LatchState) -> Latched:
    """Return the last k buckets' score, from their raw score [k] (NaN: none) and the readings up to them [n >= k].

    away [k]: 1 while the current carries a leak's methane elsewhere, -1 here; ppmv [n] as observed, held [n] with short
    gaps filled, both in ppmv and with the buckets before as context; usual: of the history [ppmv], for what was low
    before where that is not known; state: before them.
    """
    first = held.size - raw.size
    known = ~np.isnan(held)
    with np.errstate(invalid="ignore"):
        sums = trailing_windows(np.where(known, held, 0.0), SMOOTH_BINS).sum(axis=1)
        means = sums / trailing_counts(known, SMOOTH_BINS)
    read = ~np.isnan(means[first:])
    spoken = np.flatnonzero(read & (raw >= 1.0))
    score = raw.copy()
    index = 0
    while index < raw.size:
        if not state.held:  # until a channel speaks, only time passes
            later = spoken[np.searchsorted(spoken, index) :]
            begin, index = index, int(later[0]) if later.size else raw.size
            state = state._replace(age=min(state.age + np.count_nonzero(read[begin:index]), OVER))
        if index < raw.size:
            place = first + index
            now = Now(float(raw[index]), int(away[index]), means[: place + 1], ppmv[: place + 1], float(held[place]))
            state, score[index] = _step(state, now, usual)
        index += 1
    return Latched(score, state)


class Now(NamedTuple):
    """A bucket: raw score, 1 while the current carries away, hourly means and readings up to it, the held reading."""

    raw: float
    away: int
    means: Floats
    ppmv: Floats
    reading: float


def _step(state: LatchState, now: Now, usual: float) -> tuple[LatchState, float]:
    """Return the latch after a bucket and the bucket's score."""
    raw, mean = now.raw, float(now.means[-1])
    level = 0.0 if not raw >= 1.0 else 1.0 if raw < 2.0 else 2.0
    if np.isnan(mean):  # silence says nothing: neither that it is over, nor that it goes on
        return state, raw
    held, low, release, age = state
    counts = 1.0 - now.away if held else 1.0  # that nothing is read says nothing, or twice as much
    age = min(age + counts, OVER)
    if not held:
        believed = level and (age >= OVER or mean > release or _rises(now, low, release))
        if not believed:
            return LatchState(0.0, low, release, age), min(raw, BELOW_WARNING) if level else raw
        low = _low(now.ppmv, usual)
        if not mean > low:  # an alarm while the sensor reads low: there is nothing to hold on to
            return LatchState(0.0, *state[1:3], age), raw
        release = low + RELEASE_AT_ONSET * (mean - low)
        age = 0.0
    if mean > release:
        age = 0.0
        release = max(release, low + RELEASE_AT_PEAK * (mean - low))
    if age >= QUIET_BINS:
        return LatchState(0.0, low, release, age), min(raw, BELOW_WARNING) if level else raw
    held = max(held, level)
    if np.isnan(now.reading):
        return LatchState(held, low, release, age), raw
    return LatchState(held, low, release, age), held if np.isnan(raw) else max(held, raw)


def _rises(now: Now, low: float, release: float) -> bool:
    """Return whether the readings rise again, by more than next to nothing, and to above what was low before."""
    mean, lowest = float(now.means[-1]), float(np.fmin.reduce(now.means[-RISING_BINS:]))
    least = RISING_SHARE * (release - low)
    return mean + low > RISING * (lowest + low) and min(mean - lowest, mean - low) > least


def _low(ppmv: Floats, usual: float) -> float:
    """Return what was low in the last 18 h; the history's usual reading where less than half of them was read."""
    before = ppmv[-BEFORE_BINS:]
    before = before[~np.isnan(before)]
    return usual if 2 * before.size < BEFORE_BINS else float(np.percentile(before, LOW_PERCENTILE))
