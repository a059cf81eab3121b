"""The nearest windows of a series, non-normalised Euclidean: overlap-save FFT, row recurrence, exact decision.

Query windows q_i and series windows x_j have m bins. With a head of h bins, each is measured from the mean of its own
first h bins (a_i and b_j; both 0 without a head):

    D_ij^2 = sum_k ((q_{i+k} - a_i) - (x_{j+k} - b_j))^2 = const_i + 2 T_ij
    T_ij   = G_j / 2 - QT_ij + a_i (S_j - m b_j) + s_i b_j
    QT_ij  = sum_k q_{i+k} x_{j+k},   S_j = sum_k x_{j+k},   s_i = sum_k q_{i+k},   G_j = sum_k (x_{j+k} - b_j)^2

The first row of a stretch comes from overlap-save FFT (Oppenheim & Schafer, Discrete-Time Signal Processing): of
irfft(rfft(block) conj(rfft(query))), the first B - m + 1 values of each block of B are free of wrap-around. The rows
after it follow along diagonals:

    QT_ij = QT_{i-1,j-1} + q_{i+m-1} x_{j+m-1} - q_{i-1} x_{j-1}

A head of the whole window leaves one product, C_ij = QT_ij - s_i b_j, with its own recurrence (Welford's; Zimmerman et
al. 2019, Matrix Profile XIV), where f_i = (q_{i+m-1} - q_{i-1}) / 2 and g_i = (q_{i+m-1} - a_i) + (q_{i-1} - a_{i-1}):

    C_ij = C_{i-1,j-1} + f_i g_j + g_i f_j

All this is rounded differently however the query is cut into calls. So T only proposes: every j within the rounding
error of the smallest T_ij is a candidate, and plain subtraction of the two windows alone decides among them. The same
window therefore always gets the same bits.
"""

import threading
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from shared.errors import InvalidInput

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

ROWS = 144  # from one FFT to the next: the recurrence's rounding errors do not outlive a day
COLUMNS = 16_384  # worked on at a time: a row's six vectors stay in a core's second-level cache
PIECE = 2048  # candidates decided at a time, and how many may wait: bounds memory where everything ties
ABSURD = 1e100  # values beyond count as missing: their squares could overflow
SAFETY = 100.0  # of the rounding errors' bounds, in units of eps |q| |x|; an FFT's stay below 3


