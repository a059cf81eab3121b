"""Which candidate is nearest: plain subtraction of two windows alone, so that nothing else can change a bit of it."""

import numpy as np

from shared.arrays import Floats, Indices

PIECE = 2048  # candidates decided at a time: bounds memory where everything ties


class Nearest:
    """The nearest window so far of each row; ties go to the lowest index."""

    def __init__(self, queries: Floats, windows: Floats, head: int) -> None:
        """Compare rows of queries [k, m] with windows [n, m], each measured from its first ``head`` bins' mean."""
        self._queries, self._windows, self._head = queries, windows, head
        self._start = np.full(queries.shape[0], -1)
        self._square = np.full(queries.shape[0], np.inf)

    def decide(self, rows: Indices, columns: Indices) -> None:
        """Compare candidates, a row and a column each [c], with what was found before."""
        for begin in range(0, rows.size, PIECE):
            self._decide(rows[begin : begin + PIECE], columns[begin : begin + PIECE])

    def result(self) -> tuple[Indices, Floats]:
        """Return start (-1: none) and distance (NaN: none) of each row [k], in the unit of the queries."""
        return self._start, np.where(self._start < 0, np.nan, np.sqrt(self._square))

    def _decide(self, rows: Indices, columns: Indices) -> None:
        difference = self._queries[rows] - self._windows[columns]
        if self._head:
            difference -= difference[:, : self._head].mean(axis=1, keepdims=True)
        difference *= difference
        squares = difference.sum(axis=1)
        if rows.size > 1:
            order = np.lexsort((columns, squares, rows))
            sorted_rows = rows[order]
            order = order[np.concatenate(([True], sorted_rows[1:] != sorted_rows[:-1]))]  # the first of each row
            rows, columns, squares = rows[order], columns[order], squares[order]
        before = self._square[rows]
        nearer = (squares < before) | ((squares == before) & (columns < self._start[rows]))
        self._start[rows[nearer]], self._square[rows[nearer]] = columns[nearer], squares[nearer]
