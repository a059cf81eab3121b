"""Sensor health: each fault shows where it is, only there, and clears by itself."""

import numpy as np
import pytest

from shared.detection.health import Fault, by_exception, faults, noise_of, stuck_spans
from shared.detection.regular import HOLD_BINS, HOLD_BINS_BY_EXCEPTION

SIZE = 600


def calm(seed: int = 1) -> np.ndarray:
    """Return readings that a slow sensor might give."""
    return 10 + np.convolve(np.random.default_rng(seed).normal(0, 1, SIZE + 20), np.ones(21) / 21, "valid")


def found(ppmv: np.ndarray, bad: np.ndarray | None = None, hold_bins: int = HOLD_BINS) -> np.ndarray:
    """Return the faults of readings whose usual noise is that of calm ones."""
    return faults(ppmv, np.zeros(ppmv.size, dtype=bool) if bad is None else bad, noise_of(calm()), hold_bins)


def test_a_sensor_that_works_has_no_fault() -> None:
    """Nor has one that reads a leak, or misses a bucket now and then."""
    leak = calm()
    leak[200:] += 200 * (1 - np.exp(-np.arange(SIZE - 200) / 12))
    leak[::7] = np.nan
    assert (found(leak) == Fault.NONE).all()


@pytest.mark.parametrize("value", [0.0, 10.0, 4000.0])
def test_a_stuck_sensor(value: float) -> None:
    """Three hours of one value, until another one comes."""
    ppmv = calm()
    ppmv[200:260] = value
    fault = found(ppmv)
    assert (fault[217:260] == Fault.STUCK).all()
    assert (fault[:217] == Fault.NONE).all()
    assert (fault[260:] == Fault.NONE).all()
    assert np.flatnonzero(stuck_spans(ppmv)).tolist() == list(range(200, 260))


def test_a_noisy_sensor() -> None:
    """White noise far above what it used to have; a tide of the same size is none."""
    ppmv = calm()
    ppmv[200:300] += np.random.default_rng(2).normal(0, 20, 100)
    fault = found(np.abs(ppmv))
    assert (fault[240:300] == Fault.NOISY).all()
    assert (fault[:200] == Fault.NONE).all()
    assert (fault[340:] == Fault.NONE).all()
    assert (found(calm() + 30 + 20 * np.sin(np.arange(SIZE) / 12)) == Fault.NONE).all()


def test_a_sensor_that_falls_silent() -> None:
    """After two hours without a sample, until a third of three hours is there again."""
    ppmv = calm()
    ppmv[200:300] = np.nan
    fault = found(ppmv)
    assert (fault[213:300] == Fault.STALE).all()
    assert (fault[:212] == Fault.NONE).all()
    assert (fault[306:] == Fault.NONE).all()


def test_a_sensor_whose_values_cannot_be() -> None:
    """Most of three hours of sentinels, even where a good value stands between."""
    ppmv, bad = calm(), np.zeros(SIZE, dtype=bool)
    bad[200:300] = np.arange(100) % 4 > 0
    ppmv[bad] = np.nan
    fault = found(ppmv, bad)
    assert (fault[215:300] == Fault.OUT_OF_RANGE).all()
    assert (fault[320:] == Fault.NONE).all()


def test_a_series_logged_by_exception_is_not_silent() -> None:
    """It is recognised by its short gaps, and silent only after six hours."""
    ppmv = calm()
    ppmv[np.random.default_rng(3).random(SIZE) < 0.7] = np.nan
    assert by_exception(ppmv)
    assert not by_exception(calm())
    ppmv[300:400] = np.nan
    fault = found(ppmv, hold_bins=HOLD_BINS_BY_EXCEPTION)
    assert (fault[:330] == Fault.NONE).all()
    assert (fault[340:400] == Fault.STALE).all()
