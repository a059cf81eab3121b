"""What a template can see: rates against an obvious oracle, and what must hold of them whatever the sea."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.estimation import sites
from shared.arrays import Floats
from shared.domain.environment import Environment
from shared.domain.leak import Leak
from shared.domain.template import Point, Template
from shared.domain.tsd import to_datetime
from shared.errors import InvalidInput
from shared.estimation import EstimationOptions
from shared.estimation.candidates import places_of
from shared.estimation.detectability import WITHIN_S, detectable_rates, signals_of
from shared.estimation.ensemble import ensemble_of
from shared.estimation.expected_error import expected_place_errors
from shared.simulation import simulate
from tests.support.naive_plume import template, times, turning_sea

STEPS = 190  # of 10 minutes: a day and some onsets before it
COARSER = EstimationOptions(members=1, spacing_m=4.0, heights=2)
SMALL = EstimationOptions(spacing_m=4.0, heights=1)
LEVELS = np.array([6.0, 5.0, 9.0, 7.0])


def rates(here: Template, levels: Floats, sea: Environment | None = None) -> Floats:
    """Return the rates [p, 3] for a turning sea unless said."""
    found = detectable_rates(here, sea or turning_sea(STEPS), times(STEPS), levels, options=COARSER)
    return found.rates_kg_s


@cache
def usual() -> Floats:
    """Return the rates of four sensors."""
    return rates(template(), LEVELS)


@settings(max_examples=5, deadline=None)
@given(st.floats(0.01, 100))
def test_rates_are_proportional_to_the_levels(factor: float) -> None:
    """A sensor that shows half as much sees leaks of half the rate."""
    np.testing.assert_allclose(rates(template(), factor * LEVELS), factor * usual(), rtol=1e-9)


@settings(max_examples=4, deadline=None)
@given(st.sets(st.integers(0, 3), min_size=1, max_size=3))
def test_more_sensors_never_raise_a_rate(kept: set[int]) -> None:
    """Whatever sensors are taken away, no leak is noticed at a smaller rate without them."""
    few = template().model_copy(update={"sensors": tuple(template().sensors[k] for k in sorted(kept))})
    assert (rates(few, LEVELS[sorted(kept)]) >= usual() * (1 - 1e-6)).all()


def test_one_simulation_serves_any_of_its_sensors() -> None:
    """What some of them find is what a template of these alone finds; one that notices nothing is as if it were not."""
    found = signals_of(template(), turning_sea(STEPS), [times(STEPS)], options=COARSER)
    few = template().model_copy(update={"sensors": tuple(template().sensors[k] for k in (1, 3))})
    alone = rates(few, LEVELS[[1, 3]])
    some = found.rates(LEVELS[[1, 3]], (0.1, 0.5, 0.9), sensors=(1, 3))
    np.testing.assert_allclose(some, alone, rtol=1e-5)
    deaf = np.where([False, True, False, True], LEVELS, np.inf)
    np.testing.assert_allclose(found.rates(deaf, (0.1, 0.5, 0.9)), alone, rtol=1e-5)
    assert np.isinf(found.rates(np.full(4, np.inf), (0.5,))).all()


def test_more_time_never_needs_a_larger_leak() -> None:
    """Whatever is read within six hours is read within a day."""
    found = signals_of(template(), turning_sea(STEPS), [times(STEPS)], within_s=(6 * 3600.0, WITHIN_S), options=COARSER)
    soon, later = (found.rates(LEVELS, (0.5, 0.9), within=one) for one in (0, 1))
    assert (later <= soon * (1 + 1e-6)).all()
    assert (later < 0.9 * soon).any()
    np.testing.assert_allclose(later, usual()[:, 1:], rtol=1e-5)


def test_periods_count_alike() -> None:
    """The same period twice is the period."""
    twice = signals_of(template(), turning_sea(STEPS), [times(STEPS)] * 2, options=COARSER)
    np.testing.assert_allclose(twice.rates(LEVELS, (0.1, 0.5, 0.9)), usual(), rtol=1e-5)


def test_surer_is_larger() -> None:
    """A rate that is noticed with a higher probability is larger."""
    assert (np.diff(usual(), axis=1) > 0).all()


def test_in_still_water_what_is_nearer_is_seen_at_a_smaller_rate() -> None:
    """With one sensor and no current the rate rises with the distance from it."""
    still = Environment.of(times(STEPS), current_speed=np.zeros(STEPS), current_direction=np.zeros(STEPS))
    here, level = template(sensors=1), np.array([6.0])
    found = detectable_rates(
        here, still, times(STEPS), level, options=EstimationOptions(spacing_m=2.0, heights=1, members=1)
    )
    cells = slice(0, found.places.cells)
    away = np.hypot(*(found.places.positions[cells, :2] - here.sensor_positions[0, :2]).T)
    ordered = found.rates_kg_s[cells, 1][np.argsort(away)]
    assert (np.diff(ordered) >= -1e-3 * ordered[:-1]).all()


def least_of(here: Template, sea: Environment, place: Floats) -> Floats:
    """Return the rate [sensors] from which on each shows a leak 3 h in all on its first day, by the forward model."""
    stamps = times(147, 600)
    member = ensemble_of(COARSER)[0]
    leak = Leak(
        x=place[0], y=place[1], z=place[2], rate_kg_s=1.0, onset=to_datetime(stamps[0] + np.timedelta64(300, "s"))
    )
    return np.asarray(LEVELS / np.sort(simulate(here, sea, leak, stamps[:145], physics=member.physics), axis=1)[:, -18])


@pytest.mark.parametrize("common_error", [0.25, 1.5])
def test_rates_are_those_of_the_forward_model_and_the_gains(common_error: float) -> None:
    """At the rate of 0.9, of leaks simulated one by one with gains that are drawn nine in ten are noticed."""
    here, sea, rng = template(), turning_sea(STEPS), np.random.default_rng(5)
    options = replace(COARSER, step_s=600.0, common_error=common_error)
    found = detectable_rates(here, sea, times(147), LEVELS, options=options)
    for k in range(0, found.places.cells, 7):
        least = least_of(here, sea, found.places.positions[k])
        wide = np.where(rng.random((4000, 4)) < options.outlier_share, options.outlier_gain_error, options.gain_error)
        common = options.common_error * rng.standard_normal((4000, 1))
        gains = options.gain_median * np.exp(wide * rng.standard_normal((4000, 4)) + common)
        for probability, rate in zip(found.probabilities, found.rates_kg_s[k], strict=True):
            assert (rate * gains > least).any(axis=1).mean() == pytest.approx(probability, abs=0.05)


def test_a_semi_closed_template_sees_alike_all_over_a_zone() -> None:
    """What mixes through its box reaches the sensors the same from anywhere in a zone: at most nine different rates."""
    here = sites.drawn("semi", np.random.default_rng(1))
    assert len(np.unique(rates(here, LEVELS)[:, 1].round(12))) <= 9


@pytest.mark.parametrize(
    ("levels", "count", "words"),
    [
        (np.ones(3), STEPS, "4 levels"),
        (np.zeros(4), STEPS, "above 0"),
        (np.full(4, np.nan), STEPS, "above 0"),
        (np.ones(4), 100, "more than the 24 h"),
    ],
)
def test_what_makes_no_sense_is_refused(levels: Floats, count: int, words: str) -> None:
    """Levels of another shape or none, and times that leave no day after an onset."""
    with pytest.raises(InvalidInput, match=words):
        detectable_rates(template(), turning_sea(STEPS), times(count), levels, options=COARSER)


def test_only_probabilities_are_taken() -> None:
    """A leak that is noticed for sure has no rate."""
    with pytest.raises(InvalidInput, match="below 1"):
        detectable_rates(template(), turning_sea(STEPS), times(STEPS), LEVELS, probabilities=(1.0,), options=COARSER)


def errors(rate: float, at: list[int], spread: Floats | None = None) -> Floats:
    """Return the expected errors of leaks at some places."""
    rng, noise = np.random.default_rng(3), np.ones(4) if spread is None else spread
    return expected_place_errors(
        template(), turning_sea(300), times(300), noise, rate, rng, at=np.array(at), options=SMALL
    ).errors_m


def test_a_leak_that_nobody_reads_may_be_anywhere() -> None:
    """Its expected error is the mean distance of all places by their prior, further than that of one that is read."""
    middle = 2 * 4 + 2  # a cell near the middle
    unread, read = (errors(rate, [middle])[0] for rate in (1e-12, 3e-5))
    places = places_of(template(), SMALL)
    away = np.hypot(*(places.positions - places.positions[middle])[:, :2].T)
    assert unread == pytest.approx(float(np.exp(places.log_prior) @ away), rel=0.15)
    assert read < 0.7 * unread


def test_an_onset_is_enough_and_leak_points_outside_are_left_out() -> None:
    """A period of little more than a day, and a known leak point that is another template's, change nothing."""
    far = (*template().leak_points, Point(name="far", x=60.0, y=0.0, z=1.0))
    here, level = template().model_copy(update={"leak_points": far}), np.ones(4)
    rng, at = np.random.default_rng(1), np.array([0])
    found = expected_place_errors(here, turning_sea(150), times(150), level, 1e-5, rng, at=at, draws=1, options=SMALL)
    assert np.isfinite(found.errors_m).all()
    np.testing.assert_array_equal(rates(here, LEVELS), usual())


