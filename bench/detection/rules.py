"""The rules that are compared: each learns from a baseline and gives every sample a continuous score."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from shared.arrays import Floats, Indices, Scores, Times
from shared.detection import build_baseline, detect
from shared.detection.regular import forward_fill, regularise

Scorer = Callable[[Times, Floats, np.datetime64], Scores]  # times [n], ppmv [n], since -> scores of the bins from since

WINDOW = 144
ZONE = WINDOW // 4  # STUMPY's default: windows at most so many bins apart do not match
ROWS = 256  # of windows compared at once: bounds the memory


@dataclass(frozen=True)
class Rule:
    """A way to score readings, with the thresholds that its authors fixed."""

    name: str
    label: str
    learn: Callable[[Times, Floats], Scorer]
    warning: float
    critical: float | None


def ours(times: Times, ppmv: Floats) -> Scorer:
    """Return this project's scorer after a baseline of times [n] and ppmv [n]."""
    baseline = build_baseline(times, ppmv)
    return lambda when, values, since: detect(baseline, when, values, since=since).score


def level(times: Times, ppmv: Floats) -> Scorer:
    """Return the scorer by the reading over the highest of a baseline of times [n] and ppmv [n]."""
    highest = float(np.nanmax(regularise(times, ppmv).ppmv))

    def score(when: Times, values: Floats, since: np.datetime64) -> Scores:
        series = regularise(when, values)
        return (forward_fill(series.ppmv)[series.times >= since] / highest).astype(np.float32)

    return score


def older(times: Times, ppmv: Floats) -> Scorer:
    """Return the older system's ratio: the newest day's distance to the baseline's nearest day / the profile's maximum.

    Non-normalised, m = 144, STUMPY's default exclusion zone. It resets daily, so its stream is taken as always being
    at the baseline. Its own gap rule (144 infinite distances for one missing bin) is left out: values are held
    over gaps, and a sample more than 2 h after the last value has no score.
    """
    held = forward_fill(regularise(times, ppmv).ppmv)
    windows = _windows(held)
    windows, where = windows[~np.isnan(windows).any(axis=1)], np.flatnonzero(~np.isnan(windows).any(axis=1))
    maximum = float(_nearest(windows, windows, (where, where)).max())

    def score(when: Times, values: Floats, since: np.datetime64) -> Scores:
        series = regularise(when, values)
        first = int(np.searchsorted(series.times, since))
        filled = np.concatenate((np.full(WINDOW - 1, np.nan), forward_fill(series.ppmv, series.ppmv.size)))
        queries = _windows(filled)[first:]
        result = np.full(queries.shape[0], np.nan)
        known = ~np.isnan(queries).any(axis=1) & ~np.isnan(forward_fill(series.ppmv)[first:])
        result[known] = _nearest(queries[known], windows) / maximum
        return result.astype(np.float32)

    return score


def _windows(series: Floats) -> Floats:
    return np.lib.stride_tricks.sliding_window_view(series, WINDOW)


def _nearest(queries: Floats, windows: Floats, places: tuple[Indices, Indices] | None = None) -> Floats:
    """Return each query's [q, m] distance [q] to the nearest window [w, m].

    With ``places`` [q], [w] only to those outside the exclusion zone.
    """
    centre = windows.mean()
    theirs = np.ascontiguousarray(windows - centre)
    energy = np.einsum("ij,ij->i", theirs, theirs)
    found = np.empty(queries.shape[0])
    for first in range(0, queries.shape[0], ROWS):
        mine = np.ascontiguousarray(queries[first : first + ROWS] - centre)
        squares = energy - 2.0 * (mine @ theirs.T)
        if places is not None:
            squares[np.abs(places[0][first : first + ROWS, None] - places[1][None, :]) <= ZONE] = np.inf
        # Again by plain subtraction: cancellation spoils small differences of large sums.
        found[first : first + ROWS] = np.linalg.norm(mine - theirs[np.argmin(squares, axis=1)], axis=1)
    return found


RULES = (
    Rule("ours", "this system", ours, 1.0, 2.0),
    # Its description names no numbers; these come closest to the false alarms, recalls and first flags known of it.
    Rule("older", "older system", older, 1.0, 1.5),
    Rule("level", "plain level", level, 1.0, None),
)
