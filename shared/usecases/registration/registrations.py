"""Registrations: platforms, templates and sensors are created, changed and deleted while everything runs.

Each method reads the platform, makes the new one by the domain's rules, and writes on exactly what was read; when
something else was written meanwhile, it reads again. A ``guard`` sees what was read before anything is written, and
raises where the caller had something else in mind. A deletion of what has data is recorded before anything goes: what
cut it short, the daily run finishes it.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from shared.domain.platform import Platform
from shared.domain.proof_test import PROOF_PLATFORM
from shared.domain.template import MARGIN_M, PLATFORM_PATTERN, Sensor, Template
from shared.domain.validation import Model, parse_given
from shared.errors import Exists, HasData, InvalidInput, NotFound
from shared.ports import Registration, RegistryTable
from shared.retry import after_conflicts
from shared.telemetry import log_event
from shared.usecases.lookup import check_id, find_template, look_up_sensor, look_up_template, sensor_of

logger = logging.getLogger(__name__)

Guard = Callable[[Registration], None]
OneModel = TypeVar("OneModel", bound=Model)

ANEW = "cannot be changed; delete the {kind} and create it anew"
ALONE = "cannot be changed here; create, change and delete each by itself"
FIXED: Mapping[str, Mapping[str, str]] = {
    "platform": {"id": ANEW, "facility": ANEW, "templates": ALONE},  # two installations would mix in one series
    "template": {"id": ANEW, "platform": ANEW, "sensors": ALONE},
    "sensor": {"id": ANEW, "number": ANEW, "tag": ANEW},
}
MOST_NAMED = 5  # leak points in an error
SHAPE = {"leak_points", "width", "length", "height"}


class DependentData(Protocol):
    """What is stored of sensors and templates beside their registration."""

    def of_sensor(self, template: Template, sensor: Sensor) -> Mapping[str, int]:
        """Return what would go with the sensor, by kind."""
        ...

    def of_template(self, platform: Platform, template: Template) -> Mapping[str, int]:
        """Return what would go with the template, its sensors' included, by kind."""
        ...

    def remove_sensor(self, template: Template, sensor: Sensor) -> None:
        """Remove all of it; removing it again changes nothing."""
        ...

    def remove_template(self, platform: Platform, template: Template) -> None:
        """Remove all of it, its sensors' included; removing it again changes nothing."""
        ...


def _anything(record: Registration) -> None:
    """Guard nothing."""


