"""Checked days: rows that were found right are not read again until something that they rest on is another one."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import date
from unittest.mock import patch

import numpy as np
import pytest

from shared.detection import baseline, engine, engine_id
from shared.domain.checked_days import CheckedDays
from shared.domain.mark import Span
from shared.domain.tsd import ONE_DAY
from shared.ports import DaySummary, StoredCheck
from shared.usecases.baselines import rescoring
from shared.usecases.baselines.renewal import RenewalRules
from tests.support.examples import platform
from tests.support.fakes import Crash, World
from tests.support.learning import (
    ONE,
    RULES,
    TEMPLATE,
    TWO,
    at,
    case,
    computing_once,
    day_of,
    feedback,
    history,
    put_day,
    usual,
    world,
)

pytestmark = pytest.mark.xdist_group("learning")  # what one process computes once

DAYS = 40
NEVER = replace(RULES, augment_days=0)


@pytest.fixture(autouse=True)
def _fast() -> Iterator[None]:
    """Compute everything once; and let no day be looked at only because it is its turn."""
    with computing_once(), patch.object(rescoring, "_in_turn", lambda _: set()):
        yield


def checked() -> World:
    """Return a world that was looked after twice: nothing is left to do."""
    target = world(DAYS, second=DAYS)
    run(target)
    run(target)
    return target


def run(target: World, rules: RenewalRules = NEVER) -> None:
    """Let the daily run look after the world, in a new process."""
    target.restart()
    assert case(target, rules).run() == {}


def first_read(target: World, rules: RenewalRules = NEVER) -> date:
    """Return the first day whose row the daily run reads."""
    read: list[date] = []
    summaries = target.deviations.summaries

    def reading(sensor: str, first: date, last: date) -> list[DaySummary]:
        read.append(first)
        return list(summaries(sensor, first, last))

    with patch.object(target.deviations, "summaries", reading):
        run(target, rules)
    return min(read)


def looks_from(day: int) -> date:
    """Return the first day that is read where a look begins at that one: it rests on two days before."""
    return day_of(day) - 2 * ONE_DAY


def test_of_a_checked_history_the_newest_rows_alone_are_read() -> None:
    """However long it is: three days, and those that they rest on."""
    assert first_read(checked()) == looks_from(DAYS - rescoring.RECENT_DAYS)


def test_a_day_that_comes_is_looked_at_with_the_newest() -> None:
    """A lake that grows makes no older day another one."""
    target = checked()
    put_day(target, DAYS)
    assert first_read(target) == looks_from(DAYS + 1 - rescoring.RECENT_DAYS)


def test_late_data_of_which_no_event_told_are_scored() -> None:
    """The day's blob is another one: so the look begins there, and ends as if the event had come."""
    target = checked()
    put_day(target, 20, s1=usual(20) + 60)
    reference = deepcopy(target)
    reference.detect.run("troll", TEMPLATE.id, day_of(20))
    run(reference)
    assert first_read(target) == looks_from(20)
    assert target.state() == reference.state()
    assert first_read(target) == looks_from(DAYS - rescoring.RECENT_DAYS)


def test_a_day_that_was_rescored_in_part_is_scored_to_the_end() -> None:
    """A run dies at any of its writes and its event is lost: what its day hands on is followed by the daily run."""
    begun = checked()
    put_day(begun, 20, s1=usual(20) + np.r_[np.zeros(72), np.full(72, 60)])
    reference = deepcopy(begun)
    reference.detect.run("troll", TEMPLATE.id, day_of(20))
    writes = reference.writes.count
    run(reference)
    for crash_at in range(begun.writes.count + 1, writes + 1):
        target = deepcopy(begun)
        target.writes.crash_at = crash_at
        with pytest.raises(Crash):
            target.detect.run("troll", TEMPLATE.id, day_of(20))
        run(target)
        assert target.state() == reference.state(), f"crash at write {crash_at}"


def test_a_mark_makes_it_look_again_from_its_day_on() -> None:
    """Whether its message came or not."""
    target = checked()
    feedback(target, DAYS).mark(ONE, Span(at(25), at(25, 4)), "no_leak", "anna", "")
    assert first_read(target) == looks_from(25)
    assert first_read(target) == looks_from(DAYS - rescoring.RECENT_DAYS)


