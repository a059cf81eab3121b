"""From the posterior to the answer that people read."""

from typing import Any

import numpy as np

from shared.arrays import Floats
from shared.domain.estimation import Estimation, Interval, OnsetInterval, RateStep, SensorFit
from shared.domain.template import Template
from shared.domain.tsd import to_datetime
from shared.estimation.curves import curves_of, likeliest, signal_of
from shared.estimation.goodness_of_fit import fits_of, p_of_all
from shared.estimation.observed_series import ObservedSeries
from shared.estimation.options import EstimationOptions
from shared.estimation.places import cell_mass, likely_leak_point, likely_place, likely_places
from shared.estimation.posterior import quantiles, region
from shared.estimation.release_history import ReleaseHistory, release_history
from shared.estimation.solution import InverseProblem, Solution
from shared.estimation.verdict import probabilities, verdict_of

_LEVELS = (0.5, 0.25, 0.75, 0.05, 0.95)


def undefined_estimation(template: Template, series: ObservedSeries, words: str, why: str) -> Estimation:
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


# How a process's threads add decides the last digits of a sum; the lake alone must give the answer.
DECIMALS = 6  # of probabilities and logarithms
DIGITS = 6  # of what has a unit


def report(
    problem: InverseProblem,
    solution: Solution,
    alternatives: tuple[float, float],
    options: EstimationOptions,
    whole: ObservedSeries | None = None,
) -> Estimation:
    """Return the estimation; place, rates and onset are those of a leak if any, None where nothing is likelier.

    The ``whole`` series, where it is longer than the problem's, tells how the rate went on.
    """
    posterior, places, template = solution.posterior, problem.places, problem.template
    leak = posterior.log_bayes_factor
    one = likeliest(solution)[0]
    signal = signal_of(problem, solution, one)
    fits = fits_of(problem, solution, one, signal, options)
    shares = probabilities(leak, alternatives, p_of_all(fits), options)
    dissolved = _rate(np.log(solution.rates), posterior.rate)
    verdict, warnings = verdict_of(problem, signal, shares, fits, options)
    answer = undefined_estimation(template, problem.series, problem.sea.words, "")
    stated = {
        "verdict": verdict,
        "probability": round(shares[0], DECIMALS),
        "probability_external": round(shares[1], DECIMALS),
        "log_bayes_factor": round(leak, DECIMALS),
        "log_bayes_factor_external": round(leak - alternatives[0], DECIMALS),
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
            "location_error_m": _plain(error),
            "nearest_leak_point": likely_leak_point(template, places, probability),
            "places": likely_places(template, places, probability),
            "region_50_m3": _plain(region(mass, 0.5).size * volume),
            "region_90_m3": _plain(region(mass, 0.9).size * volume),
            "dissolved_rate_kg_s": dissolved,
            "total_rate_kg_s": _total(np.log(solution.rates), posterior.rate, options),
            "onset": _onset(solution),
            **_over_time(release_history(problem, solution, options, whole), options),
            "curves": curves_of(problem, solution),
            "fits": tuple(_shortened(one) for one in fits),
        }
    )


def _rate(log_rates: Floats, weights: Floats) -> Interval:
    """Return median and central intervals of a rate [kg/s] from its weights on evenly spaced ln rates."""
    half = 0.5 * (log_rates[1] - log_rates[0])
    edges = np.append(log_rates - half, log_rates[-1] + half)
    return _interval(np.exp(quantiles(edges, weights, _LEVELS)))


def _interval(at_levels: Floats) -> Interval:
    median, low_50, high_50, low_90, high_90 = map(_plain, at_levels)
    return Interval(median=median, low_50=low_50, high_50=high_50, low_90=low_90, high_90=high_90)


def _shortened(one: SensorFit) -> SensorFit:
    gain = None if one.gain is None else _plain(one.gain)
    return SensorFit(sensor=one.sensor, p=round(one.p, DECIMALS), residual_ppmv=_plain(one.residual_ppmv), gain=gain)


def _plain(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


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


def _over_time(history: ReleaseHistory, options: EstimationOptions) -> dict[str, Any]:
    moments = [to_datetime(np.datetime64(round(edge), "s")) for edge in history.edges]
    steps = tuple(
        RateStep(
            start=start,
            end=end,
            probability_leaking=min(1.0, round(float(history.weight @ (rates > 0)), DECIMALS)),
            dissolved_rate_kg_s=_of_draws(rates, history.weight),
        )
        for start, end, rates in zip(moments[:-1], moments[1:], history.rates.T, strict=True)
    )
    mass = history.mass_kg
    share = np.random.default_rng(0).standard_normal(mass.size)
    log_share = np.log(options.dissolved_share) + np.log(options.dissolved_share_factor) * share
    return {
        "rate_over_time": steps,
        "dissolved_mass_kg": _of_draws(mass, history.weight),
        "total_mass_kg": _of_draws(mass / np.exp(np.minimum(log_share, 0.0)), history.weight),
    }


def _of_draws(values: Floats, weight: Floats) -> Interval:
    """Return median and central intervals of draws [n] with their weights [n]."""
    order = np.argsort(values, kind="stable")
    held = np.cumsum(weight[order]) - 0.5 * weight[order]
    return _interval(np.interp(_LEVELS, held, values[order]))


def _onset(solution: Solution) -> OnsetInterval:
    median, low, high = (
        to_datetime(np.datetime64(round(moment), "s"))
        for moment in quantiles(solution.onset_edges, solution.posterior.onset, (0.5, 0.05, 0.95))
    )
    return OnsetInterval(median=median, low_90=low, high_90=high)