@dataclass(frozen=True, kw_only=True)
class Registrations:
    """Creates, changes and deletes what is watched."""

    registry: RegistryTable
    contents: DependentData

    def create_platform(self, platform: Platform) -> Platform:
        """Register a platform; raises Exists where one of that id does, and InvalidInput."""
        if platform.id == PROOF_PLATFORM:
            raise InvalidInput(f"id: {PROOF_PLATFORM!r} is the platform of proof tests, and cannot be registered")
        _refuse_shared_tags(platform.model_copy(update={"templates": (), "environment": {}}), platform)
        after_conflicts(lambda _: self.registry.change(None, platform), platform.id)
        return platform

    def change_platform(self, platform: str, changes: Mapping[str, Any], guard: Guard = _anything) -> Platform:
        """Change properties of a platform by name; raises NotFound or InvalidInput."""

        def change(record: Registration) -> tuple[Platform, Platform]:
            changed = _changed("platform", record.platform, changes)
            return changed, changed

        return self._change(lambda: self._platform(platform), guard, change)

    def delete_platform(self, platform: str, *, force: bool = False, guard: Guard = _anything) -> None:
        """Delete a platform; raises HasData where it has templates, unless forced, and NotFound."""

        def clear(record: Registration) -> None:
            for one in record.platform.templates:
                self.contents.remove_template(record.platform, one)

        read = partial(self._platform, platform)
        self._delete(platform, read, guard, self._of_platform, clear, lambda _: None, force=force)

    def create_template(self, platform: str, template: Template, guard: Guard = _anything) -> Template:
        """Register a template of a platform; raises Exists where one of that id does, NotFound, InvalidInput."""

        def create(record: Registration) -> tuple[Platform, Template]:
            if any(one.id == template.id for one in record.platform.templates):
                raise Exists(f"template {template.id!r} exists")
            _check_places(template)
            return _platform(record, (*record.platform.templates, template)), template

        return self._change(lambda: self._platform(platform), guard, create)

    def change_template(self, template: str, changes: Mapping[str, Any], guard: Guard = _anything) -> Template:
        """Change properties of a template by name; raises NotFound or InvalidInput."""

        def change(record: Registration) -> tuple[Platform, Template]:
            changed = _changed("template", find_template(record, template), changes)
            if changes.keys() & SHAPE:
                _check_places(changed)
            return _with(record, changed), changed

        return self._change(lambda: look_up_template(self.registry, template)[0], guard, change)

    def delete_template(self, template: str, *, force: bool = False, guard: Guard = _anything) -> None:
        """Delete a template; raises HasData where something would go with it, unless forced, and NotFound."""

        def rest(record: Registration) -> Platform:
            return _platform(record, tuple(one for one in record.platform.templates if one.id != template))

        self._delete(
            template,
            lambda: look_up_template(self.registry, template)[0],
            guard,
            lambda record: self._of_template(record, find_template(record, template)),
            lambda record: self.contents.remove_template(record.platform, find_template(record, template)),
            rest,
            force=force,
        )

    def create_sensor(self, template: str, sensor: Sensor, guard: Guard = _anything) -> Sensor:
        """Register a sensor of a template; raises Exists where one of that id does, NotFound, InvalidInput."""

        def create(record: Registration) -> tuple[Platform, Sensor]:
            old = find_template(record, template)
            if any(one.id == sensor.id for one in old.sensors):
                raise Exists(f"sensor {sensor.id!r} exists")
            return _with(record, _of_sensors(old, (*old.sensors, sensor))), sensor

        return self._change(lambda: look_up_template(self.registry, template)[0], guard, create)

    def change_sensor(self, sensor: str, changes: Mapping[str, Any], guard: Guard = _anything) -> Sensor:
        """Change properties of a sensor by name; raises NotFound or InvalidInput."""

        def change(record: Registration) -> tuple[Platform, Sensor]:
            template, old = sensor_of(record, sensor)
            changed = _changed("sensor", old, changes)
            sensors = tuple(changed if one.id == sensor else one for one in template.sensors)
            return _with(record, _of_sensors(template, sensors)), changed

        return self._change(lambda: look_up_sensor(self.registry, sensor)[0], guard, change)

    def delete_sensor(self, sensor: str, *, force: bool = False, guard: Guard = _anything) -> None:
        """Delete a sensor; raises HasData where something would go with it, unless forced, and NotFound."""

        def rest(record: Registration) -> Platform:
            template, _ = sensor_of(record, sensor)
            return _with(record, _of_sensors(template, tuple(one for one in template.sensors if one.id != sensor)))

        self._delete(
            sensor,
            lambda: look_up_sensor(self.registry, sensor)[0],
            guard,
            lambda record: (f"sensor {sensor!r}", self.contents.of_sensor(*sensor_of(record, sensor))),
            lambda record: self.contents.remove_sensor(*sensor_of(record, sensor)),
            rest,
            force=force,
        )

    def finish_deletions(self) -> dict[str, str]:
        """Finish what was cut short; return what failed, by id, after all had their turn."""
        failed = {}
        self.registry.mend()
        for record in self.registry.platforms():
            for name in sorted(record.deletions):
                log_event(logger, "deletion goes on", logging.WARNING, of=name)
                try:
                    self._deletion_of(record, name)(name, force=True)
                except NotFound:
                    continue  # it went with what it belonged to, or somebody asked again
                except Exception as error:
                    logger.exception("%s could not be deleted", name)
                    failed[name] = f"{type(error).__name__}: {error}"
        return failed

    def _deletion_of(self, record: Registration, name: str) -> Callable[..., None]:
        if name == record.platform.id:
            return self.delete_platform
        is_template = any(one.id == name for one in record.platform.templates)
        return self.delete_template if is_template else self.delete_sensor

    def _change(
        self,
        read: Callable[[], Registration],
        guard: Guard,
        make: Callable[[Registration], tuple[Platform, OneModel]],
    ) -> OneModel:
        """Write what is made of what was read; what another one wrote meanwhile is read and made something of."""

        def attempt(_: bool) -> OneModel:
            record = read()
            guard(record)
            after, made = make(record)
            _refuse_shared_tags(record.platform, after)
            if after != record.platform:
                self.registry.change(record, after)
            return made

        return after_conflicts(attempt, "registration")

    def _delete(
        self,
        name: str,
        read: Callable[[], Registration],
        guard: Guard,
        count: Callable[[Registration], tuple[str, Mapping[str, int]]],
        clear: Callable[[Registration], None],
        rest: Callable[[Registration], Platform | None],
        *,
        force: bool,
    ) -> None:
        """Remove the contents, then the registration, then what a run that still knew it has written meanwhile.

        While the registration is there, so is what says that it is being deleted.
        """

        def attempt(_: bool) -> None:
            record = read()
            guard(record)
            if not force and any((found := count(record))[1].values()):
                raise HasData(*found)
            if force and name not in record.deletions:
                self.registry.begin_deletion(record, name)
                record = read()
            if force:
                clear(record)
            self.registry.change(record, rest(record))
            clear(record)

        after_conflicts(attempt, "registration")

    def _platform(self, platform: str) -> Registration:
        check_id("platform", platform, PLATFORM_PATTERN)
        return self.registry.platform(platform)

    def _of_platform(self, record: Registration) -> tuple[str, Mapping[str, int]]:
        contents: Counter[str] = Counter(templates=len(record.platform.templates))
        for template in record.platform.templates:
            contents.update(self._of_template(record, template)[1])
        return f"platform {record.platform.id!r}", contents

    def _of_template(self, record: Registration, template: Template) -> tuple[str, Mapping[str, int]]:
        contents = {"sensors": len(template.sensors), **self.contents.of_template(record.platform, template)}
        return f"template {template.id!r}", contents


