"""Score and level of every sample: can this sensor's newest hours be leak-free?

The score is the largest of the channels' (``channels``), held by the latch (``latch``). 1.0 is Warning's edge and 2.0
Critical's: what is expected to be exceeded by chance so often per sensor-month as the baseline's rates say. Where
the sensor itself is not well (``health``), a level that would be Ok is Undefined, and what a stuck or noisy sensor
said is compared with nothing.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from shared.arrays import Floats, Levels, Scores, Times
from shared.detection.background import ORDER, SPAN
from shared.detection.baseline import Baseline
from shared.detection.channels import CRITICAL_SCORE, WARNING_SCORE
from shared.detection.currents import Sea, currents_on
from shared.detection.figures import NOTHING, Figures, Raw
from shared.detection.health import FAULT_CONTEXT, Fault, faults
from shared.detection.latch import BEFORE_BINS, RISING_BINS, SMOOTH_BINS, LatchState, latch
from shared.detection.regular import HOLD_BINS_BY_EXCEPTION, Regular, forward_fill, regularise

# What a sample's score can depend on: its span or what the latch looks back on, and what these rest on in turn.
CONTEXT_BINS = max(SPAN + ORDER, BEFORE_BINS, RISING_BINS + SMOOTH_BINS) + max(HOLD_BINS_BY_EXCEPTION, FAULT_CONTEXT)


@dataclass(frozen=True, eq=False)
class Detection:
    """The buckets' times, readings (NaN: missing), scores (NaN: Undefined), levels and faults, arrays [n].

    raw: what the channels say, before the latch; latch: its state after the last bucket.
    """

    times: Times
    ppmv: Floats
    score: Scores
    level: Levels
    raw: Raw
    fault: Levels
    latch: LatchState


def detect(
    baseline: Baseline,
    times: Any,
    ppmv: Any,
    environment: Sea | None = None,
    *,
    since: np.datetime64 | None = None,
    state: LatchState | None = None,
    known: Raw = NOTHING,
) -> Detection:
    """Return score and level per 10-minute bucket from the first to the last sample, causally.

    times: datetime64 [n], UTC, any order and spacing; ppmv: float [n], may hold NaN, inf and sentinels; environment:
    the currents, on times of their own. Level: 0 Ok, 1 Warning, 2 Critical, -1 Undefined (no value for more than 2 h,
    less than 6 h of values in 40, a value beyond all of the history, or a sensor that is not well). ``since`` leaves
    out buckets before it from the result; they still serve as context, and ``state`` is the latch's after them.
    ``known`` is what the channels say of the first buckets from ``since`` on, where that is known already. Raises
    InvalidInput.
    """
    series, held, fault, believed = prepared(baseline, times, ppmv)
    first = 0 if since is None else int(np.searchsorted(series.times, since))
    begin = min(first + known.score.size, held.size)
    currents = currents_on(series.times, environment)
    raw = NOTHING
    if begin < held.size:
        found = Figures.of(baseline, series.times, believed, ~np.isnan(series.ppmv), currents, begin)
        raw = found.raw(baseline.thresholds)
    raw = Raw(
        np.concatenate((known.score, raw.score))[: held.size - first],
        np.concatenate((known.channel, raw.channel))[: held.size - first],
        np.concatenate((known.away, raw.away))[: held.size - first],
    )
    usual = baseline.range.median
    latched = latch(raw.score.astype(np.float64), raw.away, series.ppmv, held, usual, state or LatchState())
    fault = fault[first:]
    score = latched.score.astype(np.float32)
    unknown = (fault != Fault.NONE) | (held[first:] >= baseline.range.top)
    score[unknown & (score < WARNING_SCORE)] = np.nan
    return Detection(series.times[first:], series.ppmv[first:], score, level_of(score), raw, fault, latched.state)


class Prepared(NamedTuple):
    """A series on the grid, its readings with short gaps held, its faults, and the readings that are believed [n]."""

    series: Regular
    held: Floats
    fault: Levels
    believed: Floats


def prepared(baseline: Baseline, times: Any, ppmv: Any) -> Prepared:
    """Return what a baseline's channels compare of samples of any order and spacing; raises InvalidInput."""
    series = regularise(times, ppmv)
    held = forward_fill(series.ppmv, baseline.hold_bins)
    fault = faults(series.ppmv, series.bad, baseline.noise, baseline.hold_bins)
    return Prepared(series, held, fault, np.where((fault == Fault.STUCK) | (fault == Fault.NOISY), np.nan, held))


def level_of(score: Scores) -> Levels:
    """Return the level [n] of scores [n]: 1 (Warning) from 1.0, 2 (Critical) from 2.0, -1 (Undefined) for NaN."""
    level = np.zeros(score.shape, dtype=np.int8)
    level[score >= WARNING_SCORE] = 1
    level[score >= CRITICAL_SCORE] = 2
    level[np.isnan(score)] = -1
    return level
