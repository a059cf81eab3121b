"""Shares: a tick asks for parts of the templates by messages, each of which asks its source for several at once."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from shared.domain.ingest_request import IngestRequest
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.tsd import BUCKET, Reading
from shared.errors import SourceError
from shared.ports import Answers, Window
from shared.usecases.ingestion.gathered_reads import GatheredReads
from shared.usecases.ingestion.ingest import TICK, Ingest
from tests.support.examples import NOW, platform, template
from tests.support.fakes import FakeSource, World
from tests.usecases.ingestion.test_ingest import BEGIN, ingest, lake_state, source

TEMPLATES = tuple(template(slug=slug) for slug in "abcdef")


@dataclass
class Counting(FakeSource):
    """A source that counts its requests, and hangs where a tag is asked for that hangs."""

    requests: list[list[str]] = field(default_factory=list)
    hanging: str = ""

    def read(self, windows: Sequence[Window]) -> Answers[Sequence[Reading]]:
        """Note what is asked for together."""
        self.requests.append(sorted(one.series for one in windows))
        if self.hanging and any(self.hanging in one.series for one in windows):
            raise SourceError("timed out, five times")
        return super().read(windows)


def counting(*templates: Template) -> Counting:
    """Return a source of these templates' sensors and the sea."""
    known = Counting(source(NOW + timedelta(hours=3)).readings)
    for one in templates:
        for sensor in one.sensors:
            known.say(sensor.tag, BEGIN, [1.0] * 660)
    return known


def fleet(*templates: Template) -> World:
    """Return a world with these templates, ingested up to now."""
    world = World()
    world.registry.add(platform(*templates))
    ingest(world, counting(*templates)).run()
    return world


def in_shares(world: World, omnia: FakeSource, share: int, moment: timedelta = BUCKET) -> Ingest:
    """Return ingest that asks for so many templates in a message."""
    run = ingest(world, omnia, NOW + moment)
    return replace(run, rules=replace(run.rules, share=share))


def test_a_tick_asks_for_neighbours_of_one_platform() -> None:
    """Each template is in one message, none has more than asked for, and it says until when it may begin."""
    world = fleet(*TEMPLATES)
    other = template("oseberg", "w")
    world.registry.add(Platform(id="oseberg", name="Oseberg", facility="OSE", templates=(other,)))
    assert in_shares(world, counting(), 4).ask() == 3
    asked = sorted(world.messages.shares, key=lambda one: one.templates)
    assert [one.templates for one in asked] == [
        ("oseberg-w",),
        ("troll-a", "troll-b", "troll-c", "troll-d"),
        ("troll-e", "troll-f"),
    ]
    assert all(NOW + BUCKET < one.until < NOW + BUCKET + TICK for one in asked)


def test_messages_are_spread_the_same_way_in_every_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of them is put first; they live for the tick."""
    world, waits = fleet(*TEMPLATES), []
    monkeypatch.setattr(world.messages, "ingest", lambda share, wait, life: waits.append((share.templates, wait, life)))
    run = in_shares(world, counting(), 2)
    run = replace(run, rules=replace(run.rules, spread=timedelta(seconds=60)))
    run.ask()
    assert {wait.total_seconds() for _, wait, _ in waits} == {0, 20, 40}
    assert {life for *_, life in waits} == {BUCKET}
    first = sorted(waits)
    waits.clear()
    for one in TEMPLATES[:2]:
        state = world.registry.record(one.id)
        world.registry.set_ingested(one, state.ingested[one.id].only(set()), state.ingest_etags[one.id])
    run.ask()
    assert sorted(waits) == first


def test_a_share_asks_its_source_for_all_its_templates_at_once() -> None:
    """And the sea's series, which all of them need, once; the lake ends as if each had asked by itself."""
    world, omnia = fleet(*TEMPLATES), counting(*TEMPLATES)
    in_shares(world, omnia, 6).run()
    (asked,) = omnia.requests
    assert asked == sorted({one.tag for of in TEMPLATES for one in of.sensors} | {"SPEED", "DIRECTION"})
    alone = fleet(*TEMPLATES)
    in_shares(alone, counting(*TEMPLATES), 1).run()
    assert lake_state(alone) == lake_state(world)
    assert alone.registry.watermarks == world.registry.watermarks


def test_a_template_that_hangs_stops_none_that_was_asked_for_with_it() -> None:
    """Each is asked for by itself then; in the next tick it alone is, after the others."""
    world, omnia = fleet(*TEMPLATES), counting(*TEMPLATES)
    omnia.hanging = "TAG-c"
    with pytest.raises(SourceError, match="troll-c: SourceError: timed out"):
        in_shares(world, omnia, 6).run()
    marks = {name: set(moments.values()) for name, moments in world.registry.watermarks.items()}
    assert marks == {one.id: {NOW if one.slug == "c" else NOW + BUCKET} for one in TEMPLATES}
    omnia.requests.clear()
    with pytest.raises(SourceError, match="troll-c"):
        in_shares(world, omnia, 6, 2 * BUCKET).run()
    together, alone = omnia.requests
    assert not any("TAG-c" in one for one in together)
    assert "TAG-c-1" in alone
    omnia.hanging = ""
    in_shares(world, omnia, 6, 3 * BUCKET).run()
    assert {moment for moments in world.registry.watermarks.values() for moment in moments.values()} == {
        NOW + 3 * BUCKET
    }


def share_of(world: World, run: Ingest) -> IngestRequest:
    """Return the only message of a tick."""
    run.ask()
    return world.messages.shares.pop()


