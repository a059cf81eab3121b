"""Baselines: a sensor gets its first one, borrows one, renews it; and what a version should score is scored by it."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from shared.domain.deviation import Level
from shared.errors import CorruptBlob, NotFound
from shared.usecases.baselines.rescoring import AT_ONCE, CYCLE_DAYS
from tests.support.examples import document, platform, template
from tests.support.fakes import Crash, World
from tests.support.learning import (
    ONE,
    RULES,
    TEMPLATE,
    TWO,
    case,
    computing_once,
    day_of,
    history,
    put_day,
    usual,
    world,
)

pytestmark = pytest.mark.xdist_group("learning")  # what one process computes once


@pytest.fixture(autouse=True)
def _fast() -> Iterator[None]:
    """Compute everything once, however often a test runs."""
    with computing_once():
        yield


def days_of(target: World, sensor: str = ONE) -> Sequence[tuple[int, str, int, int]]:
    """Return (valid from, reason, first day, days) of the sensor's changes, as numbers of the world's days."""
    found = []
    for change in history(target, sensor).changes:
        days = change.recipe.whole_days()
        number = (change.valid_from - day_of(0)).days
        found.append((number, change.reason, (days[0] - day_of(0)).days, len(days)))
    return found


def kinds(target: World) -> list[str]:
    """Return the kinds of the baselines' events, oldest first."""
    events = target.events.list(TEMPLATE.id)
    return [one.kind for one in reversed(events) if one.kind.startswith("baseline")]


# --- the first one


def test_enough_clean_days_make_a_baseline_that_scores_what_follows() -> None:
    """Fourteen days are learnt from, three are judged by, the rest is scored; a sensor with less stays Undefined."""
    target = world(18, second=7)
    assert case(target, replace(RULES, borrow=False)).run() == {}
    assert days_of(target) == [(17, "built", 0, 14)]
    learning, scored, other = (
        target.deviations.get(sensor, day_of(offset)).row for sensor, offset in ((ONE, 16), (ONE, 17), (TWO, 3))
    )
    assert learning is not None
    assert scored is not None
    assert other is not None
    assert learning.count(Level.UNDEFINED) == other.count(Level.UNDEFINED) == 144
    assert scored.baseline == history(target).changes[0].version
    assert scored.count(Level.OK) + scored.count(Level.WARNING) == 144
    assert [event.about for event in target.events.list(TEMPLATE.id) if event.kind == "baseline_built"] == [ONE]


def test_too_little_history_makes_none() -> None:
    """Thirteen days and three to judge by are not fourteen and three."""
    target = world(16)
    case(target).run()
    assert not history(target).changes


def test_the_first_baseline_is_the_same_however_much_came_later() -> None:
    """A backfill of a month leads to the version that a daily run would have made."""
    early, late = world(18), world(30)
    case(early).run()
    case(late).run()
    assert history(early).changes == history(late).changes


def test_a_high_day_is_kept_out_of_the_baseline() -> None:
    """A day that stands out is not leak-free history: it takes another one in its place."""
    target = world(20, {3: usual(3) + 200})
    case(target).run()
    assert days_of(target) == [(18, "built", 0, 14)]
    assert day_of(3) not in history(target).changes[0].recipe.whole_days()
    version = history(target).changes[0].version
    assert np.nanmax(target.baselines.get(ONE, version).ppmv) < 50


def test_nobody_judges_by_days_that_are_suspect() -> None:
    """While the newest days stand out, the sensor goes on learning until two of three are clean."""
    target = world(24, {offset: usual(offset) + 200 for offset in (15, 16)})
    case(target).run()
    assert days_of(target)[0][0] == 19  # days 16 to 18, of which two are clean


def test_days_without_readings_are_no_history() -> None:
    """After a gap the days before it and after it count together."""
    target = world(50, dict.fromkeys(range(12, 40), np.full(144, np.nan)))
    case(target).run()
    assert days_of(target)[0] == (45, "built", 0, 14)


# --- borrowed


def newcomer(swing: float = 0.5) -> World:
    """Return a world whose second sensor begins on day 25, when the first one has a baseline."""
    target = world(48)
    for offset in range(25, 48):
        put_day(target, offset, s2=10 + swing * (usual(offset, begun=25)[::-1] - 10))
    return target


