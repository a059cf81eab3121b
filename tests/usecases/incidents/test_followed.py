"""A long incident: estimated often while that moves its place, then daily for how its rate goes on, not for ever."""

from datetime import datetime, timedelta

import pytest

from shared.domain.environment import Environment
from shared.domain.estimation import Estimation, Observations
from shared.domain.incident import CriticalMessage, Incident
from shared.domain.template import Template
from shared.usecases.incidents.estimate import Estimate
from shared.usecases.incidents.estimation_inputs import InputWindow
from shared.usecases.incidents.reconcile import IncidentRules, Reconcile
from tests.support.examples import DAY, at, platform, template
from tests.support.fakes import World

INPUTS = InputWindow(lead=timedelta(hours=24), longest=timedelta(hours=10), followed=timedelta(hours=72))
ONSET = at(DAY, 3)


class Seen(Exception):
    """Enough was seen."""


def incident(hours: float) -> Incident:
    """Return an incident that has been Critical for so long."""
    return Incident(
        id="troll-a-20260301T0300Z",
        platform="troll",
        template="troll-a",
        onset=ONSET,
        last_critical=ONSET + timedelta(hours=hours),
        closed=None,
        sensors=("troll-a-1",),
        max_score=3.0,
    )


@pytest.mark.parametrize(
    ("hours", "asked"),
    [(0, 0), (2.9, 0), (3, 3), (9.5, 9), (11, 9), (32.9, 9), (33, 33), (56.9, 33), (57, 57), (81, 57), (900, 57)],
)
def test_it_is_asked_for_less_often_once_only_the_rate_changes(hours: float, asked: float) -> None:
    """Every three hours up to ten, then a day after the last of these, and no more after three days."""
    world = World()
    rules = IncidentRules(clear=timedelta(hours=12), update=timedelta(hours=3), inputs=INPUTS)
    reconcile = Reconcile(
        deviations=world.deviations,
        incidents=world.incidents,
        estimations=world.estimations,
        events=world.events,
        messages=world.messages,
        marks=world.marks,
        alarms=world.alarms,
        rules=rules,
    )
    assert reconcile._notification_time(incident(hours)) == ONSET + timedelta(hours=asked)


@pytest.mark.parametrize(("hours", "latest"), [(9, 9), (57, 10)])
def test_the_leak_began_in_what_tells_of_its_place(hours: float, latest: float) -> None:
    """All data go in, and onsets lie in the first hours, however long it goes on."""
    seen: list[tuple[int, datetime]] = []

    def invert(
        template: Template, environment: Environment, observations: Observations, earliest: datetime, last: datetime
    ) -> Estimation:
        seen.append((observations.times.size, last))
        raise Seen

    world = World()
    world.registry.add(platform(template()))
    found = incident(hours)
    world.incidents.put(found, None, None, None)
    estimate = Estimate(
        lake=world.lake,
        registry=world.registry,
        incidents=world.incidents,
        estimations=world.estimations,
        events=world.events,
        alarms=world.alarms,
        rules=INPUTS,
        invert=invert,
    )
    message = CriticalMessage(
        platform="troll",
        template="troll-a",
        incident=found.id,
        onset=ONSET,
        at=found.last_critical,
        sensors=found.sensors,
    )
    with pytest.raises(Seen):
        estimate.run(message)
    assert seen == [(int((24 + hours) * 6) + 1, ONSET + timedelta(hours=latest))]
