"""Whether a posterior's probabilities are right: ranks of the truth (PIT), and how far from uniform they are.

Talts et al., Validating Bayesian inference algorithms with simulation-based calibration, 2018, arXiv 1804.06788.
"""

import math

import numpy as np

from shared.arrays import Floats

BINS = 10
_TERMS = 100


def rank_between(edges: Floats, weights: Floats, truth: float) -> float:
    """Return the posterior probability below the truth, of weights [n] spread evenly between edges [n + 1]."""
    cumulative = np.concatenate([[0.0], np.cumsum(weights)]) / weights.sum()
    return float(np.interp(truth, edges, cumulative))


def rank_among(values: Floats, weights: Floats, truth: float, chance: float) -> float:
    """Return the posterior probability below the truth, of weights [n] on values [n].

    Of the weight on the truth's own value the part ``chance``, which is uniform in [0, 1]: ranks among few values are
    uniform only so.
    """
    same = np.isclose(values, truth, rtol=0, atol=1e-9)
    below = float(weights[(values < truth) & ~same].sum())
    return (below + chance * float(weights[same].sum())) / float(weights.sum())


def kolmogorov_smirnov(ranks: Floats) -> tuple[float, float]:
    """Return the largest distance D of the ranks [n] from a uniform distribution, and the probability of a larger one.

    The limit for many ranks, with Stephens' correction for few (J. R. Stat. Soc. B 32, 1970).
    """
    if (n := ranks.size) == 0:
        return math.nan, math.nan
    ordered, steps = np.sort(ranks), np.arange(n + 1) / n
    distance = float(max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max()))
    scaled = (math.sqrt(n) + 0.12 + 0.11 / math.sqrt(n)) * distance
    if scaled < 0.2:  # where the alternating series has not yet converged, it is 1 to ten digits
        return distance, 1.0
    terms = [(-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, _TERMS)]
    return distance, min(1.0, max(0.0, 2 * sum(terms)))


def histogram(ranks: Floats) -> list[int]:
    """Return how many ranks are in each of ten equal bins of [0, 1]."""
    counts: list[int] = np.histogram(ranks, bins=BINS, range=(0.0, 1.0))[0].tolist()
    return counts


def uniform_band(count: int, share: float = 0.95) -> tuple[int, int]:
    """Return between which counts a bin of uniform ranks is with that probability: binomial, tails of half each."""
    tail, trials = (1 - share) / 2, math.lgamma(count + 1)
    logs = [
        trials
        - math.lgamma(k + 1)
        - math.lgamma(count - k + 1)
        - k * math.log(BINS)
        + (count - k) * math.log1p(-1 / BINS)
        for k in range(count + 1)
    ]
    cumulative = np.cumsum(np.exp(logs))
    low = int(np.searchsorted(cumulative, tail))
    high = int(np.searchsorted(cumulative, 1 - tail))
    return low, min(high, count)
