"""Verify: whatever is not as a clean run makes it is found, and detect mends it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from shared.domain.deviation import Carry, DeviationDay
from shared.usecases.detection.verify import Finding, Verify
from tests.support.examples import document, noise
from tests.support.fakes import World
from tests.support.learning import computing_once
from tests.usecases.detection.test_detect import DAYS, TEMPLATE, bump, days_of, put, reference, run

SENSOR = "troll-a-1"


@pytest.fixture(autouse=True, scope="module")
def _fast() -> Iterator[None]:
    with computing_once():
        yield


def found(target: World) -> list[Finding]:
    """Return what is wrong."""
    return list(Verify(target.detect).run(target.registry.platform("troll"), TEMPLATE, DAYS))


def test_what_a_clean_run_made_is_right() -> None:
    """Nothing is found, and nothing written."""
    target = reference()
    before = target.writes.count
    assert found(target) == []
    assert target.writes.count == before


SPOILT: dict[str, Callable[[DeviationDay], DeviationDay]] = {
    "its scores are not those of its readings": lambda row: replace(row, raw=row.raw + np.float32(1)),
    "the lake holds other readings": lambda row: replace(row, ppmv=row.ppmv + 1),
    "the day before hands on something else": lambda row: replace(
        row, before=Carry((1.0, 2.0, 3.0, 4.0), 0, row.baseline)
    ),
    "the days before hold other readings": lambda row: replace(row, context=row.context._replace(yesterday="other")),
    "people were not told of it as it is": lambda row: replace(
        row, told=("20260301T000000Z-0123456789abcdef.01234567",)
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_is_not_as_it_should_be_is_found_and_mended(what: str) -> None:
    """Each kind is named, and a look of detect at that day is enough."""
    target = reference()
    stored = target.deviations.get(SENSOR, DAYS[1], fresh=True)
    assert stored.row is not None
    target.deviations.put(SPOILT[what](stored.row), stored.etag)
    assert Finding(DAYS[1], SENSOR, what) in found(target)
    target.restart()
    if what != "its scores are not those of its readings":  # detect trusts what it wrote from the same readings
        run(target, *(one.day for one in found(target)))
        assert found(target) == []


def test_a_row_that_is_missing_an_incident_too_many_and_one_too_few_are_found() -> None:
    """And so is an incident of which no row speaks any more."""
    target = reference()
    (incident,) = target.incidents.list(TEMPLATE.id)
    target.deviations.cells.remove((SENSOR, DAYS[1]))
    target.incidents.remove(incident.incident)
    assert {(one.about, one.what) for one in found(target)} >= {
        (SENSOR, "it has no row"),
        (incident.incident.id, "it is not there"),
    }
    target = reference()
    put(target, days_of(*(noise(10 + number) for number in range(4))))
    for day in DAYS:
        for sensor in TEMPLATE.sensors:
            target.deviations.cells.remove((sensor.id, day))
    assert (incident.incident.id, "no row speaks of it any more") in {(one.about, one.what) for one in found(target)}


def test_a_day_whose_event_was_lost_is_found() -> None:
    """The lake holds another day than its row, and nobody said so."""
    target = reference()
    put(target, days_of(bump(20, 60, 10))[:1])
    findings = found(target)
    assert (SENSOR, "the lake holds other readings") in {(one.about, one.what) for one in findings}
    run(target, *sorted({one.day for one in findings}))
    assert found(target) == []


def test_what_detect_makes_of_odd_days_is_right() -> None:
    """A day that was emptied hands nothing on, and one that cannot be read is as its row remembers it."""
    target = reference()
    put(target, [document(TEMPLATE, DAYS[1], s1=[], s2=[])])
    target.detect.run("troll", TEMPLATE.id, DAYS[0], DAYS[-1])  # as the daily run does
    assert found(target) == []
    target = reference()
    target.lake.cells.set((TEMPLATE.id, DAYS[1]), "it is truncated")
    put(target, days_of(noise(10), noise(11), bump(20, 60, 12))[2:])
    run(target, *DAYS[2:])
    assert found(target) == []
