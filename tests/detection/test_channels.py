"""The channels against obvious oracles, and what they are there for."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.arrays import Floats
from shared.detection import Channel, Rates, build_baseline, detect
from shared.detection.background import ORDER, SPAN, Background
from shared.detection.channels import NEWS, SCALES, score_of, shares, thresholds
from shared.detection.currents import currents_on
from shared.detection.day_profile import WINDOW, ZONE, DayProfile
from shared.detection.directions import carried, exposure
from shared.detection.level import Range
from shared.detection.releases import CLIP, COURSES, PIECES, SUDDEN, Releases, response
from shared.detection.sensitivity import least_rise
from shared.domain.environment import Environment
from tests.support.examples import quiet_baseline
from tests.support.sensor_readings import DAY, leak, quiet, sensed, times


def sea(seed: int, size: int) -> Floats:
    """Return readings that wander, with a gap."""
    rng = np.random.default_rng(seed)
    ppmv = np.abs(20 + np.cumsum(rng.normal(0, 0.5, size)) + rng.normal(0, 0.5, size))
    ppmv[size // 3 : size // 3 + 5] = np.nan
    return ppmv


# --- the profile


def scaled(ppmv: Floats, history: Floats) -> Floats:
    """Return readings as the profile compares them."""
    lowest, median = np.nanpercentile(history, [10, 50])
    return np.asarray(np.log(np.maximum(ppmv, lowest) + median))


def naive_ratio(history: Floats, profile: Floats, newest: Floats) -> float:
    """Return a window's ratio, one window of the history at a time."""
    query, past = scaled(newest, history), scaled(history, history)
    best, where = np.inf, -1
    for start in range(history.size - WINDOW + 1):
        other = past[start : start + WINDOW]
        if not np.isnan(other).any():
            distance = np.linalg.norm((query - query.mean()) - (other - other.mean()))
            if distance < best:
                best, where = float(distance), start
    if query[-18:].mean() <= past[where + WINDOW - 18 : where + WINDOW].mean():
        return 0.0
    median = np.nanmedian(history)
    floor = np.diff(scaled(np.array([median, median + 0.1]), history))[0] * np.sqrt(WINDOW)
    return best / float(np.sqrt(profile[where] ** 2 + np.nanmedian(profile) ** 2 + floor**2))


def test_ratios_are_what_they_say() -> None:
    """Against plain loops."""
    history, stream = sea(1, 900), np.nan_to_num(sea(2, WINDOW + 60), nan=20.0)
    stream[WINDOW:] += 8
    days = DayProfile(history)
    found = days.ratios(stream, 0)
    assert np.isnan(found[: WINDOW - 1]).all()
    for last in range(WINDOW - 1, stream.size, 13):
        newest = stream[last - WINDOW + 1 : last + 1]
        assert found[last] == pytest.approx(naive_ratio(history, days.profile, newest), rel=1e-9)


def test_the_profile_looks_away_from_the_day_around_a_window() -> None:
    """A window's own neighbours would make every day usual."""
    history = sea(3, 700)
    days = DayProfile(history)
    windows = np.lib.stride_tricks.sliding_window_view(scaled(history, history), WINDOW)
    centred = windows - windows.mean(axis=1, keepdims=True)
    for start in range(0, windows.shape[0], 37):
        apart = np.abs(np.arange(windows.shape[0]) - start) >= ZONE
        distances = np.linalg.norm(centred[apart] - centred[start], axis=1)
        expected = np.nan if np.isnan(distances).all() else np.nanmin(distances)
        np.testing.assert_allclose(days.profile[start], expected, rtol=1e-9)


# --- the background


def autoregression(seed: int, size: int) -> Floats:
    """Return readings around 50 ppmv of a known autoregression: 0.7 of the last, 0.2 of the one before, steps of 2."""
    rng = np.random.default_rng(seed)
    ppmv = np.full(size, 50.0)
    for index in range(2, size):
        ppmv[index] = 5 + 0.7 * ppmv[index - 1] + 0.2 * ppmv[index - 2] + rng.normal(0, 2)
    return ppmv


