"""Tell health: what is not watched is told once, and taken back when somebody watches it again."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta

import pytest

from shared.domain.deviation import Latest, Level
from shared.domain.event import Event
from shared.domain.tsd import BUCKET
from shared.errors import NewerSchema
from shared.usecases.health.tell_health import TellHealth
from shared.usecases.queries.query import Queries
from tests.support.examples import DAY, NOW, at, history, platform, read_until, set_read_until, template
from tests.support.fakes import Crash, FakeClock, World
from tests.usecases.ingestion.test_ingest import ingest, source

TEMPLATE = template()
ONE, TWO = (one.id for one in TEMPLATE.sensors)


def tell(world: World, now: datetime = NOW) -> None:
    """Run the use case at that time."""
    TellHealth(registry=world.registry, events=world.events, clock=FakeClock(now)).run()


def told(world: World, subject: str = TEMPLATE.id) -> dict[str, Event]:
    """Return the events of what is not watched, by what they are about."""
    return {one.about: one for one in world.events.list(subject) if one.kind in ("not_watched", "unreadable_platform")}


def health(world: World, now: datetime = NOW) -> str:
    """Return the status that everybody sees."""
    queries = Queries(
        registry=world.registry,
        incidents_table=world.incidents,
        estimations=world.estimations,
        events_table=world.events,
        messages=world.messages,
        clock=FakeClock(now),
    )
    return queries.health().status


def watched_world(now: datetime = NOW) -> World:
    """Return a world all of which is watched."""
    world = World()
    world.registry.add(platform(TEMPLATE))
    for one in (ONE, TWO):
        world.registry.histories.set(one, history(one, "v", DAY))
    look(world, now)
    return world


def look(world: World, now: datetime, *sensors: str) -> None:
    """Let all series be read up to a time, and these sensors (else all) be scored."""
    set_read_until(world.registry, TEMPLATE, now)
    sample = Latest(at=now - BUCKET, level=Level.OK, score=0.5, ppmv=5.0, since=now - timedelta(hours=3))
    world.registry.latest.set(TEMPLATE.id, dict.fromkeys(sensors or (ONE, TWO), sample))


def test_a_template_that_is_well_is_told_of_once_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    """One of which anything is amiss with each run (below)."""
    lines = []
    for minute in range(0, 60, 10):
        now = NOW + timedelta(minutes=minute)
        caplog.clear()
        with caplog.at_level(logging.INFO):
            tell(watched_world(now), now)
        lines += [one for one in caplog.messages if one.startswith("template watched")]
    assert len(lines) == 1


def test_where_all_is_watched_nothing_is_told_or_written() -> None:
    """A run of every ten minutes costs reads only."""
    world = watched_world()
    before = world.writes.count
    tell(world)
    assert (world.writes.count, told(world), health(world)) == (before, {}, "ok")


def test_a_gap_is_told_once_and_taken_back_when_it_has_ended(caplog: pytest.LogCaptureFixture) -> None:
    """The reason may change on the way: the event says the present one."""
    world = watched_world()
    with caplog.at_level(logging.INFO):
        tell(world, NOW + timedelta(hours=1))
    assert told(world)[ONE].message == f"{ONE} is not watched since 2026-03-05T12:00:00Z: not asked for lately"
    assert "template watched template=troll-a sensors=2 watched=0 gaps=4 sample_age_s=4200" in caplog.text
    written = world.writes.count
    tell(world, NOW + timedelta(hours=2))
    assert world.writes.count == written

    later = NOW + timedelta(hours=3)
    state = world.registry.record(TEMPLATE.id).ingested[TEMPLATE.id]
    again = {key: one.model_copy(update={"until": later}) for key, one in state.series.items()}
    world.registry.ingested.set(TEMPLATE.id, state.model_copy(update={"series": again}))
    tell(world, later)
    assert told(world)[ONE].message == f"{ONE} is not watched since 2026-03-05T12:00:00Z: not scored"
    sample = Latest(at=later - BUCKET, level=Level.OK, score=0.5, ppmv=5.0, since=later - BUCKET)
    world.registry.latest.set(TEMPLATE.id, {ONE: sample, TWO: sample})
    tell(world, later)
    assert not told(world)
    assert health(world, later) == "ok"
    assert not world.registry.record(TEMPLATE.id).ingested[TEMPLATE.id].told


def test_a_run_that_dies_is_repeated() -> None:
    """At each of its writes, when a gap begins and when it ends: the events are those of a run that did not."""
    for since, scored in ((NOW + timedelta(hours=1), ()), (NOW, (ONE,))):
        whole, crash_after = watched_world(), 0
        if scored:
            look(whole, NOW, *scored)
        tell(whole, since)
        while crash_after < 20:
            world = watched_world()
            if scored:
                look(world, NOW, *scored)
            world.writes.crash_at = world.writes.count + crash_after + 1
            try:
                tell(world, since)
                break
            except Crash:
                crash_after += 1
                world.restart()
                tell(world, since)
            assert world.events.cells.values() == whole.events.cells.values()
        assert 1 < crash_after < 20


def test_a_sensor_without_baseline_is_told_beside_one_that_is_watched() -> None:
    """One Ok sensor makes no template fine."""
    world = watched_world()
    del world.registry.histories.rows[TWO]
    tell(world)
    assert {about: one.message.rpartition(": ")[2] for about, one in told(world).items()} == {TWO: "no baseline"}
    assert health(world) == "degraded"


def test_a_day_without_a_sample_is_told_though_all_was_asked_for() -> None:
    """OMNIA answers, and no sensor has sent anything: the newest sample stays where it was."""
    world, silent = World(), source(NOW)
    for now in (NOW, NOW + timedelta(days=1)):
        ingest(world, silent, now).run()
    for one in (ONE, TWO):
        world.registry.histories.set(one, history(one, "v", date(2026, 3, 1)))
    now = NOW + timedelta(days=1)
    tell(world, now)
    state = world.registry.record(TEMPLATE.id).ingested[TEMPLATE.id]
    assert {one.newest for one in state.series.values()} == {NOW - BUCKET}
    assert set(state.watermarks.values()) == {now}
    assert {one.message.rpartition(": ")[2] for one in told(world).values()} == {"no samples"}
    assert set(told(world)) == {ONE, TWO, "current_speed", "current_direction"}
    assert health(world, now) == "degraded"


def test_a_newest_sample_that_was_taken_back_is_not_known_any_more() -> None:
    """The source had it by mistake: what came before it counts where the day has one."""
    world, omnia = World(), source(NOW)
    ingest(world, omnia, NOW).run()
    for moment in [NOW - BUCKET, NOW - 2 * BUCKET]:
        del omnia.readings["TAG-a-1"][moment]
    ingest(world, omnia, NOW + BUCKET).run()
    state = world.registry.record(TEMPLATE.id).ingested[TEMPLATE.id]
    assert (state.series[ONE].newest, state.series[TWO].newest) == (NOW - 3 * BUCKET, NOW - BUCKET)


def test_a_platform_that_cannot_be_read_is_told_and_hides_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """Once a day, for as long as it is so; one of a newer release is logged, and blames nobody."""
    world = watched_world()
    world.registry.unreadable = {"snorre": ValueError("depth must be positive"), "grane": NewerSchema("schema 9")}
    with caplog.at_level(logging.INFO):
        for hour in (0, 1, 24):
            look(world, NOW + timedelta(hours=hour))
            tell(world, NOW + timedelta(hours=hour))
    found = [one for one in world.events.list("system") if one.kind == "unreadable_platform"]
    assert [(one.about, one.at) for one in found] == [
        ("snorre", at(date(2026, 3, 6))),
        ("snorre", at(date(2026, 3, 5))),
    ]
    assert "depth must be positive" in found[0].message
    for name in ("snorre", "grane"):
        assert f"platform unreadable platform={name}" in caplog.text
    assert "template watched template=troll-a" in caplog.text
    assert health(world) == "degraded"


def test_nothing_registered_is_not_well() -> None:
    """A registry that was emptied watches nothing."""
    assert health(World()) == "degraded"


def ingested(world: World) -> None:
    """Let a share move the watermarks."""
    record = world.registry.record(TEMPLATE.id)
    series = read_until(TEMPLATE, NOW, record.platform.environment).series
    state = record.ingested[TEMPLATE.id].model_copy(update={"series": series})
    world.registry.set_ingested(TEMPLATE, state, record.ingest_etags[TEMPLATE.id])


def test_what_was_told_beside_a_share_that_ingests_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """It moved the watermarks between the events and what remembers them; and a crash there leaves nothing either."""
    for crash in (False, True):
        world = World()
        world.registry.add(platform(TEMPLATE))
        set_read_until(world.registry, TEMPLATE, NOW - timedelta(hours=9))
        plain: Callable[[Event], None] = world.events.put
        done: list[bool] = []

        def put(
            event: Event,
            plain: Callable[[Event], None] = plain,
            done: list[bool] = done,
            world: World = world,
            crash: bool = crash,
        ) -> None:
            plain(event)
            if not done:
                done.append(True)
                ingested(world)
                if crash:
                    raise Crash

        monkeypatch.setattr(world.events, "put", put)
        with suppress(Crash):
            tell(world)
        tell(world)
        left = [one.about for one in world.events.list(TEMPLATE.id) if "not asked for" in one.message]
        assert left == []
