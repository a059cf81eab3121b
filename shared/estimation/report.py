"""From the posterior to the answer that people read: verdict, place, rates, onset, and what to be careful about."""

import numpy as np

from shared.domain.environment import Floats
from shared.domain.estimation import Estimation, Interval, OnsetInterval, Verdict
from shared.domain.template import Template
from shared.domain.tsd import to_datetime
from shared.estimation.curves import curves_of, likeliest, signal_of
from shared.estimation.options import EstimationOptions
from shared.estimation.places import cell_mass, likely_leak_point, likely_place, likely_places
from shared.estimation.posterior import quantiles, region
from shared.estimation.series import Series
from shared.estimation.solution import Problem, Solution

_LEVELS = (0.5, 0.25, 0.75, 0.05, 0.95)
_HEARD = 3.0  # standard deviations of a sensor's noise that a signal must reach to be heard by it


def nothing_to_say(template: Template, series: Series, words: str, why: str) -> Estimation:
    """Return the answer when there is nothing to estimate from."""
    return Estimation(
        verdict="UNDEFINED",
        probability=0.0,
        log_bayes_factor=0.0,
        place=None,
        nearest_leak_point=None,
        dissolved_rate_kg_s=None,
        total_rate_kg_s=None,
        onset=None,
        sensors=tuple(template.sensors[row].id for row in series.rows),
        samples=series.samples,
        environment=words,
        warnings=(why,),
    )


def report(
    template: Template, problem: Problem, solution: Solution, rivals: tuple[float, float], options: EstimationOptions
) -> Estimation:
    """Return the estimation; place, rates and onset are those of a leak if any, None where nothing is likelier."""
    posterior, places = solution.posterior, problem.places
    leak = posterior.log_bayes_factor
    shares = _probabilities(leak, rivals, options)
    dissolved = _rate(np.log(solution.rates), posterior.rate)
    verdict, warnings = _verdict(problem, solution, shares, options)
    answer = nothing_to_say(template, problem.series, problem.sea.words, "")
    stated = {
        "verdict": verdict,
        "probability": shares[0],
        "probability_external": shares[1],
        "log_bayes_factor": leak,
        "log_bayes_factor_external": leak - rivals[0],
        "warnings": tuple(warnings),
    }
    if leak <= 0:
        return answer.model_copy(update=stated)
    probability = posterior.place / posterior.place.sum()
    place, error = likely_place(template, places, probability)
    mass = cell_mass(places, probability)
    volume = places.cell_volume_m3
    return answer.model_copy(
        update={
            **stated,
            "place": place,
            "location_error_m": error,
            "nearest_leak_point": likely_leak_point(template, places, probability),
            "places": likely_places(template, places, probability),
            "region_50_m3": region(mass, 0.5).size * volume,
            "region_90_m3": region(mass, 0.9).size * volume,
            "dissolved_rate_kg_s": dissolved,
            "total_rate_kg_s": _total(np.log(solution.rates), posterior.rate, options),
            "onset": _onset(solution),
            "curves": curves_of(template, problem, solution),
        }
    )


def _rate(log_rates: Floats, weights: Floats) -> Interval:
    """Return median and central intervals of a rate [kg/s] from its weights on evenly spaced ln rates."""
    half = 0.5 * (log_rates[1] - log_rates[0])
    edges = np.append(log_rates - half, log_rates[-1] + half)
    median, low_50, high_50, low_90, high_90 = np.exp(quantiles(edges, weights, _LEVELS)).tolist()
    return Interval(median=median, low_50=low_50, high_50=high_50, low_90=low_90, high_90=high_90)


def _total(log_rates: Floats, weights: Floats, options: EstimationOptions) -> Interval:
    """Return the total rate: the dissolved one over its share f.

    ln f is normal around ln ``dissolved_share`` with standard deviation ln ``dissolved_share_factor``, f <= 1; the
    weights are spread to the shifts of the same grid.
    """
    step = log_rates[1] - log_rates[0]
    shifts = np.arange(0, 1 + int(np.ceil(np.log(1e4) / step))) * step
    spread = max(np.log(options.dissolved_share_factor), 0.5 * step)
    shares = np.exp(-0.5 * ((shifts + np.log(options.dissolved_share)) / spread) ** 2)
    total = np.convolve(weights, shares)
    return _rate(log_rates[0] + step * np.arange(total.size), total)


def _probabilities(leak: float, rivals: tuple[float, float], options: EstimationOptions) -> tuple[float, float]:
    """Return the probabilities of a leak here and of an external cause; the rest is wandering sensors or nothing."""
    nothing = 1 - options.prior_leak - options.prior_external - options.prior_wander
    priors = np.array([options.prior_leak, options.prior_external, options.prior_wander, nothing])
    logs = np.log(np.maximum(priors, 1e-12)) + np.array([leak, *rivals, 0.0])
    shares = np.exp(logs - logs.max())
    shares /= shares.sum()
    return float(shares[0]), float(shares[1])


def _verdict(
    problem: Problem, solution: Solution, shares: tuple[float, float], options: EstimationOptions
) -> tuple[Verdict, list[str]]:
    """Return the verdict and the warnings; some of them forbid a verdict."""
    leak, external = shares
    doubts = _doubts(problem)
    if leak >= options.confirm_at:
        doubts += _lonely(problem, solution)
    warnings = doubts + _cautions(problem)
    if doubts:
        return "UNDEFINED", warnings
    if leak >= options.confirm_at:
        return "CONFIRMED", warnings
    if external >= options.external_at:
        return "EXTERNAL_CAUSE", warnings
    return "UNDEFINED", warnings


def _doubts(problem: Problem) -> list[str]:
    doubts = []
    if len(problem.series.rows) < 2:
        doubts.append("one usable sensor: an external cause cannot be told from a leak")
    known = float(problem.sea.known.mean())
    if known < 0.5:
        doubts.append(f"currents known for only {100 * known:.0f} % of the samples: the place rests on distance alone")
    return doubts


def _lonely(problem: Problem, solution: Solution) -> list[str]:
    """Return the doubt about a leak that a single sensor would read: so close to it, a fault of it looks the same."""
    peaks = signal_of(problem, solution, likeliest(solution)[0]).max(axis=1)
    heard = [noise for noise, peak in zip(problem.noises, peaks, strict=True) if peak > _HEARD * noise.variance**0.5]
    if len(heard) > 1:
        return []
    return ["at most one sensor would read such a leak: a cause at that sensor alone cannot be told from it"]


def _cautions(problem: Problem) -> list[str]:
    cautions = []
    slow = float((~problem.sea.known | (problem.sea.speed < 0.02)).mean())
    if slow > 0.5:
        cautions.append(
            f"current below 2 cm/s or unknown for {100 * slow:.0f} % of the samples: the model is poor there"
        )
    if not problem.background.measured:
        cautions.append("too few samples from before the earliest onset: the background is a guess")
    span = (problem.series.seconds[-1] - problem.series.seconds[0]) / 3600
    if span < 6:
        cautions.append(f"the observations span only {span:.1f} h: about the sensors' own response time")
    if float(np.nanmax(problem.series.ppmv)) >= 1e5:
        cautions.append("readings of 100,000 ppmv or more: check the sensors")
    return cautions


def _onset(solution: Solution) -> OnsetInterval:
    median, low, high = (
        to_datetime(np.datetime64(round(moment), "s"))
        for moment in quantiles(solution.onset_edges, solution.posterior.onset, (0.5, 0.05, 0.95))
    )
    return OnsetInterval(median=median, low_90=low, high_90=high)
