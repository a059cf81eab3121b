"""Detect: the tables end as the lake says, whatever the order, the repetition or the crash."""

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.deviation import Level
from shared.domain.tsd import SLOTS, PlausibleRange, Reading, TemplateDay, start_of
from shared.errors import NotFound
from shared.usecases.detection.day_events import DayEvents
from tests.support.examples import DAY, at, document, history, noise, platform, quiet_baseline, series, template
from tests.support.fakes import Crash, FakeRecalled, World
from tests.support.learning import computing_once

TEMPLATE = template()
DAYS = [DAY + timedelta(days=offset) for offset in range(4)]


@pytest.fixture(autouse=True, scope="module")
def _fast() -> Iterator[None]:
    """Compute everything once, however often a test runs."""
    with computing_once():
        yield


def world() -> World:
    """Return a world whose two sensors have baselines from the first day on."""
    new = World()
    new.registry.add(platform(TEMPLATE))
    baseline = quiet_baseline()
    for sensor in TEMPLATE.sensors:
        new.baselines.put(sensor.id, baseline)
        new.registry.histories.set(sensor.id, history(sensor.id, baseline.version, DAYS[0]))
    return new


def lake_days() -> list[TemplateDay]:
    """Return four days of which the third has a leak at sensor 1 from 06:00 on, ending on the fourth at 12:00."""
    one = [noise(10), noise(11), noise(12), noise(13)]
    one[2][36:] += 40
    one[3][:72] += 40
    return [document(TEMPLATE, day, s1=one[index], s2=noise(20 + index)) for index, day in enumerate(DAYS)]


def put(target: World, documents: Iterable[TemplateDay]) -> None:
    """Put the documents into the lake as they are."""
    for one in documents:
        target.lake.cells.set((one.template, one.day), one)


def run(target: World, *days: date) -> None:
    """Deliver one event per day and then every queued message."""
    for day in days:
        target.detect.run("troll", TEMPLATE.id, day)
    target.drain()


def reference() -> World:
    """Return the world after the whole lake was there and every day was delivered once, in order."""
    target = world()
    put(target, lake_days())
    run(target, *DAYS)
    return target


def test_a_leak_becomes_one_incident_with_estimation_and_events() -> None:
    """The run of Critical is one incident, estimated once, told as opened and estimated."""
    target = reference()
    (stored,) = target.incidents.list(TEMPLATE.id)
    assert stored.incident.sensors == ("troll-a-1",)
    assert at(DAYS[2], 6) <= stored.incident.onset < at(DAYS[2], 18)
    assert stored.incident.max_score > 2
    assert stored.notified is not None
    assert {event.kind for event in target.events.list(TEMPLATE.id)} >= {"incident_opened", "estimation"}
    assert target.estimations.get(TEMPLATE.id, stored.incident.id) is not None


def test_quiet_days_are_ok_and_make_no_incident() -> None:
    """Noise like the baseline's stays Ok at every sample of a whole window."""
    target = reference()
    row = target.deviations.get("troll-a-2", DAYS[1]).row
    assert row is not None
    assert row.count(Level.OK) == 144


def test_a_second_delivery_writes_nothing() -> None:
    """An unchanged blob costs reads only."""
    target = reference()
    before = target.writes.count
    target.restart()
    run(target, *DAYS)
    assert target.writes.count == before


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::3])
def test_events_in_any_order_end_in_the_same_tables(order: tuple[int, ...]) -> None:
    """Days that are delivered in another order, each twice, end as in order."""
    target = world()
    put(target, lake_days())
    for index in (*order, *reversed(order)):
        run(target, DAYS[index])
    assert target.state() == reference().state()


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1)])
def test_days_that_arrive_in_any_order_end_in_the_same_tables(order: tuple[int, ...]) -> None:
    """A day blob that is written late is felt in the days after it."""
    target = world()
    documents = lake_days()
    for index in order:
        put(target, [documents[index]])
        run(target, DAYS[index])
    assert target.state() == reference().state()