def _changed(kind: str, old: OneModel, changes: Mapping[str, Any]) -> OneModel:
    """Return the model with the changes in it; raises InvalidInput that names every bad property."""
    values = old.model_dump()
    for name, why in FIXED[kind].items():
        if name in changes and changes[name] not in (values[name], old.model_dump(mode="json")[name]):
            raise InvalidInput(f"{name}: {why.format(kind=kind)}")
    more = {name: value for name, value in changes.items() if name not in FIXED[kind]}
    return parse_given(type(old), values | more, kind)


def _check_places(template: Template) -> None:
    """Raise InvalidInput where a leak point does not belong to the template: no answer could be given of it."""
    if template.misplaced:
        named = ", ".join(
            f"{one.name!r} at ({one.x:g}, {one.y:g}, {one.z:g})" for one in template.misplaced[:MOST_NAMED]
        )
        raise InvalidInput(
            f"leakPoints: must lie in the template or at most {MARGIN_M:g} m outside its width, length and height "
            f"[m], not {named}"
        )


def _refuse_shared_tags(before: Platform, after: Platform) -> None:
    """Raise InvalidInput where a change lets two of the platform's series read one tag."""
    used = _tags(after)
    shared = {tag for tag, count in used.items() if count > 1 and count > _tags(before)[tag]}
    if shared:
        raise InvalidInput(f"tag: {', '.join(sorted(shared))} is read by another series of {after.id} already")


def _tags(platform: Platform) -> Counter[str]:
    """Return how many series of the platform read each tag."""
    sensors = [sensor.tag for template in platform.templates for sensor in template.sensors]
    return Counter([*sensors, *(series.tag for series in platform.environment.values())])


def _platform(record: Registration, templates: tuple[Template, ...]) -> Platform:
    """Return the platform with these templates, by all rules that hold between them."""
    values = record.platform.model_dump() | {"templates": [one.model_dump() for one in templates]}
    return parse_given(Platform, values, "platform")


def _with(record: Registration, template: Template) -> Platform:
    return _platform(record, tuple(template if one.id == template.id else one for one in record.platform.templates))


def _of_sensors(template: Template, sensors: tuple[Sensor, ...]) -> Template:
    values = template.model_dump() | {"sensors": [one.model_dump() for one in sensors]}
    return parse_given(Template, values, "template")
