"""The posterior over place, onset and rate as the normalised evidence of every hypothesis."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from shared.domain.environment import Floats
from shared.domain.estimation import Interval
from shared.estimation.candidates import Places
from shared.estimation.rate import LEAST_PRECISION, log_bayes_factor, mixture_cdf
from shared.estimation.tails import log_sum_exp

Indices = npt.NDArray[np.intp]

_LEVELS = (0.5, 0.25, 0.75, 0.05, 0.95)
_MOST_COMPONENTS = 1500
_SHARE_NODES = 101  # quantiles of the dissolved share
_COARSE, _FINE = 100, 250


@dataclass(frozen=True, eq=False, slots=True)
class Posterior:
    """Given a leak here: ln Bayes factor over nothing here, probabilities of places [p] and onsets [o].

    The rate's posterior is a mixture of truncated normals, most likely first: place, onset, mean, precision A, weight.
    """

    log_bayes_factor: float
    place: Floats
    onset: Floats
    index_place: Indices
    index_onset: Indices
    mean: Floats
    precision: Floats
    weight: Floats


def posterior_of(a: Floats, c: Floats, log_weight: Floats, means: Floats) -> Posterior:
    """Return the posterior from A, c and log weights of the hypotheses [p, o], and the means of the rate's prior [m].

    The log weight is the log prior, with the evidence of the hypothesis' noise without its signal over nothing's.
    """
    weights = log_bayes_factor(a, c, means) + log_weight[:, :, None] - np.log(means.size)
    evidence = log_sum_exp(weights)
    shares = np.exp(weights - evidence)
    flat = shares.ravel()
    most = min(_MOST_COMPONENTS, flat.size)
    top = np.sort(np.argpartition(-flat, most - 1)[:most])
    top = top[np.argsort(-flat[top], kind="stable")]
    top = top[flat[top] > 1e-6 * flat[top[0]]]
    k, o, m = np.unravel_index(top, shares.shape)
    precision = np.maximum(a[k, o], LEAST_PRECISION)
    return Posterior(
        log_bayes_factor=evidence,
        place=shares.sum(axis=(1, 2)),
        onset=shares.sum(axis=(0, 2)),
        index_place=k,
        index_onset=o,
        mean=(c[k, o] - 1 / means[m]) / precision,
        precision=precision,
        weight=shares[k, o, m],
    )


def rate_distribution(posterior: Posterior) -> tuple[Floats, Floats]:
    """Return ln rates [r] (rates in kg/s) and P(q <= rate) [r], fine where the probability is."""
    coarse = np.linspace(np.log(1e-14), np.log(1e3), _COARSE)
    below = mixture_cdf(np.exp(coarse), posterior.mean, posterior.precision, posterior.weight)
    left = max(0, int(np.searchsorted(below, 1e-3)) - 1)
    right = min(_COARSE - 1, int(np.searchsorted(below, 1 - 1e-3)) + 1)
    fine = np.linspace(coarse[left], coarse[right], _FINE)
    return fine, mixture_cdf(np.exp(fine), posterior.mean, posterior.precision, posterior.weight)


def rate_interval(log_rates: Floats, below: Floats) -> Interval:
    """Return median and central intervals of a rate [kg/s] from its distribution function."""
    rising = below + np.linspace(0, 1e-12, below.size)
    median, low_50, high_50, low_90, high_90 = np.exp(np.interp(_LEVELS, rising, log_rates)).tolist()
    return Interval(median=median, low_50=low_50, high_50=high_50, low_90=low_90, high_90=high_90)


def total_distribution(log_rates: Floats, below: Floats, share: float, factor: float) -> tuple[Floats, Floats]:
    """Return ln total rates and their distribution function: dissolved rate over its share f.

    ln f is normal around ln ``share`` with standard deviation ln ``factor``, held to f <= 1; the mean over 101
    quantiles of f.
    """
    levels = (np.arange(_SHARE_NODES) + 0.5) / _SHARE_NODES
    scores = np.array([NormalDist().inv_cdf(level) for level in levels])
    shares = np.minimum(np.log(share) + np.log(factor) * scores, 0.0)
    grid = np.linspace(log_rates[0] - shares.max(), log_rates[-1] - shares.min(), 4 * _FINE)
    total = np.mean([np.interp(grid + one, log_rates, below, left=0.0, right=1.0) for one in shares], axis=0)
    return grid, total


def onset_quantiles(edges: Floats, onset: Floats) -> tuple[float, float, float]:
    """Return the onset's median, 5 % and 95 % quantile [s] of probabilities [o] spread evenly between edges [o + 1]."""
    cumulative = np.concatenate([[0.0], np.cumsum(onset)]) / onset.sum()
    rising = cumulative + np.linspace(0, 1e-12, cumulative.size)
    median, low, high = np.interp((0.5, 0.05, 0.95), rising, edges).tolist()
    return median, low, high


def cell_mass(places: Places, probability: Floats) -> Floats:
    """Return each cell's probability [cells], known leak points counted into the cell they lie in."""
    return np.asarray(np.bincount(places.home, weights=probability, minlength=places.cells), dtype=np.float64)


def region(mass: Floats, share: float) -> Indices:
    """Return the fewest entries, most likely first, that together hold ``share`` of the mass."""
    order = np.argsort(-mass, kind="stable")
    held = np.cumsum(mass[order]) / mass.sum()
    return order[: int(np.searchsorted(held, share)) + 1]
