"""Sums over every window of a series, and what the search for nearest windows makes of them."""

import numpy as np

from shared.arrays import Flags, Floats


class Windows:
    """Sums over the w = 1 + k - m windows of m of values [1 + k] (missing: 0), of which the first is in no window."""

    def __init__(self, values: Floats, window: int, head: int) -> None:
        """Keep the values [1 + k]; sums over windows of ``window`` are taken when they are asked for."""
        self.values, self._window, self._head = values, window, head
        self.count = values.size - window

    def energy(self) -> Floats:
        """Return the sum of squares of each window [w], measured from its head's mean."""
        squares = window_sums(self.values[1:] ** 2, self._window)
        if not self._head:
            return squares
        sums, means = self.sums(), self.means()
        return squares - 2 * means * sums + self._window * means**2

    def moves(self) -> list[Floats]:
        """Return what a column adds to the recurrence: two arrays [w]."""
        new, old = self.values[self._window :], self.values[: -self._window]
        if self._head < self._window:
            return [new, old]
        means = window_sums(self.values, self._window) / self._window
        return [(new - means[1:]) + (old - means[:-1]), (new - old) / 2]

    def moves_as_row(self) -> list[Floats]:
        """Return what a row adds to it: the factors of ``moves``, two arrays [w]."""
        first, second = self.moves()
        return [first, -second] if self._head < self._window else [second, first]

    def levels(self) -> list[Floats]:
        """Return a column's part in what the heads add to T: none without a head, one or two arrays [w]."""
        if not self._head:
            return []
        means = self.means()
        return [self.sums() - self._window * means, means][self._head == self._window :]

    def levels_as_row(self) -> list[Floats]:
        """Return a row's part in it: the factors of ``levels``, as many arrays [w]."""
        return [self.means(), self.sums()][self._head == self._window :] if self._head else []

    def sums(self) -> Floats:
        """Return the sum of each window [w]."""
        return window_sums(self.values[1:], self._window)

    def means(self) -> Floats:
        """Return the mean of each window's head [w]."""
        return window_sums(self.values[1:], self._head)[: self.count] / self._head


def all_of(flags: Flags, window: int) -> Flags:
    """Return for each window of flags [n] whether all of them are set [n - window + 1]."""
    return np.asarray(window_sums(flags.astype(np.float64), window) == window)


def window_sums(values: Floats, window: int) -> Floats:
    """Return the sum of each window of values [n], in their unit [n - window + 1]; none of a shorter series.

    By doubling: no running sum that would carry a spike's rounding error along.
    """
    sums = np.zeros(max(values.size - window + 1, 0))
    width, start, partial = 1, 0, values
    while sums.size:
        if window & width:
            sums += partial[start : start + sums.size]
            start += width
        if 2 * width > window:
            break
        partial = partial[:-width] + partial[width:]
        width *= 2
    return sums