def test_a_mark_that_is_taken_back_leaves_no_row_of_it() -> None:
    """Its run died at any write: the history is again what it was when the rows were found right, and they are not."""
    begun = checked()
    mark = feedback(begun, DAYS).mark(ONE, Span(at(25), at(25, 4)), "no_leak", "anna", "").id
    done, never = deepcopy(begun), deepcopy(begun)
    run(done)
    feedback(never, DAYS).undo_mark(ONE, mark)
    run(never)
    for crash_at in range(begun.writes.count + 1, done.writes.count + 1, 3):
        target = deepcopy(begun)
        target.writes.crash_at = crash_at
        with pytest.raises(Crash):
            case(target, NEVER).run()
        target.restart()
        feedback(target, DAYS).undo_mark(ONE, mark)
        run(target)
        assert target.state()["deviations"] == never.state()["deviations"], f"crash at write {crash_at}"


def test_another_engine_makes_it_look_at_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the engine before that comes back, though what it rests on is what it was when it checked the rows."""
    target = checked()
    before = target.state()["deviations"]
    with monkeypatch.context() as later:  # a release that knows nothing of checked days
        later.setattr(engine, "NUMBER", engine.NUMBER + 1)
        later.setattr(baseline, "_NAMES", [*baseline._NAMES, "quarter"])
        later.setattr(target.registry, "checked", lambda _: StoredCheck(None, None))
        later.setattr(target.registry, "set_checked", lambda *_: None)
        run(target)
        assert {row.engine for row in target.deviations.cells.values().values()} == {engine_id()}
    assert first_read(target) == looks_from(0)
    assert target.state()["deviations"] == before
    assert {row.engine for row in target.deviations.cells.values().values()} == {engine_id()}


def test_a_renewed_baseline_counts_from_its_day_on() -> None:
    """No older row is read."""
    target = checked()
    for offset in range(DAYS, 52):
        put_day(target, offset)
    run(target)
    run(target)
    assert first_read(target, RULES) == looks_from(47)
    change = history(target).changes[-1]
    assert (change.reason, change.valid_from) == ("augmented", day_of(47))


def test_a_sensor_that_is_made_anew_is_looked_at_from_the_first_day_on() -> None:
    """Its rows are gone with it, though the lake holds its readings and the new one is like the old."""
    target = checked()
    expected = target.state()["deviations"].keys()
    before = target.registry.platform("troll")
    alone = TEMPLATE.model_copy(update={"sensors": TEMPLATE.sensors[:1]})
    target.registry.change(before, platform(alone))
    target.deviations.remove_all(TWO)
    target.registry.change(target.registry.platform("troll"), platform(TEMPLATE))
    run(target)
    assert target.state()["deviations"].keys() == expected


def test_an_incident_that_is_gone_makes_it_look_at_its_days() -> None:
    """Its rows say that there has to be one."""
    target = checked()
    put_day(target, 20, s1=usual(20) + 60)
    run(target)
    run(target)
    expected = target.incidents.cells.values()
    assert expected
    target.incidents.cells.rows.clear()
    run(target)
    assert target.incidents.cells.values() == expected


def test_who_loses_the_write_leaves_what_another_run_checked() -> None:
    """It says as much; nothing fails."""
    target = world(DAYS)
    stored = target.registry.checked

    def behind(template: object) -> object:
        found = stored(template)  # type: ignore[arg-type]
        target.registry.set_checked(TEMPLATE, CheckedDays(day_of(0), "abcd"), found.etag)
        return found

    with patch.object(target.registry, "checked", behind):
        case(target, NEVER).run_template("troll", TEMPLATE.id)
    assert stored(TEMPLATE).days == CheckedDays(day_of(0), "abcd")


def test_marks_of_days_stand_in_a_row_one_after_the_other() -> None:
    """A day between them that has none was not checked; what comes after a day can be taken out."""
    days = {day_of(0): "aaaa", day_of(2): "cccc"}
    found = CheckedDays.of(days)
    assert found == CheckedDays(day_of(0), "aaaa....cccc")
    assert found.by_day() == days
    assert found.before(day_of(2)).by_day() == {day_of(0): "aaaa"}
    assert found.before(day_of(-1)).by_day() == {}
    assert CheckedDays.of({}) is None
