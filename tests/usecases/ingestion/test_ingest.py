"""Ingest: the lake ends as OMNIA says, without a gap and without a duplicate."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.template import Template
from shared.domain.tsd import BUCKET, SLOTS, PlausibleRange, TemplateDay
from shared.errors import Conflict, SourceError
from shared.ports import ETag, ReadingSource
from shared.usecases.ingestion.ingest import Ingest, IngestRules
from tests.support.examples import NOW, at, platform, template, watermarked
from tests.support.fakes import Crash, FakeClock, FakeLake, FakeSource, World

TEMPLATE = template()
BEGIN = at(date(2026, 3, 1))


def source(until: datetime = NOW) -> FakeSource:
    """Return an OMNIA that has said one value per bucket for two sensors and the current."""
    size = int((until - BEGIN) / BUCKET)
    omnia = FakeSource()
    for number, tag in enumerate(["TAG-a-1", "TAG-a-2", "SPEED", "DIRECTION"]):
        omnia.say(tag, BEGIN, [float(number + index % 7) for index in range(size)])
    return omnia


def ingest(
    world: World,
    omnia: FakeSource,
    now: datetime = NOW,
    *,
    others: Mapping[str, ReadingSource] | None = None,
    **rules: timedelta,
) -> Ingest:
    """Return the use case at a present, with small steps, of OMNIA and of what other sources there are."""
    chosen = {
        "overlap": timedelta(hours=3),
        "backfill": timedelta(days=4),
        "late": timedelta(days=28),
        "step": timedelta(days=2),
        "template_budget": timedelta(minutes=4),
        "budget": timedelta(minutes=4),
    } | rules
    world.registry.add(platform(TEMPLATE)) if "troll" not in world.registry.known else None
    return Ingest(
        sources={"omnia": omnia, **(others or {})},
        lake=world.lake,
        registry=world.registry,
        events=world.events,
        messages=world.messages,
        clock=FakeClock(now),
        rules=IngestRules(**chosen, parallel=2, share=25, spread=timedelta(0), plausible=PlausibleRange(0, 50_000)),
    )


def lake_state(world: World) -> dict[tuple[str, date], TemplateDay | str]:
    """Return the lake's documents by template and day."""
    return world.lake.cells.values()


def reference(now: datetime = NOW) -> World:
    """Return the world after one run at that present."""
    world = World()
    ingest(world, source(now), now).run()
    return world


def test_the_first_run_backfills_every_closed_bucket() -> None:
    """Four days and a half, every bucket of each series once, and nothing of the open bucket."""
    world = reference(NOW + timedelta(minutes=5))
    days = lake_state(world)
    assert [day for _, day in days] == [date(2026, 3, 1) + timedelta(days=n) for n in range(5)]
    last = days[TEMPLATE.id, NOW.date()]
    assert isinstance(last, TemplateDay)
    assert last.sensors["troll-a-1"].until == NOW
    assert last.sensors["troll-a-1"].values[71] is not None
    assert last.sensors["troll-a-1"].values[72] is None
    assert set(last.environment) == {"current_speed", "current_direction"}


def test_a_second_run_at_the_same_time_writes_no_blob() -> None:
    """Nothing new, nothing written but the watermark's own content."""
    world = reference()
    before = lake_state(world)
    report = ingest(world, source()).run()
    assert report.blobs_written == 0
    assert lake_state(world) == before


def test_a_tick_asks_only_since_the_watermark_with_the_overlap() -> None:
    """The next tick asks for the overlap and one new bucket."""
    world = reference()
    omnia = source(NOW + BUCKET)
    ingest(world, omnia, NOW + BUCKET).run()
    assert {(one.start, one.end) for one in omnia.windows} == {(NOW - timedelta(hours=3), NOW + BUCKET)}


@pytest.mark.statistical
@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 500), min_size=1, max_size=6))
def test_outages_of_any_length_are_caught_up(gaps: list[int]) -> None:
    """Runs at any times end in the lake that one run at the last time makes."""
    world, now = World(), at(date(2026, 3, 5))
    for gap in gaps:
        ingest(world, source(now), now, backfill=timedelta(days=4)).run()
        now += gap * BUCKET
    ingest(world, source(now), now).run()
    expected = World()
    ingest(expected, source(now), now, backfill=now - at(date(2026, 3, 1))).run()
    assert lake_state(world) == lake_state(expected)


def test_an_outage_longer_than_the_backfill_leaves_no_gap() -> None:
    """What lies between the watermark and now is fetched, however long ago the watermark was."""
    world = World()
    ingest(world, source()).run()
    later = NOW + timedelta(days=13)
    ingest(world, source(later), later).run()
    expected = World()
    ingest(expected, source(later), later, backfill=later - BEGIN).run()
    assert lake_state(world) == lake_state(expected)