def test_a_new_sensor_borrows_a_baseline_that_fits_until_it_has_its_own() -> None:
    """Two days after it began it is scored by its neighbour's version, then by its own."""
    target = newcomer()
    case(target, replace(RULES, augment_days=0)).run()
    borrowed, own = history(target, TWO).changes
    assert (borrowed.recipe, borrowed.version) == (
        history(target).changes[0].recipe,
        history(target).version_of(day_of(30)),
    )
    assert (borrowed.valid_from, own.valid_from) == (day_of(27), day_of(42))
    assert own.recipe.source == TWO
    row = target.deviations.get(TWO, day_of(28)).row
    assert row is not None
    assert row.count(Level.OK) > 100
    assert kinds(target) == ["baseline_built", "baseline_selected", "baseline_selected"]


@pytest.mark.parametrize(("begins", "source"), [(25, TWO), (55, ONE)], ids=["too young", "has served"])
def test_another_templates_baseline_is_lent_when_it_has_served_for_a_month(begins: int, source: str) -> None:
    """A new template learns from its platform, but not from one that is as new as it is."""
    target = world(begins + 20)
    other = template(slug="b", sensors=1)
    target.registry.add(platform(TEMPLATE, other))
    for offset in range(begins, begins + 20):
        target.lake.cells.set((other.id, day_of(offset)), document(other, day_of(offset), s1=usual(offset)[::-1]))
    case(target, replace(RULES, augment_days=0)).run()
    first = history(target, "troll-b-1").changes[0]
    assert first.recipe.source == source.replace(TWO, "troll-b-1")


@pytest.mark.parametrize(("swing", "borrow"), [(4.0, True), (0.5, False)], ids=["does not fit", "not wanted"])
def test_a_baseline_that_finds_anything_amiss_is_not_borrowed(swing: float, borrow: bool) -> None:
    """A livelier sensor waits for its own; so does every one where borrowing is switched off."""
    target = newcomer(swing)
    case(target, replace(RULES, borrow=borrow, augment_days=0)).run()
    (own,) = history(target, TWO).changes
    assert (own.recipe.source, own.reason, own.valid_from) == (TWO, "built", day_of(42))


# --- renewed


def test_a_month_later_new_history_is_added() -> None:
    """The days since are taken in, but for the last three and the unscored; older days keep their version."""
    target = world(50)
    case(target).run()
    built, augmented = history(target).changes
    assert days_of(target)[1][:2] == (47, "augmented")
    added = set(augmented.recipe.whole_days()) - set(built.recipe.whole_days())
    assert {(day - day_of(0)).days for day in added} <= set(range(17, 44))
    assert len(added) > 20
    assert {row.baseline for row in target.deviations.range(ONE, day_of(17), day_of(46))} == {built.version}
    assert {row.baseline for row in target.deviations.range(ONE, day_of(47), day_of(49))} == {augmented.version}
    assert kinds(target) == ["baseline_built", "baseline_augmented"]


def test_never_means_never() -> None:
    """With 0 days a baseline stays as it was built."""
    target = world(60)
    case(target, replace(RULES, augment_days=0)).run()
    assert len(history(target).changes) == 1


def test_days_around_an_alarm_are_not_learnt_from() -> None:
    """What was Warning or above, its neighbours and a day around the incident stay out."""
    leak = usual(30)
    leak[60:] += 40
    target = world(50, {30: leak})
    case(target).run()
    taken = {(day - day_of(0)).days for day in history(target).changes[1].recipe.whole_days()}
    assert not taken & {29, 30, 31}
    assert taken >= {20, 21, 22}


def test_an_incident_at_a_neighbour_keeps_days_out() -> None:
    """A leak that only the other sensor reads is a leak at the template."""
    target = world(50, second=50)
    put_day(target, 30, s2=usual(30) + np.where(np.arange(144) > 60, 60, 0))
    case(target).run()
    assert len(target.incidents.list(TEMPLATE.id)) == 1
    taken = {(day - day_of(0)).days for day in history(target).changes[1].recipe.whole_days()}
    assert not taken & {29, 30, 31}


