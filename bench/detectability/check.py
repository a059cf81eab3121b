"""What was foretold of a template against leaks of the family: which are noticed, and how far off their places are.

Every leak has its own truth (``bench.estimation.family``, in a semi-closed template as a box of cells), of which the
prediction knows nothing but the template, the currents as the meter tells them, and the sensors' noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from bench.detection.currents import metered
from bench.estimation import family, noise, sites
from bench.estimation.box import box_readings
from bench.estimation.clouds import cloud_readings
from bench.estimation.figures import quantile, share
from bench.estimation.leak import TrueLeak, known_or_anywhere
from bench.estimation.scenarios import SAMPLES, SPREADS, read
from bench.estimation.sea_states import SeaStates
from shared.arrays import Floats, Times
from shared.domain.environment import Environment
from shared.domain.template import Template
from shared.estimation import EstimationOptions, estimate
from shared.estimation.candidates import Places, places_of
from shared.estimation.detectability import detectable_rates
from shared.estimation.expected_error import COARSE, expected_place_errors

COUNT = 433  # steps of 10 minutes: three days
DAY, BEFORE = 144, 36  # steps of a leak that are looked at, and of the background before it
PROBABILITIES = (0.1, 0.5, 0.9)
DRAWS = 8  # of what the estimation believes, for each leak's expected error
LARGEST_OVER_SMALLEST = 100.0  # rate of a leak that is located, over that from which on it is noticed


@dataclass(frozen=True, eq=False)
class Task:
    """A template in a sea of its own, and how many of its leaks are looked at and located."""

    template: sites.Kind
    sea_states: SeaStates
    leaks: int
    located: int
    seed: np.random.SeedSequence


@dataclass(frozen=True, slots=True)
class Noticed:
    """From which rate on a leak is noticed in kg/s: foretold for ``PROBABILITIES``, and truly."""

    foretold_kg_s: tuple[float, ...]
    true_kg_s: float


@dataclass(frozen=True, slots=True)
class Located:
    """How far off a leak's place is, horizontally in m; None where nothing is likelier than a leak."""

    foretold_m: float
    actual_m: float | None


@dataclass(frozen=True, eq=False)
class Site:
    """A template in the true currents and those that the meter tells, at times [n], and its sensors' noise."""

    kind: sites.Kind
    template: Template
    sea: Environment
    told: Environment
    times: Times
    noises: tuple[noise.Noise, ...]

    @classmethod
    def drawn(cls, kind: sites.Kind, sea_states: SeaStates, rng: np.random.Generator) -> Self:
        """Return a site with days of the currents, drawn."""
        template = sites.drawn(kind, rng)
        sea, times = sea_states.drawn(COUNT, rng)
        told = metered(sea, rng)
        return cls(kind, template, sea, told, times, noise.drawn((), len(template.sensors), rng))

    @property
    def spread_ppmv(self) -> Floats:
        """The standard deviation of each sensor's noise [sensors] in ppmv."""
        return np.array([one.spread_ppmv for one in self.noises])


def run(task: Task) -> tuple[list[Noticed], list[Located]]:
    """Return what was foretold of each leak of a task, and what came of it."""
    rng = np.random.default_rng(task.seed)
    site = Site.drawn(task.template, task.sea_states, rng)
    levels = SPREADS * site.spread_ppmv
    foretold = detectable_rates(site.template, site.told, site.times, levels, probabilities=PROBABILITIES)
    noticed, located = [], []
    for number in range(task.leaks):
        begins = int(rng.integers(BEFORE, site.times.size - DAY))
        times = site.times[begins - BEFORE : begins + DAY + 1]
        place = known_or_anywhere(site.template, EstimationOptions().known_point_weight, rng)
        leak = TrueLeak(place, 1.0, float(site.times[begins].astype(np.int64)) + 1.0)  # right after a sample
        signal = _signal(site, leak, times, rng)
        least = _least_rate(signal, levels)
        rates = foretold.rates_kg_s[_index(foretold.places, place)]
        noticed.append(Noticed(tuple(rates.tolist()), least))
        if number < task.located:
            rate = least * LARGEST_OVER_SMALLEST ** float(rng.random())
            located.append(_located(site, replace(leak, rate_kg_s=rate), rate * signal, times, rng))
    return noticed, located


def _located(site: Site, leak: TrueLeak, signal: Floats, times: Times, rng: np.random.Generator) -> Located:
    """Return how far off a leak's place is, foretold and by ``estimate`` of its ``signal`` [sensors, n] in ppmv."""
    at = np.array([_index(places_of(site.template, COARSE), leak.place)])
    expected = expected_place_errors(
        site.template, site.told, site.times, site.spread_ppmv, leak.rate_kg_s, rng, at=at, draws=DRAWS
    )
    found = estimate(site.template, site.told, read(times, signal, site.noises, rng)).place
    off = None if found is None else float(np.hypot(found.x - leak.place[0], found.y - leak.place[1]))
    return Located(float(expected.errors_m[0]), off)


def _signal(site: Site, leak: TrueLeak, times: Times, rng: np.random.Generator) -> Floats:
    """Return what the sensors read above background [sensors, n] in ppmv."""
    readings = box_readings if site.kind == "semi" else cloud_readings
    return readings(site.template, site.sea, leak.place, leak.rate_kg_s, leak.moment, times, family.drawn(rng), rng)


def _least_rate(signal: Floats, levels: Floats) -> float:
    """Return the rate in kg/s from which on some sensor is above its level for three hours in all."""
    held = np.sort(signal, axis=1)[:, -SAMPLES]
    return float((levels / np.maximum(held, 1e-30)).min())


def _index(places: Places, place: tuple[float, float, float]) -> int:
    return int(((places.positions - place) ** 2).sum(axis=1).argmin())


def figures(noticed: Sequence[Noticed], located: Sequence[Located]) -> dict[str, Any]:
    """Return how well the predictions hold: shares that are noticed at the rates foretold, and rank correlations."""
    foretold = np.array([one.foretold_kg_s for one in noticed])
    true = np.array([one.true_kg_s for one in noticed])
    found = [one for one in located if one.actual_m is not None]
    expected, actual = ([getattr(one, name) for one in found] for name in ("foretold_m", "actual_m"))
    return {
        "noticed": [
            {"foretold": probability, **share(int((true <= foretold[:, k]).sum()), true.size)}
            for k, probability in enumerate(PROBABILITIES)
        ],
        "rate_spearman": spearman(foretold[:, PROBABILITIES.index(0.5)], true),
        "rate_bias_ln": float(np.median(np.log(true / foretold[:, PROBABILITIES.index(0.5)]))),
        "located": len(located),
        "reported": len(found),
        "error_spearman": spearman(np.array(expected), np.array(actual)),
        "expected_median_m": quantile(expected, 0.5),
        "actual_median_m": quantile(actual, 0.5),
        "expected_mean_m": float(np.mean(expected)) if found else np.nan,
        "actual_mean_m": float(np.mean(actual)) if found else np.nan,
    }


def spearman(first: Floats, second: Floats) -> float:
    """Return Spearman's rank correlation of two samples [n], NaN of fewer than three."""
    if first.size < 3:
        return float("nan")
    ranks = np.array([one.argsort().argsort() for one in (first, second)])
    return float(np.corrcoef(ranks)[0, 1])
