"""Rules side by side on the same leaks: ratios and differences of areas with bootstrapped intervals, and delays."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from bench.detection.figures import Performance, budget_thresholds, median, performance, quiet_of
from bench.detection.tally import BUDGETS, GROUPS, Tally, area
from bench.detection.trial import Trial
from shared.arrays import Floats

RESAMPLES = 500
LEVELS = (0.05, 0.95)
HALVINGS = 24


def weights_of(sensors: Sequence[str], rng: np.random.Generator, resamples: int = RESAMPLES) -> Floats:
    """Return how often each fold counts [1 + resamples, folds]: once, then as sensors are drawn, with all folds."""
    names, of = np.unique(np.array(sensors), return_inverse=True)
    drawn = rng.integers(names.size, size=(resamples, names.size))
    times = np.stack([np.bincount(one, minlength=names.size) for one in drawn])
    return np.concatenate((np.ones((1, of.size)), times[:, of]))


def areas(tally: Tally, weights: Floats) -> dict[str, Floats]:
    """Return the area of each group [n], thresholds chosen anew under each of the weights [n, folds]."""
    recalls = [tally.recalls(one, BUDGETS) for one in weights]
    return {group: np.array([area(one, group) for one in recalls]) for group in GROUPS}


def ratio(ours: float, theirs: float) -> float:
    """Return the ratio of two areas; inf over none, NaN of none to none."""
    if theirs:
        return ours / theirs
    return float("inf") if ours else float("nan")


def compared(
    mine: Mapping[str, Floats], theirs: Mapping[str, Floats], how: Callable[[float, float], float]
) -> dict[str, dict[str, float]]:
    """Return how two rules' areas compare by group, each [1 + resamples]: as they are, and a 90 % interval."""
    found = {}
    for group, ours in mine.items():
        values = np.array([how(float(a), float(b)) for a, b in zip(ours, theirs[group], strict=True)])
        known = values[1:][~np.isnan(values[1:])]
        low, high = np.quantile(known, LEVELS, method="nearest") if known.size else (np.nan, np.nan)
        found[group] = {"value": float(values[0]), "low": float(low), "high": float(high)}
    return found


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
