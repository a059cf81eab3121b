"""What comes late, what was lost in the lake, and clocks that go wrong."""

import tracemalloc
from contextlib import suppress
from datetime import date, timedelta

import pytest

from shared.domain.template import Sensor
from shared.domain.tsd import BUCKET, ONE_DAY, TemplateDay, iso
from shared.errors import InvalidInput, NotFound, SourceError
from shared.ports import Answers, Window
from shared.usecases.ingestion.look_back import is_due, looks
from shared.usecases.ingestion.refetch import Refetch
from tests.support.examples import NOW, platform, template, watermarked
from tests.support.fakes import Crash, FakeSource, World
from tests.usecases.ingestion.test_ingest import BEGIN, TEMPLATE, by_ones, ingest, lake_state, reference, source


def test_what_is_asked_for_is_bounded_when_nothing_is_late() -> None:
    """A day of ticks asks for the last day some 24 times, the last week once, and everything at most once."""
    world = reference()
    counted: dict[timedelta, int] = {}
    for tick in range(1, 145):
        now = NOW + tick * BUCKET
        omnia = source(now)
        ingest(world, omnia, now).run()
        deepest = now - min(one.start for one in omnia.windows)
        counted[deepest] = counted.get(deepest, 0) + 1
    assert sum(count for depth, count in counted.items() if depth > timedelta(hours=4)) in (24, 25)
    assert sum(count for depth, count in counted.items() if depth > ONE_DAY) in (1, 2)


def test_a_longer_look_back_includes_the_shorter_ones() -> None:
    """So that nothing between them is passed over."""
    day, week, whole = looks(timedelta(days=28))
    for tick in range(7 * 144):
        now, before = NOW + (tick + 1) * BUCKET, NOW + tick * BUCKET
        due = [is_due(one, before, now, "troll-a") for one in (day, week, whole)]
        assert due == sorted(due, reverse=True)


@pytest.mark.parametrize("gone", ["unreadable", "deleted"])
def test_an_old_day_that_is_lost_in_the_lake_is_fetched_again(gone: str) -> None:
    """Within a week the runs look back over all days that may still change."""
    world = reference()
    later = NOW + timedelta(days=8)
    ingest(world, source(later), later).run()
    expected = lake_state(world)
    key = (TEMPLATE.id, NOW.date() + ONE_DAY)
    if gone == "unreadable":
        world.lake.cells.set(key, "it is truncated")
    else:
        world.lake.cells.remove(key)
    for hours in range(6, 24 * 7 + 7, 6):
        now = later + timedelta(hours=hours)
        ingest(world, source(now), now).run()
    assert lake_state(world)[key] == expected[key]


@pytest.mark.parametrize("jump", [timedelta(hours=5), timedelta(days=1), timedelta(days=400)])
def test_a_clock_that_is_ahead_for_a_tick_loses_nothing(jump: timedelta) -> None:
    """The watermarks that it left in the future are told and taken back, and the days that were begun too early."""
    world = reference()
    ingest(world, source(NOW + BUCKET), NOW + jump).run()
    for tick in range(2, 12):
        now = NOW + tick * BUCKET
        ingest(world, source(now), now).run()
        assert set(world.registry.watermarks[TEMPLATE.id].values()) == {now}
    assert [one.kind for one in world.events.list(TEMPLATE.id)] == ["clock_ahead"]
    expected = lake_state(reference(now))
    for key, document in lake_state(world).items():
        if key in expected:
            assert document == expected[key]
        else:
            assert isinstance(document, TemplateDay)
            assert all(one.closed_slots(document.day) == 0 for one in document.sensors.values())


def test_a_clock_that_is_ahead_for_hours_loses_nothing() -> None:
    """What came while the watermarks lay in the future is asked for when the clock is right again."""
    world = reference()
    for tick in range(1, 60):
        ingest(world, source(NOW + tick * BUCKET), NOW + timedelta(days=1) + tick * BUCKET).run()
    now = NOW + 60 * BUCKET
    ingest(world, source(now), now).run()
    expected = lake_state(reference(now))
    assert {key: one for key, one in lake_state(world).items() if key in expected} == expected


