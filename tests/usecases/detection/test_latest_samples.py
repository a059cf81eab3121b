"""Newest samples: they say what the rows say, whoever wrote those in between, and cost next to nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from shared.domain.deviation import DeviationDay, Latest, Level
from shared.domain.tsd import BUCKET, start_of
from shared.errors import Conflict
from shared.retry import TRIES
from shared.usecases.detection.latest_samples import UpdateLatest
from tests.support.examples import DAY, at, document, history, noise, platform, quiet_baseline, template
from tests.support.fakes import Crash, FakeDeviations, World

TEMPLATE = template()
ONE, TWO = "troll-a-1", "troll-a-2"
NEXT = DAY + timedelta(days=1)


def world() -> World:
    """Return a world whose two sensors have baselines from the first day on."""
    new = World()
    new.registry.add(platform(TEMPLATE))
    for sensor in TEMPLATE.sensors:
        new.baselines.put(sensor.id, quiet_baseline())
        new.registry.histories.set(sensor.id, history(sensor.id, quiet_baseline().version, DAY))
    return new


def put(target: World, day: date, slots: int = 144, leak: int | None = None) -> None:
    """Put so many buckets of a day into the lake, with a leak at sensor 1 from a slot on."""
    ppmv = noise(day.toordinal())
    if leak is not None:
        ppmv[leak:] += 60
    one = document(TEMPLATE, day, s1=ppmv[:slots], s2=noise(day.toordinal() + 99)[:slots])
    target.lake.cells.set((TEMPLATE.id, day), one)


def another(target: World) -> World:
    """Return another process on the same storage."""
    other = World()
    other.__dict__.update(target.__dict__)
    other.deviations = FakeDeviations(target.writes)
    other.deviations.cells = target.deviations.cells
    return other


def run(target: World, *days: date) -> None:
    """Deliver one event per day."""
    for day in days:
        target.detect.run("troll", TEMPLATE.id, day)


def latest(target: World, sensor: str = ONE) -> Latest:
    """Return the sensor's newest sample as it is stored."""
    return target.registry.record(TEMPLATE.id).latest[sensor]


def expected(target: World, sensor: str = ONE) -> Latest:
    """Return the sensor's newest sample as all its rows say, bucket by bucket."""
    rows = [row for (name, _), row in target.deviations.cells.values().items() if name == sensor and row.level.size]
    rows.sort(key=lambda row: row.day)
    levels = [(start_of(row.day) + slot * BUCKET, level) for row in rows for slot, level in enumerate(row.level)]
    since, level = levels[-1]
    for moment, other in reversed(levels[:-1]):
        if other != level or moment != since - BUCKET:
            break
        since = moment
    newest = {name: getattr(rows[-1], name)[-1].item() for name in ("score", "ppmv", "fault", "channel", "raw")}
    known = {name: value if np.isfinite(value) else None for name, value in newest.items()}
    return Latest(at=levels[-1][0], level=Level(level), since=since, **known)


def before_first(target: Any, name: str, act: Callable[[], None]) -> None:
    """Do something just before the first call of a method."""
    plain = getattr(target, name)
    done: list[bool] = []

    def call(*arguments: Any, **more: Any) -> Any:
        if not done:
            done.append(True)
            act()
        return plain(*arguments, **more)

    setattr(target, name, call)


def refuse(*_: Any) -> Any:
    """Fail where nothing is to be read."""
    raise AssertionError("levels were read")


def test_the_newest_sample_says_what_the_row_says() -> None:
    """Level, score, reading and since when; a run is followed over midnight."""
    target = world()
    put(target, DAY, leak=60)
    put(target, NEXT, slots=3, leak=0)
    run(target, DAY, NEXT)
    found = latest(target)
    assert found == expected(target)
    assert (found.level, found.at) == (Level.CRITICAL, at(NEXT, 1 / 3))
    assert at(DAY, 10) <= found.since < at(NEXT)
    assert latest(target, TWO) == expected(target, TWO)


