"""One fold, scored by every rule without and with leaks."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.detection.folds import CONTEXT, Fold
from bench.detection.gaps import After, after_gaps
from bench.detection.leaks import HELD_KINDS, KINDS, Source
from bench.detection.plumes import AFTER, LASTS
from bench.detection.rules import Learnt, Rule
from shared.arrays import Floats, Indices, Scores

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
    gaps: tuple[After, ...] = ()


def run(fold: Fold, source: Source, rules: Sequence[Rule], injections: int, seed: int, gap_folds: int = 0) -> Trial:
    """Return the fold's scores; the same for the same seed, whatever else runs.

    ``injections``: leaks of each kind, and as many of those that are held. Of the first ``gap_folds`` of a sensor
    also what follows gaps.
    """
    rng = np.random.default_rng([seed, fold.number, *hashlib.sha256(fold.sensor.encode()).digest()[:8]])
    learnt = Learnt.of(rules, fold.sensor, fold.times[: fold.split], fold.ppmv[: fold.split])
    sizes = np.array([*PPMV, *(value * fold.sigma for value in SIGMAS)])
    leaks = _leaky(fold, learnt, source, KINDS * injections, sizes, LASTS, rng)
    held_sizes = np.array(HELD_SIGMAS) * fold.sigma
    holding = _leaky(fold, learnt, source, HELD_KINDS * injections, held_sizes, LASTS + AFTER, rng)
    gaps = after_gaps(fold, rules, learnt.scorers, rng) if fold.number < gap_folds else ()
    return Trial(fold.sensor, fold.number, fold.months, _quiet(fold, learnt, source, rng), leaks, holding, gaps)


def _quiet(fold: Fold, learnt: Learnt, source: Source, rng: np.random.Generator) -> dict[str, Scores]:
    times, ppmv = fold.times[fold.split - CONTEXT :], fold.ppmv[fold.split - CONTEXT :]
    sea = source.currents.told(source.currents.place_of(times, rng), times, rng)
    found = learnt.scores(times, ppmv, times[CONTEXT], sea)
    return {name: np.where(fold.counted, one, np.float32(np.nan)) for name, one in found.items()}


def onsets_in(fold: Fold, count: int, bins: int, rng: np.random.Generator) -> Indices:
    """Draw onsets [count], as bins of the fold, where the sensor reads and most of the ``bins`` after are counted."""
    present = np.concatenate(([0], np.cumsum(fold.counted)))
    starts = np.arange(max(fold.counted.size - bins, 0))
    enough = (present[starts + bins] - present[starts] >= PRESENT * bins) & fold.counted[starts]
    allowed = starts[enough]
    return fold.split + rng.choice(allowed, count) if allowed.size else np.zeros(0, dtype=np.intp)


def _leaky(
    fold: Fold,
    learnt: Learnt,
    source: Source,
    kinds: Sequence[str],
    sizes: Floats,
    bins: int,
    rng: np.random.Generator,
) -> Leaky:
    """Score the slice of each leak, CONTEXT before its onset to ``bins`` after it, without and with all sizes of it."""
    onsets = onsets_in(fold, len(kinds), bins, rng)
    without = {name: np.empty((onsets.size, 1, bins), dtype=np.float32) for name in learnt.scorers}
    scores = {name: np.empty((onsets.size, sizes.size, bins), dtype=np.float32) for name in learnt.scorers}
    for k, onset in enumerate(onsets):
        leak = source.drawn(kinds[k], rng)
        times = fold.times[onset - CONTEXT : onset + bins + 1]
        ppmv = fold.ppmv[onset - CONTEXT : onset + bins + 1]
        sea = source.currents.told(leak.moment - CONTEXT, times, rng)
        since = times[CONTEXT + 1]
        for name, found in learnt.scores(times, ppmv, since, sea).items():
            without[name][k, 0] = found
        for a, size in enumerate(sizes):
            added = ppmv.copy()
            added[CONTEXT + 1 :] += size * leak.added[1 : bins + 1]
            for name, found in learnt.scores(times, added, since, sea).items():
                scores[name][k, a] = found
    return Leaky(tuple(kinds[: onsets.size]), without, scores)
