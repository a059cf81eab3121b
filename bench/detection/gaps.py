"""What follows a gap: a sensor is silent, stuck, noisy or reads bad values, and then a leak is there.

Its own leak-free days stand before and after; the leak is a step from the first reading after the gap on, at once, as
of a leak that began long before, or through the sensor's first-order response.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.detection.first_order import STEP_H, response
from bench.detection.folds import CONTEXT, DAY, Fold
from bench.detection.rules import Rule, Scorer
from shared.arrays import BUCKET_STEP, Floats, Scores

HOUR = 6  # bins
SHORT_H = (2, 3, 6, 12, 24, 72)
GAPS_H = {"silent": (*SHORT_H, 240, 720), "stuck": SHORT_H, "noisy": SHORT_H, "bad": SHORT_H}
STEPS = (3.0, 10.0, 30.0, 100.0, 200.0)  # times the baseline's spread
ONSETS = ("at once", "first order")
WATCHED = 2 * DAY  # bins after the gap
BAD = 1e14  # as recorded series have it
NOISE = 10.0  # times the baseline's spread, within which a noisy sensor reads anything
PRESENT = 0.9  # of the bins before and after the gap


@dataclass(frozen=True)
class After:
    """A rule's hours to Warning and Critical after a gap (inf: not while it is watched), and what was wrongly Ok.

    high_ok: samples above the baseline's maximum plus its spread that were Ok; high: how many there were.
    """

    rule: str
    gap: str
    gap_h: int
    onset: str
    step: float
    warning_h: float
    critical_h: float
    high: int
    high_ok: int


def after_gaps(
    fold: Fold, rules: Sequence[Rule], scorers: Mapping[str, Scorer], rng: np.random.Generator
) -> tuple[After, ...]:
    """Return what every rule that is told nothing says after every gap, at one place of the fold.

    Empty where no place of the fold is read for long enough.
    """
    place = _place(fold, rng)
    if place is None:
        return ()
    found = list[After]()
    for gap, lengths in GAPS_H.items():
        for gap_h in lengths:
            before, after = fold.ppmv[place - CONTEXT : place], fold.ppmv[place : place + WATCHED]
            disturbed = np.concatenate((before, _disturbed(gap, gap_h * HOUR, before, fold.sigma, rng)))
            for onset in ONSETS:
                for step in STEPS:
                    leak = after + step * fold.sigma * rising(onset)
                    found += [
                        _after(fold, rule, scorers[rule.name], disturbed, leak, (gap, gap_h, onset, step))
                        for rule in rules
                        if rule.told == "nothing"
                    ]
    return tuple(found)


def rising(onset: str) -> Floats:
    """Return what a step of 1 adds to the readings after the gap [WATCHED]."""
    return np.ones(WATCHED) if onset == "at once" else response(np.ones(WATCHED + 1))[1:]


def _place(fold: Fold, rng: np.random.Generator) -> int | None:
    """Draw a bin of the fold around which it is read and no known rise is evaluated."""
    counted = np.concatenate((np.isfinite(fold.ppmv[: fold.split]), fold.counted))
    read = np.concatenate(([0], np.cumsum(counted)))
    places = np.arange(fold.split, counted.size - WATCHED)
    around = read[places + WATCHED] - read[places - CONTEXT]
    allowed = places[(around >= PRESENT * (CONTEXT + WATCHED)) & counted[places] & counted[places - 1]]
    return int(rng.choice(allowed)) if allowed.size else None


def _disturbed(gap: str, bins: int, before: Floats, sigma: float, rng: np.random.Generator) -> Floats:
    """Return what is read during the gap [bins], as it arrives."""
    if gap == "stuck":
        return np.full(bins, before[-1])
    if gap == "noisy":
        return rng.uniform(0, float(np.nanmedian(before)) + NOISE * sigma, bins)
    return np.full(bins, np.nan if gap == "silent" else BAD)


def _after(
    fold: Fold, rule: Rule, scorer: Scorer, before: Floats, leak: Floats, case: tuple[str, int, str, float]
) -> After:
    ppmv = np.concatenate((before, leak))
    times = fold.times[0] + np.arange(ppmv.size) * BUCKET_STEP
    score = scorer(times, ppmv, times[before.size])
    baseline = fold.ppmv[: fold.split]
    high = leak > float(np.nanmax(baseline)) + fold.sigma
    return After(
        rule.name,
        *case,
        first_h(score, rule.warning),
        first_h(score, rule.critical),
        int(np.count_nonzero(high)),
        int(np.count_nonzero(high & (score < rule.warning))),
    )


def first_h(score: Scores, threshold: float | None) -> float:
    """Return the hours from the gap's end to the first score [n] at or above a threshold, inf where there is none."""
    above = np.flatnonzero(score >= threshold) if threshold is not None else np.zeros(0)
    return float(above[0] * STEP_H) if above.size else float("inf")


def gap_table(outcomes: Sequence[After]) -> list[dict[str, Any]]:
    """Return a row by rule, gap, length, onset and step: medians and the worst over folds, and what was wrongly Ok."""
    cases = dict[tuple[str, str, int, str, float], list[After]]()
    for one in outcomes:
        cases.setdefault((one.rule, one.gap, one.gap_h, one.onset, one.step), []).append(one)
    names = ("rule", "gap", "gap_h", "onset", "step")
    return [{**dict(zip(names, case, strict=True)), **_row(members)} for case, members in cases.items()]


def _row(members: Sequence[After]) -> dict[str, Any]:
    warning, critical = [one.warning_h for one in members], [one.critical_h for one in members]
    return {
        "folds": len(members),
        "warning_median_h": float(np.quantile(warning, 0.5, method="higher")),
        "warning_worst_h": max(warning),
        "critical_median_h": float(np.quantile(critical, 0.5, method="higher")),
        "critical_worst_h": max(critical),
        "high_samples": sum(one.high for one in members),
        "high_but_ok_samples": sum(one.high_ok for one in members),
    }
