"""The forward model's entry point: what it returns, what it refuses, and what it rests on."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.environment import Environment
from shared.domain.leak import Leak
from shared.errors import InvalidInput
from shared.simulation import Physics, plume_response, resolve, simulate
from shared.simulation.harmonics import concentration
from shared.simulation.plume import flow_of
from shared.simulation.solubility import kg_m3_per_ppmv
from tests.support.naive_plume import ONSET, START, naive_concentration, template, times, turning_sea


def leak(rate: float = 1e-6, **changes: object) -> Leak:
    """Return a leak near sensor 4."""
    values = {"x": -7.4, "y": -1.8, "z": 3.3, "rate_kg_s": rate, "onset": ONSET, **changes}
    return Leak.model_validate(values)


@pytest.mark.parametrize(
    "physics",
    [Physics(), Physics(rise_factor=0.1, bubble_share=0.0), Physics(mixing_factor=0.5, rise_factor=0.0)],
)
def test_the_plume_as_a_product_of_matrices_agrees_with_the_naive_one(physics: Physics) -> None:
    """To 0.5 % of what each sensor reads at most, in currents of 1 to 30 cm/s, also among so many places that their
    distances are interpolated."""
    here, at = template(35.0), times(12)
    sea = Environment.of(at, current_speed=np.geomspace(0.01, 0.3, 12), current_direction=32.0 * np.arange(12))
    places = np.array([[-7.4, -1.8, 3.3], [6.0, 6.0, 1.0]])
    filled = np.column_stack([np.random.default_rng(1).uniform(-7, 7, (60, 2)), np.full(60, 3.3)])
    resolved, sensors = resolve(sea, at, here), here.sensor_positions
    flow = flow_of(resolved, here.angle_from_north)
    alone = concentration(places, sensors, flow, physics)
    among = concentration(np.vstack([places, filled]), sensors, flow, physics)[:2]
    for p, s in np.ndindex(alone.shape[:2]):
        around = zip(resolved.speed.tolist(), resolved.direction.tolist(), strict=True)
        expected = [naive_concentration(places[p], sensors[s], u, to, 35.0, physics) for u, to in around]
        for got in (alone, among):
            np.testing.assert_allclose(got[p, s], expected, rtol=1e-2, atol=5e-3 * max(expected))


@settings(max_examples=15, deadline=None)
@given(a=st.floats(0, 1e-3), b=st.floats(0, 1e-3))
def test_the_readings_are_linear_in_the_rate(a: float, b: float) -> None:
    """Two leaks at one place read as one of their summed rate."""
    here, sea, at = template(), turning_sea(100), times(100)
    both = simulate(here, sea, leak(a), at) + simulate(here, sea, leak(b), at)
    np.testing.assert_allclose(both, simulate(here, sea, leak(a + b), at), rtol=1e-9, atol=1e-12)


def test_a_leak_reads_nothing_before_its_onset_and_fades_after_its_end() -> None:
    """Zero up to the onset; after the end an exponential decay with the sensors' time constant."""
    here, sea, at = template(), turning_sea(150), times(150)
    got = simulate(here, sea, leak(end=ONSET + timedelta(hours=6)), at)
    assert (got[:, :49] == 0).all()
    assert got[:, 49:80].max() > 0
    np.testing.assert_allclose(got[:, 86:], got[:, 85:-1] * np.exp(-600 / 7200), rtol=1e-9)


def test_a_leak_that_ended_is_the_difference_of_two_that_go_on() -> None:
    """A leak from t0 to t1 equals one from t0 minus one from t1, whatever the sampling."""
    here, sea = template(), turning_sea(150)
    at = np.sort(np.random.default_rng(1).choice(np.arange(0, 80_000), 60, replace=False)) + START
    stop = ONSET + timedelta(hours=3, minutes=7)
    got = simulate(here, sea, leak(end=stop), at)
    np.testing.assert_allclose(
        got, simulate(here, sea, leak(), at) - simulate(here, sea, leak(onset=stop), at), atol=1e-9
    )


def test_sparse_times_see_the_same_as_dense_ones() -> None:
    """The currents between the times that are asked for are followed on the 10-minute grid."""
    here, sea, at = template(), turning_sea(150), times(150)
    dense = simulate(here, sea, leak(), at)
    np.testing.assert_allclose(simulate(here, sea, leak(), at[::6]), dense[:, ::6], rtol=1e-12)


def test_plume_responses_are_those_of_a_leak_that_always_was() -> None:
    """A simulated leak of long ago equals its unit response times its rate, once the start is forgotten."""
    here, sea, at = template(), turning_sea(200), times(200)
    old = simulate(here, sea, leak(2e-6, onset=ONSET - timedelta(days=9)), at)
    unit = plume_response(here, sea, np.array([[-7.4, -1.8, 3.3]]), at)[0]
    np.testing.assert_allclose(2e-6 * unit[:, 100:], old[:, 100:], rtol=2e-2, atol=1e-2)


