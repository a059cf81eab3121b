"""What the evidence amounts to: probabilities, a verdict, and what to be careful about."""

import numpy as np

from shared.arrays import Floats
from shared.domain.estimation import SensorFit, Verdict
from shared.estimation.goodness_of_fit import evidence_left
from shared.estimation.options import EstimationOptions
from shared.estimation.solution import InverseProblem

_SATURATED_PPMV = 1e5  # far above what water holds around a leak
_POOR = 0.05  # p of a fit that people are told of


def probabilities(
    leak: float, alternatives: tuple[float, float], p: float, options: EstimationOptions
) -> tuple[float, float]:
    """Return the probabilities of a leak here and of an external cause.

    The rest is sensors that wander, nothing, or what no model holds: that has as much evidence beside the leak's as the
    ``p`` of its fit lets something else have.
    """
    left = evidence_left(p)
    unmodelled = leak + np.log(max(1 / left - 1, 1e-12))
    nothing = 1 - options.prior_leak - options.prior_external - options.prior_wander
    priors = np.array(
        [options.prior_leak, options.prior_external, options.prior_wander, options.prior_unmodelled, nothing]
    )
    logs = np.log(np.maximum(priors, 1e-12)) + np.array([leak, *alternatives, unmodelled, 0.0])
    shares = np.exp(logs - logs.max())
    shares /= shares.sum()
    return float(shares[0]), float(shares[1])


def verdict_of(
    problem: InverseProblem,
    signal: Floats,
    shares: tuple[float, float],
    fits: tuple[SensorFit, ...],
    options: EstimationOptions,
) -> tuple[Verdict, list[str]]:
    """Return the verdict and the warnings, given the likeliest signal [s, t]; some of them forbid a verdict."""
    leak, external = shares
    doubts = _doubts(problem)
    if leak >= options.confirm_at and not doubts:
        doubts += _lonely(problem, signal)
    warnings = doubts + (_misfits(fits) if leak >= external else []) + _cautions(problem)
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


def _lonely(problem: InverseProblem, signal: Floats) -> list[str]:
    """Return the doubt about a leak that a single sensor would read: so close to it, a fault of it looks the same."""
    if sum(noise.hears(signal[noise.row]) for noise in problem.noises) > 1:
        return []
    return ["at most one sensor would read such a leak: a cause at that sensor alone cannot be told from it"]


def _misfits(fits: tuple[SensorFit, ...]) -> list[str]:
    """Return the sensors that read otherwise than by the likeliest leak."""
    poor = [one for one in fits if len(fits) * one.p < _POOR]
    return [
        f"{one.sensor} reads otherwise than any leak here would have it (p {one.p:.2g}): no model holds all of it"
        for one in poor
    ]


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
