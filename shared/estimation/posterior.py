"""The posterior over place, onset, rate and physics: sums of the hypotheses' likelihoods times their priors."""

from dataclasses import dataclass, field

import numpy as np

from shared.arrays import Floats, Indices


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
    best: list[Hypothesis] = field(default_factory=list)

    @classmethod
    def empty(cls, places: int, onsets: int, members: int, rates: int) -> "Posterior":
        """Return a posterior of nothing yet."""
        return cls(np.zeros(places), np.zeros(onsets), np.zeros(members), np.zeros((places, rates)))

    def add(self, log_weights: Floats, places: slice, onsets: slice, member: int) -> None:
        """Add hypotheses by ln of their likelihood times prior [p, o, r]."""
        top = int(log_weights.argmax())
        highest = float(log_weights.flat[top])
        if highest > self.scale:
            self._rescale(highest)
        p, o, r = np.unravel_index(top, log_weights.shape)
        self.best.append(Hypothesis(places.start + int(p), onsets.start + int(o), member, int(r), highest))
        weights = np.exp(log_weights - self.scale)
        of_place = weights.sum(axis=1)
        self.rate_of_place[places] += of_place
        self.place[places] += of_place.sum(axis=1)
        self.onset[onsets] += weights.sum(axis=(0, 2))
        self.member[member] += float(of_place.sum())

    def blur(self, kernel: Floats) -> None:
        """Spread the weights of rates by a common factor that is not known: probability [x, q] of seeing q as x."""
        self.rate_of_place = self.rate_of_place @ kernel

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
