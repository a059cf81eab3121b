"""The check of fit: what a leak of the model leaves is noise, what no model holds is seen, told and weighed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.arrays import Floats
from shared.domain.estimation import Estimation, Observations
from shared.domain.leak import Leak
from shared.domain.tsd import to_datetime
from shared.estimation import EstimationOptions, estimate
from shared.estimation.goodness_of_fit import chi_squared_tail, evidence_left, p_of_all
from shared.estimation.verdict import probabilities
from shared.simulation import simulate
from tests.estimation.test_verdict import HOURS, MIDDLE, SEA, TIMES, W, background

ONSET = 288


def of_leak(ppmv: Floats) -> Estimation:
    """Return the answer to a leak that all sensors read, with something added to what they read [4, 432]."""
    leak = Leak(x=0.5, y=0.5, z=2.0, rate_kg_s=3e-6, onset=to_datetime(TIMES[ONSET]))
    return estimate(W, SEA, Observations(TIMES, background() + simulate(W, SEA, leak, TIMES) + ppmv), options=MIDDLE)


def test_a_leak_of_the_model_fits() -> None:
    """Every sensor's p is that of a fit, and the verdict stands."""
    answer = of_leak(0 * background())
    assert answer.verdict == "CONFIRMED"
    assert [one.sensor for one in answer.fits] == list(answer.sensors)
    assert p_of_all(answer.fits) > 0.05
    assert [one.gain is None for one in answer.fits] == [True, False, False, True]
    assert not any("reads otherwise" in one for one in answer.warnings)


def test_what_no_leak_does_is_seen_at_its_sensor_and_weakens_the_verdict() -> None:
    """One sensor that also jumps up and down by as much as the leak raises it: told, and no longer nearly certain."""
    clean = of_leak(0 * background())
    jumps = 0 * background()
    jumps[1, ONSET:] = 80.0 * (HOURS[ONSET:] % 4 < 2)
    answer = of_leak(jumps)
    worst = min(answer.fits, key=lambda one: one.p)
    assert worst.sensor == answer.sensors[1]
    assert worst.p < 0.01
    assert any(worst.sensor in one and "reads otherwise" in one for one in answer.warnings)
    assert answer.probability < clean.probability
    assert worst.residual_ppmv > 3 * clean.fits[1].residual_ppmv


@pytest.mark.parametrize(("degrees", "value"), [(48.0, 48.0), (16.0, 26.3), (5.0, 15.09), (100.0, 118.5)])
def test_the_tail_of_chi_squared_is_that_of_tables(degrees: float, value: float) -> None:
    """Against the upper incomplete gamma function, summed as a series, to half a percent."""
    half, x = degrees / 2, value / 2
    terms, term = 0.0, 1 / math.gamma(half + 1)
    for k in range(1, 400):
        terms += term
        term *= x / (half + k)
    assert chi_squared_tail(value, degrees) == pytest.approx(1 - terms * x**half * math.exp(-x), abs=0.005)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(-50, 500))
def test_a_poorer_fit_never_makes_a_leak_likelier(p: float, other: float, leak: float) -> None:
    """The probability of a leak grows with p; where nothing speaks against the fit it is that of the evidence alone."""
    low, high = sorted((p, other))
    options = EstimationOptions()
    poor, good = (probabilities(leak, (2.0, 1.0), one, options)[0] for one in (low, high))
    assert poor <= good + 1e-12
    assert good <= probabilities(leak, (2.0, 1.0), 1.0, options)[0] + 1e-12
    assert 0 < evidence_left(p) <= 1
