"""The verdict: what a single sensor tells is not enough to confirm a leak."""

import json
from pathlib import Path

import numpy as np
import pytest

from shared.domain.environment import Environment
from shared.domain.estimation import Estimation, Observations
from shared.domain.platform import Platform
from shared.estimation import estimate, report

SNORRE = Platform.model_validate(json.loads((Path(__file__).parent.parent / "seed" / "snorre.json").read_text()))
W = next(one for one in SNORRE.templates if one.name == "W")


def lonely_step() -> Estimation:
    """Return the answer to one sensor that begins to read 40 ppmv more, while three go on as before."""
    times = np.datetime64("2026-03-01T00:00:00") + np.arange(432) * np.timedelta64(600, "s")
    hours = np.arange(432) / 6
    rng = np.random.default_rng(11)
    sea = Environment.of(
        times,
        current_speed=0.08 + 0.03 * np.sin(2 * np.pi * hours / 12.42),
        current_direction=90 + 60 * np.sin(2 * np.pi * hours / 12.42 + 1),
    )
    ppmv = 10 + rng.normal(0, 1.5, (4, 432))
    ppmv[0, 288:] += 40 * (1 - np.exp(-(hours[288:] - 48) / 2))
    return estimate(W, sea, Observations(times, ppmv))


def test_a_step_of_one_sensor_is_not_confirmed() -> None:
    """A tiny leak right beside a sensor explains anything that it does, and so does a fault of it."""
    answer = lonely_step()
    assert answer.verdict == "UNDEFINED"
    assert any("at most one sensor would read such a leak" in warning for warning in answer.warnings)


def test_the_step_would_be_confirmed_without_that_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail: the evidence alone speaks for a leak."""
    monkeypatch.setattr(report, "_HEARD", -1.0)
    assert lonely_step().verdict == "CONFIRMED"
