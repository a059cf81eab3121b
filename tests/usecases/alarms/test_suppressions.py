"""Which alarms shall call nobody: what is in force is what people said last, and all is in the journal."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.decisions import Decisions
from shared.domain.journal import JournalEntry
from shared.domain.mark import MOST_MARKS, Span
from shared.domain.suppression import Suppression, SuppressionState, lasting
from shared.domain.tsd import BUCKET
from shared.errors import Exists, InvalidInput, NotFound, PreconditionFailed
from shared.usecases.alarms.suppressions import OperationChange
from shared.usecases.feedback import planned_ranges
from shared.usecases.feedback.feedback import Feedback
from tests.support.examples import DAY, at, platform, template
from tests.support.fakes import Crash, World

A, B = template(), template(slug="b")
HOUR, DAYS = timedelta(hours=1), timedelta(days=1)
NOW = at(DAY, 48)  # the world's clock


def world() -> World:
    """Return a world with two templates."""
    new = World()
    new.registry.add(platform(A, B))
    return new


def seen(_: Suppression) -> None:
    """Guard nothing."""


def told(target: World) -> list[tuple[str, str, str]]:
    """Return what the journal says: kind, subject and who, in order of number."""
    return [(one.kind, one.subject, one.by) for one in target.journal_table.entries]


def marked(target: World, sensor: str = "troll-a-1") -> list[tuple[datetime, datetime]]:
    """Return the ranges that are kept out of the sensor's baselines."""
    return list(target.marks.of(sensor).ranges("planned"))


def planned(target: World, subject: str = "troll-a", start: timedelta = HOUR, end: timedelta = 5 * HOUR) -> Suppression:
    """Plan an ROV dive, by hours from the world's beginning."""
    return target.suppressions.plan(subject, "rov", NOW + start, NOW + end, "dive 7", "A. Person")


# --- shelving, and sensors out of service


def test_a_template_is_shelved_until_its_end() -> None:
    """By whom, why, and until when is in the row and in the journal."""
    target = world()
    one = target.suppressions.shelve("troll-a", NOW + 2 * DAYS, "trawlers", "A. Person")
    assert (one.start, one.end, one.by, one.reason) == (NOW, NOW + 2 * DAYS, "A. Person", "trawlers")
    assert target.suppressions_table.lasting(NOW + DAYS) == [one]
    assert target.suppressions_table.lasting(NOW + 2 * DAYS) == []
    (entry,) = target.journal_table.entries
    assert (entry.kind, entry.about, entry.by, entry.at) == ("shelved", "troll-a", "A. Person", NOW)
    assert entry.message == "shelved until 2026-03-05T00:00:00Z: trawlers"
    assert Suppression.from_json(target.journal_table.evidence("troll", entry.id).state) == one


def test_the_same_said_twice_is_said_once() -> None:
    """Whoever did not hear the answer asks again."""
    target = world()
    first = target.suppressions.shelve("troll-a", NOW + DAYS, "trawlers", "A. Person")
    target.clock.moment += HOUR
    assert target.suppressions.shelve("troll-a", NOW + DAYS, "trawlers", "A. Person") == first
    assert len(target.journal_table.entries) == 1


def test_a_sensor_is_renewed_by_saying_so_again() -> None:
    """It is out of service from when it was first, until the end that was said last."""
    target = world()
    first = target.suppressions.take_out_of_service("troll-a-2", NOW + 30 * DAYS, "cable", "A. Person")
    target.clock.moment += 20 * DAYS
    again = target.suppressions.take_out_of_service("troll-a-2", NOW + 50 * DAYS, "cable", "B. Person")
    assert (again.id, again.start, again.end, again.by) == (first.id, NOW, NOW + 50 * DAYS, "B. Person")
    assert [kind for kind, _, _ in told(target)] == ["out_of_service", "out_of_service"]


def test_what_was_over_begins_anew() -> None:
    """Shelved again, after it had ended by itself or by somebody, it is so from now on."""
    target = world()
    first = target.suppressions.shelve("troll-a", NOW + DAYS, "trawlers", "A. Person")
    target.suppressions.end(first.id, "B. Person", seen)
    target.clock.moment += HOUR
    again = target.suppressions.shelve("troll-a", NOW + DAYS, "trawlers", "A. Person")
    assert (again.start, again.ended) == (NOW + HOUR, None)
    target.clock.moment = NOW + 3 * DAYS
    assert target.suppressions.shelve("troll-a", NOW + 4 * DAYS, "trawlers", "A. Person").start == NOW + 3 * DAYS
    assert [one.kind for one in target.journal_table.entries] == ["shelved", "suppression_ended", "shelved", "shelved"]


