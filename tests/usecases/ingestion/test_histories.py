"""What really happens at a source, played by the emulator: whatever came when, the lake ends as OMNIA says."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import requests
from omnia_emulator.series import Samples, Series, Store, Stored
from omnia_emulator.server import Emulator, running

from shared.adapters.omnia import OmniaSource, StaticCredential
from shared.domain.tsd import BUCKET, PlausibleRange, slot_of
from shared.errors import SourceError
from shared.usecases.ingestion.ingest import Ingest, IngestRules
from tests.support.examples import at, platform, template
from tests.support.fakes import FakeClock, World

START = at(date(2026, 3, 2))
NOON = START + timedelta(hours=12)
UNITS = {"TAG-a-1": "ppmv", "TAG-a-2": "ppmv", "SPEED": "cm/s", "DIRECTION": "deg"}
RULES = IngestRules(
    overlap=timedelta(hours=3),
    backfill=timedelta(days=1),
    late=timedelta(days=28),
    step=timedelta(days=2),
    budget=timedelta(minutes=4),
    template_budget=timedelta(minutes=4),
    parallel=1,
    plausible=PlausibleRange(0, 50_000),
)


@dataclass
class History:
    """An emulator with a sample every five minutes of each series, and an app on fakes that reads it."""

    emulator: Emulator
    source: OmniaSource
    present: list[datetime]
    world: World = field(default_factory=World)

    def set(self, **faults: Any) -> None:
        """Put faults in force, over the emulator's HTTP."""
        answer = requests.post(self.emulator.root_url + "/faults", json=faults, timeout=5)
        assert answer.status_code == 200, answer.text

    def tick(self, now: datetime) -> None:
        """Run ingest at that time."""
        self.present[0] = now
        Ingest(
            sources={"omnia": self.source},
            lake=self.world.lake,
            registry=self.world.registry,
            events=self.world.events,
            messages=self.world.messages,
            clock=FakeClock(now),
            rules=RULES,
        ).run()

    def ticks(self, first: datetime, last: datetime, every: timedelta = BUCKET) -> None:
        """Run ingest again and again, from the first time to the last."""
        while first <= last:
            self.tick(first)
            first += every

    def values(self, key: str, first: datetime, last: datetime) -> list[float | None]:
        """Return what the lake holds of a series in [first, last)."""
        found: list[float | None] = []
        while first < last:
            document = self.world.lake.read(template(), first.date()).document
            both = {**document.sensors, **document.environment} if document else {}
            found.append(both[key].values[slot_of(first)] if key in both else None)
            first += BUCKET
        return found

    def told(self) -> list[tuple[str, str]]:
        """Return the kinds of events that stand, and what they are about."""
        return [(one.kind, one.about) for one in self.world.events.list("troll-a")]


@contextmanager
def history(begin: datetime, days: int, **values: float) -> Iterator[History]:
    """Give a history of constant series from that time on."""
    present = [begin]
    times = np.datetime64(begin.replace(tzinfo=None), "s") + np.arange(days * 288) * np.timedelta64(300, "s")
    series = [
        Series(tag, "TRA", unit, Stored(Samples.of(times, np.full(times.size, values.get(tag.lower(), 10.0)))))
        for tag, unit in UNITS.items()
    ]
    with (
        running(Store.of(series, lambda: present[0]), token="t") as emulator,
        OmniaSource(StaticCredential("t"), emulator.base_url, backoff=0.0, read_timeout=1.0, retries=0) as source,
    ):
        made = History(emulator, source, present)
        made.world.registry.add(platform(template()))
        yield made


@pytest.fixture
def sea() -> Iterator[History]:
    """Give a history of eight days that begin a day before START."""
    with history(START - timedelta(days=1), 9) as made:
        yield made


