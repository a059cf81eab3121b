"""What the evidence amounts to: probabilities, a verdict, and what to be careful about."""

import numpy as np

from shared.domain.estimation import Verdict
from shared.estimation.curves import likeliest, signal_of
from shared.estimation.options import EstimationOptions
from shared.estimation.solution import InverseProblem, Solution

_SATURATED_PPMV = 1e5  # far above what water holds around a leak
_HEARD = 3.0  # standard deviations of a sensor's noise that a signal must reach to be heard by it


def probabilities(leak: float, alternatives: tuple[float, float], options: EstimationOptions) -> tuple[float, float]:
    """Return the probabilities of a leak here and of an external cause; the rest is wandering sensors or nothing."""
    nothing = 1 - options.prior_leak - options.prior_external - options.prior_wander
    priors = np.array([options.prior_leak, options.prior_external, options.prior_wander, nothing])
    logs = np.log(np.maximum(priors, 1e-12)) + np.array([leak, *alternatives, 0.0])
    shares = np.exp(logs - logs.max())
    shares /= shares.sum()
    return float(shares[0]), float(shares[1])


def verdict_of(
    problem: InverseProblem, solution: Solution, shares: tuple[float, float], options: EstimationOptions
) -> tuple[Verdict, list[str]]:
    """Return the verdict and the warnings; some of them forbid a verdict."""
    leak, external = shares
    doubts = _doubts(problem)
    if leak >= options.confirm_at and not doubts:
        doubts += _lonely(problem, solution)
    warnings = doubts + _cautions(problem)
    if doubts:
        return "UNDEFINED", warnings
    if leak >= options.confirm_at:
        return "CONFIRMED", warnings
    if external >= options.external_at:
        return "EXTERNAL_CAUSE", warnings
    return "UNDEFINED", warnings


def _doubts(problem: InverseProblem) -> list[str]:
    doubts = []
    if len(problem.series.rows) < 2:
        doubts.append("one usable sensor: an external cause cannot be told from a leak")
    known = float(problem.sea.known.mean())
    if known < 0.5:
        doubts.append(f"currents known for only {100 * known:.0f} % of the samples: the place rests on distance alone")
    if float(np.nanmax(problem.series.ppmv)) >= _SATURATED_PPMV:
        doubts.append(f"readings of {_SATURATED_PPMV:,.0f} ppmv or more: check the sensors")
    return doubts


def _lonely(problem: InverseProblem, solution: Solution) -> list[str]:
    """Return the doubt about a leak that a single sensor would read: so close to it, a fault of it looks the same."""
    peaks = signal_of(problem, solution, likeliest(solution)[0]).max(axis=1)
    heard = [noise for noise, peak in zip(problem.noises, peaks, strict=True) if peak > _HEARD * noise.variance**0.5]
    if len(heard) > 1:
        return []
    return ["at most one sensor would read such a leak: a cause at that sensor alone cannot be told from it"]


def _cautions(problem: InverseProblem) -> list[str]:
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
    return cautions
