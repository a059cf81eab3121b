"""An estimation follows the data: what it could not read, or what an incident lost, is asked for anew."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.estimation import Estimation
from shared.domain.tsd import TemplateDay
from shared.ports import StoredEstimation
from shared.usecases.baselines.rescoring import Rescoring
from tests.support.examples import document, noise
from tests.support.fakes import Crash, World, invert
from tests.support.learning import computing_once
from tests.usecases.detection.test_detect import DAYS, TEMPLATE, lake_days, put, reference, run, world


@pytest.fixture(autouse=True, scope="module")
def _fast() -> Iterator[None]:
    with computing_once():
        yield


def found(documents: list[TemplateDay]) -> World:
    """Return the world in which detect has seen these days, and nobody has answered yet."""
    target = world()
    put(target, documents)
    for day in DAYS:
        target.detect.run("troll", TEMPLATE.id, day)
    return target


def answer(target: World) -> StoredEstimation:
    """Return the estimation of the only incident."""
    (stored,) = target.incidents.list(TEMPLATE.id)
    held = target.estimations.get(TEMPLATE.id, stored.incident.id)
    assert held is not None
    return held


def test_a_day_that_could_not_be_read_is_named_and_estimated_from_once_it_can_be() -> None:
    """The answer comes without it; the look at the day that was made readable asks anew, once."""
    target = found(lake_days())
    target.lake.cells.set((TEMPLATE.id, DAYS[1]), "it is truncated")
    target.drain()
    assert answer(target).estimation.warnings == ("the day 2026-03-02 could not be read: it is left out",)
    put(target, [lake_days()[1]])
    target.detect.run("troll", TEMPLATE.id, DAYS[1])
    assert len(target.messages.criticals) == 1
    target.drain()
    assert answer(target).estimation.warnings == ()
    assert target.state() == reference().state()
    run(target, *DAYS)
    assert target.state() == reference().state()
    target.detect.run("troll", TEMPLATE.id, DAYS[1])
    assert not target.messages.criticals


def test_a_message_that_comes_again_when_the_day_can_be_read_is_enough() -> None:
    """Then nobody asks anew: what the incident says it is estimated from is what the lake holds."""
    target = found(lake_days())
    messages = list(target.messages.criticals)
    target.lake.cells.set((TEMPLATE.id, DAYS[1]), "it is truncated")
    target.drain()
    put(target, [lake_days()[1]])
    target.estimate.run(messages[-1])
    target.detect.run("troll", TEMPLATE.id, DAYS[1])
    assert not target.messages.criticals
    assert target.state() == reference().state()


def shorter() -> list[TemplateDay]:
    """Return the days with a leak that was over on its first day."""
    one, two = noise(12), noise(13)
    one[36:60] += 40
    leaks = [document(TEMPLATE, DAYS[2], s1=one, s2=noise(22)), document(TEMPLATE, DAYS[3], s1=two, s2=noise(23))]
    return [*lake_days()[:2], *leaks]


def outlived() -> World:
    """Return a world whose incident became shorter while it was estimated, by a process that died with its answer."""
    target = found(lake_days())

    def slow(*arguments: object) -> Estimation:
        put(target, shorter())
        for day in DAYS:
            target.detect.run("troll", TEMPLATE.id, day)
        target.writes.crash_at = target.writes.count + 2
        return invert(*arguments)  # type: ignore[arg-type]

    with pytest.raises(Crash):
        replace(target.estimate, invert=slow).run(target.messages.criticals[-1])
    target.restart()
    (stored,) = target.incidents.list(TEMPLATE.id)
    assert answer(target).at > stored.incident.last_critical
    return target


def expected() -> World:
    """Return the world of the shorter leak."""
    target = found(shorter())
    target.drain()
    return target


def test_an_answer_to_a_longer_incident_does_not_outlive_it() -> None:
    """The message of the shorter one takes its place, though it speaks of older data; the one that died is ignored."""
    target = outlived()
    target.drain()
    assert target.state() == expected().state()


@pytest.mark.parametrize("daily", [False, True])
def test_an_answer_that_nobody_is_to_replace_is_seen_by_the_next_run(daily: bool) -> None:
    """Whether detect looks at one of its days, or the daily run, that looks at few old days: it asks anew."""
    target = outlived()
    target.messages.criticals.clear()
    if daily:
        later = [DAYS[-1] + timedelta(days=offset) for offset in range(1, 8)]
        put(target, [lake_days()[0].model_copy(update={"day": day, "sensors": {}}) for day in later])
        record = target.registry.platform("troll")
        Rescoring(deviations=target.deviations, detect=target.detect).run(record, TEMPLATE)
    else:
        target.detect.run("troll", TEMPLATE.id, DAYS[-1])
    target.drain()
    assert answer(target) == answer(expected())._replace(etag=answer(target).etag, history=answer(target).history)


def test_what_a_process_that_died_answered_goes_with_its_incident() -> None:
    """The incident was taken back before the answer was stored: the message that comes again finds it."""
    target = found(lake_days())
    message = target.messages.criticals[-1]

    def slow(*arguments: object) -> Estimation:
        target.incidents.cells.rows.clear()
        target.writes.crash_at = target.writes.count + 2
        return invert(*arguments)  # type: ignore[arg-type]

    with pytest.raises(Crash):
        replace(target.estimate, invert=slow).run(message)
    target.restart()
    assert target.state()["estimations"]
    assert target.estimate.run(message) is None
    assert not target.state()["estimations"]


def test_what_a_process_that_died_told_goes_with_its_incident(monkeypatch: pytest.MonkeyPatch) -> None:
    """The incident was taken back with its answer, before that was told: the message that comes again sees it."""
    target = found(lake_days())
    message = target.messages.criticals[-1]
    store = target.estimations.put

    def stored_and_taken_back(answer: StoredEstimation) -> None:
        store(answer)
        target.incidents.cells.rows.clear()
        target.estimations.cells.rows.clear()
        target.writes.crash_at = target.writes.count + 2

    monkeypatch.setattr(target.estimations, "put", stored_and_taken_back)
    with pytest.raises(Crash):
        target.estimate.run(message)
    target.restart()
    assert "estimation" in {one.kind for one in target.events.list(TEMPLATE.id)}
    assert target.estimate.run(message) is None
    assert "estimation" not in {one.kind for one in target.events.list(TEMPLATE.id)}