def test_what_is_missing_is_undefined() -> None:
    """A bucket without a sample has neither reading nor score; a day that only began says nothing."""
    target = world()
    put(target, DAY)
    target.lake.cells.set((TEMPLATE.id, NEXT), document(TEMPLATE, NEXT, s1=np.full(30, np.nan), s2=noise(3)[:30]))
    run(target, DAY, NEXT)
    found = latest(target)
    assert (found.level, found.score, found.ppmv, found.at) == (Level.UNDEFINED, None, None, at(NEXT, 29 / 6))
    target.lake.cells.set((TEMPLATE.id, NEXT + timedelta(days=1)), document(TEMPLATE, NEXT + timedelta(days=1), s1=[]))
    run(target, NEXT + timedelta(days=1))
    assert latest(target) == found == expected(target)


@pytest.mark.parametrize("leak", [None, 130, 10])
@pytest.mark.parametrize("goes_on", [False, True])
def test_a_new_day_costs_no_reads(leak: int | None, goes_on: bool) -> None:
    """The newest sample of the day before says since when its level was there."""
    target = world()
    put(target, DAY)
    put(target, NEXT, leak=leak)
    run(target, DAY, NEXT)
    third = NEXT + timedelta(days=1)
    put(target, third, slots=3, leak=0 if goes_on else None)
    plain, open_ends = target.deviations.range, []

    def read(sensor: str, first: date, last: date) -> list[DeviationDay]:
        open_ends.extend([last] if last == date.max else [])  # those of incidents have an end
        return plain(sensor, first, last)

    target.restart()
    with patch.object(target.deviations, "range", read), patch.object(target.deviations, "columns", refuse):
        run(target, third)
    assert latest(target) == expected(target)
    assert latest(target).at.date() == third
    assert not open_ends


@pytest.mark.parametrize("again", [False, True])
def test_a_growing_day_costs_no_reads(again: bool) -> None:
    """The rows that a tick wrote tell all, and those that a repetition found unchanged, too."""
    target = world()
    put(target, DAY)
    put(target, NEXT, slots=60)
    run(target, DAY, NEXT)
    put(target, NEXT, slots=60 if again else 61)
    ranges: list[str] = []
    before_first(target.deviations, "range", lambda: ranges.append("read"))
    writes = target.writes.count
    run(target, NEXT)
    assert latest(target) == expected(target)
    assert not ranges
    assert target.writes.count - writes == (0 if again else 3)  # two rows, one row of newest samples


def test_of_two_runs_that_meet_the_last_to_write_has_read_both() -> None:
    """Whether another run came after this one's rows or before them, the rows of both are told."""
    for where in ("set_latest", "put", "get"):
        target = world()
        put(target, DAY)
        put(target, NEXT, slots=60)
        run(target, DAY, NEXT)
        put(target, NEXT, slots=70)
        other = another(target)

        def meanwhile(target: World = target, other: World = other) -> None:
            put(target, DAY, leak=130)
            put(target, NEXT, slots=80, leak=0)
            run(other, DAY, NEXT)

        before_first(target.registry if where == "set_latest" else target.deviations, where, meanwhile)
        run(target, NEXT)
        for sensor in (ONE, TWO):
            assert latest(target, sensor) == expected(target, sensor), where
        assert latest(target).at == at(NEXT, 79 / 6)
        run(other, DAY, NEXT)
        assert latest(target) == expected(target)


def test_a_late_correction_that_was_taken_back_stays_taken_back() -> None:
    """A run that finds nothing different writes all the same, so that one which read before it loses."""
    target = world()
    put(target, DAY)
    put(target, NEXT, slots=60)
    run(target, DAY, NEXT)
    right = latest(target)
    other = another(target)

    def taken_back() -> None:
        put(target, NEXT, slots=60)
        run(other, NEXT)

    put(target, NEXT, slots=60, leak=10)
    before_first(target.registry, "set_latest", taken_back)
    run(target, NEXT)
    assert latest(target) == right == expected(target)


