"""Records: how reliable and available a template's leak detection was, by its alarms and its scored days."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from shared.arrays import BUCKET_STEP, Floats, Times
from shared.detection import Fault
from shared.domain.alarm import Alarm
from shared.domain.deviation import Level
from shared.domain.performance import Availability, Reliability
from shared.domain.template import Template
from shared.domain.tsd import floor_to_bucket, to_datetime64
from shared.ports import AlarmsTable, DeviationsTable

YEAR = timedelta(days=365)
MONTHS = 12
AT_ONCE = 200  # alarms read of a platform in one go
NOT_ESTIMATED = "not estimated"
HOUR = timedelta(hours=1)


def reliability_of(alarms: AlarmsTable, template: Template, now: datetime) -> Reliability:
    """Return what became of the template's alarms that began in the last twelve months."""
    found = list(_alarms(alarms, template, now - YEAR))
    told = [one for one in found if not one.history]
    waits = [(one.acknowledged.at - one.raised) / HOUR for one in told if one.acknowledged is not None]
    return Reliability(
        since=now - YEAR,
        alarms=len(told),
        by_verdict=Counter(one.estimation.verdict if one.estimation else NOT_ESTIMATED for one in told),
        by_state=Counter(one.state.value for one in told),
        by_disposition=Counter(one.disposition for one in told if one.withdrawn is not None),
        history=len(found) - len(told),
        unacknowledged=sum(one.acknowledged is None for one in told),
        median_hours_to_acknowledgement=round(float(np.median(waits)), 2) if waits else None,
    )


def _alarms(table: AlarmsTable, template: Template, since: datetime) -> Iterator[Alarm]:
    after = None
    while True:
        found = [one.alarm for one in table.list(template.platform, limit=AT_ONCE, after=after)]
        for one in found:
            if one.incident.onset < since:
                return
            if one.incident.template == template.id:
                yield one
        if len(found) < AT_ONCE:
            return
        after = found[-1].incident.id


def availability_of(deviations: DeviationsTable, template: Template, now: datetime) -> tuple[Availability, ...]:
    """Return of the last twelve months, oldest first, what share was scored, watched and with currents.

    A sensor's time counts from its first scored day in them; of a month without any nothing is known. The currents
    are those that the samples were scored with.
    """
    end = to_datetime64(floor_to_bucket(now))
    months: Times = np.asarray(end.astype("datetime64[M]") + np.arange(1 - MONTHS, 1).astype("timedelta64[M]"))
    expected, scored, watched = (np.zeros(MONTHS) for _ in range(3))
    begun: list[np.datetime64] = []
    flowing: list[Times] = []
    for sensor in template.sensors:
        first, last = months[0].astype("datetime64[D]").item(), now.date()
        times, columns = deviations.columns(sensor.id, first, last, ("level", "fault", "currents"))
        past = times < end
        if not past.any():
            continue
        has_level = (columns["level"] > Level.UNDEFINED) & past
        expected += _counts(_buckets(times[0], end), months)
        scored += _counts(times[has_level], months)
        watched += _counts(times[has_level & (columns["fault"] == Fault.NONE)], months)
        begun.append(times[0])
        flowing.append(times[np.isfinite(columns["currents"]) & past])
    known = np.unique(np.concatenate(flowing)) if flowing else months[:0].astype("datetime64[s]")
    whole = _counts(_buckets(min(begun, default=end), end), months)
    return tuple(
        Availability(
            month=str(month),
            scored=_share(scored[k], expected[k]),
            watched=_share(watched[k], expected[k]),
            currents=_share(float(counted), whole[k]),
        )
        for k, (month, counted) in enumerate(zip(months, _counts(known, months), strict=True))
    )


def _counts(times: Times, months: Times) -> Floats:
    """Return how many of the times, in order, are in each of consecutive months."""
    edges = np.concatenate([months, months[-1:] + np.timedelta64(1, "M")]).astype("datetime64[s]")
    return np.asarray(np.diff(np.searchsorted(times, edges)), dtype=np.float64)


def _buckets(first: np.datetime64, end: np.datetime64) -> Times:
    return np.asarray(np.arange(first, end, BUCKET_STEP))


def _share(part: float, whole: float) -> float | None:
    return round(min(part / whole, 1.0), 4) if whole else None
