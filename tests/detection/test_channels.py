"""The channels against an obvious oracle, and return levels against a distribution that is known."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.detection.channels import CHANNELS, ZONE, Channel, ChannelMatcher, Gate, Scale, score_of
from shared.detection.return_level import MONTH_BINS, return_level

Floats = np.ndarray


def sea(seed: int, size: int) -> Floats:
    """Return readings that wander, with a gap."""
    rng = np.random.default_rng(seed)
    ppmv = np.abs(20 + np.cumsum(rng.normal(0, 0.5, size)) + rng.normal(0, 0.5, size))
    ppmv[size // 3 : size // 3 + 5] = np.nan
    return ppmv


def naive_ratio(channel: Channel, series: Floats, offset: float, profile: Floats, newest: Floats) -> float:
    """Return a window's ratio, one baseline window at a time."""

    def scaled(values: Floats) -> Floats:
        return np.log(values + offset) if channel.logarithm else values

    window, head, tail = channel.window, channel.head, channel.tail
    query, past = scaled(newest), scaled(series)
    best, where = np.inf, -1
    for start in range(series.size - window + 1):
        other = past[start : start + window]
        if np.isnan(other).any():
            continue
        distance = np.linalg.norm((query - query[:head].mean()) - (other - other[:head].mean()))
        if distance < best:
            best, where = float(distance), start
    nearest = past[where : where + window]
    mine, theirs = query[-tail:].mean(), nearest[-tail:].mean()
    if channel.gate == "rising":
        mine, theirs = mine - query[:head].mean(), theirs - nearest[:head].mean()
    silent = mine < np.nanpercentile(past, 1) if channel.gate == "not low" else mine <= theirs
    typical = np.nanmedian(series)
    floor = (scaled(np.array([typical + 0.1])) - scaled(np.array([typical])))[0] * np.sqrt(window)
    return 0.0 if silent else best / float(np.sqrt(profile[where] ** 2 + np.nanmedian(profile) ** 2 + floor**2))


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_ratios_are_what_they_say(channel: Channel) -> None:
    """Against plain loops, for windows of every kind."""
    series, stream = sea(1, 900), sea(2, channel.window + 40)
    stream[: stream.size // 2] = np.nan_to_num(stream[: stream.size // 2], nan=20.0)
    stream[stream.size // 2 :] = np.nan_to_num(stream[stream.size // 2 :], nan=20.0) + 8
    matcher = ChannelMatcher(channel, series, 5.0)
    found = matcher.ratios(stream)
    assert np.isnan(found[: channel.window - 1]).all()
    for last in range(channel.window - 1, stream.size, 13):
        newest = stream[last - channel.window + 1 : last + 1]
        assert found[last] == pytest.approx(naive_ratio(channel, series, 5.0, matcher.profile, newest), rel=1e-9)


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_the_profile_looks_away_from_the_day_around_a_window(channel: Channel) -> None:
    """A window's own neighbours would make every day usual."""
    series = sea(3, 700)
    matcher = ChannelMatcher(channel, series, 5.0)
    scaled = np.log(series + 5.0) if channel.logarithm else series
    windows = np.lib.stride_tricks.sliding_window_view(scaled, channel.window)
    centred = windows - windows[:, : channel.head].mean(axis=1, keepdims=True)
    for start in range(0, windows.shape[0], 37):
        apart = np.abs(np.arange(windows.shape[0]) - start) >= ZONE
        distances = np.linalg.norm(centred[apart] - centred[start], axis=1)
        expected = np.nan if np.isnan(distances).all() else np.nanmin(distances)
        np.testing.assert_allclose(matcher.profile[start], expected, rtol=1e-9)


def test_scores_are_one_at_warning_and_two_at_critical() -> None:
    """Straight between, and the largest channel that speaks counts."""
    scale = Scale(np.zeros(1), warning=2.0, critical=6.0)
    ratios = np.array([0.0, 1.0, 2.0, 4.0, 6.0, 10.0, np.nan])
    np.testing.assert_allclose(score_of([ratios], [scale]), [0, 0.5, 1, 1.5, 2, 3, np.nan])
    both = score_of([np.array([1.0, np.nan]), np.array([4.0, 2.0])], [scale, scale])
    np.testing.assert_allclose(both, [1.5, 1.0])


@pytest.mark.parametrize("shape", [-0.2, 0.0, 0.2])
def test_return_levels_of_a_known_distribution(shape: float) -> None:
    """Independent scores with a Pareto tail: the level that is exceeded once a month is the distribution's own."""
    rng = np.random.default_rng(4)
    size = int(40 * MONTH_BINS)
    chance = rng.random(size // 50)
    peaks = -np.log(chance) if shape == 0 else (chance**-shape - 1) / shape
    scores = np.full(size, 0.0)
    scores[25::50][: peaks.size] = 1 + peaks  # eight hours apart: each its own event
    per_month = peaks.size / (size / MONTH_BINS)
    for rate in (1.0, 0.1):
        tail = np.log(per_month / rate) if shape == 0 else ((per_month / rate) ** shape - 1) / shape
        assert return_level(scores, rate) == pytest.approx(1 + tail, rel=0.15)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(0.01, 100), st.floats(0.05, 5))
def test_return_levels_scale_with_the_scores_and_grow_with_rarity(seed: int, factor: float, rate: float) -> None:
    """Units do not matter, and what is rarer is higher."""
    scores = np.abs(np.random.default_rng(seed).normal(0, 1, 4000))
    assert return_level(factor * scores, rate) == pytest.approx(factor * return_level(scores, rate), rel=1e-6)
    assert return_level(scores, rate / 2) >= return_level(scores, rate)


def test_return_levels_of_next_to_nothing_are_defined() -> None:
    """No scores, equal scores, and a channel that spoke once."""
    once = np.r_[np.zeros(999), 3.0]
    assert np.isnan(return_level(np.full(10, np.nan), 1.0))
    assert return_level(np.full(1000, 0.7), 1.0) == pytest.approx(0.7)
    assert return_level(once, 1.0) == pytest.approx(3.0)


def test_the_table_of_channels_holds_together() -> None:
    """The accepted false alarms are shared out, names are names, and a window holds its head and its tail."""
    assert sum(channel.share for channel in CHANNELS) == pytest.approx(1)
    assert len({channel.name for channel in CHANNELS}) == len(CHANNELS)
    for channel in CHANNELS:
        assert 1 <= channel.head <= channel.window
        assert 1 <= channel.tail <= channel.window
        assert channel.gate in get_args(Gate)
