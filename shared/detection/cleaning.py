"""Which days of a history may count as leak-free: those that neither stand out by their peak nor look like no other.

Two robust rules, each repeated until nothing changes. A day's peak stands out when it exceeds

    median + max(5 x 1.4826 MAD, median)                of the peaks of the days that are not yet suspected;

a day is a discord when the distance of its hourly means to the nearest other day (any hour of beginning, no hour in
common) exceeds

    median + max(6 x 1.4826 MAD, 2 median, resolution)      of those distances among the days not yet suspected.

Only high days are told by their peak, because a leak adds methane; a discord is any day whose course is its own. Two
strange days that are like each other are no discords: what happens again is usual.
"""

import numpy as np

from shared.arrays import BUCKET_STEP, Flags, Floats, Times
from shared.detection.regular import regularise

HOURS = 24
BINS = 6  # of an hour
PEAK_SPREADS, PEAK_SHARE = 5.0, 1.0
DISCORD_SPREADS, DISCORD_SHARE = 6.0, 2.0
RESOLUTION_PPMV = 0.5  # hourly means that differ by less are the same to the eye
ROUNDS = 10  # of looking for discords: without one, a day that was only like it may be the next
FEWEST = 5  # days; with fewer nobody can say what is usual


def suspect_days(times: Times, ppmv: Floats) -> Times:
    """Return the UTC days (datetime64[D], sorted) that stand out by their peak or their course.

    times: datetime64 [n], UTC; ppmv: float [n], NaN where missing. The answer depends on the content alone.
    """
    series = regularise(times, ppmv)
    if series.times.size == 0:
        return np.zeros(0, dtype="datetime64[D]")
    first = series.times[0].astype("datetime64[D]")
    offset = int((series.times[0] - first) // BUCKET_STEP)
    size = -(-(offset + series.ppmv.size) // (HOURS * BINS)) * HOURS * BINS
    whole = np.full(size, np.nan)
    whole[offset : offset + series.ppmv.size] = series.ppmv
    high = _high(whole)
    suspect = high | _discords(whole, high)
    return np.asarray(first + np.flatnonzero(suspect))


def _high(ppmv: Floats) -> Flags:
    """Return which days' peaks stand out, [days]."""
    days = ppmv.reshape(-1, HOURS * BINS)
    peaks = np.max(np.where(np.isnan(days), -np.inf, days), axis=1)
    return _outliers(peaks, np.isfinite(peaks), PEAK_SPREADS, PEAK_SHARE, 0.0)


def _outliers(values: Floats, known: Flags, spreads: float, share: float, least: float) -> Flags:
    """Return which known values lie far above the others, dropping what does until nothing more does."""
    trusted = known.copy()
    while trusted.any():
        centre = np.median(values[trusted])
        spread = 1.4826 * np.median(np.abs(values[trusted] - centre))
        kept = trusted & (values <= centre + max(spreads * spread, share * centre, least))
        if (kept == trusted).all():
            break
        trusted = kept
    return known & ~trusted


def _discords(ppmv: Floats, high: Flags) -> Flags:
    """Return which of the days that are not high look like no other day, [days]."""
    hours = ppmv.reshape(-1, BINS)
    count = np.count_nonzero(~np.isnan(hours), axis=1)
    means = np.full(count.size, np.nan)
    means[count > 0] = np.nansum(hours, axis=1)[count > 0] / count[count > 0]
    suspect = np.zeros(high.size, dtype=bool)
    for _ in range(ROUNDS):
        usable = np.where(np.repeat(high | suspect, HOURS), np.nan, means)
        distance = _distances(usable)
        known = ~np.isnan(distance)
        if np.count_nonzero(known) < FEWEST:
            break
        found = _outliers(distance, known, DISCORD_SPREADS, DISCORD_SHARE, RESOLUTION_PPMV * np.sqrt(HOURS))
        if not found.any():
            break
        suspect |= found
    return suspect


def _distances(hours: Floats) -> Floats:
    """Return each day's distance to the nearest day's worth of hours that shares none with it; NaN: incomplete."""
    windows = np.lib.stride_tricks.sliding_window_view(hours, HOURS)
    starts = np.flatnonzero(~np.isnan(windows).any(axis=1))
    found = np.full(hours.size // HOURS, np.nan)
    others = windows[starts]
    energy = np.sum(others**2, axis=1)
    for day in np.flatnonzero(~np.isnan(hours.reshape(-1, HOURS)).any(axis=1)):
        own = hours[day * HOURS : (day + 1) * HOURS]
        apart = np.abs(starts - day * HOURS) >= HOURS
        if apart.any():
            squares = np.sum(own**2) + energy - 2.0 * (others @ own)
            found[day] = np.sqrt(max(float(np.min(squares[apart])), 0.0))
    return found
