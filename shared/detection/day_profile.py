"""The profile channel: how unlike any day of the leak-free history the last 24 hours are.

It is the distance D to the nearest window of the history (its matrix profile's neighbour; Yeh et al. 2016), of
log(ppmv + median) from the window's mean, with readings raised to the history's 10th percentile: the logarithm makes a
quiet and a restless week comparable, the median in it and the raising keep low readings from counting for much. Then

    ratio = D / sqrt(P[nn]^2 + median(P)^2 + floor^2)

sets it against how alike windows are around there, with P the history's own matrix profile and the floor what a sensor
resolves. A leak adds methane: the ratio counts while the last 3 h lie above the nearest window's.
"""

import numpy as np

from shared.arrays import Floats, Indices
from shared.detection.background import LOWEST_PERCENTILE
from shared.detection.join import Join
from shared.errors import InvalidInput

WINDOW = 144
TAIL = 18  # bins: 3 h
ZONE = 144  # windows less than a day apart are not compared: a quarter of a window would match a tide with itself
RESOLUTION_PPMV = 0.1  # a METS sensor resolves no less


class DayProfile:
    """Compares days with those of one leak-free history."""

    def __init__(self, ppmv: Floats, profile: Floats | None = None) -> None:
        """Prepare the search in a history ``ppmv`` [n] (NaN: missing).

        ``profile`` [n - WINDOW + 1] is the history's own matrix profile where it is known already. Raises InvalidInput
        where the history is too short.
        """
        known = ppmv[~np.isnan(ppmv)]
        self._lowest, self._median = (
            float(np.percentile(known, q)) if known.size else 0.0 for q in (LOWEST_PERCENTILE, 50)
        )
        self._series = self._scaled(ppmv)
        self._join = Join(self._series, WINDOW, WINDOW)
        if profile is None:
            profile = self._join.self_nearest(ZONE)[1]
            if np.isnan(profile).all():
                raise InvalidInput(f"a baseline needs two complete windows of {WINDOW} buckets more than a day apart")
        self.profile = profile
        self._usual = float(np.nanmedian(profile))
        step = self._scaled(np.array([self._median, self._median + RESOLUTION_PPMV]))
        self._floor = float(step[1] - step[0]) * np.sqrt(WINDOW)

    def _scaled(self, ppmv: Floats) -> Floats:
        # A history of zeros has no scale of its own: one ppmv is as good as any.
        return np.asarray(np.log(np.maximum(ppmv, self._lowest) + max(self._median, 1.0)))

    def ratios(self, ppmv: Floats, first: int) -> Floats:
        """Return the ratio of each bucket of ppmv [n] from ``first`` on [n - first]; NaN: no complete window."""
        begin = max(first - WINDOW + 1, 0)
        query = self._scaled(ppmv[begin:])
        found = self._ratios(query, *self._join.nearest(query))
        return np.concatenate((np.full(ppmv.size - first - found.size, np.nan), found))

    def usual_ratio(self, added: Floats) -> float:
        """Return the ratio of a usual day to which so much was added [WINDOW] [ppmv]."""
        raised = self._scaled(self._median + added)
        distance = np.sqrt(self._usual**2 + np.sum((raised - raised.mean()) ** 2))
        return float(self._relative(distance, np.asarray(self._usual)))

    def _ratios(self, query: Floats, nearest: Indices, distance: Floats) -> Floats:
        own = self.profile[nearest]
        own = np.where(np.isnan(own), self._usual, own)
        ratio = self._relative(distance, own)
        above = _tails(query, np.arange(nearest.size)) > _tails(self._series, nearest)
        return np.where(nearest < 0, np.nan, np.where(above, ratio, 0.0))

    def _relative(self, distance: Floats, own: Floats) -> Floats:
        """Return distances as ratios to what the windows that are nearest are apart from their own nearest."""
        return np.asarray(distance / np.sqrt(own**2 + self._usual**2 + self._floor**2))


def _tails(series: Floats, starts: Indices) -> Floats:
    """Return the mean of the last bins of the windows that begin there [k]."""
    if not starts.size:
        return np.zeros(0)
    windows = np.lib.stride_tricks.sliding_window_view(series, WINDOW)
    return np.asarray(windows[starts, WINDOW - TAIL :].mean(axis=1))
