"""What the bench of detection puts in: the shapes of leaks, and the currents that carry plumes."""

import numpy as np
import pytest

from bench.detection.currents import SHIFT_DAYS, Currents, tidal_currents, with_error
from bench.detection.first_order import FIRST_ORDER, RAMPS_H, STEP_H, pulses, ramp, response, switched
from bench.detection.leaks import KINDS, Source, seeds
from bench.detection.plumes import AFTER, LASTS, Signature, amplitude, puffs
from bench.detection.study import SEEDS
from shared.arrays import BUCKET_STEP, Floats
from shared.domain.environment import Environment

CURRENTS = Currents.of(tidal_currents())
FADING = np.exp(-STEP_H / 2 * np.arange(1 + AFTER))
PUFF = Signature(np.concatenate((np.arange(LASTS) / LASTS, FADING)), 100)
SOURCE = Source(seeds(SEEDS), CURRENTS, [PUFF])
WEEK_H: Floats = np.arange(7 * 144, dtype=np.float64) * STEP_H


@pytest.mark.parametrize("kind", KINDS)
def test_a_leak_has_the_amplitude_asked_for_and_ends(kind: str) -> None:
    """Nothing at its onset, the amplitude in its highest tenth, next to nothing two days after its end."""
    leak = SOURCE.drawn(kind, np.random.default_rng(3))
    assert leak.added.shape == (1 + LASTS + AFTER,)
    assert leak.added[0] == 0
    assert (leak.added >= 0).all()
    assert np.sort(leak.added[1 : LASTS + 1])[-43:].mean() == pytest.approx(1, rel=0.02)
    assert amplitude(7 * leak.added) == pytest.approx(7)
    assert leak.added[LASTS + 48 * 6 :].max() < 1e-6


@pytest.mark.parametrize("kind", [*FIRST_ORDER, "simulated"])
def test_leaks_differ_with_the_random_numbers_alone(kind: str) -> None:
    """The same generator gives the same leak, others give another one."""
    one, same, *others = (SOURCE.drawn(kind, np.random.default_rng(seed)).added for seed in (1, 1, 2, 3, 4))
    np.testing.assert_array_equal(one, same)
    assert not all(np.array_equal(one, other) for other in others)


@pytest.mark.parametrize("rises_for_h", RAMPS_H)
def test_a_growing_leak_rises_linearly_and_then_stays(rises_for_h: float) -> None:
    """What the sensor reads trails the source by its time constant, and stays where it got."""
    source = ramp(WEEK_H, rises_for_h)
    readings = response(source)
    half, end = int(rises_for_h * 3), int(rises_for_h * 6)
    assert source[half] == pytest.approx(0.5)
    assert (source[end:] == 1).all()
    assert (np.diff(readings) >= 0).all()
    expected = (rises_for_h - 2 * (1 - np.exp(-rises_for_h / 2))) / rises_for_h
    assert readings[end] == pytest.approx(expected, abs=0.02)
    assert readings[end + 6 * 20] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("mean_h", [2.0, 6.0])
def test_a_source_that_is_on_and_off_stays_so_for_times_of_an_exponential_distribution(mean_h: float) -> None:
    """Their mean and their spread are the same, and it is on for half of the time."""
    hours = np.arange(200_000, dtype=np.float64) * STEP_H
    source = switched(hours, mean_h, np.random.default_rng(1))
    stays = np.diff(np.flatnonzero(np.diff(source))) * STEP_H
    assert stays.mean() == pytest.approx(mean_h, rel=0.1)
    assert stays.std() == pytest.approx(mean_h, rel=0.1)
    assert source.mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("period_h", [6.0, 12.42, 17.0, 24.0])
def test_pulses_begin_a_period_apart(period_h: float) -> None:
    """Each on for the same share."""
    source = pulses(WEEK_H, period_h, np.random.default_rng(2))
    begins = np.flatnonzero(np.diff(source) > 0)
    assert np.diff(begins) * STEP_H == pytest.approx(period_h, abs=STEP_H)
    assert 0.25 < source.mean() < 0.65


def test_a_first_order_sensor_reads_63_percent_of_a_step_after_its_time_constant() -> None:
    """And nothing before it."""
    readings = response(np.ones(100))
    assert readings[0] == 0
    assert readings[12] == pytest.approx(1 - np.exp(-1))


def test_a_record_begins_anew_where_it_ends() -> None:
    """Also before its beginning, and at whatever times it is put."""
    times = np.datetime64("2030-05-05T00:00:00", "s") + np.arange(20) * BUCKET_STEP
    around = CURRENTS.at(-10, times)
    np.testing.assert_array_equal(around.times, times)
    np.testing.assert_array_equal(around.current_speed[:10], CURRENTS.speed[-10:])
    np.testing.assert_array_equal(around.current_speed[10:], CURRENTS.speed[:10])


def test_a_record_lies_under_a_fold_at_its_true_time_where_they_meet() -> None:
    """Elsewhere at any."""
    rng = np.random.default_rng(1)
    inside = CURRENTS.start + np.arange(100, 300) * BUCKET_STEP
    assert CURRENTS.place_of(inside, rng) == 100
    assert CURRENTS.place_of(inside - 250 * BUCKET_STEP, rng) == -150
    elsewhere = {CURRENTS.place_of(inside + np.timedelta64(1000, "D"), rng) for _ in range(20)}
    assert len(elsewhere) > 10


def test_what_is_told_errs_by_12_percent_and_8_degrees() -> None:
    """Around what was measured."""
    rng = np.random.default_rng(1)
    times = CURRENTS.times(0, 4000)
    sea = Environment.of(times, current_speed=np.full(4000, 0.1), current_direction=np.full(4000, 2.0))
    told = with_error(sea, *rng.standard_normal((2, 4000)))
    turned = (told.current_direction - 2 + 180) % 360 - 180
    assert np.std(told.current_speed) == pytest.approx(0.012, rel=0.05)
    assert np.std(turned) == pytest.approx(8, rel=0.05)
    assert np.mean(turned) == pytest.approx(0, abs=0.5)
    assert np.mean(told.current_speed) == pytest.approx(0.1, rel=0.01)


def test_the_control_is_the_same_record_some_days_away() -> None:
    """With the same errors, so that nothing else differs."""
    record = Currents(CURRENTS.start, *np.random.default_rng(1).uniform(0.05, 0.2, (2, CURRENTS.size)))
    times = record.times(1000, 300)
    for seed in range(5):
        told = record.told(1000, times, np.random.default_rng(seed))
        measured, shifted = told["measured"], told["shifted"]
        assert told["nothing"] is None
        assert measured is not None
        assert shifted is not None
        factor = measured.current_speed / record.speed[1000:1300]
        away = [
            day
            for day in range(-10 * 144, 10 * 144 + 1)
            if abs(day) >= SHIFT_DAYS[0] * 144
            and np.allclose(shifted.current_speed / factor, record.at(1000 + day, times).current_speed)
        ]
        assert len(away) == 1


@pytest.mark.slow
def test_puffs_reach_sensors_for_longer_than_a_moment() -> None:
    """And fade with the sensor's time constant when the leak has ended."""
    found = puffs(seeds(SEEDS)[:1], CURRENTS, [1, 0])
    assert found
    for one in found:
        assert one.added.shape == (1 + LASTS + AFTER,)
        assert (one.added >= 0).all()
        assert 0 < one.added.max() <= 4 * amplitude(one.added)
        assert one.added[LASTS + 12] == pytest.approx(one.added[LASTS] * np.exp(-1))
