"""What people decide counts in the order in which they decided it, whatever their processes' clocks say."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Literal, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.baseline_history import BaselineHistory
from shared.domain.decisions import Decision
from shared.domain.mark import GivenVerdict, Span
from shared.errors import NotFound, PreconditionFailed
from tests.support.fakes import World
from tests.support.learning import (
    ONE,
    RULES,
    TWO,
    alarmed,
    at,
    case,
    computing_once,
    day_of,
    feedback,
    history,
    put_day,
    world,
)

OFTEN = replace(RULES, augment_days=4)  # so that a fortnight holds several renewals
LEARNT = 24  # days, after which there is a baseline
MINUTE = 1 / 60

pytestmark = pytest.mark.xdist_group("learning")  # what one process computes once


@pytest.fixture(autouse=True, scope="module")
def _fast() -> Iterator[None]:
    """Compute everything once, however often a test runs."""
    with computing_once():
        yield


def night(target: World, rules: object = OFTEN) -> None:
    """Run what runs daily, and work off what was asked for."""
    case(target, rules).run()  # type: ignore[arg-type]
    target.messages.baselines.clear()
    target.drain()


def rebuilt(target: World) -> BaselineHistory:
    """Return the history that the lake and the decisions alone lead to."""
    fresh = World()
    fresh.registry.add(target.registry.known["troll"])
    fresh.lake, fresh.marks = target.lake, target.marks
    night(fresh)
    return history(fresh)


# --- any interleaving, on two clocks

SAID: tuple[tuple[Span, GivenVerdict], ...] = (
    (Span(at(21), at(22)), "leak"),
    (Span(at(20, 12), at(21, 12)), "no_leak"),
    (Span(at(5), at(6)), "leak"),
)
BEHIND_MIN = (0.0, 7.0)  # of the two processes' clocks
HOURS = (0.05, 12.0, 23.95)


class Act(NamedTuple):
    """What a person does, on which process."""

    what: Literal["mark", "withdraw", "undo", "redo"]
    which: int
    process: int
    hour: float


ACTS = st.builds(
    Act,
    st.sampled_from(["mark", "withdraw", "undo", "redo"]),
    st.integers(0, len(SAID) - 1),
    st.integers(0, 1),
    st.sampled_from(HOURS),
)
DAYS = st.lists(st.tuples(st.booleans(), st.lists(ACTS, max_size=3)), min_size=10, max_size=12)


def do(target: World, act: Act, day: int, counts: list[int], undone: set[int]) -> None:
    """Do it, and keep account of which marks count, in order, and whether the first baseline is undone."""
    behind = BEHIND_MIN[act.process] * MINUTE
    asked = feedback(target, day, act.hour - behind)
    span, verdict = SAID[act.which]
    if act.what == "mark":
        asked.mark(ONE, span, verdict, "A. Person", "")
        if act.which not in counts:
            counts.append(act.which)
    elif act.what == "withdraw":
        name = next((one.id for one in target.marks.of(ONE).marks if (one.span, one.verdict) == SAID[act.which]), None)
        if name is None:
            with pytest.raises(NotFound):
                asked.undo_mark(ONE, "0123456789abcdef")
        else:
            asked.undo_mark(ONE, name)
        if act.which in counts:
            counts.remove(act.which)
    else:
        asked.undo_baseline(ONE, history(target).base[0].valid_from, undone=act.what == "undo")
        undone.discard(0)
        if act.what == "undo":
            undone.add(0)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DAYS)
def test_any_order_on_any_clock_rebuilds_the_history_that_is_in_use(days: list[tuple[bool, list[Act]]]) -> None:
    """Marks, withdrawals, the same again, undos, before and after the nightly run, by clocks minutes apart."""
    target = world(LEARNT)
    night(target)
    counts: list[int] = []
    undone: set[int] = set()
    for day, (early, acts) in enumerate(days, LEARNT):
        put_day(target, day)
        if early:  # the day is whole minutes before it ends
            night(target)
        for act in sorted(acts, key=lambda one: one.hour):
            do(target, act, day, counts, undone)
        night(target)
    decisions = target.marks.of(ONE)
    assert [(one.span, one.verdict) for one in decisions.counting] == [SAID[which] for which in counts]
    assert bool(decisions.undone()) == bool(undone)
    assert [one.number for one in decisions.all] == [*range(1, len(decisions.all) + 1)]
    assert rebuilt(target) == history(target)


# --- one by one


def test_a_mark_given_again_after_its_withdrawal_still_counted_before_it() -> None:
    """What was renewed while it counted, and while it did not, is renewed the same from the decisions alone."""
    rules, span = replace(RULES, augment_days=10), SAID[0][0]
    target = world(LEARNT)
    night(target, rules)
    mark = None
    for day in range(LEARNT, 31):
        if day == 25:
            mark = feedback(target, day).mark(ONE, span, "leak", "A. Person", "")
        put_day(target, day)
        night(target, rules)
    assert mark is not None
    feedback(target, 31).undo_mark(ONE, mark.id)
    put_day(target, 31)
    night(target, rules)
    feedback(target, 31, 12).mark(ONE, span, "leak", "A. Person", "")
    for day in range(32, 42):
        put_day(target, day)
        night(target, rules)
    assert [one.reason for one in history(target).changes] == ["built", "augmented", "augmented"]
    fresh = World()
    fresh.registry.add(target.registry.known["troll"])
    fresh.lake, fresh.marks = target.lake, target.marks
    night(fresh, rules)
    assert history(fresh) == history(target)
    told = [one.message for one in fresh.events.list("troll-a") if one.kind == "feedback"]
    assert len(told) == 3
    assert told == [one.message for one in target.events.list("troll-a") if one.kind == "feedback"]


def test_an_undo_on_a_clock_that_is_behind_counts() -> None:
    """Also where it says that it came before what it undoes: of a mark, a baseline, and a selection."""
    target = alarmed()
    first = history(target).base[0]
    feedback(target, 23, 1).undo_baseline(ONE, first.valid_from, undone=True)
    feedback(target, 23, 0.9).undo_baseline(ONE, first.valid_from, undone=False)
    assert not target.marks.of(ONE).undone()
    feedback(target, 23, 1).undo_baseline(ONE, first.valid_from, undone=True)
    feedback(target, 23, 0.9).select(ONE, first.version)
    assert not target.marks.of(ONE).undone()
    span = SAID[1][0]
    mark = feedback(target, 23, 1).mark(ONE, span, "no_leak", "A. Person", "")
    assert feedback(target, 23, 0.9).undo_mark(ONE, mark.id).undone == at(23, 0.9)
    assert not target.marks.of(ONE).counting
    feedback(target, 23, 2).mark(ONE, span, "no_leak", "A. Person", "")
    feedback(target, 23, 1.9).mark(ONE, span, "leak", "A. Person", "it was one")
    assert target.marks.of(ONE).ranges("leak") == (span,)


def test_what_is_decided_for_a_day_knows_nothing_that_is_decided_later() -> None:
    """Minutes before a day begins its baselines may have been decided: a mark of these minutes came after that."""
    target = world(LEARNT)
    night(target)
    newest = max(one.valid_from for one in history(target).base)
    day = (newest - day_of(0)).days
    feedback(target, day - 1, 23.95).mark(ONE, Span(at(5), at(6)), "leak", "A. Person", "")
    assert target.marks.of(ONE).as_of(newest).all == ()
    assert len(target.marks.of(ONE).as_of(day_of(day + 1)).all) == 1


def test_a_clock_that_was_far_ahead_holds_back_one_decision_until_the_next() -> None:
    """Then both are known: what was known on a day are always the first so many decisions."""
    target = world(LEARNT)
    night(target)
    feedback(target, 400).mark(ONE, SAID[0][0], "leak", "A. Person", "")
    assert target.marks.of(ONE).as_of(day_of(LEARNT + 2)).all == ()
    feedback(target, LEARNT, 1).mark(ONE, Span(at(5), at(6)), "leak", "A. Person", "")
    assert len(target.marks.of(ONE).as_of(day_of(LEARNT + 2)).all) == 2


# --- two at once


def meanwhile(target: World, act: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let somebody else be faster: after the next decision was made, and before it is stored."""
    add = target.marks.add

    def late(decision: Decision) -> None:
        monkeypatch.setattr(target.marks, "add", add)
        act()
        add(decision)

    monkeypatch.setattr(target.marks, "add", late)