def test_a_known_autoregression_is_found() -> None:
    """Its weights and the size of its steps; innovations then are white and of size one."""
    history = autoregression(1, 20_000)
    background = Background.of(np.where(history > -np.inf, history, 0.0))
    np.testing.assert_allclose(background.weights[:2], [0.7, 0.2], atol=0.06)
    assert background.size == pytest.approx(2.0, rel=0.12)
    new = background.innovations(history, np.ones(history.size, dtype=bool))[ORDER:]
    assert abs(np.corrcoef(new[1:], new[:-1])[0, 1]) < 0.05
    assert np.std(new) == pytest.approx(1.0, rel=0.15)


def test_a_dropout_is_no_news_and_the_reading_after_a_gap_is_less_sure() -> None:
    """Zeros are raised to the 10th percentile; a gap that is held makes the next step count for less."""
    history = autoregression(2, 5000)
    background = Background.of(history)
    observed = np.ones(400, dtype=bool)
    stream = autoregression(3, 400)
    dropped = stream.copy()
    dropped[200] = 0.0
    lowest = (np.percentile(history, 10) - 70) / background.size
    assert np.nanmin(background.innovations(dropped, observed)) > lowest
    held = stream.copy()
    held[100:110], held[110] = stream[99], stream[99] + 20
    observed[100:110] = False
    gap = background.innovations(held, observed)
    assert np.isnan(gap[100:110]).all()
    assert 0 < gap[110] < 0.8 * 20 / background.size


# --- releases


def whitened(background: Background, ppmv: Floats) -> Floats:
    """Return the innovations of readings without a gap."""
    return background.innovations(ppmv, np.ones(ppmv.size, dtype=bool))


def test_a_response_is_that_of_a_first_order_sensor() -> None:
    """Against the loop that the tests' own sensor is."""
    source = np.random.default_rng(1).random((3, 200))
    for mine, theirs in zip(response(source), source, strict=True):
        np.testing.assert_allclose(mine[1:], sensed(np.r_[0.0, theirs])[2:], rtol=1e-9)


@pytest.mark.parametrize("patterns", [COURSES, SUDDEN, PIECES], ids=["courses", "sudden", "pieces"])
def test_every_pattern_is_a_leak(patterns: Floats) -> None:
    """It adds methane, ends with the span and is not nothing."""
    assert patterns.shape[1] == SPAN
    assert (patterns >= 0).all()
    assert (patterns.max(axis=1) > 0).all()


def test_a_release_of_a_known_course_is_found_by_its_course_and_any_other_by_its_release() -> None:
    """Each channel's figure is far above what the same readings give without the leak."""
    background = Background.of(quiet(1, 30 * DAY))
    releases, calm = Releases(background), quiet(2, 4 * DAY)
    steady = calm + leak(4.0, calm.size, calm.size - 180, calm.size)
    strange = calm.copy()
    for begin in (60, 110, 150):
        strange += leak(8.0, calm.size, calm.size - begin, calm.size - begin + 20)
    last = calm.size - 1

    def figures(ppmv: Floats) -> tuple[float, float]:
        spans = releases.spans(whitened(background, ppmv), last)
        return float(releases.course(spans)[0]), float(releases.release(spans)[0])

    assert figures(steady)[0] > 2 * figures(calm)[0]
    assert figures(strange)[1] > 1.5 * figures(calm)[1]


def test_a_release_explains_no_more_than_there_is_and_no_fall() -> None:
    """The cone statistic lies between 0 and the span's norm; readings that only fall are no release."""
    background = Background.of(quiet(1, 30 * DAY))
    releases, rng = Releases(background), np.random.default_rng(5)
    new = rng.normal(0, 1, 600)
    spans = releases.spans(new, 300)
    norms = np.linalg.norm(spans.innovations, axis=1) / spans.loudness
    found = releases.release(spans)
    assert ((found >= 0) & (found <= norms + 1e-9)).all()
    falling = releases.spans(whitened(background, quiet(3, 400) - leak(6.0, 400, 200, 400)), 399)
    assert releases.release(falling)[0] < np.median(found)


@settings(max_examples=20, deadline=None)
@given(st.floats(1.5, 10))
def test_what_is_found_in_loud_hours_counts_less(louder: float) -> None:
    """A background that has become louder for 40 h raises nothing."""
    background = Background.of(quiet(1, 30 * DAY))
    releases, new = Releases(background), np.random.default_rng(7).normal(0, 1, 400)
    usual, loud = (np.max(releases.course(releases.spans(one, SPAN))) for one in (new, louder * new))
    assert loud < 1.2 * usual


# --- the currents


