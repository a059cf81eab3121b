"""HTTP: what keeps alarms from calling: templates that are shelved, sensors out of service, planned operations."""

from http import HTTPStatus
from typing import Annotated

from pydantic import AwareDatetime, Field

from functions.api.paging import ListPage
from functions.http.derived_models import derive_model, shown
from functions.http.endpoint import Call, EndpointGroup
from functions.http.parameters import Flag, NoParameters, Parameters, Who
from functions.http.reply import Reply, listing, listing_of
from shared.bootstrap import app
from shared.domain.suppression import OperationKind, Suppression, SuppressionReason, SuppressionState
from shared.domain.template import PLATFORM_PATTERN, TEMPLATE_PATTERN
from shared.domain.validation import Model, Moment
from shared.errors import InvalidInput
from shared.usecases.alarms.suppressions import Guard, OperationChange
from shared.usecases.queries.suppressions import SuppressionFilter

group = EndpointGroup("Alarms and journal")
endpoint = group.endpoint

CREATED, CONFLICT = HTTPStatus.CREATED, HTTPStatus.CONFLICT

SuppressionBody = derive_model(
    "SuppressionBody",
    Suppression,
    without=("start", "end"),
    more={"from_": AwareDatetime, "to": AwareDatetime, "state": SuppressionState},
)


class SuppressionsAsked(ListPage):
    """Which suppressions: of a platform, or all that concern a template; in force, or not."""

    platform: Annotated[str | None, Field(default=None, pattern=PLATFORM_PATTERN)]
    template: Annotated[str | None, Field(default=None, pattern=TEMPLATE_PATTERN)]
    in_force: Annotated[Flag | None, Field(description="`true`: in force now; `false`: planned, or over.")] = None


class UntilBody(Model):
    """Until when alarms shall call nobody, why, and who says so."""

    until: Moment
    reason: SuppressionReason
    by: Who = ""


class NewOperationBody(Model):
    """An operation of [from, to) at a template, or at all of a platform; it may lie in the future, or be over."""

    platform: Annotated[str | None, Field(pattern=PLATFORM_PATTERN)] = None
    template: Annotated[str | None, Field(pattern=TEMPLATE_PATTERN)] = None
    operation: OperationKind
    from_: Moment = Field(alias="from")
    to: Moment
    reason: SuppressionReason
    by: Who = ""

    @property
    def subject(self) -> str:
        """The template or platform that is named; raises InvalidInput unless it is one of them."""
        named = [one for one in (self.platform, self.template) if one is not None]
        if len(named) != 1:
            raise InvalidInput("template: give a template, or a platform, and not both")
        return named[0]


class OperationChangeBody(Model):
    """What of an operation is to be other than it is; what is left out stays. Once it goes on: its end and reason."""

    operation: OperationKind | None = None
    from_: Annotated[Moment | None, Field(alias="from")] = None
    to: Moment | None = None
    reason: SuppressionReason | None = None
    by: Who = ""


class EndingAsked(Parameters):
    """Who ends it."""

    by: Who = ""


@endpoint("GET", "suppressions", listing_of(SuppressionBody), query=SuppressionsAsked, problems=[HTTPStatus.NOT_FOUND])
def list_suppressions(call: Call[SuppressionsAsked, Model]) -> Model:
    """List what is shelved, out of service or planned, what begins last first."""
    asked = call.query
    wanted = SuppressionFilter(platform=asked.platform, template=asked.template, in_force=asked.in_force)
    page = app().suppression_queries.list(wanted, asked.limit, asked.continuation)
    return listing(tuple(_body(one) for one in page), page.continuation)


@endpoint("GET", "suppressions/{suppression}", SuppressionBody)
def get_suppression(call: Call[NoParameters, Model]) -> Model:
    """Return what keeps alarms from calling: of what, until when, why, and who said so."""
    return _body(app().suppression_queries.suppression(call.path["suppression"]))


@endpoint("POST", "templates/{template}/shelve", SuppressionBody, status=CREATED, body=UntilBody, problems=[CONFLICT])
def shelve_template(call: Call[NoParameters, UntilBody]) -> Reply:
    """Shelve a template's alarms for up to 7 days; again: renew that."""
    by = call.by(call.body.by)
    return _said(app().suppressions.shelve(call.path["template"], call.body.until, call.body.reason, by))


@endpoint(
    "POST", "sensors/{sensor}/out-of-service", SuppressionBody, status=CREATED, body=UntilBody, problems=[CONFLICT]
)
def take_out_of_service(call: Call[NoParameters, UntilBody]) -> Reply:
    """Take a sensor out of service for up to 31 days; again: renew that."""
    by = call.by(call.body.by)
    return _said(app().suppressions.take_out_of_service(call.path["sensor"], call.body.until, call.body.reason, by))


@endpoint(
    "POST",
    "operations",
    SuppressionBody,
    status=CREATED,
    body=NewOperationBody,
    problems=[HTTPStatus.NOT_FOUND, CONFLICT],
)
def plan_operation(call: Call[NoParameters, NewOperationBody]) -> Reply:
    """Plan an operation of up to 31 days, whose readings no baseline shall learn."""
    asked = call.body
    by = call.by(asked.by)
    return _said(app().suppressions.plan(asked.subject, asked.operation, asked.from_, asked.to, asked.reason, by))


@endpoint(
    "PATCH",
    "suppressions/{suppression}",
    SuppressionBody,
    body=OperationChangeBody,
    conditional=True,
    problems=[CONFLICT],
)
def change_operation(call: Call[NoParameters, OperationChangeBody]) -> Model:
    """Change a planned operation: all of it before it begins, its end and reason while it goes on."""
    asked = call.body
    change = OperationChange(operation=asked.operation, start=asked.from_, end=asked.to, reason=asked.reason)
    return _body(app().suppressions.change(call.path["suppression"], change, call.by(asked.by), _unchanged(call)))


@endpoint(
    "DELETE",
    "suppressions/{suppression}",
    SuppressionBody,
    query=EndingAsked,
    conditional=True,
    problems=[CONFLICT],
)
def end_suppression(call: Call[EndingAsked, Model]) -> Model:
    """End it now, or call it off before it begins; it stays listed as over."""
    return _body(app().suppressions.end(call.path["suppression"], call.by(call.query.by), _unchanged(call)))


def _unchanged(call: Call[NoParameters, OperationChangeBody] | Call[EndingAsked, Model]) -> Guard:
    return lambda seen: call.check_unchanged(_body(seen))


def _said(one: Suppression) -> Reply:
    return Reply(_body(one), CREATED, location=f"suppressions/{one.id}")


def _body(one: Suppression) -> Model:
    state = app().suppression_queries.state(one)
    return shown(SuppressionBody, one, from_=one.start, to=one.end, state=state)
