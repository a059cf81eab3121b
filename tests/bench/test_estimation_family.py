"""The family of truths: what its clouds must obey, and that what is held leaves all else as it was drawn."""

from dataclasses import asdict, replace
from datetime import UTC, datetime

import numpy as np
import pytest

from bench.estimation import family
from bench.estimation.clouds import AGES_S, STEP_S, cloud_readings, concentration
from bench.estimation.family import MIDDLE, UNKNOWNS, Closure, Truth, Unknown
from bench.estimation.sea import Span
from shared.arrays import Floats
from shared.domain.environment import Environment
from tests.support.examples import template

START = np.datetime64("2026-01-01T00:00:00", "s")
TIMES = START + np.arange(73) * np.timedelta64(600, "s")
ONSET = datetime(2026, 1, 1, 2, 5, tzinfo=UTC)
PLACE = (-3.0, 0.5, 2.0)
STEADY = replace(MIDDLE, meander_deg=0.0, residual_m_s=0.0, rise_m=0.0)
SEA = Environment.of(
    TIMES, current_speed=np.full(73, 0.08), current_direction=30 * np.arange(73) / 6 % 360, temperature=np.full(73, 7.0)
)


def readings(truth: Truth, rate: float = 1e-5, seed: int = 1) -> Floats:
    """Return the readings of one leak."""
    return cloud_readings(template(), SEA, PLACE, rate, ONSET, TIMES, truth, np.random.default_rng(seed))


@pytest.mark.parametrize("closure", ["ballistic", "gradient"])
@pytest.mark.parametrize("speed", [0.05, 0.3])
def test_what_leaks_passes_a_plane_downstream(closure: Closure, speed: float) -> None:
    """The flux of a leak that always was is its rate."""
    truth = replace(STEADY, closure=closure)
    span = Span(np.array([1e6, 1e6 + 600]), 1e6 - 600, -np.inf)
    at = np.arange(span.start - AGES_S[-1] - STEP_S, span.ends[-1] + 2 * STEP_S, STEP_S)
    flow = np.stack([np.zeros(at.size), np.full(at.size, speed)])
    y, z = np.arange(-8, 8.1, 0.5), np.arange(0.25, 14, 0.5)
    plane = np.array([[across, 6.0, height] for across in y for height in z])
    found = concentration(plane, (0.0, 0.0, 3.0), at, flow, span, truth, np.random.default_rng(1)).mean(axis=1)
    assert found.sum() * speed * 0.25 == pytest.approx(1.0, rel=0.02)


def test_readings_are_linear_in_the_rate_and_quiet_before_the_leak() -> None:
    """With sensors that fall more slowly than they rise, too."""
    truth = family.drawn(np.random.default_rng(4))
    one, ten = readings(truth, 1e-5), readings(truth, 1e-4)
    assert ten == pytest.approx(10 * one)
    assert one.max() > 0
    assert not one[:, :13].any()


def test_sensors_fall_more_slowly_than_they_rise() -> None:
    """The longer time constant downwards leaves more of what came."""
    level, slow = readings(STEADY), readings(replace(STEADY, down_s=3 * STEADY.down_s))
    assert (slow >= level - 1e-12).all()
    assert slow.sum() > 1.1 * level.sum()


@pytest.mark.parametrize("unknown", UNKNOWNS)
def test_what_is_held_is_at_its_middle_and_all_else_as_it_was(unknown: Unknown) -> None:
    """So a difference between two runs is what the unknown costs."""
    free, held, middle = (
        asdict(one)
        for one in (family.drawn(np.random.default_rng(7)), family.drawn(np.random.default_rng(7), [unknown]), MIDDLE)
    )
    other = {name for name in free if free[name] != held[name]}
    assert other <= {name for name in free if held[name] == middle[name]}
    assert other or unknown == "closure"
    assert family.drawn(np.random.default_rng(7), UNKNOWNS) == replace(MIDDLE, phase=held["phase"])
