"""HTTP: simulated readings of an assumed leak, and whether it would be found; nothing is stored."""

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from functions.http.endpoint import Call, EndpointGroup
from functions.http.parameters import NoParameters
from shared.bootstrap import app
from shared.domain.leak import Leak, Release
from shared.domain.validation import Model, Moment
from shared.errors import InvalidInput
from shared.settings import settings

if TYPE_CHECKING:  # what it knows of simulations is not needed to start
    from shared.usecases.queries.leak_detection import Chance, LeakDetection

HOUR = timedelta(hours=1)

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


class ChanceBody(Model):
    """How likely a sensor's level is at least this one within a time of the leak's onset, and how soon."""

    level: str
    within_hours: int
    probability: float
    median_delay_hours: float | None = Field(description="Of what is found within that time; null: nothing is.")


class DetectabilityBody(Model):
    """Whether a leak would be found, by leaks that begin at so many ``moments`` of a time range."""

    template: str
    from_: Moment = Field(alias="from")
    to: Moment
    moments: int
    blind: tuple[str, ...] = Field(description="Sensors without a baseline, which would find nothing.")
    chances: tuple[ChanceBody, ...] = Field(description="Empty where that is not known.")
    unknown: str | None = Field(description="Why it is not known; null where it is.")

    @classmethod
    def of(cls, found: "LeakDetection") -> "DetectabilityBody":
        """Return what was found as the API answers it."""
        return cls.model_construct(
            template=found.template.id,
            from_=found.start,
            to=found.end,
            moments=found.moments,
            blind=found.blind,
            chances=tuple(_chance(one) for one in found.chances),
            unknown=found.unknown or None,
        )


def _chance(one: "Chance") -> ChanceBody:
    return ChanceBody(
        level=one.level.word,
        within_hours=one.within // HOUR,
        probability=round(one.probability, 3),
        median_delay_hours=None if one.median_delay is None else round(one.median_delay / HOUR, 2),
    )


@endpoint("POST", "templates/{template}/detectability", DetectabilityBody, body=Release, access="reader")
def tell_detectability(call: Call[NoParameters, Release]) -> Model:
    """Return whether an assumed leak would be found, and how soon, had it begun in the last weeks."""
    return DetectabilityBody.of(app().leak_detections.run(call.path["template"], call.body))
