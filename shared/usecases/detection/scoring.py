"""Scoring: from day documents and baseline versions to scored days; a pure function, whatever arrived when.

A sample's score depends on the samples of the day before it (``CONTEXT_BINS``), and on what its predecessor hands on:
the latch, which may have begun long ago. So a change is followed into the next days for as long as it has an effect,
and each row says what it was handed and what it hands on.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from shared.arrays import BUCKET_STEP, Floats, Scores, Times
from shared.detection import Baseline, Detection, Fault, LatchState, detect, engine_id
from shared.detection.detector import CONTEXT_BINS
from shared.detection.health import faults
from shared.detection.regular import HOLD_BINS, regularise
from shared.domain.deviation import Carry, DeviationDay, Level, same_carry
from shared.domain.tsd import ONE_DAY, SLOTS, SeriesDay, grid

MOMENT = np.timedelta64(1, "s")  # of the next day: only what is handed on has an effect there

History = Callable[[date], Floats | None]  # a sensor's readings [144] of an earlier day; None: there are none


@dataclass(frozen=True, eq=False)
class Rescored:
    """A scored day, and what its difference from the stored one leads to."""

    row: DeviationDay
    changed: bool
    affected_until: np.datetime64 | None  # until when the change has an effect on scores; None: it has none


def score_day(
    sensor: str,
    day: date,
    series: SeriesDay | None,
    history: History,
    stored: DeviationDay | None,
    baseline: Baseline | None,
    *,
    before: Carry | None = None,
    affected_until: np.datetime64 | None = None,
) -> Rescored:
    """Return the sensor's day, scored from its first sample that differs from what is stored.

    baseline: None while learning; before: what the day before handed on, by this engine (None: there is none);
    affected_until: where the effect of changes on earlier days ends.
    """
    slots = 0 if series is None else series.closed_slots(day)
    ppmv = np.full(0, np.nan) if series is None else series.readings()[:slots]
    version, engine = "" if baseline is None else baseline.version, engine_id()
    known = stored if stored is not None and (stored.engine, stored.baseline) == (engine, version) else None
    handed = before if before is not None and version and before.baseline == version else None
    disturbed = affected_until is not None and affected_until > grid(day)[0] + MOMENT
    first = 0 if known is None or disturbed else _first_difference(ppmv, known.ppmv)
    bad = _bad_summary(series, slots)
    if known is not None and first == slots == known.level.size and same_carry(handed, known.before):
        row = replace(known, bad=bad)
    else:
        raw = np.zeros(0, dtype=np.float32) if known is None else known.raw[:first]
        found = _found(day, ppmv, raw, history, baseline, handed)
        fault = int(found.fault[-1]) if slots else Fault.NONE if handed is None else handed.fault
        carry = Carry((*found.latch,), fault, version)
        row = DeviationDay(
            sensor, day, engine, version, ppmv, found.score, found.level, found.raw, found.fault, handed, carry, bad
        )
    return Rescored(row, not row.same_as(stored), _affected_until(row, known, affected_until if disturbed else None))


def _affected_until(
    row: DeviationDay, known: DeviationDay | None, already: np.datetime64 | None
) -> np.datetime64 | None:
    """Return until when the row's difference from the known one has an effect, by readings or by what it hands on."""
    reach = [] if already is None else [already]
    last = _last_difference(row.ppmv, np.zeros(0) if known is None else known.ppmv)
    if last is not None:
        reach.append(grid(row.day)[0] + (last + CONTEXT_BINS) * BUCKET_STEP)
    if known is None or not same_carry(row.carry, known.carry):
        reach.append(grid(row.day + ONE_DAY)[0] + MOMENT)
    return max(reach, default=None)


def _found(
    day: date,
    ppmv: Floats,
    known: Scores,
    history: History,
    baseline: Baseline | None,
    handed: Carry | None,
) -> Detection:
    """Score the day's slots; the first raw scores are known. Reads no earlier day than these need."""
    far = known.size < CONTEXT_BINS - SLOTS and baseline is not None
    yesterday = history(day - ONE_DAY)
    earlier = [] if yesterday is None else [yesterday]
    if earlier and far and (before := history(day - 2 * ONE_DAY)) is not None:
        earlier.insert(0, before)
    values = np.concatenate([*earlier, ppmv])
    times = grid(day - len(earlier) * ONE_DAY, values.size)
    since = grid(day)[0]
    if baseline is None:
        return _learning(times, values, since)
    state = LatchState() if handed is None else LatchState(*handed.latch)
    return detect(baseline, times, values, since=since, state=state, known=known)


def _learning(times: Times, values: Floats, since: np.datetime64) -> Detection:
    """Return what can be said without a baseline: which readings to distrust."""
    series = regularise(times, values)
    inside = series.times >= since
    fault = faults(series.ppmv, series.bad, np.inf, HOLD_BINS)[inside]
    none = np.full(fault.size, np.nan, dtype=np.float32)
    level = np.full(fault.size, Level.UNDEFINED, dtype=np.int8)
    return Detection(series.times[inside], series.ppmv[inside], none, level, none, fault, LatchState())


def _first_difference(new: Floats, old: Floats) -> int:
    size = min(new.size, old.size)
    differs = np.flatnonzero(new[:size].view(np.int64) != old[:size].view(np.int64))
    return int(differs[0]) if differs.size else size


def _last_difference(new: Floats, old: Floats) -> int | None:
    """Return the last slot that differs (one that only one of the two has, does); None where all are the same."""
    if new.size != old.size:
        return max(new.size, old.size) - 1
    differs = np.flatnonzero(new.view(np.int64) != old.view(np.int64))
    return int(differs[-1]) if differs.size else None


def _bad_summary(series: SeriesDay | None, slots: int) -> str:
    """Return how many buckets hold bad samples, by reason: ``2 not_finite, 1 out_of_range``."""
    if series is None:
        return ""
    reasons = Counter(bad.reason for slot, bad in series.bad.items() if slot < slots)
    return ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
