"""Figures of many outcomes; every share comes with Wilson's interval."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, get_args

import numpy as np

from bench.estimation.calibration import histogram, kolmogorov_smirnov, uniform_band
from bench.estimation.outcome import RANKS, Found, Outcome
from shared.domain.estimation import Verdict

Z_95 = 1.959964
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def share(hits: int, of: int) -> dict[str, float]:
    """Return hits over all with its 95 % interval by Wilson (1927); NaN of nothing."""
    if of == 0:
        return {"value": math.nan, "low": math.nan, "high": math.nan, "of": 0}
    p, z = hits / of, Z_95
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    # At none and at all of them the limits are 0 and 1; rounding must not carry them past the share itself.
    return {"value": p, "low": max(0.0, min(p, middle - half)), "high": min(1.0, max(p, middle + half)), "of": of}


def leaky(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the figures of scenarios with a leak: verdicts, errors of place, rate and onset, calibration."""
    reported = [one.found for one in outcomes if one.found is not None]
    return {
        "scenarios": len(outcomes),
        "drawn": sum(one.drawn for one in outcomes),
        "detected": sum(one.detected for one in outcomes),
        "reported": share(len(reported), len(outcomes)),
        **verdicts(outcomes),
        **_places(reported),
        **_rates(reported),
        **_onsets(reported),
        **_masses(reported),
        "calibration": calibration(outcomes),
        "points": [_point(one) for one in reported],
    }


def verdicts(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return each verdict's share of the outcomes, with its interval."""
    counts = Counter(one.verdict for one in outcomes)
    return {"verdicts": {name: share(counts[name], len(outcomes)) for name in get_args(Verdict)}}


def _places(reported: Sequence[Found]) -> dict[str, Any]:
    horizontal, distance = ([getattr(one, name) for one in reported] for name in ("horizontal_m", "distance_m"))
    return {
        "location_median_m": quantile(horizontal, 0.5),
        "location_p90_m": quantile(horizontal, 0.9),
        "distance_median_m": quantile(distance, 0.5),
        "distance_p90_m": quantile(distance, 0.9),
        "place_50": _of(reported, lambda one: one.place_50),
        "place_90": _of(reported, lambda one: one.place_90),
        "region_90_median_m3": quantile([one.region_90_m3 for one in reported], 0.5),
    }


def _rates(reported: Sequence[Found]) -> dict[str, Any]:
    return {
        "rate_x2": _of(reported, lambda one: abs(one.ln_rate_error) <= math.log(2)),
        "rate_x3": _of(reported, lambda one: abs(one.ln_rate_error) <= math.log(3)),
        "rate_bias_ln": quantile([one.ln_rate_error for one in reported], 0.5),
        "rate_50": _of(reported, lambda one: one.rate_within(one.rate_50)),
        "rate_90": _of(reported, lambda one: one.rate_within(one.rate_90)),
        "rate_90_width": quantile([one.rate_90[1] / one.rate_90[0] for one in reported], 0.5),
    }


def _onsets(reported: Sequence[Found]) -> dict[str, Any]:
    return {
        "onset_median_h": quantile([abs(one.onset_error_h) for one in reported], 0.5),
        "onset_bias_h": quantile([one.onset_error_h for one in reported], 0.5),
        "onset_90": _of(reported, lambda one: one.onset_90),
    }


def _masses(reported: Sequence[Found]) -> dict[str, Any]:
    """Return the figures of the mass and of the steps of the rate over time, of those that leak and of the others."""
    steps = [step for one in reported for step in one.steps]
    told = {
        True: [one for one in steps if one.true_rate_kg_s > 0],
        False: [one for one in steps if not one.true_rate_kg_s],
    }
    return {
        "mass_x3": _of(reported, lambda one: abs(one.ln_mass_error) <= math.log(3)),
        "mass_bias_ln": quantile([one.ln_mass_error for one in reported], 0.5),
        "mass_50": _of(reported, lambda one: one.mass_within(one.mass_50)),
        "mass_90": _of(reported, lambda one: one.mass_within(one.mass_90)),
        "step_90": share(sum(one.rate_within for one in told[True]), len(told[True])),
        "leaking_told": share(sum(one.probability_leaking > 0.5 for one in told[True]), len(told[True])),
        "quiet_told": share(sum(one.probability_leaking < 0.5 for one in told[False]), len(told[False])),
    }


def calibration(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the ranks' histograms, their distances from uniform, and the rate's coverage of each level.

    ``rate_detected`` has the rate's ranks of the detected leaks alone: they were chosen by their rate.
    """
    ranked = {name: np.array([one.ranks[name] for one in outcomes if one.ranks]) for name in RANKS}
    ranked["rate_detected"] = np.array([one.ranks["rate"] for one in outcomes if one.ranks and one.detected])
    found: dict[str, Any] = {}
    for name, values in ranked.items():
        distance, p = kolmogorov_smirnov(values)
        band = uniform_band(values.size)
        found[name] = {"histogram": histogram(values), "band": list(band), "n": values.size, "ks": distance, "p": p}
    inside = np.abs(ranked["rate"] - 0.5) * 2
    found["coverage"] = [{"level": level, **share(int((inside <= level).sum()), inside.size)} for level in LEVELS]
    return found


def time_and_memory(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return seconds of an estimation, those over the fixed piece of work's, and the memory of its process in MB."""
    return {
        "median_s": quantile([one.seconds for one in outcomes], 0.5),
        "max_s": max(one.seconds for one in outcomes),
        "median_ratio": quantile([one.ratio for one in outcomes], 0.5),
        "peak_mb": max(one.peak_mb for one in outcomes),
    }


def quantile(values: Sequence[float], level: float) -> float:
    """Return a quantile, NaN of nothing."""
    return float(np.quantile(values, level)) if len(values) else math.nan


def _of(reported: Sequence[Found], holds: Callable[[Found], bool]) -> dict[str, float]:
    return share(sum(map(holds, reported)), len(reported))


def _point(one: Found) -> dict[str, float]:
    return {
        "horizontal_m": one.horizontal_m,
        "true_rate_kg_s": one.true_rate_kg_s,
        "rate_kg_s": one.rate_kg_s,
        "low_90_kg_s": one.rate_90[0],
        "high_90_kg_s": one.rate_90[1],
    }