class Join:
    """Finds the nearest windows of one series [n] (NaN: missing; a window that holds one is never matched)."""

    def __init__(self, series: Floats, window: int, head: int = 0) -> None:
        """Prepare a series [n] for windows of so many bins; raise InvalidInput when none of them is complete.

        head: 0 compares windows as they are; 1 to window: each from the mean of its own first ``head`` bins.
        """
        if window < 1 or not 0 <= head <= window:
            raise InvalidInput(f"windows of {window} bins with a head of {head} cannot be compared")
        self._window, self._head = window, head
        self._folded, self._tilted = head == window, 0 < head < window
        self._series = series.astype(np.float64)
        known = np.abs(self._series) < ABSURD
        complete = _all_of(known, window)
        if not complete.any():
            raise InvalidInput(f"a series needs at least one complete window of {window}, found none")
        self._centre = float(np.mean(self._series[known]))

        # A copy of its left neighbour never wins (ties go to the lowest index), and a stuck sensor makes thousands.
        unchanged = np.diff(self._series, prepend=np.nan) == 0.0
        self._copies = np.concatenate(([False], _all_of(unchanged[1:], window))) & complete

        self._count = complete.size
        self._block = max(2048, 1 << (4 * window).bit_length())
        self._step = self._block - window + 1
        blocks = -(-(self._count + 2 * ROWS) // self._step)  # rows of diagonals stand out by ROWS on both sides
        self._inside = slice(ROWS, ROWS + self._count)
        values = np.zeros(blocks * self._step + window)
        values[ROWS + 1 : ROWS + 1 + series.size] = np.where(known, self._series - self._centre, 0.0)
        views = np.lib.stride_tricks.sliding_window_view(values[1:], self._block)[:: self._step]
        self._spectra = np.fft.rfft(views, axis=1)
        self._norm = float(np.sqrt(np.max(np.einsum("ij,ij->i", views, views))))

        columns = _Windows(values, window, head)
        self._half_energy = np.full(blocks * self._step, np.inf)
        eligible = np.flatnonzero(complete & ~self._copies) + ROWS
        self._half_energy[eligible] = columns.energy()[eligible] / 2
        self._moves = columns.moves()
        self._levels = columns.levels()

    def nearest(self, query: Floats) -> tuple[Indices, Floats]:
        """Return start [k - m + 1] and distance of the nearest series window to each window of a query [k].

        -1 and NaN stand where the query's window holds a missing value.
        """
        if query.size < self._window:
            return np.zeros(0, np.int64), np.zeros(0)
        return self._search(query.astype(np.float64), None).result()

    def self_nearest(self, zone: int) -> tuple[Indices, Floats]:
        """Return start [n - m + 1] and distance of each series window's nearest one at least ``zone`` bins away.

        -1 and NaN stand where the window holds a missing value or none is that far away. Raises InvalidInput.
        """
        if zone < 1:
            raise InvalidInput(f"an exclusion zone of {zone} bins would match windows with themselves")
        best = self._search(self._series, zone)
        # The zone may hide the left neighbour that would have won in its copy's place.
        rows = np.flatnonzero(self._copies[zone:] & _all_of(np.abs(self._series) < ABSURD, self._window)[:-zone])
        best.decide(rows, rows + zone)
        return best.result()

    def _search(self, query: Floats, zone: int | None) -> "_Best":
        rows = _Rows(query, self._window, self._head, self._centre, self._norm)
        best = _Best(query, self._series, self._window, self._head)
        for first, stop in rows.stretches():
            for found, columns in self._propose(rows, first, stop, zone):
                best.decide(found, columns)
        return best

    def _propose(self, rows: "_Rows", first: int, stop: int, zone: int | None) -> Iterator[tuple[Indices, Indices]]:
        """Yield candidates (rows, columns); they hold every row's nearest column."""
        product = self._first_row(rows, first)
        tolerance = rows.tolerance(first, stop).tolist()
        bound = [np.inf] * (stop - first)
        found = _Found(first)
        for low, high in self._diagonals(first, stop, zone):
            along = product[low:high]
            total, term = _SCRATCH.floats("total", high - low), _SCRATCH.floats("term", high - low)
            for row in range(first, stop):
                shift = row - first
                here = slice(low + shift, high + shift)
                if shift:
                    for factor, column in zip(rows.moves[row], self._moves, strict=True):
                        np.multiply(column[here], factor, out=term)
                        np.add(along, term, out=along)
                if not rows.complete[row]:
                    continue
                np.subtract(self._half_energy[here], along, out=total)
                if self._tilted:
                    for factor, column in zip(rows.levels[row], self._levels, strict=True):
                        np.multiply(column[here], factor, out=term)
                        np.add(total, term, out=total)
                smallest = float(total[total.argmin()])
                if smallest <= bound[shift] and smallest < np.inf:
                    bound[shift] = min(bound[shift], smallest + tolerance[shift])
                    near = (total <= bound[shift]).nonzero()[0]
                    found.add(row, near + (here.start - ROWS), total[near])
                if found.size > PIECE:
                    yield found.take(bound)
        if found.size:
            yield found.take(bound)

    def _first_row(self, rows: "_Rows", first: int) -> Floats:
        """Return the query window's products with every series window, by FFT (valid until the next call)."""
        blocks, frequencies = self._spectra.shape
        kernel = np.conj(np.fft.rfft(rows.values[first + 1 : first + 1 + self._window], self._block))
        spectra = _SCRATCH.floats("spectra", 2 * blocks * frequencies).view(np.complex128).reshape(blocks, frequencies)
        wrapped = _SCRATCH.floats("wrapped", blocks * self._block).reshape(blocks, self._block)
        product = _SCRATCH.floats("product", blocks * self._step)
        np.multiply(self._spectra, kernel, out=spectra)
        np.fft.irfft(spectra, self._block, axis=1, out=wrapped)
        np.copyto(product.reshape(blocks, self._step), wrapped[:, : self._step])
        if self._folded:
            product -= self._levels[-1] * rows.levels[first][-1]
        return product

    def _diagonals(self, first: int, stop: int, zone: int | None) -> Iterator[tuple[int, int]]:
        """Yield spans of diagonals, each named by its column in the first row (from ROWS for the series' start)."""
        low, high = self._inside.start - (stop - first - 1), self._inside.stop
        spans = [(low, high)]
        if zone is not None:
            itself = self._inside.start + first
            spans = [(low, min(itself - zone + 1, high)), (max(itself + zone, low), high)]
        width = COLUMNS if stop - first > 1 else high - low
        for begin, end in spans:
            for start in range(begin, end, width):
                yield start, min(start + width, end)


class _Windows:
    """Sums over all windows of values [1 + k] (missing: 0), the first of which comes before the first window."""

    def __init__(self, values: Floats, window: int, head: int) -> None:
        self.values, self._window, self._head = values, window, head

    def energy(self) -> Floats:
        """Return the sum of squares of each window, measured from its head's mean."""
        squares = _window_sums(self.values[1:] ** 2, self._window)
        if not self._head:
            return squares
        sums, means = self._sums(), self._means()
        return squares - 2 * means * sums + self._window * means**2

    def moves(self) -> list[Floats]:
        """Return what a column adds to the recurrence."""
        new, old = self.values[self._window :], self.values[: -self._window]
        if self._head < self._window:
            return [new, old]
        means = _window_sums(self.values, self._window) / self._window
        return [(new - means[1:]) + (old - means[:-1]), (new - old) / 2]

    def moves_as_row(self) -> list[Floats]:
        """Return what a row adds to it: the factors of ``moves``."""
        first, second = self.moves()
        return [first, -second] if self._head < self._window else [second, first]

    def levels(self) -> list[Floats]:
        """Return a column's part in what the heads add to T."""
        if not self._head:
            return []
        means = self._means()
        return [self._sums() - self._window * means, means][self._head == self._window :]

    def levels_as_row(self) -> list[Floats]:
        """Return a row's part in it: the factors of ``levels``."""
        return [self._means(), self._sums()][self._head == self._window :] if self._head else []

    def _sums(self) -> Floats:
        return _window_sums(self.values[1:], self._window)

    def _means(self) -> Floats:
        count = self.values.size - self._window
        return _window_sums(self.values[1:], self._head)[:count] / self._head


class _Rows:
    """What the search needs of the query's windows: which are complete, their factors, their rounding errors."""

    def __init__(self, query: Floats, window: int, head: int, centre: float, norm: float) -> None:
        known = np.abs(query) < ABSURD
        self.complete = _all_of(known, window)
        # Heads take any offset out, so a query far from the series is better measured from its own mean.
        own = float(np.mean(query[known])) if head and known.any() else centre
        self.values = np.concatenate(([0.0], np.where(known, query - own, 0.0)))
        windows = _Windows(self.values, window, head)
        self.moves = np.transpose(windows.moves_as_row()).tolist() if self.complete.size > 1 else []
        self.levels = np.transpose(windows.levels_as_row()).tolist()
        self._reach = 1 + np.sqrt(window / head) if head else 1.0  # |window| grows by this at most when centred
        self._scale = self._reach * (np.sqrt(_window_sums(self.values[1:] ** 2, window)) + norm)
        self._offset = abs(own - centre) * np.sqrt(window) * (head > 0)

    def stretches(self) -> Iterator[tuple[int, int]]:
        """Yield spans of up to ROWS rows that begin and end with a complete one."""
        complete = np.flatnonzero(self.complete)
        begin = 0
        while begin < complete.size:
            end = int(np.searchsorted(complete, complete[begin] + ROWS))
            yield int(complete[begin]), int(complete[end - 1]) + 1
            begin = end

    def tolerance(self, first: int, stop: int) -> Floats:
        """Return by how much two T of a row can come out in the wrong order."""
        scale = np.maximum.accumulate(self._scale[first:stop])
        steps = np.arange(stop - first)
        return np.asarray(np.finfo(float).eps * scale * ((SAFETY + 4 * steps) * scale + SAFETY * self._offset))


class _Best:
    """The nearest window so far of each row, by plain subtraction; ties go to the lowest index."""

    def __init__(self, query: Floats, series: Floats, window: int, head: int) -> None:
        self._queries = np.lib.stride_tricks.sliding_window_view(query, window)
        self._windows = np.lib.stride_tricks.sliding_window_view(series, window)
        self._head = head
        self._start = np.full(self._queries.shape[0], -1)
        self._square = np.full(self._queries.shape[0], np.inf)

    def decide(self, rows: Indices, columns: Indices) -> None:
        """Compare candidates with what was found before."""
        for begin in range(0, rows.size, PIECE):
            self._decide(rows[begin : begin + PIECE], columns[begin : begin + PIECE])

    def result(self) -> tuple[Indices, Floats]:
        """Return start (-1: none) and distance (NaN: none) of each row."""
        return self._start, np.where(self._start < 0, np.nan, np.sqrt(self._square))

    def _decide(self, rows: Indices, columns: Indices) -> None:
        difference = self._queries[rows] - self._windows[columns]
        if self._head:
            difference -= difference[:, : self._head].mean(axis=1, keepdims=True)
        squares = np.sum(difference * difference, axis=1)
        order = np.lexsort((columns, squares, rows))
        order = order[np.diff(rows[order], prepend=-1) != 0]  # the first of each row
        rows, columns, squares = rows[order], columns[order], squares[order]
        nearer = (squares < self._square[rows]) | ((squares == self._square[rows]) & (columns < self._start[rows]))
        self._start[rows[nearer]], self._square[rows[nearer]] = columns[nearer], squares[nearer]


class _Found:
    """Candidates of one stretch that wait for their decision."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._parts: list[tuple[int, Indices, Floats]] = []
        self.size = 0

    def add(self, row: int, columns: Indices, totals: Floats) -> None:
        """Keep a row's candidates with their T."""
        self._parts.append((row, columns, totals))
        self.size += columns.size

    def take(self, bound: list[float]) -> tuple[Indices, Indices]:
        """Return and forget the candidates (rows, columns) that are still within their row's bound."""
        each, columns, totals = zip(*self._parts, strict=True)
        rows = np.repeat(each, [part.size for part in columns])
        near = np.concatenate(totals) <= np.asarray(bound)[rows - self._first]
        self._parts, self.size = [], 0
        return rows[near], np.concatenate(columns)[near]


class _Scratch(threading.local):
    """Arrays that a thread's searches use again: getting fresh memory costs as much as the arithmetic."""

    def __init__(self) -> None:
        self._arrays: dict[str, Floats] = {}

    def floats(self, name: str, size: int) -> Floats:
        """Return the array of that name, its contents undefined."""
        if name not in self._arrays or self._arrays[name].size < size:
            self._arrays[name] = np.empty(size)
        return self._arrays[name][:size]


_SCRATCH = _Scratch()


def _all_of(flags: Flags, window: int) -> Flags:
    return np.asarray(_window_sums(flags.astype(np.float64), window) == window)


def _window_sums(values: Floats, window: int) -> Floats:
    """Return the sum of each window, by doubling: no running sum that would carry a spike's rounding error along."""
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
