"""The whole study: folds scored side by side, then every figure, as one document."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bench.detection import trial
from bench.detection.comparison import at_budgets, delays, ratio
from bench.detection.events import Rise, rises
from bench.detection.figures import Performance, performance
from bench.detection.folds import Fold, folds_of
from bench.detection.holding import holding
from bench.detection.leaks import seeds, tidal_currents
from bench.detection.recorded_series import Folder, read_folder
from bench.detection.rules import RULES, Rule
from bench.detection.trial import AMPLITUDES, Trial
from shared.errors import InvalidInput

SEEDS = Path(__file__).resolve().parents[2] / "seed"
BUDGETS = (0.25, 0.5, 1.0, 2.0)
CURVE = tuple(step / 20 for step in range(61))


@dataclass(frozen=True)
class Options:
    """How much is tried, and with which random numbers."""

    seed: int = 1
    injections: int = 16
    folds: int = 8
    jobs: int = 1


@dataclass(frozen=True, eq=False)
class Study:
    """The figures as one document, and the known rises with their scores."""

    document: dict[str, Any]
    rises: list[Rise]


def study(folder: Path, options: Options) -> Study:
    """Return every figure for a folder of series; raises InvalidInput when no series is long enough."""
    found = read_folder(folder)
    folds = [fold for recorded in found.series for fold in folds_of(recorded, options.folds)]
    used = {fold.sensor for fold in folds}
    found.passed_over.update({one.sensor: "no fold fits" for one in found.series if one.sensor not in used})
    if not folds:
        raise InvalidInput(f"no series in {folder} is long enough: {found.passed_over}")
    trials = trials_of(folds, found, options)
    known = rises(found.series)
    return Study({**_summary(found, folds, trials, options), **figures(trials, options.seed), **_events(known)}, known)


def trials_of(folds: Sequence[Fold], found: Folder, options: Options, rules: Sequence[Rule] = RULES) -> list[Trial]:
    """Return every fold's scores by these rules, side by side, with progress on stderr."""
    return list(tqdm(_trials(folds, found, options, rules), total=len(folds), desc="folds", unit="fold"))


def _trials(folds: Sequence[Fold], found: Folder, options: Options, rules: Sequence[Rule]) -> Iterator[Trial]:
    run = partial(
        trial.run,
        templates=seeds(SEEDS),
        currents=found.currents or tidal_currents(),
        injections=options.injections,
        seed=options.seed,
        rules=rules,
    )
    if options.jobs == 1:
        yield from map(run, folds)
        return
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # one core per process; read when numpy is imported there
    with ProcessPoolExecutor(options.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(run, folds)


def figures(trials: Sequence[Trial], seed: int) -> dict[str, Any]:
    """Return the figures of every rule and of this system beside the others."""
    budgets = {rule.name: dict(zip(BUDGETS, at_budgets(trials, rule.name, BUDGETS), strict=True)) for rule in RULES}
    fixed = performance(trials, "ours", 1.0)
    best = budgets["ours"][1.0]
    others = {rule.name: budgets[rule.name][1.0] for rule in RULES if rule.name != "ours"}
    return {
        "rules": {rule.name: _rule(trials, rule, budgets[rule.name]) for rule in RULES},
        "comparison": {
            name: {
                "ours_fixed_warning": ratio(trials, fixed.hours, theirs.hours, seed),
                "ours_at_budget_1": ratio(trials, best.hours, theirs.hours, seed),
                "delay_ours_fixed_warning": delays(trials, fixed, theirs),
                "delay_ours_at_budget_1": delays(trials, best, theirs),
            }
            for name, theirs in others.items()
        },
    }


def _rule(trials: Sequence[Trial], rule: Rule, budgets: dict[float, Performance]) -> dict[str, Any]:
    fixed = {"warning": rule.warning, "critical": rule.critical}
    given = {name: threshold for name, threshold in fixed.items() if threshold is not None}
    curve = at_budgets(trials, rule.name, CURVE)
    return {
        "fixed": {name: performance(trials, rule.name, threshold).summary() for name, threshold in given.items()},
        "budgets": [{"budget": budget, **reached.summary()} for budget, reached in budgets.items()],
        "curve": [{"budget": budget, "recall": one.recall} for budget, one in zip(CURVE, curve, strict=True)],
        "holding": {name: holding(trials, rule.name, threshold) for name, threshold in given.items()},
    }


def _summary(found: Folder, folds: Sequence[Fold], trials: Sequence[Trial], options: Options) -> dict[str, Any]:
    return {
        "options": {name: value for name, value in vars(options).items() if name != "jobs"},
        "passed_over": found.passed_over,
        "currents": "recorded" if found.currents else "a synthetic tide",
        "sensors": sorted({fold.sensor for fold in folds}),
        "folds": [fold.summary() for fold in folds],
        "sensor_months": sum(one.months for one in trials),
        "leaks": sum(len(one.leaks.kinds) for one in trials) * len(AMPLITUDES),
        "amplitudes": list(AMPLITUDES),
    }


def _events(known: Sequence[Rise]) -> dict[str, Any]:
    return {"events": [rise.summary() for rise in known]}
