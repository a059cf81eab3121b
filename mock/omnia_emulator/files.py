"""Recorded series from a directory of CSV files, moved in time so that they end now, or at another moment.

Files are named ``<platform>_<tag>_10min.csv`` or ``_raw.csv`` with columns ``time,ppmv`` (10min is taken where both
exist), and ``<platform>_currents*.csv`` with ``time,direction_deg,speed_cm_s``. Each file is moved by a whole multiple
of 10 minutes so that its last sample falls in the 10 minutes that end now. Files of one platform that belong together
in time are moved by one and the same shift, that of the one of them that ends last: the currents, and every
sensor whose good values (finite, below 1e6) overlap the currents' span. Values are served as they are, sentinels and
infinities too, with status 192, as the real exports have them; what is missing (``recording``) is not there.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from omnia_emulator.series import Samples, Series, Store, Stored, instant
from shared.domain.platform import Platform
from shared.domain.recording import Recording, joined, read_recording

GRID = np.timedelta64(600, "s").astype("timedelta64[us]")
SENTINEL = 1e6
CURRENT_COLUMNS = {"current_direction": "direction_deg", "current_speed": "speed_cm_s"}
UNITS = {"current_direction": "deg", "current_speed": "cm/s"}

Span = tuple[np.datetime64, np.datetime64]


def recorded(
    directory: Path, platforms: Sequence[Platform], clock: Callable[[], datetime], *, end: datetime | None
) -> Store:
    """Return a store of the directory's series, moved to end at ``end``, if that is given.

    Raises ValueError where nothing fits or a file is not readable.
    """
    series, used = [], []
    for platform in platforms:
        sensors, currents = _of_platform(directory, platform)
        shift = _shifts(sensors, currents, instant(end)) if end is not None else {}
        for tag, (path, unit, samples) in (sensors | currents).items():
            times = samples.times + shift.get(tag, np.timedelta64(0, "us"))
            moved = Samples(times, samples.values, samples.statuses)
            series.append(Series(tag, platform.facility, unit, Stored(moved), path.name))
            used.append(path.name)
    if not series:
        raise ValueError(f"no file in {directory} belongs to a tag of {[platform.id for platform in platforms]}")
    return Store.of(series, clock, files=sorted(set(used)), leak=None)


Recordings = dict[str, tuple[Path, str, Samples]]  # by tag


def _of_platform(directory: Path, platform: Platform) -> tuple[Recordings, Recordings]:
    sensors: Recordings = {}
    for template in platform.templates:
        for sensor in template.sensors:
            paths = [directory / f"{platform.id}_{sensor.tag}_{kind}.csv" for kind in ("10min", "raw")]
            path = next((path for path in paths if path.is_file()), None)
            if path is not None:
                sensors[sensor.tag] = (path, "ppmv", _samples(read_recording(path, ["ppmv"]), "ppmv"))
    return sensors, _currents_of(directory, platform)


def _currents_of(directory: Path, platform: Platform) -> Recordings:
    paths = sorted(directory.glob(f"{platform.id}_currents*.csv"))
    if not paths:
        return {}
    measured = joined([read_recording(path, list(CURRENT_COLUMNS.values())) for path in paths])
    currents: Recordings = {}
    for quantity, column in CURRENT_COLUMNS.items():
        described = platform.environment.get(quantity)  # type: ignore[call-overload]
        if described is None:
            continue
        if described.unit != UNITS[quantity]:
            raise ValueError(f"{paths[0].name} holds {UNITS[quantity]}, the tag {described.tag} {described.unit}")
        currents[described.tag] = (paths[-1], described.unit, _samples(measured, column))
    return currents


def _samples(read: Recording, column: str) -> Samples:
    """Return a column's samples, without what is missing; raises ValueError where nothing is left."""
    there = ~np.isnan(read.columns[column])
    if not there.any():
        raise ValueError(f"{read.name}: {column} has no values")
    return Samples.of(read.times[there], read.columns[column][there])


def _shifts(sensors: Recordings, currents: Recordings, now: np.datetime64) -> Mapping[str, np.timedelta64]:
    """Return how far each tag's samples are moved."""
    record = {tag: samples for tag, (_, _, samples) in (sensors | currents).items()}
    spans = [span for tag in currents if (span := _good_span(record[tag])) is not None]
    together = set(currents) | {tag for tag in sensors if _overlaps(_good_span(record[tag]), spans)}
    last = {tag: samples.times[-1] for tag, samples in record.items()}
    common = max((last[tag] for tag in together), default=now)
    return {tag: (now - (common if tag in together else end)) // GRID * GRID for tag, end in last.items()}


def _good_span(samples: Samples) -> Span | None:
    good = samples.times[np.isfinite(samples.values) & (np.abs(samples.values) < SENTINEL)]
    return (good[0], good[-1]) if good.size else None


def _overlaps(span: Span | None, others: Sequence[Span]) -> bool:
    return span is not None and any(span[0] <= end and start <= span[1] for start, end in others)