def test_what_comes_too_late_or_reaches_too_far_is_refused() -> None:
    """And nothing is said."""
    target = world()
    for until in (NOW, NOW - HOUR, NOW + 8 * DAYS):
        with pytest.raises(InvalidInput, match=r"^until: must lie"):
            target.suppressions.shelve("troll-a", until, "trawlers", "A. Person")
    assert told(target) == []


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda on: on.shelve("troll-q", NOW + HOUR, "why", "A. Person"), NotFound),
        (lambda on: on.shelve("troll-a'", NOW + HOUR, "why", "A. Person"), InvalidInput),
        (lambda on: on.take_out_of_service("troll-a-9", NOW + HOUR, "why", "A. Person"), NotFound),
        (lambda on: on.plan("heidrun", "rov", NOW, NOW + HOUR, "why", "A. Person"), NotFound),
        (lambda on: on.plan("troll'", "rov", NOW, NOW + HOUR, "why", "A. Person"), InvalidInput),
        (lambda on: on.shelve("troll-a", NOW + HOUR, "why", ""), InvalidInput),
        (lambda on: on.shelve("troll-a", NOW + HOUR, "", "A. Person"), InvalidInput),
        (lambda on: on.plan("troll-a", "rov", NOW, NOW + HOUR, "", "A. Person"), InvalidInput),
        (lambda on: on.plan("troll-a", "rov", NOW, NOW + HOUR, "why", ""), InvalidInput),
        (lambda on: on.end("troll-0123456789abcdef", "A. Person", seen), NotFound),
        (lambda on: on.change("troll-0123456789abcdef", OperationChange(), "A. Person", seen), NotFound),
    ],
)
def test_of_what_is_not_there_by_nobody_or_for_no_reason(ask: Callable[[Any], object], error: type[Exception]) -> None:
    """It is refused, and nothing is said."""
    target = world()
    with pytest.raises(error):
        ask(target.suppressions)
    assert told(target) == []


def test_what_is_ended_twice_was_ended_by_the_first() -> None:
    """And what was over by itself stays so."""
    target = world()
    one = target.suppressions.shelve("troll-a", NOW + DAYS, "trawlers", "A. Person")
    target.clock.moment += HOUR
    ended = target.suppressions.end(one.id, "B. Person", seen)
    assert ended.ended is not None
    assert (ended.ended.by, ended.until) == ("B. Person", NOW + HOUR)
    assert target.suppressions.end(one.id, "C. Person", seen) == ended
    other = target.suppressions.shelve("troll-b", NOW + DAYS, "trawlers", "A. Person")
    target.clock.moment = NOW + DAYS
    assert target.suppressions.end(other.id, "C. Person", seen) == other
    assert [by for kind, _, by in told(target) if kind == "suppression_ended"] == ["B. Person"]


def test_who_saw_something_else_ends_and_changes_nothing() -> None:
    """What the guard raises is raised before anything is said."""
    target = world()
    one = planned(target)

    def refuse(_: Suppression) -> None:
        raise PreconditionFailed

    with pytest.raises(PreconditionFailed):
        target.suppressions.end(one.id, "B. Person", refuse)
    with pytest.raises(PreconditionFailed):
        target.suppressions.change(one.id, OperationChange(end=NOW + 9 * HOUR), "B. Person", refuse)
    assert len(told(target)) == 1


# --- planned operations


def test_an_operation_is_planned_and_its_range_kept_out_of_baselines() -> None:
    """Of all sensors of its template; a template that has nothing to do with it learns on."""
    target = world()
    one = planned(target)
    assert one.state(NOW) is SuppressionState.PLANNED
    assert marked(target) == marked(target, "troll-a-2") == [(NOW + HOUR, NOW + 5 * HOUR)]
    assert marked(target, "troll-b-1") == []
    assert target.messages.baselines == ["troll-a"]
    assert told(target) == [("operation_planned", "troll-a", "A. Person")]
    assert target.events.list("troll-a") == ()


