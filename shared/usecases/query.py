"""Query: what people and other services ask for; reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from shared import __version__
from shared.domain.baseline_history import Change
from shared.domain.deviation import DeviationDay
from shared.domain.event import Event
from shared.domain.incident import INCIDENT_PATTERN
from shared.domain.template import PLATFORM_PATTERN, Sensor, Template
from shared.domain.tsd import floor_to_bucket, iso, to_datetime64, utc
from shared.errors import InvalidInput, NotFound
from shared.ports import (
    Clock,
    Deviations,
    Estimations,
    Events,
    Incidents,
    Messages,
    Registry,
    StoredEstimation,
    StoredIncident,
    Watched,
)
from shared.usecases.lookup import check_id, look_up_sensor, look_up_template

SYSTEM = "system"
STALE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A time range [start, end), UTC."""

    start: datetime
    end: datetime

    @classmethod
    def parse(
        cls, start: str | None, end: str | None, now: datetime, default: timedelta, longest: timedelta
    ) -> "TimeRange":
        """Return the range of two ISO 8601 texts; raise InvalidInput that names the one that is wrong."""
        until = floor_to_bucket(now) if not end else _moment("to", end)
        since = _before(until, default) if not start else _moment("from", start)
        if since >= until:
            raise InvalidInput(f"from: must be before to, not {iso(since)} with to {iso(until)}")
        if until - since > longest:
            raise InvalidInput(f"from: a range may span at most {longest.days} days, not {(until - since).days}")
        return cls(since, until)


def _before(moment: datetime, span: timedelta) -> datetime:
    try:
        return moment - span
    except OverflowError as error:
        raise InvalidInput(f"to: {iso(moment)} is outside the calendar") from error


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(
            f"{name}: must be ISO 8601 with a time zone, such as 2026-01-31T12:00:00Z, not {text!r}"
        ) from error
    if moment.tzinfo is None:
        raise InvalidInput(f"{name}: must have a time zone, such as Z, not {text!r}")
    try:
        return utc(moment)
    except OverflowError as error:
        raise InvalidInput(f"{name}: {text!r} is outside the calendar") from error


@dataclass(frozen=True, eq=False)
class Samples:
    """A sensor's samples in a time range, as columns [n]."""

    sensor: str
    times: np.ndarray[tuple[int], np.dtype[np.datetime64]]
    ppmv: np.ndarray[tuple[int], np.dtype[np.float64]]
    score: np.ndarray[tuple[int], np.dtype[np.float32]]
    level: np.ndarray[tuple[int], np.dtype[np.int8]]
    fault: np.ndarray[tuple[int], np.dtype[np.int8]]


@dataclass(frozen=True)
class Query:
    """Answers questions about what is stored."""

    registry: Registry
    deviations: Deviations
    incidents_table: Incidents
    estimations: Estimations
    events_table: Events
    messages: Messages
    clock: Clock

    def platforms(self) -> Sequence[Watched]:
        """Return every platform."""
        return self.registry.platforms()

    def platform(self, platform: str) -> Watched:
        """Return one platform; raises NotFound or InvalidInput."""
        check_id("platform", platform, PLATFORM_PATTERN)
        return self.registry.platform(platform)

    def template(self, template: str) -> tuple[Watched, Template]:
        """Return a template and its platform; raises NotFound or InvalidInput."""
        return look_up_template(self.registry, template)

    def sensor(self, sensor: str) -> tuple[Template, Sensor, Change | None]:
        """Return a sensor, its template and its baseline in use; raises NotFound or InvalidInput."""
        watched, template, found = look_up_sensor(self.registry, sensor)
        return template, found, watched.history(sensor).current

    def samples(self, sensor: str, span: TimeRange) -> Samples:
        """Return the sensor's scored samples in the range; raises NotFound or InvalidInput."""
        self.sensor(sensor)
        rows = self.deviations.range(sensor, span.start.date(), span.end.date())
        return _columns(sensor, rows, span)

    def incidents(self, template: str) -> Sequence[StoredIncident]:
        """Return the template's incidents, newest first; raises NotFound or InvalidInput."""
        return self.incidents_table.list(self.template(template)[1].id)

    def incident(self, incident: str) -> StoredIncident:
        """Return one incident; raises NotFound or InvalidInput."""
        template, onset = _split_incident(incident)
        stored = self.incidents_table.get(template, onset)
        if stored is None:
            raise NotFound(f"incident {incident!r} is not stored")
        return stored

    def estimation(self, incident: str) -> StoredEstimation:
        """Return the newest estimation of an incident; raises NotFound or InvalidInput."""
        template, _ = _split_incident(incident)
        stored = self.estimations.get(template, incident)
        if stored is None:
            raise NotFound(f"incident {incident!r} has no estimation yet")
        return stored

    def events(self, subject: str, limit: int) -> Sequence[Event]:
        """Return the newest events of a template, or of the system; raises NotFound or InvalidInput."""
        if subject != SYSTEM:
            self.template(subject)
        return self.events_table.list(subject, limit=limit)

    def health(self) -> Mapping[str, Any]:
        """Return the state of ingestion per template, the queues' lengths and the version."""
        now = self.clock.now()
        templates = []
        for watched in self.registry.platforms():
            for template in watched.platform.templates:
                moments = watched.watermarks.get(template.id, {})
                until = min(moments.values()) if moments else None
                late = now - until if until else None
                templates.append(
                    {
                        "template": template.id,
                        "ingestedUntil": iso(until) if until else None,
                        "lagSeconds": int(late.total_seconds()) if late is not None else None,
                        "sensors": len(template.sensors),
                        "sensorsWithBaseline": sum(
                            watched.history(one.id).current is not None for one in template.sensors
                        ),
                        "stale": late is None or late > STALE,
                    }
                )
        queues = self.messages.lengths()
        poisoned = any(length for name, length in queues.items() if name.endswith("-poison"))
        stale = any(one["stale"] for one in templates if one["sensors"])
        return {
            "status": "degraded" if stale or poisoned else "ok",
            "version": __version__,
            "now": iso(now),
            "templates": templates,
            "queues": dict(queues),
        }


def _split_incident(incident: str) -> tuple[str, datetime]:
    """Return (template id, onset) of an incident's id; raises InvalidInput."""
    check_id("incident", incident, INCIDENT_PATTERN)
    template, _, text = incident.rpartition("-")
    try:
        return template, datetime.strptime(text + "+0000", "%Y%m%dT%H%MZ%z")
    except ValueError as error:
        raise InvalidInput(f"incident: {incident!r} does not end with a time") from error


def _columns(sensor: str, rows: Sequence[DeviationDay], span: TimeRange) -> Samples:
    start, end = to_datetime64(span.start), to_datetime64(span.end)
    times = np.concatenate([np.zeros(0, "datetime64[s]"), *(row.times for row in rows)])
    inside = (times >= start) & (times < end)

    def column(name: str, kind: type) -> Any:
        return np.concatenate([np.zeros(0, kind), *(getattr(row, name) for row in rows)])[inside]

    return Samples(
        sensor,
        times[inside],
        column("ppmv", np.float64),
        column("score", np.float32),
        column("level", np.int8),
        column("fault", np.int8),
    )
