"""From the posterior to the answer that people read: verdict, place, rates, onset, and what to be careful about."""

import math

import numpy as np

from shared.domain.environment import Floats
from shared.domain.estimation import Estimation, OnsetInterval, PlaceProbability, Verdict
from shared.domain.template import Template
from shared.domain.tsd import to_datetime
from shared.estimation.candidates import Places
from shared.estimation.options import EstimationOptions
from shared.estimation.posterior import (
    cell_mass,
    onset_quantiles,
    rate_distribution,
    rate_interval,
    region,
    total_distribution,
)
from shared.estimation.series import Series
from shared.estimation.solution import Problem, Solution

MOST_PLACES = 250  # so that the answer fits into one property of a table (32,000 characters)
_LARGEST_MISFIT = 4.0  # per sample; 1 is what the noise explains
_NEAR_POINT_M = 1.5
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
    shares = _probabilities(solution.posterior.log_bayes_factor, rivals, options)
    posterior, places = solution.posterior, problem.places
    log_rates, below = rate_distribution(posterior)
    dissolved = rate_interval(log_rates, below)
    verdict, warnings = _verdict(problem, solution, shares, dissolved.median, options)
    answer = nothing_to_say(template, problem.series, problem.sea.words, "")
    stated = {
        "verdict": verdict,
        "probability": shares[0],
        "log_bayes_factor": solution.posterior.log_bayes_factor,
        "log_bayes_factor_external": solution.posterior.log_bayes_factor - rivals[0],
        "warnings": tuple(warnings),
    }
    if posterior.log_bayes_factor <= 0:
        return answer.model_copy(update=stated)
    total = total_distribution(log_rates, below, options.dissolved_share, options.dissolved_share_factor)
    place, error = _place(template, places, posterior.place)
    mass = cell_mass(places, posterior.place)
    volume = places.cell_volume_m3
    return answer.model_copy(
        update={
            **stated,
            "place": place,
            "location_error_m": error,
            "nearest_leak_point": _leak_point(template, places, posterior.place),
            "places": _places(template, places, posterior.place),
            "region_50_m3": region(mass, 0.5).size * volume,
            "region_90_m3": region(mass, 0.9).size * volume,
            "dissolved_rate_kg_s": dissolved,
            "total_rate_kg_s": rate_interval(*total),
            "onset": _onset(solution),
        }
    )


def _probabilities(leak: float, rivals: tuple[float, float], options: EstimationOptions) -> tuple[float, float]:
    """Return the probabilities of a leak here and of an external cause; the rest is wandering sensors or nothing."""
    nothing = 1 - options.prior_leak - options.prior_external - options.prior_wander
    priors = np.array([options.prior_leak, options.prior_external, options.prior_wander, nothing])
    logs = np.log(np.maximum(priors, 1e-12)) + np.array([leak, *rivals, 0.0])
    shares = np.exp(logs - logs.max())
    shares /= shares.sum()
    return float(shares[0]), float(shares[1])


def _verdict(
    problem: Problem, solution: Solution, shares: tuple[float, float], rate_kg_s: float, options: EstimationOptions
) -> tuple[Verdict, list[str]]:
    """Return the verdict and the warnings; some of them forbid a verdict."""
    leak, external = shares
    doubts, misfits = _doubts(problem), _misfits(solution)
    if leak >= options.confirm_at:
        doubts += _lonely(problem, solution, rate_kg_s)
    warnings = doubts + misfits + _cautions(problem)
    if doubts:
        return "UNDEFINED", warnings
    if leak >= options.confirm_at and not misfits:
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


def _lonely(problem: Problem, solution: Solution, rate_kg_s: float) -> list[str]:
    """Return the doubt about a leak that a single sensor would read: so close to it, a fault of it looks the same."""
    best = problem.responses[int(solution.posterior.place.argmax())]
    peaks = rate_kg_s * best[:, problem.window[0] :].max(axis=1)
    heard = [noise for noise, peak in zip(problem.noises, peaks, strict=True) if peak > _HEARD * noise.variance**0.5]
    if len(heard) > 1:
        return []
    return ["at most one sensor would read such a leak: a cause at that sensor alone cannot be told from it"]


def _misfits(solution: Solution) -> list[str]:
    misfits = []
    if solution.misfit > _LARGEST_MISFIT:
        misfits.append(f"no place explains the readings: misfit {solution.misfit:.1f} per sample, 1 expected")
    return misfits


def _cautions(problem: Problem) -> list[str]:
    cautions = []
    slow = float((problem.sea.isotropic > 0).mean())
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


def _place(template: Template, places: Places, probability: Floats) -> tuple[PlaceProbability, float]:
    """Return the most likely cell, or the leak point that holds most of it, and the rms distance from it [m]."""
    mass = cell_mass(places, probability)
    best = int(mass.argmax())
    members = np.flatnonzero(places.home == best)
    strongest = int(members[probability[members].argmax()])
    chosen = strongest if probability[strongest] > 0.5 * mass[best] else best
    squares = ((places.positions - places.positions[chosen]) ** 2).sum(axis=1)
    error = math.sqrt(float(probability @ squares / probability.sum()))
    return _named(template, places, chosen, float(mass[best])), error


def _leak_point(template: Template, places: Places, probability: Floats) -> PlaceProbability | None:
    """Return the known leak point with the most probability within 1.5 m of it."""
    found = []
    for point in template.leak_points:
        at = np.array([point.x, point.y, point.z])
        near = ((places.positions - at) ** 2).sum(axis=1) <= _NEAR_POINT_M**2
        mass = min(1.0, float(probability[near].sum()))
        found.append(PlaceProbability(name=point.name, x=point.x, y=point.y, z=point.z, probability=mass))
    return max(found, key=lambda place: place.probability, default=None)


def _places(template: Template, places: Places, probability: Floats) -> tuple[PlaceProbability, ...]:
    chosen = region(probability, 0.9)[:MOST_PLACES]
    return tuple(_named(template, places, int(k), float(probability[k])) for k in chosen)


def _named(template: Template, places: Places, k: int, probability: float) -> PlaceProbability:
    name = template.leak_points[k - places.cells].name if k >= places.cells else ""
    x, y, z = (round(one, 3) for one in places.positions[k].tolist())
    return PlaceProbability(name=name, x=x, y=y, z=z, probability=min(1.0, round(probability, 6)))


def _onset(solution: Solution) -> OnsetInterval:
    median, low, high = (
        to_datetime(np.datetime64(round(moment), "s"))
        for moment in onset_quantiles(solution.onset_edges, solution.posterior.onset)
    )
    return OnsetInterval(median=median, low_90=low, high_90=high)
