"""HTTP: the baseline that scores a sensor: its history, its renewal, and the way back; what follows is queued."""

from datetime import date
from http import HTTPStatus
from typing import Annotated

from pydantic import AwareDatetime, Field

from functions.http.derived_models import derive_model, shown
from functions.http.endpoint import Call, EndpointGroup
from functions.http.parameters import NoParameters
from shared.bootstrap import app
from shared.domain.baseline_history import BaselineHistory, Change, DayRange, Recipe
from shared.domain.mark import Span
from shared.domain.validation import Model
from shared.errors import InvalidInput

group = EndpointGroup("Baselines")
endpoint = group.endpoint

ACCEPTED = HTTPStatus.ACCEPTED


class DaysBody(Model):
    """A range of UTC days, both ends included."""

    first: date
    last: date


class TimeSpanBody(Model):
    """A time range [from, to)."""

    from_: AwareDatetime = Field(alias="from")
    to: AwareDatetime


class RecipeBody(Model):
    """What a version was built from: days of a sensor's readings, ranges included and ranges excluded."""

    source: str
    days: tuple[DaysBody, ...]
    included: tuple[TimeSpanBody, ...]
    excluded: tuple[TimeSpanBody, ...]
    rates: tuple[float, float] = Field(description="False alarms per sensor-month, Warning's and Critical's.")


BaselineChangeBody = derive_model("BaselineChangeBody", Change, without=("recipe",), more={"recipe": RecipeBody})


class BaselineBody(Model):
    """A sensor's baseline: the version in use, and every change in order of the day from which it counts."""

    sensor: str
    current: str | None
    last_attempt: date | None = Field(
        description="The newest day on which another version was tried and this one stayed."
    )
    changes: tuple[BaselineChangeBody, ...]  # type: ignore[valid-type]


class SelectionBody(Model):
    """The version to go back to."""

    version: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]


class UndoRequestBody(Model):
    """``undone``: true to undo a change, false to redo it."""

    undone: bool


@endpoint("GET", "sensors/{sensor}/baseline", BaselineBody)
def get_baseline(call: Call[NoParameters, Model]) -> Model:
    """Return the versions that score and scored a sensor, each with its first day and reason."""
    return _baseline(call.path["sensor"], app().baseline_queries.history(call.path["sensor"]))


@endpoint("POST", "sensors/{sensor}/baseline/rebuild", BaselineBody, status=ACCEPTED)
def rebuild_baseline(call: Call[NoParameters, Model]) -> Model:
    """Queue an update of a sensor's baseline with the lake and the marks, now instead of tonight."""
    return _baseline(call.path["sensor"], app().feedback.rebuild(call.path["sensor"]))


@endpoint("POST", "sensors/{sensor}/baseline/select", BaselineBody, status=ACCEPTED, body=SelectionBody)
def select_baseline(call: Call[NoParameters, SelectionBody]) -> Model:
    """Select an earlier or later version: changes after it are undone."""
    history = app().feedback.select(call.path["sensor"], call.body.version)
    return _baseline(call.path["sensor"], history)


@endpoint(
    "PATCH", "sensors/{sensor}/baseline/changes/{valid_from}", BaselineChangeBody, status=ACCEPTED, body=UndoRequestBody
)
def undo_baseline(call: Call[NoParameters, UndoRequestBody]) -> Model:
    """Undo or redo one change of a baseline."""
    day = _day(call.path["valid_from"])
    return _change(app().feedback.undo_baseline(call.path["sensor"], day, undone=call.body.undone))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"valid_from: must be a day such as 2026-01-31, not {text}") from error


def _baseline(sensor: str, history: BaselineHistory) -> Model:
    return BaselineBody.model_construct(
        sensor=sensor,
        current=history.current.version or None if history.current else None,
        last_attempt=history.last_attempt,
        changes=tuple(_change(one) for one in history.changes),
    )


def _change(change: Change) -> Model:
    return shown(BaselineChangeBody, change, recipe=_recipe(change.recipe))


def _recipe(recipe: Recipe) -> RecipeBody:
    return RecipeBody(
        source=recipe.source,
        days=tuple(_days(one) for one in recipe.days),
        included=tuple(_span(one) for one in recipe.included),
        excluded=tuple(_span(one) for one in recipe.excluded),
        rates=recipe.rates,
    )


def _days(days: DayRange) -> DaysBody:
    return DaysBody(first=days.first, last=days.last)


def _span(span: Span) -> TimeSpanBody:
    return TimeSpanBody(from_=span.start, to=span.end)
