"""Baselines: every sensor with enough clean history gets one, and what it should have scored is scored."""

from datetime import date, timedelta

import numpy as np
import pytest

from shared.domain.deviation import Level
from shared.errors import CorruptBlob
from shared.usecases.baselines import BuildBaselines
from tests.examples import DAY, document, noise, platform, template
from tests.fakes import Crash, World

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stumpy")]

TEMPLATE = template()
LAST = DAY + timedelta(days=17)


def world(days: int = 18) -> World:
    """Return a world whose first sensor has so many quiet days, and whose second only a week."""
    new = World()
    new.registry.add(platform(TEMPLATE))
    for offset in range(days):
        day = DAY + timedelta(days=offset)
        sensors = {"s1": noise(offset)} | ({"s2": noise(100 + offset)} if offset < 7 else {})
        new.lake.cells.set((TEMPLATE.id, day), document(TEMPLATE, day, **sensors))
    return new


def case(target: World) -> BuildBaselines:
    """Return the use case on that world."""
    return BuildBaselines(
        target.lake, target.registry, target.baselines, target.deviations, target.events, target.detect, min_days=14
    )


def test_enough_clean_days_make_a_baseline_that_scores_what_follows() -> None:
    """Fourteen days are learnt from, the rest is scored; a sensor with less stays Undefined."""
    target = world()
    assert case(target).run() == {}
    (pointer,) = target.registry.platform("troll").baselines.values()
    assert pointer.valid_from == DAY + timedelta(days=14)
    learning = target.deviations.get("troll-a-1", DAY).row
    scored = target.deviations.get("troll-a-1", LAST).row
    other = target.deviations.get("troll-a-2", DAY).row
    assert learning is not None
    assert scored is not None
    assert other is not None
    assert learning.count(Level.UNDEFINED) == other.count(Level.UNDEFINED) == 144
    assert scored.baseline == pointer.version
    assert scored.count(Level.OK) + scored.count(Level.WARNING) == 144
    assert [event.about for event in target.events.list(TEMPLATE.id) if event.kind == "baseline_built"] == ["troll-a-1"]


def test_too_little_history_makes_none() -> None:
    """Thirteen days are not fourteen."""
    target = world(13)
    case(target).run()
    assert not target.registry.platform("troll").baselines


def test_a_second_run_writes_nothing() -> None:
    """What has a baseline and is scored by it is left alone."""
    target = world()
    case(target).run()
    before = target.writes.count
    case(target).run()
    assert target.writes.count == before


def test_a_crash_at_any_write_is_healed_by_the_next_run() -> None:
    """Whichever write the process dies at, the next daily run ends in the same tables."""
    reference = world()
    case(reference).run()
    for crash_at in range(1, 100):
        target = world()
        target.writes.crash_at = target.writes.count + crash_at
        try:
            case(target).run()
        except Crash:
            target.restart()
            case(target).run()
            assert target.state() == reference.state()
            assert target.registry.baselines.values() == reference.registry.baselines.values()
        else:
            assert crash_at > 20
            return
    pytest.fail("the run never came to its end")


def test_rows_that_no_event_told_of_are_scored() -> None:
    """A day whose blob event was lost is found by the daily run."""
    target, reference = world(), world()
    case(reference).run()
    case(target).run()
    for day in (DAY, DAY + timedelta(days=15)):
        del target.deviations.cells.rows["troll-a-1", day]
    target.restart()
    case(target).run()
    assert target.state() == reference.state()


def test_an_old_incident_that_a_crash_left_untold_is_healed() -> None:
    """Rows that are Critical without an incident are looked at again, however old they are."""
    target, day = world(60), DAY + timedelta(days=20)
    target.lake.cells.set((TEMPLATE.id, day), document(TEMPLATE, day, s1=noise(20) + 60))
    case(target).run()
    expected = target.state()
    assert len(expected["incidents"]) == 1
    target.incidents.cells.rows.clear()
    events = target.events.cells.rows
    target.events.cells.rows = {key: one for key, one in events.items() if "incident" not in one[0].kind}
    target.restart()
    case(target).run()
    assert target.state() == expected


def test_one_failing_template_does_not_stop_the_others() -> None:
    """The failure is named; the other template has its baselines."""
    target = world()
    other = template(slug="b", sensors=1)
    target.registry.add(platform(TEMPLATE, other))
    for offset in range(16):
        day = DAY + timedelta(days=offset)
        target.lake.cells.set((other.id, day), document(other, day, s1=noise(offset)))
    days = target.lake.days

    def broken(one: object) -> list[date]:
        if one == TEMPLATE:
            raise CorruptBlob("the list cannot be read")
        return days(other)

    target.lake.days = broken  # type: ignore[method-assign, assignment]
    assert case(target).run() == {"troll-a": "CorruptBlob: the list cannot be read"}
    assert set(target.registry.platform("troll").baselines) == {"troll-b-1"}


def test_a_high_day_is_kept_out_of_the_baseline() -> None:
    """A day that stands out is not leak-free history."""
    target = world(20)
    high = DAY + timedelta(days=3)
    target.lake.cells.set((TEMPLATE.id, high), document(TEMPLATE, high, s1=noise(3) + 200))
    case(target).run()
    pointer = target.registry.platform("troll").baselines["troll-a-1"]
    baseline = target.baselines.get("troll-a-1", pointer.version)
    assert np.nanmax(baseline.ppmv) < 50
    assert pointer.valid_from == DAY + timedelta(days=15)
