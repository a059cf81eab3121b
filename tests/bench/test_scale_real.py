"""Ticks on this machine: what is served, when, what the end state must be, and a short run with a host that dies."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from omnia_emulator import running

from bench.scale.claims import told
from bench.scale.end_state import EndState, end_state, not_made_again
from bench.scale.memory import Memory, group_of
from bench.scale.present import WrittenClock
from bench.scale.quiet_sea import BEGUN, FIRST, QuietSea, quiet_sea
from bench.scale.real import RULES, Result, Tick, Wanted, claims, run, table
from shared.bootstrap import Bootstrap
from shared.domain.platform import Platform
from shared.domain.template import Sensor
from shared.domain.tsd import BUCKET, iso
from tests.conftest import bootstrap, environment
from tests.support.memory_storage import MemoryClients

WANTED = Wanted(templates=2, platforms=1, ticks=2, kills=1, seed=3, jobs=1)


def sea_of(templates: int = 1, platforms: int = 1) -> QuietSea:
    """Return a small quiet sea whose present is when the ticks begin."""
    return quiet_sea(templates, platforms, seed=3, until=BEGUN + BUCKET, clock=lambda: BEGUN)


@pytest.fixture(scope="module")
def filled() -> Iterator[tuple[Bootstrap, QuietSea]]:
    """Return an app on storage in memory that has ingested and scored a quiet sea up to the first tick."""
    sea = sea_of()
    with running(sea.store, token="test") as emulator:
        values = environment("UseDevelopmentStorage=true", "t", **RULES, AS_OF=iso(BEGUN))
        app = bootstrap(values | {"OMNIA__BASE_URL": emulator.base_url})
        app.__dict__["clients"] = MemoryClients(app.settings)
        app.registry.add(sea.platforms[0])
        app.ingest.run()
        app.build_baselines.run()
        _take_all(app)
        yield app, sea


def test_templates_are_spread_over_platforms_and_each_sensor_is_served() -> None:
    """Five templates on two platforms are twenty sensors, each with a series of its own in the store."""
    sea = sea_of(templates=5, platforms=2)
    assert [len(one.templates) for one in sea.platforms] == [3, 2]
    sensors = {(platform.facility, sensor.tag) for platform in sea.platforms for sensor in _sensors(platform)}
    assert len(sensors) == len(sea.records) == 20
    assert sensors <= {(one.facility, one.name) for one in sea.store.series.values()}


def test_a_reading_is_served_when_somebody_asks_for_it_first() -> None:
    """Asking again, or for what is older, changes nothing; what nobody asked for has no time."""
    (record, *_) = sea_of().records.values()
    early, late = (np.datetime64(one.replace(tzinfo=None), "us") for one in (BEGUN - 2 * BUCKET, BEGUN))
    record.samples(early - np.timedelta64(1, "h"), early + np.timedelta64(1, "us"))
    first = record.first_asked(early)
    with pytest.raises(LookupError):
        record.first_asked(late)
    record.samples(early, late + np.timedelta64(1, "us"))
    assert record.first_asked(late) >= first == record.first_asked(early)


def test_a_clock_that_is_written_moves_for_who_reads_it(tmp_path: Path) -> None:
    """Two clocks on one file are one."""
    mine, theirs = WrittenClock(tmp_path / "present"), WrittenClock(tmp_path / "present")
    mine.set(BEGUN)
    assert theirs.now() == BEGUN
    mine.set(BEGUN + BUCKET)
    assert theirs.now() == BEGUN + BUCKET


def test_a_quiet_sea_is_held_and_scored_as_it_was_served(filled: tuple[Bootstrap, QuietSea]) -> None:
    """Every bucket from the first midnight on is in the lake and has a score, and nothing is said to be wrong."""
    app, sea = filled
    state = end_state(app, sea, BEGUN)
    buckets = (BEGUN - FIRST) // BUCKET
    assert (state.served, state.held, state.scored) == (4 * buckets,) * 3
    assert state.wrong == []


@pytest.mark.parametrize("kind", ["lost", "changed"])
def test_a_bucket_that_is_lost_or_changed_is_named(filled: tuple[Bootstrap, QuietSea], kind: str) -> None:
    """One value of one sensor is enough."""
    app, sea = filled
    (template,) = sea.templates
    day = FIRST.date() + timedelta(days=1)
    stored = app.lake.read(template, day)
    assert stored.document is not None
    sensor = template.sensors[1].id
    series = stored.document.sensors[sensor]
    values, counts = list(series.values), list(series.counts)
    values[7], counts[7] = (None, 0) if kind == "lost" else (1.0, counts[7])
    other = series.model_copy(update={"values": tuple(values), "counts": tuple(counts)})
    spoilt = stored.document.model_copy(update={"sensors": {**stored.document.sensors, sensor: other}})
    app.lake.write(template, spoilt, stored.etag)
    try:
        state = end_state(app, sea, BEGUN)
    finally:
        app.lake.write(template, stored.document, app.lake.read(template, day).etag)
    assert state.served - state.held == (1 if kind == "lost" else 0)
    assert [line.split(":")[0] for line in state.wrong] == [f"lake {sensor}"]


def test_a_row_that_another_run_does_not_make_is_named(filled: tuple[Bootstrap, QuietSea]) -> None:
    """So is a message that nobody took."""
    app, sea = filled
    assert list(not_made_again(app, "t", app, "t", sea)) == []
    empty = bootstrap(environment("UseDevelopmentStorage=true", "t"))
    empty.__dict__["clients"] = MemoryClients(empty.settings)
    found = set(not_made_again(app, "t", empty, "t", sea))
    assert f"deviations {sea.templates[0].sensors[0].id} {BEGUN.date()}" in found
    app.messages.build_baselines(sea.templates[0])
    try:
        assert list(not_made_again(app, "t", app, "t", sea)) == ["messages: {'t-build': 1}"]
    finally:
        _take_all(app)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tells the memory of processes")
def test_the_memory_of_processes_is_that_of_all_and_of_the_largest() -> None:
    """Of one process both are its own; one that has ended is left out."""
    assert group_of([os.getpid(), 2**22 + 1]) == list(dict.fromkeys([os.getpgid(0), os.getpid()]))
    with Memory(lambda: [os.getpid(), 2**22 + 1]) as memory:
        pass
    assert memory.peak_mb > 10
    assert memory.largest_mb > 10


def test_a_tick_that_takes_longer_than_ten_minutes_fails_and_is_in_the_table() -> None:
    """The rest holds: each claim stands alone."""
    state = EndState(served=8, held=8, scored=8, judged=4, ticked=4)
    good = Result(ticks=[Tick(50, False, (1.0, 2.0)), Tick(70, True, (3.0,))], state=state)
    assert all(one.holds for one in claims(good))
    slow = replace(good, ticks=[*good.ticks, Tick(601, False, (5.0,))])
    assert [one.holds for one in claims(slow)] == [False, True, True, True]
    assert "601.0" in table(WANTED, slow)
    assert told(claims(slow)).startswith("FAILS")
    lost = replace(good, state=replace(state, held=7, scored=6, judged=3), differences=["deviations a b"])
    assert [one.holds for one in claims(lost)] == [True, False, False, False]


@pytest.mark.azurite
@pytest.mark.slow
def test_two_hosts_of_which_one_is_killed_lose_nothing() -> None:
    """Two ticks of eight sensors: every bucket is there once, scored, and all rows are those of a clean run."""
    result = run(WANTED)
    assert [one.words for one in claims(result) if not one.holds] == []
    assert [tick.killed for tick in result.ticks] == [False, True]
    assert result.state.ticked == 2 * 8
    assert all(wait > 0 for wait in result.waits)


def _take_all(app: Bootstrap) -> None:
    """Take from the queue what asks for baselines."""
    queue = app.clients.queue(app.settings.storage.baselines_queue)
    for message in queue.receive_messages():
        queue.delete_message(message.id, message.pop_receipt)


def _sensors(platform: Platform) -> list[Sensor]:
    return [sensor for template in platform.templates for sensor in template.sensors]
