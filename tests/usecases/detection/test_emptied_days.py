"""A day that was emptied is as if it had never been there, for each run that looks at it or at what follows it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from admin.verify import verify
from shared.bootstrap import Bootstrap
from shared.domain.deviation import DAY_ARRAYS
from shared.domain.kept import Kept
from shared.domain.tsd import BUCKET, SLOTS, TemplateDay, start_of
from shared.usecases.baselines.rescoring import RECENT_DAYS, Rescoring
from shared.usecases.detection.detect import Detect
from shared.usecases.detection.verify import Verify
from tests.support.examples import document, noise
from tests.support.fakes import FakeClock, World
from tests.support.learning import computing_once
from tests.usecases.detection.test_detect import DAYS, TEMPLATE, lake_days, put, reference, run, world

SENSOR = TEMPLATE.sensors[0].id


@pytest.fixture(autouse=True, scope="module")
def _fast() -> Iterator[None]:
    with computing_once():
        yield


def emptied(day: TemplateDay, how: str) -> TemplateDay:
    """Return the day without series, with series of which nothing was asked for, or not of all of the day."""
    if how == "no series":
        return day.model_copy(update={"sensors": {}})
    known = 30 if how == "cut short" else 0
    until = start_of(day.day) + known * BUCKET
    sensors = {
        key: one.model_copy(
            update={
                "until": until,
                "values": (*one.values[:known], *(None,) * (SLOTS - known)),
                "counts": (*one.counts[:known], *(0,) * (SLOTS - known)),
            }
        )
        for key, one in day.sensors.items()
    }
    return day.model_copy(update={"sensors": sensors})


def wrong(target: World) -> Sequence[Any]:
    """Return what is not as a clean run makes it."""
    return list(Verify(target.detect).run(target.registry.platform("troll"), TEMPLATE, DAYS))


@pytest.mark.parametrize("how", ["no series", "not asked for", "cut short"])
def test_its_own_run_follows_into_the_days_after_it(how: str) -> None:
    """Nobody has to wait for the daily run, also where the process died before it followed."""
    target = reference()
    documents = lake_days()
    documents[1] = emptied(documents[1], how)
    put(target, documents)
    run(target, DAYS[1])
    clean = world()
    put(clean, documents)
    run(clean, *DAYS)
    assert wrong(target) == wrong(clean) == []
    run(target, DAYS[2])
    assert wrong(target) == []


@pytest.mark.parametrize("how", ["no series", "not asked for"])
def test_who_died_before_it_followed_follows_when_the_event_comes_again(how: str) -> None:
    """The day's rows are empty by then, and say nothing of what they were."""
    target = reference()
    documents = lake_days()
    documents[1] = emptied(documents[1], how)
    put(target, documents)
    for sensor in TEMPLATE.sensors:
        stored = target.deviations.get(sensor.id, DAYS[1], fresh=True)
        assert stored.row is not None
        none = {name: getattr(stored.row, name)[:0] for name in DAY_ARRAYS}
        target.deviations.put(replace(stored.row, **none), stored.etag)
    target.restart()
    run(target, DAYS[1])
    assert wrong(target) == []


def test_days_after_days_without_a_series_are_right_for_the_daily_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not look at them each day anew."""
    target, days = world(), [DAYS[0] + timedelta(days=offset) for offset in range(12)]
    for number, day in enumerate(days):
        one = document(TEMPLATE, day, s1=noise(30 + number), s2=noise(50 + number))
        if number in (3, 4, 7):
            one = one.model_copy(update={"sensors": {key: own for key, own in one.sensors.items() if key != SENSOR}})
        put(target, [one])
    run(target, *days)
    looked: list[tuple[date, date]] = []
    monkeypatch.setattr(Detect, "run", lambda _self, _platform, _template, first, last: looked.append((first, last)))
    record = target.registry.platform("troll")
    Rescoring(deviations=target.deviations, detect=target.detect).run(record, TEMPLATE)
    assert looked == [(days[-RECENT_DAYS], days[-1])]


def test_what_rests_on_readings_that_are_gone_is_mended_by_verify() -> None:
    """The day is looked at together with the two before it, that say which readings it rests on."""
    target = reference()
    stored = target.deviations.get(SENSOR, DAYS[3], fresh=True)
    assert stored.row is not None
    other = stored.row.context._replace(day_before="0123456789abcdef")
    target.deviations.put(replace(stored.row, context=other), stored.etag)
    target.restart()
    clock = FakeClock(start_of(DAYS[-1]))
    wired = SimpleNamespace(registry=target.registry, lake=target.lake, detect=target.detect, kept=Kept(), clock=clock)
    app = cast("Bootstrap", wired)
    (found,) = verify(app, mend=True)
    assert [one.what for one in found.findings] == ["the days before hold other readings"]
    assert found.left == 0
