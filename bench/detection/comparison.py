"""This system beside the others on the same leaks: recall with a bootstrapped interval, delay at equal recall."""

from collections.abc import Sequence

import numpy as np

from bench.detection.figures import Hours, Performance, budget_thresholds, median, performance, quiet_of
from bench.detection.trial import Trial
from shared.arrays import Floats

RESAMPLES = 2000
HALVINGS = 24


def ratio(trials: Sequence[Trial], ours: Hours, theirs: Hours, seed: int) -> dict[str, float]:
    """Return the ratio of mean recalls, by hours [leaks, a], and its 95 % interval by a paired cluster bootstrap.

    Sensors are drawn again with replacement, then the folds inside each drawn sensor; thresholds stay.
    """
    folds = np.repeat(np.arange(len(trials)), [len(trial.leaks.kinds) for trial in trials])
    counts = np.array([_per_fold(np.isfinite(hours), folds, len(trials)) for hours in (ours, theirs)])
    sensors = [trial.sensor for trial in trials]
    drawn = bootstrap(counts, sensors, np.random.default_rng(seed))
    low, middle, high = np.quantile(drawn, [0.025, 0.5, 0.975])
    total = counts.sum(axis=1)
    return {
        "ratio": float(total[0] / max(total[1], 1)),
        "median": float(middle),
        "low": float(low),
        "high": float(high),
    }


def bootstrap(counts: Floats, sensors: Sequence[str], rng: np.random.Generator, resamples: int = RESAMPLES) -> Floats:
    """Return resampled ratios [resamples] of the first to the second row of leaks found per fold, counts [2, folds]."""
    names = sorted(set(sensors))
    members = [np.flatnonzero(np.array(sensors) == name) for name in names]
    ratios = np.empty(resamples)
    for index in range(resamples):
        chosen = rng.integers(len(names), size=len(names))
        folds = np.concatenate([rng.choice(members[one], members[one].size) for one in chosen])
        mine, theirs = counts[:, folds].sum(axis=1)
        ratios[index] = mine / max(theirs, 1)
    return ratios


def _per_fold(found: np.ndarray, folds: np.ndarray, count: int) -> Floats:
    return np.bincount(folds, weights=found.sum(axis=1), minlength=count).astype(np.float64)


def delays(trials: Sequence[Trial], ours: Performance, theirs: Performance) -> dict[str, float]:
    """Return median delays in hours: on the leaks that both find, and with ours brought to their mean recall."""
    both = np.isfinite(ours.hours) & np.isfinite(theirs.hours)
    equal = at_recall(trials, "ours", theirs.recall)
    shared = np.isfinite(equal.hours) & np.isfinite(theirs.hours)
    return {
        "both_find": int(both.sum()),
        "ours_h": median(ours.hours[both]),
        "theirs_h": median(theirs.hours[both]),
        "equal_recall_threshold": equal.threshold,
        "equal_recall_false_alarms_per_month": equal.false_alarms_per_month,
        "equal_recall": equal.recall,
        "equal_recall_ours_h": equal.delay_h,
        "equal_recall_theirs_h": theirs.delay_h,
        "equal_recall_both_find": int(shared.sum()),
        "equal_recall_both_ours_h": median(equal.hours[shared]),
        "equal_recall_both_theirs_h": median(theirs.hours[shared]),
    }


def at_recall(trials: Sequence[Trial], rule: str, recall: float) -> Performance:
    """Return the rule at the highest threshold, by halving, that reaches a mean recall."""
    quiet, _ = quiet_of(trials, rule)
    low, high = 0.0, 2.0 * max(float(np.nanmax(np.concatenate(quiet))), 1.0)
    while performance(trials, rule, high).recall >= recall > 0 and high < 1e6:
        high *= 2
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if performance(trials, rule, middle).recall >= recall else (low, middle)
    return performance(trials, rule, low)


def at_budgets(trials: Sequence[Trial], rule: str, budgets: Sequence[float]) -> list[Performance]:
    """Return the rule at the smallest thresholds that keep the budgets of false alarms per sensor-month."""
    quiet, months = quiet_of(trials, rule)
    return [performance(trials, rule, threshold) for threshold in budget_thresholds(quiet, months, budgets)]
