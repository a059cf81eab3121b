"""Proof tests: a leak that is promised to be found is played in a copy, and leaves nothing but what came of it."""

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from shared.domain.baseline_history import BaselineHistory
from shared.domain.performance import RateMap, Statements
from shared.domain.proof_test import MOST_KEPT, PROMISED_WITHIN, ProofTest, ProofTests
from shared.domain.tsd import TemplateDay
from shared.errors import NotFound
from shared.usecases.proof.leak_to_find import promised_leaks
from tests.support.examples import NOW as ANY_TIME
from tests.support.examples import incident_at, statements
from tests.support.fakes import Crash
from tests.support.proof_world import PATIENCE, PROMISED_KG_S, WEEK, ProofWorld
from tests.support.tidal_world import NOW, TEMPLATE

TEN_MINUTES = timedelta(minutes=10)


def played(one: ProofWorld) -> ProofTest:
    """Ask for a test, let all functions do their work, and return what came of it."""
    one.tests.ask(TEMPLATE.id, "A. Person")
    one.tests.run()
    one.detect()
    one.apart.drain()
    one.real.clock.moment += TEN_MINUTES
    one.tests.run()
    return one.last()


def document_of(one: ProofWorld, template: str, day: date) -> TemplateDay:
    """Return a day of the lake."""
    document = one.real.lake.cells.values()[template, day]
    assert isinstance(document, TemplateDay)
    return document


def test_a_promised_leak_is_found_and_nothing_is_left_of_it() -> None:
    """Every real row is the same, byte for byte; the journal has one entry more; the copy is gone."""
    one = ProofWorld()
    before = one.real_rows()
    test = played(one)
    assert (test.state, test.by) == ("passed", "A. Person")
    assert test.play is not None
    assert test.play.leak.rate_kg_s == pytest.approx(3 * PROMISED_KG_S)
    assert test.found_after_h is not None
    assert 0 < test.found_after_h <= PROMISED_WITHIN / timedelta(hours=1)
    assert test.sensor in {sensor.id for sensor in TEMPLATE.sensors}
    assert test.verdict == "UNDEFINED"
    assert one.real_rows() == before
    assert one.traces() == set()
    (entry,) = [said for said in one.real.journal_table.entries if said.kind.startswith("proof")]
    assert (entry.kind, entry.subject, entry.by) == ("proof_passed", TEMPLATE.id, "A. Person")
    assert "was found after" in entry.message
    assert one.real.messages.criticals == []
    assert one.real.messages.notifications == []


def test_the_copy_is_the_readings_and_the_leak() -> None:
    """Up to its onset the same; after it no sensor reads less, and some read more; what is missing stays missing."""
    one = ProofWorld()
    one.tests.ask(TEMPLATE.id, "A. Person")
    one.tests.run()
    play = one.tests.view(TEMPLATE.id).tests.now
    assert play is not None
    assert play.play is not None
    onset = play.play.leak.onset
    copies = {day: name for name, day in one.real.lake.cells.rows if name.startswith("proof-")}
    more = 0
    for day, name in sorted(copies.items()):
        real, copy = (document_of(one, key, day) for key in (TEMPLATE.id, name))
        for sensor in TEMPLATE.sensors:
            mine, theirs = real.sensors[sensor.id], copy.sensors[f"{name}-{sensor.number}"]
            added = np.subtract(theirs.array(), mine.array())
            assert np.array_equal(np.isnan(mine.array()), np.isnan(theirs.array()))
            assert np.nanmin(added) >= -1e-9
            assert day >= onset.date() or mine.values == theirs.values
            more += int(np.count_nonzero(added > 1))
        assert copy.environment == real.environment
    assert more > 50


