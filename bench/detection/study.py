"""The whole study: folds scored side by side, then every figure, as one document."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bench.detection import trial
from bench.detection.currents import Currents, currents_of, record_of
from bench.detection.document import figures
from bench.detection.events import Rise, rises
from bench.detection.folds import Fold, folds_of
from bench.detection.leaks import KINDS, Source, seeds
from bench.detection.plumes import Signature, puffs
from bench.detection.recorded_series import Folder, read_folder
from bench.detection.rules import ALL_RULES, Rule, judged, ours
from bench.detection.scales import all_peaks, without
from bench.detection.trial import AMPLITUDES, Trial
from bench.parallel import mapped
from shared.domain.template import Template
from shared.errors import InvalidInput

SEEDS = Path(__file__).resolve().parents[2] / "seed"


@dataclass(frozen=True)
class Options:
    """How much is tried, and with which random numbers."""

    seed: int = 1
    injections: int = 3  # leaks of each kind per fold
    folds: int = 8  # per sensor
    jobs: int = 1
    puffs: int = 24  # leaks that are worked out
    gap_folds: int = 2  # per sensor
    zeros_count: bool = False


@dataclass(frozen=True, eq=False)
class Study:
    """The figures as one document, and the known rises with their scores."""

    document: dict[str, Any]
    rises: list[Rise]


def study(folder: Path, options: Options) -> Study:
    """Return every figure for a folder of series; raises InvalidInput when no series is long enough."""
    found = read_folder(folder)
    folds = all_folds(found, options)
    used = {fold.sensor for fold in folds}
    found.passed_over.update({one.sensor: "no fold fits" for one in found.series if one.sensor not in used})
    if not folds:
        raise InvalidInput(f"no series in {folder} is long enough: {found.passed_over}")
    rules = rules_for(found, options)
    trials = trials_of(folds, found, options, rules)
    known = rises(found, rules)
    summary = _summary(found, folds, trials, options)
    chosen = {"chosen_without_the_sensor": all(rule.chosen_without for rule in rules if rule.learn is ours)}
    return Study({**summary, **chosen, **figures(trials, rules, options.seed), **_events(known)}, known)


def rules_for(found: Folder, options: Options) -> Sequence[Rule]:
    """Return all rules, this system's with scales that other sensors chose, where these hold enough to choose by."""
    peaks = all_peaks(found, options.seed, options.jobs)
    scales = {one.sensor: without(peaks, one.sensor) for one in found.series}
    chosen = {sensor: one for sensor, one in scales.items() if one is not None}
    return judged(chosen) if len(chosen) == len(scales) else ALL_RULES


def all_folds(found: Folder, options: Options) -> list[Fold]:
    """Return the folds of all series of a folder."""
    return [
        fold for recorded in found.series for fold in folds_of(recorded, options.folds, zeros_count=options.zeros_count)
    ]


def trials_of(folds: Sequence[Fold], found: Folder, options: Options, rules: Sequence[Rule]) -> list[Trial]:
    """Return every fold's scores by these rules, side by side, with progress on stderr."""
    templates, currents = seeds(SEEDS), currents_of(found.currents)
    puff = partial(_puffs, templates=templates, currents=currents, seed=options.seed)
    leaks = list(tqdm(mapped(puff, range(options.puffs), options.jobs), total=options.puffs, desc="puffs"))
    source = Source(templates, currents, [one for sensors in leaks for one in sensors])
    run = partial(
        trial.run,
        source=source,
        rules=rules,
        injections=options.injections,
        seed=options.seed,
        gap_folds=options.gap_folds,
    )
    return list(tqdm(mapped(run, folds, options.jobs), total=len(folds), desc="folds", unit="fold"))


def _puffs(number: int, *, templates: list[Template], currents: Currents, seed: int) -> list[Signature]:
    return puffs(templates, currents, [seed, number])


def _summary(found: Folder, folds: Sequence[Fold], trials: Sequence[Trial], options: Options) -> dict[str, Any]:
    return {
        "options": {name: value for name, value in vars(options).items() if name != "jobs"},
        "passed_over": found.passed_over,
        "currents": "recorded" if record_of(found.currents) else "a synthetic tide",
        "sensors": sorted({fold.sensor for fold in folds}),
        "folds": [fold.summary() for fold in folds],
        "sensor_months": sum(one.months for one in trials),
        "leaks": sum(len(one.leaks.kinds) for one in trials) * len(AMPLITUDES),
        "kinds": list(KINDS),
        "amplitudes": list(AMPLITUDES),
    }


def _events(known: Sequence[Rise]) -> dict[str, Any]:
    return {"events": [rise.summary() for rise in known]}
