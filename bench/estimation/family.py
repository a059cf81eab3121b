"""A family of truths that shares no closure with the forward model: what nobody knows of a sea is drawn per leak.

A leak's gas drifts as clouds. Every cloud is carried by the current at its height and grows by one of two closures, at
a rate that is drawn; the current swings, gusts and never rests; the meter that the estimation believes has errors of
its own, and the sensors fall more slowly than they rise. ``without`` holds one of these at its middle or leaves it out,
so that one can see what it costs.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from shared.arrays import Floats

Closure = Literal["ballistic", "gradient"]
Unknown = Literal[
    "closure", "strength", "anisotropy", "source", "rise", "meander", "gusts", "residual", "shear", "sensors", "meter"
]
UNKNOWNS: tuple[Unknown, ...] = get_args(Unknown)
BALLISTIC_SHARE = 0.65
LEVELS = 4  # of a release that rises


@dataclass(frozen=True, slots=True)
class Truth:
    """The sea, the release, the sensors and the meter of one leak."""

    closure: Closure
    intensity: float  # sigma_v over the current, of a ballistic cloud
    eddy_m: float  # its integral scale
    least_sigma_v_m_s: float  # in slack water, too
    mixing_m: float  # K / U of a gradient one
    vertical_ratio: float  # of the variances' growth
    size_m: float  # standard deviation of a new cloud
    rise_m: float  # of the highest level
    level_shares: tuple[float, ...]
    meander_deg: float
    meander_memory_s: float
    gust: float  # standard deviation of the speed's share
    residual_m_s: float  # of each component, at rest
    roughness_m: float
    up_s: float  # the sensors' time constants
    down_s: float
    speed_error: float  # of what the meter says
    direction_error_deg: float
    phase: float  # rad, of the tide that stands in for a missing record


# What each unknown is held at. A truth without "closure" is ballistic; the strength is its own unknown.
MIDDLE = Truth(
    closure="ballistic",
    intensity=0.15,
    eddy_m=3.0,
    least_sigma_v_m_s=0.006,
    mixing_m=0.12,
    vertical_ratio=0.6,
    size_m=0.35,
    rise_m=1.0,
    level_shares=(0.25,) * LEVELS,
    meander_deg=14.0,
    meander_memory_s=180.0,
    gust=0.0,
    residual_m_s=0.009,
    roughness_m=1e-3,
    up_s=7200.0,
    down_s=7200.0,
    speed_error=0.0,
    direction_error_deg=0.0,
    phase=0.0,
)
_FIELDS: dict[Unknown, tuple[str, ...]] = {
    "closure": ("closure",),
    "strength": ("intensity", "eddy_m", "least_sigma_v_m_s", "mixing_m"),
    "anisotropy": ("vertical_ratio",),
    "source": ("size_m",),
    "rise": ("rise_m", "level_shares"),
    "meander": ("meander_deg", "meander_memory_s"),
    "gusts": ("gust",),
    "residual": ("residual_m_s",),
    "shear": ("roughness_m",),
    "sensors": ("up_s", "down_s"),
    "meter": ("speed_error", "direction_error_deg"),
}


def drawn(rng: np.random.Generator, without: Collection[Unknown] = ()) -> Truth:
    """Return a truth; what is left out is drawn, too, so that all else stays as it is for the same numbers."""
    truth = Truth(
        closure="ballistic" if rng.random() < BALLISTIC_SHARE else "gradient",
        intensity=_log_uniform(0.06, 0.30, rng),
        eddy_m=_log_uniform(1.0, 8.0, rng),
        least_sigma_v_m_s=rng.uniform(0.004, 0.008),
        mixing_m=_log_uniform(0.03, 0.5, rng),
        vertical_ratio=rng.uniform(0.3, 1.0),
        size_m=_log_uniform(0.15, 0.6, rng),
        rise_m=rng.uniform(0.0, 3.0),
        level_shares=tuple(rng.dirichlet(np.full(LEVELS, 2.0)).tolist()),
        meander_deg=rng.uniform(6.0, 22.0),
        meander_memory_s=rng.uniform(60.0, 400.0),
        gust=rng.uniform(0.10, 0.25),
        residual_m_s=rng.uniform(0.004, 0.015),
        roughness_m=_log_uniform(2e-4, 5e-3, rng),
        up_s=60 * rng.uniform(60.0, 150.0),
        down_s=60 * rng.uniform(90.0, 200.0),
        speed_error=0.12,
        direction_error_deg=8.0,
        phase=rng.uniform(0, 2 * np.pi),
    )
    held = {name: getattr(MIDDLE, name) for unknown in without for name in _FIELDS[unknown]}
    return replace(truth, **held)


def spread(truth: Truth, path: Floats) -> tuple[Floats, Floats]:
    """Return the horizontal and vertical variance [...] in m2 of a cloud that has come so far [...] in m.

    Ballistic: Taylor (1921) with the exponential correlation, sigma = i s while s << L. Gradient: 2 (K / U) s.
    """
    if truth.closure == "ballistic":
        over = path / truth.eddy_m
        growth = 2 * (truth.intensity * truth.eddy_m) ** 2 * (over - 1 + np.exp(-over))
    else:
        growth = 2 * truth.mixing_m * path
    return truth.size_m**2 + growth, truth.size_m**2 + truth.vertical_ratio * growth


def least_speed(truth: Truth) -> float:
    """Return the speed in m/s at which a cloud grows at rest: that which makes the least sigma_v."""
    return truth.least_sigma_v_m_s / truth.intensity


def _log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
