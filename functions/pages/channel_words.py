"""Channel words: what each channel asks, and what a sensor's level rests on, as people read it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from shared.detection import Baseline
from shared.detection.background import SPAN
from shared.detection.channels import WARNING_SCORE, Channel
from shared.detection.latch import BELOW_WARNING, QUIET_BINS
from shared.domain.deviation import Latest, Level
from shared.domain.estimation_words import digits
from shared.usecases.queries.channels import channel_of, figure_of
from shared.usecases.queries.template_status import SensorStatus

HOUR = 6  # buckets
QUIET, REMEMBERED = f"{QUIET_BINS // HOUR} h", f"{SPAN // HOUR} h"
QUESTIONS = {
    Channel.PROFILE: "How unlike any day of its history is the last day?",
    Channel.COURSE: f"Do the last {REMEMBERED} look like a steady, growing or tidal release?",
    Channel.SUDDEN: "Do the last hours look like the beginning of a strong release?",
    Channel.RELEASE: f"Do the last {REMEMBERED} look like any release at all?",
    Channel.CURRENT: "Do the readings come and go as the current would carry a plume here?",
    Channel.LEVEL: "Is the reading beyond everything in its history?",
}
SIGNIFICANT = 3  # digits: with fewer, a figure and its threshold often look the same
OVER = (
    f"It is over when the hourly mean has stayed low for more than {QUIET}; "
    "hours in which the current carries methane elsewhere do not count."
)
FLAT_LINES = (
    f"A line that is flat at 1 or 2 is held: Warning or Critical lasts until the sensor has read low for {QUIET}. "
    f"One that is flat at {BELOW_WARNING} is Ok: the last {REMEMBERED} still hold an alarm that has ended. "
    "Dotted: what the sensor says now, where its line is held."
)
AFTERMATH = f"For {REMEMBERED} that counts only where the readings are high again, or rise."


class ChannelRow(NamedTuple):
    """A channel by its word, what it asks, and its figures for Warning and Critical."""

    word: str
    question: str
    warning: str
    critical: str


def channel_rows(baseline: Baseline) -> Iterator[ChannelRow]:
    """Yield what each channel asks; the level's figures are readings after a break."""
    for one in baseline.thresholds:
        yield ChannelRow(one.channel.word, QUESTIONS[one.channel], _digits(one.warning), _digits(one.critical))
    top, median = baseline.range.top, baseline.range.median
    readings = (f"{_digits(one)}\N{NO-BREAK SPACE}ppmv" for one in (top, 2 * top - median))
    yield ChannelRow(Channel.LEVEL.word, QUESTIONS[Channel.LEVEL], *readings)


def rests_on(state: SensorStatus, baseline: Baseline | None) -> str:
    """Return what the sensor's level rests on; empty where nothing spoke, or nobody knows."""
    latest = state.latest
    if latest is None or latest.level is not state.level:
        return ""
    if latest.level is Level.UNDEFINED:
        return _undefined(latest, baseline)
    said = _said(latest, baseline)
    if _is_held(latest):
        now = "what speaks now is a Warning" if _is_alarm(latest.raw) else "nothing raises it any more"
        return f"Held at {latest.level.word}: {now}{f' ({said})' if said else ''}. {OVER}"
    if not said:
        return ""
    if latest.level is Level.OK and _is_alarm(latest.raw):
        return f"Detection still sees an alarm that has ended ({said}). {AFTERMATH}"
    if channel_of(latest.channel) is Channel.LEVEL and baseline is not None and _is_beyond(latest, baseline):
        return _beyond(latest, baseline)
    return f"Nearest to an alarm is {said}." if latest.level is Level.OK else f"Rests on {said}."


def _undefined(latest: Latest, baseline: Baseline | None) -> str:
    """Return why nobody can say that a sensor that is well is Ok, if its reading is why."""
    if latest.fault or latest.ppmv is None or baseline is None or latest.ppmv < baseline.range.top:
        return ""
    return _beyond(latest, baseline)


def _is_alarm(raw: float | None) -> bool:
    """Return whether the channels alone raise an alarm."""
    return raw is not None and raw >= WARNING_SCORE


def _is_held(latest: Latest) -> bool:
    """Return whether the latch alone keeps the level: the score is then the level's edge to the last bit."""
    return latest.level > Level.OK and latest.score == float(latest.level) and latest.score != latest.raw


def _said(latest: Latest, baseline: Baseline | None) -> str:
    """Return which channel spoke, its figure, and what that is to be held against."""
    channel = channel_of(latest.channel)
    if channel is Channel.NONE or latest.raw is None:
        return ""
    if baseline is None:
        return channel.word
    if channel is Channel.LEVEL:
        reading = "its last reading" if latest.ppmv is None else f"{_digits(latest.ppmv)} ppmv"
        return f"{channel.word}: {reading}, where its history reaches {_highest(baseline)}"
    (limits,) = (one for one in baseline.thresholds if one.channel is channel)
    figure, warning, critical = map(_digits, (figure_of(latest.raw, limits), limits.warning, limits.critical))
    return f"{channel.word}: {figure}, where Warning is {warning} and Critical {critical}"


def _is_beyond(latest: Latest, baseline: Baseline) -> bool:
    """Return whether the reading is higher than any of the history; a held one is where that alone makes an alarm."""
    if latest.ppmv is None:
        return _is_alarm(latest.raw)
    return latest.ppmv > float(np.nanmax(baseline.ppmv))


def _beyond(latest: Latest, baseline: Baseline) -> str:
    reading = "" if latest.ppmv is None else f"{_digits(latest.ppmv)} ppmv; "
    return f"The reading is beyond everything in its history ({reading}history up to {_highest(baseline)})."


def _highest(baseline: Baseline) -> str:
    return f"{_digits(float(np.nanmax(baseline.ppmv)))} ppmv"


def _digits(value: float) -> str:
    return digits(value, SIGNIFICANT)
