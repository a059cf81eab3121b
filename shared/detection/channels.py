"""The channels of the score: four ways of asking how unlike its leak-free history a sensor's newest hours are.

    day       24 h of log(ppmv + offset), from their mean; what is unusual for this sensor, however small. The
              logarithm makes a quiet and a restless week comparable.
    half day  12 h of the same; sooner, and sooner back after a gap.
    hours     6 h of log(ppmv + offset), from their first 1.5 h; a sudden change from next to nothing.
    rise      12 h of ppmv, from their first 3 h; a strong leak above any background.

A leak adds methane. Day and half day therefore only count while the last 3 h lie above the nearest window's, rise while
they have risen more (their gates). Hours also hears a fall: what a turning current takes away was there; but not a fall
to lower than the sensor ever reads, which is a sensor that fails.

A channel's ratio sets the distance D to the nearest window against how alike windows are around there:

    ratio = D / sqrt(P[nn]^2 + median(P)^2 + floor^2)

with P the baseline's own matrix profile and the floor what a sensor resolves. What ratio is how rare is estimated
from the baseline's own ratios (``return_level``), in equal parts (a geometric mean) with what is usual for such
sensors: a month of one sensor alone says little about what happens once a month.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from shared.arrays import Flags, Floats, Indices
from shared.detection.join import Join
from shared.detection.return_level import return_level
from shared.errors import InvalidInput

ZONE = 144  # windows less than a day apart are not compared: a quarter of a window would match a tide with itself
RESOLUTION_PPMV = 0.1  # a METS sensor resolves no less
LOWEST_PERCENTILE = 1  # lower than this a sensor never reads
LEAST_STEP = 1.05  # Critical lies at least so far above Warning


# A channel counts when the last bins lie above the nearest window's; have risen more; or are not lower than the sensor
# ever reads.
Gate = Literal["above", "rising", "not low"]


@dataclass(frozen=True, slots=True)
class Channel:
    """What a channel looks at: windows and their first and last bins, the scale, and its part of the false alarms."""

    name: str
    window: int  # bins
    head: int  # first bins, whose mean a window is centred on
    tail: int  # last bins
    logarithm: bool
    gate: Gate
    share: float  # of the false alarms that are accepted
    prior_level: tuple[float, float]  # ratio exceeded once a month at such sensors, and its growth per factor e rarer


CHANNELS = (
    Channel("day", 144, head=144, tail=18, logarithm=True, gate="above", share=0.45, prior_level=(1.4, 0.26)),
    Channel("half day", 72, head=72, tail=18, logarithm=True, gate="above", share=0.15, prior_level=(2.35, 0.54)),
    Channel("hours", 36, head=9, tail=3, logarithm=True, gate="not low", share=0.25, prior_level=(3.25, 0.72)),
    Channel("rise", 72, head=18, tail=18, logarithm=False, gate="rising", share=0.15, prior_level=(2.8, 0.72)),
)


@dataclass(frozen=True, eq=False)
class Scale:
    """What a channel knows of a sensor: its profile [n - window + 1] (NaN: none), and what ratio is which level."""

    profile: Floats
    warning: float
    critical: float


class ChannelMatcher:
    """A channel of one baseline: compares new readings with it."""

    def __init__(self, channel: Channel, ppmv: Floats, offset: float, profile: Floats | None = None) -> None:
        """Prepare the search in a leak-free history ``ppmv`` [n] (NaN: missing), ``offset`` in ppmv.

        ``profile`` [n - window + 1] is the history's own matrix profile where it is known already. Raises InvalidInput
        where the history is too short.
        """
        self.channel = channel
        self._offset = offset
        self._series = self._scaled(ppmv)
        self._join = Join(self._series, channel.window, channel.head)
        self._own_neighbours: Indices | None = None
        if profile is None:
            self._own_neighbours, profile = self._join.self_nearest(ZONE)
            if np.isnan(profile).all():
                raise InvalidInput(
                    f"a baseline needs two complete windows of {channel.window} buckets more than a day apart"
                )
        self.profile = profile
        self._median = float(np.nanmedian(profile))
        self._lowest = float(np.nanpercentile(self._series, LOWEST_PERCENTILE))
        typical = float(np.nanmedian(ppmv))
        step = self._scaled(np.array([typical, typical + RESOLUTION_PPMV]))
        self._floor = float(step[1] - step[0]) * np.sqrt(channel.window)

    def _scaled(self, ppmv: Floats) -> Floats:
        return np.log(ppmv + self._offset) if self.channel.logarithm else ppmv

    def ratios(self, ppmv: Floats) -> Floats:
        """Return the ratio [k] of each bucket of ``ppmv`` [k]; NaN where its window is not complete, as at first."""
        query = self._scaled(ppmv)
        found = self._ratios(query, *self._join.nearest(query))
        return np.concatenate((np.full(min(self.channel.window - 1, ppmv.size), np.nan), found))

    def scale(self, warning_rate: float, critical_rate: float, user_marked: Flags) -> Scale:
        """Return the scale that lets so many false alarms per sensor-month through, from the baseline's own ratios.

        Windows that hold a bucket that ``user_marked`` [n] flags do not count.
        """
        if self._own_neighbours is None:
            self._own_neighbours, _ = self._join.self_nearest(ZONE)
        own = self._ratios(self._series, self._own_neighbours, self.profile)
        own[np.lib.stride_tricks.sliding_window_view(user_marked, self.channel.window).any(axis=1)] = np.nan
        warning, critical = (self._level(own, rate * self.channel.share) for rate in (warning_rate, critical_rate))
        return Scale(self.profile, warning, max(critical, LEAST_STEP * warning))

    def _level(self, own: Floats, rate: float) -> float:
        level, growth = self.channel.prior_level
        prior = max(level - growth * float(np.log(rate)), 0.1 * level)
        return float(np.sqrt(max(return_level(own, rate), 0.1 * prior) * prior))

    def _ratios(self, query: Floats, nearest: Indices, distance: Floats) -> Floats:
        channel = self.channel
        if nearest.size == 0:
            return np.zeros(0)
        own = self.profile[nearest]
        own = np.where(np.isnan(own), self._median, own)
        ratio = distance / np.sqrt(own**2 + self._median**2 + self._floor**2)
        mine = self._tails(query, np.arange(nearest.size))
        heard = mine >= self._lowest if channel.gate == "not low" else mine > self._tails(self._series, nearest)
        ratio = np.where(heard, ratio, 0.0)
        return np.where(nearest < 0, np.nan, ratio)

    def _tails(self, series: Floats, starts: Indices) -> Floats:
        """Return the mean of the last bins of the windows that begin there, from their first ones if so asked."""
        channel = self.channel
        windows = np.lib.stride_tricks.sliding_window_view(series, channel.window)
        tails = windows[starts, channel.window - channel.tail :].mean(axis=1)
        if channel.gate == "rising":
            tails = tails - windows[starts, : channel.head].mean(axis=1)
        return np.asarray(tails)


def score_of(ratios: Sequence[Floats], scales: Sequence[Scale]) -> Floats:
    """Return the score [k] of the channels' ratios, each [k]: the largest, 1.0 at Warning and 2.0 at Critical."""
    scores = [
        np.where(
            ratio < scale.warning,
            ratio / scale.warning,
            1.0 + (ratio - scale.warning) / (scale.critical - scale.warning),
        )
        for ratio, scale in zip(ratios, scales, strict=True)
    ]
    return np.asarray(np.fmax.reduce(scores))
