"""The fault campaign: a short turn of it, and that it sees, shrinks and writes down what is wrong."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chaos import steps
from chaos.campaign import Campaign, Score
from chaos.dice import draw
from chaos.faults import Fault
from chaos.play import play
from chaos.report import report
from chaos.shrink import shrunk
from chaos.stage import begun, quickly
from chaos.steps import History
from chaos.written import write_test
from shared.domain.deviation import DeviationDay, Level
from shared.domain.event import OF_A_STATE
from tests.support.fakes import FakeDeviations, FakeEvents

pytestmark = [pytest.mark.statistical, pytest.mark.xdist_group("learning")]

LEAK = steps.Corrected(sensor=1, day=9, first=0, end=36, by=40.0)
TICK, SCORED = steps.Ingested(), steps.Scored(day=9)


@pytest.fixture(autouse=True, scope="module")
def _fast() -> Iterator[None]:
    """Compute everything once, and log nothing of so many faults."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    with quickly():
        yield
    logging.disable(before)


def test_a_short_campaign_ends_as_clean_runs_do(tmp_path: Path) -> None:
    """Some 200 faults of every kind at many port calls; what fails is written down, and named here."""
    score = Score(seed=21)
    assert sum(Campaign(score, tmp_path).run(200)) == score.faults.total() >= 200
    assert score.right == score.histories, report(score)
    assert len(score.faults) == 7
    assert len(score.places) > 20


def test_a_campaign_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    """In two parts it tries the same histories as in one."""
    whole, file = Score(seed=3), tmp_path / "score.json"
    list(Campaign(whole, tmp_path).run(40))
    for faults in (15, 40):
        part = Score.begun(file, 3)
        list(Campaign(part, tmp_path).run(faults))
        part.store(file)
    assert vars(Score.begun(file, 3)) == vars(whole)


def test_a_history_that_is_written_down_is_the_one_that_was_drawn() -> None:
    """Played from its steps alone it makes the same faults strike, and ends with the same rows."""
    drawn = draw("5/2")
    again = begun()
    for step in drawn.history.steps:
        again.play(step)
    assert drawn.faults
    assert again.world.state() == drawn.stage.world.state()


def test_a_leak_that_is_corrected_away_is_gone() -> None:
    """What a history passes through is seen on its way, and nothing of it is left."""
    stage = begun()
    story = (LEAK, steps.Later(4.0), TICK, SCORED)
    for step in story:
        stage.play(step)
    assert stage.world.incidents.list("troll-a")
    assert play(History((*story, steps.Restored(sensor=1, day=9)))) == []


@pytest.mark.parametrize("kind", ["crash before", "crash after", "error", "answer lost", "conflict"])
def test_a_fault_strikes_the_call_that_it_names(kind: str) -> None:
    """The process does no more than the call says, and the history ends right."""
    fault = Fault(kind, 2)  # type: ignore[arg-type]
    stage = begun()
    run = steps.Daily(faults=(fault,))
    stage.play(run)
    assert [one for one, _ in stage.processes[0].strikes.struck] == [fault]
    assert play(History((LEAK, run, TICK, run, SCORED))) == []