def test_a_message_that_comes_again_does_not_try_again_what_failed_in_its_tick() -> None:
    """The host repeats what failed; the source is asked once in a tick."""
    world, omnia = fleet(*TEMPLATES[:2]), counting(*TEMPLATES[:2])
    omnia.hanging = "TAG-b"
    share = share_of(world, in_shares(world, omnia, 6))
    run = in_shares(world, omnia, 6, BUCKET + timedelta(seconds=1))
    with pytest.raises(SourceError):
        run.run_share(share)
    omnia.requests.clear()
    assert run.run_share(share).samples == 0
    assert omnia.requests == []


def test_a_message_that_comes_too_late_asks_nothing() -> None:
    """Neither the source nor storage: the next tick has asked anew by then."""
    world, omnia = fleet(*TEMPLATES), counting(*TEMPLATES)
    share = share_of(world, in_shares(world, omnia, 6))
    late = in_shares(world, omnia, 6, BUCKET + TICK)
    world.registry.unreadable["troll"] = AssertionError("nobody reads it")
    assert late.run_share(share).behind == len(TEMPLATES)
    assert omnia.requests == []


def test_nothing_begins_after_the_messages_time() -> None:
    """However much time a run has of its own."""
    world, omnia = fleet(*TEMPLATES), counting(*TEMPLATES)
    run, long = in_shares(world, omnia, 6), timedelta(hours=9)
    run = replace(run, rules=replace(run.rules, budget=long, template_budget=long))
    share = share_of(world, run)
    times = iter([share.until - timedelta(seconds=1)])

    class Later:
        def now(self) -> object:
            return next(times, share.until)

    assert replace(run, clock=Later()).run_share(share).behind == len(TEMPLATES)  # type: ignore[arg-type]
    assert omnia.requests == []


def test_what_a_share_that_was_lost_had_left_is_taken_up_by_the_next_tick() -> None:
    """Without a gap and without a duplicate."""
    world, omnia = fleet(*TEMPLATES), counting(*TEMPLATES)
    in_shares(world, omnia, 2).ask()
    lost = world.messages.shares.pop()
    for share in world.messages.shares:
        in_shares(world, omnia, 2).run_share(share)
    in_shares(world, omnia, 2, 2 * BUCKET).run()
    known = fleet(*TEMPLATES)
    for moment in (BUCKET, 2 * BUCKET):
        in_shares(known, counting(*TEMPLATES), 2, moment).run()
    assert lost.templates
    assert lake_state(world) == lake_state(known)
    assert world.registry.watermarks == known.registry.watermarks


def test_templates_that_are_gone_by_then_are_left_out_and_so_is_their_platform() -> None:
    """What a message asks for is as it was a moment ago."""
    world, omnia = fleet(*TEMPLATES), counting(*TEMPLATES)
    run = in_shares(world, omnia, 6)
    share = share_of(world, run)
    known = world.registry.platform("troll")
    world.registry.change(known, known.platform.model_copy(update={"templates": TEMPLATES[1:]}))
    run.run_share(share)
    assert "troll-a" not in world.registry.watermarks
    assert set(world.registry.watermarks["troll-b"].values()) == {NOW + BUCKET}
    world.registry.change(world.registry.platform("troll"), None)
    assert run.run_share(share).samples == 0


def windows(*names: str) -> list[Window]:
    """Return a window of each series."""
    return [Window(one, NOW - BUCKET, NOW) for one in names]


def test_who_waits_long_enough_does_not_wait_for_all() -> None:
    """A run that storage holds up delays the others by some time only."""
    known = counting(*TEMPLATES)
    gathered = GatheredReads(lambda: known, runs=2, alone=1, is_over=lambda: False, patience_s=0.01)
    assert gathered.read(windows("TAG-a-1")).keys() == {"TAG-a-1"}
    gathered.leave()
    assert gathered.read(windows("TAG-b-1")).keys() == {"TAG-b-1"}
    assert known.requests == [["TAG-a-1"], ["TAG-b-1"]]


def test_each_gets_its_own_windows_and_what_is_wrong_with_its_own_series() -> None:
    """Of a series that two ask for in different spans, each gets its span."""
    known = counting(*TEMPLATES)
    known.unreadable = {"TAG-b-1"}
    gathered = GatheredReads(lambda: known, runs=2, alone=1, is_over=lambda: False)
    asked = ([*windows("TAG-a-1"), Window("SPEED", NOW - 3 * BUCKET, NOW)], windows("TAG-b-1", "SPEED"))
    found: dict[int, Answers[Sequence[Reading]]] = {}
    threads = [
        threading.Thread(target=lambda number=number, one=one: found.update({number: gathered.read(one)}))
        for number, one in enumerate(asked)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join(10)
    assert {key: len(one) for key, one in found[0].items()} == {"TAG-a-1": 1, "SPEED": 3}
    assert {key: len(one) for key, one in found[1].items()} == {"SPEED": 1}
    assert found[0].problems == {}
    assert found[1].problems.keys() == {"TAG-b-1"}


def test_what_breaks_the_source_for_all_reaches_all() -> None:
    """A fault of the program is no fault of one template, and nobody waits for ever."""
    known = counting()
    known.failure = ZeroDivisionError("broken")
    gathered = GatheredReads(lambda: known, runs=1, alone=1, is_over=lambda: False)
    with pytest.raises(ZeroDivisionError):
        gathered.read(windows("X"))
    known.failure = SourceError("down")
    with pytest.raises(SourceError, match="down"):
        gathered.read(windows("X"))
