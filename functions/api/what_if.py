"""HTTP: simulated readings of an assumed leak; nothing is stored."""

from datetime import timedelta

import numpy as np
from pydantic import Field

from functions.http.endpoint import Call, EndpointGroup
from functions.http.parameters import NoParameters
from shared.bootstrap import app
from shared.domain.leak import Leak
from shared.domain.validation import Model, Moment
from shared.errors import InvalidInput
from shared.settings import settings

group = EndpointGroup("What if")
endpoint = group.endpoint


class HypothesisBody(Model):
    """A leak, and the time range in which its readings are wanted."""

    leak: Leak
    from_: Moment = Field(alias="from")
    to: Moment


class SimulatedReadingsBody(Model):
    """What each sensor would read above its background: a row of ``ppmv`` for each of ``sensors``."""

    template: str
    sensors: tuple[str, ...]
    times: tuple[str, ...]
    ppmv: tuple[tuple[float, ...], ...]
    current_known: float = Field(description="Share of the times at which the current was measured.")


@endpoint("POST", "templates/{template}/simulate", SimulatedReadingsBody, body=HypothesisBody, access="reader")
def simulate_leak(call: Call[NoParameters, HypothesisBody]) -> Model:
    """Return what each sensor would read of an assumed leak, in the currents that were measured."""
    asked, most = call.body, timedelta(days=settings().query.max_simulated_days)
    if asked.to - asked.from_ > most:
        raise InvalidInput(f"to: a simulation may span at most {most.days} days, not {(asked.to - asked.from_).days}")
    found = app().what_if.run(call.path["template"], asked.leak, asked.from_, asked.to)
    return SimulatedReadingsBody.model_construct(
        template=found.template.id,
        sensors=tuple(one.id for one in found.template.sensors),
        times=tuple(np.datetime_as_string(found.times, unit="s", timezone="UTC").tolist()),
        ppmv=tuple(tuple(row) for row in found.ppmv.round(6).tolist()),
        current_known=round(found.known, 4),
    )
