"""The curves that come with an answer: what the sensors would read by the likeliest hypotheses."""

from functools import cache

import numpy as np
import pytest

from shared.domain.estimation import Curves, Estimation, Observations
from shared.domain.leak import Leak
from shared.domain.template import Template
from shared.estimation import EstimationOptions, estimate
from shared.estimation.curves import MOST_CURVES, MOST_TIMES
from shared.estimation.ensemble import ensemble_of
from shared.simulation import simulate
from tests.support.naive_enclosure import boxed
from tests.support.naive_plume import ONSET, template, times, turning_sea

STEPS = 145
FINE = EstimationOptions(members=1, step_s=600.0)  # the middle of the physics alone, on the data's own times


@cache
def answer(here: Template, options: EstimationOptions = FINE) -> Estimation:
    """Return the answer to a clear leak without any error but 1 ppmv of noise."""
    leak = Leak(x=3.0, y=2.0, z=3.0, rate_kg_s=4e-6, onset=ONSET)
    noise = np.random.default_rng(2).normal(0, 1, (4, STEPS))
    ppmv = 12 + noise + simulate(here, turning_sea(STEPS), leak, times(STEPS))
    ppmv[2] = np.nan
    return estimate(here, turning_sea(STEPS), Observations(times(STEPS), ppmv), options=options)


def curves(here: Template, options: EstimationOptions = FINE) -> Curves:
    """Return the curves of that answer."""
    found = answer(here, options).curves
    assert found is not None
    return found


@pytest.mark.parametrize("here", [template(), boxed(0.1), boxed(0.65)], ids=["open", "closed", "between"])
def test_a_curve_is_what_the_simulation_says_of_its_hypothesis(here: Template) -> None:
    """Background and readings of a leak of that place, onset and rate, nearly: what was read before fades otherwise."""
    found = curves(here)
    at = np.array([moment.replace(tzinfo=None) for moment in found.times], dtype="datetime64[s]")
    physics = ensemble_of(FINE)[0].physics
    for one in found.hypotheses:
        leak = Leak(x=one.place.x, y=one.place.y, z=one.place.z, rate_kg_s=one.dissolved_rate_kg_s, onset=one.onset)
        signal = simulate(here, turning_sea(STEPS), leak, at, physics=physics)[[0, 1, 3]]
        ppmv = np.array(one.ppmv)
        assert ppmv.shape == signal.shape
        np.testing.assert_allclose(ppmv - ppmv[:, :1], signal, rtol=0.03, atol=0.05 * signal.max())


def test_the_likeliest_comes_first_and_each_has_its_own_place() -> None:
    """No more than three, of different places, at no more than a hundred times."""
    for options in (FINE, EstimationOptions(spacing_m=2.0)):
        found = curves(template(), options)
        places = [(one.place.x, one.place.y, one.place.z) for one in found.hypotheses]
        assert 1 <= len(set(places)) == len(places) <= MOST_CURVES
        assert len(found.times) <= MOST_TIMES
        assert list(found.times) == sorted(set(found.times))


def test_the_best_curve_explains_the_readings() -> None:
    """What is left beside it is far less than what there was to explain."""
    here = template()
    best = np.array(curves(here).hypotheses[0].ppmv)
    truth = 12 + simulate(
        here, turning_sea(STEPS), Leak(x=3.0, y=2.0, z=3.0, rate_kg_s=4e-6, onset=ONSET), times(STEPS)
    )
    shown = truth[[0, 1, 3]][:, :: -(-STEPS // MOST_TIMES)]
    assert np.std(shown - best) < 0.35 * np.std(shown)


def test_where_nothing_is_likelier_there_are_no_curves() -> None:
    """Quiet readings are explained by nothing."""
    ppmv = 12 + np.random.default_rng(3).normal(0, 1, (4, STEPS))
    quiet = estimate(template(), turning_sea(STEPS), Observations(times(STEPS), ppmv), options=FINE)
    assert quiet.curves is None
    assert quiet.verdict == "UNDEFINED"