def test_an_operation_at_a_platform_is_at_all_its_templates() -> None:
    """Also at one that is registered later: the next daily run sees to it."""
    target = world()
    planned(target, "troll")
    assert marked(target) == marked(target, "troll-b-2") != []
    target.registry.add(platform(A, B, template(slug="c")), replace=True)
    assert marked(target, "troll-c-1") == []
    target.planned_ranges.keep_out("troll", "troll-c")
    assert marked(target, "troll-c-1") == marked(target)
    assert target.messages.baselines == ["troll-a", "troll-b"]  # the run of the third one is under way


def test_the_same_operation_twice_is_one() -> None:
    """Whoever asks again hears of the first; another one over the same hours is another one."""
    target = world()
    assert planned(target) == planned(target)
    assert len(told(target)) == 1
    target.suppressions.plan("troll-a", "pigging", NOW + HOUR, NOW + 5 * HOUR, "pig 3", "A. Person")
    assert len(target.suppressions_table.lasting(NOW)) == 2
    assert len(target.marks.of("troll-a-1").counting) == 1


def test_of_two_operations_over_the_same_hours_one_can_be_called_off() -> None:
    """The other one keeps the range out."""
    target = world()
    first, second = planned(target), planned(target, "troll")
    target.suppressions.end(first.id, "B. Person", seen)
    assert marked(target) == [(NOW + HOUR, NOW + 5 * HOUR)]
    target.suppressions.end(second.id, "B. Person", seen)
    assert marked(target) == marked(target, "troll-b-1") == []


def test_an_operation_that_is_called_off_counts_again_when_it_is_planned_again() -> None:
    """It has the same name."""
    target = world()
    first = planned(target)
    off = target.suppressions.end(first.id, "B. Person", seen)
    assert (off.state(NOW + 2 * HOUR), off.span) == (SuppressionState.OVER, None)
    assert "called off" in target.journal_table.entries[-1].message
    again = planned(target)
    assert (again.id, again.state(NOW + 2 * HOUR)) == (first.id, SuppressionState.IN_FORCE)
    assert marked(target) == [(NOW + HOUR, NOW + 5 * HOUR)]


def test_an_operation_that_is_ended_early_keeps_out_what_it_touched() -> None:
    """Up to the bucket in which it ended."""
    target = world()
    one = planned(target)
    target.clock.moment = NOW + 2 * HOUR + timedelta(minutes=3)
    target.suppressions.end(one.id, "B. Person", seen)
    assert marked(target) == [(NOW + HOUR, NOW + 2 * HOUR + BUCKET)]


def test_an_operation_that_has_not_begun_can_be_changed_in_all() -> None:
    """The same change twice is one."""
    target = world()
    one = planned(target)
    change = OperationChange(operation="well_work", start=NOW + 2 * HOUR, end=NOW + 3 * HOUR, reason="plug")
    changed = target.suppressions.change(one.id, change, "B. Person", seen)
    assert target.suppressions.change(one.id, change, "C. Person", seen) == changed
    assert (changed.id, changed.operation, changed.start, changed.by) == (
        one.id,
        "well_work",
        NOW + 2 * HOUR,
        "A. Person",
    )
    assert marked(target) == [(NOW + 2 * HOUR, NOW + 3 * HOUR)]
    assert told(target)[-1] == ("operation_changed", "troll-a", "B. Person")
    assert len(told(target)) == 2


def test_while_an_operation_goes_on_only_its_end_can_be_changed() -> None:
    """And when it is over, nothing."""
    target = world()
    one = planned(target)
    target.clock.moment = NOW + 2 * HOUR
    change = target.suppressions.change
    for bad in (OperationChange(start=NOW), OperationChange(operation="other"), OperationChange(end=NOW + 2 * HOUR)):
        with pytest.raises(InvalidInput):
            change(one.id, bad, "B. Person", seen)
    assert change(one.id, OperationChange(end=NOW + 9 * HOUR), "B. Person", seen).end == NOW + 9 * HOUR
    with pytest.raises(InvalidInput, match="at most 31 days"):
        change(one.id, OperationChange(end=NOW + 40 * DAYS), "B. Person", seen)
    target.clock.moment = NOW + 9 * HOUR
    with pytest.raises(InvalidInput, match="is over since"):
        change(one.id, OperationChange(end=NOW + 20 * HOUR), "B. Person", seen)
    assert len(told(target)) == 2


