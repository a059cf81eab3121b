"""Lookup: from an id that somebody gave to what is registered under it."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from shared.detection import Baseline
from shared.domain.decisions import Decisions
from shared.domain.mark import Mark
from shared.domain.template import SENSOR_PATTERN, TEMPLATE_PATTERN, Sensor, Template
from shared.errors import CorruptBlob, InvalidInput, LeakDetectionError, NewerSchema, NotFound, OtherEngine
from shared.ports import (
    BaselineStore,
    EventsTable,
    MarksTable,
    PlatformRecord,
    Registration,
    RegistryTable,
    StoredEvent,
)
from shared.telemetry import log_event

logger = logging.getLogger(__name__)


def check_id(name: str, value: str, pattern: str) -> None:
    """Raise InvalidInput, naming what it should be, unless the value reads like an id."""
    if not re.fullmatch(pattern.removeprefix("^").removesuffix("$"), value):
        raise InvalidInput(f"{name}: {value!r} is not an id of a {name}")


def find_template(record: Registration, template: str) -> Template:
    """Return the platform's template of that id; raises NotFound."""
    for one in record.platform.templates:
        if one.id == template:
            return one
    raise NotFound(f"template {template!r} is not registered at {record.platform.id}")


@contextmanager
def unless_gone(registry: RegistryTable, platform: str, template: str) -> Iterator[None]:
    """Do work that a message or a blob asks for; of a template that is registered no more, nothing is left to do.

    Whatever the work raises while the template is registered is raised.
    """
    try:
        yield
    except LeakDetectionError as error:
        if _is_registered(registry, platform, template):
            raise
        log_event(logger, "work dropped", logging.WARNING, template=template, why=error)


def _is_registered(registry: RegistryTable, platform: str, template: str) -> bool:
    try:
        find_template(registry.platform(platform), template)
    except NotFound:
        return False
    return True


def look_up_template(registry: RegistryTable, template: str) -> tuple[Registration, Template]:
    """Return a template and its platform; raises NotFound or InvalidInput."""
    check_id("template", template, TEMPLATE_PATTERN)
    record = registry.platform(template.partition("-")[0])
    return record, find_template(record, template)


def look_up_sensor(registry: RegistryTable, sensor: str) -> tuple[Registration, Template, Sensor]:
    """Return a sensor, its template and platform; raises NotFound or InvalidInput."""
    check_id("sensor", sensor, SENSOR_PATTERN)
    record, _ = look_up_template(registry, sensor.rpartition("-")[0])
    return record, *sensor_of(record, sensor)


def look_up_record(registry: RegistryTable, template: str) -> tuple[PlatformRecord, Template]:
    """Return a template and what is known of its data; raises NotFound or InvalidInput."""
    check_id("template", template, TEMPLATE_PATTERN)
    record = registry.record(template)
    return record, find_template(record, template)


def sensor_of(record: Registration, sensor: str) -> tuple[Template, Sensor]:
    """Return the platform's sensor of that id and its template; raises NotFound."""
    template = find_template(record, sensor.rpartition("-")[0])
    for one in template.sensors:
        if one.id == sensor:
            return template, one
    raise NotFound(f"sensor {sensor!r} is not registered at {template.id}")


def look_up_mark(marks: MarksTable, sensor: str, mark: str) -> Mark:
    """Return the sensor's mark of that id; raises NotFound."""
    return mark_of(marks.of(sensor), sensor, mark)


def mark_of(decisions: Decisions, sensor: str, mark: str) -> Mark:
    """Return the mark of that id among a sensor's decisions; raises NotFound."""
    stored = decisions.mark(mark)
    if stored is None:
        raise NotFound(f"mark {mark[:40]!r} of {sensor} is not stored")
    return stored


def look_up_event(registry: RegistryTable, events: EventsTable, template: str, event: str) -> StoredEvent:
    """Return the template's event of that id; raises NotFound or InvalidInput."""
    look_up_template(registry, template)
    stored = events.get(template, event)
    if stored is None:
        raise NotFound(f"event {event} of {template} is not stored")
    return stored


def readable_baseline(baselines: BaselineStore, sensor: str, version: str) -> Baseline | None:
    """Return a sensor's version; None for one that cannot be read, which the events tell of."""
    try:
        return baselines.get(sensor, version)
    except (NotFound, CorruptBlob, OtherEngine, NewerSchema):
        return None
