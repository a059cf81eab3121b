"""The record stays: the journal only grows, and what was said at any moment can be read as it was said then."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.mark import Span
from shared.errors import NotFound
from shared.usecases.queries.as_of import AsOf
from tests.support.examples import DAY, at, document, history, noise, platform, quiet_baseline, template
from tests.support.fakes import World
from tests.support.learning import TEMPLATE as LEARNT
from tests.support.learning import alarmed, computing_once, feedback, follow
from tests.support.learning import at as learnt_at

TEMPLATE = template()
DAYS = [DAY + timedelta(days=offset) for offset in range(4)]
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.xdist_group("learning")  # what one process computes once


@pytest.fixture(autouse=True, scope="module")
def _fast() -> Iterator[None]:
    """Compute everything once, however often a test runs."""
    with computing_once():
        yield


def world() -> World:
    """Return a world whose two sensors have baselines, after all its days."""
    new = World()
    new.clock.moment = at(DAYS[-1], 24)
    new.registry.add(platform(TEMPLATE))
    for sensor in TEMPLATE.sensors:
        new.baselines.put(sensor.id, quiet_baseline())
        new.registry.histories.set(sensor.id, history(sensor.id, quiet_baseline().version, DAYS[0]))
    return new


LEAKS = {"none": (0, 0), "long": (36, 216), "short": (36, 100), "late": (90, 216)}  # buckets of the third day on


def put(target: World, number: int, leak: str, size: int = 144) -> None:
    """Let a day be in the lake, up to a bucket, with a leak at sensor 1 or another one."""
    values = noise(10 + number)
    low, high = LEAKS[leak]
    own = np.arange(144) + 144 * (number - 2)
    values[(own >= low) & (own < high)] += 40
    one = document(TEMPLATE, DAYS[number], s1=values[:size], s2=noise(20 + number)[:size])
    target.lake.cells.set((TEMPLATE.id, DAYS[number]), one)


def deliver(target: World, *numbers: int) -> None:
    """Score days, and estimate what is asked for."""
    for number in numbers:
        target.detect.run("troll", TEMPLATE.id, DAYS[number])
    target.drain()


def rebuild(target: World) -> None:
    """Lose the tables that derive from the lake, and make them anew, day by day."""
    for cells in (target.deviations, target.incidents, target.estimations, target.events):
        cells.cells.rows.clear()
    target.restart()
    deliver(target, *(number for number, day in enumerate(DAYS) if (TEMPLATE.id, day) in target.lake.cells.rows))


def shown(target: World) -> Mapping[str, Any]:
    """Return what people are told now: levels and since when, and alarms with their estimations."""
    latest = {key: one for held in target.registry.latest.values().values() for key, one in held.items()}
    alarms = {one.alarm.incident.id: one.alarm for one in target.alarms_table.list("troll", limit=1000)}
    return {
        "levels": {key: (one.level, one.since, one.fault) for key, one in latest.items()},
        "alarms": alarms,
        "estimations": {key: AsOf(journal=target.journal_table).estimation(one) for key, one in alarms.items()},
    }


def recorded(target: World, moment: datetime) -> Mapping[str, Any]:
    """Return what the journal alone says that people were told by then."""
    known = AsOf(journal=target.journal_table)
    levels = {one.sensor.id: one.latest for one in known.levels(TEMPLATE, moment)}
    alarms = {one.incident.id: one for one in known.alarms(TEMPLATE, moment, 1000)}
    return {
        "levels": {key: (one.level, one.since, one.fault) for key, one in levels.items() if one is not None},
        "alarms": alarms,
        "estimations": {key: known.estimation(one, moment) for key, one in alarms.items()},
    }


def entries(target: World) -> dict[Any, Any]:
    """Return the journal as bytes, by key."""
    return {key: data for key, (data, _) in target.journal_table.cells.rows.items()}


def agree(target: World) -> None:
    """Alarms that nothing took back are the incidents that the lake leads to.

    One that has returned stays so where the readings that ended its incident are gone: nothing was Critical since.
    """
    held = {one.incident.id: one.incident for one in target.incidents.list(TEMPLATE.id)}
    said = {key: one for key, one in shown(target)["alarms"].items() if one.withdrawn is None}
    assert held.keys() == said.keys()
    for key, one in held.items():
        alarm = said[key].incident
        assert alarm.sensors == one.sensors
        shrunk = one.open and alarm.last_critical >= one.last_critical
        assert alarm.closed == one.closed or shrunk


STEPS = st.one_of(
    st.tuples(st.just("put"), st.integers(0, 3), st.sampled_from(sorted(LEAKS)), st.sampled_from((60, 100, 144))),
    st.tuples(st.just("deliver"), st.integers(0, 3)),
    st.tuples(st.just("acknowledge")),
    st.tuples(st.just("rebuild")),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=1, max_size=10))
def test_whatever_happens_the_journal_grows_and_tells_what_was_said(steps: list[tuple[Any, ...]]) -> None:
    """Late, corrected and missing data, deliveries in any order, a rebuild: what was said at each moment stays said."""
    target = world()
    for number in range(4):
        put(target, number, "long")
        deliver(target, number)
    told: list[tuple[datetime, Mapping[str, Any]]] = []
    before = entries(target)
    for step in steps:
        target.clock.moment += MINUTE
        if step[0] == "put":
            put(target, *step[1:])
            deliver(target, step[1], 3)
        elif step[0] == "deliver":
            deliver(target, step[1])
        elif step[0] == "rebuild":
            rebuild(target)
        else:
            for one in target.alarms_table.standing():
                target.alarms.acknowledge(one.alarm.incident.id, "A. Person", "", lambda _: None)
        agree(target)
        after = entries(target)
        assert before.items() <= after.items()
        before = after
        told.append((target.clock.moment, shown(target)))
    for moment, said in told:
        assert recorded(target, moment) == said


def test_making_all_tables_anew_of_the_same_lake_calls_nobody() -> None:
    """Scores, incidents and estimations are as before, and nothing is said again."""
    target = world()
    for number in range(4):
        put(target, number, "long")
        deliver(target, number)
    before, state = entries(target), target.state()
    target.clock.moment += timedelta(days=30)
    rebuild(target)
    assert target.state() == state
    assert entries(target) == before


def test_feedback_that_takes_an_incident_back_leaves_it_readable() -> None:
    """With who judged it; who undoes that finds it raised again; and at each moment the journal knows what it was."""
    target = alarmed()
    target.clock.moment = learnt_at(20, 12)
    (stored,) = target.incidents.list(LEARNT.id)
    known, incident = AsOf(journal=target.journal_table), stored.incident.id
    alarm = target.alarms.acknowledge(incident, "B. Person", "looking", lambda _: None)
    estimation = known.estimation(alarm)
    assert estimation is not None
    target.clock.moment = learnt_at(21)
    bump = Span(learnt_at(19, 10), learnt_at(20, 20))
    mark = feedback(target, 21).mark("troll-a-1", bump, "no_leak", "A. Person", "a trawler")
    follow(target)
    assert not target.incidents.list(LEARNT.id)
    gone = known.alarm(incident, target.clock.now())
    assert gone.disposition == "judged no leak by A. Person, 2026-03-22T00:00:00Z: a trawler"
    assert gone.acknowledged == alarm.acknowledged
    assert known.estimation(gone) == estimation
    assert known.alarm(incident, learnt_at(20, 12)) == alarm
    target.clock.moment = learnt_at(21, 5)
    feedback(target, 21, 5).undo_mark("troll-a-1", mark.id)
    follow(target)
    again = known.alarm(incident, target.clock.now())
    assert (again.withdrawn, again.disposition, again.raised) == (None, "", learnt_at(21, 5))
    kinds = [one.kind for one in reversed(target.journal_table.topic("troll", f"alarm:{incident}"))]
    assert kinds[-4:] == ["alarm_acknowledged", "alarm_withdrawn", "alarm_raised", "alarm_estimated"]
    with pytest.raises(NotFound, match="nothing was known"):
        known.alarm(incident, learnt_at(-300))


def test_late_data_that_take_an_incident_back_say_so() -> None:
    """Nobody judged it: the data say otherwise."""
    target = world()
    for number in range(4):
        put(target, number, "long")
        deliver(target, number)
    for number in (2, 3):
        put(target, number, "none")
    deliver(target, 2, 3)
    (stored,) = target.alarms_table.list("troll", limit=10)
    assert stored.alarm.disposition.startswith("late or corrected data")
