"""Statements: what is promised by baselines and currents, how it was, and that what is not known is said."""

from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from shared.domain.alarm import Acknowledgement, Alarm, Priority
from shared.domain.deviation import DeviationDay
from shared.domain.performance import Statements
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.errors import Conflict, NotFound
from shared.ports import ETag, StoredAlarm, StoredStatements
from shared.usecases.performance.promises import MAP
from shared.usecases.performance.statements import PerformanceStatements
from tests.support.examples import DAY, at, history, incident_at, quiet_baseline, scored_day
from tests.support.fakes import FakeStatements, World
from tests.support.tidal_world import DAYS, NOW, TEMPLATE, world

SMALL = replace(MAP, members=1, spacing_m=4.0, heights=2)


def use_case(one: World) -> PerformanceStatements:
    """Return the use case half an hour after the last day, with a coarse map."""
    one.clock.moment = NOW
    return PerformanceStatements(
        lake=one.lake,
        registry=one.registry,
        baselines=one.baselines,
        deviations=one.deviations,
        alarms=one.alarms_table,
        table=one.statements,
        messages=one.messages,
        clock=one.clock,
        period=timedelta(days=DAYS),
        options=SMALL,
        version="9.9",
    )


@cache
def stated() -> Statements:
    """Return the statements of a template with two sensors."""
    return use_case(world()).run(TEMPLATE.id)


def change(one: World, template: Template) -> None:
    """Register the template otherwise."""
    record = one.registry.platform("troll")
    known: Platform = record.platform
    one.registry.change(record, known.model_copy(update={"templates": (template,)}))


def renew_baseline(one: World, sensor: int = 0) -> None:
    """Give a sensor another baseline."""
    here, other = TEMPLATE.sensors[sensor], quiet_baseline(seed=7)
    one.baselines.put(here.id, other)
    etag = one.registry.platform("troll").stored[here.id].etag
    one.registry.set_history(TEMPLATE, here, history(here.id, other.version, DAY), etag)


def test_it_says_what_is_found_where_and_how_soon() -> None:
    """More time, or the lower level, never needs a larger leak; near a sensor the smallest one is found."""
    newest = stated().newest
    assert newest.unknown == ()
    assert newest.map is not None
    found = {(one.level, one.within_hours): one.median_kg_s for one in newest.promises}
    assert found.keys() == {(level, hours) for level in ("Warning", "Critical") for hours in (6, 24, 72)}
    known = {key: np.inf if rate is None else rate for key, rate in found.items()}
    for level in ("Warning", "Critical"):
        assert known[level, 6] >= known[level, 24] >= known[level, 72] > 0
    assert all(known["Critical", hours] >= known["Warning", hours] for hours in (6, 24, 72))
    rates = np.array(newest.map.rates_kg_s, dtype=float)
    assert rates.shape == (len(newest.map.z), len(newest.map.y), len(newest.map.x))
    best = np.unravel_index(np.nanargmin(rates), rates.shape)
    x, y = newest.map.x[best[2]], newest.map.y[best[1]]
    assert min(np.hypot(one.x - x, one.y - y) for one in TEMPLATE.sensors) < SMALL.spacing_m
    assert [one.name for one in newest.points] == ["P1"]
    assert all(one.distance_median_m <= one.distance_most_m and one.factor_median >= 1 for one in newest.accuracy)
    assert len(newest.accuracy) == 2


def test_a_sensor_lost_never_helps_and_one_more_never_harms() -> None:
    """Each sensor is named, and a place at each of two heights."""
    variants = stated().newest.variants
    lost = [one for one in variants if one.kind == "lost"]
    added = [one for one in variants if one.kind == "added"]
    assert [one.sensor for one in lost] == [one.id for one in TEMPLATE.sensors]
    assert len({one.place[2] for one in added if one.place}) == len(added) == 2
    assert all(one.times is None or one.times >= 1 - 1e-3 for one in lost)
    assert all(one.times is not None and one.times <= 1 + 1e-3 for one in added)
    assert any(one.times is None or one.times > 1.01 for one in lost)


