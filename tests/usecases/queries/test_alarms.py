"""Alarms and the journal over all platforms: every one once, newest first, whatever the pages and filters."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.alarm import AlarmState, Priority
from shared.domain.incident import Incident
from shared.domain.journal import JournalEntry
from shared.domain.platform import Platform
from shared.errors import InvalidInput, NotFound
from shared.usecases.feedback.notes import Notes
from shared.usecases.queries.alarms import AlarmFilter, JournalFilter
from tests.support.examples import DAY, at, incident_at, platform, template
from tests.support.fakes import World
from tests.support.queries import alarm_queries

NOBODY = frozenset({AlarmState.RETURNED})


def elsewhere() -> Platform:
    """Return another platform with a template."""
    return Platform.model_validate(
        {"id": "visund", "name": "Visund", "facility": "VIS", "environment": {}, "templates": [template("visund")]}
    )


def world() -> World:
    """Return a world with two platforms, three templates, and nothing said yet."""
    new = World()
    new.registry.add(platform(template(), template(slug="b")))
    new.registry.add(elsewhere())
    new.clock.moment = at(DAY, 48)
    return new


def incident(hour: int, of: str) -> Incident:
    """Return an incident of a template that began at an hour."""
    found = incident_at(hour, of)
    return found.model_copy(update={"platform": of.partition("-")[0]})


TEMPLATES = ("troll-a", "troll-b", "visund-a")
BEGUN = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(TEMPLATES)), unique=True, max_size=12)


@settings(max_examples=60, deadline=None)
@given(BEGUN, st.integers(1, 5))
def test_pages_of_alarms_are_all_of_them_in_order(begun: list[tuple[int, str]], limit: int) -> None:
    """Also where several began at once, at several platforms."""
    target = world()
    for hour, of in begun:
        target.alarms.follow(incident(hour, of))
    asked, found, after = alarm_queries(target), list[str](), None
    while True:
        page = asked.alarms(AlarmFilter(), limit, after)
        assert len(page) <= limit
        found += [one.incident.id for one in page]
        after = page.continuation
        if after is None:
            break
    expected = sorted(begun, key=lambda one: (-one[0], one[1]))
    assert found == [incident(hour, of).id for hour, of in expected]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(TEMPLATES)), max_size=12), st.integers(1, 5))
def test_pages_of_the_journal_are_all_of_it_in_order(notes: list[tuple[int, str]], limit: int) -> None:
    """Newest first by when it was said; what was said at the same second has an order, too."""
    target = world()
    for number, (minutes, of) in enumerate(notes):
        target.clock.moment += timedelta(minutes=minutes)
        case = Notes(registry=target.registry, events=target.told, clock=target.clock)
        case.add(of, f"note {number}", f"Person {number}")
    asked, found, after = alarm_queries(target), list[JournalEntry](), None
    while True:
        page = asked.entries(JournalFilter(), limit, after)
        found += page
        after = page.continuation
        if after is None:
            break
    assert sorted(one.id for one in found) == sorted(one.id for one in target.journal_table.entries)
    assert [one.said for one in found] == sorted((one.said for one in found), reverse=True)


def test_filters_keep_what_fits() -> None:
    """By platform, template, state, priority, verdict and onset."""
    target = world()
    for hour, of in ((1, "troll-a"), (2, "troll-b"), (3, "visund-a")):
        target.alarms.follow(incident(hour, of))
    target.alarms.acknowledge(incident(1, "troll-a").id, "A. Person", "", lambda _: None)
    ended = incident(2, "troll-b").model_copy(update={"last_critical": at(DAY, 4), "closed": at(DAY, 16)})
    target.alarms.follow(ended)
    asked = alarm_queries(target)

    def began(**wanted: object) -> list[datetime]:
        return [one.incident.onset for one in asked.alarms(AlarmFilter(**wanted), 10)]  # type: ignore[arg-type]

    assert began(platform="troll") == [at(DAY, 2), at(DAY, 1)]
    assert began(template="visund-a") == [at(DAY, 3)]
    assert began(states=NOBODY) == [at(DAY, 2)]
    assert began(start=at(DAY, 2)) == [at(DAY, 3), at(DAY, 2)]
    assert began(end=at(DAY, 2)) == [at(DAY, 2), at(DAY, 1)]
    assert began(priority=Priority.HIGH) == []
    assert began(verdict="CONFIRMED") == []
    assert began(platform="troll", template="visund-a") == []
    for unknown in ({"platform": "snorre"}, {"template": "troll-z"}):
        with pytest.raises(NotFound):
            began(**unknown)
    with pytest.raises(InvalidInput):
        asked.alarms(AlarmFilter(), 10, "not-a-place")


def test_figures_count_what_calls_people() -> None:
    """History does not; what was acknowledged stands as long as it goes on."""
    target = world()
    target.alarms.follow(incident(1, "troll-a"))
    target.clock.moment = at(DAY, 24 * 20)
    target.alarms.follow(incident(2, "troll-b"))  # found weeks later: history
    target.alarms.follow(incident(24 * 20 - 2, "visund-a"))
    target.alarms.acknowledge(incident(1, "troll-a").id, "A. Person", "", lambda _: None)
    found = alarm_queries(target).figures(target.clock.now())
    assert (found.last_day, found.standing, found.unacknowledged) == (1, 3, 1)
    assert found.per_day == pytest.approx(2 / 30)


def test_a_note_that_is_changed_and_removed_stays_in_the_journal() -> None:
    """Each of its words, with when they were said, and that it was taken back."""
    target = world()
    case = Notes(registry=target.registry, events=target.told, clock=target.clock)
    added = case.add("troll-a", "ROV at P1", "A. Person")
    target.clock.moment += timedelta(minutes=5)
    case.change("troll-a", added.id, "ROV at P2", lambda _: None)
    target.clock.moment += timedelta(minutes=5)
    case.remove("troll-a", added.id, lambda _: None)
    entries = alarm_queries(target).entries(JournalFilter(template="troll-a"), 10)
    assert [(one.message, one.withdrawn) for one in entries] == [
        ("ROV at P2", True),
        ("ROV at P2", False),
        ("ROV at P1", False),
    ]
    assert not target.events.list("troll-a")
