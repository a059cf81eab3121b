"""The emulator's API: what it answers and what it refuses."""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from omnia_emulator.series import Samples, Series, Store, Stored, aggregated, fixed, instant
from omnia_emulator.server import running

from tests.support.omnia_http import NOW, START, STEP, Client, first, store, values


@pytest.fixture
def client() -> Iterator[Client]:
    """Give a client of an emulator with the hand-made store, which takes only the token ``secret``."""
    with running(store(), token="secret") as emulator:
        made = Client(emulator)
        with made.session:
            yield made


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic secret"])
def test_refuses_a_missing_or_wrong_token(client: Client, header: str) -> None:
    """Without its token the API says 401 in the API's own words."""
    client.session.headers["Authorization"] = header
    answer = client.get("/search")
    assert answer.status_code == 401
    assert set(answer.json()) == {"statusCode", "message", "traceId"}


def test_searches_with_wildcards_and_pages(client: Client) -> None:
    """A search matches without case, ``*`` stands for anything, and pages go to the end."""
    assert client.get("/search", name="19h-*", facility="sna").json()["count"] == 2
    page = client.get("/search", name="19H-*", limit=1).json()
    rest = client.get("/search", name="19H-*", limit=1, continuationToken=page["continuationToken"]).json()
    assert [one["data"]["items"][0]["name"] for one in (page, rest)] == ["19H-1", "19H-2"]
    assert "continuationToken" not in rest
    assert client.get("", name="19H-1").json()["data"]["items"][0]["id"] == first(client)


def test_describes_one_series(client: Client) -> None:
    """A series is found by its id; an unknown id is 404."""
    assert client.get(f"/{first(client)}").json()["data"]["items"][0]["unit"] == "ppmv"
    assert client.get("/none").status_code == 404


def test_pages_raw_data_to_the_end(client: Client) -> None:
    """All samples come once each, in pages of the limit asked for."""
    got, params = [], {"limit": "10"}
    while True:
        answer = client.get(f"/{first(client)}/data", **params)
        got += values(answer)
        if "continuationToken" not in answer.json():
            break
        params["continuationToken"] = answer.json()["continuationToken"]
    assert got == list(range(36))


def test_pages_over_samples_of_one_time() -> None:
    """Two samples of one time on both sides of a page's end are neither lost nor repeated."""
    twice = Series("T", "SNA", "ppmv", Stored(Samples.of([instant(START)] * 3, [1.0, 2.0, 3.0])))
    with running(Store.of([twice], fixed(NOW))) as emulator:
        client, got = Client(emulator), []
        token: dict[str, Any] = {}
        with client.session:
            for _ in range(3):
                answer = client.get(f"/{twice.id}/data", limit=1, **token)
                got += values(answer)
                token = {"continuationToken": answer.json().get("continuationToken")}
    assert got == [1.0, 2.0, 3.0]
    assert token == {"continuationToken": None}


def test_filters_by_status_window_and_outside_points(client: Client) -> None:
    """The window is [start, end), the status filters, and outside points are one more on each side."""
    window = {"startTime": "2026-03-01T06:10:00Z", "endTime": "2026-03-01T06:25:00.0000000Z"}
    path = f"/{first(client)}/data"
    assert values(client.get(path, **window)) == [2, 3, 4]
    assert values(client.get(path, status=[192, 64], **window)) == [2, 4]
    assert values(client.get(path, includeOutsidePoints=True, **window)) == [1, 2, 3, 4, 5]


def test_gives_the_first_and_the_latest(client: Client) -> None:
    """First and latest keep to their bounds, for one series and for many."""
    name = first(client)
    assert values(client.get(f"/{name}/data/first")) == [0]
    assert values(client.get(f"/{name}/data/latest", status=192)) == [34]
    body = [{"id": name, "beforeTime": "2026-03-01T06:21:00Z", "statusFilter": [0]}]
    assert values(client.post("/query/data/latest", body)) == [3]
    assert values(client.post("/query/data/first", [{"id": name, "afterTime": "2026-03-01T08:00:00Z"}])) == [24]


def test_aggregates_the_same_by_get_and_post(client: Client) -> None:
    """One series by GET and many by POST give the same aggregates, named by their function."""
    window = {"startTime": "2026-03-01T06:00:00Z", "endTime": "2026-03-01T06:20:00Z", "processingInterval": "10m"}
    got = client.get(f"/{first(client)}/data/aggregates", aggregateFunction=["avg", "count"], status=192, **window)
    item = {"id": first(client), "aggregateFunctions": ["avg", "count"], "statusFilter": [192], **window}
    posted = client.post("/query/data", [item])
    assert got.json() == posted.json()
    assert got.json()["data"]["items"][0]["datapoints"] == [
        {"time": "2026-03-01T06:00:00.0000000Z", "avg": 0.5, "count": 2},
        {"time": "2026-03-01T06:10:00.0000000Z", "avg": 2.0, "count": 1},
    ]


