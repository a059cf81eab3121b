"""HTTP: what a sensor read, and how it was scored; as JSON columns, or as CSV."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from functions.http.operation import Call, Endpoints
from functions.http.parameters import Continuation, MomentText, Parameters
from functions.http.reply import CSV, JSON, Reply
from shared.bootstrap import app
from shared.domain.series import DeviationBuckets, Deviations, ReadingBuckets, Readings
from shared.domain.validation import Model
from shared.settings import settings
from shared.usecases.series import Resolution, TimeRange

endpoints = Endpoints("Series")
endpoint = endpoints.endpoint

ALONGSIDE = ("sensor", "unit", "bucket_seconds", "continuation")  # what is no column


class SeriesRange(Parameters):
    """Which part of a series, and how fine."""

    from_: Annotated[MomentText | None, Field(alias="from", description="Default: a week before `to`.")] = None
    to: Annotated[MomentText | None, Field(description="Default: now.")] = None
    resolution: Annotated[
        str,
        Field(
            pattern=r"^(raw|1h|1d|[1-9][0-9]{0,3}|10000)$",
            description="`raw`, `1h`, `1d`, or a number of points, each with the least, mean and largest value.",
        ),
    ] = "raw"
    continuation: Continuation


@endpoint("GET", "sensors/{sensor}/tsd", Readings | ReadingBuckets, query=SeriesRange, media_types=(JSON, CSV))
def get_tsd(call: Call[SeriesRange, Model]) -> Reply:
    """Return a sensor's readings in ppmv."""
    asked = call.query
    found = app().series.readings(
        call.path["sensor"], _span(asked), Resolution.parse(asked.resolution), asked.continuation
    )
    return _reply(call, found)


@endpoint(
    "GET", "sensors/{sensor}/deviations", Deviations | DeviationBuckets, query=SeriesRange, media_types=(JSON, CSV)
)
def get_deviations(call: Call[SeriesRange, Model]) -> Reply:
    """Return a sensor's scores, levels and faults."""
    asked = call.query
    found = app().series.scores(
        call.path["sensor"], _span(asked), Resolution.parse(asked.resolution), asked.continuation
    )
    return _reply(call, found)


def _span(asked: SeriesRange) -> TimeRange:
    bounds = settings().query
    default, longest = timedelta(days=bounds.default_days), timedelta(days=bounds.max_days)
    return TimeRange.parse(asked.from_, asked.to, app().clock.now(), default, longest)


def _reply(call: Call[SeriesRange, Model], found: Model) -> Reply:
    if call.accepts_csv():
        return Reply(to_csv(found), media_type=CSV, continuation=getattr(found, "continuation", None))
    return Reply(found)


def to_csv(found: Model) -> str:
    """Return the series' columns as CSV, a line for each time; what is not known is empty."""
    columns = {name: getattr(found, name) for name in type(found).model_fields if name not in ALONGSIDE}
    texts = [["" if value is None else str(value) for value in column] for column in columns.values()]
    lines = [
        ",".join("time" if name == "times" else name for name in columns),
        *map(",".join, zip(*texts, strict=True)),
    ]
    return "\n".join(lines) + "\n"
