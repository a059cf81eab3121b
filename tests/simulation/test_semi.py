"""A semi-closed template through the forward model's entry point, and its estimation."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from shared.arrays import Floats
from shared.domain.estimation import Observations
from shared.domain.leak import Leak
from shared.domain.template import Template
from shared.estimation import EstimationOptions, estimate
from shared.simulation import Physics, box_response, plume_response, simulate
from shared.simulation.enclosure import confinement
from tests.support.naive_enclosure import boxed
from tests.support.naive_plume import ONSET, START, template, times, turning_sea

ALL, MIDDLE = EstimationOptions(), EstimationOptions(members=1)  # of the physics that is not known
HALF = 0.65  # porosity of walls that confine about half of a release


def leak(rate: float = 1e-6, **changes: object) -> Leak:
    """Return a leak near sensor 4."""
    return Leak.model_validate({"x": -7.4, "y": -1.8, "z": 3.3, "rate_kg_s": rate, "onset": ONSET, **changes})


@pytest.mark.parametrize("porosity", [0.1, HALF])
def test_a_leak_that_ended_is_the_difference_of_two_that_go_on(porosity: float) -> None:
    """A leak from t0 to t1 equals one from t0 minus one from t1, whatever the sampling."""
    here, sea = boxed(porosity), turning_sea(150)
    at = np.sort(np.random.default_rng(1).choice(np.arange(0, 80_000), 60, replace=False)) + START
    stop = ONSET + timedelta(hours=3, minutes=10)
    got = simulate(here, sea, leak(end=stop), at)
    expected = simulate(here, sea, leak(), at) - simulate(here, sea, leak(onset=stop), at)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-3 * got.max())
    assert got.max() > 1


@pytest.mark.parametrize("porosity", [0.1, HALF])
def test_the_readings_are_linear_in_the_rate(porosity: float) -> None:
    """Twice the rate reads twice as much."""
    here, sea, at = boxed(porosity), turning_sea(100), times(100)
    np.testing.assert_allclose(2 * simulate(here, sea, leak(), at), simulate(here, sea, leak(2e-6), at), rtol=1e-12)


def test_an_open_template_is_the_limit_of_walls_that_open() -> None:
    """Walls that stop almost nothing read as no walls at all, and there is no jump on the way."""
    sea, at = turning_sea(100), times(100)
    series = [simulate(boxed(porosity), sea, leak(), at) for porosity in np.linspace(0.5, 1.0, 26)]
    np.testing.assert_allclose(simulate(boxed(0.999), sea, leak(), at), series[-1], rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(series[-1], simulate(template(), sea, leak(), at))
    steps = [float(np.abs(b - a).max()) for a, b in pairwise(series)]
    assert max(steps) < 0.1 * float(np.abs(series[-1] - series[0]).max())


@pytest.mark.parametrize("porosity", [0.1, HALF, 1.0])
def test_the_responses_of_plume_and_box_add_up_to_the_simulated_leak(porosity: float) -> None:
    """What an estimation puts together for a place and an onset is what the forward model simulates."""
    here, sea, at = boxed(porosity), turning_sea(120), times(120)
    place, onset = np.array([[-7.4, -1.8, 3.3]]), float(np.datetime64(ONSET.replace(tzinfo=None), "s").astype(int))
    seconds = at.astype(np.int64).astype(np.float64)
    plume = plume_response(here, sea, place, at)[0]
    at_onset = plume[:, np.searchsorted(seconds, onset)]
    later = np.maximum(seconds - onset, 0.0)
    open_part = np.where(seconds > onset, plume - np.exp(-later / 7200) * at_onset[:, None], 0.0)
    box, zone = box_response(here, sea, place, np.array([onset]), at)
    boxed_part = box[0, zone[0]] if box.shape[1] else 0.0
    expected = simulate(here, sea, leak(), at)
    np.testing.assert_allclose(1e-6 * (open_part + boxed_part), expected, rtol=1e-6, atol=1e-6)


def read(here: Template, rate: float, seed: int = 3) -> Floats:
    """Return readings [4, 145] of a day with a leak from hour 8 on."""
    noise = np.random.default_rng(seed).normal(0, 1.0, (4, 145))
    return np.asarray(12 + noise + simulate(here, turning_sea(145), leak(rate), times(145)))


@pytest.mark.parametrize(("porosity", "options"), [(0.05, MIDDLE), (0.3, ALL), (HALF, MIDDLE)])
def test_a_leak_inside_is_found_with_its_rate_and_an_honest_region(porosity: float, options: EstimationOptions) -> None:
    """Within a factor of two; the place is inside the region that is told."""
    here = boxed(porosity)
    answer = estimate(here, turning_sea(145), Observations(times(145), read(here, 3e-6)), options=options)
    assert answer.verdict == "CONFIRMED"
    rate, place, error = answer.dissolved_rate_kg_s, answer.place, answer.location_error_m
    assert rate is not None and place is not None and error is not None  # noqa: PT018
    assert 1.5e-6 < rate.median < 6e-6
    assert rate.low_90 < 3e-6 < rate.high_90
    assert np.hypot(place.x + 7.4, place.y + 1.8) < 3 * error


def test_a_box_tells_less_of_the_place_than_the_open_sea() -> None:
    """Mixed water hides where it came from: the region is wider, and says so."""
    wide, narrow = (
        estimate(here, turning_sea(145), Observations(times(145), read(here, 3e-6)), options=MIDDLE)
        for here in (boxed(0.1), boxed(1.0))
    )
    assert wide.region_90_m3 > 2 * narrow.region_90_m3


def test_the_estimation_has_no_jump_towards_the_open_limit() -> None:
    """Walls that stop one part in a thousand change the answer by next to nothing."""
    ppmv = read(template(), 3e-6)
    near, at = (
        estimate(here, turning_sea(145), Observations(times(145), ppmv), options=MIDDLE)
        for here in (boxed(0.999), template())
    )
    assert near.verdict == at.verdict == "CONFIRMED"
    assert near.log_bayes_factor == pytest.approx(at.log_bayes_factor, rel=1e-2)
    assert near.dissolved_rate_kg_s is not None
    assert at.dissolved_rate_kg_s is not None
    assert near.dissolved_rate_kg_s.median == pytest.approx(at.dissolved_rate_kg_s.median, rel=0.02)


@pytest.mark.parametrize(
    "changes",
    [
        {"internal_volume": 0.5},
        {"height": 0.1, "sensors": []},
        {"wall_area": dict.fromkeys(("fore", "aft", "port", "starboard"), 0.01)},
        {"roof": True, "porosity": 0.0},
    ],
)
def test_extreme_geometry_reads_finite_values(changes: dict[str, Any]) -> None:
    """A thimble of water, a flat box, walls of a hand's breadth, no opening at all."""
    here = boxed(**{"porosity": 0.2, **changes})
    assert confinement(here) > 0
    got = simulate(here, turning_sea(60), leak(z=0.0), times(60), physics=Physics(sensor_time_constant_s=60))
    assert np.isfinite(got).all()
    assert (got >= 0).all()
    if here.sensors:
        answer = estimate(here, turning_sea(60), Observations(times(60), got + 5), options=EstimationOptions(members=1))
        assert np.isfinite(answer.log_bayes_factor)