@pytest.mark.statistical
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_growing_blobs_and_late_samples_end_in_the_same_tables(data: st.DataObject) -> None:
    """However a day's blob grows, with holes filled late and events in between, the tables end as the lake says."""
    target = world()
    finals = lake_days()
    cuts = sorted(data.draw(st.lists(st.integers(1, 4 * 144), min_size=1, max_size=6, unique=True)))
    hole = data.draw(st.integers(0, 4 * 144 - 20))
    for cut in [*cuts, 4 * 144]:
        touched = [grown(final, cut - 144 * index, hole - 144 * index) for index, final in enumerate(finals)]
        present = [one for one in touched if one is not None]
        put(target, present)
        run(target, data.draw(st.sampled_from(present)).day, present[-1].day)
    put(target, finals)
    run(target, *DAYS)
    assert target.state() == reference().state()


def grown(final: TemplateDay, slots: int, hole: int) -> TemplateDay | None:
    """Return the day as it is known after ``slots`` of its buckets, without the 20 buckets from ``hole`` on."""
    if slots <= 0:
        return None
    known = min(slots, 144)
    sensors = {}
    for name, one in final.sensors.items():
        values = [
            value if index < known and not hole <= index < hole + 20 else None for index, value in enumerate(one.values)
        ]
        until = start_of(final.day) + known * timedelta(minutes=10)
        sensors[name] = one.model_copy(update={"values": tuple(values), "until": until})
    return final.model_copy(update={"sensors": sensors})


def test_a_crash_at_any_write_loses_nothing() -> None:
    """Whichever write the process dies at, the delivery's repetition ends in the same tables."""
    expected = reference().state()
    documents = lake_days()
    for crash_at in range(1, 200):
        target = world()
        put(target, documents)
        target.writes.crash_at = target.writes.count + crash_at
        try:
            run(target, *reversed(DAYS))
        except Crash:
            target.restart()
            run(target, *reversed(DAYS))
            assert target.state() == expected, f"crash at write {crash_at}"
        else:
            assert crash_at > 20, "the run must have been long enough to crash in many places"
            return
    pytest.fail("the run never came to its end")


def test_late_data_that_end_an_incident_take_it_back() -> None:
    """An incident that a correction removes goes with its estimation and events."""
    target = reference()
    quiet = [document(TEMPLATE, day, s1=noise(10 + i), s2=noise(20 + i)) for i, day in enumerate(DAYS)]
    put(target, quiet)
    run(target, *DAYS)
    assert not target.incidents.list(TEMPLATE.id)
    assert not target.state()["estimations"]
    assert not target.events.list(TEMPLATE.id)


def test_an_old_day_that_is_looked_at_again_leaves_later_incidents_alone() -> None:
    """Their rows are not read then: that they say nothing does not mean that the incident is gone."""
    target = world()
    days = [DAY + timedelta(days=offset) for offset in range(30)]
    for number, day in enumerate(days):
        one = noise(number)
        one[36:] += 40 * (number in (3, 25))
        put(target, [document(TEMPLATE, day, s1=one, s2=noise(100 + number))])
    run(target, *days)
    before = target.state()
    assert len(before["incidents"]) == 2
    run(target, days[3])
    assert target.state() == before


def said_of_alarms(target: World) -> list[Any]:
    """Return the keys of what the journal says of alarms."""
    return sorted(key for key in target.journal_table.cells.rows if key[1].startswith("alarm:"))


def without_rows() -> World:
    """Return the world after its rows were lost, as after a restore, before they are made anew."""
    target = reference()
    for sensor in TEMPLATE.sensors:
        target.deviations.remove_all(sensor.id)
    target.restart()
    return target


@pytest.mark.parametrize("order", [DAYS, DAYS[::-1]], ids=["oldest first", "newest first"])
def test_an_incident_whose_rows_are_lost_is_left_alone_until_its_days_are_scored_anew(order: list[date]) -> None:
    """In whichever order days come: no alarm is withdrawn, and no estimation asked for."""
    before, target = reference(), without_rows()
    for day in order:
        target.detect.run("troll", TEMPLATE.id, day)
        assert target.state()["incidents"] == before.state()["incidents"]
    assert target.state() == before.state()
    assert said_of_alarms(target) == said_of_alarms(before)
    assert not target.messages.criticals


