"""What a sensor's background lets expect of the next reading, and what a reading brings that is new.

The background is an autoregression on the last hour (Box & Jenkins), fitted by least squares to the leak-free
history. What a reading says beyond it is its innovation. Innovations of leak-free readings hardly depend on each other,
so a leak is looked for in them: a matched filter in coloured noise whitens readings and pattern alike (Kay, Detection
Theory, ch. 4). Readings are raised to the history's 10th percentile first: a dropout to zero is no news.

Innovations are in units of their usual size and clipped: no single reading decides. How large they have lately been,
against the history, is a span's loudness; what is found after loud hours counts less.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from shared.arrays import Flags, Floats
from shared.detection.regular import HOLD_BINS_BY_EXCEPTION, trailing_counts, trailing_windows

ORDER = 6  # bins: an hour
SPAN = 240  # bins: 40 h; with the order and what is held into it, no more than two days of context
LEAST_KNOWN = 36 - ORDER  # innovations in a span: with less than 6 h of readings nothing is said
LOWEST_PERCENTILE = 10
SMALLEST_PPMV = 0.1 / np.sqrt(12)  # what a METS sensor's resolution leaves undecided
SMALLEST = 0.1  # usual sizes: a history that hardly moves
PER_DEVIATION = 1.4826  # of a normal distribution's median deviation


@dataclass(frozen=True, eq=False)
class Background:
    """A sensor's autoregression: weights [ORDER] of the readings before one, and a constant [ppmv].

    lowest: what lower readings are raised to [ppmv]; size: usual size of an innovation [ppmv]; growth
    [HOLD_BINS_BY_EXCEPTION + 1]: how much larger they are after so many bins without a reading; known: the history's
    innovations in sizes [any].
    """

    lowest: float
    weights: Floats
    constant: float
    size: float
    growth: Floats
    known: Floats

    @classmethod
    def of(cls, ppmv: Floats) -> Self:
        """Fit a leak-free history ``ppmv`` [n], short gaps held, NaN where missing."""
        known = ppmv[~np.isnan(ppmv)]
        lowest = float(np.percentile(known, LOWEST_PERCENTILE)) if known.size else 0.0
        raised = np.maximum(ppmv, lowest)
        lagged = (
            np.lib.stride_tricks.sliding_window_view(raised, ORDER + 1)
            if ppmv.size > ORDER
            else np.zeros((0, ORDER + 1))
        )
        rows = lagged[~np.isnan(lagged).any(axis=1)]
        terms = np.concatenate((rows[:, ORDER - 1 :: -1], np.ones((rows.shape[0], 1))), axis=1)
        *weights, constant = np.linalg.lstsq(terms, rows[:, ORDER])[0]
        plain = cls(lowest, np.array(weights), float(constant), 1.0, np.ones(1), np.zeros(0))
        new = np.diff(ppmv, prepend=np.nan) != 0  # what is held, or stuck, has no innovation
        errors = plain._errors(ppmv)[new]
        errors = errors[~np.isnan(errors)]
        size = PER_DEVIATION * float(np.median(np.abs(errors))) if errors.size else 0.0
        size = max(size, SMALLEST_PPMV)
        return cls(lowest, plain.weights, plain.constant, size, _growth(plain.weights), errors / size)

    def usual(self, clip: float) -> float:
        """Return the root mean square of the history's innovations, clipped, in sizes."""
        return float(np.sqrt(np.mean(np.clip(self.known, -clip, clip) ** 2))) if self.known.size else 1.0

    def innovations(self, held: Floats, observed: Flags) -> Floats:
        """Return each bucket's innovation [n] in usual sizes; NaN where nothing was observed [n].

        held [n]: the readings with short gaps held [ppmv]. A bucket's innovation rests on the hour before it.
        """
        index = np.arange(held.size)
        last = np.maximum.accumulate(np.where(observed, index, -1))
        before = np.concatenate(([-1], last[:-1]))
        gap = np.clip(index - 1 - before, 0, self.growth.size - 1)
        return np.where(observed, self._errors(held) / (self.size * self.growth[gap]), np.nan)

    def whitened(self, response: Floats) -> Floats:
        """Return what of a response [..., n], which begins with it, is new in each bucket [..., n]."""
        result = response.copy()
        for lag, weight in enumerate(self.weights, start=1):
            result[..., lag:] -= weight * response[..., :-lag]
        return result

    def _errors(self, held: Floats) -> Floats:
        raised = np.maximum(held, self.lowest)
        errors = np.full(held.size, np.nan)
        if held.size > ORDER:
            errors[ORDER:] = raised[ORDER:] - self.constant
            for lag, weight in enumerate(self.weights, start=1):
                errors[ORDER:] -= weight * raised[ORDER - lag : -lag]
        return errors


def _growth(weights: Floats) -> Floats:
    """Return how much larger than the next innovation the error is of what is foretold over so many bins more."""
    response = np.zeros(HOLD_BINS_BY_EXCEPTION + 1)
    response[0] = 1.0
    for bins in range(1, response.size):
        lags = min(ORDER, bins)
        response[bins] = np.clip(weights[:lags] @ response[bins - 1 :: -1][:lags], -1e6, 1e6)
    return np.asarray(np.sqrt(np.cumsum(response**2)))


@dataclass(frozen=True, eq=False)
class Spans:
    """The last SPAN innovations up to each of k buckets [k, SPAN], 0 where there is none, and how loud each is [k].

    Loudness is NaN where too little is known.
    """

    innovations: Floats
    loudness: Floats

    @classmethod
    def of(cls, innovations: Floats, first: int, usual: float, newest: int = 0) -> Self:
        """Return the spans of the buckets from ``first`` on, of innovations [n] (NaN: none) of that usual size.

        How loud a span is, its ``newest`` bins do not say.
        """
        known = ~np.isnan(innovations)
        spans = trailing_windows(np.where(known, innovations, 0.0), SPAN)[first:]
        counts = (trailing_counts(known, SPAN) - trailing_counts(known, newest))[first:]
        squares = np.einsum("ij,ij->i", *[spans[:, : SPAN - newest]] * 2)
        loud = np.sqrt(squares / np.maximum(counts, 1)) / max(usual, SMALLEST)
        return cls(spans, np.where(counts < LEAST_KNOWN, np.nan, np.maximum(loud, 1.0)))

    def found(self, patterns: Floats) -> Floats:
        """Return how well each span fits each of the whitened patterns of unit norm, [k, patterns]."""
        # einsum, not BLAS: a span's figures must not depend on how many others are asked for.
        return np.asarray(np.einsum("ij,kj->ik", self.innovations, patterns))
