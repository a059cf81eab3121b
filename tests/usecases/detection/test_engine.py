"""Another detection engine: what the one before made stands until it is made anew, and all of it is."""

import json
from unittest.mock import patch

import numpy as np
import pytest

from shared.detection import Baseline, baseline, detect, detector, engine, engine_id, is_newer
from shared.domain.deviation import Level
from shared.domain.tsd import SLOTS
from shared.errors import NewerSchema, OtherEngine
from shared.usecases.detection.detect import LOOKS
from shared.usecases.queries.query import Queries
from shared.usecases.queries.template_status import STALE_DATA, status_of
from tests.support.examples import at, noise, quiet_baseline, set_read_until
from tests.support.fakes import Crash, FakeClock, World
from tests.support.learning import ONE, TEMPLATE, TWO, case, day_of, history, put_day, usual, world
from tests.support.paths import DATA
from tests.support.sensor_readings import leak, times

DAYS = 21
HISTORIES = (10, 75)  # days: what a channel's share of the false alarms is depends on them
RECORDED = DATA / "detection-engine.json"


@pytest.fixture
def learned() -> World:
    """Two sensors that have baselines and are scored by them, all by the engine of now."""
    target = world(DAYS, second=DAYS)
    case(target).run()
    assert {history.engine for history in target.registry.histories.values().values()} == {engine_id()}
    return target


@pytest.fixture
def one_channel_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel beside the others, as the next engine may have."""
    monkeypatch.setattr(engine, "NUMBER", engine.NUMBER + 1)
    monkeypatch.setattr(baseline, "_NAMES", [*baseline._NAMES, "quarter"])


def health(target: World, day: int = DAYS) -> tuple[str, int]:
    """Return what health says when a day begins: the status, and how many sensors wait for this engine."""
    registered, now = target.registry, FakeClock(at(day_of(day)))
    set_read_until(target.registry, TEMPLATE, now.moment)
    found = Queries(
        registry=registered,
        incidents_table=target.incidents,
        estimations=target.estimations,
        events_table=target.events,
        messages=target.messages,
        clock=now,
    ).health()
    return found.status, found.templates[0].sensors_of_another_engine


def test_a_channel_is_added_and_every_sensor_is_scored_again(learned: World, request: pytest.FixtureRequest) -> None:
    """First look, message, histories, rows: in the end all is as if this engine had always been there."""
    before = learned.deviations.cells.rows.copy()
    assert health(learned) == ("ok", 0)
    request.getfixturevalue("one_channel_more")
    put_day(learned, DAYS)

    learned.restart()
    learned.detect.run("troll", TEMPLATE.id, day_of(DAYS))
    assert learned.deviations.cells.rows == before
    assert learned.messages.baselines == [TEMPLATE.id]
    assert health(learned) == ("degraded", 2)

    case(learned).run_template("troll", TEMPLATE.id)
    assert health(learned) == ("ok", 0)
    rows = learned.deviations.cells.values()
    assert {row.engine for row in rows.values()} == {engine_id()}
    assert rows[ONE, day_of(DAYS)].last_level() is rows[TWO, day_of(DAYS)].last_level() is Level.OK

    fresh = world(DAYS + 1, second=DAYS + 1)
    case(fresh).run()
    assert learned.state() == fresh.state()


def test_the_daily_run_makes_anew_what_any_other_engine_made(learned: World, request: pytest.FixtureRequest) -> None:
    """Also when a release was taken back: nobody needs to ask."""
    request.getfixturevalue("one_channel_more")
    assert not case(learned).run()
    fresh = world(DAYS, second=DAYS)
    case(fresh).run()
    assert learned.state() == fresh.state()


def test_a_crash_while_it_is_made_anew_is_healed_by_the_next_run(
    learned: World, request: pytest.FixtureRequest
) -> None:
    """Whatever was written by then stands; the rest follows."""
    request.getfixturevalue("one_channel_more")
    whole = world(DAYS, second=DAYS)
    case(whole).run()
    crashed = 0
    while crashed < 100:
        learned.writes.crash_at = learned.writes.count + 3
        try:
            case(learned).run()
            break
        except Crash:
            crashed += 1
            learned.restart()
    assert crashed > 5
    assert learned.state() == whole.state()


def test_baselines_of_a_newer_engine_are_left_to_it(learned: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a release is rolled out, the old one does not undo what the new one did; what it cannot score, stands."""
    monkeypatch.setattr(engine, "NUMBER", engine.NUMBER - 1)
    before = learned.deviations.cells.rows.copy()
    put_day(learned, DAYS)
    learned.restart()
    learned.detect.run("troll", TEMPLATE.id, day_of(DAYS))
    assert not learned.messages.baselines
    assert learned.deviations.cells.rows == before
    assert health(learned) == ("degraded", 2)