def test_days_that_are_scored_anew_say_no_level_that_was_long_ago() -> None:
    """Until the day of a sensor's newest sample has its row again, that sample stays, and what was said of it."""
    before, target = reference(), without_rows()
    for day in DAYS:
        target.detect.run("troll", TEMPLATE.id, day)
    assert target.state() == before.state()
    assert target.journal_table.cells.rows.keys() == before.journal_table.cells.rows.keys()


def test_an_incident_closes_after_it_has_been_clear_for_a_while() -> None:
    """Twelve hours without a Critical close it, with an event at that time."""
    target = reference()
    calm = [
        document(TEMPLATE, day, s1=noise(31), s2=noise(41)) for day in (DAYS[3] + timedelta(days=n) for n in (1, 2))
    ]
    put(target, calm)
    run(target, *(one.day for one in calm))
    (stored,) = target.incidents.list(TEMPLATE.id)
    assert not stored.incident.open
    (event,) = [one for one in target.events.list(TEMPLATE.id) if one.kind == "incident_closed"]
    assert event.at == stored.incident.closed == stored.incident.last_critical + timedelta(hours=12, minutes=10)


def test_a_run_that_met_another_reads_again_and_ends_right() -> None:
    """The loser of a conditional write recomputes from what the lake holds then."""
    target = world()
    documents = lake_days()
    put(target, documents[:2])
    run(target, *DAYS[:2])
    stale = dict(target.deviations.memory)
    late = target.lake.cells.values()[TEMPLATE.id, DAYS[1]]
    assert isinstance(late, TemplateDay)
    changed = document(TEMPLATE, DAYS[1], s1=noise(77), s2=noise(78))
    put(target, [changed])
    target.deviations.memory.clear()
    run(target, DAYS[1])
    put(target, [documents[1]])
    target.deviations.memory = stale  # this process does not know of the other's write
    run(target, DAYS[1])
    put(target, documents)
    run(target, *DAYS)
    assert target.state() == reference().state()


def test_samples_before_the_baseline_is_valid_are_undefined() -> None:
    """While a sensor learns, nothing of it is called Ok."""
    target = world()
    sensor = TEMPLATE.sensors[0]
    later = history(sensor.id, quiet_baseline().version, DAYS[2])
    target.registry.histories.set(sensor.id, later)
    put(target, lake_days())
    run(target, *DAYS)
    row = target.deviations.get(sensor.id, DAYS[1]).row
    assert row is not None
    assert row.count(Level.UNDEFINED) == 144
    assert row.baseline == ""


def test_missing_and_bad_values_are_undefined_counted_and_told() -> None:
    """A sentinel is never scored; the row counts it and an event tells of it."""
    target = world()
    day = lake_days()[0]
    spoilt = day.sensors["troll-a-1"].merged(
        [Reading(at(DAY, 10), 1e14, 20), Reading(at(DAY, 11), float("-inf"), 3)], at(DAY, 24), PlausibleRange(0, 5e4)
    )
    put(target, [day.model_copy(update={"sensors": {**day.sensors, "troll-a-1": spoilt}})])
    run(target, DAY)
    row = target.deviations.get("troll-a-1", DAY).row
    assert row is not None
    assert row.bad == "1 not_finite, 1 out_of_range"
    assert np.isinf(row.ppmv[60])
    (event,) = [one for one in target.events.list(TEMPLATE.id) if one.kind == "bad_values"]
    assert "1 out_of_range" in event.message


def test_a_sensor_without_a_series_is_told_and_the_others_are_scored() -> None:
    """OMNIA not knowing a tag is an event, not a silence."""
    target = world()
    put(target, [document(TEMPLATE, DAY, s1=noise(1))])
    run(target, DAY)
    assert [event.about for event in target.events.list(TEMPLATE.id)] == ["troll-a-2"]
    assert target.deviations.get("troll-a-1", DAY).row is not None


