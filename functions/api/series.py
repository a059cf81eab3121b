"""HTTP: what a sensor read, and how it was scored; as JSON columns, or as CSV."""

from typing import Annotated

from pydantic import Field, WithJsonSchema

from functions.http.endpoint import Call, EndpointGroup
from functions.http.parameters import Continuation, WholeNumber
from functions.http.reply import CSV, JSON
from functions.http.time_range import Range, span_of
from shared.bootstrap import app
from shared.domain.series_bodies import (
    DeviationBucketsBody,
    DeviationsBody,
    ReadingBucketsBody,
    ReadingsBody,
    SeaBucketsBody,
    TemplateSeriesBody,
)
from shared.domain.validation import Model
from shared.usecases.queries.series import MOST_POINTS, RESOLUTION_PATTERN, Resolution

group = EndpointGroup("Series")
endpoint = group.endpoint

# Shown by the contract, and held by ``Resolution.parse`` alone.
ResolutionText = Annotated[str, WithJsonSchema({"type": "string", "pattern": RESOLUTION_PATTERN})]


class CurveRange(Range):
    """Time range of a series, and the most points in the answer."""

    points: Annotated[WholeNumber, Field(ge=1, le=MOST_POINTS)] = 1000


class SeriesRange(Range):
    """Time range of a series, its resolution, and where the page begins."""

    resolution: Annotated[
        ResolutionText,
        Field(
            description="`raw`, `1h`, `1d`, or a number of points, each with the least, mean and largest value.",
        ),
    ] = "raw"
    continuation: Continuation


@endpoint("GET", "sensors/{sensor}/tsd", ReadingsBody | ReadingBucketsBody, query=SeriesRange, media_types=(JSON, CSV))
def get_tsd(call: Call[SeriesRange, Model]) -> Model:
    """Return a sensor's readings in ppmv."""
    asked = call.query
    return app().series_queries.readings(
        call.path["sensor"], span_of(asked), Resolution.parse(asked.resolution), asked.continuation
    )


@endpoint(
    "GET",
    "sensors/{sensor}/deviations",
    DeviationsBody | DeviationBucketsBody,
    query=SeriesRange,
    media_types=(JSON, CSV),
)
def get_deviations(call: Call[SeriesRange, Model]) -> Model:
    """Return a sensor's scores, what they rest on, levels and faults."""
    asked = call.query
    return app().series_queries.scores(
        call.path["sensor"], span_of(asked), Resolution.parse(asked.resolution), asked.continuation
    )


@endpoint("GET", "templates/{template}/series", TemplateSeriesBody, query=CurveRange, media_types=(JSON, CSV))
def get_template_series(call: Call[CurveRange, Model]) -> Model:
    """Return all sensors of a template on one time axis, as charts draw them."""
    return app().series_queries.of_template(call.path["template"], span_of(call.query), call.query.points)


@endpoint("GET", "templates/{template}/environment", SeaBucketsBody, query=CurveRange, media_types=(JSON, CSV))
def get_environment(call: Call[CurveRange, Model]) -> Model:
    """Return the current, waves and temperature at a template, as estimations read them."""
    return app().sea_queries.run(call.path["template"], span_of(call.query), call.query.points)
