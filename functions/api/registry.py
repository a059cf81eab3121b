"""HTTP: platforms, their templates, and the sensors on them."""

from http import HTTPStatus
from typing import Annotated, Any

from pydantic import Field

from functions.api.bodies import (
    ListedSensorBody,
    NewPlatformBody,
    NewSensorBody,
    NewTemplateBody,
    PlatformBody,
    PlatformChangesBody,
    SensorBody,
    SensorChangesBody,
    TemplateBody,
    TemplateChangesBody,
    listed_sensor,
    platform_body,
    sensor_body,
    template_body,
)
from functions.http.derived_models import given
from functions.http.endpoint import Call, EndpointGroup
from functions.http.parameters import Flag, NoParameters, Parameters
from functions.http.reply import Reply, listing, listing_of
from shared.bootstrap import app
from shared.domain.platform import Platform
from shared.domain.template import PLATFORM_PATTERN, TEMPLATE_PATTERN, Sensor, Template
from shared.domain.validation import Model, parse_given
from shared.usecases.lookup import find_template, sensor_of
from shared.usecases.registration.registrations import Guard

group = EndpointGroup("Assets")
endpoint = group.endpoint

CREATED, NO_CONTENT, CONFLICT = HTTPStatus.CREATED, HTTPStatus.NO_CONTENT, HTTPStatus.CONFLICT


class SensorFilter(Parameters):
    """Which sensors: of a platform, of a template, pinned or not; each filter may be left out."""

    platform: Annotated[str | None, Field(default=None, pattern=PLATFORM_PATTERN)]
    template: Annotated[str | None, Field(default=None, pattern=TEMPLATE_PATTERN)]
    pinned: Flag | None = None


class Deletion(Parameters):
    """Whether data that depend on the resource go, too; without ``force`` they refuse the deletion."""

    force: Annotated[Flag, Field(description="Delete what belongs to it, too.")] = False


# --- platforms


@endpoint("GET", "platforms", listing_of(PlatformBody))
def list_platforms(call: Call[NoParameters, Model]) -> Model:  # noqa: ARG001
    """List all platforms."""
    return listing(tuple(platform_body(one.platform) for one in app().queries.platforms()))


@endpoint("POST", "platforms", PlatformBody, status=CREATED, body=NewPlatformBody, problems=[CONFLICT])
def create_platform(call: Call[NoParameters, Model]) -> Reply:
    """Register a platform."""
    new = app().registrations.create_platform(parse_given(Platform, given(call.body), "platform"))
    return Reply(platform_body(new), CREATED, location=f"platforms/{new.id}")


@endpoint("GET", "platforms/{platform}", PlatformBody)
def get_platform(call: Call[NoParameters, Model]) -> Model:
    """Return one platform with the ids of its templates."""
    return platform_body(app().queries.platform(call.path["platform"]).platform)


@endpoint("PATCH", "platforms/{platform}", PlatformBody, body=PlatformChangesBody, conditional=True)
def change_platform(call: Call[NoParameters, Model]) -> Model:
    """Change a platform's name or environment series."""
    changed = app().registrations.change_platform(call.path["platform"], given(call.body), _platform_unchanged(call))
    return platform_body(changed)


@endpoint("DELETE", "platforms/{platform}", None, status=NO_CONTENT, query=Deletion, conditional=True)
def delete_platform(call: Call[Deletion, Model]) -> None:
    """Remove a platform; with ``force`` its templates, sensors and data go, too."""
    app().registrations.delete_platform(
        call.path["platform"],
        force=call.query.force,
        guard=_platform_unchanged(call),
    )


# --- templates


@endpoint("GET", "platforms/{platform}/templates", listing_of(TemplateBody))
def list_templates(call: Call[NoParameters, Model]) -> Model:
    """List a platform's templates."""
    found = app().queries.platform(call.path["platform"]).platform.templates
    return listing(tuple(template_body(one) for one in found))


@endpoint(
    "POST", "platforms/{platform}/templates", TemplateBody, status=CREATED, body=NewTemplateBody, problems=[CONFLICT]
)
def create_template(call: Call[NoParameters, Model]) -> Reply:
    """Add a template to a platform."""
    platform = call.path["platform"]
    asked = parse_given(Template, {**given(call.body), "platform": platform}, "template")
    new = app().registrations.create_template(platform, asked)
    return Reply(template_body(new), CREATED, location=f"templates/{new.id}")


@endpoint("GET", "templates/{template}", TemplateBody)
def get_template(call: Call[NoParameters, Model]) -> Model:
    """Return one template with the ids of its sensors."""
    return template_body(app().queries.template(call.path["template"])[1])


