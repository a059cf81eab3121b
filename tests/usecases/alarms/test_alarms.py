"""Alarms live as ISA-18.2 says: each state and each way from one to another, once, whatever crashes in between."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest

from shared.domain.alarm import Alarm, AlarmState, Priority
from shared.domain.estimation import EstimationStep, Interval, Verdict
from shared.domain.incident import Incident
from shared.errors import NotFound
from shared.usecases.alarms.alarms import Alarms
from tests.support.examples import DAY, at, incident_at
from tests.support.fakes import Crash, World

OPEN = incident_at(6)
CLOSED = OPEN.model_copy(update={"last_critical": at(DAY, 9), "closed": at(DAY, 21)})
LONGER = OPEN.model_copy(update={"last_critical": at(DAY, 30)})


def world(hour: float = 7) -> World:
    """Return an empty world at that hour of the day."""
    new = World()
    new.clock.moment = at(DAY, hour)
    return new


def answer(
    verdict: Verdict = "UNDEFINED", probability: float = 0.2, rate: float = 1e-6, hour: float = 7
) -> EstimationStep:
    """Return an estimation in short, with the data up to an hour."""
    interval = Interval(median=rate, low_50=rate / 2, high_50=rate * 2, low_90=rate / 4, high_90=rate * 4)
    return EstimationStep(
        at=at(DAY, hour),
        verdict=verdict,
        probability=probability,
        probability_external=0.0,
        place=None,
        location_error_m=None,
        dissolved_rate_kg_s=interval,
    )


def alarm(target: World) -> Alarm:
    """Return the alarm as it stands."""
    stored = target.alarms_table.get(OPEN.id)
    assert stored is not None
    return stored.alarm


def say(target: World, one: EstimationStep) -> None:
    """Let an estimation be there."""
    target.alarms.estimated(OPEN.id, one, f"{one.verdict}", "{}")


def acknowledge(target: World, by: str = "A. Person") -> Alarm:
    """Acknowledge the alarm."""
    return target.alarms.acknowledge(OPEN.id, by, "seen", lambda _: None)


def kinds(target: World) -> list[str]:
    """Return what was said, in order."""
    return [one.kind for one in reversed(target.journal_table.topic("troll", f"alarm:{OPEN.id}"))]


def test_an_alarm_is_raised_acknowledged_and_returns_to_normal() -> None:
    """The plain way: unacknowledged, acknowledged, normal."""
    target = world()
    target.alarms.follow(OPEN)
    assert alarm(target).state is AlarmState.UNACKNOWLEDGED
    seen = acknowledge(target)
    assert (seen.state, seen.acknowledged and seen.acknowledged.by) == (AlarmState.ACKNOWLEDGED, "A. Person")
    target.alarms.follow(CLOSED)
    assert alarm(target).state is AlarmState.NORMAL
    assert kinds(target) == ["alarm_raised", "alarm_acknowledged", "alarm_returned"]


def test_an_alarm_that_returns_unseen_waits_for_somebody() -> None:
    """Returned and unacknowledged, until somebody acknowledges it."""
    target = world()
    target.alarms.follow(OPEN)
    target.alarms.follow(CLOSED)
    assert alarm(target).state is AlarmState.RETURNED
    assert target.alarms_table.standing()
    assert acknowledge(target).state is AlarmState.NORMAL
    assert not target.alarms_table.standing()


def test_an_alarm_that_goes_on_calls_again() -> None:
    """What was acknowledged was over: Critical again is news, with the same incident."""
    target = world()
    target.alarms.follow(CLOSED)
    acknowledge(target)
    target.clock.moment = at(DAY, 31)
    target.alarms.follow(LONGER)
    assert (alarm(target).state, alarm(target).raised) == (AlarmState.UNACKNOWLEDGED, at(DAY, 31))


def test_an_alarm_that_escalates_calls_again() -> None:
    """Who acknowledged a low one has not seen a confirmed leak of 170 g/h; a lower priority asks nobody."""
    target = world()
    target.alarms.follow(OPEN)
    say(target, answer())
    assert alarm(target).priority is Priority.LOW
    acknowledge(target)
    say(target, answer("CONFIRMED", 0.99, 4.7e-5, hour=10))
    assert (alarm(target).priority, alarm(target).state) == (Priority.HIGH, AlarmState.UNACKNOWLEDGED)
    acknowledge(target)
    say(target, answer("EXTERNAL_CAUSE", 0.01, hour=13))
    assert (alarm(target).priority, alarm(target).state) == (Priority.LOW, AlarmState.ACKNOWLEDGED)
    assert kinds(target)[-3:] == ["alarm_escalated", "alarm_acknowledged", "alarm_estimated"]


@pytest.mark.parametrize(
    ("said", "priority"),
    [
        (answer("CONFIRMED", 0.99, 4.7e-5), Priority.HIGH),
        (answer("CONFIRMED", 0.99, 1e-7), Priority.MEDIUM),
        (answer("UNDEFINED", 0.9, 4.7e-5), Priority.MEDIUM),
        (answer("UNDEFINED", 0.1, 8e-8), Priority.LOW),
        (answer("EXTERNAL_CAUSE", 0.01), Priority.LOW),
    ],
)
def test_a_confirmed_leak_and_an_undecided_trickle_do_not_look_alike(said: EstimationStep, priority: Priority) -> None:
    """Priority follows verdict, rate and probability; before any answer nobody knows that it is nothing."""
    target = world()
    target.alarms.follow(OPEN)
    assert alarm(target).priority is Priority.MEDIUM
    say(target, said)
    assert alarm(target).priority is priority


def test_what_was_over_long_ago_when_it_was_found_calls_nobody() -> None:
    """A backfill of three years is no flood of alarms; each is there to be read."""
    target = world(24 * 10)
    target.alarms.follow(OPEN)
    target.alarms.follow(CLOSED)
    assert (alarm(target).history, alarm(target).state) == (True, AlarmState.NORMAL)


def test_a_withdrawn_alarm_stays_with_what_became_of_it_and_may_come_back() -> None:
    """It is readable, waits to be seen, and if the data support it again, is raised again."""
    target = world()
    target.alarms.follow(OPEN)
    say(target, answer())
    target.alarms.withdraw(OPEN, "judged no leak by A. Person")
    gone = alarm(target)
    assert (gone.active, gone.state, gone.disposition) == (False, AlarmState.RETURNED, "judged no leak by A. Person")
    target.alarms.withdraw(OPEN, "for another reason")
    assert alarm(target) == gone
    target.alarms.follow(OPEN)
    assert (alarm(target).state, alarm(target).disposition) == (AlarmState.UNACKNOWLEDGED, "")
    assert kinds(target) == ["alarm_raised", "alarm_estimated", "alarm_withdrawn", "alarm_raised"]


def test_an_answer_of_before_and_the_same_one_twice_say_nothing() -> None:
    """Messages come late and again."""
    target = world()
    target.alarms.follow(OPEN)
    say(target, answer(hour=10))
    for late in (answer(hour=10), answer("CONFIRMED", 0.99, 1e-4, hour=7)):
        say(target, late)
    assert kinds(target) == ["alarm_raised", "alarm_estimated"]


def test_an_answer_whose_data_are_critical_no_more_is_taken_back() -> None:
    """Then one with less data is news."""
    target = world()
    target.alarms.follow(OPEN)
    say(target, answer(hour=10))
    target.alarms.estimation_taken_back(OPEN.id)
    assert alarm(target).estimation is None
    say(target, answer(hour=7))
    assert alarm(target).estimation == answer(hour=7)


def test_seeing_it_with_less_data_is_no_news() -> None:
    """As when all is scored again day by day: the incident looks open and short on the way."""
    target = world()
    target.alarms.follow(OPEN)
    target.alarms.follow(CLOSED)
    before = kinds(target)
    for seen in (OPEN, CLOSED):
        target.alarms.follow(seen)
    assert kinds(target) == before


def test_who_acknowledges_second_changes_nothing() -> None:
    """The first name stays."""
    target = world()
    target.alarms.follow(OPEN)
    acknowledge(target, "A. Person")
    assert acknowledge(target, "B. Person").acknowledged == alarm(target).acknowledged
    assert kinds(target) == ["alarm_raised", "alarm_acknowledged"]
    with pytest.raises(NotFound):
        target.alarms.acknowledge(incident_at(8).id, "A. Person", "", lambda _: None)


LIFE: tuple[Callable[[Alarms], object], ...] = (
    lambda one: one.follow(OPEN),
    lambda one: one.estimated(OPEN.id, answer("CONFIRMED", 0.99, 1e-4), "a leak", "{}"),
    lambda one: one.acknowledge(OPEN.id, "A. Person", "seen", lambda _: None),
    lambda one: one.follow(CLOSED),
    lambda one: one.withdraw(CLOSED, "late data"),
)


def test_a_crash_at_any_write_is_healed_by_doing_it_again() -> None:
    """Each step stands once in the journal, and the alarm ends as without the crash."""
    whole = world()
    for step in LIFE:
        step(whole.alarms)
    for number in count(1):
        target = world()
        crashed = False
        for step in LIFE:
            before = target.writes.count
            target.writes.crash_at = number if not crashed else None
            try:
                step(target.alarms)
            except Crash:
                crashed = True
                target.writes.crash_at = None
                target.writes.count = before + 1  # whatever is written next gets a tag of its own
                step(target.alarms)
        assert kinds(target) == kinds(whole)
        assert alarm(target) == alarm(whole)
        if not crashed:
            assert number > 2 * len(LIFE)
            return


def test_of_two_who_write_at_once_one_reads_again() -> None:
    """The journal takes one entry of a number; the other's step follows from what that one wrote."""
    target = world()
    target.alarms.follow(OPEN)

    overtaken: list[int] = []

    def guard(_: Alarm) -> None:
        if not overtaken:
            overtaken.append(1)
            say(target, answer("CONFIRMED", 0.99, 1e-4))

    seen = target.alarms.acknowledge(OPEN.id, "A. Person", "", guard)
    assert seen.estimation is not None
    assert seen.state is AlarmState.ACKNOWLEDGED
    assert kinds(target) == ["alarm_raised", "alarm_escalated", "alarm_acknowledged"]


def test_sensors_that_join_are_told_without_calling_again() -> None:
    """It is the same incident."""
    target = world()
    one = OPEN.model_copy(update={"sensors": OPEN.sensors[:1]})
    target.alarms.follow(one)
    acknowledge(target)
    target.alarms.follow(_later(OPEN))
    assert alarm(target).state is AlarmState.ACKNOWLEDGED
    assert alarm(target).incident.sensors == OPEN.sensors


def test_a_sensor_that_turns_out_well_is_an_alarms_no_more() -> None:
    """Another baseline, or late data: the alarm says what the incident says, also where it became shorter."""
    target = world()
    target.alarms.follow(_later(OPEN))
    fewer = OPEN.model_copy(update={"sensors": OPEN.sensors[:1]})
    target.alarms.follow(fewer)
    assert alarm(target).incident == fewer
    assert kinds(target) == ["alarm_raised", "alarm_changed"]


def _later(incident: Incident) -> Incident:
    return incident.model_copy(update={"last_critical": incident.last_critical + timedelta(hours=1)})
