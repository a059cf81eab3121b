"""The OMNIA client against a server that follows a script, and against the emulator."""

import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from omnia_emulator.series import Samples, Series, Store, Stored, fixed
from omnia_emulator.server import Emulator, running

from shared.adapters.omnia import AT_ONCE, OmniaSource, StaticCredential
from shared.domain.tsd import BUCKET, Reading
from shared.errors import SourceError
from shared.ports import ReadingSource, SourceSeries, Window
from tests.support.omnia_script import HOUR, NOW, START, Open, data, opener, points


@pytest.fixture
def opened() -> Iterator[Open]:
    """Give what opens a source on a scripted server."""
    with opener() as make:
        yield make


def at(text: str) -> datetime:
    """Return that time of the day that the tests live in."""
    return datetime.fromisoformat(f"2026-03-01T{text}+00:00")


def stored(name: str, times: Sequence[str], values: Sequence[float], statuses: Any = None) -> Series:
    """Return a series with those samples (times of day)."""
    samples = Samples.of([f"2026-03-01T{one}" for one in times], values, statuses)
    return Series(name, "SNA", "ppmv", Stored(samples))


@pytest.fixture
def emulated() -> Iterator[tuple[OmniaSource, Emulator]]:
    """Give a source on an emulator with 30 hand-made series of three hours, a sample every 5 minutes."""
    times = np.datetime64("2026-03-01T06:00:00") + np.arange(36) * np.timedelta64(300, "s")
    series = [Series(f"TAG-{n}", "SNA", "ppmv", Stored(Samples.of(times, n + np.arange(36.0)))) for n in range(30)]
    with (
        running(Store.of(series, fixed(NOW)), token="local") as emulator,
        OmniaSource(StaticCredential(), emulator.base_url, backoff=0.0) as source,
    ):
        yield source, emulator


def test_is_a_source(opened: Open) -> None:
    """The client has the shape that the use cases ask for."""
    source: ReadingSource = opened({})[0]
    assert source.resolve("SNA", []) == {}


def test_resolves_many_tags_and_leaves_unknown_ones_out(emulated: tuple[OmniaSource, Emulator]) -> None:
    """Known tags get the id of exactly that name; unknown tags and wildcards get none."""
    source, emulator = emulated
    known = [series.name for series in emulator.store.series.values()]
    found = source.resolve("SNA", [*known, "TAG-99", "TAG-*", "tag-1"])
    assert found == {series.name: (series.id, "ppmv") for series in emulator.store.series.values()}


def test_resolve_asks_for_every_page(opened: Open) -> None:
    """The search goes on to the last page, and only the exact name counts."""
    near, exact = {"id": "a", "name": "tag-1"}, {"id": "b", "name": "TAG-1"}
    source, script = opened(data(near, continuationToken="more"), data(exact))
    assert source.resolve("SNA", ["TAG-1"]) == {"TAG-1": SourceSeries("b")}
    assert "continuationToken=more" in script.asked[1]["path"]


def test_resolve_leaves_a_tag_with_two_series_out(opened: Open) -> None:
    """Two series of exactly one name cannot be told apart; the problem names both, and the other tags are found."""
    source, _ = opened(data({"id": "a", "name": "T"}, {"id": "b", "name": "T"}), data({"id": "c", "name": "U"}))
    found = source.resolve("SNA", ["T", "U"])
    assert found == {"U": SourceSeries("c")}
    assert found.problems == {"T": "tag 'T' of facility SNA has several series: a, b"}


def test_reads_many_series_with_two_requests(emulated: tuple[OmniaSource, Emulator]) -> None:
    """However many series: one query for the good samples, one for the count of all."""
    source, emulator = emulated
    ids = list(emulator.store.series)
    readings = source.read([Window(one, START, START + timedelta(hours=1)) for one in ids])
    assert len([one for one in emulator.requests if one.endswith("/query/data")]) == 2
    assert list(readings) == ids
    assert readings[ids[0]][:2] == [Reading(START, 0.5, 2, 0), Reading(START + BUCKET, 2.5, 2, 0)]
    assert all(len(found) == 6 for found in readings.values())


def test_counts_samples_with_bad_status() -> None:
    """Bad samples are counted beside the good ones; a bucket of bad samples only has no value."""
    series = stored("T", ["06:01", "06:02", "06:03", "06:11"], [1.0, 1e14, 3.0, -1.0], [192, 0, 192, 64])
    with (
        running(Store.of([series], fixed(NOW))) as emulator,
        OmniaSource(StaticCredential(), emulator.base_url) as source,
    ):
        found = source.read([Window(series.id, START, NOW)])[series.id]
    assert found == [Reading(START, 2.0, 2, 1), Reading(START + BUCKET, None, 0, 1)]


def test_keeps_values_that_are_not_finite() -> None:
    """What the server writes as a word comes out as the float it means, and sentinels stay as they are."""
    times = ["06:00", "06:10", "06:20", "06:30"]
    series = stored("T", times, [math.nan, math.inf, -math.inf, 1e14])
    with (
        running(Store.of([series], fixed(NOW))) as emulator,
        OmniaSource(StaticCredential(), emulator.base_url) as source,
    ):
        found = [one.value for one in source.read([Window(series.id, START, NOW)])[series.id]]
    assert found[0] is not None
    assert math.isnan(found[0])
    assert found[1:] == [math.inf, -math.inf, 1e14]


