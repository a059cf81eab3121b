"""How well the likeliest leak fits what each sensor reads: a posterior predictive check (Gelman, Meng & Stern 1996).

The discrepancy is the sum of the squared whitened residuals. Were the model right it would be chi-squared, with as many
degrees of freedom as the samples are independent looks (``solution.temper``).
"""

import math
from collections.abc import Sequence

import numpy as np

from shared.arrays import Floats
from shared.domain.estimation import SensorFit
from shared.estimation.noise import SensorNoise
from shared.estimation.options import EstimationOptions
from shared.estimation.posterior import Hypothesis
from shared.estimation.rate import gain_kernel
from shared.estimation.solution import InverseProblem, Solution, model_errors


def fits_of(
    problem: InverseProblem, solution: Solution, one: Hypothesis, signal: Floats, options: EstimationOptions
) -> tuple[SensorFit, ...]:
    """Return how well a hypothesis, with its signal [s, t], fits each usable sensor; gain and background averaged."""
    errors = model_errors(problem, options)
    gains = solution.rates / solution.rates[one.rate]
    prior = gain_kernel(solution.rates, options)[:, one.rate]
    return tuple(
        _of_sensor(
            problem.template.sensors[row].id, noise, signal[noise.row], errors[noise.row], gains, prior, solution.power
        )
        for row, noise in zip(problem.series.rows, problem.noises, strict=True)
    )


def _of_sensor(
    sensor: str, noise: SensorNoise, signal: Floats, errors: Floats, gains: Floats, prior: Floats, power: float
) -> SensorFit:
    """Return one sensor's fit, given the signal [t] and the model's error [t] and the gains' prior on a grid [x]."""
    u = 1 / np.sqrt(errors[noise.at] + noise.variance)
    expected = signal[noise.at]
    d, g, b = (noise.whitened(one * u) for one in (noise.data, expected, np.ones_like(u)))
    known = b @ b + 1 / noise.prior
    dd, dg, gg = (float(x @ y - (x @ b) * (y @ b) / known) for x, y in ((d, d), (d, g), (g, g)))
    logs = power * (dg * gains - 0.5 * gg * gains**2)
    weights = prior * np.exp(logs - logs.max())
    weights /= weights.sum()
    gain = float(np.exp(weights @ np.log(gains)))
    residual = noise.data - gain * expected
    offset = float(b @ noise.whitened(residual * u)) / known
    return SensorFit(
        sensor=sensor,
        p=chi_squared_tail(power * float(weights @ (dd - 2 * dg * gains + gg * gains**2)), power * noise.at.size),
        residual_ppmv=float(np.sqrt(np.mean((residual - offset) ** 2))),
        gain=gain if noise.hears(signal) else None,
    )


def chi_squared_tail(value: float, degrees: float) -> float:
    """Return the probability that chi-squared of so many degrees of freedom exceeds a value (Wilson & Hilferty)."""
    spread = 2 / (9 * degrees)
    return 0.5 * math.erfc(((value / degrees) ** (1 / 3) - 1 + spread) / math.sqrt(2 * spread))


def p_of_all(fits: Sequence[SensorFit]) -> float:
    """Return the p of the worst of the fits, as one of so many (Bonferroni); 1 of none."""
    return min([1.0, *(len(fits) * one.p for one in fits)])


def evidence_left(p: float) -> float:
    """Return the least that a p value leaves of a model's evidence over whatever else fits best, in (0, 1].

    -e p ln p for p below 1/e (Sellke, Bayarri & Berger 2001, doi 10.1198/000313001300339950).
    """
    held = min(max(p, 1e-12), math.exp(-1))
    return -math.e * held * math.log(held)