def test_two_hosts_whose_clocks_differ_by_seconds_tell_nothing() -> None:
    """A watermark of the bucket that is about to close is no future one."""
    world = reference()
    ingest(world, source(), NOW - timedelta(seconds=2)).run()
    assert not world.events.list(TEMPLATE.id)
    assert set(world.registry.watermarks[TEMPLATE.id].values()) == {NOW}


def test_what_failed_last_goes_last() -> None:
    """Templates whose source hangs do not use up the time of those that are well."""
    world, omnia = World(), source()
    slugs = [*(f"h{number}" for number in range(6)), "ok"]
    templates = [template(slug=slug) for slug in slugs]
    world.registry.add(platform(*templates))
    for slug in slugs:
        for number in (1, 2):
            omnia.say(f"TAG-{slug}-{number}", BEGIN, [1.0] * 660)
    ingest(world, omnia).run()

    class Hanging(FakeSource):
        def read(self, windows: list[Window]) -> Answers:  # type: ignore[override, type-arg]
            if any("TAG-h" in one.series for one in windows):
                raise SourceError("timed out, five times")
            return super().read(windows)

    hanging = Hanging(omnia.readings)
    with pytest.raises(SourceError, match="timed out"):
        ingest(world, hanging, NOW + BUCKET).run()
    run = ingest(world, hanging, NOW + 2 * BUCKET)
    assert by_ones(run).shares()[0].templates == ("troll-ok",)
    ingest(world, omnia, NOW + 2 * BUCKET).run()
    assert not any(state.failed for state in world.registry.ingested.values().values())


def test_a_template_has_a_part_of_the_time_only() -> None:
    """One that has much to catch up leaves the rest of the run to the others."""
    world = World()
    assert ingest(world, source(), template_budget=timedelta(0)).run().behind == 1
    assert not lake_state(world)


def test_a_sensor_made_anew_while_a_run_is_under_way_is_filled() -> None:
    """The run writes no watermark of the old series under the new one's id."""
    world, omnia = reference(), source(NOW + 2 * BUCKET)
    omnia.say("NEWTAG", BEGIN, [5.0] * 660)
    read, new = omnia.read, TEMPLATE.sensors[0].model_copy(update={"tag": "NEWTAG"})

    def people(windows: list[Window]) -> Answers:  # type: ignore[type-arg]
        record = world.registry.platform("troll")
        for sensors in (TEMPLATE.sensors[1:], (new, *TEMPLATE.sensors[1:])):
            changed = platform(TEMPLATE.model_copy(update={"sensors": sensors}))
            world.registry.change(record, changed)
            record = world.registry.platform("troll")
        omnia.read = read  # type: ignore[method-assign]
        return read(windows)

    omnia.read = people  # type: ignore[method-assign, assignment]
    assert ingest(world, omnia, NOW + BUCKET).run().behind == 1
    assert "troll-a-1" not in world.registry.watermarks[TEMPLATE.id]
    ingest(world, omnia, NOW + 2 * BUCKET).run()
    documents = [one for one in lake_state(world).values() if isinstance(one, TemplateDay)]
    held = [value for one in documents if (series := one.series_of(new)) for value in series.values]
    assert len([one for one in held if one is not None]) == (NOW + 2 * BUCKET - BEGIN) // BUCKET


def test_a_watermark_of_another_tag_counts_for_nothing() -> None:
    """Whoever wrote it: the series that is registered is filled from its beginning."""
    world = reference()
    other: Sensor = TEMPLATE.sensors[0].model_copy(update={"tag": "OTHER"})
    world.registry.add(platform(TEMPLATE.model_copy(update={"sensors": (other, TEMPLATE.sensors[1])})))
    omnia = source(NOW + BUCKET)
    omnia.say("OTHER", BEGIN, [5.0] * 660)
    ingest(world, omnia, NOW + BUCKET, late=ONE_DAY).run()
    first = lake_state(world)[TEMPLATE.id, BEGIN.date()]
    assert isinstance(first, TemplateDay)
    assert first.sensors["troll-a-1"].values == (5.0,) * 144