@pytest.mark.parametrize(("given", "value"), [(None, None), (7, 7.0), (10**400, math.inf)])
def test_reads_null_and_whole_numbers(opened: Open, given: Any, value: float | None) -> None:
    """A null mean stays unknown, and a whole number of any size becomes a float."""
    source, _ = opened(data(points(("06:00:00", given, 2))))
    assert source.read([HOUR])["s1"] == [Reading(START, value, 2, 0)]


def test_puts_buckets_in_order_once_and_on_the_grid(opened: Open) -> None:
    """Unordered, repeated, off-grid and outside buckets: sorted, the last one wins, those outside are dropped."""
    good = points(
        ("06:20:00.0000000", 3.0, 1),
        ("06:00:00.1234567", 1.0, 1),
        ("05:50:00", 9.0, 1),
        ("07:00:00", 9.0, 1),
        ("06:03:00", 2.0, 4),
    )
    source, _ = opened(data(good), data(points()))
    assert source.read([HOUR])["s1"] == [Reading(at("06:00"), 2.0, 4), Reading(at("06:20"), 3.0, 1)]


def test_ignores_filled_buckets(opened: Open) -> None:
    """A bucket without any sample, which a server may fill with null, is no reading."""
    source, _ = opened(data(points(("06:00:00", None, 0), ("06:10:00", 1.0, 1))))
    assert source.read([HOUR])["s1"] == [Reading(at("06:10"), 1.0, 1)]


def test_asks_only_for_whole_buckets(opened: Open) -> None:
    """A window that begins or ends inside a bucket leaves that bucket out; an empty one asks nothing."""
    source, script = opened(data(points(("06:00:00", 1.0, 1), ("06:10:00", 2.0, 1), ("06:20:00", 3.0, 1))))
    found = source.read([Window("s1", at("06:03"), at("06:29")), Window("s2", START, START)])
    assert found == {"s1": [Reading(at("06:10"), 2.0, 1)], "s2": []}
    assert [item["startTime"] for item in script.asked[0]["body"]] == ["2026-03-01T06:10:00Z"]


def test_pages_series_by_their_own_tokens(opened: Open) -> None:
    """A token in a series' item goes back in that series' query, and finished series are not asked again."""
    source, script = opened(
        data(points(("06:00:00", 1.0, 1)) | {"continuationToken": "x"}, points(series="s2")),
        data(points(("06:10:00", 2.0, 1))),
        data(points()),
    )
    found = source.read([HOUR, Window("s2", HOUR.start, HOUR.end)])
    assert [one.value for one in found["s1"]] == [1.0, 2.0]
    assert [(item["id"], item["continuationToken"]) for item in script.asked[1]["body"]] == [("s1", "x")]


def test_pages_the_whole_request_by_its_token(opened: Open) -> None:
    """A token of the answer goes back as the request's parameter with the same body."""
    source, script = opened(
        data(points(("06:00:00", 1.0, 1)), continuationToken="y"),
        data(points(("06:10:00", 2.0, 1)), continuationToken=""),
        data(points()),
    )
    assert [one.value for one in source.read([HOUR])["s1"]] == [1.0, 2.0]
    assert script.asked[1]["path"] == "/query/data?continuationToken=y"
    assert script.asked[1]["body"] == script.asked[0]["body"]


def test_does_not_page_in_circles(opened: Open) -> None:
    """A server that gives the same token again and again ends in an error, not in an endless loop."""
    source, script = opened(data(points(), continuationToken="again"))
    with pytest.raises(SourceError, match="pages have no end"):
        source.read([HOUR])
    assert len(script.asked) == 2


def test_pages_through_the_emulator(emulated: tuple[OmniaSource, Emulator]) -> None:
    """Pages of 7 datapoints give the same readings as one page."""
    source, emulator = emulated
    ids = list(emulator.store.series)[:3]
    windows = [Window(one, START, NOW) for one in ids]
    at_once = source.read(windows)
    before = len(emulator.requests)
    source._good["limit"] = source._every["limit"] = 7  # type: ignore[assignment]
    assert source.read(windows) == at_once
    assert len(emulator.requests) - before == 6


def test_splits_by_series_and_by_buckets(opened: Open) -> None:
    """No request has more series or more buckets than allowed, and no series twice."""
    source, script = opened(data(), series_per_request=2, buckets_per_request=10)
    windows = [Window("a", START, START + 23 * BUCKET), Window("b", START, START + 2 * BUCKET)]
    source.read([*windows, Window("b", START, START + BUCKET), Window("c", START, START + BUCKET)])
    means = [one["body"] for one in script.asked if "avg" in one["body"][0]["aggregateFunctions"]]
    means.sort(key=lambda body: (len(body), body[0]["id"], body[0]["startTime"]))  # several are under way at a time
    assert [[item["id"] for item in body] for body in means] == [["a"], ["a"], ["a", "b"], ["b", "c"]]
    assert means[1][0]["startTime"] == means[0][0]["endTime"]


