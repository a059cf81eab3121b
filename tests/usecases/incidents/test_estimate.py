"""Estimate: one answer per set of data, the newest data win, and nothing is left of what detect took back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.estimation import Estimation, Interval, OnsetInterval, PlaceProbability
from shared.domain.incident import CriticalMessage, Incident
from shared.errors import NotFound
from shared.ports import NotificationState
from shared.usecases.incidents import estimate
from shared.usecases.incidents.estimate import Estimate, in_words, step_of
from tests.support.examples import DAY, at, document, noise, platform, template
from tests.support.fakes import World, invert

TEMPLATE = template()
ONSET = at(DAY, 12)


def world() -> World:
    """Return a world with one day and one incident."""
    new = World()
    new.registry.add(platform(TEMPLATE))
    new.lake.cells.set((TEMPLATE.id, DAY), document(TEMPLATE, DAY, s1=noise(1), s2=noise(2)))
    incident = Incident(
        id="troll-a-20260301T1200Z",
        platform="troll",
        template=TEMPLATE.id,
        onset=ONSET,
        last_critical=ONSET + timedelta(hours=4),
        closed=None,
        sensors=("troll-a-1",),
        max_score=3.0,
    )
    new.incidents.put(incident, NotificationState(ONSET, "x", None, ("troll-a-1",)), None)
    return new


def message(hours: float = 0, **changes: str) -> CriticalMessage:
    """Return the message of that incident with data up to so long after its onset."""
    body = {
        "schema": 1,
        "platform": "troll",
        "template": TEMPLATE.id,
        "incident": "troll-a-20260301T1200Z",
        "onset": ONSET,
        "at": ONSET + timedelta(hours=hours),
        "sensors": ("troll-a-1",),
    }
    return CriticalMessage.model_validate(body | changes)


def counting(target: World) -> tuple[Estimate, list[int]]:
    """Return the use case, and a list that grows with every estimation that is really computed."""
    computed: list[int] = []

    def count(*arguments: object) -> Estimation:
        computed.append(1)
        return invert(*arguments)  # type: ignore[arg-type]

    case = target.estimate
    return Estimate(
        lake=case.lake,
        registry=case.registry,
        incidents=case.incidents,
        estimations=case.estimations,
        events=case.events,
        alarms=case.alarms,
        rules=case.rules,
        invert=count,
    ), computed


def test_a_repeated_message_computes_nothing() -> None:
    """The inputs' digest is stored with the answer; the same inputs give it back."""
    target = world()
    case, computed = counting(target)
    first = case.run(message())
    state = target.state()
    assert case.run(message()) == first
    assert computed == [1]
    assert target.state() == state


def test_another_model_answers_the_same_data_anew() -> None:
    """A new version or setting is not silenced by an answer of the old one."""
    target = world()
    case, computed = counting(target)
    case.run(message())
    replace(case, model="2").run(message())
    assert computed == [1, 1]


def test_changed_data_are_estimated_again() -> None:
    """Late data up to the same time change the digest, and so the answer."""
    target = world()
    case, computed = counting(target)
    first = case.run(message())
    target.lake.cells.set((TEMPLATE.id, DAY), document(TEMPLATE, DAY, s1=noise(8), s2=noise(2)))
    assert case.run(message()) != first
    assert computed == [1, 1]


def test_the_newest_data_win() -> None:
    """A message that speaks of older data than were used changes nothing."""
    target = world()
    target.estimate.run(message(3))
    state = target.state()
    assert target.estimate.run(message(0)) is None
    assert target.state() == state


def test_the_incident_keeps_the_course_of_its_estimations() -> None:
    """Each later message adds a step, the same one again replaces it, an older one adds none."""
    target = world()
    for hours in (0, 1, 3, 3, 2):
        target.estimate.run(message(hours))
    stored = target.estimations.get(TEMPLATE.id, message().incident)
    assert stored is not None
    assert [one.at for one in stored.history] == [ONSET + timedelta(hours=hours) for hours in (0, 1, 3)]
    assert stored.history[-1] == step_of(stored.estimation, stored.at)


