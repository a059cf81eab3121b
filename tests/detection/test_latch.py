"""The latch: it holds while a sensor reads high, lets go when it reads low, and is not fooled by a leak's end."""

import numpy as np
import pytest

from shared.detection.latch import QUIET_BINS, LatchState, latch

CALM = 10.0


def run(ppmv: np.ndarray, raw: np.ndarray) -> np.ndarray:
    """Return the latched score of a series without gaps."""
    return latch(raw, np.zeros(raw.size, dtype=np.int8), ppmv, ppmv, CALM, LatchState()).score


def series(size: int, *steps: tuple[int, int, float]) -> np.ndarray:
    """Return a calm series with other values from each step's begin to its end."""
    values = np.full(size, CALM)
    for begin, end, value in steps:
        values[begin:end] = value
    return values


def alarm(size: int, *spans: tuple[int, int, float]) -> np.ndarray:
    """Return raw scores of 0.2 with alarms of that height in the spans."""
    raw = np.full(size, 0.2)
    for begin, end, height in spans:
        raw[begin:end] = height
    return raw


@pytest.mark.parametrize("height", [1.3, 2.5])
def test_what_was_raised_is_held_until_the_sensor_reads_low(height: float) -> None:
    """Warning at Warning, Critical at Critical, and over 8 to 10 h after the readings are back."""
    score = run(series(600, (200, 400, 30.0)), alarm(600, (205, 220, height)))
    assert (score[205:400] >= np.floor(height)).all()
    cleared = 400 + int(np.argmax(score[400:] < 1))
    assert QUIET_BINS <= cleared - 400 <= QUIET_BINS + 6
    assert (score[cleared:] < 1).all()


def test_a_warning_that_becomes_critical_stays_critical() -> None:
    """What is held only grows."""
    score = run(series(600, (200, 600, 30.0)), alarm(600, (205, 210, 1.2), (300, 301, 2.2)))
    assert (score[205:300] < 2).all()
    assert (score[300:] >= 2).all()


def test_half_a_tide_away_from_the_sensor_does_not_end_it() -> None:
    """Six hours of low readings between the pulses are bridged."""
    pulses = [(begin, begin + 37, 30.0) for begin in range(200, 800, 74)]
    score = run(series(900, *pulses), alarm(900, (203, 210, 2.5)))
    assert (score[203:800] >= 2).all()


def test_a_leaks_end_raises_nothing_but_a_new_rise_does() -> None:
    """For a day after it, scores count only where the readings are high or rise."""
    ppmv = series(900, (200, 300, 100.0), (420, 500, 60.0))
    raw = alarm(900, (203, 210, 2.5), (300, 440, 2.5))
    score = run(ppmv, raw)
    quiet = 300 + QUIET_BINS + 6
    assert (score[quiet:420] < 1).all()
    assert (score[426:440] >= 2).all()


def test_silence_neither_ends_nor_prolongs_an_alarm() -> None:
    """What is not read is Undefined; afterwards it goes on."""
    ppmv = series(600, (200, 600, 30.0))
    ppmv[300:360] = np.nan
    raw = alarm(600, (203, 210, 2.5))
    raw[300:396] = np.nan
    score = run(ppmv, raw)
    assert np.isnan(score[300:360]).all()
    assert (score[360:] >= 2).all()


def test_an_alarm_while_the_sensor_reads_low_is_not_held() -> None:
    """There is nothing to hold on to: it would never end."""
    score = run(series(600, (200, 600, 1.0)), alarm(600, (203, 210, 2.5)))
    assert (score[203:210] == 2.5).all()
    assert (score[210:] < 1).all()


def test_after_silence_the_historys_usual_reading_is_what_was_low() -> None:
    """A leak that began in it is all that was read since: it is held for as long as it lasts."""
    ppmv, raw = np.full(400, 80.0), alarm(400, (200, 202, 2.5))
    ppmv[:200] = np.nan
    raw[:200] = np.nan
    assert (run(ppmv, raw)[200:] >= 2).all()
    assert (run(np.full(400, 80.0), raw)[202:] < 1).all()
    ppmv[300:] = CALM
    assert (run(ppmv, raw)[300 + QUIET_BINS + 6 :] < 1).all()


def test_hours_in_which_the_current_carries_the_leak_away_do_not_count() -> None:
    """Twenty hours of low readings end nothing then; the next eight do."""
    ppmv, raw = series(700, (200, 300, 30.0)), alarm(700, (205, 210, 2.5))
    away = np.zeros(700, dtype=np.int8)
    away[300:420] = 1
    score = latch(raw, away, ppmv, ppmv, CALM, LatchState()).score
    assert (score[205:420] >= 2).all()
    assert (score[420 + QUIET_BINS + 6 :] < 1).all()


def test_hours_in_which_the_current_would_bring_a_plume_count_twice() -> None:
    """Nothing is read of it then: half of the time is enough."""
    ppmv, raw = series(700, (200, 300, 30.0)), alarm(700, (205, 210, 2.5))
    score = latch(raw, np.full(700, -1, dtype=np.int8), ppmv, ppmv, CALM, LatchState()).score
    assert (score[205:300] >= 2).all()
    assert (score[300 + QUIET_BINS // 2 + 6 :] < 1).all()