def test_a_leak_goes_on_while_its_days_are_scored_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the new histories and the new rows nobody says Ok: a day alone does not know what it was handed."""
    leak_begins, leak_goes_on = usual(20).copy(), usual(21) + 40
    leak_begins[60:] += 40
    target = world(22, {20: leak_begins, 21: leak_goes_on}, second=22)
    case(target).run()
    before, incidents = target.deviations.cells.rows.copy(), target.incidents.cells.rows.copy()
    assert target.registry.record(TEMPLATE.id).latest[ONE].level is Level.CRITICAL

    monkeypatch.setattr(engine, "NUMBER", engine.NUMBER + 1)
    target.restart()
    build = case(target)
    build._decide("troll", [TEMPLATE.id], None, lambda: False)  # the run dies here, before it scores
    put_day(target, 22, s1=usual(22) + 40)
    target.detect.run("troll", TEMPLATE.id, day_of(22))
    assert target.deviations.cells.rows == before
    assert target.incidents.cells.rows == incidents
    assert target.registry.record(TEMPLATE.id).latest[ONE].level is Level.CRITICAL
    set_read_until(target.registry, TEMPLATE, at(day_of(23)))
    assert health(target, day=23) == ("degraded", 0)

    assert not case(target).run()
    assert target.registry.record(TEMPLATE.id).latest[ONE].level is Level.CRITICAL
    assert [one.incident.open for one in target.incidents.list(TEMPLATE.id)] == [True]
    assert {row.engine for row in target.deviations.cells.values().values()} == {engine_id()}
    assert health(target, day=23) == ("ok", 0)


def test_old_samples_of_another_engine_are_not_shown_as_current(learned: World) -> None:
    """The newest one was Ok, long ago: that says nothing of now."""
    record = learned.registry.record(TEMPLATE.id)
    for number in (engine.NUMBER, engine.NUMBER + 1):
        with patch.object(engine, "NUMBER", number):
            status = status_of(record, TEMPLATE, at(day_of(DAYS + 30)), None, None)
            assert status.level is Level.UNDEFINED
            assert status.urgency == STALE_DATA


def test_a_baseline_that_was_borrowed_from_a_sensor_that_is_gone_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It cannot be made anew: its sensor learns, the rest is scored by the new engine."""
    target = world(24, second=0)
    for offset in range(19, 24):
        put_day(target, offset, s2=usual(offset))
    case(target).run()
    assert [change.recipe.source for change in history(target, TWO).changes] == [ONE]
    record = target.registry.platform("troll")
    alone = TEMPLATE.model_copy(update={"sensors": tuple(one for one in TEMPLATE.sensors if one.id != ONE)})
    target.registry.change(record, record.platform.model_copy(update={"templates": (alone,)}))
    monkeypatch.setattr(engine, "NUMBER", engine.NUMBER + 1)
    target.restart()
    assert not case(target).run()
    assert history(target, TWO).engine == engine_id()
    assert history(target, TWO).version_of(day_of(24)) == ""
    assert health(target, day=24)[1] == 0


