"""The inverse: from what the sensors read to where the leak is, how large, since when, and how sure."""

import numpy as np

from shared.domain.environment import Environment
from shared.domain.estimation import Estimation, Observations
from shared.domain.template import Template
from shared.estimation.background import background_of
from shared.estimation.candidates import onset_range, places_of
from shared.estimation.likelihood import temper
from shared.estimation.noise import log_rivals, sensor_noises
from shared.estimation.options import EstimationOptions
from shared.estimation.report import nothing_to_say, report
from shared.estimation.series import FEWEST_SAMPLES, series_of
from shared.estimation.solution import Problem, solve
from shared.simulation.forward import unit_response_in
from shared.simulation.surroundings import resolve

_DEFAULTS = EstimationOptions()


def estimate(
    template: Template,
    environment: Environment,
    observations: Observations,
    *,
    options: EstimationOptions = _DEFAULTS,
) -> Estimation:
    """Return the posterior of a leak of an open template: place, dissolved and total rate, onset, and the evidence.

    Hypotheses are a grid of places with the known leak points, times onsets. Each has a rate's posterior in closed form
    (``rate``) under Gaussian noise, with the background marginalised and the model's error scaled with the hypothesis'
    own signal (``likelihood``). "Leak here" competes with "nothing here", with sensors that wander,
    and with an external cause, a mode common to all sensors (``noise``).
    The same inputs give the same answer, byte for byte. Where nothing can be said the verdict is UNDEFINED and
    ``warnings`` say why. Raises InvalidInput for a template without sensors, shapes that do not fit, times that do not
    increase, or onsets to consider that leave no sample after them.
    """
    series = series_of(template, observations, options)
    if not series.rows:
        words = resolve(environment, observations.times.astype("datetime64[s]"), template).words
        why = f"no sensor has {FEWEST_SAMPLES} usable samples: nothing can be estimated"
        return nothing_to_say(template, series, words, why)
    first, last = onset_range(series, options)
    background = background_of(series, first, options.noise_floor_ppmv)
    places = places_of(template, options)
    responses, sea = unit_response_in(template, environment, places.positions, series.times, physics=options.physics)
    responses = np.ascontiguousarray(responses[:, list(series.rows)])
    noises = sensor_noises(series, background, options)
    problem = Problem(series, background, places, responses, sea, noises, (first, last))
    solution = solve(problem, options)
    power = temper(series, options)
    external, wander = (power * one for one in log_rivals(series, noises, options))
    return report(template, problem, solution, (external, wander), options)
