"""Gaps: whatever keeps a series from being watched is known, and since when; nothing unknown counts as watched."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.detection import Fault, engine_id
from shared.domain.baseline_history import BaselineHistory
from shared.domain.deviation import Latest, Level
from shared.domain.ingest_state import SeriesState
from shared.domain.tsd import BUCKET, start_of
from shared.ports import PlatformRecord, StoredHistory
from shared.usecases.health.gaps import Gap, Reason, gaps_of
from shared.usecases.health.health import is_watched, template_health
from tests.support.examples import DAY, NOW, history, platform, read_until, template

TEMPLATE = template()
ONE = TEMPLATE.sensors[0].id
BEGIN = start_of(DAY)


def record(series: dict[str, Any], baseline: BaselineHistory, **newest: Any) -> PlatformRecord:
    """Return a platform all of which is watched, but for what is said of its first sensor."""
    state = read_until(TEMPLATE, NOW)
    first = state.series[ONE].model_copy(update=series)
    sample = Latest(at=NOW - 2 * BUCKET, level=Level.OK, score=0.5, ppmv=5.0, since=BEGIN)
    return PlatformRecord(
        platform(TEMPLATE),
        ingested={TEMPLATE.id: state.model_copy(update={"series": {**state.series, ONE: first}})},
        stored={
            one.id: StoredHistory(baseline if one.id == ONE else history(one.id, "v", DAY), "t")
            for one in TEMPLATE.sensors
        },
        latest={one.id: sample.model_copy(update=newest if one.id == ONE else {}) for one in TEMPLATE.sensors},
    )


OURS = history(ONE, "v", DAY)
TAKEN_AWAY = OURS.model_copy(update={"changes": tuple(one.model_copy(update={"undone": True}) for one in OURS.changes)})


@pytest.mark.parametrize(
    ("series", "baseline", "newest", "why", "since"),
    [
        ({"problem": "it is there twice", "since": NOW}, OURS, {}, Reason.LEFT_OUT, NOW),
        ({"until": None, "begin": None, "newest": None}, OURS, {}, Reason.NEVER_READ, start_of(NOW.date())),
        ({"until": NOW - timedelta(hours=1)}, OURS, {}, Reason.BEHIND, NOW - timedelta(hours=1)),
        ({}, BaselineHistory(), {}, Reason.NO_BASELINE, BEGIN),
        ({}, TAKEN_AWAY, {}, Reason.NO_BASELINE, BEGIN),
        ({}, OURS.model_copy(update={"engine": "other"}), {}, Reason.OTHER_ENGINE, BEGIN),
        ({"newest": NOW - timedelta(days=1)}, OURS, {}, Reason.SILENT, NOW - timedelta(days=1) + BUCKET),
        ({"newest": None}, OURS, {}, Reason.SILENT, BEGIN),
        ({}, OURS, {"at": NOW - timedelta(days=2)}, Reason.NOT_SCORED, NOW - timedelta(days=2) + BUCKET),
        ({}, OURS, {"level": Level.UNDEFINED}, Reason.UNDEFINED, BEGIN),
        ({}, OURS, {"level": Level.UNDEFINED, "fault": int(Fault.STUCK)}, Reason.FAULTY, BEGIN),
    ],
)
def test_a_sensor_that_nobody_watches_says_why(
    series: dict[str, Any], baseline: BaselineHistory, newest: dict[str, Any], why: Reason, since: Any
) -> None:
    """And the template is not watched as a whole, though all else of it is."""
    found = record(series, baseline, **newest)
    assert gaps_of(found, TEMPLATE, NOW) == {ONE: Gap(why, since)}
    health = template_health(found, TEMPLATE, NOW)
    assert (health.sensors, health.sensors_watched, is_watched(health)) == (2, 1, False)
    assert [one.series for one in health.gaps] == [ONE]


def test_what_is_watched_has_no_gap() -> None:
    """An alarm is watched as an Ok is; a sensor of a series logged by exception may say nothing for hours."""
    assert engine_id() == OURS.engine
    for level in (Level.OK, Level.WARNING, Level.CRITICAL):
        found = record({"newest": NOW - timedelta(hours=5)}, OURS, level=level)
        assert not gaps_of(found, TEMPLATE, NOW)
        health = template_health(found, TEMPLATE, NOW)
        assert is_watched(health)
        assert (health.newest_sample, health.ingested_until) == (NOW - BUCKET, NOW)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda one: one.pop("current_speed"), Reason.NEVER_READ),
        (lambda one: one.update(current_speed=SeriesState(until=NOW, begin=BEGIN)), Reason.SILENT),
        (lambda one: one.update(current_speed=SeriesState(until=NOW, problem="no unit")), Reason.LEFT_OUT),
    ],
)
def test_the_sea_is_watched_too(change: Callable[[dict[str, SeriesState]], object], why: Reason) -> None:
    """Without currents no leak can be placed."""
    found = record({}, OURS)
    change(found.ingested[TEMPLATE.id].series)
    assert {key: one.why for key, one in gaps_of(found, TEMPLATE, NOW).items()} == {"current_speed": why}


def test_a_template_without_sensors_is_not_watched() -> None:
    """It has no gap, and nothing that could be heard."""
    bare = TEMPLATE.model_copy(update={"sensors": ()})
    found = record({}, OURS)
    assert not gaps_of(found, bare, NOW)
    assert not is_watched(template_health(found, bare, NOW))
