"""Suppressions: what is in force at a moment, and which alarms it keeps from calling."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.alarm import Alarm
from shared.domain.incident import Incident
from shared.domain.mark import Span
from shared.domain.suppression import (
    Ending,
    Suppression,
    SuppressionKind,
    SuppressionState,
    check_operation,
    check_until,
    lasting,
    suppressing,
    suppression_id,
)
from shared.errors import InvalidInput

NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
HOUR, DAYS = timedelta(hours=1), timedelta(days=1)


def suppression(
    kind: SuppressionKind = "shelved", template: str = "troll-a", sensor: str = "", **more: Any
) -> Suppression:
    """Return one that began an hour before noon and ends two hours later."""
    given = {"start": NOON - HOUR, "end": NOON + HOUR, "reason": "ROV", "by": "A. Person", "said": NOON - HOUR, **more}
    name = suppression_id(kind, sensor or template or "troll")
    where = {"platform": "troll", "template": template, "sensor": sensor}
    return Suppression.model_validate({"id": name, "kind": kind, **where, **given})


def planned(template: str = "troll-a", **more: Any) -> Suppression:
    """Return an operation of that hour."""
    return suppression("planned", template, operation="rov", **more)


def out_of_service(number: int) -> Suppression:
    """Return a sensor that is out of service."""
    return suppression("out_of_service", sensor=f"troll-a-{number}")


def alarm(*numbers: int) -> Alarm:
    """Return an alarm of troll-a that rests on these sensors."""
    incident = Incident(
        id="troll-a-20260305T1000Z",
        platform="troll",
        template="troll-a",
        onset=NOON - 2 * HOUR,
        last_critical=NOON,
        closed=None,
        max_score=3.0,
        sensors=tuple(f"troll-a-{number}" for number in numbers),
    )
    return Alarm.of(incident, NOON, 1e-5)


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        (NOON - HOUR - timedelta(seconds=1), SuppressionState.PLANNED),
        (NOON - HOUR, SuppressionState.IN_FORCE),
        (NOON + HOUR - timedelta(seconds=1), SuppressionState.IN_FORCE),
        (NOON + HOUR, SuppressionState.OVER),
    ],
)
def test_it_begins_and_ends_by_itself(moment: datetime, state: SuppressionState) -> None:
    """Its start is in it, and its end is not."""
    assert planned().state(moment) is state


def test_what_was_ended_early_is_over_from_then_on() -> None:
    """And what was called off before it began is never in force, and keeps nothing out of baselines."""
    ended = planned(ended=Ending(by="B. Person", at=NOON))
    assert (ended.in_force(NOON - HOUR), ended.in_force(NOON)) == (True, False)
    assert ended.span == Span(NOON - HOUR, NOON)
    off = planned(ended=Ending(by="B. Person", at=NOON - 2 * HOUR))
    assert not any(off.in_force(NOON + hours * HOUR) for hours in range(-3, 3))
    assert off.span is None


def test_an_ending_after_the_end_changes_nothing() -> None:
    """It was over by itself."""
    assert planned(ended=Ending(by="B. Person", at=NOON + 5 * HOUR)).until == NOON + HOUR


def test_the_range_that_is_touched_lies_on_the_grid() -> None:
    """The buckets in which it begins and ends are of it."""
    one = planned(start=NOON + timedelta(minutes=9), end=NOON + timedelta(minutes=11))
    assert one.span == Span(NOON, NOON + timedelta(minutes=20))


def test_an_alarm_that_nothing_suppresses_calls() -> None:
    """Neither another template's shelving, nor what is over or has not begun."""
    later: dict[str, Any] = {"start": NOON + HOUR, "end": NOON + 2 * HOUR}
    known = [suppression(template="troll-b"), planned(**later), suppression("planned", "", operation="rov", **later)]
    assert suppressing(alarm(1), known, NOON) == ()


@pytest.mark.parametrize(
    "one", [suppression(), planned(), planned(template="")], ids=["shelved", "template", "platform"]
)
def test_an_alarm_is_suppressed_by_what_is_of_its_template_or_platform(one: Suppression) -> None:
    """As long as that is in force."""
    assert suppressing(alarm(1, 2), [one], NOON) == (one,)
    assert suppressing(alarm(1, 2), [one], NOON + HOUR) == ()


def test_an_alarm_is_suppressed_where_all_its_sensors_are_out_of_service() -> None:
    """One that is in service is enough for it to call."""
    first, second, third = map(out_of_service, (1, 2, 3))
    assert suppressing(alarm(1, 2), [first, third], NOON) == ()
    assert suppressing(alarm(1, 2), [first, second, third], NOON) == (first, second)


def test_what_lasts_is_listed_in_order_of_its_beginning() -> None:
    """What is over is not among it."""
    early, late = planned(), planned(start=NOON + HOUR, end=NOON + 3 * HOUR)
    assert lasting([late, early], NOON) == (early, late)
    assert lasting([late, early], NOON + HOUR) == (late,)


def test_a_sensor_shares_what_is_of_its_template() -> None:
    """But not what is of another sensor."""
    assert suppression().concerns_sensor("troll-a-1")
    assert planned(template="").concerns_sensor("troll-b-1")
    assert out_of_service(1).concerns_sensor("troll-a-1")
    assert not out_of_service(1).concerns_sensor("troll-a-2")
    assert not suppression().concerns_sensor("troll-b-1")


@pytest.mark.parametrize(("kind", "longest"), [("shelved", 7 * DAYS), ("out_of_service", 31 * DAYS)])
def test_nothing_is_suppressed_for_ever(kind: SuppressionKind, longest: timedelta) -> None:
    """Nor until a moment that is past: such a request came too late."""
    check_until(kind, NOON + longest, NOON)
    for until in (NOON + longest + timedelta(seconds=1), NOON, NOON - HOUR):
        with pytest.raises(InvalidInput, match=r"^until: must lie"):
            check_until(kind, until, NOON)


def test_an_operation_has_bounds() -> None:
    """It has an end after its start, lasts a month at most, and begins within a year; it may be told of afterwards."""
    check_operation(NOON - 100 * DAYS, NOON - 99 * DAYS, NOON)
    for start, end, word in (
        (NOON, NOON, "from: must be before"),
        (NOON, NOON + 32 * DAYS, "to: an operation may last"),
        (NOON + 400 * DAYS, NOON + 401 * DAYS, "from: must lie at most 366"),
    ):
        with pytest.raises(InvalidInput, match=word):
            check_operation(start, end, NOON)
