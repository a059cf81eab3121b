"""What the sensors would read by the likeliest hypotheses."""

import numpy as np

from shared.arrays import Floats
from shared.domain.estimation import Curve, Curves
from shared.domain.tsd import to_datetime
from shared.estimation.candidates import onset_seconds
from shared.estimation.places import named
from shared.estimation.posterior import MOST_KEPT, Hypothesis
from shared.estimation.solution import InverseProblem, Solution

MOST_CURVES, MOST_TIMES = MOST_KEPT, 100  # so that an answer stays small
MOST_VALUES = 12_000  # of all curves: with 100 sensors, too, an answer fits into a row's 64 KiB


def likeliest(solution: Solution) -> list[Hypothesis]:
    """Return the likeliest hypotheses of different places, the likeliest first."""
    return sorted(solution.posterior.best.values(), key=lambda one: -one.log_weight)[:MOST_CURVES]


def signal_of(problem: InverseProblem, solution: Solution, hypothesis: Hypothesis) -> Floats:
    """Return what a hypothesis adds to each usable sensor's background [s, t] in ppmv."""
    one = hypothesis
    return np.asarray(solution.rates[one.rate] * problem.signal(one.member, one.place, solution.onsets, one.onset))


def curves_of(problem: InverseProblem, solution: Solution) -> Curves:
    """Return the curves of the likeliest hypotheses, at no more than 100 times; at fewer with more than 40 sensors."""
    seconds, sensors = problem.series.seconds, len(problem.series.ppmv)
    step = -(-seconds.size // min(MOST_TIMES, MOST_VALUES // (MOST_CURVES * sensors)))
    starts = onset_seconds(problem.series, solution.onsets)
    probability = solution.posterior.place / solution.posterior.place.sum()
    curves = []
    for one in likeliest(solution):
        ppmv = problem.background.mean[:, None] + signal_of(problem, solution, one)
        curves.append(
            Curve(
                place=named(problem.template, problem.places, one.place, float(probability[one.place])),
                onset=to_datetime(np.datetime64(round(starts[one.onset]), "s")),
                dissolved_rate_kg_s=float(solution.rates[one.rate]),
                ppmv=tuple(tuple(row) for row in ppmv[:, ::step].round(2).tolist()),
            )
        )
    times = tuple(to_datetime(np.datetime64(round(moment), "s")) for moment in seconds[::step])
    return Curves(times=times, hypotheses=tuple(curves))
