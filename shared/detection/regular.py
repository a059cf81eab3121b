"""From any spacing to the 10-minute grid: bin means of valid samples, and short gaps held."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.arrays import BUCKET_S, Flags, Floats, Indices, Times
from shared.errors import InvalidInput

MAXIMUM_PPMV = 100_000.0  # far above what a METS sensor can read; sentinels such as 1e14 are above it
HOLD_BINS = 12  # 2 h: a sensor this slow cannot have changed much in the meantime
HOLD_BINS_BY_EXCEPTION = 36  # 6 h: a series that is logged when it changes says by its silence that it did not
MAX_BINS = 2_000_000  # 38 years: a stray time stamp must not become gigabytes


@dataclass(frozen=True, eq=False)
class Regular:
    """A series on the 10-minute grid: bin starts [n], bin means [n] (NaN: none), and where only bad values came [n]."""

    times: Times
    ppmv: Floats
    bad: Flags


def regularise(times: Any, ppmv: Any) -> Regular:
    """Return samples of any order and spacing on the grid, from the first to the last sample's bin.

    times: datetime64 [n], UTC; ppmv: float [n]. NaN is missing; inf, negative values and those from MAXIMUM_PPMV on
    are bad, and count as missing. Raises InvalidInput for shapes that differ, a time that is not a time (NaT), or
    samples more than 38 years apart.
    """
    stamps = np.asarray(times, dtype="datetime64[s]")
    values = np.asarray(ppmv, dtype=np.float64)
    if stamps.ndim != 1 or stamps.shape != values.shape:
        raise InvalidInput(f"times and ppmv must be [n] both, not {stamps.shape} and {values.shape}")
    if np.isnat(stamps).any():
        raise InvalidInput(f"times must not hold NaT, found {int(np.isnat(stamps).sum())}")
    if stamps.size == 0:
        return Regular(stamps, values, np.zeros(0, dtype=bool))
    bins = stamps.astype(np.int64) // BUCKET_S
    first, size = int(bins.min()), int(bins.max() - bins.min()) + 1
    if size > MAX_BINS:
        raise InvalidInput(f"times must span at most {MAX_BINS} buckets of 10 minutes, not {size}")
    valid = np.isfinite(values) & (values >= 0) & (values < MAXIMUM_PPMV)
    where, good = (bins - first)[valid], values[valid]
    counts = np.bincount(where, minlength=size)
    # From the bin's lowest value up, so that a stuck sensor's means are the same whatever the number of samples;
    # sorted by value, so that the order of arrival cannot change the last bit.
    lowest = np.full(size, np.nan)
    np.fmin.at(lowest, where, good)
    order = np.lexsort((good, where))
    sums = np.bincount(where[order], weights=(good - lowest[where])[order], minlength=size)
    means = lowest + sums / np.maximum(counts, 1)
    bad = np.bincount((bins - first)[~valid & ~np.isnan(values)], minlength=size) > 0
    return Regular(((first + np.arange(size)) * BUCKET_S).astype("datetime64[s]"), means, bad & (counts == 0))


def forward_fill(values: Floats, bins: int = HOLD_BINS) -> Floats:
    """Return ``values`` [n] with gaps (NaN) of up to ``bins`` filled by the last value before them [n] (causal)."""
    index = np.arange(values.size)
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, index))
    usable = (last >= 0) & (index - last <= bins)
    return np.where(usable, values[np.maximum(last, 0)], np.nan)


def trailing_windows(values: Floats, bins: int) -> Floats:
    """Return for each of ``values`` [n] the last ``bins`` up to it [n, bins], a view; before the first: 0."""
    return np.lib.stride_tricks.sliding_window_view(np.concatenate((np.zeros(bins), values)), bins)[1:]


def trailing_counts(flags: Flags, bins: int) -> Indices:
    """Return for each of ``flags`` [n] how many of the last ``bins`` up to it are set [n]."""
    counts: Indices = np.concatenate((np.zeros(bins, np.intp), np.cumsum(flags, dtype=np.intp)))
    return np.asarray(counts[bins:] - counts[: flags.size])