def test_several_requests_are_under_way_at_once_and_few_follow_a_failure() -> None:
    """OMNIA takes half a second for each, and an instance that waits is paid for; where it fails, it fails them all."""
    together, begun = threading.Barrier(AT_ONCE, timeout=20), list[str]()

    class Session:
        def send(self, _method: str, _path: str, about: str, **_: object) -> object:
            begun.append(about)
            if len(begun) <= AT_ONCE:
                together.wait()
            else:
                time.sleep(2)  # those that were under way by then, until the others are left out
            raise SourceError("it does not answer")

    source = OmniaSource(StaticCredential(), series_per_request=1)
    source._session = Session()  # type: ignore[assignment]
    windows = [Window(f"s{number}", START, START + BUCKET) for number in range(3 * AT_ONCE)]
    with pytest.raises(SourceError, match="does not answer"):
        source.read(windows)
    assert AT_ONCE <= len(begun) <= 2 * AT_ONCE


@pytest.mark.parametrize("wrong", [{"series_per_request": 0}, {"buckets_per_request": 10_001}, {"retries": -1}])
def test_refuses_senseless_bounds(wrong: dict[str, int]) -> None:
    """Bounds that no request could keep are refused at once."""
    with pytest.raises(ValueError, match="not"):
        OmniaSource(StaticCredential(), **wrong)  # type: ignore[arg-type]


class NotificationState:
    """Stands in for the session: answers what it was made with."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def send(self, *_: Any, **__: Any) -> Any:
        """Return the next answer, the last one for good."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def close(self) -> None:
        """Nothing to close."""


def answering(*answers: Any) -> OmniaSource:
    """Return a source whose session says those answers."""
    source = OmniaSource(StaticCredential())
    source.close()
    source._session = NotificationState(*answers)  # type: ignore[assignment]
    return source


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["s1", "NaN", "2026-03-01T06:00:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "items", "id", "datapoints", "time", "avg", "count", "continuationToken"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["data", "continuationToken", "x"]), JSON))
def test_no_answer_raises_anything_else(answer: dict[str, Any]) -> None:
    """Any JSON object gives readings or a SourceError."""
    with suppress(SourceError):
        assert isinstance(answering(answer).read([HOUR])["s1"], list)


@given(st.lists(st.tuples(st.integers(-3, 9), st.integers(0, 599), st.floats(), st.integers(1, 20)), max_size=12))
def test_buckets_come_sorted_once_and_inside(given_: list[tuple[int, int, float, int]]) -> None:
    """Whatever order, repetition and offset: one reading per bucket, the last given, sorted, inside the window."""
    answer = data(
        {
            "id": "S1",
            "datapoints": [
                {"time": (START + slot * BUCKET + timedelta(seconds=s)).isoformat(), "avg": avg, "count": n}
                for slot, s, avg, n in given_
            ],
        }
    )
    found = answering(answer).read([HOUR])["s1"]
    last = {START + slot * BUCKET: n for slot, _, _, n in given_ if 0 <= slot < 6}
    assert [(one.time, one.count) for one in found] == sorted(last.items())
    assert all(one.bad_count == 0 for one in found)


@pytest.mark.parametrize(("unit", "turn", "north"), [("deg", 360.0, [354.0, 6.0]), ("rad", math.tau, [6.18, 0.1032])])
def test_directions_are_averaged_as_vectors(unit: str, turn: float, north: list[float]) -> None:
    """A current that flows to 354 and 6 degrees flows to the north, not to the south; bad samples are counted."""
    times = [f"2026-03-01T06:{minute:02d}:00" for minute in range(10)]
    statuses = [192] * 8 + [0, 64]
    samples = Samples.of(times, [*north * 4, 180.0, 180.0], statuses)
    series = Series("DIRECTION", "SNA", unit, Stored(samples))
    with (
        running(Store.of([series], fixed(NOW))) as emulator,
        OmniaSource(StaticCredential(), emulator.base_url) as source,
    ):
        found = source.read([Window(series.id, START, NOW, turn)])[series.id]
    assert [(one.count, one.bad_count) for one in found] == [(8, 2)]
    assert found[0].value is not None
    assert min(found[0].value, turn - found[0].value) < turn / 3600


def test_a_direction_that_is_none_stays_for_whoever_judges_values() -> None:
    """A sentinel is not taken for an angle, and samples that point every way have no direction."""
    samples = Samples.of([f"2026-03-01T06:{minute}:00" for minute in (10, 11, 20, 21)], [90.0, 1e14, 90.0, 270.0])
    series = Series("DIRECTION", "SNA", "deg", Stored(samples))
    with (
        running(Store.of([series], fixed(NOW))) as emulator,
        OmniaSource(StaticCredential(), emulator.base_url) as source,
    ):
        found = source.read([Window(series.id, START, NOW, 360.0)])[series.id]
    assert [one.value for one in found] == [1e14, None]