def test_an_unreadable_day_is_told_and_does_not_stop_the_next() -> None:
    """A truncated blob makes an event; what was stored of it stays, and other days are scored."""
    target = reference()
    before = target.deviations.get("troll-a-1", DAYS[1], fresh=True).row
    target.lake.cells.set((TEMPLATE.id, DAYS[1]), "it is truncated")
    run(target, DAYS[1], DAYS[2])
    after = target.deviations.get("troll-a-1", DAYS[1], fresh=True).row
    assert after is not None
    assert after.same_as(before)
    assert "corrupt_blob" in {event.kind for event in target.events.list(TEMPLATE.id)}


def test_a_lost_baseline_scores_nothing_and_takes_nothing_back() -> None:
    """Without its baseline nobody can say Ok, and an open incident does not vanish; the loss is told."""
    target = reference()
    before = target.state()
    target.baselines.cells.rows.clear()
    more = document(TEMPLATE, DAYS[3] + timedelta(days=1), s1=noise(1), s2=noise(2))
    put(target, [more])
    run(target, DAYS[3], more.day)
    after = target.state()
    assert (after["deviations"], after["incidents"]) == (before["deviations"], before["incidents"])
    corrupt = [event for event in target.events.list(TEMPLATE.id) if event.kind == "corrupt_blob"]
    assert {(event.about, event.at.date()) for event in corrupt} >= {("troll-a-1", more.day), ("troll-a-2", more.day)}


def test_an_unreadable_day_before_is_scored_from_what_its_row_remembers() -> None:
    """While yesterday's blob cannot be read, today is scored as if it could."""
    target = world()
    documents = lake_days()
    put(target, documents[:2])
    run(target, *DAYS[:2])
    target.lake.cells.set((TEMPLATE.id, DAYS[1]), "it is truncated")
    put(target, documents[2:])
    run(target, *DAYS[2:])
    put(target, documents)
    run(target, *DAYS)
    state, expected = target.state(), reference().state()
    assert (state["deviations"], state["incidents"]) == (expected["deviations"], expected["incidents"])


def silent(day: date) -> TemplateDay:
    """Return a day on which sensor 1 says nothing and sensor 2 goes on."""
    return document(TEMPLATE, day, s1=np.full(144, np.nan), s2=noise(3))


def test_silence_is_not_clear() -> None:
    """A sensor that was Critical and falls silent keeps its incident open; after a week nobody waits any more."""
    target = reference()
    days = [DAYS[3] + timedelta(days=offset) for offset in range(1, 10)]
    leaking = lake_days()[3]
    cut = leaking.sensors["troll-a-1"].values[:60] + (None,) * 84
    sensors = {**leaking.sensors, "troll-a-1": leaking.sensors["troll-a-1"].model_copy(update={"values": cut})}
    put(target, [leaking.model_copy(update={"sensors": sensors}), *(silent(day) for day in days[:3])])
    run(target, DAYS[3], *days[:3])
    (stored,) = target.incidents.list(TEMPLATE.id)
    assert stored.incident.open
    put(target, [silent(day) for day in days[3:]])
    run(target, *days[3:])
    (stored,) = target.incidents.list(TEMPLATE.id)
    assert stored.incident.closed is not None
    assert stored.incident.closed - stored.incident.last_critical == timedelta(days=7, minutes=10)


def test_what_is_told_of_faults_is_taken_back_when_they_are_mended() -> None:
    """Bad values that were corrected and a series that appeared leave no event behind."""
    target = world()
    day = lake_days()[0]
    bad = day.sensors["troll-a-1"].merged([Reading(at(DAY, 10), 1e14, 20)], at(DAY, 24), PlausibleRange(0, 5e4))
    put(target, [day.model_copy(update={"sensors": {"troll-a-1": bad}})])
    run(target, DAY)
    assert {event.kind for event in target.events.list(TEMPLATE.id)} == {"bad_values", "unknown_series"}
    put(target, [day])
    run(target, DAY)
    assert not target.events.list(TEMPLATE.id)


def test_late_currents_are_estimated_again() -> None:
    """An incident's estimation rests on the environment, too: late series lead to another answer."""
    target = reference()
    (before,) = target.state()["estimations"].values()
    documents = lake_days()
    speed = series(DAYS[1], np.full(144, 7.0), "SPEED").model_copy(update={"unit": "cm/s"})
    put(target, [documents[1].model_copy(update={"environment": {"current_speed": speed}})])
    run(target, DAYS[1])
    (after,) = target.state()["estimations"].values()
    assert after.digest != before.digest


