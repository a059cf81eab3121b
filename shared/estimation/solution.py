"""The posterior of a leak here, from every hypothesis' fit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shared.arrays import Floats, Indices, Singles
from shared.domain.environment import Environment
from shared.domain.template import Template
from shared.estimation.alternatives import log_sum_exp
from shared.estimation.background import Background
from shared.estimation.candidates import Places, onset_edges, onset_seconds, refined_onsets, spread_onsets
from shared.estimation.ensemble import Member
from shared.estimation.likelihood import fit, log_error_over_nothing
from shared.estimation.noise import SensorNoise, rises
from shared.estimation.observed_series import ObservedSeries
from shared.estimation.options import EstimationOptions
from shared.estimation.posterior import Posterior
from shared.estimation.rate import common_kernel, gain_kernel, highest_log_likelihood, log_likelihood, rates_of
from shared.estimation.responses import Responses, responses_of
from shared.simulation import ResolvedEnvironment, confinement

_BLOCK = 1024  # hypotheses at once on the grid of rates: so few that their arrays stay in the cache
TIDAL_DAY_S = 24.84 * 3600  # after which the moon, and the tide with it, is where it was
_NEGLIGIBLE = 25.0  # of ln likelihood below the best one's; a million of those are a hundred thousandth of it


@dataclass(frozen=True, eq=False, slots=True)
class InverseProblem:
    """What there is to explain, and the hypotheses that may; ``plumes`` are each member's (``plumes_of``)."""

    template: Template
    environment: Environment
    series: ObservedSeries
    background: Background
    places: Places
    members: tuple[Member, ...]
    plumes: tuple[Singles, ...]
    sea: ResolvedEnvironment
    noises: list[SensorNoise]
    window: tuple[int, int]  # first and last onset, as indices of the series

    def responses(self, member: int, onsets: Indices) -> Responses:
        """Return the readings, in ppmv per kg/s, of leaks that begin at the onsets [o], by one member's physics."""
        return responses_of(
            self.template, self.environment, self.places, self.series, self.members[member], self.plumes[member], onsets
        )

    def signal(self, member: int, place: int, onsets: Indices, onset: int) -> Floats:
        """Return what a leak at a place adds to each sensor [s, t] in ppmv per kg/s, from one of the onsets [o] on."""
        responses = self.responses(member, onsets)
        since = self.series.seconds - onset_seconds(self.series, onsets)[onset]
        after, ppmv = np.flatnonzero(since > 0), np.zeros(self.series.ppmv.shape)
        for sensor, row in enumerate(ppmv):
            row[after] = responses.begun(sensor, onset, after, since[after], slice(place, place + 1))[0]
        return ppmv


@dataclass(frozen=True, eq=False, slots=True)
class Solution:
    """The posterior of a leak here, the candidate onsets [o], their edges [o + 1] in s, and the rates [r] in kg/s.

    ``power`` is that of every likelihood (``temper``).
    """

    posterior: Posterior
    onsets: Indices
    onset_edges: Floats
    rates: Floats
    power: float


def solve(problem: InverseProblem, options: EstimationOptions) -> Solution:
    """Return the posterior over place, onset, rate and physics.

    A first look, with the middle of each closure alone, says which onsets matter; half of the candidates go there.
    """
    series = problem.series
    rates, sets = rates_of(options), range(len(problem.members))
    middle = [index for index, one in enumerate(problem.members) if one.is_middle]
    onsets = spread_onsets(*problem.window, options.onset_candidates)
    earliest = float(series.seconds[problem.window[0]])
    first = _posterior(problem, onsets, middle, rates, temper(series, earliest, options), options)
    likely = float(onset_seconds(series, onsets) @ first.onset / first.onset.sum())
    chosen = refined_onsets(onsets, first.onset, options.onset_candidates)
    power = temper(series, likely, options)
    posterior = _posterior(problem, chosen, sets, rates, power, options)
    posterior.blur(common_kernel(rates, confinement(problem.template), options))
    return Solution(posterior, chosen, onset_edges(series, chosen), rates, power)


def _posterior(
    problem: InverseProblem,
    onsets: Indices,
    members: Sequence[int],
    rates: Floats,
    power: float,
    options: EstimationOptions,
) -> Posterior:
    kernel = gain_kernel(rates, options)
    widths = np.diff(onset_edges(problem.series, onsets))
    log_onset = np.log(widths / widths.sum())
    errors = model_errors(problem, options)
    alone = log_error_over_nothing(errors, problem.series, problem.noises, onsets)
    # When the readings begin to be more than noise is the same for all hypotheses. Were it their own onset, what is
    # quiet between a leak's onset and its plume's arrival would speak for a later one.
    common = log_sum_exp(log_onset + power * alone) + log_onset - np.log(rates.size * len(members))
    posterior = Posterior.empty(len(problem.places.positions), onsets.size, len(problem.members), rates.size)
    for member in members:
        found = fit(problem.responses(member, onsets), errors, problem.series, problem.noises, onsets)
        prior = common + problem.places.log_prior[:, None]
        most = prior + power * highest_log_likelihood(found.a, found.c)
        order = np.argsort(-most, axis=None, kind="stable")
        for start in range(0, order.size, _BLOCK):
            place, onset = np.unravel_index(order[start : start + _BLOCK], most.shape)
            if most[place[0], onset[0]] < posterior.scale - _NEGLIGIBLE:
                break  # nor do all that follow matter
            logs = log_likelihood(power * found.a[place, onset], power * found.c[place, onset], rates, kernel)
            posterior.add(logs + prior[place, onset, None], place, onset, member)
    return posterior


def temper(series: ObservedSeries, onset_s: float, options: EstimationOptions) -> float:
    """Return the power in (0, 1] of every likelihood: the share of the samples that look at the model's error afresh.

    An error of the current's direction, the diffusivity or the rise stays the same for hours: samples are not as many
    looks at it as there are samples. One in ``independent_s`` counts, somewhat less than the sensors' own memory. And
    from the second tidal day after the onset on, the currents come again that were there before, with the same errors.
    """
    fresh = min(1.0, float(np.median(np.diff(series.seconds))) / options.independent_s)
    return fresh * min(1.0, TIDAL_DAY_S / max(float(series.seconds[-1]) - onset_s, 1.0))


def model_errors(problem: InverseProblem, options: EstimationOptions) -> Floats:
    """Return the variance of the model's error [s, t] in ppmv2, the same for every hypothesis.

    It is a share of the sensor's own rise, as a root mean square over all times: a plume that is early or late, or
    misses a sensor by a few degrees, is wrong by as much as the sensor reads, not by a share of what the hypothesis
    expects at that moment. All of the rise where the current is not known, none before the earliest onset.
    """
    relative = np.where(problem.sea.known, options.relative_model_error, max(1.0, options.relative_model_error))
    relative[: problem.window[0] + 1] = 0.0
    level = (rises(problem.series, problem.noises) ** 2).mean(axis=-1)
    level = level + options.neighbour_error**2 * level.max()
    return np.asarray(relative**2 * level[:, None])
