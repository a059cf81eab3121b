"""The official SDK, pointed at the emulator, reads the same data as this project's client.

The SDK runs in a process of its own, because importing it instruments ``requests`` for the whole process.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from omnia_emulator.series import Samples, Series, Store, Stored, fixed, instant
from omnia_emulator.server import running

from shared.adapters.omnia import OmniaSource, StaticCredential
from shared.domain.tsd import Reading, iso
from shared.ports import Window

START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(days=1)

SDK = """
import json, sys
from collections import namedtuple
from omnia_timeseries.api import TimeseriesAPI, TimeseriesEnvironment
from omnia_timeseries.models import TimeseriesRequestFailedException

Token = namedtuple("Token", "token expires_on")

class Credential:
    def get_token(self, *scopes, **options):
        return Token("local", 2**40)

url, start, end = sys.argv[1:]
api = TimeseriesAPI(Credential(), TimeseriesEnvironment.Test())
api._base_url = url
window = {"startTime": start, "endTime": end}
found = api.search_timeseries(name="TAG-*", facility="SNA")["data"]["items"]
ids = [item["id"] for item in found]

def paged(ask):
    points, token = {}, None
    while True:
        answer = ask(token)
        for item in answer["data"]["items"]:
            points.setdefault(item["id"], []).extend(item["datapoints"])
        token = answer.get("continuationToken")
        if not token:
            return points

def multi(filtered):
    wanted = {"aggregateFunctions": ["avg", "count"], "processingInterval": "10m", "limit": 50} | window
    if filtered:
        wanted["statusFilter"] = [192]
    body = [{"id": name} | wanted for name in ids]
    return paged(lambda token: api.get_multi_datapoints(body, continuationToken=token))

try:
    api.get_timeseries_by_id("unknown")
except TimeseriesRequestFailedException as error:
    failure = [error.status_code, error.message, error.trace_id]

print(json.dumps({
    "names": {item["name"]: item["id"] for item in found},
    "by_name": api.get_timeseries(name="TAG-1", facility="SNA")["data"]["items"],
    "by_id": api.get_timeseries_by_id(ids[0])["data"]["items"],
    "raw": paged(lambda token: api.get_datapoints(ids[0], limit=100, continuationToken=token, **window)),
    "aggregates": paged(lambda token: api.get_aggregates(
        ids[0], ["avg", "count"], processingInterval="10m", status=[192], limit=50, continuationToken=token, **window)),
    "good": multi(True),
    "every": multi(False),
    "latest": api.get_latest_datapoint(ids[0], beforeTime=end),
    "first": api.get_first_datapoint(ids[0], afterTime=start),
    "latest_multi": api.get_latest_multi_datapoint([{"id": name} for name in ids]),
    "first_multi": api.get_first_multi_datapoint([{"id": name} for name in ids]),
    "failure": failure,
}))
"""


def series(number: int) -> Series:
    """Return a series of a day at 5 minutes with values of all kinds, a tenth of them bad."""
    random = np.random.default_rng(number)
    times = instant(START) + np.arange(288) * np.timedelta64(300, "s")
    values = np.where(random.random(288) < 0.05, 1e14, random.random(288) * 50)
    values[[3, 40]] = -np.inf
    statuses = np.where(random.random(288) < 0.1, 0, 192)
    statuses[100:102] = 64
    return Series(f"TAG-{number}", "SNA", "ppmv", Stored(Samples.of(times, values, statuses)))


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[dict[str, Any], dict[str, str], Mapping[str, Sequence[Reading]]]]:
    """Give what the SDK read, and the ids and readings of the project's client."""
    with (
        running(Store.of([series(1), series(2)], fixed(END))) as emulator,
        OmniaSource(StaticCredential(), emulator.base_url) as source,
    ):
        asked = [sys.executable, "-c", SDK, emulator.base_url, iso(START), iso(END)]
        said = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=60)
        ids = {tag: one.id for tag, one in source.resolve("SNA", ["TAG-1", "TAG-2"]).items()}
        yield json.loads(said.stdout), ids, source.read([Window(one, START, END) for one in ids.values()])


def test_both_find_the_same_series(both: Any) -> None:
    """Search, list and single look-up of the SDK give the ids that the client resolves."""
    sdk, ids, _ = both
    assert sdk["names"] == ids
    assert [item["id"] for item in sdk["by_name"] + sdk["by_id"]] == [ids["TAG-1"]] * 2


def test_both_read_the_same_aggregates(both: Any) -> None:
    """Every bucket of the client has the mean, the good count and the bad count that the SDK's pages give."""
    sdk, ids, readings = both
    for name in ids.values():
        good = {point["time"]: point for point in sdk["good"][name]}
        expected = []
        for point in sdk["every"][name]:
            found = good.get(point["time"], {"avg": None, "count": 0})
            value = None if found["avg"] is None else float(found["avg"])
            moment = datetime.fromisoformat(point["time"])
            expected.append(Reading(moment, value, found["count"], point["count"] - found["count"]))
        assert readings[name] == expected
        assert len(expected) == 144
    assert sdk["aggregates"] == {ids["TAG-1"]: sdk["good"][ids["TAG-1"]]}


def test_the_sdk_reads_all_raw_samples(both: Any) -> None:
    """The raw pages hold every sample with its status, infinities as words."""
    sdk, ids, _ = both
    kept = series(1).record.samples(instant(START), instant(END))
    points = sdk["raw"][ids["TAG-1"]]
    assert [float(point["value"]) for point in points] == kept.values.tolist()
    assert [point["status"] for point in points] == kept.statuses.tolist()
    assert points[3]["value"] == "-Infinity"


def test_the_sdk_reads_first_and_latest(both: Any) -> None:
    """First and latest are the ends of the record, for one and for many."""
    sdk, _, _ = both
    ends = {
        which: [item["datapoints"][0]["time"] for item in sdk[which]["data"]["items"]]
        for which in ("first", "latest", "first_multi", "latest_multi")
    }
    first, last = "2026-03-01T00:00:00.0000000Z", "2026-03-01T23:55:00.0000000Z"
    assert ends == {
        "first": [first],
        "latest": [last],
        "first_multi": [first, first],
        "latest_multi": [last, last],
    }


def test_the_sdk_understands_an_error(both: Any) -> None:
    """A refusal has the status, message and trace that the SDK looks for."""
    status, message, trace = both[0]["failure"]
    assert (status, message) == (404, "timeseries unknown does not exist")
    assert len(trace) == 32
