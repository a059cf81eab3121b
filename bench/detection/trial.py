"""One fold, scored by every rule without and with leaks."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.detection.folds import CONTEXT, Fold
from bench.detection.leaks import AFTER, KINDS, LASTS, signature
from bench.detection.rules import RULES, Rule, Scorer
from shared.arrays import Floats, Indices, Scores
from shared.domain.environment import Environment
from shared.domain.template import Template

PPMV = (5.0, 20.0, 50.0, 100.0)
SIGMAS = (0.5, 1.0, 2.0, 5.0, 10.0)
AMPLITUDES = (*(f"{value:g} ppmv" for value in PPMV), *(f"{value:g} sigma" for value in SIGMAS))
HELD_SIGMAS = (5.0, 10.0)
PRESENT = 0.8  # of the bins while a leak lasts


@dataclass(frozen=True, eq=False)
class Leaky:
    """Scores by rule of k leaks' slices: without [k, 1, bins] and with the leak [k, amplitudes, bins]."""

    kinds: tuple[str, ...]
    without: dict[str, Scores]
    scores: dict[str, Scores]


@dataclass(frozen=True, eq=False)
class Trial:
    """A fold's scores: leak-free by rule [evaluated] (NaN where it is not counted), of the leaks, of holding."""

    sensor: str
    number: int
    months: float
    quiet: dict[str, Scores]
    leaks: Leaky
    holding: Leaky


def run(
    fold: Fold,
    templates: list[Template],
    currents: Environment,
    injections: int,
    seed: int,
    rules: Sequence[Rule] | None = None,
) -> Trial:
    """Return the fold's scores; the same for the same seed, whatever else runs."""
    rng = np.random.default_rng([seed, fold.number, *hashlib.sha256(fold.sensor.encode()).digest()[:8]])
    scorers = {
        rule.name: rule.learn(fold.times[: fold.split], fold.ppmv[: fold.split])
        for rule in (RULES if rules is None else rules)
    }
    begin = fold.split - CONTEXT
    quiet = {}
    for name, score in scorers.items():
        found = score(fold.times[begin:], fold.ppmv[begin:], fold.times[fold.split])
        quiet[name] = np.where(fold.counted, found, np.float32(np.nan))
    sizes = np.array([*PPMV, *(value * fold.sigma for value in SIGMAS)])
    held_sizes = np.array(HELD_SIGMAS) * fold.sigma
    held = max(injections // 4, 2)
    leaks = _leaky(fold, scorers, templates, currents, _onsets(fold, injections, LASTS, rng), sizes, LASTS, rng)
    bins = LASTS + AFTER
    holding = _leaky(fold, scorers, templates, currents, _onsets(fold, held, bins, rng), held_sizes, bins, rng)
    return Trial(fold.sensor, fold.number, fold.months, quiet, leaks, holding)


def _onsets(fold: Fold, count: int, bins: int, rng: np.random.Generator) -> Indices:
    """Draw onsets [count], as bins of the fold, where the sensor reads and most of the ``bins`` after are counted."""
    present = np.concatenate(([0], np.cumsum(fold.counted)))
    starts = np.arange(max(fold.counted.size - bins, 0))
    enough = (present[starts + bins] - present[starts] >= PRESENT * bins) & fold.counted[starts]
    allowed = starts[enough]
    return fold.split + np.sort(rng.choice(allowed, count)) if allowed.size else np.zeros(0, dtype=np.intp)


def _leaky(
    fold: Fold,
    scorers: dict[str, Scorer],
    templates: list[Template],
    currents: Environment,
    onsets: Indices,
    sizes: Floats,
    bins: int,
    rng: np.random.Generator,
) -> Leaky:
    """Score the slice of each onset, CONTEXT before to ``bins`` after it, without and with leaks of all sizes."""
    kinds = tuple(KINDS[index % len(KINDS)] for index in range(onsets.size))
    without = {name: np.empty((onsets.size, 1, bins), dtype=np.float32) for name in scorers}
    scores = {name: np.empty((onsets.size, sizes.size, bins), dtype=np.float32) for name in scorers}
    for k, onset in enumerate(onsets):
        shape = signature(kinds[k], templates, currents, rng)[1 : bins + 1]
        times = fold.times[onset - CONTEXT : onset + bins + 1]
        since = times[CONTEXT + 1]
        for name, score in scorers.items():
            ppmv = fold.ppmv[onset - CONTEXT : onset + bins + 1]
            without[name][k, 0] = score(times, ppmv, since)
            for a, size in enumerate(sizes):
                added = ppmv.copy()
                added[CONTEXT + 1 :] += size * shape
                scores[name][k, a] = score(times, added, since)
    return Leaky(kinds, without, scores)
