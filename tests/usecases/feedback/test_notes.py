"""Notes: what people add among the events, and may change; and what a leak would look like, which nobody stores."""

import pytest

from shared.domain.event import Event
from shared.errors import Conflict, InvalidInput, NotFound, PreconditionFailed
from shared.usecases.feedback.notes import Notes
from shared.usecases.lookup import look_up_event
from tests.support.examples import DAY, NOW, at, platform, template
from tests.support.fakes import FakeClock, World

TEMPLATE = template()


def world() -> tuple[World, Notes]:
    """Return a world with a template, and the use case on it."""
    new = World()
    new.registry.add(platform(TEMPLATE))
    return new, Notes(registry=new.registry, events=new.events, clock=FakeClock(NOW))


def stored(target: World, event: str) -> Event:
    """Return the template's event of that id."""
    return look_up_event(target.registry, target.events, "troll-a", event).event


def anything(event: Event) -> None:
    """Allow what was seen."""


def test_a_note_is_added_changed_and_removed() -> None:
    """It is one event of the template, by whom it is, and about them."""
    target, notes = world()
    note = notes.add("troll-a", "ROV at P1", "A. Person", at(DAY, 6))
    assert (note.kind, note.by, note.at, stored(target, note.id)) == ("note", "A. Person", at(DAY, 6), note)
    changed = notes.change("troll-a", note.id, "ROV at P2", anything)
    assert (changed.id, stored(target, note.id).message) == (note.id, "ROV at P2")
    notes.remove("troll-a", note.id, anything)
    assert len(target.events.list("troll-a")) == 0
    with pytest.raises(NotFound):
        notes.remove("troll-a", note.id, anything)


def test_the_same_note_again_is_the_same() -> None:
    """A repeated request changes nothing; without a moment it is now, to the second."""
    target, notes = world()
    first, second = (notes.add("troll-a", "quiet", "A. Person") for _ in range(2))
    assert first == second
    assert first.at == NOW.replace(microsecond=0)
    assert len(target.events.list("troll-a")) == 1


def test_what_the_system_told_stays() -> None:
    """An event that is no note is neither changed nor removed."""
    target, notes = world()
    opened = Event(subject="troll-a", kind="incident_opened", at=at(DAY), about="x", message="Critical")
    target.events.put(opened)
    for act in (
        lambda: notes.change("troll-a", opened.id, "nothing", anything),
        lambda: notes.remove("troll-a", opened.id, anything),
    ):
        with pytest.raises(InvalidInput, match="only notes"):
            act()
    assert target.events.list("troll-a")[0] == opened


def test_a_guard_that_refuses_keeps_the_note() -> None:
    """It sees what is there, and nothing is written."""
    target, notes = world()
    note = notes.add("troll-a", "one", "A. Person")

    def refuse(event: Event) -> None:
        assert event == note
        raise PreconditionFailed("no")

    with pytest.raises(PreconditionFailed):
        notes.change("troll-a", note.id, "two", refuse)
    with pytest.raises(PreconditionFailed):
        notes.remove("troll-a", note.id, refuse)
    assert stored(target, note.id) == note


@pytest.mark.parametrize(("place", "event"), [("troll-b", "20260301T060000Z-0123456789abcdef"), ("troll-a", "x")])
def test_a_note_of_nothing_is_refused(place: str, event: str) -> None:
    """No template, no event."""
    _, notes = world()
    with pytest.raises((NotFound, InvalidInput)):
        notes.change(place, event, "something", anything)


def test_a_note_that_was_changed_meanwhile_is_not_removed() -> None:
    """Who removes it saw another one; on reading again they can."""
    target, notes = world()
    note = notes.add("troll-a", "ROV at P1", "A. Person", at(DAY, 6))

    def change_after_it_was_seen(_: Event) -> None:
        notes.change("troll-a", note.id, "ROV at P2, leak seen", anything)

    with pytest.raises(Conflict):
        notes.remove("troll-a", note.id, change_after_it_was_seen)
    assert stored(target, note.id).message == "ROV at P2, leak seen"
    notes.remove("troll-a", note.id, anything)
    assert len(target.events.list("troll-a")) == 0