def test_what_a_crash_left_is_healed_by_the_repetition() -> None:
    """The rows were written, their newest samples not: the same event finds it out."""
    target = world()
    put(target, DAY, slots=60)

    def die() -> None:
        raise Crash

    before_first(target.registry, "set_latest", die)
    with pytest.raises(Crash):
        run(target, DAY)
    assert not target.registry.latest.values()
    writes = target.writes.count
    target.restart()
    run(target, DAY)
    assert latest(target) == expected(target)
    assert target.writes.count == writes + 1


def test_a_day_before_the_run_leaves_the_newest_samples_alone() -> None:
    """Nothing is read and nothing written for a day that they do not look at."""
    target = world()
    days = [DAY + timedelta(days=offset) for offset in range(6)]
    for day in days:
        put(target, day, leak=10 if day == days[2] else None)
    run(target, *days)
    assert latest(target).since > at(days[2])
    tag = target.registry.record(TEMPLATE.id).latest_etags[TEMPLATE.id]
    record = target.registry.record(TEMPLATE.id)
    row = target.deviations.get(ONE, days[0]).row
    assert row is not None
    UpdateLatest(registry=target.registry, deviations=target.deviations, journal=target.journal).run(
        record, TEMPLATE, {(ONE, days[0]): row}, wrote=True
    )
    assert target.registry.record(TEMPLATE.id).latest_etags[TEMPLATE.id] == tag
    put(target, days[0], leak=140)
    run(target, days[0])
    assert latest(target) == expected(target)


LONG = [DAY + timedelta(days=offset) for offset in range(14)]


def long_run(leak: int | None) -> World:
    """Return a world with two weeks of one level at sensor 1, all but for the first hours."""
    target = world()
    for day in LONG:
        put(target, day, leak=None if leak is None else leak if day == LONG[0] else 0)
    run(target, *LONG)
    return target


@pytest.mark.parametrize(("leak", "level"), [(60, Level.CRITICAL), (None, Level.OK)])
@pytest.mark.parametrize("how", ["day by day", "from the rows alone", "after the release before"])
def test_a_level_is_told_since_it_began_however_long_ago(leak: int | None, level: Level, how: str) -> None:
    """Whether what is known goes on, is lost, or was written by a release that looked one day back, for Ok, too."""
    target = long_run(leak)
    record = target.registry.record(TEMPLATE.id)
    if how == "from the rows alone":
        target.registry.set_latest(TEMPLATE, {}, record.latest_etags[TEMPLATE.id])
    if how == "after the release before":
        short = {name: one.model_copy(update={"since": at(LONG[-2])}) for name, one in record.latest.items()}
        target.registry.set_latest(TEMPLATE, short, record.latest_etags[TEMPLATE.id])
    run(target, LONG[-1])
    assert latest(target).level is level
    assert latest(target) == expected(target)
    assert at(DAY) < latest(target).since < at(NEXT)


def test_a_long_run_is_looked_for_in_few_reads() -> None:
    """Levels are read in growing steps, and those of the days before the run hardly."""
    target = long_run(60)
    record = target.registry.record(TEMPLATE.id)
    target.registry.set_latest(TEMPLATE, {}, record.latest_etags[TEMPLATE.id])
    plain, spans = target.deviations.columns, []

    def read(sensor: str, first: date, last: date, names: Any) -> Any:
        spans.extend([(last - first).days + 1] if sensor == ONE else [])
        return plain(sensor, first, last, names)

    with patch.object(target.deviations, "columns", read):
        run(target, LONG[-1])
    assert spans == [2, 8, 32]