def test_a_shelving_is_not_changed_but_said_again() -> None:
    """The refusal says so."""
    target = world()
    one = target.suppressions.shelve("troll-a", NOW + DAYS, "trawlers", "A. Person")
    with pytest.raises(InvalidInput, match="shelve, or take out of service, again"):
        target.suppressions.change(one.id, OperationChange(end=NOW + 2 * DAYS), "A. Person", seen)


def test_what_was_changed_since_is_not_planned_as_it_was() -> None:
    """Whoever asks for it as it was first is told so, and nothing changes."""
    target = world()
    one = planned(target)
    changed = target.suppressions.change(one.id, OperationChange(end=NOW + 9 * HOUR), "B. Person", seen)
    with pytest.raises(Exists, match="changed since"):
        planned(target)
    assert target.suppressions_table.lasting(NOW) == [changed]


def test_an_operation_of_the_past_is_told_of_afterwards() -> None:
    """It suppresses nothing any more, and is kept out of baselines."""
    target = world()
    one = planned(target, start=-20 * HOUR, end=-10 * HOUR)
    assert one.state(NOW) is SuppressionState.OVER
    assert marked(target) == [(NOW - 20 * HOUR, NOW - 10 * HOUR)]


def test_what_a_person_said_of_a_range_goes_on_to_count() -> None:
    """A leak is kept out with the operation over it; who says later that there was none is believed."""
    target = world()
    feedback = Feedback(
        registry=target.registry,
        marks_table=target.marks,
        deviations=target.deviations,
        events=target.events,
        messages=target.messages,
        clock=target.clock,
    )
    feedback.mark("troll-a-1", Span(NOW - 5 * HOUR, NOW - HOUR), "leak", "A. Person", "")
    one = planned(target, start=-2 * HOUR, end=5 * HOUR)
    kept_out = target.marks.of("troll-a-1").kept_out
    assert kept_out == (Span(NOW - 5 * HOUR, NOW - 2 * HOUR), Span(NOW - 2 * HOUR, NOW + 5 * HOUR))
    target.suppressions.end(one.id, "B. Person", seen)
    assert target.marks.of("troll-a-1").kept_out == (kept_out[0], Span(NOW - 2 * HOUR, NOW))
    feedback.mark("troll-a-1", Span(NOW - HOUR, NOW), "no_leak", "C. Person", "nothing came of it")
    assert marked(target) == [(NOW - 2 * HOUR, NOW - HOUR)]
    mark = next(mark for mark in target.marks.of("troll-a-1").counting if mark.verdict == "planned")
    with pytest.raises(InvalidInput, match="comes from a planned operation"):
        feedback.undo_mark("troll-a-1", mark.id)


def test_a_sensor_with_too_many_marks_takes_no_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said of it, on any sensor."""
    assert MOST_MARKS > 2
    monkeypatch.setattr(planned_ranges, "MOST_MARKS", 2)
    target = world()
    for number in range(2):
        planned(target, start=number * DAYS, end=number * DAYS + HOUR)
    with pytest.raises(InvalidInput, match="can have no more"):
        planned(target, start=5 * DAYS, end=6 * DAYS)
    assert len(told(target)) == 2


def test_an_operation_of_a_template_that_was_deleted_can_be_ended() -> None:
    """So can one of a platform that is gone."""
    target = world()
    first, second = planned(target), planned(target, "troll")
    target.registry.add(platform(B), replace=True)
    assert target.suppressions.end(first.id, "B. Person", seen).ended is not None
    target.registry.known.clear()
    assert target.suppressions.end(second.id, "B. Person", seen).ended is not None


def test_who_plans_while_another_is_called_off_keeps_the_range_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one who calls off has read the operations before, and takes nothing away that is wanted since."""
    target = world()
    first = planned(target)
    of, met = target.marks.of, list[str]()

    def slow(sensor: str) -> Decisions:
        if not met:
            met.append(sensor)
            planned(target, "troll", start=2 * HOUR)
        return of(sensor)

    monkeypatch.setattr(target.marks, "of", slow)
    target.suppressions.end(first.id, "B. Person", seen)
    assert met
    assert marked(target) == marked(target, "troll-b-1") == [(NOW + 2 * HOUR, NOW + 5 * HOUR)]


# --- crashes, and any order


def acts(target: World) -> list[Callable[[], Suppression]]:
    """Return one of each kind of act, each of which may be repeated."""
    on = target.suppressions
    return [
        lambda: on.shelve("troll-a", NOW + DAYS, "trawlers", "A. Person"),
        lambda: on.take_out_of_service("troll-a-1", NOW + DAYS, "cable", "A. Person"),
        lambda: planned(target),
        lambda: on.change(planned(target).id, OperationChange(reason="dive 8"), "B. Person", seen),
    ]


