"""HTTP: feedback on a sensor's alarms, and its effect; the scoring that follows is queued."""

from http import HTTPStatus
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from functions.http.derived_models import derive_model, shown
from functions.http.endpoint import Call, EndpointGroup
from functions.http.parameters import NoParameters, Who
from functions.http.reply import Reply, listing, listing_of
from shared.bootstrap import app
from shared.domain.mark import Effect, GivenVerdict, Mark, Span
from shared.domain.validation import Lines, Model, Moment
from shared.usecases.feedback.feedback import Guard
from shared.usecases.queries.baselines import MarkWithEffect

group = EndpointGroup("Feedback")
endpoint = group.endpoint

ACCEPTED = HTTPStatus.ACCEPTED

RANGE = {"id": str, "from_": AwareDatetime, "to": AwareDatetime}
MarkBody = derive_model("MarkBody", Mark, without=("start", "end"), more=RANGE)
MarkWithEffectBody = derive_model("MarkWithEffectBody", Mark, without=("start", "end"), more={**RANGE, "after": Effect})


class NewMarkBody(Model):
    """A verdict on the readings of [from, to): `no_leak` (normal, learn from it) or `leak` (never learn from it)."""

    from_: Moment = Field(alias="from")
    to: Moment
    verdict: GivenVerdict
    by: Who = ""
    note: Annotated[Lines, Field(max_length=1000)] = ""


@endpoint("GET", "sensors/{sensor}/feedback", listing_of(MarkWithEffectBody))
def list_marks(call: Call[NoParameters, Model]) -> Model:
    """List a sensor's marks, newest first, with the counts of levels in its range before it and now."""
    found = app().baseline_queries.marks(call.path["sensor"])
    return listing(tuple(_with_effect(one) for one in found))


@endpoint(
    "POST", "sensors/{sensor}/feedback", MarkBody, status=ACCEPTED, body=NewMarkBody, problems=[HTTPStatus.CONFLICT]
)
def add_mark(call: Call[NoParameters, NewMarkBody]) -> Reply:
    """Mark a range of a sensor's readings as a leak, or as no leak."""
    asked = call.body
    span = Span(asked.from_, asked.to)
    mark = app().feedback.mark(call.path["sensor"], span, asked.verdict, call.by(asked.by), asked.note)
    return Reply(_body(MarkBody, mark), ACCEPTED, location=f"sensors/{mark.sensor}/feedback/{mark.id}")


@endpoint("GET", "sensors/{sensor}/feedback/{mark}", MarkWithEffectBody)
def get_mark(call: Call[NoParameters, Model]) -> Model:
    """Return one mark, with the counts of levels in its range before it and now."""
    return _with_effect(app().baseline_queries.mark(call.path["sensor"], call.path["mark"]))


@endpoint("DELETE", "sensors/{sensor}/feedback/{mark}", MarkBody, status=ACCEPTED, conditional=True)
def undo_mark(call: Call[NoParameters, Model]) -> Model:
    """Undo a mark; it stays listed as undone."""
    return _body(MarkBody, app().feedback.undo_mark(call.path["sensor"], call.path["mark"], _unchanged(call)))


def _unchanged(call: Call[NoParameters, Model]) -> Guard:
    return lambda seen: call.check_unchanged(_with_effect(app().baseline_queries.with_effect(seen)))


def _with_effect(found: MarkWithEffect) -> Model:
    return _body(MarkWithEffectBody, found.mark, after=found.after)


def _body(model: Any, mark: Mark, **more: object) -> Model:
    return shown(model, mark, id=mark.id, from_=mark.start, to=mark.end, **more)