def test_a_steady_current_gives_the_steady_plume_in_ppmv() -> None:
    """After many time constants the reading is G q over the mass of one ppmv."""
    here, at = template(), times(400)
    sea = Environment.of(
        at, current_speed=np.full(400, 0.1), current_direction=np.full(400, 160.0), temperature=np.full(400, 6.0)
    )
    got = simulate(here, sea, leak(), at)[3, -1]
    g = naive_concentration(np.array([-7.4, -1.8, 3.3]), np.array([-4.9, -5.3, 4.1]), 0.1, 160.0, 0.0, Physics())
    assert got == pytest.approx(1e-6 * g / float(kg_m3_per_ppmv(6.0, 35.0, 317.0)), rel=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    speed=st.lists(st.one_of(st.floats(0, 5), st.just(float("nan"))), min_size=12, max_size=12),
    direction=st.lists(st.one_of(st.floats(-720, 720), st.just(float("nan"))), min_size=12, max_size=12),
    height=st.one_of(st.floats(0, 25), st.just(float("nan"))),
    period=st.one_of(st.floats(0, 25), st.just(float("nan"))),
    x=st.floats(-14, 14),
    z=st.floats(0, 11),
)
def test_every_reading_is_finite(
    speed: list[float], direction: list[float], height: float, period: float, x: float, z: float
) -> None:
    """Standing water, missing values, storms, a leak on a sensor: never NaN, never negative beyond rounding."""
    here, at = template(), times(12)
    sea = Environment.of(
        at,
        current_speed=speed,
        current_direction=direction,
        wave_height=np.full(12, height),
        wave_period=np.full(12, period),
    )
    got = simulate(here, sea, leak(x=x, z=z, onset=ONSET - timedelta(hours=8)), at)
    assert np.isfinite(got).all()
    assert got.min() >= -1e-9


def test_short_gaps_are_bridged_and_long_ones_filled_with_the_climatology() -> None:
    """Up to 3 h the current is interpolated as a vector; beyond that the words say what stands in."""
    here, at = template(), times(60)
    speed, direction = np.full(60, 0.1), np.full(60, 350.0)
    direction[30:] = 10.0
    speed[25:35] = np.nan
    short = resolve(Environment.of(at, current_speed=speed, current_direction=direction), at, here)
    assert short.known.all()
    assert min(abs(short.direction[29] - 360), short.direction[29]) < 2
    speed[10:50] = np.nan
    long = resolve(Environment.of(at, current_speed=speed, current_direction=direction), at, here)
    assert long.known.sum() == 20
    assert not long.known[10:50].any()
    assert "33 %" in long.words
    assert "climatology" in long.words


def test_without_any_current_all_directions_are_alike() -> None:
    """The mean over directions depends on the distance alone and is the mean of plumes in all directions."""
    here, physics = template(), Physics(rise_factor=0.0)
    resolved = resolve(Environment.of(times(1)), times(1), here)
    ring = np.array([[3 * np.sin(a), 3 * np.cos(a), 2.0] for a in np.linspace(0, 6, 7)])
    got = concentration(np.array([[0.0, 0.0, 2.0]]), ring, flow_of(resolved, 0.0), physics)[0, :, 0]
    np.testing.assert_allclose(got, got[0], rtol=1e-9)
    place = np.array([0.0, 0.0, 2.0])
    around = [naive_concentration(place, ring[0], 0.1, d, 0.0, physics) for d in range(0, 360, 5)]
    assert got[0] == pytest.approx(np.mean(around), rel=1e-2)


def test_no_sensors_give_an_empty_array() -> None:
    """A template without sensors reads [0, n], no times [sensors, 0]."""
    assert simulate(template(sensors=0), turning_sea(10), leak(), times(10)).shape == (0, 10)
    assert simulate(template(), turning_sea(10), leak(), times(0)).shape == (4, 0)
    assert plume_response(template(), turning_sea(10), np.zeros((0, 3)), times(10)).shape == (0, 4, 10)


def test_a_leak_outside_the_template_is_refused() -> None:
    """The message names the place and the bounds."""
    with pytest.raises(InvalidInput, match=r"\(40, -1.8, 3.3\) m is more than 5 m outside snorre-w"):
        simulate(template(), turning_sea(10), leak(x=40.0), times(10))


@pytest.mark.parametrize(
    ("at", "why"),
    [
        (times(5)[::-1], "increase"),
        (np.arange(5.0), "datetime64"),
        (np.array(["2021-04-01", "NaT"], dtype="datetime64[s]"), "increase"),
        (np.array(["1900-01-01"], dtype="datetime64[s]"), "between 1970"),
        (np.array(["2001-01-01", "2021-01-01"], dtype="datetime64[s]"), "more than 60000 steps"),
    ],
)
def test_times_that_make_no_sense_are_refused(at: np.ndarray, why: str) -> None:
    """Falling, untyped, missing and endless times raise InvalidInput with a reason."""
    with pytest.raises(InvalidInput, match=why):
        simulate(template(), turning_sea(10), leak(), at)


def test_parameters_outside_physics_are_refused() -> None:
    """The message names the parameter and its range."""
    with pytest.raises(InvalidInput, match="mixing_factor must be in"):
        Physics(mixing_factor=0.0)