def test_a_day_of_faults_is_not_learnt_from() -> None:
    """Less than half of a day Ok is too little to learn from."""
    faulty = usual(30)
    faulty[:100] = np.nan
    target = world(50, {30: faulty})
    case(target).run()
    assert day_of(30) not in history(target).changes[1].recipe.whole_days()


def test_no_change_takes_effect_while_an_alarm_goes_on() -> None:
    """A baseline that is due on a day after an alarm waits for the next quiet day."""
    leak = usual(46)
    leak[60:] += 40
    target = world(55, {46: leak})
    case(target).run()
    assert days_of(target)[1][0] > 47


def test_the_oldest_days_go_first() -> None:
    """A baseline holds no more days than it may."""
    target = world(50)
    case(target, replace(RULES, max_days=30)).run()
    first, second = history(target).changes
    assert len(second.recipe.whole_days()) == 30
    assert second.recipe.whole_days()[0] > first.recipe.whole_days()[0]


def test_where_the_one_in_use_stays_it_is_tried_again_a_month_later() -> None:
    """Nothing new to learn from is no change, and no daily attempt either."""
    gap = np.full(144, np.nan)
    target = world(82, dict.fromkeys(range(17, 44), gap))
    case(target).run()
    assert history(target).last_attempt == day_of(47)
    assert [number for number, *_ in days_of(target)] == [17, 77]


# --- the same again


def test_a_second_run_writes_nothing() -> None:
    """What has a baseline and is scored by it is left alone."""
    target = world(50, second=50)
    case(target).run()
    before = target.writes.count
    target.restart()
    case(target).run()
    assert target.writes.count == before


def test_day_by_day_and_all_at_once_end_in_the_same_tables() -> None:
    """A daily run on a growing lake and one after a long backfill decide the same."""
    leak = usual(30)
    leak[60:] += 40
    daily, whole = world(0), world(52, {30: leak}, second=52)
    for offset in range(52):
        put_day(daily, offset, **({"s1": leak} if offset == 30 else {}))
        case(daily).run()
    case(whole).run()
    assert daily.state() == whole.state()


def test_late_data_do_not_move_what_was_decided() -> None:
    """A change stays, though by what arrived later it would have been another one."""
    target = world(50)
    case(target).run()
    before = history(target)
    put_day(target, 3, s1=usual(3) + 200, s2=np.empty(0))
    case(target).run()
    assert history(target) == before


def test_a_crash_at_any_write_is_healed_by_the_next_run() -> None:
    """Whichever write the process dies at, the next daily run ends in the same tables."""
    quick = replace(RULES, min_days=5, augment_days=8)
    short = {offset: usual(offset, begun=-9) for offset in range(18)}
    begun = world(18, short)
    reference = deepcopy(begun)
    case(reference, quick).run()
    assert [reason for _, reason, *_ in days_of(reference)] == ["built", "augmented"]
    for crash_at in range(begun.writes.count + 1, reference.writes.count + 1):
        target = deepcopy(begun)
        target.writes.crash_at = crash_at
        with pytest.raises(Crash):
            case(target, quick).run()
        target.restart()
        case(target, quick).run()
        assert target.state() == reference.state(), f"crash at write {crash_at}"


def test_two_runs_that_meet_end_in_one_history() -> None:
    """The loser of the conditional write reads again, and finds nothing left to do."""
    target, reference = world(18), world(18)
    case(reference).run()
    met: list[bool] = []
    plain = target.registry.set_history

    def meeting(*arguments: object) -> object:
        if not met:
            met.append(True)
            case(target).run()
        return plain(*arguments)  # type: ignore[arg-type]

    target.registry.set_history = meeting  # type: ignore[method-assign, assignment]
    assert case(target).run() == {}
    assert target.state() == reference.state()


# --- the sweep


def test_rows_that_no_event_told_of_are_scored() -> None:
    """Rows that are lost are found by the daily run: new ones at once, an old one when it is its turn."""
    place = day_of(0).toordinal() // AT_ONCE % CYCLE_DAYS
    count = next(count for count in range(18, 18 + CYCLE_DAYS) if day_of(count - 1).toordinal() % CYCLE_DAYS == place)
    target, reference = world(count), world(count)
    case(reference).run()
    case(target).run()
    for offset in (0, count - 3):
        del target.deviations.cells.rows[ONE, day_of(offset)]
    target.restart()
    case(target).run()
    assert target.state() == reference.state()


