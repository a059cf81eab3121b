"""The posterior of a leak here, and its evidence, from every hypothesis' fit."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.domain.environment import Floats
from shared.estimation.background import Background
from shared.estimation.candidates import Places, onset_edges, refined_onsets, spread_onsets
from shared.estimation.likelihood import Fit, fit, temper
from shared.estimation.noise import SensorNoise
from shared.estimation.options import EstimationOptions
from shared.estimation.posterior import Posterior, posterior_of
from shared.estimation.rate import prior_means
from shared.estimation.series import Series
from shared.simulation import ResolvedEnvironment

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False, slots=True)
class Problem:
    """What there is to explain, and the hypotheses: ``responses`` [p, s, t] in ppmv per kg/s of the usable sensors."""

    series: Series
    background: Background
    places: Places
    responses: Floats
    sea: ResolvedEnvironment
    noises: list[SensorNoise]
    window: tuple[int, int]  # first and last onset, as indices of the series


@dataclass(frozen=True, eq=False, slots=True)
class Solution:
    """The posterior of a leak here, the onsets' edges [o + 1] in s, and the best hypothesis' misfit per sample."""

    posterior: Posterior
    onset_edges: Floats
    misfit: float


def solve(problem: Problem, options: EstimationOptions) -> Solution:
    """Return the posterior over place, onset and rate, the onsets that hold its mass looked at more closely."""
    onsets = spread_onsets(*problem.window, options.onset_candidates)
    weighed = _fit(problem, onsets, options)
    posterior = _posterior(problem, weighed, onset_edges(problem.series, onsets), options)
    finer = refined_onsets(onsets, posterior.onset, options.onset_candidates)
    if finer.size > onsets.size:
        new = np.setdiff1d(finer, onsets)
        weighed = _joined(weighed, _fit(problem, new, options), np.argsort(np.concatenate([onsets, new])))
        onsets = finer
    edges = onset_edges(problem.series, onsets)
    posterior = _posterior(problem, weighed, edges, options)
    best = (int(posterior.index_place[0]), int(posterior.index_onset[0]))
    left = weighed.square[best] - max(0.0, weighed.c[best]) ** 2 / max(weighed.a[best], 1e-6)
    return Solution(posterior, edges, float(left) / (problem.series.index_time.size * temper(problem.series, options)))


def _fit(problem: Problem, onsets: Indices, options: EstimationOptions) -> Fit:
    return fit(problem.responses, problem.series, problem.noises, problem.sea.isotropic, onsets, options)


def _joined(first: Fit, second: Fit, order: Indices) -> Fit:
    pairs = (
        (first.a, second.a),
        (first.c, second.c),
        (first.square, second.square),
        (first.log_over_nothing, second.log_over_nothing),
    )
    return Fit(*(np.concatenate(pair, axis=1)[:, order] for pair in pairs))


def _posterior(problem: Problem, weighed: Fit, edges: Floats, options: EstimationOptions) -> Posterior:
    widths = np.diff(edges)
    means = prior_means(options.lowest_rate_kg_s, options.highest_rate_kg_s)
    prior = problem.places.log_prior[:, None] + np.log(widths / widths.sum()) + weighed.log_over_nothing
    return posterior_of(weighed.a, weighed.c, prior, means)