def test_an_app_that_loses_alarms_is_found_and_the_history_made_short(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of an app that writes no Critical over what was not, the step that shows it is left, and written as a test."""
    put = FakeDeviations.put

    def losing(self: FakeDeviations, row: DeviationDay, etag: str | None) -> None:
        if etag is None or not row.count(Level.CRITICAL):
            put(self, row, etag)

    noise = (steps.Later(1.0), steps.Held(sensor=2), TICK, steps.Released(sensor=2), steps.Daily())
    monkeypatch.setattr(FakeDeviations, "put", losing)
    short = shrunk(History((*noise, LEAK, TICK, SCORED, *noise), order=4), lambda one: play(one) != [])
    assert short == History((LEAK,))
    text = write_test(tmp_path, "lost", short, play(short)).read_text()
    assert "            steps.Corrected(sensor=1, day=9, first=0, end=36, by=40.0),\n" in text
    assert compile(text, "lost", "exec")


def test_what_people_are_told_in_vain_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that takes nothing back that it told of a series is not right."""
    later = steps.Later(1.0)  # a series that is known is asked for when there is something to read
    story = History((steps.TagGone(sensor=1), later, TICK, steps.TagBack(sensor=1), later, TICK))
    assert play(story) == []
    monkeypatch.setattr(FakeEvents, "remove", lambda *_: None)
    assert play(story) == ["events: not taken back series_left_out ['troll-a-1']"]


# --- what the campaign found


@pytest.mark.parametrize("call", range(1, 14))
@pytest.mark.parametrize("kind", ["crash before", "crash after", "error", "answer lost"])
def test_a_series_that_was_left_out_when_ingest_died_is_told_as_it_is(kind: str, call: int) -> None:
    """Whether it is well by the next run, still ill, or ill once more: the event is there when it is, and only then."""
    struck = steps.Ingested(faults=(Fault(kind, call),))  # type: ignore[arg-type]
    gone, back = steps.TagGone(sensor=1), steps.TagBack(sensor=1)
    assert play(History((gone, struck, back))) == []
    assert play(History((gone, struck))) == []
    assert play(History((gone, TICK, back, struck, gone))) == []


def test_the_newest_sample_is_kept_when_days_after_it_were_emptied() -> None:
    """A clock a day ahead, and one a day behind, while a tag is gone: what was known of two days is known no more."""
    wrong = (steps.Ingested(jump=1), steps.TagGone(sensor=2), steps.Built(), steps.Ingested(process=1, jump=-1))
    mark = steps.Marked(sensor=1, day=4, first=0, end=3, verdict="leak")
    assert play(History((*wrong, mark))) == []


def test_a_day_that_was_emptied_hands_nothing_on() -> None:
    """Its blob could not be read, and was fetched again without a series that is refused now."""
    assert play(History((steps.Spoilt(day=8), steps.TagGone(sensor=2, refused=True)))) == []


def test_days_after_one_that_lost_all_its_series_are_scored_again_by_the_daily_run() -> None:
    """It is not whole any more, so its own run does not follow what it changed."""
    gone = (steps.TagGone(sensor=1, refused=True), steps.TagGone(sensor=2, refused=True))
    assert play(History((*gone, steps.Spoilt(day=7)))) == []


def test_a_day_that_was_scored_from_other_readings_of_two_days_before_is_healed_by_the_daily_run() -> None:
    """The day between was not whole for a while, because of a clock a day behind, and ended what followed a change."""
    other = Fault("meanwhile", 1, steps.Scored(process=1, day=9))
    story = (
        steps.Later(hours=9.0),
        steps.Corrected(sensor=2, day=7, first=0, end=144, by=40.0),
        TICK,
        steps.Ingested(faults=(other,)),
        steps.Ingested(jump=-1),
        steps.Scored(process=1, day=7),
    )
    assert play(History(story)) == []


def test_a_day_that_ends_early_is_not_scored_by_what_a_process_remembers_of_the_day_before() -> None:
    """One process read the day anew, but not the day before it; no later samples make good what it would write."""
    history = History(
        (
            steps.Corrected(sensor=1, day=9, first=0, end=60, by=40.0),
            steps.Corrected(sensor=2, day=7, first=104, end=144, by=1e14),
            steps.Corrected(sensor=1, day=8, first=0, end=40, by=40.0),
            steps.Ingested(process=1, jump=1),
            steps.TagGone(sensor=1, refused=True),
            steps.Ingested(process=1, faults=(Fault("crash within", 13),)),
        ),
        order=669,
    )
    assert play(history) == []


def test_nothing_is_told_of_a_series_whose_sensor_was_deleted() -> None:
    """What remembered since when it was left out goes with the sensor, and so does the event."""
    assert play(History((steps.TagGone(sensor=2), TICK, steps.Deleted(sensor=2)))) == []


def test_what_was_told_of_a_day_follows_its_blob() -> None:
    """The day lost its series when it was fetched again, and got them back: nothing is told of it any more."""
    gone = tuple(steps.TagGone(sensor=number) for number in (1, 2))
    lost: tuple[steps.Step, ...] = (*gone, steps.Spoilt(day=8), steps.Later(hours=30.0), TICK, steps.Scored(day=8))
    back = tuple(steps.TagBack(sensor=number) for number in (1, 2))
    stage = begun()
    for step in lost:
        stage.play(step)
    assert [one.kind for one in stage.world.events.list("troll-a")].count("unknown_series") == 2
    assert play(History(lost)) == []
    assert play(History((*lost, *back))) == []


@pytest.mark.parametrize("call", range(1, 12))
@pytest.mark.parametrize("kind", ["crash before", "crash within", "crash after", "error", "answer lost"])
def test_a_deletion_that_died_is_finished_by_the_daily_run(kind: str, call: int) -> None:
    """Nobody has to ask again."""
    struck = steps.Deleted(sensor=2, faults=(Fault(kind, call),))  # type: ignore[arg-type]
    assert play(History((steps.Marked(sensor=2, day=4, first=0, end=3, verdict="leak"), struck))) == []


@pytest.mark.parametrize("call", range(1, 14))
def test_nothing_is_told_of_a_series_whose_sensor_is_deleted_while_it_is_told(call: int) -> None:
    """At once where that is all that happens; where ingest or detect dies after it, by the daily run."""
    gone, delete = steps.TagGone(sensor=2), Fault("meanwhile", call, steps.Deleted(process=1, sensor=2))
    for after in ((), (Fault("crash before", call + 1),), (Fault("crash before", call + 2),)):
        told = (gone, steps.Ingested(faults=(delete, *after)))
        scored = steps.Scored(day=8, faults=(delete, *after))
        lost = (gone, steps.Spoilt(day=8), steps.Later(hours=30.0), TICK, scored)
        for story in (told, lost):
            stage = begun()
            for step in story:
                stage.play(step)
            if not after and "troll-a-2" in stage.deleted:
                told_of = [one.kind for one in stage.world.events.list("troll-a") if one.about == "troll-a-2"]
                assert not OF_A_STATE.intersection(told_of)
            assert play(History(story)) == []


DELETED = [steps.Deleted(sensor=number) for number in (1, 2)]


def test_an_incident_that_is_over_goes_with_its_sensor() -> None:
    """Without any fault, too: the daily run looks at the days of what no row speaks of any more."""
    old = steps.Corrected(sensor=2, day=7, first=0, end=36, by=40.0)
    arisen = (steps.Later(hours=26.0), old, TICK, steps.Scored(day=7), steps.Scored(day=8))
    assert play(History((*arisen, steps.Later(hours=30.0), DELETED[1]))) == []


@pytest.mark.parametrize("call", range(1, 12))
@pytest.mark.parametrize("kind", ["crash before", "crash within", "crash after", "error", "answer lost"])
def test_an_incident_that_is_over_goes_with_its_sensor_when_the_deletion_died(kind: str, call: int) -> None:
    """It ended longer ago than the daily run looks back, so no scored day spoke of it, and none spoke against it."""
    old = steps.Corrected(sensor=2, day=7, first=124, end=144, by=8.0)
    struck = steps.Deleted(process=1, sensor=2, faults=(Fault(kind, call),))  # type: ignore[arg-type]
    assert play(History((steps.Later(hours=17.0), old, struck))) == []


OLD_INCIDENT: tuple[steps.Step, ...] = (
    steps.Corrected(sensor=2, day=7, first=0, end=20, by=8.0),
    TICK,
    steps.Later(hours=30.0),
    TICK,
    steps.Scored(day=7),
    *[steps.Estimated()] * 3,
)


def test_what_another_sensor_said_goes_from_an_old_incidents_estimation_with_the_sensor() -> None:
    """The incident's own sensor stays, so nothing of its days changes but what it was estimated from."""
    assert play(History((*OLD_INCIDENT, steps.Deleted(sensor=1)))) == []


def test_an_old_incident_is_estimated_anew_when_its_template_has_become_another() -> None:
    """A leak point moved: what was answered rests on a place that is no more; a new name asks for nothing."""
    stage = begun()
    for step in OLD_INCIDENT:
        stage.play(step)
    (incident,) = stage.world.incidents.list("troll-a")
    answered = stage.world.estimations.get("troll-a", incident.incident.id)
    for change, asked in (({"name": "another"}, False), ({"leak_points": []}, True)):
        stage.processes[0].registrations.change_template("troll-a", change)
        stage.must(steps.Daily())
        assert bool(stage.world.messages.criticals) == asked
        stage.drain()
    now = stage.world.estimations.get("troll-a", incident.incident.id)
    assert answered is not None
    assert now is not None
    assert now.digest != answered.digest


def test_an_incident_is_told_away_when_its_sensor_went_while_it_arose() -> None:
    """The rows went first; a correction made others, and an incident, of the sensor whose deletion had died."""
    struck = steps.Deleted(process=1, sensor=1, faults=(Fault("crash within", 2),))
    assert play(History((struck, steps.Corrected(sensor=1, day=7, first=0, end=3, by=40.0)))) == []


def test_an_incident_goes_with_the_last_sensor_of_its_template() -> None:
    """No row was left to look at, and with it nobody looked at the incident; also where the deletion died."""
    struck = steps.Deleted(sensor=2, faults=(Fault("crash within", 4),))
    leak = steps.Corrected(sensor=2, day=9, first=17, end=37, by=40.0)
    assert play(History((DELETED[0], struck, leak))) == []
    other = Fault("meanwhile", 2, steps.Ingested())
    story = (
        steps.Corrected(sensor=2, day=7, first=141, end=144, by=40.0),
        steps.Ingested(process=1, jump=-1),
        steps.Scored(process=1, day=9, faults=(other,)),
        DELETED[0],
        steps.Built(),
        DELETED[1],
    )
    assert play(History(story)) == []


@pytest.mark.parametrize("call", range(34, 46))
@pytest.mark.parametrize("kind", ["crash before", "crash within", "crash after", "error"])
def test_an_incident_that_comes_back_after_its_removal_died_is_told_and_estimated_again(kind: str, call: int) -> None:
    """Its row, which was still there, said that all had been told; so it does where it shrank for a while."""
    fault = Fault(kind, call)  # type: ignore[arg-type]
    estimated = [steps.Estimated()] * 3
    arisen: list[steps.Step] = [LEAK, steps.Later(30.0), TICK, SCORED, steps.Scored(day=10), *estimated]
    ended, short = steps.Restored(sensor=1, day=9), replace(LEAK, end=6)
    struck = (steps.Later(26.0), TICK, steps.Scored(process=1, day=9, faults=(fault,)))
    assert play(History((*arisen, ended, *struck, LEAK))) == []
    assert play(History((*arisen, ended, short, *struck, LEAK))) == []


@pytest.mark.parametrize("call", range(33, 40))
def test_an_incident_that_a_wrong_clock_took_away_is_told_again(call: int) -> None:
    """A clock a day behind emptied the day, and the run that removed the incident died when the event was gone."""
    story = (
        replace(LEAK, end=60),
        steps.Later(4.0),
        TICK,
        steps.Scored(day=7, faults=(Fault("meanwhile", 1, steps.Daily(process=1)),)),
        steps.Ingested(jump=-1),
        steps.Scored(process=1, day=8, faults=(Fault("crash after", call),)),
    )
    assert play(History(story)) == []


@pytest.mark.parametrize("call", range(1, 8))
def test_a_mark_and_its_undoing_at_one_moment_are_told_as_what_was_said_last(call: int) -> None:
    """Both have one event; whoever told all decisions again told of the mark first, and died before its undoing."""
    marked = (steps.Marked(sensor=2, day=2, first=18), steps.MarkUndone(sensor=2), steps.Daily())
    again = steps.BaselineUndone(sensor=2, undone=False, faults=(Fault("answer lost", call),))
    assert play(History((*marked, again))) == []