def test_without_detect_it_fails_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody scores the copy: after its patience the test says what does not do its work, and an alert is raised."""
    one = ProofWorld()
    one.tests.ask(TEMPLATE.id, "A. Person")
    one.tests.run()
    one.real.clock.moment += PATIENCE
    one.tests.run()
    assert one.tests.view(TEMPLATE.id).tests.last is None, "it may still come"
    one.real.clock.moment += TEN_MINUTES
    one.tests.run()
    assert one.last().state == "failed"
    assert "detect do not do their work" in one.last().why
    assert one.traces() == set()
    assert [line for line in caplog.messages if line.startswith(f"proof test failed template={TEMPLATE.id}")]
    caplog.clear()
    one.tests.run()
    assert "proof test failed" in caplog.text, "for as long as no other one has passed"


def test_without_the_queue_it_fails_and_says_so() -> None:
    """Found, but never estimated."""
    one = ProofWorld()
    one.tests.ask(TEMPLATE.id, "A. Person")
    one.tests.run()
    one.detect()
    one.real.clock.moment += PATIENCE + TEN_MINUTES
    one.tests.run()
    assert one.last().state == "failed"
    assert "not estimated within 60 minutes" in one.last().why
    assert one.last().found_after_h is not None


def test_blind_sensors_fail_it_and_it_says_so() -> None:
    """The promise was made when they had baselines."""
    one = ProofWorld()
    stored = one.real.registry.platform("troll").stored
    for sensor in TEMPLATE.sensors:
        one.real.registry.set_history(TEMPLATE, sensor, BaselineHistory(), stored[sensor.id].etag)
    test = played(one)
    assert (test.state, test.found_after_h) == ("failed", None)
    assert "no sensor was Critical" in test.why


def test_what_these_currents_carry_past_no_sensor_is_not_played(caplog: pytest.LogCaptureFixture) -> None:
    """Nor what only a wrong statement promises; where nothing could be proven for weeks, people hear of that."""
    one = ProofWorld(every=WEEK)
    one.promise(1e-9)
    one.tests.run()
    first = one.last()
    assert (first.state, first.play) == ("not_run", None)
    assert "carried past a sensor" in first.why
    assert "proof test failed" not in caplog.text
    one.real.clock.moment += 3 * WEEK + TEN_MINUTES
    one.tests.run()
    assert one.last().asked > first.asked
    assert "nothing was proven since 2026-03-07T00:30:00Z" in caplog.text


def test_what_is_critical_without_the_leak_is_not_found_by_it() -> None:
    """A disturbance of the readings themselves proves nothing."""
    one = ProofWorld()
    days = [(NOW - timedelta(days=ago)).date() for ago in (3, 2, 1)]
    for day in days:
        document = document_of(one, TEMPLATE.id, day)
        series = {
            name: each.model_copy(update={"values": tuple((each.array() + 40).tolist())})
            for name, each in document.sensors.items()
        }
        one.real.lake.cells.set((TEMPLATE.id, day), document.model_copy(update={"sensors": series}))
    one.real.detect.run("troll", TEMPLATE.id, days[0], days[-1])
    for stored in one.real.incidents.list(TEMPLATE.id):
        one.real.incidents.remove(stored.incident)
    test = played(one)
    assert test.play is not None
    assert (test.state, test.found_after_h) == ("failed", None)


@pytest.mark.parametrize(
    ("hinder", "said"),
    [
        (lambda one: one.real.incidents.put(incident_at(6), None, None), "an incident is open"),
        (lambda one: one.real.statements.remove_all(TEMPLATE.id), "no performance statement promises"),
        (
            lambda one: one.real.statements.put(
                TEMPLATE.id,
                Statements(newest=statements(TEMPLATE.id).newest),
                one.real.statements.get(TEMPLATE.id).etag,
            ),
            "no performance statement promises",
        ),
        (lambda one: setattr(one.real.clock, "moment", NOW + timedelta(hours=4)), "sent anything in the last 3 h"),
    ],
    ids=["an incident", "no statement", "a statement that knows nothing", "old readings"],
)
def test_what_cannot_be_proven_is_not_run_and_is_no_failure(hinder: object, said: str) -> None:
    """It says why, and tries again a day later."""
    one = ProofWorld(every=WEEK)
    hinder(one)  # type: ignore[operator]
    one.tests.ask(TEMPLATE.id, "A. Person")
    one.tests.run()
    assert one.last().state == "not_run"
    assert said in one.last().why
    assert one.traces() == set()
    assert one.tests.view(TEMPLATE.id).next == one.last().asked + timedelta(days=1)


def test_the_schedule_waits_for_a_statement() -> None:
    """Until one is made nothing is promised, and nothing is said day by day."""
    one = ProofWorld(every=WEEK)
    one.real.statements.remove_all(TEMPLATE.id)
    one.tests.run()
    assert one.tests.view(TEMPLATE.id).tests == ProofTests(template=TEMPLATE.id)
    assert one.tests.view(TEMPLATE.id).next == NOW


def test_it_is_asked_for_once_and_by_the_schedule_every_week() -> None:
    """Asking again while one is asked for or goes on changes nothing; where it is off, nothing is asked for."""
    one = ProofWorld(every=WEEK)
    assert one.tests.ask(TEMPLATE.id, "A. Person") == one.tests.ask(TEMPLATE.id, "B. Person")
    with pytest.raises(NotFound):
        one.tests.ask("troll-z", "A. Person")
    first = played(one)
    assert first.by == "A. Person"
    one.tests.run()
    assert one.tests.view(TEMPLATE.id).tests.now is None, "it is not due"
    one.real.clock.moment = first.asked + WEEK
    one.tests.run()
    assert one.last().by == "", "the readings are a week old"
    for off in (
        ProofWorld(),
        ProofWorld(every=WEEK, except_for=("troll",)),
        ProofWorld(every=WEEK, except_for=(TEMPLATE.id,)),
    ):
        off.tests.run()
        assert off.tests.view(TEMPLATE.id).tests == ProofTests(template=TEMPLATE.id)
        assert off.tests.view(TEMPLATE.id).next is None


def run_to_the_end(one: ProofWorld) -> None:
    """Let ticks and functions go on until the test is over."""
    for _ in range(3):
        one.tests.run()
        one.detect()
        one.apart.drain()


@pytest.mark.slow
def test_a_crash_at_any_write_leaves_no_trace() -> None:
    """Whichever write a process dies at, the next ones end the test, once, and every real row is as without it."""
    whole = ProofWorld()
    whole.tests.ask(TEMPLATE.id, "A. Person")
    begin, real = whole.real.writes.count, whole.real_rows()
    run_to_the_end(whole)
    writes = whole.real.writes.count - begin
    assert whole.last().state == "passed"
    for number in range(1, writes + 1):
        one = ProofWorld()
        one.tests.ask(TEMPLATE.id, "A. Person")
        one.real.writes.crash_at = one.real.writes.count + number
        with pytest.raises(Crash):
            run_to_the_end(one)
        one.real.restart()
        one.apart.restart()
        run_to_the_end(one)
        assert one.last().state == "passed", f"write {number} of {writes}"
        assert one.traces() == set()
        assert one.real_rows() == real
        told = [said for said in one.real.journal_table.entries if said.kind.startswith("proof")]
        assert len(told) == 1


def test_two_runs_at_once_play_one_test() -> None:
    """Whoever writes second leaves it to the first."""
    one = ProofWorld()
    one.tests.ask(TEMPLATE.id, "A. Person")
    stored = one.real.proof_tests.get(TEMPLATE.id)
    assert stored is not None
    one.tests.run()
    first = {key for key in one.real.lake.cells.rows if key[0].startswith("proof-")}
    table = one.real.proof_tests
    stale = [stored]
    table.all = lambda: [stale.pop()] if stale else type(table).all(table)  # type: ignore[method-assign]
    one.tests.run()
    assert {key for key in one.real.lake.cells.rows if key[0].startswith("proof-")} == first


def test_the_place_is_one_that_is_promised_and_the_same_for_the_same_test() -> None:
    """Known leak points and cells in turn; none where nothing is promised."""
    newest = ProofWorld().real.statements.get(TEMPLATE.id)
    assert newest is not None
    said = newest.statements.newest
    test = ProofTest(template=TEMPLATE.id, asked=ANY_TIME)
    assert promised_leaks(test, said, TEMPLATE) == [((3.0, 0.0, 2.0), PROMISED_KG_S)]
    assert promised_leaks(test, statements(TEMPLATE.id).newest, TEMPLATE) == []
    moved = TEMPLATE.model_copy(update={"leak_points": ()})
    assert promised_leaks(test, said, moved) == [], "the point is gone since the statement"
    cells = RateMap(x=(0.0, 2.0), y=(0.0,), z=(2.0,), rates_kg_s=(((1e-5, None),),))
    both = promised_leaks(test, said.model_copy(update={"map": cells}), TEMPLATE)
    assert sorted(both) == [((0.0, 0.0, 2.0), 1e-5), ((3.0, 0.0, 2.0), PROMISED_KG_S)]
    assert both == promised_leaks(test, said.model_copy(update={"map": cells}), TEMPLATE)


def test_so_many_are_kept() -> None:
    """The journal has them all."""
    tests = ProofTests(template=TEMPLATE.id)
    for number in range(MOST_KEPT + 5):
        asked = datetime.fromisoformat("2026-03-01T00:00:00+00:00") + number * WEEK
        over = ProofTest(template=TEMPLATE.id, asked=asked).ended_as("not_run", asked)
        tests = tests.model_copy(update={"now": over}).closed()
    assert len(tests.over) == MOST_KEPT
    assert tests.last == over
