"""Score and level of every sample: how unlike its leak-free history are this sensor's newest hours?

The score is the larger of the channels' (``channels``), held by the latch (``latch``). 1.0 is Warning's edge and 2.0
Critical's: what is expected to be exceeded by chance so often per sensor-month as the baseline's rates say. Where
the sensor itself is not well (``health``), a level that would be Ok is Undefined, and what a stuck or noisy sensor
said is compared with nothing.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.arrays import Flags, Floats, Levels, Scores, Times
from shared.detection.baseline import Baseline
from shared.detection.channels import CHANNELS, score_of
from shared.detection.health import FAULT_CONTEXT, Fault, faults
from shared.detection.latch import BEFORE_BINS, RISING_BINS, SMOOTH_BINS, LatchState, latch
from shared.detection.regular import HOLD_BINS_BY_EXCEPTION, forward_fill, regularise, trailing_windows

WARNING_SCORE = 1.0
CRITICAL_SCORE = 2.0
WINDOW = max(channel.window for channel in CHANNELS)
# What a sample's score can depend on: its window or what the latch looks back on, and what these rest on in turn.
CONTEXT_BINS = max(WINDOW, BEFORE_BINS, RISING_BINS + SMOOTH_BINS) + max(HOLD_BINS_BY_EXCEPTION, FAULT_CONTEXT)


@dataclass(frozen=True, eq=False)
class Detection:
    """The buckets' times, readings (NaN: missing), scores (NaN: Undefined), levels and faults, arrays [n].

    raw: the score before the latch; latch: its state after the last bucket.
    """

    times: Times
    ppmv: Floats
    score: Scores
    level: Levels
    raw: Scores
    fault: Levels
    latch: LatchState


def detect(
    baseline: Baseline,
    times: Any,
    ppmv: Any,
    *,
    since: np.datetime64 | None = None,
    state: LatchState | None = None,
    known: Scores | None = None,
) -> Detection:
    """Return score and level per 10-minute bucket from the first to the last sample, causally.

    times: datetime64 [n], UTC, any order and spacing; ppmv: float [n], may hold NaN, inf and sentinels. Level:
    0 Ok, 1 Warning, 2 Critical, -1 Undefined (no value for more than 2 h, no complete window, or a sensor that is
    not well). ``since`` leaves out buckets before it from the result; they still serve as context, and ``state``
    is the latch's after them. ``known`` are the raw scores of the first buckets from ``since`` on, where these are
    known already. Raises InvalidInput.
    """
    series = regularise(times, ppmv)
    first = 0 if since is None else int(np.searchsorted(series.times, since))
    held = forward_fill(series.ppmv, baseline.hold_bins)
    fault = faults(series.ppmv, series.bad, baseline.noise, baseline.hold_bins)
    ill = (fault == Fault.STUCK) | (fault == Fault.NOISY)
    raw = _raw_scores(baseline, held, ill, first, np.zeros(0, dtype=np.float32) if known is None else known)
    latched = latch(raw.astype(np.float64), series.ppmv, held, LatchState() if state is None else state)
    fault = fault[first:]
    score = latched.score.astype(np.float32)
    score[(fault != Fault.NONE) & (score < WARNING_SCORE)] = np.nan
    return Detection(series.times[first:], series.ppmv[first:], score, level_of(score), raw, fault, latched.state)


def _raw_scores(baseline: Baseline, held: Floats, ill: Flags, first: int, known: Scores) -> Scores:
    """Return the channels' score of each bucket from ``first`` on [k], of which the first are known.

    A channel is silent while its window holds a bucket in which the sensor was ill [n].
    """
    begin = first + known.size
    if begin >= held.size:
        return known[: held.size - first]
    ratios = []
    for matcher in baseline.matchers:
        window = matcher.channel.window
        context = min(window - 1, begin)
        ratio = matcher.ratios(held[begin - context :])[context:]
        ratio[trailing_windows(ill, window, missing=False)[begin:].any(axis=1)] = np.nan
        ratios.append(ratio)
    scores = score_of(ratios, baseline.scales)
    scores[np.isnan(held[begin:])] = np.nan
    return np.concatenate((known, scores.astype(np.float32)))


def level_of(score: Scores) -> Levels:
    """Return the level [n] of scores [n]: 1 (Warning) from 1.0, 2 (Critical) from 2.0, -1 (Undefined) for NaN."""
    level = np.zeros(score.shape, dtype=np.int8)
    level[score >= WARNING_SCORE] = 1
    level[score >= CRITICAL_SCORE] = 2
    level[np.isnan(score)] = -1
    return level
