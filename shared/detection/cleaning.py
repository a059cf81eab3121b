"""Which days of a history may count as leak-free."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from shared.detection.regular import regularise

Times = npt.NDArray[np.datetime64]
Floats = npt.NDArray[np.float64]

DAY = 144
SPREADS = 3.0  # a day whose peak lies so many robust standard deviations above the usual peak is suspect


def suspect_days(times: Times, ppmv: Floats) -> npt.NDArray[np.datetime64]:
    """Return the UTC days (datetime64[D], sorted) whose peak stands out from the other days' peaks.

    A day is suspect when its maximum exceeds median + 3 x 1.4826 x MAD of the maxima of the days not yet
    suspected, repeated until nothing changes. Only high days are: a leak adds methane. The answer depends on
    the content alone.
    """
    series = regularise(times, ppmv)
    days = series.times.astype("datetime64[D]")
    present = ~np.isnan(series.ppmv)
    names, where = np.unique(days[present], return_inverse=True)
    if names.size == 0:
        return names
    peaks = np.full(names.size, -np.inf)
    np.maximum.at(peaks, where, series.ppmv[present])
    trusted = np.ones(names.size, dtype=bool)
    while True:
        centre = np.median(peaks[trusted])
        spread = 1.4826 * np.median(np.abs(peaks[trusted] - centre))
        kept = trusted & (peaks <= centre + max(SPREADS * spread, 0.5 * centre))
        if (kept == trusted).all():
            return names[~trusted]
        trusted = kept


@dataclass(frozen=True, eq=False)
class CleanSpan:
    """Times [n], ppmv [n] with suspect days as NaN, and the UTC day from which they may score."""

    times: Times
    ppmv: Floats
    valid_from: date


def first_clean_span(times: Times, ppmv: Floats, min_days: float) -> CleanSpan | None:
    """Return the earliest span with ``min_days`` days' worth (144 samples each) of clean data, or None.

    It begins with the history and ends with a whole UTC day; later data never change the answer.
    """
    series = regularise(times, ppmv)
    days = series.times.astype("datetime64[D]")
    needed = int(min_days * DAY)
    for day in np.unique(days)[:-1]:  # the last day may still grow
        inside = days <= day
        if np.count_nonzero(~np.isnan(series.ppmv[inside])) < needed:
            continue
        suspect = suspect_days(series.times[inside], series.ppmv[inside])
        clean = np.where(np.isin(days[inside], suspect), np.nan, series.ppmv[inside])
        if np.count_nonzero(~np.isnan(clean)) >= needed:
            return CleanSpan(series.times[inside], clean, day.astype(date) + timedelta(days=1))
    return None
