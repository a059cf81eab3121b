"""Baseline histories: which version scores which day, and how marks and undone changes shape them."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.baseline_history import BaselineHistory, Change, DayRange, Reason, Recipe, derive, ranges_of
from shared.domain.decisions import Decisions, decisions_without_number
from shared.domain.mark import Effect, Mark, MarkVerdict, Span, Undo

SENSOR, OTHER = "troll-a-1", "troll-a-2"
NOTHING = Effect(ok=0, warning=0, critical=0, undefined=0, max_score=None)


def day(number: int) -> date:
    """Return a day by its number."""
    return date(2026, 3, 1) + timedelta(days=number)


def at(number: float) -> datetime:
    """Return a moment by the number of its day."""
    return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=number)


def change(valid_from: int, reason: Reason = "built", source: str = SENSOR, version: str = "") -> Change:
    """Return a change whose recipe ends four days before it."""
    recipe = Recipe(source=source, days=(DayRange(day(0), day(valid_from - 4)),))
    return Change(valid_from=day(valid_from), reason=reason, recipe=recipe, version=version or f"v{valid_from}")


def mark(
    start: float, end: float, verdict: MarkVerdict = "no_leak", made: float = 90, undone: float | None = None
) -> Mark:
    """Return a mark on days given by number, made on a day by number."""
    return Mark(
        sensor=SENSOR,
        start=at(start),
        end=at(end),
        verdict=verdict,
        by="A. Person",
        made=at(made),
        undone=None if undone is None else at(undone),
        before=NOTHING,
    )


def undo(valid_from: int, *, undone: bool = True, made: float = 90) -> Undo:
    """Return a decision about the change of that day."""
    return Undo(sensor=SENSOR, valid_from=day(valid_from), undone=undone, made=at(made))


def by_time(*said: Mark | Undo) -> Decisions:
    """Return the decisions that have no number: in order of time."""
    return Decisions.of(decision for one in said for decision in decisions_without_number(one))


def derived(base: list[Change], *marks: Mark, undos: tuple[Undo, ...] = ()) -> tuple[Change, ...]:
    """Return what the base changes become by these decisions."""
    return derive(SENSOR, base, {SENSOR: by_time(*marks, *undos), OTHER: Decisions()})


# --- which version scores a day


def test_the_newest_change_that_is_valid_scores_a_day() -> None:
    """A change counts from its day on; before the first one the sensor is learning."""
    history = BaselineHistory(changes=(change(20), change(50)))
    assert [history.version_of(day(number)) for number in (19, 20, 49, 50, 99)] == ["", "v20", "v20", "v50", "v50"]


def test_an_undone_change_counts_no_more() -> None:
    """Its days go back to the version before; without one the sensor is learning again."""
    changes = derived([change(20), change(50)], undos=(undo(50),))
    assert BaselineHistory(changes=changes).version_of(day(60)) == "v20"
    changes = derived([change(20)], undos=(undo(20),))
    assert BaselineHistory(changes=changes).version_of(day(60)) == ""
    assert BaselineHistory(changes=changes).current is None


def test_the_last_word_on_a_change_counts() -> None:
    """An undo that was undone is none."""
    changes = derived([change(20)], undos=(undo(20, undone=False, made=91), undo(20, made=90)))
    assert not changes[0].undone


def test_a_history_survives_storage() -> None:
    """JSON and back is the same, and what is not said takes no room."""
    history = BaselineHistory(
        changes=derived([change(20), change(50)], mark(30, 31)), last_attempt=day(80), decisions="x"
    )
    text = history.model_dump_json(exclude_defaults=True)
    assert BaselineHistory.model_validate_json(text) == history
    assert BaselineHistory.model_validate_json("{}") == BaselineHistory()


# --- marks


def test_no_leak_enters_the_version_in_force_and_all_later_ones() -> None:
    """A change by feedback begins with the range's day, and later recipes have the range, too; earlier ones do not."""
    built, fed, augmented = derived([change(20), change(50, "augmented")], mark(30.5, 31))
    span = (Span(at(30.5), at(31)),)
    assert (built.recipe.included, fed.recipe.included, augmented.recipe.included) == ((), span, span)
    assert (fed.valid_from, fed.reason, fed.recipe.days) == (day(30), "feedback", built.recipe.days)


def test_no_leak_on_the_day_of_a_change_needs_no_other() -> None:
    """The change of that day takes the range in itself."""
    (only,) = derived([change(20)], mark(20.5, 21))
    assert only.recipe.included == (Span(at(20.5), at(21)),)


def test_no_leak_before_the_first_baseline_enters_the_first() -> None:
    """While the sensor learns there is no version to enter."""
    (only,) = derived([change(20)], mark(10, 11))
    assert only.recipe.included == (Span(at(10), at(11)),)


def test_two_ranges_without_a_leak_add_up() -> None:
    """The later change holds both, whichever was marked first."""
    _, first, second = derived([change(20)], mark(40, 41, made=90), mark(30, 31, made=91))
    assert [len(one.recipe.included) for one in (first, second)] == [1, 2]


