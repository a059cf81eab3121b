"""Gaps: which series of a template nobody watches now, why, and since when.

A sensor is watched while it has a baseline and its newest level is of now and says something; a quantity of the sea,
while its samples come in. Whatever is not known counts as a gap: what nobody watches must never look as if it were Ok.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.detection import Fault, engine_id
from shared.domain.deviation import Level
from shared.domain.ingest_state import IngestState, SeriesState
from shared.domain.template import Sensor, Template
from shared.domain.tsd import BUCKET, start_of
from shared.ports import PlatformRecord, Registration

STALE = timedelta(minutes=30)  # of what comes every ten minutes
SILENT = timedelta(hours=6)  # as long as a series that is logged by exception is held


class Reason(StrEnum):
    """Why a series is not watched, as people read it."""

    LEFT_OUT = "left out"
    NEVER_READ = "never read"
    BEHIND = "not asked for lately"
    NO_BASELINE = "no baseline"
    OTHER_ENGINE = "baseline of another engine"
    SILENT = "no samples"
    NOT_SCORED = "not scored"
    FAULTY = "not well"
    UNDEFINED = "no level"
    OUT_OF_SERVICE = "out of service"  # as a person said: no gap in what should be watched


@dataclass(frozen=True)
class Gap:
    """Why a series is not watched, and since when; that moment derives from what is stored."""

    why: Reason
    since: datetime


def gaps_of(record: PlatformRecord, template: Template, now: datetime) -> dict[str, Gap]:
    """Return the gaps of a template at ``now``, by sensor, then by quantity of the sea."""
    found = {one.id: gap_of(record, template, one, now) for one in template.sensors}
    for quantity in sorted(record.platform.environment):
        state = _series(record, template, quantity)
        found[quantity] = _unread(state, now) or _silent(state, now)
    return {key: gap for key, gap in found.items() if gap is not None}


def gap_of(record: PlatformRecord, template: Template, sensor: Sensor, now: datetime) -> Gap | None:
    """Return why nobody watches a sensor at ``now``; None where somebody does."""
    state = _series(record, template, sensor.id)
    return (
        _unread(state, now)
        or _unlearnt(record, sensor, state, now)
        or _silent(state, now)
        or _unscored(record, sensor, state, now)
    )


def has_baseline(record: Registration, sensor: Sensor) -> bool:
    """Return whether the sensor is scored by a version: a person may have taken all of them away."""
    current = record.history(sensor.id).current
    return current is not None and bool(current.version)


def is_of_another_engine(record: Registration, sensor: Sensor) -> bool:
    """Return whether another detection engine made the sensor's baselines."""
    return record.history(sensor.id).engine not in ("", engine_id())


def newest_sample(record: PlatformRecord, template: Template) -> datetime | None:
    """Return the newest usable sample of any sensor of the template."""
    found = [_series(record, template, one.id).newest for one in template.sensors]
    return max((one for one in found if one is not None), default=None)


def _series(record: PlatformRecord, template: Template, key: str) -> SeriesState:
    return record.ingested.get(template.id, IngestState()).series.get(key, SeriesState())


def _unread(series: SeriesState, now: datetime) -> Gap | None:
    """Return why nothing of the series is read."""
    if series.problem:
        return Gap(Reason.LEFT_OUT, series.since or _begin(series, now))
    if series.until is None:
        return Gap(Reason.NEVER_READ, _begin(series, now))
    return Gap(Reason.BEHIND, series.until) if now - series.until > STALE else None


def _unlearnt(record: PlatformRecord, sensor: Sensor, series: SeriesState, now: datetime) -> Gap | None:
    """Return why there is nothing to score the sensor by."""
    if not has_baseline(record, sensor):
        return Gap(Reason.NO_BASELINE, _begin(series, now))
    return Gap(Reason.OTHER_ENGINE, _begin(series, now)) if is_of_another_engine(record, sensor) else None


def _silent(series: SeriesState, now: datetime) -> Gap | None:
    """Return that the series is asked for, and nothing comes."""
    if series.newest is None:
        return Gap(Reason.SILENT, _begin(series, now))
    return Gap(Reason.SILENT, series.newest + BUCKET) if now - series.newest > SILENT else None


def _unscored(record: PlatformRecord, sensor: Sensor, series: SeriesState, now: datetime) -> Gap | None:
    """Return why the sensor's newest level says nothing of now."""
    latest = record.latest.get(sensor.id)
    if latest is None or now - latest.at > STALE:
        return Gap(Reason.NOT_SCORED, _begin(series, now) if latest is None else latest.at + BUCKET)
    if latest.level is not Level.UNDEFINED:
        return None
    return Gap(Reason.UNDEFINED if Fault(latest.fault) is Fault.NONE else Reason.FAULTY, latest.since)


def _begin(series: SeriesState, now: datetime) -> datetime:
    """Return when the series was begun; today, where that is not known."""
    return series.begin or start_of(now.date())
