"""The verdict: what a single sensor tells is not enough to confirm a leak."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from shared.arrays import Floats
from shared.domain.environment import Environment
from shared.domain.estimation import Estimation, Observations
from shared.domain.leak import Leak
from shared.domain.platform import Platform
from shared.estimation import EstimationOptions, estimate, noise
from shared.simulation import simulate
from tests.support.paths import ROOT

SNORRE = Platform.model_validate(json.loads((ROOT / "seed" / "snorre.json").read_text()))
W = next(one for one in SNORRE.templates if one.name == "W")
MIDDLE = EstimationOptions(members=1)  # the middle of the physics alone is as sure of these leaks as all of it
TIMES = np.datetime64("2026-03-01T00:00:00") + np.arange(432) * np.timedelta64(600, "s")
HOURS = np.arange(432) / 6
SEA = Environment.of(
    TIMES,
    current_speed=0.08 + 0.03 * np.sin(2 * np.pi * HOURS / 12.42),
    current_direction=90 + 60 * np.sin(2 * np.pi * HOURS / 12.42 + 1),
)


def background() -> Floats:
    """Return what four quiet sensors read [4, 432]."""
    return np.asarray(10 + np.random.default_rng(11).normal(0, 1.5, (4, 432)))


def lonely_leak() -> Estimation:
    """Return the answer to a tiny leak just upstream of one sensor, which no other sensor reads."""
    leak = Leak(x=-5.9, y=1.0, z=3.5, rate_kg_s=4e-7, onset=datetime(2026, 3, 3, tzinfo=UTC))
    return estimate(W, SEA, Observations(TIMES, background() + simulate(W, SEA, leak, TIMES)), options=MIDDLE)


def test_a_step_of_one_sensor_is_not_confirmed() -> None:
    """A sensor that begins to read 40 ppmv more, while three go on as before, has rather a fault than a leak."""
    ppmv = background()
    ppmv[0, 288:] += 40 * (1 - np.exp(-(HOURS[288:] - 48) / 2))
    answer = estimate(W, SEA, Observations(TIMES, ppmv), options=MIDDLE)
    assert answer.verdict == "UNDEFINED"
    assert answer.probability < 0.95


def test_a_leak_that_one_sensor_reads_is_not_confirmed() -> None:
    """A tiny leak right beside a sensor explains anything that it does, and so does a fault of it."""
    answer = lonely_leak()
    assert answer.verdict == "UNDEFINED"
    assert any("at most one sensor would read such a leak" in warning for warning in answer.warnings)


def test_that_leak_would_be_confirmed_without_that_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail: the evidence alone speaks for a leak."""
    monkeypatch.setattr(noise, "HEARD", -1.0)
    assert lonely_leak().verdict == "CONFIRMED"


def test_saturated_sensors_do_not_confirm() -> None:
    """All sensors jump to pure methane at once: that is no leak, whatever the evidence says."""
    ppmv = background()
    ppmv[:, 288:] = 1e6
    answer = estimate(W, SEA, Observations(TIMES, ppmv), options=MIDDLE)
    assert answer.verdict == "UNDEFINED"
    assert max(answer.probability, answer.probability_external) > 0.95
    assert any("check the sensors" in warning for warning in answer.warnings)