def test_baselines_are_asked_for_again_until_they_are_there(learned: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance of the older release may have taken the message; not every tick, and no more once it is done."""
    monkeypatch.setattr(engine, "NUMBER", engine.NUMBER + 1)
    put_day(learned, DAYS)
    learned.restart()
    looks = learned.detect
    for _ in range(2 * LOOKS):
        looks.run("troll", TEMPLATE.id, day_of(DAYS))
    assert learned.messages.baselines == [TEMPLATE.id] * 2
    case(learned).run_template("troll", TEMPLATE.id)
    for _ in range(2 * LOOKS):
        looks.run("troll", TEMPLATE.id, day_of(DAYS))
    assert learned.messages.baselines == [TEMPLATE.id] * 2


def test_a_message_that_an_older_release_takes_undoes_nothing(learned: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daily run of the older one, which is alone by then, does: so one goes back."""
    before = learned.registry.histories.rows.copy()
    monkeypatch.setattr(engine, "NUMBER", engine.NUMBER - 1)
    case(learned).run_template("troll", TEMPLATE.id)
    assert learned.registry.histories.rows == before
    assert not case(learned).run()
    assert {history.engine for history in learned.registry.histories.values().values()} == {engine_id()}


@pytest.mark.parametrize("error", [NewerSchema("of schema 9"), OtherEngine("of other channels")])
def test_a_baseline_that_only_another_release_reads_stops_no_other_sensor(learned: World, error: Exception) -> None:
    """Its sensor is not scored; nobody is told of a broken blob."""
    plain = learned.baselines.get

    def get(sensor: str, version: str) -> Baseline:
        if sensor == ONE:
            raise error
        return plain(sensor, version)

    put_day(learned, DAYS)
    events = learned.events.cells.rows.copy()
    with patch.object(learned.baselines, "get", get):
        learned.detect.run("troll", TEMPLATE.id, day_of(DAYS))
    rows = learned.deviations.cells.values()
    assert (TWO, day_of(DAYS)) in rows
    assert (ONE, day_of(DAYS)) not in rows
    assert learned.events.cells.rows == events


@pytest.mark.parametrize(
    ("name", "newer"),
    [(f"{engine.NUMBER + 1}-abc", True), ("1000-abc", True), (f"{engine.NUMBER}-abc", False), ("", False)],
)
def test_an_engine_is_newer_by_its_number(name: str, newer: bool) -> None:
    """What follows the number only says that it is another one."""
    assert is_newer(name) is newer


def test_no_sample_depends_on_more_than_the_two_days_before_it() -> None:
    """So far scoring reads back."""
    assert detector.CONTEXT_BINS <= 2 * SLOTS


def test_the_engine_scores_as_it_did_when_its_number_was_given() -> None:
    """Who changes a score raises NUMBER, and records anew: ``python -m tests.usecases.detection.test_engine``."""
    recorded = json.loads(RECORDED.read_text())
    assert recorded["engine"] == engine_id()
    for days in HISTORIES:
        before, now = recorded[f"after {days} days"], scores(days)
        assert before["level"] == now["level"]
        assert before["fault"] == now["fault"]
        np.testing.assert_allclose(np.array(before["score"], float), np.array(now["score"], float), rtol=1e-3)


def scores(days: int) -> dict[str, list[float | None]]:
    """Return what the engine says after so many days of history: quiet, a leak, a gap, a sensor that is stuck."""
    ppmv = np.concatenate([noise(number) for number in range(5)])
    ppmv[144:] += leak(30, ppmv.size - 144, 40, 140)
    ppmv[330:350] = np.nan
    ppmv[460:500] = ppmv[460]
    found = detect(quiet_baseline(days=days), times(ppmv.size), ppmv)
    score = [None if np.isnan(one) else float(f"{one:.5g}") for one in found.score.tolist()]
    return {"score": score, "level": found.level.tolist(), "fault": found.fault.tolist()}


if __name__ == "__main__":
    scored = {f"after {days} days": scores(days) for days in HISTORIES}
    RECORDED.write_text(json.dumps({"engine": engine_id(), **scored}) + "\n")
