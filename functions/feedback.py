"""HTTP: what people say of a sensor's alarms and baselines, and what became of it."""

from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from typing import Any

import azure.functions as func
from pydantic import AwareDatetime, Field, StrictBool

from functions.http import answer, plain
from shared.bootstrap import app
from shared.domain.baseline_history import Change
from shared.domain.mark import Mark, Span, Verdict
from shared.domain.validation import Model, parse
from shared.errors import InvalidInput

blueprint = func.Blueprint()


class MarkRequest(Model):
    """A verdict on the readings of [from, to)."""

    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to")
    verdict: Verdict
    by: str = Field(min_length=1, max_length=100)
    note: str = Field(default="", max_length=1000)


class UndoRequest(Model):
    """Whether a baseline change counts no more."""

    undone: StrictBool


def served(method: str, route: str, name: str) -> Any:
    """Return the decorators of a function of that name, method and route."""

    def decorate(function: Any) -> Any:
        routed = blueprint.route(route=route, methods=[method], auth_level=func.AuthLevel.FUNCTION)(function)
        return blueprint.function_name(name)(routed)

    return decorate


@served("GET", "sensors/{sensor}/baselines", "list_baselines")
def list_baselines(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Return a sensor's baseline history, oldest change first."""

    def work() -> Any:
        history = app().feedback.history(req.route_params["sensor"])
        current = history.current
        return {
            "sensor": req.route_params["sensor"],
            "current": current.version if current else None,
            "kept": history.kept,
            "changes": [_change(one) for one in history.changes],
        }

    return answer(context, work)


@served("POST", "sensors/{sensor}/baselines/{valid_from}/undo", "undo_baseline")
def undo_baseline(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Let a baseline change count no more, or again; what follows is queued."""

    def work() -> Any:
        asked = parse(UndoRequest, req.get_body(), "body")
        day = _day(req.route_params["valid_from"])
        return _change(app().feedback.undo_baseline(req.route_params["sensor"], day, undone=asked.undone))

    return answer(context, work, HTTPStatus.ACCEPTED)


@served("GET", "sensors/{sensor}/marks", "list_marks")
def list_marks(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """List a sensor's marks, newest first, with what the rows said before and say now."""

    def work() -> Any:
        found = app().feedback.marks(req.route_params["sensor"])
        return [{**_mark(one.mark), "after": plain(one.after)} for one in found]

    return answer(context, work)


@served("POST", "sensors/{sensor}/marks", "add_mark")
def add_mark(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Mark a range of a sensor's readings; what follows is queued."""

    def work() -> Any:
        asked = parse(MarkRequest, req.get_body(), "body")
        span = Span(asked.start, asked.end)
        return _mark(app().feedback.mark(req.route_params["sensor"], span, asked.verdict, asked.by, asked.note))

    return answer(context, work, HTTPStatus.ACCEPTED)


@served("DELETE", "sensors/{sensor}/marks/{mark}", "undo_mark")
def undo_mark(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Let a mark count no more; what follows is queued."""

    def work() -> Any:
        return _mark(app().feedback.undo_mark(req.route_params["sensor"], req.route_params["mark"]))

    return answer(context, work, HTTPStatus.ACCEPTED)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"valid_from: must be a day such as 2026-01-31, not {text[:40]!r}") from error


def _change(change: Change) -> Mapping[str, Any]:
    body: dict[str, Any] = plain(change)
    recipe = change.recipe
    spans = {"putIn": recipe.put_in, "keptOut": recipe.kept_out}
    body["recipe"] = {
        "source": recipe.source,
        "days": [{"first": one.first.isoformat(), "last": one.last.isoformat()} for one in recipe.days],
        **{name: [{"from": plain(one.start), "to": plain(one.end)} for one in found] for name, found in spans.items()},
    }
    return body


def _mark(mark: Mark) -> Mapping[str, Any]:
    body: dict[str, Any] = plain(mark)
    return {"id": mark.id, **{{"start": "from", "end": "to"}.get(name, name): value for name, value in body.items()}}
