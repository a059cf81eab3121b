"""What goes wrong at a template while it is watched; baselines are from before."""

from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from bench.chain.watch import Series
from shared.arrays import BUCKET_S, Floats
from shared.domain.environment import Environment

Ablation = Literal["none", "no currents", "stale currents", "dead sensor", "missing", "drift", "replaced"]
ABLATIONS: tuple[Ablation, ...] = get_args(Ablation)
WORDS: dict[Ablation, str] = {
    "none": "all is well",
    "no currents": "no currents",
    "stale currents": "currents repeat their last value",
    "dead sensor": "one sensor is dead",
    "missing": "30 % of samples missing",
    "drift": "all sensors foul and age",
    "replaced": "one sensor replaced",
}
MISSING = 0.3
# Growth on a membrane slows the passage of gas (Turner Designs on its C-sense), and a semiconductor's response to
# methane changes within months (Shah et al. 2025, doi 10.1039/d5ea00046g). How much, of these sensors, is assumed.
LEAST_LOST, MOST_LOST = 0.1, 0.3  # of the sensitivity since the baseline was made
LOST_PER_DAY = 0.2 / 30
SLOWER_S = 3600.0
# Of a sensor that is replaced, against the one before: its level, and how much it varies.
STEP_PPMV, NOISE_FACTOR = 5.0, 1.5


def ablated(ablation: Ablation, series: Series, since: int, seed: int) -> Series:
    """Return what is read when that goes wrong from bin ``since`` on; the same of the same seed, whatever leaks."""
    rng = np.random.default_rng(seed)
    one = int(rng.integers(len(series.ppmv)))
    ppmv = series.ppmv.copy()
    match ablation:
        case "none":
            return series
        case "no currents":
            return replace(series, told=None)
        case "stale currents":
            return replace(series, told=_stale(series, since))
        case "dead sensor":
            ppmv[one, since:] = np.nan
        case "missing":
            ppmv[:, since:][rng.random((len(ppmv), ppmv.shape[1] - since)) < MISSING] = np.nan
        case "drift":
            ppmv = _fouled(ppmv, rng)
        case "replaced":
            step = STEP_PPMV * rng.choice([-1, 1])
            factor = NOISE_FACTOR ** rng.choice([-1, 1])
            middle = float(np.nanmedian(series.baselines[one].ppmv))
            ppmv[one, since:] = middle + step + factor * (ppmv[one, since:] - middle)
    return replace(series, ppmv=np.maximum(ppmv, 0.0))


def _stale(series: Series, since: int) -> Environment | None:
    """Return the currents of a meter that repeats what it said last before the bin."""
    told = series.told
    if told is None:
        return None
    last = max(int(np.searchsorted(told.times, series.times[since])) - 1, 0)
    held = np.minimum(np.arange(told.times.size), last)
    return Environment.of(
        told.times, current_speed=told.current_speed[held], current_direction=told.current_direction[held]
    )


def _fouled(ppmv: Floats, rng: np.random.Generator) -> Floats:
    """Return what sensors read that have lost sensitivity, lose more, and answer more slowly [sensors, n]."""
    lost = rng.uniform(LEAST_LOST, MOST_LOST, (len(ppmv), 1))
    days = np.arange(ppmv.shape[1]) * BUCKET_S / 86_400
    kept = 1 - lost - LOST_PER_DAY * days
    share = -np.expm1(-BUCKET_S / SLOWER_S)
    found, now = np.empty_like(ppmv), ppmv[:, 0]
    for place, reading in enumerate((kept * ppmv).T):
        now = np.where(np.isnan(now) | np.isnan(reading), reading, now + share * (reading - now))
        found[:, place] = now
    return found
