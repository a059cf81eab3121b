"""How far off place and rate of a leak would be: the posterior of ``estimate``, of readings drawn from its beliefs."""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from shared.arrays import Floats, Indices, Times
from shared.domain.environment import Environment
from shared.domain.template import Template
from shared.domain.tsd import to_datetime
from shared.errors import InvalidInput
from shared.estimation.background import Background
from shared.estimation.candidates import Places
from shared.estimation.detectability import WITHIN_S, onsets_of, period_of
from shared.estimation.inversion import build_problem
from shared.estimation.noise import sensor_noises
from shared.estimation.observed_series import ObservedSeries
from shared.estimation.options import EstimationOptions
from shared.estimation.responses import Responses
from shared.estimation.solution import InverseProblem, model_errors, solve

COARSE = EstimationOptions(
    spacing_m=2.0, heights=2
)  # an eighth of the cells of ``estimate``, so that a map takes seconds
_BEFORE_S = 6 * 3600.0  # of a leak's onset, from which the background is known
_PHASES = 2
_IN_CELL = 1 / 6  # of a cell's area: the mean square distance in a square from its centre


@dataclass(frozen=True, eq=False, slots=True)
class ExpectedErrors:
    """The expected horizontal error [k] in m of the place of a leak at ``at`` [k], as indices of the ``places``.

    ``rate_factors`` [k] are by how much its rate is expected to be off, up or down: from 1 on.
    """

    places: Places
    at: Indices
    errors_m: Floats
    rate_factors: Floats


def expected_place_errors(
    template: Template,
    environment: Environment,
    times: Times,
    spread_ppmv: Floats,
    rate_kg_s: float,
    rng: np.random.Generator,
    *,
    at: Indices | None = None,
    draws: int = 2,
    options: EstimationOptions = COARSE,
) -> ExpectedErrors:
    """Return how far off a leak of ``rate_kg_s`` at the places ``at`` [k] is expected to be put after a day.

    The mean distance from the true place, and of ln rate from the true one, in the posterior of ``estimate``, of
    readings that are drawn from what it believes: from a member of its ensemble, gains, noise and the pattern's error,
    ``draws`` times, by turns at two phases of the tide, and the same for every place, so that places can be compared.
    All places without ``at``. The leak's onset is taken as known. ``spread_ppmv`` [sensors] is the standard deviation
    of each sensor's noise; ``times`` [n] are as for ``detectable_rates``.
    Raises InvalidInput for spreads of another shape or not above 0, a rate not above 0, and as ``detectable_rates``
    does.
    """
    if spread_ppmv.shape != (len(template.sensors),) or not (spread_ppmv > 0).all():
        raise InvalidInput(f"spread_ppmv must be {len(template.sensors)} values above 0, not {spread_ppmv!r}")
    if not rate_kg_s > 0:
        raise InvalidInput(f"rate_kg_s must be above 0, not {rate_kg_s}")
    period, template = period_of(template, times, options), template.without_misplaced()
    onsets = onsets_of(period, _PHASES + 1)[-_PHASES:]  # not the first one, which would have nothing before it
    problems = [_KnownOnset.at(template, environment, period, int(one), options) for one in onsets]
    places = problems[0].places
    chosen = np.arange(len(places.positions)) if at is None else at
    members, seeds = rng.permutation(len(problems[0].members)), rng.integers(2**63, size=draws)
    errors, log_factors = np.zeros(chosen.size), np.zeros(chosen.size)
    for k, place in enumerate(chosen.tolist()):
        away = _distances(places, place, places.cell_volume_m3 * options.heights / template.height)
        for draw, seed in enumerate(seeds):
            problem, member = problems[draw % len(problems)], int(members[draw % members.size])
            expected, here = (
                rate_kg_s * problem.signal(member, place, np.array(problem.window[:1]), 0),
                np.random.default_rng(seed),
            )
            drawn = problem.reading(expected, spread_ppmv, here, options)
            solution = solve(drawn, options)
            weights, rates = solution.posterior.place, solution.posterior.rate
            errors[k] += float(weights @ away / weights.sum()) / draws
            log_factors[k] += float(rates @ np.abs(np.log(solution.rates / rate_kg_s)) / rates.sum()) / draws
    return ExpectedErrors(places, chosen, errors, np.exp(log_factors))