@pytest.mark.parametrize("hours", [8, 96])
def test_what_comes_after_a_line_was_down_is_fetched(sea: History, hours: int) -> None:
    """OMNIA answers with nothing for hours or days, then has everything: the next run has it, too."""
    back = NOON + timedelta(hours=hours)
    sea.tick(NOON)
    sea.set(changes=[{"kind": "silent", "start": NOON.isoformat(), "end": back.isoformat(), "at": back.isoformat()}])
    sea.ticks(NOON + BUCKET, back - BUCKET, timedelta(hours=2))
    assert set(sea.values("troll-a-1", NOON, back)) == {None}
    sea.ticks(back, back + timedelta(minutes=30))
    for key in ("troll-a-1", "troll-a-2", "current_speed", "current_direction"):
        assert None not in sea.values(key, NOON, back), key


def test_one_late_series_among_many_is_fetched(sea: History) -> None:
    """Only one sensor was silent; nothing of the others is asked for in vain for long."""
    back = NOON + timedelta(hours=30)
    silent = {"tags": "TAG-a-1", "kind": "silent", "start": NOON.isoformat(), "end": back.isoformat()}
    sea.set(changes=[{**silent, "at": back.isoformat()}])
    sea.ticks(NOON, back + timedelta(minutes=20), timedelta(hours=1, minutes=10))
    sea.tick(back + timedelta(minutes=20))
    assert None not in sea.values("troll-a-1", NOON, back)


@pytest.mark.parametrize("late", [2, 7, 60])
@pytest.mark.parametrize("kind", ["corrected", "deleted"])
def test_what_is_mended_at_the_source_is_mended_in_the_lake(sea: History, kind: str, late: int) -> None:
    """900 ppmv were written for an hour by mistake, and are rewritten or deleted hours or days later."""
    wrong, end = NOON - timedelta(hours=6), NOON - timedelta(hours=5)
    mended = NOON + timedelta(hours=late)
    span = {"tags": "TAG-a-1", "start": wrong.isoformat(), "end": end.isoformat(), "at": mended.isoformat()}
    first = {**span, "kind": "corrected", "value": 900.0}
    sea.set(changes=[first, {**span, "kind": kind}] if kind == "deleted" else [first])
    sea.ticks(NOON, mended - BUCKET, timedelta(hours=late / 2))
    assert sea.values("troll-a-1", wrong, end) == [900.0] * 6
    sea.ticks(mended, mended + timedelta(hours=4 if late < 20 else 26), timedelta(hours=1))
    assert sea.values("troll-a-1", wrong, end) == [10.0 if kind == "corrected" else None] * 6
    assert None not in sea.values("troll-a-1", end, mended)


def test_a_series_made_anew_goes_on_under_its_new_id(sea: History) -> None:
    """The id that was known is gone: the tag is looked up again in the same run, and nothing is lost."""
    sea.tick(NOON)
    sea.set(odd=[{"tags": "TAG-a-1", "kind": "anew"}])
    sea.ticks(NOON + BUCKET, NOON + timedelta(hours=2))
    for key in ("troll-a-1", "troll-a-2"):
        assert None not in sea.values(key, NOON, NOON + timedelta(hours=2)), key
    assert sea.told() == []


def test_a_series_made_anew_without_its_history_keeps_what_the_lake_has(sea: History) -> None:
    """What was read under the old id is not taken for deleted."""
    sea.tick(NOON)
    gone = {"tags": "TAG-a-1", "kind": "deleted", "start": START.isoformat(), "end": NOON.isoformat()}
    sea.set(odd=[{"tags": "TAG-a-1", "kind": "anew"}], changes=[gone])
    sea.ticks(NOON + BUCKET, NOON + timedelta(hours=26), timedelta(hours=1))
    assert None not in sea.values("troll-a-1", START, NOON + timedelta(hours=25))


