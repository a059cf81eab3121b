"""How far off the place of a leak would be that ``estimate`` finds: its own posterior, of what it expects to read."""

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from shared.arrays import Floats, Indices, Times
from shared.domain.environment import Environment
from shared.domain.template import Template
from shared.domain.tsd import to_datetime
from shared.errors import InvalidInput
from shared.estimation.background import Background
from shared.estimation.candidates import Places, onset_seconds
from shared.estimation.detectability import WITHIN_S, onsets_of, period_of
from shared.estimation.inversion import build_problem
from shared.estimation.noise import sensor_noises
from shared.estimation.observed_series import ObservedSeries
from shared.estimation.options import EstimationOptions
from shared.estimation.responses import Responses
from shared.estimation.solution import InverseProblem, solve

COARSE = EstimationOptions(spacing_m=2.0, heights=2)  # finer cells change the errors by less than they are wide
_BEFORE_S = 6 * 3600.0  # of a leak's onset, from which the background is known


@dataclass(frozen=True, eq=False, slots=True)
class ExpectedErrors:
    """The expected horizontal error [k] in m of the place of a leak at ``at`` [k], as indices of the ``places``."""

    places: Places
    at: Indices
    errors_m: Floats


def expected_place_errors(
    template: Template,
    environment: Environment,
    times: Times,
    spread_ppmv: Floats,
    rate_kg_s: float,
    *,
    at: Indices | None = None,
    options: EstimationOptions = COARSE,
) -> ExpectedErrors:
    """Return how far off the place of a leak of ``rate_kg_s`` is expected to be after a day, at the places ``at`` [k].

    The posterior's mean distance from the true place where the sensors read just what is expected of it (an Asimov data
    set: Cowan et al. 2011, doi 10.1140/epjc/s10052-011-1554-0, section 3.2), by the middle of each closure, at one
    phase of the tide each. All places without ``at``. Its onset is taken as known. ``spread_ppmv`` [sensors] is the
    standard deviation of each sensor's noise; ``times`` [n] are as for ``detectable_rates``. Raises InvalidInput for
    spreads of another shape or not above 0, and as ``detectable_rates`` does.
    """
    if spread_ppmv.shape != (len(template.sensors),) or not (spread_ppmv > 0).all():
        raise InvalidInput(f"spread_ppmv must be {len(template.sensors)} values above 0, not {spread_ppmv!r}")
    period = period_of(template, times, options)
    onsets = onsets_of(period, 2 + 1)[1:]  # the first one would have nothing before it
    problems = [_KnownOnset.at(template, environment, period, int(one), options) for one in onsets]
    middles = [index for index, one in enumerate(problems[0].members) if one.is_middle]
    places = problems[0].places
    chosen = np.arange(len(places.positions)) if at is None else at
    errors = np.zeros(chosen.size)
    for k, place in enumerate(chosen.tolist()):
        away = np.hypot(*(places.positions - places.positions[place])[:, :2].T)
        for problem, middle in zip(problems, middles * len(problems), strict=False):
            weights = solve(problem.reading(place, middle, rate_kg_s, spread_ppmv, options), options).posterior.place
            errors[k] += float(weights @ away / weights.sum()) / len(problems)
    return ExpectedErrors(places, chosen, errors)


@dataclass(frozen=True, eq=False, slots=True)
class _KnownOnset(InverseProblem):
    """A problem whose onset is known, so that every member's ``known`` responses are worked out once."""

    known: tuple[Responses, ...] = ()

    @classmethod
    def at(
        cls, template: Template, environment: Environment, period: ObservedSeries, onset: int, options: EstimationOptions
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
        """Return those of the one onset."""
        return self.known[member]

    def reading(
        self, place: int, member: int, rate_kg_s: float, spread_ppmv: Floats, options: EstimationOptions
    ) -> Self:
        """Return the problem in which the sensors read what a member expects of a leak at a place, without noise."""
        series, ppmv = self.series, np.zeros_like(self.series.ppmv)
        since = series.seconds - onset_seconds(series, np.array(self.window[:1]))[0]
        after = np.flatnonzero(since > 0)
        for sensor, row in enumerate(ppmv):
            row[after] = self.known[member].begun(sensor, 0, after, since[after], slice(place, place + 1))[0]
        series = replace(series, ppmv=rate_kg_s * ppmv)
        background = Background(np.zeros(len(ppmv)), spread_ppmv, spread_ppmv, measured=True)
        return replace(self, series=series, background=background, noises=sensor_noises(series, background, options))