def test_the_same_again_changes_nothing_and_keeps_the_one_before() -> None:
    """A message comes twice; what is compared with stays what rested on something else."""
    one = world()
    first = use_case(one).run(TEMPLATE.id)
    assert first.before is None
    assert use_case(one).run(TEMPLATE.id) == first
    renew_baseline(one)
    second = use_case(one).run(TEMPLATE.id)
    assert second.before == first.newest
    assert second.changes == (f"the baseline of {TEMPLATE.sensors[0].id}",)
    assert use_case(one).run(TEMPLATE.id) == second


def test_a_statement_is_stale_once_it_rests_on_something_else() -> None:
    """Baseline, geometry, age: each is named; the daily run asks for what is stale and for nothing else."""
    one = world()
    assert use_case(one).view(TEMPLATE.id).stale == ("none was made yet",)
    use_case(one).run(TEMPLATE.id)
    assert use_case(one).view(TEMPLATE.id).stale == ()
    use_case(one).ask_if_stale(TEMPLATE.platform, TEMPLATE.id)
    assert one.messages.statements == []
    renew_baseline(one)
    change(one, TEMPLATE.model_copy(update={"height": 6.0}))
    assert use_case(one).view(TEMPLATE.id).stale == (
        "the geometry or a sensor's place",
        f"the baseline of {TEMPLATE.sensors[0].id}",
    )
    use_case(one).ask_if_stale(TEMPLATE.platform, TEMPLATE.id)
    assert one.messages.statements == [TEMPLATE.id]
    use_case(one).run(TEMPLATE.id)
    target = use_case(one)
    one.clock.moment = NOW + timedelta(days=29)
    assert target.view(TEMPLATE.id).stale == ("it is older than 28 days",)


@pytest.mark.parametrize(
    ("here", "said"),
    [
        (world(baselines=0), "no sensor has a baseline"),
        (world(measured_days=2), "the current was not measured for 120 h on end"),
    ],
)
def test_what_is_not_known_is_said_instead_of_a_number(here: World, said: str) -> None:
    """Without baselines or currents nothing is promised; the rest of the statement is there."""
    newest = use_case(here).run(TEMPLATE.id).newest
    assert len(newest.unknown) == 1
    assert newest.unknown[0].startswith(said)
    assert newest.map is None
    assert (newest.promises, newest.accuracy, newest.variants) == ((), (), ())
    assert newest.reliability.alarms == 0


def test_a_template_without_sensors_says_so() -> None:
    """It is no error: it is what is to be known of it."""
    one = world()
    change(one, TEMPLATE.model_copy(update={"sensors": ()}))
    assert use_case(one).run(TEMPLATE.id).newest.unknown[0].startswith("no sensor is registered")


def test_a_sensor_without_a_baseline_is_named_and_finds_nothing() -> None:
    """The others' promises stand; it is not counted among what could be lost."""
    newest = use_case(world(baselines=1)).run(TEMPLATE.id).newest
    assert newest.blind == (TEMPLATE.sensors[1].id,)
    assert [one.sensor for one in newest.variants if one.kind == "lost"] == [TEMPLATE.sensors[0].id]
    assert newest.promises


def test_a_template_that_is_deleted_meanwhile_leaves_nothing() -> None:
    """The work ends with NotFound, which the queue's function takes for done."""
    one = world()
    target = use_case(one)
    seen = one.lake.read
    here = one.registry.platform("troll")

    def deleted(*asked: object, **more: object) -> object:
        if one.registry.platforms():
            one.registry.change(one.registry.platform("troll"), here.platform.model_copy(update={"templates": ()}))
        return seen(*asked, **more)  # type: ignore[arg-type]

    one.lake.read = deleted  # type: ignore[method-assign, assignment]
    with pytest.raises(NotFound):
        target.run(TEMPLATE.id)
    assert one.statements.cells.rows == {}


