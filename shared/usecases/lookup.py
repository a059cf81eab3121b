"""Lookup: from an id that somebody gave to what is registered under it."""

import re

from shared.domain.decisions import Decisions
from shared.domain.mark import Mark
from shared.domain.template import SENSOR_PATTERN, TEMPLATE_PATTERN, Sensor, Template
from shared.errors import InvalidInput, NotFound
from shared.ports import EventsTable, MarksTable, PlatformRecord, RegistryTable, StoredEvent


def check_id(name: str, value: str, pattern: str) -> None:
    """Raise InvalidInput, naming what it should be, unless the value reads like an id."""
    if not re.fullmatch(pattern.removeprefix("^").removesuffix("$"), value):
        raise InvalidInput(f"{name}: {value!r} is not an id of a {name}")


def find_template(record: PlatformRecord, template: str) -> Template:
    """Return the platform's template of that id; raises NotFound."""
    for one in record.platform.templates:
        if one.id == template:
            return one
    raise NotFound(f"template {template!r} is not registered at {record.platform.id}")


def look_up_template(registry: RegistryTable, template: str) -> tuple[PlatformRecord, Template]:
    """Return a template and its platform; raises NotFound or InvalidInput."""
    check_id("template", template, TEMPLATE_PATTERN)
    record = registry.platform(template.partition("-")[0])
    return record, find_template(record, template)


def look_up_sensor(registry: RegistryTable, sensor: str) -> tuple[PlatformRecord, Template, Sensor]:
    """Return a sensor, its template and platform; raises NotFound or InvalidInput."""
    check_id("sensor", sensor, SENSOR_PATTERN)
    record, _ = look_up_template(registry, sensor.rpartition("-")[0])
    return record, *sensor_of(record, sensor)


def sensor_of(record: PlatformRecord, sensor: str) -> tuple[Template, Sensor]:
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