def _distances(places: Places, place: int, cell_m2: float) -> Floats:
    """Return the horizontal distances [p] in m of places from one, of which a cell's leak is anywhere in the cell."""
    away = (places.positions - places.positions[place])[:, :2]
    inside = _IN_CELL * cell_m2 if place < places.cells else 0.0
    return np.asarray(np.sqrt((away**2).sum(axis=1) + inside))


@dataclass(frozen=True, eq=False, slots=True)
class _KnownOnset(InverseProblem):
    """A problem whose onset is known, so that every member's ``known`` responses are worked out once."""

    known: tuple[Responses, ...] = ()

    @classmethod
    def at(
        cls,
        template: Template,
        environment: Environment,
        period: ObservedSeries,
        onset: int,
        options: EstimationOptions,
    ) -> Self:
        """Return the problem of the day after an onset, an index of the period, and some hours before it."""
        since = period.seconds - period.seconds[onset]
        part = slice(*np.searchsorted(since, [-_BEFORE_S, WITHIN_S], side="right").tolist())
        series = replace(
            period, times=period.times[part], seconds=period.seconds[part], ppmv=period.ppmv[:, part].copy()
        )
        moment = to_datetime(period.times[onset])
        there = replace(options, earliest_onset=moment, latest_onset=moment)
        problem = build_problem(template, environment, series, there)
        known = tuple(problem.responses(one, np.array([problem.window[0]])) for one in range(len(problem.members)))
        return cls(**{one.name: getattr(problem, one.name) for one in fields(problem)}, known=known)

    def responses(self, member: int, onsets: Indices) -> Responses:
        """Return those of the one onset; raises ValueError for others."""
        if onsets.tolist() != [self.window[0]]:
            raise ValueError(f"the onset is known, {self.window[0]}, not {onsets.tolist()}")
        return self.known[member]

    def reading(
        self, expected: Floats, spread_ppmv: Floats, rng: np.random.Generator, options: EstimationOptions
    ) -> Self:
        """Return the problem in which the sensors read what is expected [s, t] in ppmv, but for all that may be off."""
        noise = np.full(spread_ppmv.size, options.gain_error)
        noise[rng.random(noise.size) < options.outlier_share] = options.outlier_gain_error
        gains = options.gain_median * np.exp(noise * rng.standard_normal(noise.size))
        clean = self._of(gains[:, None] * expected, spread_ppmv, options)
        size = np.sqrt(model_errors(clean, options) + spread_ppmv[:, None] ** 2)
        step = float(np.median(np.diff(self.series.seconds)))
        return self._of(
            clean.series.ppmv + size * _wandering(size.shape, step / options.noise_time_s, rng), spread_ppmv, options
        )

    def _of(self, ppmv: Floats, spread_ppmv: Floats, options: EstimationOptions) -> Self:
        series = replace(self.series, ppmv=ppmv)
        background = Background(np.zeros(len(ppmv)), spread_ppmv, spread_ppmv, measured=True)
        return replace(self, series=series, background=background, noises=sensor_noises(series, background, options))


def _wandering(shape: tuple[int, ...], step: float, rng: np.random.Generator) -> Floats:
    """Return AR(1) series [s, t] of variance 1 with steps of so many memories."""
    keep, values = np.exp(-step), rng.standard_normal(shape)
    values[:, 1:] *= np.sqrt(1 - keep**2)
    for n in range(1, shape[1]):
        values[:, n] += keep * values[:, n - 1]
    return values