@pytest.mark.parametrize("number", range(4))
def test_a_crash_at_any_write_is_healed_by_saying_it_again(number: int) -> None:
    """The journal has each word once, and the row and the marks are what they would have been."""
    whole = world()
    if number == 3:
        planned(whole)
    acts(whole)[number]()
    crash_at = 1
    while True:
        target = world()
        if number == 3:
            planned(target)
        target.writes.crash_at = target.writes.count + crash_at
        try:
            acts(target)[number]()
        except Crash:
            target.restart()
            if number < 3 or not any(one.kind == "operation_changed" for one in target.journal_table.entries):
                acts(target)[number]()
            else:  # it is not planned as it was: the change is asked for again
                (known,) = target.suppressions_table.of("troll")
                target.suppressions.change(known.id, OperationChange(reason="dive 8"), "B. Person", seen)
        else:
            break
        assert target.journal_table.cells.values() == whole.journal_table.cells.values()
        assert target.suppressions_table.of("troll") == whole.suppressions_table.of("troll")
        assert marked(target) == marked(whole)
        crash_at += 1
    assert crash_at > 2


SUBJECTS = ("troll-a", "troll-b", "troll")
OPERATIONS = ("rov", "pigging")
ACT = st.one_of(
    st.tuples(st.just("shelve"), st.sampled_from(("troll-a", "troll-b")), st.integers(1, 100)),
    st.tuples(st.just("out"), st.sampled_from(("troll-a-1", "troll-b-2")), st.integers(1, 100)),
    st.tuples(st.just("plan"), st.sampled_from(SUBJECTS), st.integers(-40, 40), st.integers(1, 30)),
    st.tuples(st.just("move"), st.integers(0, 9), st.integers(1, 50)),
    st.tuples(st.just("end"), st.integers(0, 9)),
    st.tuples(st.just("wait"), st.integers(1, 60)),
)


def do(target: World, act: tuple[Any, ...]) -> Suppression | None:
    """Do it, if it can be done, and return what was said."""
    now, on = target.clock.moment, target.suppressions
    known = target.suppressions_table.of("troll")
    match act:
        case ("shelve", name, hours):
            return on.shelve(name, now + hours * HOUR, "why", "A. Person")
        case ("out", name, hours):
            return on.take_out_of_service(name, now + hours * HOUR, "why", "A. Person")
        case ("plan", name, begin, length):
            return on.plan(name, "rov", now + begin * HOUR, now + (begin + length) * HOUR, "why", "A. Person")
        case ("move", which, hours) if known:
            return on.change(known[which % len(known)].id, OperationChange(end=now + hours * HOUR), "B. Person", seen)
        case ("end", which) if known:
            return on.end(known[which % len(known)].id, "B. Person", seen)
        case ("wait", hours):
            target.clock.moment += hours * HOUR
    return None


@settings(max_examples=60, deadline=None)
@given(st.lists(ACT, max_size=12))
def test_in_any_order_what_is_in_force_is_what_was_said_last(said: list[tuple[Any, ...]]) -> None:
    """The journal only grows, its newest words are what the table says, and marks are the operations' ranges."""
    target, entries = world(), list[JournalEntry]()
    last: dict[str, Suppression] = {}
    for act in said:
        try:
            word = do(target, act)
        except (InvalidInput, Exists):
            word = None
        if word is not None:
            last[word.id] = word
        now_told = sorted(target.journal_table.entries, key=lambda one: (one.topic, one.number))
        assert {one.id: one for one in entries}.items() <= {one.id: one for one in now_told}.items()
        entries = now_told
        newest = {one.topic: one for one in entries}
        by_journal = [
            Suppression.from_json(target.journal_table.evidence("troll", one.id).state) for one in newest.values()
        ]
        now = target.clock.moment
        assert (
            lasting(by_journal, now)
            == lasting(last.values(), now)
            == lasting(target.suppressions_table.lasting(now), now)
        )
        for one in (*A.sensors, *B.sensors):
            wanted = {each.span for each in by_journal if each.kind == "planned" and each.concerns_sensor(one.id)}
            counting = target.marks.of(one.id).counting
            assert sorted(mark.span for mark in counting) == sorted(wanted - {None})  # type: ignore[type-var]