def turning(size: int, speed: float = 0.1, turn_h: float = 12.42) -> Environment:
    """Return a current that turns once in so many hours."""
    degrees = 360 * np.arange(size) / 6 / turn_h
    return Environment.of(times(size), current_speed=np.full(size, speed), current_direction=degrees % 360)


def test_a_plume_shows_only_where_the_current_carries_it() -> None:
    """To the east of a leak when the current flows east; in slack water nearly everywhere."""
    east, slack = exposure(np.array([0.1 + 0j])), exposure(np.array([0.001 + 0j]))
    assert np.argmax(east) == 0
    assert east[8, 0] < 1e-6 * east[0, 0]
    assert slack[8, 0] > 0.3 * slack[0, 0]


def test_what_comes_and_goes_with_the_current_is_found_and_what_does_not_is_not() -> None:
    """The same pulses, told of the currents that carried them and of others; without any the channel is silent."""
    size = 4 * DAY
    background, baseline = Background.of(quiet(1, 30 * DAY)), quiet_baseline()
    sea_now = turning(size)
    east = np.where(np.cos(np.radians(sea_now.current_direction)) > 0.85, 1.0, 0.0)
    ppmv = quiet(2, size) + 6 * sensed(np.where(np.arange(size) > 2 * DAY, east, 0.0))
    new = np.clip(whitened(background, ppmv), -CLIP, CLIP)

    def figure(one: Environment | None) -> float:
        return float(carried(background, times(size), new, currents_on(times(size), one), size - 1).fit[0])

    assert figure(sea_now) > 1.5 * figure(turning(size, turn_h=7.0))
    assert np.isnan(figure(None))
    with_currents = detect(baseline, times(size), ppmv, sea_now)
    assert (with_currents.raw.channel == Channel.CURRENT).any()
    assert not (detect(baseline, times(size), ppmv).raw.channel == Channel.CURRENT).any()


def test_currents_that_are_missing_leave_the_other_channels_as_they_are() -> None:
    """All missing is as if nobody had told of any."""
    size = 3 * DAY
    ppmv = quiet(4, size)
    nothing = Environment.of(times(size))
    one, other = (detect(quiet_baseline(), times(size), ppmv, told) for told in (nothing, None))
    assert one.score.tobytes() == other.score.tobytes()


# --- the level


def test_the_level_is_one_at_the_top_of_the_range() -> None:
    """After a break; without one it takes twice the height."""
    history = np.r_[np.full(99, 10.0), 30.0]
    span = Range.of(history)
    top = 30.0 + float(np.std(history))
    broken, whole = np.array([True]), np.array([False])
    assert span.scores(np.array([top]), broken) == pytest.approx(1.0)
    assert span.scores(np.array([top]), whole) == pytest.approx(0.5)
    assert span.scores(np.array([2 * top - 10.0]), whole) == pytest.approx(1.0)


@pytest.mark.parametrize("silent", [13, 18, 72, 2 * DAY, 10 * DAY])
@pytest.mark.parametrize("ppmv", [40.0, 2000.0])
def test_a_leak_that_begins_in_silence_is_told_at_once_and_held(silent: int, ppmv: float) -> None:
    """From the first reading on, for as long as it lasts: never Ok."""
    before, after = quiet(1, 2 * DAY), quiet(2, 2 * DAY) + ppmv
    stream = np.r_[before, np.full(silent, np.nan), after]
    found = detect(quiet_baseline(), times(stream.size), stream)
    assert (found.level[before.size + silent :] >= 1).all()
    assert found.level[-1] == 2
    assert found.raw.channel[before.size + silent] == Channel.LEVEL


# --- all of them


def test_scores_are_one_at_warning_and_two_at_critical() -> None:
    """Straight between, and the largest channel that speaks counts, with its name."""
    one, *others = thresholds(Rates(), 1.0)
    middle = (one.warning + one.critical) / 2
    figures = np.array([0.0, one.warning / 2, one.warning, middle, one.critical, np.nan])
    nothing = np.full(figures.size, np.nan)
    score, channel = score_of([figures, *(nothing for _ in others)], [one, *others])
    np.testing.assert_allclose(score, [0, 0.5, 1, 1.5, 2, np.nan], rtol=1e-6)
    assert channel.tolist() == [0, 0, 0, 0, 0, -1]
    louder = [np.array([one.warning]), *(np.array([other.critical]) for other in others)]
    score, channel = score_of(louder, [one, *others])
    assert score[0] == pytest.approx(2.0)
    assert channel[0] == others[0].channel