def test_a_rate_that_nobody_reads_is_known_to_a_factor_that_one_that_is_read_is_not() -> None:
    """What is read narrows the rate, too; it is never exact."""
    rng = np.random.default_rng(1)
    unread, read = (
        expected_place_errors(
            template(), turning_sea(300), times(300), np.full(4, 1.0), rate, rng, at=np.array([10]), options=SMALL
        ).rate_factors[0]
        for rate in (1e-12, 3e-5)
    )
    assert 1 < read < unread / 10


def test_the_same_draws_give_the_same_errors() -> None:
    """Nothing but the generator is drawn from."""
    assert errors(1e-5, [5, 11]).tolist() == errors(1e-5, [5, 11]).tolist()


def test_a_leak_anywhere_in_its_cell_is_never_found_exactly() -> None:
    """No expected error of a cell is smaller than what the cell's size leaves open."""
    assert errors(1e-3, [0, 10, 19]).min() >= 0.35 * SMALL.spacing_m


def test_spreads_that_make_no_sense_are_refused() -> None:
    """One of each sensor, above 0; and a leak has a rate."""
    for spread in (np.ones(3), np.array([1.0, 1.0, 0.0, 1.0])):
        with pytest.raises(InvalidInput, match="4 values above 0"):
            errors(1e-5, [0], spread)
    with pytest.raises(InvalidInput, match="above 0"):
        errors(0.0, [0])
