"""Evidence: its digest changes with what an estimation rests on, and with nothing else."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.template import Template
from shared.usecases.incidents.estimation_inputs import InputWindow, load_inputs
from tests.support.examples import DAY, at, document, noise, platform, template

RULES = InputWindow(lead=timedelta(hours=24), longest=timedelta(hours=24), followed=timedelta(hours=24))


def digest(one: Template, seed: int = 1) -> str:
    """Return the digest of the evidence at noon, with those readings."""
    held = document(one, DAY, s1=noise(seed), s2=noise(2))
    return load_inputs(
        platform(one), one, lambda day: held if day == DAY else None, at(DAY, 12), at(DAY, 13), RULES
    ).digest


def with_sensor(**changes: Any) -> Template:
    """Return a template whose first sensor is changed."""
    one = template()
    return one.model_copy(update={"sensors": (one.sensors[0].model_copy(update=changes), *one.sensors[1:])})


@pytest.mark.parametrize(
    "changed",
    [
        with_sensor(pinned=True),
        with_sensor(name="First"),
        with_sensor(interactive_feedback=True),
        template().model_copy(update={"name": "Another"}),
    ],
)
def test_what_is_there_for_people_changes_no_evidence(changed: Template) -> None:
    """A pin, a name or a switch asks for no new estimation."""
    assert digest(changed) == digest(template())


@pytest.mark.parametrize("changed", [with_sensor(x=3.5), template().model_copy(update={"height": 7.0})])
def test_geometry_and_readings_change_the_evidence(changed: Template) -> None:
    """What the estimation rests on asks for a new one."""
    assert digest(changed) != digest(template())
    assert digest(template(), seed=3) != digest(template())
