"""The channels of the score: six ways of asking whether a sensor's newest hours can be leak-free.

    profile   How unlike any day of its leak-free history is the last day? (``day_profile``)
    course    Does what is new in the last 40 h look like a steady, growing or tidal release? (``releases``)
    sudden    Do the last hours look like the beginning of a strong one? (``releases``)
    release   Does it look like any release at all? (``releases``)
    current   Does it come and go as the current would carry a plume here? (``directions``)
    level     Is the reading beyond everything in the history? (``level``)

The first five each have a figure, and a scale says what figure is how rare at such sensors: exceeded once a month, and
its growth per factor e rarer (``bench.detection.scales`` measures both on what an app meets, days after the history
that they are compared with, and without each sensor in turn). A month of one sensor says nothing about once a month, so
there is one scale for all sensors. The five share the false alarms that are accepted (``shares``). The level is on a
scale of its own: 1 at the top of the history's range, whatever the rates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from shared.arrays import Floats, Levels, Scores
from shared.errors import InvalidInput

WARNING_SCORE = 1.0
CRITICAL_SCORE = 2.0


class Channel(IntEnum):
    """What spoke in a score, by number as it is stored."""

    NONE = -1
    PROFILE = 0
    COURSE = 1
    SUDDEN = 2
    RELEASE = 3
    CURRENT = 4
    LEVEL = 5

    @property
    def word(self) -> str:
        """Return the channel as people read it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Scale:
    """What figure is exceeded once a month at such sensors, and its growth per factor e rarer."""

    monthly: float
    growth: float

    def at(self, rate: float) -> float:
        """Return the figure that is exceeded so often per sensor-month."""
        return self.monthly - self.growth * float(np.log(rate))


SCALES = {
    Channel.PROFILE: Scale(1.49, 0.24),
    Channel.COURSE: Scale(5.51, 0.70),
    Channel.SUDDEN: Scale(1.29, 0.24),
    Channel.RELEASE: Scale(6.56, 0.68),
    Channel.CURRENT: Scale(5.09, 0.74),
}
NEWS = (Channel.COURSE, Channel.SUDDEN, Channel.RELEASE)  # they look at what is new alone
FEWER = 4.0  # times, with each month of history beyond the first


def shares(months: float) -> Mapping[Channel, float]:
    """Return each channel's share of the accepted false alarms after so many months of leak-free history.

    After a month at most each has the same. With more, the profile knows what the sensor does by itself, and the
    channels that look at what is new alone still take each rise of its own for a leak: their shares shrink, those of
    the profile and the current grow.
    """
    equal = 1 / len(SCALES)
    news = equal * FEWER ** -max(months - 1.0, 0.0)
    others = equal + len(NEWS) * (equal - news) / (len(SCALES) - len(NEWS))
    return {channel: news if channel in NEWS else others for channel in SCALES}


@dataclass(frozen=True, slots=True)
class Rates:
    """How many false alarms are accepted per sensor-month, at Warning and at Critical."""

    warning: float = 1.0
    critical: float = 0.1

    def __post_init__(self) -> None:
        """Refuse rates that make no sense."""
        if not 0 < self.critical < self.warning:
            raise InvalidInput(f"false alarms: 0 < critical < warning, not {self.critical} and {self.warning}")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A channel's figures: from which on Warning, from which on Critical."""

    channel: Channel
    warning: float
    critical: float


def thresholds(rates: Rates, months: float, scales: Mapping[Channel, Scale] = SCALES) -> tuple[Threshold, ...]:
    """Return each channel's figures for these rates after so many months of leak-free history."""
    parts = shares(months)
    return tuple(
        Threshold(channel, scale.at(rates.warning * parts[channel]), scale.at(rates.critical * parts[channel]))
        for channel, scale in scales.items()
    )


def score_of(figures: Sequence[Floats], limits: Sequence[Threshold]) -> tuple[Scores, Levels]:
    """Return the largest score [k] of the channels' figures, each [k] in order, and which channel's it is [k].

    1.0 is Warning, 2.0 Critical; NaN and no channel where none says anything.
    """
    scores = np.array([_scored(figure, one) for figure, one in zip(figures, limits, strict=True)])
    silent = np.isnan(scores).all(axis=0)
    spoke = np.argmax(np.where(np.isnan(scores), -np.inf, scores), axis=0).astype(np.int8)
    return np.fmax.reduce(scores).astype(np.float32), np.where(silent, np.int8(Channel.NONE), spoke)


def _scored(figure: Floats, threshold: Threshold) -> Floats:
    above = 1.0 + (figure - threshold.warning) / (threshold.critical - threshold.warning)
    return np.asarray(np.where(figure < threshold.warning, figure / threshold.warning, above))