def test_an_old_incident_that_a_crash_left_untold_is_healed() -> None:
    """Rows that are Critical without an incident are looked at again, however old they are."""
    target = world(60, {20: usual(20) + 60})
    case(target, replace(RULES, augment_days=0)).run()
    expected = target.state()
    assert len(expected["incidents"]) == 1
    target.incidents.cells.rows.clear()
    for key, event in target.events.cells.values().items():
        if "incident" in event.kind:
            del target.events.cells.rows[key]
    target.restart()
    case(target, replace(RULES, augment_days=0)).run()
    assert target.state() == expected


@pytest.mark.parametrize("left", [(), (TWO,)])
@pytest.mark.parametrize("day_is_lost", [False, True])
def test_an_old_incident_goes_with_its_sensor(left: tuple[str, ...], *, day_is_lost: bool) -> None:
    """However old it is, whether another sensor is left or none, and whether its day can be read or not."""
    target = world(60, {20: usual(20) + 60})
    case(target, replace(RULES, augment_days=0)).run()
    assert len(target.incidents.list(TEMPLATE.id)) == 1
    kept = tuple(one for one in TEMPLATE.sensors if one.id in left)
    target.registry.known["troll"] = platform(TEMPLATE.model_copy(update={"sensors": kept}))
    target.deviations.remove_all(ONE)
    if day_is_lost:
        target.lake.cells.remove((TEMPLATE.id, day_of(20)))
    target.restart()
    case(target, replace(RULES, augment_days=0)).run()
    assert not target.incidents.list(TEMPLATE.id)
    assert not any("incident" in one.kind for one in target.events.list(TEMPLATE.id))


def test_one_failing_template_does_not_stop_the_others() -> None:
    """The failure is named; the other template has its baselines."""
    target = world(18)
    other = template(slug="b", sensors=1)
    target.registry.add(platform(TEMPLATE, other))
    for offset in range(18):
        target.lake.cells.set((other.id, day_of(offset)), document(other, day_of(offset), s1=usual(offset)))
    days = target.lake.days

    def broken(one: object) -> list[date]:
        if one == TEMPLATE:
            raise CorruptBlob("the list cannot be read")
        return days(other)

    target.lake.days = broken  # type: ignore[method-assign, assignment]
    assert case(target).run() == {"troll-a": "CorruptBlob: the list cannot be read"}
    assert history(target, "troll-b-1").changes
    with pytest.raises(CorruptBlob):
        case(target).run_template("troll", "troll-a")
    with pytest.raises(NotFound, match="troll-zz"):
        case(target).run_template("troll", "troll-zz")


def test_a_platform_that_cannot_be_read_fails_the_daily_run() -> None:
    """The others are looked after, and the run says which one was not."""
    target = world(3)
    target.registry.unreadable = {"snorre": ValueError("depth must be positive")}
    assert case(target).run() == {"snorre": "ValueError: depth must be positive"}


# --- by messages


def test_the_daily_run_asks_for_each_template_one_after_the_other() -> None:
    """Spread over some time: what people ask for meanwhile waits for few of them. What cannot be read is named."""
    target = world(18)
    target.registry.add(platform(TEMPLATE, template(slug="b"), template(slug="c")))
    target.registry.known["snorre"] = target.registry.known["troll"]
    target.registry.unreadable = {"snorre": ValueError("depth must be positive")}
    asking = replace(case(target), spread=timedelta(minutes=30))
    assert asking.ask() == {"snorre": "ValueError: depth must be positive"}
    assert target.messages.baselines == ["troll-a", "troll-b", "troll-c"]
    assert target.messages.waits == [timedelta(minutes=10 * place) for place in range(3)]
    assert not history(target).changes


def test_by_messages_it_ends_as_all_at_once() -> None:
    """A message that comes twice changes nothing."""
    one, other = world(52, second=52), world(52, second=52)
    case(one).run()
    case(other).ask()
    for _ in range(2):
        assert case(other).run_template("troll", TEMPLATE.id)
    assert one.state() == other.state()
