"""Real series: the rises that operators know are found, and nothing before them is called Critical."""

import csv
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from shared.detection import build_baseline, detect
from shared.detection.cleaning import suspect_days
from shared.detection.detector import Detection

pytestmark = [pytest.mark.statistical, pytest.mark.xdist_group("real-series")]  # scored once by one process


@cache
def scored(path: Path) -> Detection:
    """Return a recorded series, scored from the end of its first 18 days by the baseline of the clean ones of them."""
    with path.open() as lines:
        samples = [(row["time"].removesuffix("Z"), float(row["ppmv"])) for row in csv.DictReader(lines)]
    times = np.array([time for time, _ in samples], dtype="datetime64[s]")
    ppmv = np.array([value for _, value in samples])
    good = np.isfinite(ppmv) & (ppmv < 50_000)
    end = times[good][0] + np.timedelta64(18, "D")
    early = good & (times < end)
    suspect = np.isin(times[early].astype("datetime64[D]"), suspect_days(times[early], ppmv[early]))
    baseline = build_baseline(times[early], np.where(suspect, np.nan, ppmv[early]))
    return detect(baseline, times, ppmv, since=end)


@pytest.mark.parametrize(
    ("name", "begins", "level", "by"),
    [
        ("snorre_19H-QI___5472_10min.csv", "2021-04-28T15:00", 1, "2021-04-28T19:30"),
        ("snorre_19H-QI___5472_10min.csv", "2021-04-28T15:00", 2, "2021-04-28T23:00"),
        ("snorre_19H-QI___6472_10min.csv", "2020-12-13T06:00", 1, "2020-12-13T15:00"),
        ("snorre_19H-QI___6472_10min.csv", "2020-12-13T06:00", 2, "2020-12-13T18:10"),
    ],
)
def test_known_rises_are_flagged_in_time(real_series: Path, name: str, begins: str, level: int, by: str) -> None:
    """Their first Warning and Critical come after the rise began, and soon enough."""
    found = scored(real_series / name)
    first = found.times[(found.level >= level) & (found.times >= np.datetime64(begins))][0]
    assert first <= np.datetime64(by)


def test_sentinels_in_a_real_export_are_never_scored(real_series: Path) -> None:
    """The 1e14 of the exports leave their buckets missing."""
    found = scored(real_series / "snorre_19H-QI___6472_10min.csv")
    assert np.nanmax(found.ppmv) < 1000
    assert datetime.fromtimestamp(int(found.times[0].astype(np.int64)), UTC).year == 2020
