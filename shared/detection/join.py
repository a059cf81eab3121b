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

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from shared.arrays import Floats, Indices
from shared.detection.lower_bounds import PIECES, LowerBounds
from shared.detection.nearest import PIECE, Nearest
from shared.detection.scratch import SCRATCH
from shared.detection.windows import Windows, all_of, window_sums
from shared.errors import InvalidInput

ROWS = 144  # from one FFT to the next: the recurrence's rounding errors do not outlive a day
COLUMNS = 24_576  # diagonals worked on at a time: a row of each vector stays in a second-level cache
TOGETHER = 16  # rows whose terms come from one matrix product, faster than two passes for each
FEW = 512  # groups, then windows: with more left, an FFT is faster than deciding among them
ABSURD = 1e100  # values beyond count as missing: their squares could overflow
EPSILON = float(np.finfo(np.float64).eps)
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
        self._reach = 1 + float(np.sqrt(window / head)) if head else 1.0  # a head's mean stretches errors by this
        self._series = series.astype(np.float64)
        known = np.abs(self._series) < ABSURD
        complete = all_of(known, window)
        if not complete.any():
            raise InvalidInput(f"a series needs at least one complete window of {window}, found none")
        self._centre = float(np.mean(self._series[known]))

        # A copy of its left neighbour never wins (ties go to the lowest index), and a stuck sensor makes thousands.
        unchanged = np.diff(self._series, prepend=np.nan) == 0.0
        self._copies = np.concatenate(([False], all_of(unchanged[1:], window))) & complete

        self._eligible = complete & ~self._copies

        self._block = max(2048, 1 << (4 * window).bit_length())
        self._step = self._block - window + 1
        blocks = -(-(complete.size + 2 * ROWS) // self._step)  # rows of diagonals stand out by ROWS on both sides
        self._inside = slice(ROWS, ROWS + complete.size)
        values = np.zeros(blocks * self._step + window)
        self._centred = values[ROWS + 1 : ROWS + 1 + series.size]
        self._centred[:] = np.where(known, self._series - self._centre, 0.0)
        views = np.lib.stride_tricks.sliding_window_view(values[1:], self._block)[:: self._step]
        self._spectra = np.fft.rfft(views, axis=1)
        self._norm = float(np.sqrt(np.max(np.einsum("ij,ij->i", views, views))))

        columns = Windows(values, window, head)
        self._half_energy = np.full(blocks * self._step, np.inf)
        self._half_energy[self._inside] = np.where(self._eligible, columns.energy()[self._inside] / 2, np.inf)
        self._moves = np.stack(columns.moves())
        self._levels = np.stack(columns.levels()) if head else np.zeros((0, columns.count))

    def nearest(self, query: Floats) -> tuple[Indices, Floats]:
        """Return start [k - m + 1] and distance of the nearest series window to each window of a query [k].

        -1 and NaN stand where the query's window holds a missing value.
        """
        if query.size < self._window:
            return np.zeros(0, np.int64), np.zeros(0)
        query = query.astype(np.float64)
        lone = self._lone(query) if query.size == self._window >= 6 * PIECES else None
        return (lone or self._search(query, None)).result()

    def self_nearest(self, zone: int) -> tuple[Indices, Floats]:
        """Return start [n - m + 1] and distance of each series window's nearest one at least ``zone`` bins away.

        -1 and NaN stand where the window holds a missing value or none is that far away. Raises InvalidInput.
        """
        if zone < 1:
            raise InvalidInput(f"an exclusion zone of {zone} bins would match windows with themselves")
        nearest = self._search(self._series, zone)
        # The zone may hide the left neighbour that would have won in its copy's place.
        rows = np.flatnonzero(self._copies[zone:] & all_of(np.abs(self._series) < ABSURD, self._window)[:-zone])
        nearest.decide(rows, rows + zone)
        return nearest.result()

    @cached_property
    def _lower_bounds(self) -> LowerBounds:
        return LowerBounds(self._centred, self._eligible, self._window, self._head)

    @cached_property
    def _windows(self) -> Floats:
        return np.lib.stride_tricks.sliding_window_view(self._series, self._window)

    def _lone(self, query: Floats) -> Nearest | None:
        """Return the decision on a single complete window, or None where the bounds leave too many candidates."""
        if not (np.abs(query) < ABSURD).all():
            return None
        measured = query - self._centre
        doubt = 1e-6 * self._reach * float(np.linalg.norm(measured))
        if self._head:
            measured -= measured[: self._head].mean()
        nearest = Nearest(query[np.newaxis], self._windows, self._head)
        bounds = self._lower_bounds.bounds(measured)
        first = self._lower_bounds.windows(np.array([np.argmin(bounds)]))
        nearest.decide(np.zeros_like(first), first)
        distance = float(nearest.result()[1][0])
        near = distance * (1 + 1e-5) + doubt
        groups = (bounds <= near).nonzero()[0]
        if groups.size > FEW:
            return None
        columns = self._lower_bounds.windows(groups)
        columns = columns[self._lower_bounds.bounds_of(columns, measured) <= near]
        if columns.size > FEW:
            return None
        nearest.decide(np.zeros_like(columns), columns)
        return nearest

    def _search(self, query: Floats, zone: int | None) -> Nearest:
        rows = _Rows(query, self._window, self._head, self._centre, self._norm)
        nearest = Nearest(np.lib.stride_tricks.sliding_window_view(query, self._window), self._windows, self._head)
        for first, stop in rows.stretches():
            for found, columns in self._propose(rows, first, stop, zone):
                nearest.decide(found, columns)
        return nearest

    def _propose(self, rows: "_Rows", first: int, stop: int, zone: int | None) -> Iterator[tuple[Indices, Indices]]:
        """Yield candidates (rows, columns); they hold every row's nearest column."""
        product = self._first_row(rows, first)
        tolerance = rows.tolerance(first, stop).tolist()
        bound = [np.inf] * (stop - first)
        found = _Found(first)
        for low, high in self._diagonals(first, stop, zone):
            along = product[low:high]
            total = SCRATCH.array("total", along.shape)
            for shift, here, move, level in self._terms(rows, first, stop, low, high):
                if shift:
                    np.add(along, move, out=along)
                if not rows.complete[first + shift]:
                    continue
                np.subtract(self._half_energy[here], along, out=total)
                if level is not None:
                    np.add(total, level, out=total)
                smallest = float(total[total.argmin()])
                if smallest <= bound[shift] and smallest < np.inf:
                    bound[shift] = min(bound[shift], smallest + tolerance[shift])
                    near = (total <= bound[shift]).nonzero()[0]
                    found.add(first + shift, near + (here.start - ROWS), total[near])
                if found.size > PIECE:
                    yield found.take(bound)
        if found.size:
            yield found.take(bound)

    def _terms(
        self, rows: "_Rows", first: int, stop: int, low: int, high: int
    ) -> Iterator[tuple[int, slice, Floats, Floats | None]]:
        """Yield each row's shift and columns along the diagonals, what it adds to the product, and its heads to T."""
        for begin in range(0, stop - first, TOGETHER):
            count = min(TOGETHER, stop - first - begin)
            some = slice(first + begin, first + begin + count)
            columns = slice(low + begin, high + begin + count - 1)
            shape = (count, columns.stop - columns.start)
            moves = SCRATCH.array("moves", shape)
            if begin or count > 1:  # the first row does not move
                np.dot(rows.moves[some], self._moves[:, columns], out=moves)
            if self._tilted:
                levels = np.dot(rows.levels[some], self._levels[:, columns], out=SCRATCH.array("levels", shape))
            for row in range(count):
                inside = slice(row, row + high - low)
                here = slice(low + begin + row, high + begin + row)
                yield begin + row, here, moves[row, inside], levels[row, inside] if self._tilted else None

    def _first_row(self, rows: "_Rows", first: int) -> Floats:
        """Return the query window's products with every series window, by FFT (valid until the next call)."""
        blocks = self._spectra.shape[0]
        kernel = np.conj(np.fft.rfft(rows.values[first + 1 : first + 1 + self._window], self._block))
        spectra = SCRATCH.array("spectra", self._spectra.shape, np.complex128)
        wrapped = SCRATCH.array("wrapped", (blocks, self._block))
        product = SCRATCH.array("product", (blocks * self._step,))
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


class _Rows:
    """What the search needs of the query's windows: which are complete, their factors, their rounding errors."""

    def __init__(self, query: Floats, window: int, head: int, centre: float, norm: float) -> None:
        known = np.abs(query) < ABSURD
        self.complete = all_of(known, window)
        # Heads take any offset out, so a query far from the series is better measured from its own mean.
        own = float(np.mean(query[known])) if head and known.any() else centre
        self.values = np.concatenate(([0.0], np.where(known, query - own, 0.0)))
        windows = Windows(self.values, window, head)
        self.moves = np.stack(windows.moves_as_row(), axis=1)
        self.levels = np.stack(windows.levels_as_row(), axis=1) if head else np.zeros((windows.count, 0))
        self._reach = 1 + np.sqrt(window / head) if head else 1.0  # |window| grows by this at most when centred
        self._scale = self._reach * (np.sqrt(window_sums(self.values[1:] ** 2, window)) + norm)
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
        return np.asarray(EPSILON * scale * ((SAFETY + 4 * steps) * scale + SAFETY * self._offset))


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
