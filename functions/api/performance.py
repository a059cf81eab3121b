"""HTTP: the performance statement of a template: the newest, and the one before."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from pydantic import Field

from functions.http.endpoint import Call, EndpointGroup
from functions.http.parameters import NoParameters
from shared.bootstrap import app
from shared.domain.performance import Statement
from shared.domain.validation import Model

if TYPE_CHECKING:  # what it knows of simulations is not needed to start
    from shared.usecases.performance.statements import StatementView

group = EndpointGroup("Performance")
endpoint = group.endpoint


class PerformanceBody(Model):
    """A template's performance statements: the newest, and the last one that rested on something else."""

    template: str
    stale: tuple[str, ...] = Field(description="Why the newest one is not of today; empty: it is.")
    changes: tuple[str, ...] = Field(description="What the newest one rests on that the one before did not.")
    newest: Statement | None
    before: Statement | None


@endpoint("GET", "templates/{template}/performance", PerformanceBody)
def get_performance(call: Call[NoParameters, Model]) -> Model:
    """Return what a template's leak detection promises, and how reliable and available it was."""
    return _shown(app().performance.view(call.path["template"]))


@endpoint("POST", "templates/{template}/performance", PerformanceBody, status=HTTPStatus.ACCEPTED)
def state_performance(call: Call[NoParameters, Model]) -> Model:
    """Queue a new statement, now instead of tonight; return what there is."""
    return _shown(app().performance.ask(call.path["template"]))


def _shown(found: "StatementView") -> Model:
    kept = found.statements
    return PerformanceBody.model_construct(
        template=found.template.id,
        stale=found.stale,
        changes=kept.changes if kept else (),
        newest=kept.newest if kept else None,
        before=kept.before if kept else None,
    )
