"""Scoring: from day documents and baseline versions to scored days; a pure function, whatever arrived when.

A sample's score depends on the samples of the day before it (``CONTEXT_BINS``), so a change is followed into the
next days until nothing of it can be felt any more.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from shared.detection import Baseline, detect
from shared.detection.detector import CONTEXT_BINS
from shared.domain.deviation import DeviationDay
from shared.domain.environment import Floats
from shared.domain.tsd import SLOTS, SeriesDay, grid, slot_of, start_of, utc

STEP = np.timedelta64(600, "s")
ONE_DAY = timedelta(days=1)

History = Callable[[date], Floats | None]  # a sensor's readings [144] of an earlier day; None: there are none


@dataclass(frozen=True, eq=False)
class Rescored:
    """A scored day, whether it differs from what is stored, and until when what changed is felt (None: nowhere)."""

    row: DeviationDay
    changed: bool
    felt_until: np.datetime64 | None


def closed_slots(series: SeriesDay, day: date) -> int:
    """Return how many buckets of the day are known: closed and asked for."""
    until = utc(series.until)
    if until >= start_of(day) + ONE_DAY:
        return SLOTS
    return slot_of(until) if until.date() == day else 0


def score_day(
    sensor: str,
    day: date,
    series: SeriesDay | None,
    history: History,
    stored: DeviationDay | None,
    baseline: Baseline | None,
    felt_until: np.datetime64 | None = None,
) -> Rescored:
    """Return the sensor's day, scored from its first sample that differs from what is stored.

    baseline: None while learning; felt_until: where the effect of changes on earlier days ends.
    """
    slots = 0 if series is None else closed_slots(series, day)
    ppmv = np.full(0, np.nan) if series is None else series.array()[:slots]
    version = "" if baseline is None else baseline.version
    known = stored if stored is not None and stored.baseline == version else None
    disturbed = felt_until is not None and felt_until > grid(day)[0]
    first = 0 if known is None or disturbed else _first_difference(ppmv, known.ppmv)
    score = np.full(slots, np.nan, dtype=np.float32)
    level = np.full(slots, -1, dtype=np.int8)
    if known is not None and first > 0:
        score[:first], level[:first] = known.score[:first], known.level[:first]
    if baseline is not None and first < slots:
        score[first:], level[first:] = _score_from(first, day, ppmv, history, baseline)
    row = DeviationDay(sensor, day, version, ppmv, score, level, _bad_summary(series, slots))
    last = _last_difference(ppmv, np.zeros(0) if known is None else known.ppmv)
    reach = [] if last is None else [grid(day)[0] + (last + CONTEXT_BINS) * STEP]
    if disturbed and felt_until is not None:
        reach.append(felt_until)
    return Rescored(row, not row.same_as(stored), max(reach, default=None))


def _score_from(
    first: int, day: date, ppmv: Floats, history: History, baseline: Baseline
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]:
    """Return score and level of the day's slots from ``first`` on; reads no earlier day than these need."""
    start = 2 * SLOTS + first - CONTEXT_BINS
    before = [history(day - 2 * ONE_DAY) if start < SLOTS else None, history(day - ONE_DAY)]
    values = np.concatenate([np.full(SLOTS, np.nan) if one is None else one for one in before] + [ppmv])
    times = grid(day - 2 * ONE_DAY, 2 * SLOTS + ppmv.size)
    found = detect(baseline, times[start:], values[start:], since=times[2 * SLOTS + first])
    return found.score, found.level


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