def test_another_worker_in_between_leaves_no_ghost_incident() -> None:
    """Late data that move an onset while this run writes the old incident: only the new one stays."""
    target = world()
    documents = lake_days()
    put(target, documents)
    early = document(TEMPLATE, DAYS[1], s1=noise(11) + np.where(np.arange(144) > 100, 60, 0), s2=noise(21))
    plain_put = target.incidents.put
    meddled: list[bool] = []

    def meddling(*arguments: Any) -> Any:
        if not meddled:
            meddled.append(True)
            other = World()
            other.__dict__.update(target.__dict__)
            put(target, [early])
            target.incidents.put = plain_put  # type: ignore[method-assign]
            other.detect.run("troll", TEMPLATE.id, DAYS[1])
            target.incidents.put = meddling  # type: ignore[method-assign, assignment]
        return plain_put(*arguments)

    target.incidents.put = meddling  # type: ignore[method-assign, assignment]
    target.detect.run("troll", TEMPLATE.id, DAYS[0], DAYS[3])
    target.drain()
    expected = world()
    put(expected, [documents[0], early, *documents[2:]])
    run(expected, *DAYS)
    assert target.state() == expected.state()


# --- what people are told follows what is stored

D4 = DAYS[3] + timedelta(days=1)


def ended(slot: int, height: float = 40.0) -> list[TemplateDay]:
    """Return the days of the leak, which ends on the fourth in that slot, and a calm fifth one."""
    last = noise(13)
    last[:slot] += height
    return [
        *lake_days()[:3],
        document(TEMPLATE, DAYS[3], s1=last, s2=noise(23)),
        document(TEMPLATE, D4, s1=noise(31), s2=noise(41)),
    ]


def stuck_then_wrong() -> list[TemplateDay]:
    """Return the days of the leak with a sensor that is stuck on the second, and wrong values there."""
    days = ended(72)
    values = noise(21)
    values[40:120] = values[40]
    second = document(TEMPLATE, DAYS[1], s1=noise(11), s2=values)
    wrong = second.sensors["troll-a-1"].merged(
        [Reading(at(DAYS[1], 10), 1e14, 20)], at(DAYS[1], 24), PlausibleRange(0, 5e4)
    )
    days[1] = second.model_copy(update={"sensors": {**second.sensors, "troll-a-1": wrong}})
    return days


def without_leak() -> list[TemplateDay]:
    """Return calm days."""
    return [document(TEMPLATE, day, s1=noise(10 + n), s2=noise(20 + n)) for n, day in enumerate((*DAYS, D4))]


CHANGES = {
    "a later end": (ended(72), ended(108)),
    "an earlier end": (ended(108), ended(72)),
    "a higher score": (ended(72), ended(72, 80.0)),
    "no leak": (ended(72), without_leak()),
    "faults that are none": (stuck_then_wrong(), ended(72)),
    "faults that came late": (ended(72), stuck_then_wrong()),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CHANGES.values(), ids=CHANGES)
def test_people_are_told_what_is_stored_whatever_died_before_the_data_changed(
    case: tuple[list[TemplateDay], list[TemplateDay]],
) -> None:
    """A run dies at any write, then the data change, and then its events are repeated."""
    first, second = case
    every = (*DAYS, D4)
    clean = world()
    put(clean, first)
    run(clean, *every)
    writes = clean.writes.count
    put(clean, second)
    run(clean, *every)
    expected = clean_run(second)
    assert clean.state() == expected.state()
    for crash_at in range(1, writes + 1):
        target = world()
        put(target, first)
        target.writes.crash_at = target.writes.count + crash_at
        with contextlib.suppress(Crash):
            run(target, *every)
        target.restart()
        put(target, second)
        run(target, *every[2:], *every)
        assert target.state() == expected.state(), f"died at write {crash_at}"


