"""The posterior over place, onset, rate and physics: sums of the hypotheses' likelihoods times their priors."""

from dataclasses import dataclass, field

import numpy as np

from shared.arrays import Floats, Indices

MOST_KEPT = 3  # places of each block


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One hypothesis by its indices, and ln of its likelihood times prior over "nothing here"."""

    place: int
    onset: int
    member: int
    rate: int
    log_weight: float


@dataclass(eq=False, slots=True)
class Posterior:
    """Given a leak here: sums over all hypotheses, each times exp(-``scale``).

    ``place`` [p], ``onset`` [o], ``member`` [m], ``rate`` [r] and ``rate_of_place`` [p, r] are not normalised.
    """

    place: Floats
    onset: Floats
    member: Floats
    rate_of_place: Floats
    scale: float = -np.inf
    best: dict[int, Hypothesis] = field(default_factory=dict)  # of likely places

    @classmethod
    def empty(cls, places: int, onsets: int, members: int, rates: int) -> "Posterior":
        """Return a posterior of nothing yet."""
        return cls(np.zeros(places), np.zeros(onsets), np.zeros(members), np.zeros((places, rates)))

    def add(self, log_weights: Floats, places: Indices, onsets: Indices, member: int) -> None:
        """Add hypotheses by ln of their likelihood times prior [k, r], of ``places`` [k] and ``onsets`` [k]."""
        highest = log_weights.max(axis=1)
        if highest.max() > self.scale:
            self._rescale(float(highest.max()))
        order = np.argsort(-highest, kind="stable")
        for k in order[np.sort(np.unique(places[order], return_index=True)[1])[:MOST_KEPT]].tolist():
            rate = int(log_weights[k].argmax())
            self._keep(Hypothesis(int(places[k]), int(onsets[k]), member, rate, float(highest[k])))
        weights = np.exp(log_weights - self.scale)
        of_hypothesis = weights.sum(axis=1)
        by_place = np.argsort(places, kind="stable")
        different, starts = np.unique(places[by_place], return_index=True)
        self.rate_of_place[different] += np.add.reduceat(weights[by_place], starts, axis=0)
        self.place += np.bincount(places, of_hypothesis, self.place.size)
        self.onset += np.bincount(onsets, of_hypothesis, self.onset.size)
        self.member[member] += float(of_hypothesis.sum())

    def blur(self, kernel: Floats) -> None:
        """Spread the weights of rates by a common factor that is not known: probability [x, q] of seeing q as x."""
        self.rate_of_place = self.rate_of_place @ kernel

    def _keep(self, one: Hypothesis) -> None:
        known = self.best.get(one.place)
        if known is None or one.log_weight > known.log_weight:
            self.best[one.place] = one

    def _rescale(self, scale: float) -> None:
        factor = np.exp(self.scale - scale)
        self.place *= factor
        self.onset *= factor
        self.member *= factor
        self.rate_of_place *= factor
        self.scale = scale

    @property
    def rate(self) -> Floats:
        """Return the rate's weights [r]."""
        return np.asarray(self.rate_of_place.sum(axis=0))

    @property
    def log_bayes_factor(self) -> float:
        """Return ln of the evidence of a leak here over nothing here."""
        return float(self.scale + np.log(self.place.sum()))


def quantiles(edges: Floats, weights: Floats, levels: tuple[float, ...]) -> list[float]:
    """Return a quantile for each of ``levels``, of weights [n] spread evenly between ``edges`` [n + 1]."""
    cumulative = np.concatenate([[0.0], np.cumsum(weights)]) / weights.sum()
    rising = cumulative + np.linspace(0, 1e-12, cumulative.size)
    found: list[float] = np.interp(levels, rising, edges).tolist()
    return found


def region(mass: Floats, share: float) -> Indices:
    """Return the indices [k] of the fewest entries of ``mass`` [n], likeliest first, that hold ``share`` of it."""
    order = np.argsort(-mass, kind="stable")
    held = np.cumsum(mass[order]) / mass.sum()
    return order[: int(np.searchsorted(held, share)) + 1]