@pytest.mark.parametrize("day", [LONG[3], LONG[0]])
def test_a_late_correction_inside_a_run_moves_its_start(day: date) -> None:
    """Days ago the sensor had read low, as is now known: the level has been there since then only."""
    target = long_run(60)
    stored = target.deviations.get(ONE, day)
    assert stored.row is not None
    row = replace(stored.row, level=np.where(np.arange(144) < 100, Level.OK, stored.row.level).astype(np.int8))
    target.deviations.put(row, stored.etag)
    UpdateLatest(registry=target.registry, deviations=target.deviations, journal=target.journal).run(
        target.registry.record(TEMPLATE.id), TEMPLATE, {(ONE, day): row}, wrote=True
    )
    assert latest(target) == expected(target)
    assert latest(target).since == start_of(day) + 100 * BUCKET


def test_of_a_correction_inside_a_run_and_a_tick_that_meet_both_are_told() -> None:
    """Whoever writes the newest samples last has read what the other one wrote."""
    for where in ("set_latest", "put", "get"):
        for first, second in ((LONG[3], LONG[-1]), (LONG[-1], LONG[3])):
            target = long_run(60)
            put(target, LONG[3])
            put(target, LONG[-1], slots=70, leak=0)
            other = another(target)
            before_first(
                target.registry if where == "set_latest" else target.deviations,
                where,
                lambda other=other, second=second: run(other, second),  # type: ignore[misc]
            )
            run(target, first)
            assert latest(target) == expected(target), (where, first)


@pytest.mark.parametrize("gap", [LONG[10], LONG[11]])
def test_a_run_ends_where_nothing_is_known(gap: date) -> None:
    """What was Critical before a day without a row may have been anything on that day."""
    target = long_run(60)
    target.deviations.cells.remove((ONE, gap))
    record = target.registry.record(TEMPLATE.id)
    target.registry.set_latest(TEMPLATE, {}, record.latest_etags[TEMPLATE.id])
    run(target, LONG[-1])
    assert latest(target) == expected(target)
    assert latest(target).since == at(gap) + timedelta(days=1)


def test_a_sensor_that_goes_meanwhile_is_not_brought_back() -> None:
    """The run that still knew it reads again, and tells of the others."""
    target = world()
    put(target, DAY, slots=60)
    run(target, DAY)
    put(target, DAY, slots=61)
    other = another(target)

    def remove() -> None:
        record = other.registry.record(TEMPLATE.id)
        smaller = TEMPLATE.model_copy(update={"sensors": TEMPLATE.sensors[1:]})
        other.registry.set_latest(TEMPLATE, {TWO: record.latest[TWO]}, record.latest_etags[TEMPLATE.id])
        other.registry.add(platform(smaller), replace=True)

    before_first(target.registry, "set_latest", remove)
    run(target, DAY)
    assert set(target.registry.record(TEMPLATE.id).latest) == {TWO}
    assert latest(target, TWO) == expected(target, TWO)


@pytest.mark.usefixtures("without_waits")
def test_who_always_loses_says_so() -> None:
    """The tries are bounded."""
    target = world()
    put(target, DAY, slots=60)
    run(target, DAY)
    tries: list[int] = []

    def lose(*_: Any) -> None:
        tries.append(1)
        raise Conflict("row")

    target.registry.set_latest = lose  # type: ignore[method-assign, assignment]
    row: DeviationDay | None = target.deviations.get(ONE, DAY).row
    assert row is not None
    with pytest.raises(Conflict):
        UpdateLatest(registry=target.registry, deviations=target.deviations, journal=target.journal).run(
            target.registry.record(TEMPLATE.id), TEMPLATE, {(ONE, DAY): row}, wrote=True
        )
    assert len(tries) == TRIES


def test_the_word_of_a_level_is_stored() -> None:
    """What is stored can be read by people, and read back."""
    one = Latest(at=at(DAY), level=Level.WARNING, score=1.2, ppmv=11.0, since=at(DAY))
    assert one.model_dump(mode="json")["level"] == "Warning"
    assert Latest.model_validate(one.model_dump(mode="json")) == one
    with pytest.raises(ValueError, match="level"):
        Latest.model_validate(one.model_dump() | {"level": "Odd"})
