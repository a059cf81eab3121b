"""The chain beside the older rule, at the same false alarms per template-month.

Both score every sensor; a template's score is its highest, and false alarms are counted in it as in
``bench.detection.figures``. A leak is found by the first sample of any sensor that is not as high without the leak,
also where another sensor is alarmed already; or, more strictly, by the first alarm that is not there without it. A rule
that is in alarm for days finds much by the first, as its alarms last longer with a leak, and little by the second.

What is chosen is chosen on the quiet templates of one half of the blocks, and judged on the leaks and quiet templates
of the other: the older rule's threshold at as many false alarms as this system has, and both rules' at each of some
budgets. A few quiet templates decide of one threshold, so the mean over the budgets says more than any of them.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.chain.drawn import HALVES
from bench.chain.trial import Outcome, news
from bench.detection.figures import alarms, budget_thresholds
from bench.detection.folds import DAY
from shared.arrays import Flags, Floats, Scores
from shared.detection.baseline import MONTH_BINS

Finds = Callable[[Scores, Scores, float], Flags]  # by scores with and without a leak, and a threshold

STEP_H = 1 / 6
BUDGETS = (0.5, 1.0, 2.0, 4.0)  # false alarms per template-month
MONTH_DAYS = MONTH_BINS / DAY


@dataclass(frozen=True, eq=False)
class Judged:
    """Delays in hours on the same leaks [n], NaN: never; of each sensor alone; false alarms per template-month."""

    ours: Floats
    older: Floats
    alone: Sequence[Floats]
    false_alarms: float
    older_false_alarms: float


def parted(outcomes: Sequence[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    """Return the outcomes with a leak, and those without."""
    return [one for one in outcomes if one.trial.task.leak], [one for one in outcomes if not one.trial.task.leak]


def found(outcomes: Sequence[Outcome], threshold: float) -> Judged:
    """Return what the chain finds at a threshold, and the older rule at one with as many false alarms."""
    quiet, ours = parted(outcomes)[1], dict.fromkeys(HALVES, threshold)
    return _judged(outcomes, ours, _thresholds(quiet, _older_scores, _false_alarms(quiet, _our_scores, ours)))


def found_at(outcomes: Sequence[Outcome], budget: float, finds: Finds = news) -> Judged:
    """Return what both rules find at thresholds with at most so many false alarms per template-month."""
    quiet = parted(outcomes)[1]
    return _judged(outcomes, _thresholds(quiet, _our_scores, budget), _thresholds(quiet, _older_scores, budget), finds)


def _judged(
    outcomes: Sequence[Outcome], ours: Mapping[int, float], older: Mapping[int, float], finds: Finds = news
) -> Judged:
    """Return what is found at thresholds by the half that is judged."""
    leaks, quiet = parted(outcomes)
    return Judged(
        ours=np.array([first_hours(one, ours[one.trial.task.half], finds) for one in leaks]),
        older=np.array([_older_hours(one, older[one.trial.task.half], finds) for one in leaks]),
        alone=[_alone(one, ours[one.trial.task.half]) for one in leaks],
        false_alarms=_false_alarms(quiet, _our_scores, ours),
        older_false_alarms=_false_alarms(quiet, _older_scores, older),
    )


def _thresholds(quiet: Sequence[Outcome], scores: Callable[[Outcome], Scores], budget: float) -> dict[int, float]:
    """Return the threshold with which each half is judged; the other half chose it."""
    found = {}
    for half in HALVES:
        others = [one for one in quiet if one.trial.task.half != half]
        found[half] = budget_thresholds([scores(one) for one in others], _months(others), [budget])[0]
    return found


def _false_alarms(
    quiet: Sequence[Outcome], scores: Callable[[Outcome], Scores], thresholds: Mapping[int, float]
) -> float:
    return sum(alarms(scores(one), thresholds[one.trial.task.half]) for one in quiet) / _months(quiet)


def _months(quiet: Sequence[Outcome]) -> float:
    return sum(one.days for one in quiet) / MONTH_DAYS


def _our_scores(outcome: Outcome) -> Scores:
    return template_score(outcome.scored.ours)


def _older_scores(outcome: Outcome) -> Scores:
    return template_score(outcome.scored.older)


def template_score(scores: Scores) -> Scores:
    """Return the highest of the sensors' scores [sensors, n] that are known, NaN where none is."""
    return np.asarray(np.fmax.reduce(scores, axis=0))


def first_hours(outcome: Outcome, threshold: float, finds: Finds = news) -> float:
    """Return after how many hours any sensor first reaches a threshold by the leak alone; NaN: never."""
    return _hours(outcome, outcome.scored.ours, outcome.scored.ours_without, threshold, finds)


def _older_hours(outcome: Outcome, threshold: float, finds: Finds) -> float:
    return _hours(outcome, outcome.scored.older, outcome.scored.older_without, threshold, finds)


def _alone(outcome: Outcome, threshold: float) -> Floats:
    pairs = zip(outcome.scored.ours, outcome.scored.ours_without, strict=True)
    return np.array([_hours(outcome, score[None], without[None], threshold) for score, without in pairs])


def _hours(outcome: Outcome, scores: Scores, without: Scores, threshold: float, finds: Finds = news) -> float:
    """Return when the first sample is looked at, of scores [sensors, n], that the leak brings to a threshold."""
    new = np.flatnonzero(finds(scores, without, threshold))
    if not new.size:
        return math.nan
    tick = outcome.trial.tick_hours
    return math.ceil((int(new[0]) + 1) * STEP_H / tick - 1e-9) * tick