def test_of_two_decisions_at_once_the_later_one_takes_the_next_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is lost."""
    target = alarmed()
    (one, verdict), (other, _) = SAID[0], SAID[2]
    meanwhile(target, partial(feedback(target, 23).mark, ONE, other, "leak", "B. Person", ""), monkeypatch)
    feedback(target, 23).mark(ONE, one, verdict, "A. Person", "")
    assert [mark.span for mark in target.marks.of(ONE).marks] == [other, one]
    assert [found.number for found in target.marks.of(ONE).all] == [1, 2]


def test_the_same_decision_twice_at_once_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mark, its withdrawal, and the undo of a baseline: who comes second finds it done."""
    target = alarmed()
    (span, verdict), first = SAID[0], history(target).base[0].valid_from
    meanwhile(target, partial(feedback(target, 23).mark, ONE, span, verdict, "A. Person", ""), monkeypatch)
    mark = feedback(target, 23).mark(ONE, span, verdict, "B. Person", "")
    assert (mark.by, len(target.marks.of(ONE).all)) == ("A. Person", 1)
    acts: list[Callable[[], object]] = [
        partial(feedback(target, 23, 1).undo_mark, ONE, mark.id),
        partial(feedback(target, 23, 2).undo_baseline, ONE, first, undone=True),
    ]
    for number, act in enumerate(acts, 2):
        meanwhile(target, act, monkeypatch)
        act()
        assert len(target.marks.of(ONE).all) == number


def test_who_may_not_withdraw_a_mark_as_it_is_now_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard sees what another one decided in between."""
    target = alarmed()
    span, verdict = SAID[0]
    seen = feedback(target, 23).mark(ONE, span, verdict, "A. Person", "")

    def unchanged(mark: object) -> None:
        if mark != seen:
            raise PreconditionFailed("it was changed")

    def withdraw_and_mark_again() -> None:
        feedback(target, 23, 1).undo_mark(ONE, seen.id)
        feedback(target, 23, 2).mark(ONE, span, verdict, "B. Person", "")

    meanwhile(target, withdraw_and_mark_again, monkeypatch)
    with pytest.raises(PreconditionFailed):
        feedback(target, 23, 3).undo_mark(ONE, seen.id, unchanged)
    assert [mark.by for mark in target.marks.of(ONE).counting] == ["B. Person"]


def test_each_sensor_counts_its_own_decisions() -> None:
    """One sensor's numbers say nothing of another's."""
    target = alarmed()
    for sensor in (ONE, TWO):
        feedback(target, 23).mark(sensor, SAID[2][0], "leak", "A. Person", "")
        assert [one.number for one in target.marks.of(sensor).all] == [1]
