"""The interval of a rate behind a count of rare events."""

import math

CONFIDENCE = 0.9
HALVINGS = 60


def garwood(count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the exact two-sided interval of a Poisson mean, of which ``count`` events were seen (Garwood 1936).

    The lowest mean at which so many or more are seen, and the highest at which so many or fewer are, with a
    probability of at least (1 - confidence) / 2.
    """
    tail = (1 - confidence) / 2
    highest = 2.0 * count + 20.0
    low = _mean_at(count - 1, 1 - tail, highest) if count else 0.0
    return low, _mean_at(count, tail, highest)


def _mean_at(count: int, probability: float, highest: float) -> float:
    """Return by halving the mean at which ``count`` or fewer events have this probability, which falls with it."""
    low, high = 0.0, highest
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(count, middle) > probability else (low, middle)
    return (low + high) / 2


def _at_most(count: int, mean: float) -> float:
    terms = (math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count + 1))
    return math.fsum(terms)