def test_the_course_of_a_long_incident_keeps_the_newest_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is forgotten from its beginning."""
    monkeypatch.setattr(estimate, "MOST_STEPS", 2)
    target = world()
    for hours in range(4):
        target.estimate.run(message(hours))
    stored = target.estimations.get(TEMPLATE.id, message().incident)
    assert stored is not None
    assert [one.at for one in stored.history] == [ONSET + timedelta(hours=hours) for hours in (2, 3)]


def test_data_after_the_messages_time_are_not_used() -> None:
    """What the lake holds beyond ``at`` cannot change the answer, so that a replay gives the same."""
    target = world()
    early = target.estimate.run(message())
    rest = noise(1)
    rest[73:] += 100
    target.lake.cells.set((TEMPLATE.id, DAY), document(TEMPLATE, DAY, s1=rest, s2=noise(2)))
    other = world()
    assert other.estimate.run(message()) == early
    assert target.estimate.run(message()) == early


def test_a_message_beyond_the_incidents_criticals_is_ignored() -> None:
    """Late data shortened the incident, or somebody wrote a message of the far future: nothing is computed."""
    target = world()
    case, computed = counting(target)
    assert case.run(message(24 * 3650)) is None
    assert computed == []


def test_an_incident_that_is_gone_leaves_nothing() -> None:
    """A message of an incident that late data took back is answered by nothing."""
    target = world()
    target.incidents.cells.rows.clear()
    assert target.estimate.run(message()) is None
    assert target.state()["estimations"] == {}


def test_an_incident_taken_back_meanwhile_leaves_nothing() -> None:
    """Detect removes the incident while the estimation runs: its row and event go, too."""
    target = world()

    def slow(*arguments: object) -> Estimation:
        target.incidents.cells.rows.clear()
        return invert(*arguments)  # type: ignore[arg-type]

    case = target.estimate
    Estimate(
        lake=case.lake,
        registry=case.registry,
        incidents=case.incidents,
        estimations=case.estimations,
        events=case.events,
        alarms=case.alarms,
        rules=case.rules,
        invert=slow,
    ).run(message())
    assert target.state()["estimations"] == {}
    assert target.state()["events"] == {}


def test_a_message_whose_time_is_before_its_onset_is_refused() -> None:
    """It can never be answered."""
    with pytest.raises(ValueError, match="at must not be before onset"):
        message(-3)


def test_an_unknown_template_is_not_found() -> None:
    """The queue's retries and its poison queue take it from there."""
    with pytest.raises(NotFound, match="troll-q"):
        world().estimate.run(message(template="troll-q"))


def test_an_answer_is_told_in_one_sentence() -> None:
    """What is undefined is told without place and rate."""
    answer = world().estimate.run(message())
    assert answer is not None
    assert in_words(answer) == "UNDEFINED: probability of a leak here 50 %"


def test_a_confirmed_leak_is_told_with_place_rate_and_time() -> None:
    """In the words of the pages."""
    rate = Interval(median=1e-5, low_50=8e-6, high_50=2e-5, low_90=5e-6, high_90=4e-5)
    answer = world().estimate.run(message())
    assert answer is not None
    found = answer.model_copy(
        update={
            "verdict": "CONFIRMED",
            "probability": 0.98,
            "probability_external": 0.02,
            "place": PlaceProbability(x=1, y=2, z=3, probability=0.4),
            "nearest_leak_point": None,
            "location_error_m": 1.5,
            "dissolved_rate_kg_s": rate,
            "onset": OnsetInterval(median=at(DAY, 5), low_90=at(DAY, 4), high_90=at(DAY, 6)),
        }
    )
    assert in_words(found) == (
        "CONFIRMED: probability of a leak here 98 %, probability of an external cause 2 %, "
        "at x 1.0 m, y 2.0 m, z 3.0 m, within 1.5 m, 36 g/h dissolved (90 %: 18 g/h to 144 g/h), "
        "since about 1 Mar 2026 05:00 UTC"
    )