def test_channels_share_the_accepted_false_alarms_equally_until_a_month_is_known() -> None:
    """And all of them are shared, however long the history is."""
    assert set(shares(0.3).values()) == set(shares(1.0).values()) == {1 / len(SCALES)}
    for months in (0.3, 1.0, 2.5, 6.5, 40.0):
        assert sum(shares(months).values()) == pytest.approx(1.0)


def test_the_longer_the_history_the_more_the_profile_counts() -> None:
    """And the less what looks at news alone, down to where it is silent."""
    for shorter, longer in itertools.pairwise(thresholds(Rates(), months) for months in (1.0, 1.5, 3.0, 6.5, 40.0)):
        for before, after in zip(shorter, longer, strict=True):
            higher = after.channel in NEWS
            assert (after.warning > before.warning) is higher
            assert np.isfinite(after.critical)


def test_after_a_long_history_a_smaller_leak_is_noticed_and_its_own_rises_are_not() -> None:
    """A sensor that rises by itself every few days, watched for three weeks or for five months."""
    short, long = (build_baseline(times(days * DAY), rising(3, days)) for days in (21, 150))
    stream = rising(4, 12)
    quiet_levels = [detect(one, times(stream.size), stream).level[3 * DAY :] for one in (short, long)]
    assert (quiet_levels[1] == 2).sum() <= (quiet_levels[0] == 2).sum()
    assert least_rise(long, 2.0) < least_rise(short, 2.0)


def rising(seed: int, days: int) -> Floats:
    """Return the readings of a sensor that at times rises by itself for some hours."""
    rng = np.random.default_rng(seed)
    source = np.zeros(days * DAY)
    for day in np.flatnonzero(rng.random(days) < 0.5):
        begin = int(day) * DAY + int(rng.integers(DAY))
        source[begin : begin + int(rng.integers(20, 50))] += rng.uniform(10, 30)
    return 20 + response(source) + rng.normal(0, 0.5, source.size)


def test_the_table_of_channels_holds_together() -> None:
    """Every figure grows with rarity, and the level, which has no figure, is the last."""
    assert [one.channel for one in thresholds(Rates(), 1.0)] == list(SCALES) == list(Channel)[1:-1]
    assert all(scale.growth > 0 for scale in SCALES.values())
    assert len({channel.word for channel in Channel}) == len(Channel)


def test_a_quiet_history_raises_nothing_for_weeks() -> None:
    """Noise as in the history is Ok, with the currents told."""
    size = 30 * DAY
    baseline = build_baseline(times(20 * DAY), quiet(1, 20 * DAY))
    found = detect(baseline, times(size), quiet(2, size), turning(size))
    assert (found.level[36:] == 0).all()


def test_a_reading_beyond_the_history_is_never_ok() -> None:
    """However slowly it got there."""
    size = 40 * DAY
    creeping = quiet(3, size) + np.linspace(0, 12, size)
    found = detect(quiet_baseline(), times(size), creeping)
    beyond = creeping >= quiet_baseline().range.top
    assert beyond.any()
    assert (found.level[beyond] != 0).all()


def test_an_alarm_of_a_plume_that_the_current_carries_away_for_a_day_is_held() -> None:
    """Without the currents it ends after eight hours; with them it waits until the current has come back."""
    size = 6 * DAY
    here = (np.arange(size) // (2 * DAY)) % 2 == 0  # two days towards the sensor, two days away
    told = Environment.of(times(size), current_speed=np.full(size, 0.1), current_direction=np.where(here, 90.0, 270.0))
    wobble = 30 * np.sin(np.arange(size) / 6)
    told = Environment.of(
        times(size), current_speed=told.current_speed, current_direction=told.current_direction + wobble
    )
    show = exposure(currents_on(times(size), told))[0]
    ppmv = quiet(2, size) + 30 * sensed(np.where(np.arange(size) > DAY, show / show.max(), 0.0))
    away = slice(2 * DAY + 80, 3 * DAY + 72)
    without, with_currents = (detect(quiet_baseline(), times(size), ppmv, one).level for one in (None, told))
    assert (with_currents[away] >= 1).all()
    assert (without[away] < 1).any()
