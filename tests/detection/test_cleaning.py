"""Cleaning: days that stand out are suspect, what a sensor does every day is not."""

import numpy as np
import pytest

from shared.detection.cleaning import suspect_days

START = np.datetime64("2026-03-01T00:00:00")
STEP = np.timedelta64(600, "s")


def times(size: int) -> np.ndarray:
    """Return so many bucket starts."""
    return START + np.arange(size) * STEP


def test_days_that_stand_out_are_suspect() -> None:
    """A high day is left out by its peak, a low one by being like no other."""
    ppmv = 20 + np.random.default_rng(3).normal(0, 2, 20 * 144)
    ppmv[5 * 144 : 6 * 144] += 300
    ppmv[8 * 144 : 9 * 144] -= 15
    assert suspect_days(times(ppmv.size), ppmv).tolist() == [
        (START + day * 144 * STEP).astype("datetime64[D]").item() for day in (5, 8)
    ]


def test_days_like_no_other_are_suspect() -> None:
    """A day whose course is its own is left out though its peak is like the others'."""
    tide = 20 + 10 * np.sin(np.arange(30 * 144) * 2 * np.pi / 74.5)
    ppmv = tide + np.random.default_rng(4).normal(0, 1, tide.size)
    ppmv[9 * 144 : 10 * 144] = 29 - np.linspace(0, 28, 144)
    ppmv[17 * 144 : 18 * 144] = 1 + np.linspace(0, 28, 144)
    assert suspect_days(times(ppmv.size), ppmv).tolist() == [
        (START + day * 144 * STEP).astype("datetime64[D]").item() for day in (9, 17)
    ]


@pytest.mark.parametrize(
    "ppmv",
    [
        np.full(30 * 144, 5.0),
        np.zeros(30 * 144),
        5 + np.random.default_rng(1).normal(0, 0.05, 30 * 144),
        20 + 60 * (np.random.default_rng(2).random(30 * 144) < 0.02),
    ],
    ids=["constant", "zero", "quiet", "spiky"],
)
def test_usual_sensors_have_no_suspect_days(ppmv: np.ndarray) -> None:
    """What a sensor does every day is not suspect, be it nothing or spikes."""
    assert suspect_days(times(ppmv.size), ppmv).size == 0


def test_no_readings_have_no_suspect_days() -> None:
    """Nothing at all, and nothing but gaps, are no error."""
    assert suspect_days(times(0), np.zeros(0)).size == 0
    assert suspect_days(times(300), np.full(300, np.nan)).size == 0