def test_fills_empty_buckets_only_on_request(client: Client) -> None:
    """Without fill a bucket without samples is left out; with ``null`` it is there, and empty."""
    window = {"startTime": "2026-03-01T05:50:00Z", "endTime": "2026-03-01T06:10:00Z", "processingInterval": "10m"}
    item = {"id": first(client), "aggregateFunctions": ["avg", "count"], "fill": None, **window}
    plain = client.post("/query/data", [item]).json()["data"]["items"][0]["datapoints"]
    filled = client.post("/query/data", [item | {"fill": "null"}]).json()["data"]["items"][0]["datapoints"]
    assert [(one["avg"], one["count"]) for one in plain] == [(0.5, 2)]
    assert [(one["avg"], one["count"]) for one in filled] == [(None, 0), (0.5, 2)]


def test_pages_many_series_by_one_token(client: Client) -> None:
    """The request's token goes on where each series stopped, and a finished one stays empty."""
    ids = list(client.emulator.store.series)
    body = [{"id": ids[0], "limit": 30}, {"id": ids[1], "limit": 36}]
    page = client.post("/query/data", body).json()
    rest = client.post("/query/data", body, continuationToken=page["continuationToken"]).json()
    assert [len(item["datapoints"]) for item in rest["data"]["items"]] == [6, 0]
    assert "continuationToken" not in rest


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 100_001}, "limit"),
        ({"startTime": "yesterday"}, "startTime"),
        ({"startTime": "2026-03-01T00:00:00"}, "timezone"),
        ({"startTime": "2026-03-02T00:00:00Z", "endTime": "2026-03-01T00:00:00Z"}, "before startTime"),
        ({"aggregateFunctions": ["median"]}, "aggregateFunctions"),
        ({"aggregateFunctions": ["avg"], "processingInterval": "ten"}, "10m"),
        ({"aggregateFunctions": ["avg"], "processingInterval": "1s"}, "10000 buckets"),
        ({"continuationToken": "%%%"}, "continuationToken"),
        ({"continuationToken": "bnVsbA=="}, "continuationToken"),
    ],
)
def test_refuses_what_the_api_refuses(client: Client, item: dict[str, Any], words: str) -> None:
    """A senseless query is 400, and the message names what is wrong with it."""
    answer = client.post("/query/data", [{"id": first(client)} | item])
    assert answer.status_code == 400
    assert words in answer.json()["message"]


@pytest.mark.parametrize("body", [None, {}, [], [3], [{}], [{"id": "x"}] * 101])
def test_refuses_a_body_of_another_shape(client: Client, body: Any) -> None:
    """A body that is no list of queries is refused, and the connection lives on."""
    assert client.post("/query/data", body).status_code == 400
    assert client.get("/search").status_code == 200


SAMPLES = st.lists(
    st.tuples(st.integers(0, 3000), st.floats(-1e6, 1e6)), min_size=1, max_size=25, unique_by=lambda one: one[0]
)


@given(SAMPLES)
def test_aggregates_agree_with_plain_sums(given_: Sequence[tuple[int, float]]) -> None:
    """Every aggregate is what a loop over the samples makes of it."""
    ordered = sorted(given_)
    begin = instant(START)
    samples = Samples.of([begin + np.timedelta64(s, "s") for s, _ in ordered], [v for _, v in ordered])
    times, columns = aggregated(samples, begin, np.timedelta64(600, "s").astype("timedelta64[us]"))
    buckets: dict[int, list[float]] = {}
    for second, value in ordered:
        buckets.setdefault(second // 600, []).append(value)
    assert list(times) == [begin + np.timedelta64(600 * slot, "s") for slot in buckets]
    for index, held in enumerate(buckets.values()):
        mean = math.fsum(held) / len(held)
        bucket = {name: column[index] for name, column in columns.items()}
        spread = math.sqrt(math.fsum((one - mean) ** 2 for one in held) / len(held))
        assert bucket["avg"] == pytest.approx(mean, abs=1e-6)
        assert bucket["stddev"] == pytest.approx(spread, abs=1e-6)
        assert (bucket["count"], bucket["min"], bucket["max"]) == (len(held), min(held), max(held))
        assert (bucket["first"], bucket["last"]) == (held[0], held[-1])


def test_hides_what_is_yet_to_come() -> None:
    """Samples appear as the clock passes them."""
    now = [START]
    with running(store(lambda: now[0])) as emulator:
        client = Client(emulator)
        with client.session:
            path = f"/{first(client)}/data"
            assert values(client.get(path)) == [0]
            now[0] = START + 2 * STEP
            assert values(client.get(path)) == [0, 1, 2]


def test_the_body_of_an_error_is_json(client: Client) -> None:
    """A body that is not JSON is refused in the API's own words."""
    answer = client.session.post(client.emulator.base_url + "/query/data", data=b"{", timeout=5)
    assert json.loads(answer.content)["statusCode"] == 400