def test_a_tag_that_is_unknown_for_a_while_leaves_no_gap() -> None:
    """Its watermark stays where it was, and what OMNIA has of it is fetched when it is back."""
    world = World()
    ingest(world, source()).run()
    for hours in (12, 36):
        omnia = source(NOW + timedelta(hours=hours))
        del omnia.readings["TAG-a-2"]
        ingest(world, omnia, NOW + timedelta(hours=hours)).run()
    later = NOW + timedelta(hours=37)
    ingest(world, source(later), later).run()
    expected = World()
    ingest(expected, source(later), later, backfill=later - BEGIN).run()
    assert lake_state(world) == lake_state(expected)


def test_late_samples_within_the_overlap_are_put_in() -> None:
    """A value that OMNIA did not have at the last tick fills its bucket."""
    world = World()
    omnia = source()
    late = NOW - timedelta(hours=1)
    value = omnia.readings["TAG-a-1"].pop(late)
    ingest(world, omnia).run()
    omnia.readings["TAG-a-1"][late] = value
    ingest(world, omnia, NOW + BUCKET).run()
    document = lake_state(world)[TEMPLATE.id, NOW.date()]
    assert isinstance(document, TemplateDay)
    assert document.sensors["troll-a-1"].values[66] == value.value


def test_a_crash_at_any_write_loses_nothing() -> None:
    """Whichever write the process dies at, the next run ends in the same lake."""
    expected = lake_state(reference())
    for crash_at in range(1, 100):
        world = World()
        world.writes.crash_at = crash_at
        try:
            ingest(world, source()).run()
        except Crash:
            world.restart()
            ingest(world, source()).run()
            assert lake_state(world) == expected
            assert world.messages.baselines, "the baselines must have been asked for"
        else:
            assert crash_at > 5
            return
    pytest.fail("the run never came to its end")


def test_a_run_out_of_time_is_continued_by_the_next() -> None:
    """A step at a time, and the run says that it is behind."""
    world = World()
    clock_at_deadline = ingest(world, source(), budget=timedelta(0))
    assert clock_at_deadline.run().behind == 1
    assert not lake_state(world)
    assert ingest(world, source()).run().behind == 0


def by_ones(run: Ingest) -> Ingest:
    """Return the same with a share for each template."""
    return replace(run, rules=replace(run.rules, share=1))


def test_the_template_that_waits_longest_comes_first() -> None:
    """Runs whose time is used up reach every template in the end, in whatever order they are registered."""
    world = World()
    both = (template(), template(slug="b"))
    world.registry.add(platform(*both))
    omnia = source()
    for tag in ("TAG-b-1", "TAG-b-2"):
        omnia.say(tag, BEGIN, [1.0] * 600)
    run = ingest(world, omnia)
    for first, other in (both, both[::-1]):
        watermarked(world.registry, first, {"x": NOW - timedelta(hours=1)})
        watermarked(world.registry, other, {"x": NOW - timedelta(hours=2)})
        assert [one.templates for one in by_ones(run).shares()] == [(other.id,), (first.id,)]


def test_a_new_sensor_is_backfilled_beside_the_old_ones() -> None:
    """Its history is merged into the days that are there, and nothing of the others is asked again in vain."""
    world = World()
    ingest(world, source()).run()
    bigger: Template = template(sensors=3)
    world.registry.add(platform(bigger))
    omnia = source(NOW + BUCKET)
    omnia.say("TAG-a-3", BEGIN, [5.0] * 600)
    ingest(world, omnia, NOW + BUCKET).run()
    first = lake_state(world)[TEMPLATE.id, date(2026, 3, 1)]
    assert isinstance(first, TemplateDay)
    assert first.sensors["troll-a-3"].values == (5.0,) * SLOTS
    assert world.messages.baselines == [TEMPLATE.id, TEMPLATE.id]


def test_bad_values_are_marked_counted_and_kept_out() -> None:
    """Sentinels, infinities and bad status stand beside the values, with their reason."""
    world, omnia = World(), source()
    spoilt = omnia.readings["TAG-a-1"]
    for index, value in enumerate([1e14, float("-inf"), float("nan"), None]):
        moment = NOW - (index + 1) * BUCKET
        spoilt[moment] = spoilt[moment].__class__(moment, value, 0 if value is None else 4, 2 if value is None else 0)
    ingest(world, omnia).run()
    document = lake_state(world)[TEMPLATE.id, NOW.date()]
    assert isinstance(document, TemplateDay)
    series = document.sensors["troll-a-1"]
    assert [series.bad[slot].reason for slot in (71, 70, 69, 68)] == [
        "out_of_range",
        "not_finite",
        "not_finite",
        "bad_status",
    ]
    assert np.isnan(series.array()[68:72]).all()
    assert TemplateDay.from_json(document.to_json(), "x") == document