def test_two_that_tell_of_one_row_at_once_leave_what_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that loses its write has told already, and the other one has not seen it."""
    target = world()
    put(target, stuck_then_wrong())
    tell = DayEvents.tell

    def meanwhile(self: Any, *arguments: Any) -> None:
        monkeypatch.undo()
        put(target, ended(72))
        run(target, *DAYS, D4)
        tell(self, *arguments)

    monkeypatch.setattr(DayEvents, "tell", meanwhile)
    run(target, DAYS[1])
    run(target, *DAYS, D4)
    assert target.state()["events"] == clean_run(ended(72)).state()["events"]


# --- what a day rests on changes, and changes back


def bump(begin: int, end: int, seed: int, height: float = 40.0) -> np.ndarray:
    """Return a day of noise with higher readings in [begin, end)."""
    values = noise(seed)
    values[begin:end] += height
    return values


PASSING = {  # the day before as it is in the end, as it was in between, and the day that follows
    "false alarm": (noise(11), bump(126, 144, 11), noise(12)),
    "missed alarm": (bump(140, 144, 11, 8.0), noise(11), bump(0, 3, 12, 8.0)),
}


def days_of(*readings: np.ndarray) -> list[TemplateDay]:
    """Return days in which sensor 1 has these readings."""
    return [document(TEMPLATE, day, s1=one, s2=noise(20, one.size)) for day, one in zip(DAYS, readings, strict=False)]


def same_tables(one: World, other: World) -> bool:
    """Return whether both hold the same rows and incidents."""
    mine, theirs = one.state(), other.state()
    return all(mine[name] == theirs[name] for name in ("deviations", "incidents", "latest")) and rest_of(
        one
    ) == rest_of(other)


@pytest.mark.parametrize("offset", [1, 2])
@pytest.mark.parametrize("case", PASSING.values(), ids=PASSING)
def test_a_later_day_is_not_scored_from_a_passing_state(case: tuple[np.ndarray, ...], offset: int) -> None:
    """It was scored while the day before it held something else, and that day's own event finds its row as it was."""
    final, passing, after = case
    gap = noise(13)
    gap[:6] = np.nan  # held from the day before it, and in the day after it still a part of what is compared
    between = [gap] * (offset - 1)
    target = world()
    put(target, days_of(final, *between))
    run(target, *DAYS[:offset])
    put(target, days_of(passing, *between, after))
    run(target, DAYS[offset])
    put(target, days_of(final))
    run(target, DAYS[0])
    assert same_tables(target, clean_run(days_of(final, *between, after)))


@pytest.mark.parametrize("moment", ["before it writes", "before it looks at what it rests on"])
@pytest.mark.parametrize("day", [0, 1])
def test_what_changes_and_changes_back_while_a_day_is_scored_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, moment: str, day: int
) -> None:
    """A run read the passing state; the run of the change back ends before it, and finds the old rows right."""
    final, passing, after = PASSING["false alarm"]
    target = world()
    put(target, days_of(final))
    run(target, DAYS[0])
    put(target, days_of(passing, after))
    name = "put" if moment == "before it writes" else "get"
    method = getattr(target.deviations, name)

    def meanwhile(*arguments: Any, **more: Any) -> Any:
        if name == "put" or more.get("fresh"):
            monkeypatch.undo()
            put(target, days_of(final))
            run(target, DAYS[0])
        return method(*arguments, **more)

    monkeypatch.setattr(target.deviations, name, meanwhile)
    run(target, DAYS[day])
    run(target, DAYS[1])
    assert same_tables(target, clean_run(days_of(final, after)))


def test_another_process_in_between_is_not_written_over_from_memory() -> None:
    """What a process remembers of the day before may be behind, too."""
    leak = [bump(0, 144, 11), bump(0, 144, 12), bump(0, 144, 13)[:72]]
    target = world()
    put(target, days_of(bump(72, 144, 10), *leak))
    run(target, *DAYS)
    mine = dict(target.deviations.memory)
    put(target, days_of(bump(36, 144, 10)))
    target.deviations.memory.clear()  # another process
    run(target, DAYS[0])
    expected = target.state()
    assert target.deviations.memory["troll-a-1", DAYS[3]][1] != mine["troll-a-1", DAYS[3]][1]
    target.deviations.memory = mine
    run(target, DAYS[3])
    assert target.state()["deviations"] == expected["deviations"]
    assert rest_of(target) == rest_of(clean_run(days_of(bump(36, 144, 10), *leak)))


