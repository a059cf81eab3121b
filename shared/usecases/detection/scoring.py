"""Scoring: from day documents and baseline versions to scored days; a pure function, whatever arrived when.

A sample's score depends on the readings and currents of the two days before it (``CONTEXT_BINS``), and on what its
predecessor hands on: the latch, which may have begun long ago. So each row says what it rests on: the fingerprints of
two days, and what it was handed. Where these are other ones by now, it is scored again.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from shared.arrays import Floats, Times
from shared.detection import Baseline, Detection, Fault, LatchState, detect, engine_id
from shared.detection.channels import Channel
from shared.detection.detector import CONTEXT_BINS
from shared.detection.figures import NOTHING, Raw
from shared.detection.health import faults
from shared.detection.regular import HOLD_BINS, regularise
from shared.domain.deviation import (
    Carry,
    Context,
    DeviationDay,
    Level,
    Readings,
    agree,
    fingerprint,
    no_currents,
    same_carry,
)
from shared.domain.environment import Environment
from shared.domain.tsd import ONE_DAY, SLOTS, SeriesDay, grid

ReadingsOf = Callable[[date], Readings | None]  # a sensor's whole day, [144] each; None: there is none


def score_day(
    sensor: str,
    day: date,
    series: SeriesDay | None,
    readings_of: ReadingsOf,
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
    whole = readings_of(day) if slots else None
    new = Readings(np.zeros(0), no_currents(0))
    if whole is not None:
        new = Readings(whole.ppmv[:slots], whole.currents[:slots])
    version, engine = "" if baseline is None else baseline.version, engine_id()
    yesterday = readings_of(day - ONE_DAY)
    known = stored if stored is not None and (stored.engine, stored.baseline) == (engine, version) else None
    if known is not None and not agree(known.context.yesterday, fingerprint(yesterday)):
        known = None
    handed = _handed(before, engine, version)
    first = 0 if known is None else _first_difference(new, Readings(known.ppmv, known.currents))
    bad = _bad_summary(series, slots)
    if known is not None and first == slots == known.level.size and same_carry(handed, known.before):
        return replace(known, bad=bad)
    raw = NOTHING if known is None else Raw(known.raw[:first], known.channel[:first], known.away[:first])
    far = raw.score.size < CONTEXT_BINS - SLOTS and baseline is not None and yesterday is not None
    day_before = readings_of(day - 2 * ONE_DAY) if far else None
    if far and known is not None and not agree(known.context.day_before, fingerprint(day_before)):
        raw = NOTHING
    older = fingerprint(day_before) if far else "" if known is None else known.context.day_before
    found = _found(day, new, raw, [one for one in (day_before, yesterday) if one is not None], baseline, handed)
    fault = int(found.fault[-1]) if slots else Fault.NONE if handed is None else handed.fault
    return DeviationDay(
        sensor=sensor,
        day=day,
        engine=engine,
        baseline=version,
        ppmv=new.ppmv,
        score=found.score,
        level=found.level,
        raw=found.raw.score,
        channel=found.raw.channel,
        away=found.raw.away,
        fault=found.fault,
        currents=new.currents,
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
    new: Readings,
    known: Raw,
    earlier: Sequence[Readings],
    baseline: Baseline | None,
    handed: Carry | None,
) -> Detection:
    """Score the day's slots after those of the ``earlier`` days; what the channels say of the first is known."""
    ppmv, currents = map(np.concatenate, zip(*earlier, new, strict=True))
    times = grid(day - len(earlier) * ONE_DAY, ppmv.size)
    since = grid(day)[0]
    if baseline is None:
        return _learning(times, ppmv, since)
    state = LatchState() if handed is None else LatchState(*handed.latch)
    sea = Environment.of_currents(times, currents)
    return detect(baseline, times, ppmv, sea, since=since, state=state, known=known)


def _learning(times: Times, values: Floats, since: np.datetime64) -> Detection:
    """Return what can be said without a baseline: which readings to distrust."""
    series = regularise(times, values)
    inside = series.times >= since
    fault = faults(series.ppmv, series.bad, np.inf, HOLD_BINS)[inside]
    none = np.full(fault.size, np.nan, dtype=np.float32)
    level = np.full(fault.size, Level.UNDEFINED, dtype=np.int8)
    raw = Raw(none, np.full(fault.size, Channel.NONE, dtype=np.int8), np.zeros(fault.size, dtype=np.int8))
    return Detection(series.times[inside], series.ppmv[inside], none, level, raw, fault, LatchState())


def _first_difference(new: Readings, old: Readings) -> int:
    """Return the first slot in which they differ to the last bit, or from which on one knows nothing."""
    size = min(new.ppmv.size, old.ppmv.size)
    other = new.ppmv[:size].view(np.int64) != old.ppmv[:size].view(np.int64)
    mine, theirs = (one.currents[:size].view(np.int64).reshape(-1, 2) for one in (new, old))
    differs = np.flatnonzero(other | (mine != theirs).any(axis=1))
    return int(differs[0]) if differs.size else size


def _bad_summary(series: SeriesDay | None, slots: int) -> str:
    """Return how many buckets hold bad samples, by reason: ``2 not_finite, 1 out_of_range``."""
    if series is None:
        return ""
    reasons = Counter(bad.reason for slot, bad in series.bad.items() if slot < slots)
    return ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
