"""Most of a series cannot hold a query's nearest window; this says so without looking at it bin by bin.

The means F_p of a window's pieces of l bins bound the distance from below (piecewise aggregates; Keogh et al. 2001),
and neighbouring windows have similar means. A group of them lies in a box, low_p to high_p, and none of them is nearer
to the query than the box is (Guttman 1984, R-trees):

    D^2 >= l sum_p (F_p(q) - F_p(x_j))^2 >= l sum_p (F_p(q) - clip(F_p(q), low_p, high_p))^2

The boxes leave out most of the series at once, the windows' own means most of what they leave.
"""

import numpy as np

from shared.arrays import Flags, Floats, Indices, Singles
from shared.detection.scratch import SCRATCH
from shared.detection.windows import window_sums

PIECES = 12
GROUP = 8
FAR = 1e15  # clipped there on both sides, a bound stays one and its square stays a single-precision number


class LowerBounds:
    """Lower bounds of the distance to each GROUP of neighbouring windows of a series."""

    def __init__(self, series: Floats, eligible: Flags, window: int, head: int) -> None:
        """Box the eligible [n - m + 1] windows of a series [n], each measured from its first ``head`` bins' mean."""
        self._eligible = eligible
        self._length = window // PIECES
        self._means = window_sums(series, self._length) / self._length
        self._heads = window_sums(series, head)[: eligible.size] / head if head else np.zeros(eligible.size)
        begins = np.arange(0, eligible.size, GROUP)
        self._low, self._high = np.empty((2, PIECES, begins.size), dtype=np.float32)
        for piece in range(PIECES):
            each = np.clip(self._means[piece * self._length :][: eligible.size] - self._heads, -FAR, FAR)
            self._low[piece] = np.minimum.reduceat(np.where(eligible, each, np.inf), begins)
            self._high[piece] = np.maximum.reduceat(np.where(eligible, each, -np.inf), begins)

    def bounds(self, query: Floats) -> Singles:
        """Return a lower bound of D for each group [g] (inf: none eligible) of a query [m].

        The query is measured like the windows. In single precision, right to a millionth of D and of the query's norm.
        """
        pieces = np.clip(self._pieces(query), -FAR, FAR).astype(np.float32)
        apart = SCRATCH.array("apart", self._low.shape, np.float32)
        np.maximum(self._low, pieces, out=apart)
        np.minimum(apart, self._high, out=apart)
        np.subtract(apart, pieces, out=apart)
        return np.asarray(np.sqrt(np.einsum("pg,pg->g", apart, apart) * np.float32(self._length)))

    def bounds_of(self, starts: Indices, query: Floats) -> Floats:
        """Return a lower bound of D for each of the windows that begin there [w], closer than its group's."""
        places = starts + self._length * np.arange(PIECES)[:, np.newaxis]
        apart = self._means[places] - self._heads[starts] - self._pieces(query)
        return np.asarray(np.sqrt(np.einsum("pw,pw->w", apart, apart) * self._length))

    def _pieces(self, query: Floats) -> Floats:
        """Return the means of a query's pieces [PIECES, 1]."""
        return np.asarray(query[: PIECES * self._length].reshape(PIECES, self._length).mean(axis=1, keepdims=True))

    def windows(self, groups: Indices) -> Indices:
        """Return the starts [w] of the eligible windows in these groups [g], in order."""
        starts = (groups[:, np.newaxis] * GROUP + np.arange(GROUP)).ravel()
        starts = starts[starts < self._eligible.size]
        return np.asarray(starts[self._eligible[starts]])
