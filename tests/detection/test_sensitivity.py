"""What a baseline leaves unnoticed: releases below are no Warning, releases well above are."""

import numpy as np
import pytest

from shared.detection import build_baseline, detect
from shared.detection.level import WITHOUT_BREAK
from shared.detection.sensitivity import Sensitivity
from tests.support.examples import quiet_baseline
from tests.support.sensor_readings import leak, quiet, times

SIZE, BEGIN = 500, 300


def warned(factor: float, seed: int) -> bool:
    """Return whether a steady release of so many times what is noticed is a Warning within a day."""
    added = leak(factor * Sensitivity.of(quiet_baseline()).noticed_ppmv, SIZE, BEGIN, SIZE)
    level = detect(quiet_baseline(), times(SIZE), quiet(seed, SIZE) + added).level
    return bool((level[BEGIN : BEGIN + 144] >= 1).any())


def test_what_is_noticed_is_where_warnings_begin() -> None:
    """Of releases twice as strong all are told, of those a third as strong hardly any."""
    told = {factor: sum(warned(factor, seed) for seed in range(12)) for factor in (1 / 3, 2.0)}
    assert told[2.0] == 12
    assert told[1 / 3] <= 3


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_a_sensor_that_is_as_much_louder_notices_as_much_less(factor: float) -> None:
    """Both figures are proportional to the readings."""
    ppmv = 100 + 5 * np.random.default_rng(1).normal(size=20 * 144)
    one, other = (Sensitivity.of(build_baseline(times(ppmv.size), scale * ppmv)) for scale in (1.0, factor))
    assert other.noticed_ppmv == pytest.approx(factor * one.noticed_ppmv, rel=0.01)
    assert other.spread_ppmv == pytest.approx(factor * one.spread_ppmv, rel=1e-6)


def test_the_spread_is_that_of_the_noise() -> None:
    """White noise of 5 ppmv, whatever a few days of drift add."""
    ppmv = 100 + 5 * np.random.default_rng(1).normal(size=20 * 144)
    ppmv[-3 * 144 :] += np.linspace(0, 200, 3 * 144)
    assert Sensitivity.of(build_baseline(times(ppmv.size), ppmv)).spread_ppmv == pytest.approx(5.0, rel=0.1)


def test_nothing_beyond_the_history_goes_unnoticed() -> None:
    """What the level channel calls a Warning is noticed, however restless the history was."""
    wild = np.abs(50 + np.cumsum(np.random.default_rng(2).normal(0, 20, 20 * 144)))
    baseline = build_baseline(times(wild.size), wild)
    beyond = WITHOUT_BREAK * (baseline.range.top - baseline.range.median)
    assert Sensitivity.of(baseline).noticed_ppmv <= beyond
