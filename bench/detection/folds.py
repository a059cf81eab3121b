"""Folds: a baseline and the evaluated part after it.

A series is cut at gaps of more than 20 days. Every 60 days from a piece's beginning, 30 days are baseline and up to
30 days after them are evaluated; the baseline is 20 or else 14 days where the longer one leaves less than 7 days'
worth of data to evaluate. Exact zeros are what a dead sensor reads, so they are missing, unless they are to count.
Otherwise the baseline is taken as it is, with whatever it holds; a known rise is not evaluated.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.detection.known import in_known_rise
from bench.detection.recorded_series import Recorded
from shared.arrays import Flags, Floats, Times
from shared.detection.baseline import MONTH_BINS
from shared.detection.detector import CONTEXT_BINS

DAY = 144
CUT_AT = 20 * DAY
SPACING = 60 * DAY
BASELINE_DAYS = (30, 20, 14)
EVALUATED = 30 * DAY
LEAST_EVALUATED = 7 * DAY
LEAST_PRESENT = 0.7  # of the baseline's bins
CONTEXT = max(3 * DAY, CONTEXT_BINS)  # before the first scored bin
FLAT_PPMV = 0.05  # a baseline that varies less says nothing about sigma


@dataclass(frozen=True, eq=False)
class Fold:
    """A sensor's baseline, times and ppmv [:split], and its evaluated part [split:]; ``counted`` [n - split]."""

    sensor: str
    number: int
    times: Times
    ppmv: Floats
    split: int
    counted: Flags

    @property
    def months(self) -> float:
        """Months of data in the evaluated part."""
        return float(np.count_nonzero(self.counted) / MONTH_BINS)

    @property
    def sigma(self) -> float:
        """The baseline's standard deviation in ppmv."""
        return float(np.nanstd(self.ppmv[: self.split]))

    def summary(self) -> dict[str, Any]:
        """Return sensor, times, length and spread of the fold, as JSON takes it."""
        return {
            "sensor": self.sensor,
            "number": self.number,
            "baseline_from": str(self.times[0]),
            "evaluated_from": str(self.times[self.split]),
            "evaluated_to": str(self.times[-1]),
            "months": self.months,
            "sigma_ppmv": self.sigma,
        }


def folds_of(recorded: Recorded, most: int, *, zeros_count: bool = False) -> list[Fold]:
    """Return at most ``most`` folds of a series, spread evenly over those that it has."""
    ppmv = recorded.series.ppmv if zeros_count else np.where(recorded.series.ppmv == 0, np.nan, recorded.series.ppmv)
    found = [fold for first, end in _pieces(ppmv) for fold in _folds_in(recorded, ppmv, first, end)]
    spread = np.linspace(0, max(len(found) - 1, 0), min(most, len(found)))
    return [
        Fold(one.sensor, number, one.times, one.ppmv, one.split, one.counted)
        for number, one in enumerate(found[round(place)] for place in spread)
    ]


def _pieces(ppmv: Floats) -> list[tuple[int, int]]:
    """Return first bin and end of each piece of ppmv [n] between gaps of more than 20 days."""
    present = np.flatnonzero(~np.isnan(ppmv))
    if present.size == 0:
        return []
    cuts = np.flatnonzero(np.diff(present) > CUT_AT)
    firsts, lasts = present[np.concatenate(([0], cuts + 1))], present[np.concatenate((cuts, [present.size - 1]))]
    return [(int(first), int(last) + 1) for first, last in zip(firsts, lasts, strict=True)]


def _folds_in(recorded: Recorded, ppmv: Floats, first: int, end: int) -> Iterator[Fold]:
    times = recorded.series.times
    usable = ~np.isnan(ppmv) & ~in_known_rise(recorded.sensor, times)
    for start in range(first, end, SPACING):
        for days in BASELINE_DAYS:
            split = start + days * DAY
            stop = min(split + EVALUATED, end)
            if np.count_nonzero(usable[split:stop]) >= LEAST_EVALUATED:
                fold = Fold(recorded.sensor, 0, times[start:stop], ppmv[start:stop], days * DAY, usable[split:stop])
                if np.isfinite(fold.ppmv[: fold.split]).mean() >= LEAST_PRESENT and fold.sigma > FLAT_PPMV:
                    yield fold
                break
