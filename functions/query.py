"""HTTP: what is known, for people and other services; reads only."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import azure.functions as func
import numpy as np

from functions.http import Columns, answer, limit_of, plain
from shared.bootstrap import app
from shared.detection import Fault
from shared.domain.baseline_history import Change
from shared.domain.deviation import Level
from shared.domain.event import Event
from shared.domain.template import Sensor, Template
from shared.ports import StoredEstimation, StoredIncident, Watched
from shared.settings import settings
from shared.usecases.query import SYSTEM, Samples, TimeRange

blueprint = func.Blueprint()

MOST_EVENTS = 1000


def get(route: str, name: str, auth: func.AuthLevel = func.AuthLevel.FUNCTION) -> Any:
    """Return the decorators of a GET function of that name and route."""

    def decorate(function: Any) -> Any:
        routed = blueprint.route(route=route, methods=["GET"], auth_level=auth)(function)
        return blueprint.function_name(name)(routed)

    return decorate


@get("platforms", "list_platforms")
def list_platforms(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:  # noqa: ARG001
    """List the platforms."""
    return answer(context, lambda: [_platform(one) for one in app().query.platforms()])


@get("platforms/{platform}", "get_platform")
def get_platform(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return one platform."""
    return answer(context, lambda: _platform(app().query.platform(req.route_params["platform"])))


@get("platforms/{platform}/templates", "list_templates")
def list_templates(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List a platform's templates."""

    def work() -> Any:
        watched = app().query.platform(req.route_params["platform"])
        return [_template(watched, one) for one in watched.platform.templates]

    return answer(context, work)


@get("templates/{template}", "get_template")
def get_template(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return one template."""
    return answer(context, lambda: _template(*app().query.template(req.route_params["template"])))


@get("templates/{template}/sensors", "list_sensors")
def list_sensors(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List a template's sensors."""

    def work() -> Any:
        watched, template = app().query.template(req.route_params["template"])
        return [_sensor(template, one, watched.history(one.id).current) for one in template.sensors]

    return answer(context, work)


@get("sensors/{sensor}", "get_sensor")
def get_sensor(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return one sensor."""
    return answer(context, lambda: _sensor(*app().query.sensor(req.route_params["sensor"])))


@get("sensors/{sensor}/tsd", "get_tsd")
def get_tsd(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return a sensor's readings in a time range, as columns."""

    def work() -> Any:
        samples = _samples(req)
        return {"sensor": samples.sensor, "unit": "ppmv", "times": _times(samples), "ppmv": _column(samples.ppmv)}

    return answer(context, work)


@get("sensors/{sensor}/deviations", "get_deviations")
def get_deviations(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return a sensor's scores, levels and faults in a time range, as columns."""

    def work() -> Any:
        samples = _samples(req)
        words = np.array([Level(number).word for number in (0, 1, 2, -1)])  # -1 indexes the last
        faults = np.array([None if fault is Fault.NONE else fault.word for fault in Fault])
        return {
            "sensor": samples.sensor,
            "times": _times(samples),
            "score": _column(samples.score.astype(np.float64).round(4)),
            "level": Columns(words[samples.level].tolist()),
            "fault": Columns(faults[samples.fault].tolist()),
        }

    return answer(context, work)


@get("templates/{template}/incidents", "list_incidents")
def list_incidents(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List a template's incidents, newest first."""
    return answer(context, lambda: [_incident(one) for one in app().query.incidents(req.route_params["template"])])


@get("incidents/{incident}", "get_incident")
def get_incident(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return one incident."""
    return answer(context, lambda: _incident(app().query.incident(req.route_params["incident"])))


@get("incidents/{incident}/estimation", "get_estimation")
def get_estimation(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return the newest estimation of an incident."""
    return answer(context, lambda: _estimation(app().query.estimation(req.route_params["incident"])))


@get("templates/{template}/events", "list_events")
def list_events(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List a template's events, newest first."""
    return answer(context, lambda: _events(req, req.route_params["template"]))


@get("events", "list_system_events")
def list_system_events(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List the events of the system as a whole, newest first."""
    return answer(context, lambda: _events(req, SYSTEM))


@get("health", "get_health", func.AuthLevel.ANONYMOUS)
def get_health(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:  # noqa: ARG001
    """Return the state of ingestion, the queues' lengths and the version."""
    return answer(context, app().query.health)


def _samples(req: func.HttpRequest) -> Samples:
    bounds = settings().query
    span = TimeRange.parse(
        req.params.get("from"),
        req.params.get("to"),
        app().clock.now(),
        timedelta(days=bounds.default_days),
        timedelta(days=bounds.max_days),
    )
    return app().query.samples(req.route_params["sensor"], span)


def _times(samples: Samples) -> Columns:
    return Columns(np.datetime_as_string(samples.times, unit="s", timezone="UTC").tolist())


def _column(values: Any) -> Columns:
    known = np.isfinite(values)
    column = values.tolist()
    if not known.all():
        for index in np.flatnonzero(~known):
            column[index] = None
    return Columns(column)


def _platform(watched: Watched) -> Mapping[str, Any]:
    platform = watched.platform
    return {
        "id": platform.id,
        "name": platform.name,
        "facility": platform.facility,
        "environment": platform.environment,
        "templates": [template.id for template in platform.templates],
    }


def _template(watched: Watched, template: Template) -> Mapping[str, Any]:
    ingested = watched.watermarks.get(template.id, {})
    body: dict[str, Any] = plain(template)
    body["sensors"] = [sensor.id for sensor in template.sensors]
    body["ingestedUntil"] = min(ingested.values(), default=None)
    return body


def _sensor(template: Template, sensor: Sensor, baseline: Change | None) -> Mapping[str, Any]:
    body: dict[str, Any] = plain(sensor)
    body["template"] = template.id
    body["baseline"] = {"version": baseline.version, "validFrom": baseline.valid_from} if baseline else None
    return body


def _incident(stored: StoredIncident) -> Mapping[str, Any]:
    body: dict[str, Any] = plain(stored.incident)
    body["open"] = stored.incident.open
    body["notifiedUntil"] = stored.told.at if stored.told else None
    return body


def _estimation(stored: StoredEstimation) -> Mapping[str, Any]:
    head = {"incident": stored.incident, "template": stored.template, "at": stored.at, "inputsDigest": stored.digest}
    body: dict[str, Any] = plain(stored.estimation)
    return head | body | {"history": plain(stored.history)}


def _events(req: func.HttpRequest, subject: str) -> list[Event]:
    return list(app().query.events(subject, limit_of(req, 100, MOST_EVENTS)))