def clean_run(days: Sequence[TemplateDay]) -> World:
    """Return the world in which these days were there from the first, and each was delivered once, in order."""
    clean = world()
    put(clean, days)
    run(clean, *(one.day for one in days))
    return clean


def rest_of(target: World) -> list[tuple[Any, ...]]:
    """Return what each row rests on and hands on."""
    rows = target.deviations.cells.values().values()
    return sorted((row.sensor, row.day, repr(row.before), repr(row.carry), row.context) for row in rows)


@pytest.mark.parametrize("changed", [0, 1])
@pytest.mark.parametrize("remembers", [True, False])
def test_a_day_that_goes_on_rests_on_what_the_lake_holds_of_the_days_before(changed: int, *, remembers: bool) -> None:
    """Also where the process, or the rows that it reads, remember what was there when it was scored last."""
    whole = [document(TEMPLATE, DAYS[day], s1=noise(10 + day), s2=noise(20 + day)) for day in range(3)]
    target = world()
    put(target, whole[:2])
    run(target, *DAYS[:2])
    for slots in (40, 50, 60):
        put(target, [today := of_slots(whole[2], slots)])
        run(target, DAYS[2])
    other = document(TEMPLATE, DAYS[changed], s1=noise(70), s2=noise(71))
    put(target, [other])
    if not remembers:
        target.recalled, target.deviations.memory = FakeRecalled(), {}
    run(target, DAYS[changed])
    expected = clean_run([other if day == changed else whole[day] for day in range(2)] + [today])
    assert rest_of(target) == rest_of(expected)
    assert same_tables(target, expected)


def of_slots(day: TemplateDay, slots: int) -> TemplateDay:
    """Return the day as it is after so many of its buckets."""
    return grown(day, slots, 2 * SLOTS) or day


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_the_lake_passed_through_the_tables_end_as_it_says(data: st.DataObject) -> None:
    """Days change, change back and go on, their events come late, twice, in any order, to either of two processes."""
    states = [[noise(10 + day), bump(120, 144, 10 + day), bump(0, 40, 10 + day, 8.0)] for day in range(4)]
    target, waiting = world(), set[int]()
    holds, known = dict.fromkeys(range(4), 0), [SLOTS, SLOTS, SLOTS, 60]
    memories: list[tuple[dict[Any, Any], FakeRecalled]] = [({}, FakeRecalled()), ({}, FakeRecalled())]

    def deliver(day: int) -> None:
        target.deviations.memory, target.recalled = memories[data.draw(st.integers(0, 1))]
        run(target, DAYS[day])

    def held(day: int) -> TemplateDay:
        return of_slots(document(TEMPLATE, DAYS[day], s1=states[day][holds[day]], s2=noise(20)), known[day])

    def becomes(day: int) -> None:
        put(target, [held(day)])
        waiting.add(day)

    for day in range(4):
        becomes(day)
    for _ in range(data.draw(st.integers(3, 14))):
        what = data.draw(st.sampled_from(["event", "event", "change", "more"]))
        if what == "event" and waiting:
            day = data.draw(st.sampled_from(sorted(waiting)))
            deliver(day)
            if data.draw(st.booleans()):
                waiting.discard(day)
        elif what == "more":
            known[3] = min(known[3] + data.draw(st.sampled_from([1, 40])), SLOTS)
            becomes(3)
        else:
            day, holds_now = data.draw(st.tuples(st.integers(0, 3), st.integers(0, 2)))
            holds[day] = holds_now
            becomes(day)
    for day in data.draw(st.permutations(sorted(waiting))):
        deliver(day)
    expected = clean_run([held(day) for day in range(4)])
    assert rest_of(target) == rest_of(expected)
    assert same_tables(target, expected)


def test_an_unknown_template_is_not_found() -> None:
    """The caller hears which template it asked for."""
    with pytest.raises(NotFound, match="troll-zz"):
        world().detect.run("troll", "troll-zz", DAY)
