"""Feedback: what people say of alarms and baselines changes the baselines and the rows, and can be taken back."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shared.domain.deviation import DeviationDay, Level
from shared.domain.mark import Span
from shared.errors import InvalidInput, NotFound
from shared.usecases.queries.baselines import BaselineQueries
from tests.support.fakes import Crash, World
from tests.support.learning import (
    ALARM_DAYS,
    ONE,
    RULES,
    TEMPLATE,
    alarmed,
    at,
    bumped,
    case,
    computing_once,
    day_of,
    feedback,
    follow,
    history,
    put_day,
    world,
)

BUMP = Span(at(19, 10), at(20, 20))  # what rose, and a day for it to leave the windows

pytestmark = pytest.mark.xdist_group("learning")  # what one process computes once


@pytest.fixture(autouse=True)
def _fast() -> Iterator[None]:
    """Compute everything once, however often a test runs."""
    with computing_once():
        yield


def rows(target: World) -> Mapping[int, DeviationDay]:
    """Return the rows of sensor 1 by the number of their day."""
    found = target.deviations.range(ONE, day_of(0), day_of(ALARM_DAYS))
    return {(row.day - day_of(0)).days: row for row in found}


def without_events(target: World) -> Mapping[str, Any]:
    """Return what the tables hold, but for what people were told."""
    return {name: value for name, value in target.state().items() if name not in ("events", "histories")}


def test_no_leak_makes_the_rest_of_the_alarm_usual() -> None:
    """The range enters the baseline from its day on: the alarm and its incident are gone, earlier days stay."""
    target = alarmed()
    assert rows(target)[19].count(Level.CRITICAL) > 0
    before = rows(target)[18]
    mark = feedback(target, 21).mark(ONE, BUMP, "no_leak", "A. Person", "a trawler")
    assert (mark.before.critical > 0, mark.made) == (True, at(21))
    follow(target)
    assert rows(target)[19].count(Level.CRITICAL) == 0
    assert rows(target)[18].same_as(before)
    assert not target.incidents.list(TEMPLATE.id)
    assert [one.reason for one in history(target).changes] == ["built", "feedback"]
    assert rows(target)[20].baseline == history(target).changes[1].version
    (shown,) = read(target).marks(ONE)
    assert shown.after.critical == 0
    assert shown.mark == mark


def test_a_leak_in_the_baseline_is_taken_out_of_it() -> None:
    """A recipe that held it is made again; days stay valid from when they were, and are scored by the new version."""
    target = alarmed()
    before = history(target).changes[0]
    feedback(target, 21).mark(ONE, Span(at(3, 6), at(4)), "leak", "A. Person", "")
    follow(target)
    (after,) = history(target).changes
    assert after.valid_from == before.valid_from
    assert after.version != before.version
    baseline = target.baselines.get(ONE, after.version)
    inside = (baseline.times >= np.datetime64("2026-03-04T06")) & (baseline.times < np.datetime64("2026-03-05"))
    assert np.count_nonzero(~np.isnan(baseline.ppmv[inside])) <= 12  # what is held into the range's beginning
    assert {rows(target)[number].baseline for number in range(17, ALARM_DAYS)} == {after.version}


@pytest.mark.parametrize("verdict", ["no_leak", "leak"])
def test_undoing_a_mark_is_as_if_it_had_never_been(verdict: Any) -> None:
    """Rows, incidents and estimations are what they were; that it was said and taken back stays told."""
    target = alarmed()
    expected, changes = without_events(target), history(target).changes
    span = BUMP if verdict == "no_leak" else Span(at(3, 6), at(4))
    mark = feedback(target, 21).mark(ONE, span, verdict, "A. Person", "")
    follow(target)
    assert without_events(target) != expected
    feedback(target, 21, 5).undo_mark(ONE, mark.id)
    follow(target)
    assert without_events(target) == expected
    assert history(target).changes == changes
    assert [one.kind for one in target.events.list(TEMPLATE.id) if one.kind == "feedback"] == ["feedback"] * 2


def test_a_later_leak_wins_over_an_earlier_no_leak() -> None:
    """Who changed their mind is heard."""
    target = alarmed()
    feedback(target, 21).mark(ONE, BUMP, "no_leak", "A. Person", "")
    feedback(target, 21, 5).mark(ONE, BUMP, "leak", "A. Person", "it was one")
    follow(target)
    assert rows(target)[19].count(Level.CRITICAL) > 0
    assert target.incidents.list(TEMPLATE.id)


def test_an_undone_baseline_scores_no_more_and_is_not_made_again() -> None:
    """Without its only baseline the sensor is learning, however often the daily run comes, until the undo is undone."""
    target = alarmed()
    expected = without_events(target)
    feedback(target, 21).undo_baseline(ONE, day_of(17), undone=True)
    follow(target)
    case(target, replace(RULES, augment_days=0)).run()
    assert rows(target)[20].count(Level.UNDEFINED) == 144
    assert rows(target)[20].baseline == ""
    assert not target.incidents.list(TEMPLATE.id)
    feedback(target, 21, 5).undo_baseline(ONE, day_of(17), undone=False)
    follow(target)
    assert without_events(target) == expected
    assert [one.kind for one in target.events.list(TEMPLATE.id)].count("baseline_undone") == 2


def test_an_undone_renewal_is_tried_again_a_month_later() -> None:
    """Days go back to the version before, until new history is added again."""
    target = world(50)
    case(target).run()
    built, augmented = history(target).changes
    assert augmented.valid_from == day_of(47)
    feedback(target, 49).undo_baseline(ONE, day_of(47), undone=True)
    for offset in range(50, 79):
        put_day(target, offset, s2=np.empty(0))
    case(target).run()
    again = history(target).changes
    assert [(one.valid_from, one.undone) for one in again] == [
        (built.valid_from, False),
        (augmented.valid_from, True),
        (day_of(77), False),
    ]
    assert {row.baseline for row in target.deviations.range(ONE, day_of(47), day_of(76))} == {built.version}


def test_the_same_again_changes_nothing() -> None:
    """A repeated request, message or daily run finds everything done."""
    target = alarmed()
    mark = feedback(target, 21).mark(ONE, BUMP, "no_leak", "A. Person", "")
    follow(target)
    expected = target.state()
    assert feedback(target, 21, 3).mark(ONE, BUMP, "no_leak", "B. Person", "me too") == mark
    follow(target)
    assert target.state() == expected
    before = target.writes.count
    case(target, replace(RULES, augment_days=0)).run()
    assert target.writes.count == before


def test_what_was_undone_may_be_marked_again() -> None:
    """Then it counts from then on."""
    target = alarmed()
    mark = feedback(target, 21).mark(ONE, BUMP, "no_leak", "A. Person", "")
    feedback(target, 21, 1).undo_mark(ONE, mark.id)
    again = feedback(target, 21, 2).mark(ONE, BUMP, "no_leak", "A. Person", "")
    assert (again.id, again.undone, again.made) == (mark.id, None, at(21, 2))


def decide(target: World) -> None:
    """Say three things, and have them followed."""
    feedback(target, 21).mark(ONE, BUMP, "no_leak", "A. Person", "")
    follow(target)
    mark = feedback(target, 21, 1).mark(ONE, Span(at(3), at(4)), "leak", "A. Person", "")
    follow(target)
    feedback(target, 21, 2).undo_mark(ONE, mark.id)
    feedback(target, 21, 3).undo_baseline(ONE, day_of(17), undone=True)
    feedback(target, 21, 4).undo_baseline(ONE, day_of(17), undone=False)
    follow(target)


@pytest.mark.parametrize("first", [1, *(pytest.param(later, marks=pytest.mark.statistical) for later in (2, 3, 4))])
def test_a_crash_at_any_write_is_healed_by_saying_it_again(first: int) -> None:
    """Whichever write the process dies at, repeating the requests ends in the same tables."""
    begun = alarmed()
    reference = deepcopy(begun)
    decide(reference)
    for crash_at in range(begun.writes.count + first, reference.writes.count + 1, 4):
        target = deepcopy(begun)
        target.writes.crash_at = crash_at
        with pytest.raises(Crash):
            decide(target)
        target.restart()
        decide(target)
        assert without_events(target) == without_events(reference), f"crash at write {crash_at}"
        assert history(target).changes == history(reference).changes


def test_the_lake_and_the_marks_rebuild_all_tables() -> None:
    """With everything else deleted, one run over lake and marks ends in the same rows, to the byte."""
    target, special = world(0), {19: bumped(), 40: bumped()}
    for offset in range(60):
        put_day(target, offset, **({"s1": special[offset]} if offset in special else {}))
        if offset == 21:
            feedback(target, 22, 7).mark(ONE, BUMP, "no_leak", "A. Person", "")
        if offset == 50:
            feedback(target, 51, 7).mark(ONE, Span(at(30), at(31)), "leak", "A. Person", "")
            feedback(target, 51, 8).undo_baseline(ONE, history(target).base[-1].valid_from, undone=True)
        case(target).run()
    assert [one.reason for one in history(target).changes] == ["built", "feedback", "augmented"]
    rebuilt = world(60, {19: bumped(), 40: bumped()}, second=60)
    rebuilt.marks.cells.rows = dict(target.marks.cells.rows)
    case(rebuilt).run()
    assert rebuilt.state() == target.state()


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (Span(at(19, 10), at(19, 10)), "from: must be before to"),
        (Span(at(19, 0.01), at(19, 10)), "from: must be a whole multiple"),
        (Span(at(19), at(23)), "to: must not lie in the future"),
        (Span(at(-20), at(19)), "to: a mark may span at most 31 days"),
    ],
)
def test_a_wrong_range_is_refused_by_name(span: Span, words: str) -> None:
    """Nothing is stored."""
    target = alarmed()
    before = target.writes.count
    with pytest.raises(InvalidInput, match=words):
        feedback(target, 21).mark(ONE, span, "leak", "A. Person", "")
    assert target.writes.count == before


def read(target: World) -> BaselineQueries:
    """Return what reads marks and histories."""
    return BaselineQueries(registry=target.registry, marks_table=target.marks, deviations=target.deviations)


def test_what_is_not_there_is_not_found() -> None:
    """Sensors, marks and changes that nobody knows."""
    target = alarmed()
    asked = feedback(target, 21)
    for work in (
        lambda: asked.mark("troll-a-9", BUMP, "leak", "A. Person", ""),
        lambda: asked.undo_mark(ONE, "0123456789abcdef"),
        lambda: asked.undo_mark(ONE, "x|y/'"),
        lambda: asked.undo_baseline(ONE, day_of(3), undone=True),
        lambda: read(target).marks("troll-q-1"),
        lambda: read(target).mark(ONE, "x|y/'"),
        lambda: read(target).history("troll-a-7"),
    ):
        with pytest.raises(NotFound):
            work()
    with pytest.raises(InvalidInput, match="not an id of a sensor"):
        read(target).history("x' or '1' eq '1")


def test_a_change_by_feedback_is_undone_by_its_mark() -> None:
    """The message says where to go instead."""
    target = alarmed()
    feedback(target, 21).mark(ONE, BUMP, "no_leak", "A. Person", "")
    follow(target)
    with pytest.raises(InvalidInput, match=r"valid_from: .* undo the mark instead"):
        feedback(target, 21).undo_baseline(ONE, day_of(19), undone=True)