@endpoint("PATCH", "templates/{template}", TemplateBody, body=TemplateChangesBody, conditional=True)
def change_template(call: Call[NoParameters, Model]) -> Model:
    """Change a template's geometry, name or leak points; a property that is given replaces the stored one."""
    template = call.path["template"]
    changed = app().registrations.change_template(template, given(call.body), _template_unchanged(call))
    return template_body(changed)


@endpoint("DELETE", "templates/{template}", None, status=NO_CONTENT, query=Deletion, conditional=True)
def delete_template(call: Call[Deletion, Model]) -> None:
    """Remove a template; with ``force`` its sensors and data go, too."""
    template = call.path["template"]
    app().registrations.delete_template(
        template,
        force=call.query.force,
        guard=_template_unchanged(call),
    )


# --- sensors


@endpoint("GET", "sensors", listing_of(ListedSensorBody), query=SensorFilter, problems=[HTTPStatus.NOT_FOUND])
def list_sensors(call: Call[SensorFilter, Model]) -> Model:
    """List sensors with their newest levels."""
    found, now = app().queries.sensors(call.query.platform, call.query.template, call.query.pinned), app().clock.now()
    out = app().suppression_queries.out_of_service(call.query.platform)
    return listing(tuple(listed_sensor(*one, now, out) for one in found))


@endpoint("GET", "templates/{template}/sensors", listing_of(ListedSensorBody))
def list_template_sensors(call: Call[NoParameters, Model]) -> Model:
    """List a template's sensors with their newest levels."""
    record, template = app().queries.template_record(call.path["template"])
    now, out = app().clock.now(), app().suppression_queries.out_of_service(record.platform.id)
    return listing(tuple(listed_sensor(record, template, one, now, out) for one in template.sensors))


@endpoint("POST", "templates/{template}/sensors", SensorBody, status=CREATED, body=NewSensorBody, problems=[CONFLICT])
def create_sensor(call: Call[NoParameters, Model]) -> Reply:
    """Add a sensor to a template; its readings are fetched from then on, and back in time."""
    template, values = call.path["template"], given(call.body)
    asked = parse_given(Sensor, {**values, "id": f"{template}-{values['number']}"}, "sensor")
    new = app().registrations.create_sensor(template, asked)
    return Reply(_sensor(new.id), CREATED, location=f"sensors/{new.id}")


@endpoint("GET", "sensors/{sensor}", SensorBody)
def get_sensor(call: Call[NoParameters, Model]) -> Model:
    """Return one sensor with the baseline that scores it."""
    return _sensor(call.path["sensor"])


@endpoint("PATCH", "sensors/{sensor}", SensorBody, body=SensorChangesBody, conditional=True)
def change_sensor(call: Call[NoParameters, Model]) -> Model:
    """Change a sensor's name or place, its pin, or whether it takes interactive feedback."""
    return _changed(call, given(call.body))


@endpoint("PUT", "sensors/{sensor}/pin", SensorBody, conditional=True)
def pin_sensor(call: Call[NoParameters, Model]) -> Model:
    """Pin a sensor."""
    return _changed(call, {"pinned": True})


@endpoint("DELETE", "sensors/{sensor}/pin", SensorBody, conditional=True)
def unpin_sensor(call: Call[NoParameters, Model]) -> Model:
    """Unpin a sensor."""
    return _changed(call, {"pinned": False})


@endpoint("DELETE", "sensors/{sensor}", None, status=NO_CONTENT, query=Deletion, conditional=True)
def delete_sensor(call: Call[Deletion, Model]) -> None:
    """Remove a sensor; with ``force`` its scores, baselines and marks go, too (its readings stay in the lake)."""
    sensor = call.path["sensor"]
    app().registrations.delete_sensor(
        sensor,
        force=call.query.force,
        guard=_sensor_unchanged(call),
    )


def _changed(call: Call[NoParameters, Model], changes: dict[str, object]) -> Model:
    sensor = call.path["sensor"]
    app().registrations.change_sensor(sensor, changes, _sensor_unchanged(call))
    return _sensor(sensor)


def _sensor(sensor: str) -> Model:
    return sensor_body(*app().queries.sensor(sensor))


def _platform_unchanged(call: Call[Any, Any]) -> Guard:
    return lambda seen: call.check_unchanged(platform_body(seen.platform))


def _template_unchanged(call: Call[Any, Any]) -> Guard:
    return lambda seen: call.check_unchanged(template_body(find_template(seen, call.path["template"])))


def _sensor_unchanged(call: Call[Any, Any]) -> Guard:
    return lambda seen: call.check_unchanged(sensor_body(seen, *sensor_of(seen, call.path["sensor"])))
