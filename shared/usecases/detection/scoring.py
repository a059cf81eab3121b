"""Scoring: from day documents and baseline versions to scored days; a pure function, whatever arrived when.

A sample's score depends on the samples of the 30 hours before it (``CONTEXT_BINS``), and on what its predecessor hands
on: the latch, which may have begun long ago. So each row says what it rests on: the fingerprints of the readings of two
days, and what it was handed. Where these are other ones by now, it is scored again.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from shared.arrays import Floats, Scores, Times
from shared.detection import Baseline, Detection, Fault, LatchState, detect, engine_id
from shared.detection.detector import CONTEXT_BINS
from shared.detection.health import faults
from shared.detection.regular import HOLD_BINS, regularise
from shared.domain.deviation import Carry, Context, DeviationDay, Level, agree, fingerprint, same_carry
from shared.domain.tsd import ONE_DAY, SLOTS, SeriesDay, grid

History = Callable[[date], Floats | None]  # a sensor's readings [144] of an earlier day; None: there are none


def score_day(
    sensor: str,
    day: date,
    series: SeriesDay | None,
    history: History,
    stored: DeviationDay | None,
    baseline: Baseline | None,
    *,
    before: DeviationDay | None = None,
) -> DeviationDay:
    """Return the sensor's day, scored from its first sample that differs from what is stored.

    baseline: None while learning; before: the row of the day before, which hands on what it knows if this engine made
    it, by the same baseline.
    What is stored is of no use where it rests on another baseline, engine, or reading of the day before.
    """
    slots = 0 if series is None else series.closed_slots(day)
    ppmv = np.full(0, np.nan) if series is None else series.readings()[:slots]
    version, engine = "" if baseline is None else baseline.version, engine_id()
    yesterday = history(day - ONE_DAY)
    known = stored if stored is not None and (stored.engine, stored.baseline) == (engine, version) else None
    if known is not None and not agree(known.context.yesterday, fingerprint(yesterday)):
        known = None
    handed = _handed(before, engine, version)
    first = 0 if known is None else _first_difference(ppmv, known.ppmv)
    bad = _bad_summary(series, slots)
    if known is not None and first == slots == known.level.size and same_carry(handed, known.before):
        return replace(known, bad=bad)
    raw = np.zeros(0, dtype=np.float32) if known is None else known.raw[:first]
    far = raw.size < CONTEXT_BINS - SLOTS and baseline is not None and yesterday is not None
    day_before = history(day - 2 * ONE_DAY) if far else None
    older = fingerprint(day_before) if far else "" if known is None else known.context.day_before
    found = _found(day, ppmv, raw, [one for one in (day_before, yesterday) if one is not None], baseline, handed)
    fault = int(found.fault[-1]) if slots else Fault.NONE if handed is None else handed.fault
    return DeviationDay(
        sensor=sensor,
        day=day,
        engine=engine,
        baseline=version,
        ppmv=ppmv,
        score=found.score,
        level=found.level,
        raw=found.raw,
        fault=found.fault,
        before=handed,
        carry=Carry((*found.latch,), fault, version),
        bad=bad,
        context=Context(fingerprint(yesterday), older),
    )


def _handed(before: DeviationDay | None, engine: str, version: str) -> Carry | None:
    """Return what the day before hands on to one that this version of this engine scores."""
    same = before is not None and version and (before.engine, before.baseline) == (engine, version)
    return before.handed_on if before is not None and same else None


def _found(
    day: date,
    ppmv: Floats,
    known: Scores,
    earlier: Sequence[Floats],
    baseline: Baseline | None,
    handed: Carry | None,
) -> Detection:
    """Score the day's slots after those of the ``earlier`` days; the first raw scores are known."""
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


def _bad_summary(series: SeriesDay | None, slots: int) -> str:
    """Return how many buckets hold bad samples, by reason: ``2 not_finite, 1 out_of_range``."""
    if series is None:
        return ""
    reasons = Counter(bad.reason for slot, bad in series.bad.items() if slot < slots)
    return ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
