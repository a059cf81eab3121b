"""Another detection engine: what the one before made stands until it is made anew, and all of it is."""

import json
from dataclasses import replace

import numpy as np
import pytest

from shared.detection import baseline, channels, detect, detector, engine, engine_id, is_newer
from shared.domain.deviation import Level
from shared.domain.tsd import SLOTS
from shared.usecases.queries.query import Queries
from tests.support.examples import at, noise, quiet_baseline
from tests.support.fakes import Crash, FakeClock, World
from tests.support.learning import ONE, TEMPLATE, TWO, case, day_of, put_day, world
from tests.support.paths import DATA
from tests.support.sensor_readings import leak, times

DAYS = 21
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
    more = (*channels.CHANNELS, replace(channels.CHANNELS[-1], name="quarter", window=36, head=9, tail=9))
    for module in (channels, baseline, detector):
        monkeypatch.setattr(module, "CHANNELS", more)


def health(target: World) -> tuple[str, int]:
    """Return what health says: the status, and how many sensors wait for this engine."""
    registered, now = target.registry, FakeClock(at(day_of(DAYS), 0))
    target.registry.set_watermarks(TEMPLATE, {sensor.id: now.moment for sensor in TEMPLATE.sensors})
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
    recorded, now = json.loads(RECORDED.read_text()), scores()
    assert recorded["engine"] == engine_id()
    assert recorded["level"] == now["level"]
    assert recorded["fault"] == now["fault"]
    np.testing.assert_allclose(np.array(recorded["score"], float), np.array(now["score"], float), rtol=1e-3)


def scores() -> dict[str, object]:
    """Return what the engine says of three days of a sensor: quiet, a leak, a gap, a sensor that is stuck."""
    ppmv = np.concatenate([noise(number) for number in range(5)])
    ppmv[144:] += leak(30, ppmv.size - 144, 40, 140)
    ppmv[330:350] = np.nan
    ppmv[460:500] = ppmv[460]
    found = detect(quiet_baseline(), times(ppmv.size), ppmv)
    score = [None if np.isnan(one) else float(f"{one:.5g}") for one in found.score.tolist()]
    return {"engine": engine_id(), "score": score, "level": found.level.tolist(), "fault": found.fault.tolist()}


if __name__ == "__main__":
    RECORDED.write_text(json.dumps(scores()) + "\n")
