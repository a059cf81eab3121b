"""Observations made ready for estimation: usable sensors, finite values, no more steps than needed."""

from dataclasses import dataclass

import numpy as np

from shared.arrays import Floats, Indices, Times
from shared.domain.estimation import Observations
from shared.domain.template import Template
from shared.errors import InvalidInput
from shared.estimation.options import EstimationOptions

FEWEST_SAMPLES = 12  # finite samples that make a sensor usable: two hours of the 10-minute grid
LARGEST_PPMV = 1e7  # ten times pure methane: a sentinel, not a reading


@dataclass(frozen=True, eq=False, slots=True)
class ObservedSeries:
    """Readings ppmv [s, t] of the usable sensors, and their finite samples [n] in order of time."""

    times: Times
    seconds: Floats
    ppmv: Floats
    rows: tuple[int, ...]  # which of the template's sensors
    index_time: Indices
    index_sensor: Indices
    samples: int  # finite values that were given, before thinning


def series_of(template: Template, observations: Observations, options: EstimationOptions) -> ObservedSeries:
    """Return the usable part of the observations, thinned by medians to about ``step_s`` and ``max_steps``.

    Raises InvalidInput when the template has no sensors, or shapes or times do not fit.
    """
    times = np.asarray(observations.times)
    ppmv = np.array(observations.ppmv, dtype=np.float64)
    _refuse_misfits(template, times, ppmv)
    times = times.astype("datetime64[s]")
    ppmv[~(np.abs(ppmv) <= LARGEST_PPMV)] = np.nan
    rows = tuple(int(row) for row in np.flatnonzero(np.isfinite(ppmv).sum(axis=1) >= FEWEST_SAMPLES))
    usable = ppmv[list(rows)]
    kept = np.isfinite(usable).any(axis=0)
    times, usable = times[kept], usable[:, kept]
    samples = int(np.isfinite(usable).sum())
    times, usable = _thinned(times, usable, options)
    index_time, index_sensor = np.nonzero(np.isfinite(usable.T))
    seconds = times.astype(np.int64).astype(np.float64)
    return ObservedSeries(times, seconds, usable, rows, index_time, index_sensor, samples)


def _refuse_misfits(template: Template, times: Times, ppmv: Floats) -> None:
    if not template.sensors:
        raise InvalidInput(f"{template.id} has no sensors: nothing can be estimated")
    if times.ndim != 1 or times.dtype.kind != "M":
        raise InvalidInput(f"times must be a datetime64 array [n], not {times.dtype} {times.shape}")
    expected = (len(template.sensors), times.size)
    if ppmv.shape != expected:
        raise InvalidInput(f"ppmv must have the shape [sensors, times] {expected}, not {ppmv.shape}")
    stamps = times.astype("datetime64[s]")
    if np.isnat(stamps).any() or (np.diff(stamps) <= np.timedelta64(0, "s")).any():
        raise InvalidInput("times must increase without repetition, to the second")


def _thinned(times: Times, ppmv: Floats, options: EstimationOptions) -> tuple[Times, Floats]:
    """Return medians of equally many neighbouring times, each at its middle time."""
    if times.size < 2:
        return times, ppmv
    spacing = float(np.median(np.diff(times).astype(np.int64)))
    factor = max(1, -(-times.size // options.max_steps), min(int(options.step_s / spacing), times.size // 16))
    if factor == 1:
        return times, ppmv
    starts = range(0, times.size, factor)
    middles = [min(start + factor // 2, times.size - 1) for start in starts]
    columns = [_median(ppmv[:, start : start + factor]) for start in starts]
    return times[middles], np.column_stack(columns)


def _median(part: Floats) -> Floats:
    """Return each row's median of its finite values, NaN for a row without any."""
    return np.array([np.median(row[np.isfinite(row)]) if np.isfinite(row).any() else np.nan for row in part])
