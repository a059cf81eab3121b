"""The level channel: readings beyond everything in the history are never Ok.

The other channels compare hours with hours. After a break (silence, or readings that cannot be believed) they have no
memory of what was before it: a leak that began in it would be all they know. So while the last 40 h hold a break, the
reading itself is compared with the history's range:

    1 at its maximum plus its standard deviation, 0 at its median

Without a break a change is seen by the others, and a sensor that drifts for weeks may leave the range: then the reading
has to stand twice as high over the median for a Warning. Between the two nobody can say that it is Ok: it is Undefined.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from shared.arrays import Flags, Floats
from shared.detection.background import SPAN
from shared.detection.regular import trailing_counts

WITHOUT_BREAK = 2.0
SMALLEST_PPMV = 1.0  # less above the median is nothing to speak of


@dataclass(frozen=True, slots=True)
class Range:
    """A leak-free history's median and what lies beyond it, its maximum plus its standard deviation [ppmv]."""

    median: float
    top: float

    @classmethod
    def of(cls, ppmv: Floats) -> Self:
        """Return the range of a history [n] [ppmv], NaN where missing."""
        known = ppmv[~np.isnan(ppmv)]
        median = float(np.median(known))
        return cls(median, max(float(known.max() + known.std()), median + SMALLEST_PPMV))

    def scores(self, believed: Floats, broken: Flags) -> Floats:
        """Return the score of readings [k] [ppmv] after a break or without one [k]; NaN for NaN."""
        height = (believed - self.median) / (self.top - self.median)
        return np.asarray(np.maximum(np.where(broken, height, height / WITHOUT_BREAK), 0.0))


def broken(believed: Floats, first: int) -> Flags:
    """Return for each bucket from ``first`` on whether there is a break in the last 40 h, or they are not all known."""
    return np.asarray(trailing_counts(~np.isnan(believed), SPAN)[first:] < SPAN)