def test_a_leak_is_kept_out_of_every_recipe() -> None:
    """Also of those before it: a recipe that held it is made without it; days stay valid as they were."""
    changes = derived([change(20), change(50)], mark(10, 11, "leak"))
    assert {one.recipe.excluded for one in changes} == {(Span(at(10), at(11)),)}
    assert [one.valid_from for one in changes] == [day(20), day(50)]


def test_a_borrowed_recipe_has_its_sources_marks() -> None:
    """What was a leak at the source is none of the borrower's history; the borrower's own marks wait for its own."""
    base = [change(20, "selected", OTHER), change(50)]
    leak = mark(5, 6, "leak").model_copy(update={"sensor": OTHER})
    changes = derive(SENSOR, base, {SENSOR: by_time(mark(30, 31)), OTHER: by_time(leak)})
    assert [len(one.recipe.excluded) for one in changes] == [1, 0]
    assert [len(one.recipe.included) for one in changes] == [0, 1]


def test_a_later_mark_wins_where_they_overlap() -> None:
    """By when they were made, not by what they say."""
    decisions = by_time(mark(10, 14, "leak", made=91), mark(12, 16, made=92), mark(9, 11, made=90))
    assert decisions.ranges("leak") == (Span(at(10), at(12)),)
    assert decisions.ranges("no_leak") == (Span(at(9), at(10)), Span(at(12), at(16)))


def test_an_undone_mark_is_as_if_it_had_never_been() -> None:
    """What it had painted over is there again."""
    base = [change(20), change(50)]
    assert derived(base, mark(30, 31), mark(30, 31, "leak", 91, undone=92)) == derived(base, mark(30, 31))
    assert derived(base, mark(30, 31, undone=92)) == derived(base)


def test_feedback_on_an_undone_change_rests_on_the_one_before() -> None:
    """The range enters what is in force, whatever was taken away."""
    changes = derived([change(20), change(50)], mark(60, 61), undos=(undo(50),))
    assert changes[-1].recipe.days == changes[0].recipe.days


def test_what_was_known_earlier_can_be_told() -> None:
    """Decisions of a later time are left out, and what was undone later counts."""
    decisions = by_time(mark(10, 11, made=20, undone=40), mark(12, 13, made=30), undo(20, made=25))
    assert decisions.as_of(day(20)) == Decisions()
    assert len(decisions.as_of(day(26)).ranges("no_leak")) == 1
    assert decisions.as_of(day(26)).undone() == {day(20)}
    assert len(decisions.as_of(day(35)).ranges("no_leak")) == 2
    assert decisions.as_of(day(41)).ranges("no_leak") == (Span(at(12), at(13)),)


def test_a_mark_is_named_by_what_it_says() -> None:
    """Who said it and when is not part of the name; the verdict is."""
    assert mark(1, 2).id == mark(1, 2, made=95).id
    assert len({mark(1, 2).id, mark(1, 2, "leak").id, mark(1, 3).id}) == 3


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (1, 1, "from: must be before to"),
        (2, 1, "from: must be before to"),
        (1, 33, "to: a mark may span at most 31 days"),
        (1 + 1 / 1440, 2, "from: must be a whole multiple of ten minutes"),
        (1, 2 + 1 / 86400, "to: must be a whole multiple of ten minutes"),
    ],
)
def test_a_wrong_range_is_refused_by_name(start: float, end: float, words: str) -> None:
    """The message names the end that is wrong."""
    with pytest.raises(ValidationError, match=words):
        mark(start, end)


MARKS = st.lists(
    st.builds(
        lambda start, size, verdict, made: mark(start, start + size, verdict, made),
        st.integers(0, 30),
        st.integers(1, 10),
        st.sampled_from(["leak", "no_leak"]),
        st.integers(50, 60),
    ),
    max_size=6,
)


@given(MARKS, st.randoms(use_true_random=False))
def test_the_order_in_which_marks_are_read_does_not_matter(marks: list[Mark], random: object) -> None:
    """The same marks lead to the same ranges, and no moment has two verdicts."""
    shuffled = list(marks)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    decisions = by_time(*marks)
    for verdict in ("leak", "no_leak"):
        assert by_time(*shuffled).ranges(verdict) == decisions.ranges(verdict)
    painted = sorted([*decisions.ranges("leak"), *decisions.ranges("no_leak")])
    assert all(one.end <= other.start for one, other in pairwise(painted))
    marked = {moment for one in marks for moment in range((one.start - at(0)).days, (one.end - at(0)).days)}
    kept = {moment for one in painted for moment in range((one.start - at(0)).days, (one.end - at(0)).days)}
    assert kept == marked


@given(st.sets(st.integers(0, 60)))
def test_ranges_hold_exactly_their_days(numbers: set[int]) -> None:
    """Days become the fewest ranges, and come back."""
    ranges = ranges_of(day(number) for number in numbers)
    recipe = Recipe(source=SENSOR, days=ranges)
    assert recipe.whole_days() == [day(number) for number in sorted(numbers)]
    assert all((later.first - earlier.last).days > 1 for earlier, later in pairwise(ranges))
