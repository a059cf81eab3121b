"""What a day's scores rest on, as a mark: while that stays the same, rows that were right are right."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import date

from shared.detection import engine_id
from shared.domain.checked_days import LENGTH
from shared.domain.incident import Incident
from shared.domain.template import Template
from shared.domain.tsd import ONE_DAY
from shared.ports import Registration
from shared.usecases.detection.detect import REACH


def marks_of(
    record: Registration, template: Template, held: Mapping[date, str], incidents: Iterable[Incident]
) -> dict[date, str]:
    """Return the mark of each day that the lake holds or an incident names.

    ``held`` are the etags of the days' blobs. In a mark are: the engine, the blobs of the day and of those before it
    that it is scored with, each sensor with its series and the version that scores the day, the incidents of the day.
    """
    named: dict[date, list[str]] = {}
    for incident in incidents:
        for day in incident.days:
            named.setdefault(day, []).append(f"{incident.id} {' '.join(incident.sensors)}")
    histories = [(sensor, record.history(sensor.id)) for sensor in template.sensors]
    engine, found = engine_id(), {}
    for day in held.keys() | named.keys():
        blobs = [held.get(day - offset * ONE_DAY, "") for offset in range(REACH // ONE_DAY + 1)]
        sensors = [f"{one.id} {one.tag} {history.version_of(day)} {history.engine}" for one, history in histories]
        found[day] = _digest([engine, *blobs, *sensors, *sorted(named.get(day, []))])
    return found


def _digest(parts: Iterable[str]) -> str:
    digest = hashlib.sha256("\n".join(parts).encode()).digest()
    return base64.urlsafe_b64encode(digest[: 3 * LENGTH // 4]).decode()
