"""The recorded rise as the app would hold it: readings, currents, and the answer to them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from bench.detection.leaks import seeds
from bench.detection.recorded_series import Folder, add_file
from shared.arrays import Floats, Times
from shared.domain.environment import Environment
from shared.domain.estimation import Estimation, Observations
from shared.domain.template import Template
from shared.errors import InvalidInput
from shared.estimation import EstimationOptions, estimate

SEEDS = Path(__file__).resolve().parents[2] / "seed"
TEMPLATE, TAG = "snorre-w", "19H-QI___5472"
READINGS, CURRENTS = f"snorre_{TAG}_10min.csv", "snorre_currents_2021-04.csv"
CRITICAL = datetime(2021, 4, 28, 19, 30, tzinfo=UTC)  # when the rise is called Critical
LEAD, FOLLOW = timedelta(hours=48), timedelta(hours=40)
BACKGROUND = timedelta(hours=12)  # of the lead are background for sure
STEP = timedelta(minutes=10)


@dataclass(frozen=True, eq=False, slots=True)
class Rise:
    """A rise at one sensor, the sea around it, and what the estimation says of both."""

    template: Template
    row: int  # of the sensor
    observations: Observations
    environment: Environment
    answer: Estimation


def read_rise(folder: Path) -> Rise:
    """Return the rise of the folder's files with its estimation; raises InvalidInput where they do not hold it."""
    template = next(one for one in seeds(SEEDS) if one.id == TEMPLATE)
    row = next(index for index, sensor in enumerate(template.sensors) if sensor.tag == TAG)
    first = np.datetime64((CRITICAL - LEAD).replace(tzinfo=None), "s")
    times = first + np.arange((LEAD + FOLLOW) // STEP + 1) * np.timedelta64(600, "s")
    read = _read(folder)
    ppmv = np.full((len(template.sensors), times.size), np.nan)
    series = read.series[0].series
    ppmv[row] = _at(series.times, series.ppmv, times)
    if np.isfinite(ppmv[row]).sum() < times.size / 2:
        raise InvalidInput(f"{READINGS} holds too little of {times[0]} to {times[-1]}")
    observations = Observations(times, ppmv)
    environment = _sea(read, times)
    options = EstimationOptions(earliest_onset=CRITICAL - LEAD + BACKGROUND, latest_onset=CRITICAL + FOLLOW)
    return Rise(
        template, row, observations, environment, estimate(template, environment, observations, options=options)
    )


def _read(folder: Path) -> Folder:
    found = Folder()
    for name in (READINGS, CURRENTS):
        if not (folder / name).is_file():
            raise InvalidInput(f"{folder} holds no {name}: the example needs {READINGS} and {CURRENTS}")
        add_file(found, folder / name)
    if len(found.series) != 1 or found.currents is None:
        raise InvalidInput(f"{READINGS} must have the columns time,ppmv and {CURRENTS} those of a current")
    return found


def _sea(read: Folder, times: Times) -> Environment:
    assert read.currents is not None
    at, speed, towards = read.currents.times, read.currents.current_speed, read.currents.current_direction
    return Environment.of(times, current_speed=_at(at, speed, times), current_direction=_at(at, towards, times))


def _at(recorded: Times, values: Floats, times: Times) -> Floats:
    """Return the values in the 10 minutes that begin at each of the times [n], NaN where there are none."""
    buckets = recorded.astype("datetime64[s]").astype(np.int64) // 600
    wanted = times.astype(np.int64) // 600
    index = np.minimum(np.searchsorted(buckets, wanted), max(buckets.size - 1, 0))
    return np.where(buckets[index] == wanted, values[index], np.nan) if buckets.size else np.full(times.shape, np.nan)