def test_sixty_days_are_caught_up_in_one_run_with_bounded_memory() -> None:
    """Steps keep what is in hand to a few days, and the watermark moves with each of them."""
    later = NOW + timedelta(days=60)
    omnia, world = source(later), reference()
    tracemalloc.start()
    try:
        ingest(world, omnia, later).run()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    widest = max(one.end - one.start for one in omnia.windows)
    assert widest <= timedelta(days=3, hours=3)
    assert peak < 30e6
    day = lake_state(world)[TEMPLATE.id, date(2026, 4, 20)]
    assert isinstance(day, TemplateDay)
    assert None not in day.sensors["troll-a-1"].values


def test_storage_of_old_goes_on_where_it_was() -> None:
    """Watermarks without tags are believed, and nothing before what the lake holds is asked for."""
    world = reference()
    watermarked(world.registry, TEMPLATE, world.registry.watermarks[TEMPLATE.id])
    omnia = source(NOW + BUCKET)
    ingest(world, omnia, NOW + BUCKET).run()
    assert lake_state(world) == lake_state(reference(NOW + BUCKET))
    assert min(one.start for one in omnia.windows) == BEGIN
    assert {one.tag for one in world.registry.ingested.values()[TEMPLATE.id].series.values()} == {
        "TAG-a-1",
        "TAG-a-2",
        "SPEED",
        "DIRECTION",
    }


def test_days_are_fetched_again_on_demand() -> None:
    """What the source has by now takes the lake's place; it says how far it is, and may be repeated."""
    world, omnia = reference(), source()
    expected = lake_state(world)
    world.lake.cells.remove((TEMPLATE.id, BEGIN.date()))
    world.lake.cells.set((TEMPLATE.id, BEGIN.date() + ONE_DAY), "it is truncated")
    marks = world.registry.watermarks
    steps = list(Refetch(ingest(world, omnia)).run(TEMPLATE.id, BEGIN.date(), NOW.date()))
    assert lake_state(world) == expected
    assert world.registry.watermarks == marks
    assert [one.until for one in steps] == [date(2026, 3, 3), date(2026, 3, 5), date(2026, 3, 6)]
    assert steps[-1].blobs_written == 2
    assert list(Refetch(ingest(world, omnia)).run(TEMPLATE.id, BEGIN.date(), NOW.date()))[-1].blobs_written == 0


def test_a_refetch_says_what_it_leaves_out() -> None:
    """A series that cannot be read is named, and the others are fetched."""
    world, omnia = reference(), source()
    omnia.unreadable.add("TAG-a-2")
    (step,) = Refetch(ingest(world, omnia)).run(TEMPLATE.id, NOW.date(), NOW.date())
    assert step.problems == ("it cannot be read",)
    with pytest.raises(InvalidInput, match="in order"):
        list(Refetch(ingest(world, omnia)).run(TEMPLATE.id, NOW.date(), BEGIN.date()))
    with pytest.raises(NotFound):
        list(Refetch(ingest(world, omnia)).run("troll-zz", BEGIN.date(), NOW.date()))


def test_a_registered_unit_that_changes_begins_the_day_anew() -> None:
    """Values of two units never stand in one series."""
    world = reference()
    sea = platform(TEMPLATE).environment
    speed = sea["current_speed"].model_copy(update={"unit": "m/s", "scale": 1.0})
    world.registry.add(platform(TEMPLATE).model_copy(update={"environment": {**sea, "current_speed": speed}}))
    omnia = source(NOW + BUCKET)
    omnia.units["SPEED"] = "cm/s"
    ingest(world, omnia, NOW + BUCKET).run()
    today = lake_state(world)[TEMPLATE.id, NOW.date()]
    assert isinstance(today, TemplateDay)
    found = today.environment["current_speed"]
    assert found.unit == "m/s"
    assert max(value for value in found.values if value is not None) < 0.1
    assert today.sea_of("current_speed", "SPEED", "cm/s") is None