@pytest.mark.usefixtures("without_waits")
def test_one_failing_template_does_not_stop_the_others() -> None:
    """The run fails at its end with the name of what failed; the other template is up to date."""

    class Broken(FakeLake):
        def write(self, template: Template, document: TemplateDay, etag: ETag) -> None:
            if template.id == "troll-a":
                raise Conflict("always")
            super().write(template, document, etag)

    world = World()
    world.lake = Broken(world.writes)
    other = template(slug="b")
    world.registry.add(platform(TEMPLATE, other))
    omnia = source()
    for number in (1, 2):
        omnia.say(f"TAG-b-{number}", BEGIN, [1.0] * 648)
    with pytest.raises(SourceError, match="troll-a: Conflict: always"):
        ingest(world, omnia).run()
    assert {name for name, _ in lake_state(world)} == {"troll-b"}


def test_a_source_that_fails_moves_no_watermark() -> None:
    """The next run asks for the same again."""
    world, omnia = World(), source()
    omnia.failure = SourceError("OMNIA is down")
    with pytest.raises(SourceError, match="OMNIA is down"):
        ingest(world, omnia).run()
    assert not any(world.registry.watermarks.values())
    omnia.failure = None
    ingest(world, omnia).run()
    assert lake_state(world) == lake_state(reference())


def test_an_unreadable_day_is_set_aside_and_fetched_again() -> None:
    """Nothing of a corrupt blob is lost, and the day is whole again from OMNIA."""
    world = reference()
    expected = lake_state(world)
    world.lake.cells.set((TEMPLATE.id, NOW.date()), "it is truncated")
    ingest(world, source()).run()
    watermarked(world.registry, TEMPLATE, dict.fromkeys(world.registry.watermarks[TEMPLATE.id], NOW - BUCKET))
    ingest(world, source()).run()
    assert lake_state(world) == expected
    assert world.lake.aside == [f"{TEMPLATE.id}/{NOW.date()}"]
    assert [event.kind for event in world.events.list(TEMPLATE.id)] == ["corrupt_blob"]


def test_a_template_without_sensors_is_passed_over() -> None:
    """There is nothing to ingest, and nothing fails."""
    world = World()
    world.registry.add(platform(template(sensors=0)))
    assert ingest(world, source()).run().samples == 0
    assert not lake_state(world)


def test_an_unknown_tag_leaves_its_series_out() -> None:
    """The others are ingested; the document says nothing of the unknown one."""
    world, omnia = World(), source()
    del omnia.readings["TAG-a-2"]
    ingest(world, omnia).run()
    document = lake_state(world)[TEMPLATE.id, NOW.date()]
    assert isinstance(document, TemplateDay)
    assert set(document.sensors) == {"troll-a-1"}


# --- the day that was written last is in memory


def elsewhere(world: World) -> FakeLake:
    """Return the lake as another process sees it."""
    lake = FakeLake(world.writes)
    lake.cells = world.lake.cells
    return lake


def test_a_tick_reads_no_day_that_the_last_one_wrote() -> None:
    """It is written on what this process remembers; a process that has just begun reads it."""
    world = World()
    ingest(world, source()).run()
    reads = []
    for number in (1, 2):
        now = NOW + number * BUCKET
        world.lake.reads = 0
        ingest(world, source(now), now).run()
        reads.append(world.lake.reads)
        world.restart()
    assert reads == [0, 1]


@pytest.mark.parametrize("later", [timedelta(0), BUCKET])
def test_what_another_process_wrote_meanwhile_is_seen(later: timedelta) -> None:
    """Whether the tick brings anything new or not, the lake ends as the source says, with what the other one put in."""
    world, alone = World(), World()
    for one in (world, alone):
        ingest(one, source()).run()
    lake = elsewhere(world)
    stored = lake.read(TEMPLATE, NOW.date())
    assert stored.document is not None
    lake.write(TEMPLATE, stored.document.model_copy(update={"sensors": {}}), stored.etag)
    for one in (world, alone):
        watermarked(one.registry, TEMPLATE, dict.fromkeys(one.registry.watermarks[TEMPLATE.id], at(NOW.date())))
        ingest(one, source(NOW + later), NOW + later).run()
    assert world.lake.cells.values() == alone.lake.cells.values()