@pytest.mark.parametrize("kind", ["twice", "unreadable", "refused", "gone"])
def test_one_bad_series_is_left_out_and_told_until_it_is_well(sea: History, kind: str) -> None:
    """The others go on; its watermark stays, so that nothing is missed when it is back; then the event goes."""
    sea.tick(NOON)
    later = NOON + timedelta(hours=5)
    sea.set(odd=[{"tags": "TAG-a-1", "kind": kind}])
    if kind == "twice":  # an id that was found is looked up again after a day
        sea.source._known.clear()
        sea.world.registry.look_up_again()
    sea.ticks(NOON + BUCKET, later, timedelta(hours=1))
    marks = sea.world.registry.watermarks["troll-a"]
    assert (marks["troll-a-1"], marks["troll-a-2"]) == (NOON, NOON + timedelta(hours=4, minutes=10))
    assert sea.told() == [("series_left_out", "troll-a-1")]
    assert None not in sea.values("troll-a-2", NOON, NOON + timedelta(hours=4))
    sea.set()
    sea.tick(later)
    assert None not in sea.values("troll-a-1", NOON, later)
    assert sea.told() == []


def test_a_series_that_was_never_well_is_told_too(sea: History) -> None:
    """A sensor whose first run finds nothing readable is told, and filled when it is."""
    sea.set(odd=[{"tags": "TAG-a-1", "kind": "unreadable"}])
    sea.ticks(NOON, NOON + BUCKET)
    assert sea.told() == [("series_left_out", "troll-a-1")]
    sea.set()
    sea.tick(NOON + 2 * BUCKET)
    assert None not in sea.values("troll-a-1", NOON - timedelta(days=1), NOON)
    assert sea.told() == []


def test_a_hanging_series_fails_the_run_and_moves_nothing(sea: History) -> None:
    """What does not answer is asked again by the next run."""
    sea.set(odd=[{"tags": "SPEED", "kind": "hanging"}])
    with pytest.raises(SourceError, match="troll-a"):
        sea.tick(NOON)
    sea.set()
    sea.tick(NOON + BUCKET)
    assert None not in sea.values("current_speed", START, NOON)


def test_a_known_unit_is_converted() -> None:
    """OMNIA has m/s where cm/s is registered, and nmol/L where ppmv is: the lake has what is registered."""
    with history(START, 1, speed=0.12, **{"tag-a-1": 16.93}) as sea:
        sea.set(units=[{"tags": "SPEED", "unit": "M/S"}, {"tags": "TAG-a-1", "unit": "nmol/L"}])
        sea.tick(NOON)
        assert sea.values("current_speed", START, NOON) == pytest.approx([12.0] * 72)
        # 1.693 nM a ppmv at 6 degrees and the surface (Wiesenburg & Guinasso); a little less at 7 and 300 m
        ppmv = sea.values("troll-a-1", START, NOON)
        assert ppmv == pytest.approx([10.7] * 72, rel=0.02)
        assert sea.told() == []


def test_an_unknown_unit_is_refused_and_told(sea: History) -> None:
    """Nothing of it gets into the lake, until OMNIA's unit is one that is known."""
    sea.set(units=[{"tags": "SPEED", "unit": "furlong/fortnight"}])
    sea.tick(NOON)
    assert sea.values("current_speed", START, NOON) == [None] * 72
    (told,) = sea.world.events.list("troll-a")
    assert "'furlong/fortnight'" in told.message
    assert "'cm/s'" in told.message


def test_a_direction_is_averaged_as_a_vector_on_its_way_into_the_lake() -> None:
    """A current that flows to 354 and 6 degrees does not flow to the south."""
    present = [NOON]
    times = np.datetime64("2026-03-02T06:00:00") + np.arange(360) * np.timedelta64(60, "s")
    series = [
        Series(tag, "TRA", unit, Stored(Samples.of(times, np.where(np.arange(360) % 2, 354.0, 6.0))))
        for tag, unit in UNITS.items()
    ]
    with (
        running(Store.of(series, lambda: present[0]), token="t") as emulator,
        OmniaSource(StaticCredential("t"), emulator.base_url) as source,
    ):
        sea = History(emulator, source, present)
        sea.world.registry.add(platform(template()))
        sea.tick(NOON)
        found = sea.values("current_direction", NOON - timedelta(hours=5), NOON)
    assert all(one is not None and abs((one + 180) % 360 - 180) < 0.1 for one in found)