def told_of_units(world: World) -> list[str]:
    """Return what is told of units, the newest first."""
    return [one.message for one in world.events.list(TEMPLATE.id) if one.kind == "unit_changed"]


def test_a_unit_that_was_wrong_for_long_says_what_to_ask_for_again() -> None:
    """From when to when, and the command for what ingest does not look back at; nothing where it looks at all."""
    world = reference()
    assert told_of_units(world) == []
    weeks = timedelta(weeks=5)
    for now, unit in ((NOW, "nmol/L"), (NOW + weeks, "nmol/L"), (NOW + weeks + BUCKET, "ppmv")):
        omnia = source(now)
        omnia.units["TAG-a-1"] = unit
        world.registry.look_up_again()
        ingest(world, omnia, now + BUCKET).run()
    right, wrong = told_of_units(world)
    assert "is asked for again" in wrong
    begin = world.registry.ingested.values()[TEMPLATE.id].series["troll-a-1"].begin
    assert begin is not None
    last = (NOW + weeks + 2 * BUCKET - timedelta(days=28)).date()
    assert f"troll-a-1 is read in ppmv; what was read from {iso(begin)} to {iso(NOW + weeks + BUCKET)}" in right
    assert "taken for nmol/L (registered: ppmv)" in right
    assert f"`python -m admin.manage refetch troll-a {begin.date()} {last}`" in right
    healed = {key: one for key, one in lake_state(world).items() if key[1] > last}
    now = NOW + weeks + BUCKET
    list(Refetch(ingest(world, source(now), now + BUCKET)).run(TEMPLATE.id, begin.date(), last))
    known = reference()
    ingest(known, source(now), now + BUCKET).run()
    assert lake_state(world) == lake_state(known)
    assert healed == {key: one for key, one in lake_state(known).items() if key[1] > last}


def test_a_run_that_died_while_it_wrote_in_another_unit_is_told_of() -> None:
    """By the next run the source names the old unit again: nothing but the state says what the lake holds of it."""
    died = 0
    for crash_at in range(1, 60):
        world = reference()
        before, weeks = lake_state(world), timedelta(weeks=5)
        omnia = source(NOW + BUCKET)
        omnia.units["TAG-a-1"] = "nmol/L"
        world.registry.look_up_again()
        world.writes.crash_at = world.writes.count + crash_at
        try:
            ingest(world, omnia, NOW + BUCKET).run()
        except Crash:
            died += 1
        else:
            break
        world.restart()
        ingest(world, source(NOW + weeks), NOW + weeks).run()
        in_another = {key for key, one in before.items() if lake_state(world)[key] != one and key[1] < NOW.date()}
        assert not in_another or any("refetch" in one for one in told_of_units(world)), crash_at
    assert died > 3


def test_a_unit_that_goes_by_another_name_is_no_other_unit() -> None:
    """Nor is one that the source does not name any more, or that an older release did not record."""
    world = reference()
    for number, unit in enumerate(("PPMV", "", "ppmv")):
        omnia = source(NOW + number * BUCKET)
        omnia.units["TAG-a-1"] = unit
        world.registry.look_up_again()
        ingest(world, omnia, NOW + number * BUCKET).run()
    assert told_of_units(world) == []


def test_a_unit_is_told_once_whatever_dies() -> None:
    """A crash at any write between noticing and remembering tells the same event again."""
    reference_ = reference()
    omnia = source(NOW + BUCKET)
    omnia.units["TAG-a-1"] = "nmol/L"
    reference_.registry.look_up_again()
    ingest(reference_, omnia, NOW + BUCKET).run()
    (expected,) = told_of_units(reference_)
    for crash_at in range(1, 6):
        world = reference()
        world.registry.look_up_again()
        world.writes.crash_at = world.writes.count + crash_at
        with suppress(Crash):
            ingest(world, omnia, NOW + BUCKET).run()
        world.restart()
        ingest(world, omnia, NOW + 2 * BUCKET).run()
        assert told_of_units(world) == [expected]
