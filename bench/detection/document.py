"""Every figure of the trials, as one document."""

from collections.abc import Sequence
from operator import sub
from typing import Any

import numpy as np

from bench.detection.comparison import areas, at_budgets, compared, delays, ratio, weights_of
from bench.detection.figures import Performance, alarms, performance, quiet_of
from bench.detection.gaps import gap_table
from bench.detection.holding import holding
from bench.detection.leaks import KINDS
from bench.detection.poisson import garwood
from bench.detection.rules import RULES, Rule
from bench.detection.tally import BUDGETS, GROUPS, Tally, area, recall_at
from bench.detection.trial import Trial

CURVE = tuple(step / 20 for step in range(61))


def figures(trials: Sequence[Trial], rules: Sequence[Rule], seed: int) -> dict[str, Any]:
    """Return the figures of the rules that scored, RULES among them, and of this system beside the others."""
    tallies = {rule.name: Tally.of(trials, rule.name) for rule in rules}
    weights = weights_of([one.sensor for one in trials], np.random.default_rng(seed))
    drawn = {name: areas(tally, weights) for name, tally in tallies.items()}
    told = [rule.name for rule in rules if rule.told != "nothing"]
    budgets = {rule.name: dict(zip(BUDGETS, at_budgets(trials, rule.name, BUDGETS), strict=True)) for rule in RULES}
    others = [rule.name for rule in RULES if rule.name != "ours"]
    return {
        "area": {rule.name: _area(tallies[rule.name]) for rule in rules},
        "area_ratios": {name: compared(drawn["ours"], drawn[name], ratio) for name in others},
        "area_differences": {name: compared(drawn[name], drawn["ours"], sub) for name in told},
        "rules": {rule.name: _rule(tallies[rule.name], budgets[rule.name]) for rule in RULES},
        "fixed": {rule.name: _fixed(trials, rule) for rule in rules},
        "holding": {rule.name: _holding(trials, rule) for rule in rules},
        "delays": {name: delays(trials, budgets["ours"][1.0], budgets[name][1.0]) for name in others},
        "gaps": gap_table([one for fold in trials for one in fold.gaps]),
    }


def _area(tally: Tally) -> dict[str, dict[str, float]]:
    recalls = tally.recalls(np.ones(tally.months.size))
    return {group: {"area": area(recalls, group), "recall_at_1": recall_at(recalls, group, 1.0)} for group in GROUPS}


def _rule(tally: Tally, budgets: dict[float, Performance]) -> dict[str, Any]:
    curve = np.nanmean(tally.recalls(np.ones(tally.months.size), CURVE), axis=0)
    return {
        "budgets": [{"budget": budget, **reached.summary()} for budget, reached in budgets.items()],
        "curve": [{"budget": budget, "recall": float(one)} for budget, one in zip(CURVE, curve, strict=True)],
    }


def _holding(trials: Sequence[Trial], rule: Rule) -> dict[str, Any]:
    return {name: holding(trials, rule.name, threshold) for name, threshold in rule.fixed.items()}


def _fixed(trials: Sequence[Trial], rule: Rule) -> dict[str, Any]:
    """Return what a rule reaches at its fixed thresholds, with the exact interval of its false alarms."""
    quiet, months = quiet_of(trials, rule.name)
    found = {}
    for name, threshold in rule.fixed.items():
        count = sum(alarms(score, threshold) for score in quiet)
        low, high = garwood(count)
        interval = {"false_alarms": count, "per_month_low": low / months, "per_month_high": high / months}
        reached = performance(trials, rule.name, threshold)
        found[name] = {**reached.summary(), **interval, "recall_by_kind": _by_kind(trials, reached)}
    return found


def _by_kind(trials: Sequence[Trial], reached: Performance) -> dict[str, float]:
    kinds = np.array([kind for trial in trials for kind in trial.leaks.kinds])
    found = np.isfinite(reached.hours)
    return {kind: float(found[kinds == kind].mean()) for kind in KINDS if (kinds == kind).any()}
