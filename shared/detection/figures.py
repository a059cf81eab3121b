"""Figures: what each channel finds in readings, before any threshold, and what that amounts to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from shared.arrays import ComplexFloats, Flags, Floats, Levels, Scores, Times
from shared.detection.baseline import Baseline
from shared.detection.channels import WARNING_SCORE, Channel, Threshold, score_of
from shared.detection.directions import carried
from shared.detection.level import broken
from shared.detection.releases import CLIP

AWAY = 0.3  # of the most that the sensor would have read since the leak began


@dataclass(frozen=True, eq=False)
class Raw:
    """What the channels say of k buckets, before the latch: the score [k], and which channel's it is [k].

    away [k]: 1 while the current carries elsewhere what a leak sheds that it has shown, -1 while it carries it here, 0
    where it shows none.
    """

    score: Scores
    channel: Levels
    away: Levels


NOTHING = Raw(np.zeros(0, np.float32), np.zeros(0, np.int8), np.zeros(0, np.int8))


@dataclass(frozen=True, eq=False)
class Figures:
    """The figures of k buckets by channel [k] (NaN: none), and the level's own score [k].

    known [k]: enough was read before for a score below Warning; shows [k]: how much of a plume the current would show.
    """

    by_channel: Mapping[Channel, Floats]
    level: Floats
    known: Flags
    shows: Floats

    @classmethod
    def of(
        cls, baseline: Baseline, times: Times, believed: Floats, observed: Flags, currents: ComplexFloats, first: int
    ) -> Self:
        """Return the figures of each bucket from ``first`` on.

        believed: the readings [n] [ppmv], short gaps held, NaN where there is none that can be believed; observed [n];
        currents [n], east + i north in m/s.
        """
        innovations = baseline.background.innovations(believed, observed & ~np.isnan(believed))
        spans = baseline.releases.spans(innovations, first)
        plume = carried(baseline.background, times, np.clip(innovations, -CLIP, CLIP), currents, first)
        found = {
            Channel.PROFILE: baseline.days.ratios(believed, first),
            Channel.COURSE: baseline.releases.course(spans),
            Channel.SUDDEN: baseline.releases.sudden(innovations, first) / baseline.unrest,
            Channel.RELEASE: baseline.releases.release(spans),
            Channel.CURRENT: plume.fit / spans.loudness,
        }
        reading = believed[first:]
        read = ~np.isnan(reading)
        return cls(
            {channel: np.where(read, figure, np.nan) for channel, figure in found.items()},
            baseline.range.scores(reading, broken(believed, first)),
            ~np.isnan(spans.loudness),
            plume.shows,
        )

    def raw(self, limits: Sequence[Threshold], *, level: bool = True) -> Raw:
        """Return what the channels say at these thresholds, with or without the level's.

        With too little to go by, a score below Warning is none.
        """
        score, channel = score_of([self.by_channel[one.channel] for one in limits], limits)
        high = self.level.astype(np.float32) if level else np.full_like(score, np.nan)
        higher = ~(score >= high) & ~np.isnan(high)
        score, channel = np.where(higher, high, score), np.where(higher, np.int8(Channel.LEVEL), channel)
        said = ~np.isnan(self.level) & (self.known | (score >= WARNING_SCORE))
        least = next((one.warning for one in limits if one.channel is Channel.CURRENT), np.inf)
        plume = self.by_channel[Channel.CURRENT] >= least
        away = np.where(plume, np.where(self.shows < AWAY, 1, -1), 0)
        return Raw(
            np.where(said, score, np.float32(np.nan)),
            np.where(said, channel, np.int8(Channel.NONE)),
            away.astype(np.int8),
        )