class WrittenMeanwhile(FakeStatements):
    """Statements that somebody else writes once, right before they are written."""

    other: Statements | None = None

    def put(self, template: str, statements: Statements, etag: ETag) -> str:
        """Write the other's first."""
        if self.other is not None:
            other, self.other = self.other, None
            super().put(template, other, etag)
            raise Conflict("another run was faster")
        return super().put(template, statements, etag)


def test_of_two_runs_at_a_time_both_end_with_the_same() -> None:
    """The slower one reads again; the one before is not lost to it."""
    one = world()
    table = one.statements = WrittenMeanwhile(one.writes)
    table.other = stated()
    kept = use_case(one).run(TEMPLATE.id)
    assert one.statements.get(TEMPLATE.id) == StoredStatements(kept, str(one.writes.count))
    assert kept.before is None


def raised(hour: int, acknowledged_after: float | None = None, template: str = TEMPLATE.id) -> Alarm:
    """Return an alarm of the first day, acknowledged after so many hours."""
    begun = at(DAY, hour)
    seen = Acknowledgement(by="A", at=begun + timedelta(hours=acknowledged_after)) if acknowledged_after else None
    return Alarm(incident=incident_at(hour, template), raised=begun, priority=Priority.MEDIUM, acknowledged=seen)


def test_reliability_counts_the_alarms_of_the_template() -> None:
    """By verdict, state and disposition; those of other templates, of the past and of a backfill aside."""
    one = world()
    withdrawn = raised(3).model_copy(update={"withdrawn": at(DAY, 9), "disposition": "the data changed"})
    old = raised(4)
    begun = old.incident.onset - timedelta(days=400)
    key = f"{TEMPLATE.id}-{begun:%Y%m%dT%H%M}Z"
    old = old.model_copy(update={"incident": old.incident.model_copy(update={"onset": begun, "id": key})})
    backfilled = raised(5).model_copy(update={"history": True})
    for alarm in (raised(1, 2.0), raised(2, 4.0), withdrawn, old, backfilled, raised(1, template="troll-b")):
        one.alarms_table.put(StoredAlarm(alarm, 1, None))
    found = use_case(one).run(TEMPLATE.id).newest.reliability
    assert (found.alarms, found.history, found.unacknowledged) == (3, 1, 1)
    assert found.median_hours_to_acknowledgement == 3.0
    assert found.by_verdict == {"not estimated": 3}
    assert found.by_state == {"acknowledged": 2, "returned, unacknowledged": 1}
    assert found.by_disposition == {"the data changed": 1}


def test_availability_is_what_the_scored_days_say() -> None:
    """A sensor's time counts from its first day on; a faulty sensor is not watched; currents as they were scored."""
    one = world()
    day = scored_day(sensor=TEMPLATE.sensors[0].id)
    level, fault = np.full(144, 0, np.int8), np.zeros(144, np.int8)
    level[:36], fault[36:72] = -1, 2
    currents = np.full(144, 0.1 + 0.1j)
    currents[:72] = np.nan
    shown: DeviationDay = replace(day, level=level, fault=fault, currents=currents)
    one.deviations.put(shown, None)
    months = use_case(one).run(TEMPLATE.id).newest.availability
    assert [one.month for one in months][-2:] == ["2026-02", "2026-03"]
    assert (len(months), months[0].scored, months[-2].currents) == (12, None, None)
    whole = DAYS * 144 + 3
    assert months[-1].scored == pytest.approx(108 / whole, abs=1e-4)
    assert months[-1].watched == pytest.approx(72 / whole, abs=1e-4)
    assert months[-1].currents == pytest.approx(72 / whole, abs=1e-4)


def test_nobody_registered_is_not_stated() -> None:
    """Asking for it says so, and puts nothing on the queue."""
    one = world()
    with pytest.raises(NotFound):
        use_case(one).ask("troll-z")
    assert one.messages.statements == []
    assert use_case(one).ask(TEMPLATE.id).statements is None
    assert one.messages.statements == [TEMPLATE.id]
