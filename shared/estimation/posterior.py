"""The posterior over place, onset, rate and physics: sums of the hypotheses' likelihoods times their priors."""

from dataclasses import dataclass, field

import numpy as np

from shared.arrays import Floats, Indices

_NEVER_ZERO = 1e-300
MOST_KEPT = 3  # places of each block
MOST_DRAWN = 64  # hypotheses that stand for all


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One hypothesis by its indices, and ln of its likelihood times prior over "nothing here"."""

    place: int
    onset: int
    member: int
    rate: int
    log_weight: float


@dataclass(frozen=True, eq=False, slots=True)
class Draws:
    """Hypotheses that stand for all, over every rate: their places, onsets and members [k], and their weights [k]."""

    place: Indices
    onset: Indices
    member: Indices
    weight: Floats


@dataclass(eq=False, slots=True)
class _Lottery:
    """Draws without replacement by the largest of ln weight plus Gumbel noise (Kool, van Hoof & Welling 2019)."""

    noise: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    indices: Indices = field(default_factory=lambda: np.empty((3, 0), dtype=np.intp))  # place, onset, member
    log_weight: Floats = field(default_factory=lambda: np.empty(0))
    key: Floats = field(default_factory=lambda: np.empty(0))

    def add(self, log_weights: Floats, places: Indices, onsets: Indices, member: int) -> None:
        """Let hypotheses take part."""
        key = log_weights + self.noise.gumbel(size=log_weights.size)
        new = np.flatnonzero(key > (self.key[-1] if self.key.size > MOST_DRAWN else -np.inf))
        if not new.size:
            return
        kept = np.argsort(-np.concatenate([self.key, key[new]]), kind="stable")[: MOST_DRAWN + 1]
        more = np.stack([places[new], onsets[new], np.full(new.size, member)])
        self.key = np.concatenate([self.key, key[new]])[kept]
        self.log_weight = np.concatenate([self.log_weight, log_weights[new]])[kept]
        self.indices = np.concatenate([self.indices, more], axis=1)[:, kept]

    def drawn(self) -> Draws:
        """Return those drawn; each weighs what it is over the probability that it was drawn."""
        count = min(MOST_DRAWN, self.key.size)
        least = self.key[count] if self.key.size > count else -np.inf
        log_weight = self.log_weight[:count]
        chance = -np.expm1(-np.exp(np.minimum(log_weight - least, 700.0)))
        weight = np.exp(log_weight - log_weight.max()) / chance
        place, onset, member = self.indices[:, :count]
        return Draws(place, onset, member, weight / weight.sum())


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
    lottery: _Lottery = field(default_factory=_Lottery)

    @classmethod
    def empty(cls, places: int, onsets: int, members: int, rates: int) -> "Posterior":
        """Return a posterior of nothing yet."""
        return cls(np.zeros(places), np.zeros(onsets), np.zeros(members), np.zeros((places, rates)))

    def add(self, log_weights: Floats, places: Indices, onsets: Indices, member: int) -> None:
        """Add hypotheses by ln of their likelihood times prior [k, r], of ``places`` [k] and ``onsets`` [k]."""
        highest = log_weights.max(axis=1)
        if highest.max() > self.scale:
            self._rescale(float(highest.max()))
        left = highest.copy()
        for _ in range(MOST_KEPT):
            k = int(left.argmax())
            if left[k] == -np.inf:
                break  # no other place
            rate = int(log_weights[k].argmax())
            self._keep(Hypothesis(int(places[k]), int(onsets[k]), member, rate, float(highest[k])))
            left[places == places[k]] = -np.inf
        weights = np.exp((log_weights - self.scale).astype(np.float32))
        of_hypothesis = weights.sum(axis=1, dtype=np.float64)
        by_place = np.argsort(places, kind="stable")
        starts = np.flatnonzero(np.diff(places[by_place], prepend=-1))
        self.rate_of_place[places[by_place[starts]]] += np.add.reduceat(weights[by_place], starts, axis=0)
        self.place += np.bincount(places, of_hypothesis, self.place.size)
        self.onset += np.bincount(onsets, of_hypothesis, self.onset.size)
        self.member[member] += float(of_hypothesis.sum())
        self.lottery.add(np.log(np.maximum(of_hypothesis, _NEVER_ZERO)) + self.scale, places, onsets, member)

    def blur(self, kernel: Floats) -> None:
        """Spread the weights of rates by a common factor that is not known: probability [x, q] of seeing q as x."""
        self.rate_of_place = self.rate_of_place @ kernel

    def draws(self) -> Draws:
        """Return hypotheses that stand for all of them."""
        return self.lottery.drawn()

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
