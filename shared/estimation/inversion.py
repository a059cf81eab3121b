"""The inverse: from what the sensors read to where the leak is, how large, since when, and how sure."""

from dataclasses import replace
from datetime import datetime

import numpy as np

from shared.domain.environment import Environment
from shared.domain.estimation import Estimation, Observations
from shared.domain.template import MARGIN_M, Template
from shared.domain.tsd import to_datetime64
from shared.estimation.alternatives import log_alternatives
from shared.estimation.background import background_of
from shared.estimation.candidates import onset_range, places_of
from shared.estimation.ensemble import ensemble_of
from shared.estimation.noise import sensor_noises
from shared.estimation.observed_series import FEWEST_SAMPLES, ObservedSeries, series_of
from shared.estimation.options import EstimationOptions
from shared.estimation.release_history import MOST_TIMES
from shared.estimation.report import report, undefined_estimation
from shared.estimation.responses import plumes_of
from shared.estimation.solution import InverseProblem, Solution, solve
from shared.simulation import resolve

_DEFAULTS = EstimationOptions()


def estimate(
    template: Template,
    environment: Environment,
    observations: Observations,
    *,
    options: EstimationOptions = _DEFAULTS,
) -> Estimation:
    """Return the posterior of a leak of an open template: place, dissolved and total rate, onset, and the evidence.

    Hypotheses are a grid of places with the known leak points, onsets, rates, and combinations of the physics that is
    not known (``ensemble``); leak points outside the template are left out, and ``warnings`` name them. Each sensor's
    background and gain are marginalised under AR(1) noise with the model's own error in it (``likelihood``, ``rate``).
    "Leak here" competes with "nothing here", with sensors that wander, and with an external cause, a mode common to all
    sensors (``alternatives``). The same inputs give the same answer, byte for byte. Where nothing can be said the
    verdict is UNDEFINED and ``warnings`` say why. Raises InvalidInput for no sensors, shapes that do not fit,
    times that do not increase, or onsets that leave no sample after them.
    """
    fitted = _until(observations, options.fitted_until)
    series = series_of(template, fitted, options)
    if not series.rows:
        words = resolve(environment, observations.times.astype("datetime64[s]"), template).words
        why = f"no sensor has {FEWEST_SAMPLES} usable samples: nothing can be estimated"
        return undefined_estimation(template, series, words, why)
    whole = None
    if fitted.times.size < observations.times.size:
        heard = np.where(np.isin(np.arange(len(template.sensors)), series.rows)[:, None], observations.ppmv, np.nan)
        times = replace(options, max_steps=MOST_TIMES)
        whole = series_of(template, replace(observations, ppmv=heard), times)
    problem = build_problem(template.without_misplaced(), environment, series, options)
    answer = summarise(problem, options, whole)[0]
    left_out = tuple(
        f"the known leak point {one.name} is more than {MARGIN_M:g} m outside the template, and was left out"
        for one in template.misplaced
    )
    return answer.model_copy(update={"warnings": (*answer.warnings, *left_out)})


def _until(observations: Observations, last: datetime | None) -> Observations:
    """Return the observations up to a moment, which is included; all without one."""
    if last is None:
        return observations
    size = int(np.searchsorted(observations.times, to_datetime64(last), side="right"))
    return replace(observations, times=observations.times[:size], ppmv=observations.ppmv[:, :size])


def build_problem(
    template: Template, environment: Environment, series: ObservedSeries, options: EstimationOptions
) -> InverseProblem:
    """Return what there is to explain and the hypotheses that may; raises InvalidInput as ``estimate`` does."""
    window = onset_range(series, options)
    background = background_of(series, window[0], options)
    places, members = places_of(template, options), ensemble_of(options)
    plumes = tuple(plumes_of(template, environment, places, series, one) for one in members)
    sea = resolve(environment, series.times, template)
    noises = sensor_noises(series, background, options)
    return InverseProblem(template, environment, series, background, places, members, plumes, sea, noises, window)


def summarise(
    problem: InverseProblem, options: EstimationOptions, whole: ObservedSeries | None = None
) -> tuple[Estimation, Solution]:
    """Return the answer to a problem, and the posterior that it sums up; ``whole``: its series with what came later."""
    solution = solve(problem, options)
    external, wander = (solution.power * one for one in log_alternatives(problem.series, problem.noises, options))
    return report(problem, solution, (external, wander), options, whole), solution
