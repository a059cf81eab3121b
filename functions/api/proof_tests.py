"""HTTP: proof tests of a template: what came of them, and asking for one."""

from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from pydantic import Field

from functions.http.endpoint import Call, EndpointGroup
from functions.http.parameters import NoParameters, Who
from shared.bootstrap import app
from shared.domain.proof_test import ProofTest
from shared.domain.validation import Model

if TYPE_CHECKING:  # what it knows of simulations is not needed to start
    from shared.usecases.proof.proof_tests import ProofTestsView

group = EndpointGroup("Proof tests")
endpoint = group.endpoint


class ProofTestsBody(Model):
    """A template's proof tests: the one that is asked for or goes on, and those that are over."""

    template: str
    now: ProofTest | None
    over: tuple[ProofTest, ...] = Field(description="Newest first.")
    next: datetime | None = Field(description="When the schedule asks for the next one; null: on demand alone.")


class AskedBody(Model):
    """Who asks."""

    by: Who = ""


@endpoint("GET", "templates/{template}/proof-tests", ProofTestsBody)
def list_proof_tests(call: Call[NoParameters, Model]) -> Model:
    """Return what came of a template's proof tests: simulated leaks in copies of its readings."""
    return _shown(app().proof_tests.view(call.path["template"]))


@endpoint("POST", "templates/{template}/proof-tests", ProofTestsBody, status=HTTPStatus.ACCEPTED, body=AskedBody)
def ask_for_proof_test(call: Call[NoParameters, AskedBody]) -> Model:
    """Ask for a proof test, begun with the next run of ingest; where one is asked for already, that is the one."""
    return _shown(app().proof_tests.ask(call.path["template"], call.by(call.body.by)))


def _shown(found: "ProofTestsView") -> Model:
    tests = found.tests
    return ProofTestsBody.model_construct(template=tests.template, now=tests.now, over=tests.over, next=found.next)
