"""Incidents of an older release, which raised no alarms, get theirs with the first tick of this one."""

from shared.domain.alarm import AlarmState
from shared.usecases.incidents.adopt import AdoptIncidents
from shared.usecases.incidents.estimate import step_of
from shared.usecases.queries.as_of import AsOf
from tests.support.examples import DAY, at, incident_at, platform, template
from tests.support.fakes import World
from tests.usecases.incidents.test_estimate import message
from tests.usecases.incidents.test_estimate import world as estimated


def case(target: World) -> AdoptIncidents:
    """Return the use case on a world."""
    return AdoptIncidents(
        incidents=target.incidents,
        estimations=target.estimations,
        table=target.alarms_table,
        alarms=target.alarms,
    )


def test_an_incident_that_goes_on_without_an_alarm_gets_one_once() -> None:
    """One that is over is history, and stays without."""
    target = World()
    target.registry.add(platform(template()))
    target.clock.moment = at(DAY, 12)
    over = incident_at(1).model_copy(update={"closed": at(DAY, 11)})
    for one in (incident_at(6), over):
        target.incidents.put(one, None, None)
    for _ in range(2):
        case(target).run()
    (stored,) = target.alarms_table.list("troll", limit=10)
    assert (stored.alarm.incident, stored.alarm.state) == (incident_at(6), AlarmState.UNACKNOWLEDGED)
    assert [one.kind for one in target.journal_table.entries] == ["alarm_raised"]


def test_what_was_estimated_is_said_with_it() -> None:
    """Its alarm gives the same answer as its newest estimation."""
    target = estimated()
    answer = target.estimate.run(message())
    assert answer is not None
    assert target.alarms_table.list("troll", limit=10) == []  # the older release told nobody
    case(target).run()
    (stored,) = target.alarms_table.list("troll", limit=10)
    assert stored.alarm.estimation == step_of(answer, message().at)
    assert AsOf(journal=target.journal_table).estimation(stored.alarm) == answer
