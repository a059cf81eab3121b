"""What the OMNIA client does when tokens end, servers fail, or answers make no sense."""

import json
import math
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from omnia_emulator.faults import FaultPlan
from omnia_emulator.series import Store
from omnia_emulator.server import running

from shared.adapters.omnia import OmniaSource, StaticCredential
from shared.adapters.omnia_http import StaticToken
from shared.domain.tsd import Reading
from shared.errors import SourceError
from shared.ports import Window
from tests.support.omnia_http import NOW, store
from tests.support.omnia_script import HOUR, START, Open, Script, data, opener, points

GOOD_POINT = {"time": "2026-03-01T06:00:00Z", "avg": 1.0, "count": 1}


@pytest.fixture
def opened() -> Iterator[Open]:
    """Give what opens a source on a scripted server."""
    with opener() as make:
        yield make


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note each wait between retries instead of waiting."""
    waits: list[float] = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", waits.append)
    return waits


class Expiring:
    """A credential that gives numbered tokens which live for an hour of a clock at 0."""

    def __init__(self) -> None:
        self.given = 0

    def get_token(self, *_: str) -> StaticToken:
        """Return the next token."""
        self.given += 1
        return StaticToken(f"token-{self.given}", 3600)


def test_asks_for_a_fresh_token_once_after_401(opened: Open) -> None:
    """A token that the server no longer takes is replaced, and the request repeated."""
    source, script = opened((401, {}, {"message": "ended"}), data(), credential=Expiring(), clock=lambda: 0)
    assert source.resolve("SNA", ["T"]) == {}
    assert [one["token"] for one in script.asked] == ["Bearer token-1", "Bearer token-2"]


def test_gives_up_after_a_second_401(opened: Open) -> None:
    """A server that refuses the fresh token too is an error that says so."""
    source, script = opened((401, {}, {"statusCode": 401, "message": "no access", "traceId": "t-7"}))
    with pytest.raises(SourceError, match=r"status 401, message 'no access', traceId t-7"):
        source.resolve("SNA", ["T"])
    assert len(script.asked) == 2


def test_keeps_a_token_until_five_minutes_before_its_end(opened: Open) -> None:
    """One token serves all requests until its end is near."""
    now, credential = [0.0], Expiring()
    source, _ = opened(data(), credential=credential, clock=lambda: now[0])
    for now[0], given_ in ((0.0, 1), (3299.0, 1), (3301.0, 2)):
        source.resolve("SNA", ["T"])
        assert credential.given == given_


def test_a_failing_credential_is_a_source_error(opened: Open) -> None:
    """No token means no data, said in the error that callers know."""

    class Failing:
        def get_token(self, *_: str) -> StaticToken:
            raise ClientAuthenticationError("no such principal")

    source, _ = opened(data(), credential=Failing())
    with pytest.raises(SourceError, match=r"no token for .*no such principal"):
        source.resolve("SNA", ["T"])


def test_a_netrc_does_not_replace_the_token(opened: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Credentials that the machine keeps for the host do not take the token's place."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    source, script = opened(data())
    source.resolve("SNA", ["T"])
    assert script.asked[0]["token"] == "Bearer local"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_retries_what_may_pass(opened: Open, status: int) -> None:
    """Passing failures are retried, also for POST, and the answer is the one after them."""
    source, script = opened((status, {}, b"oops"), data(points(("06:00:00", 1.0, 1))))
    assert source.read([HOUR])["s1"] == [Reading(START, 1.0, 1)]
    assert len(script.asked) == 3


def test_gives_up_after_the_last_retry(opened: Open) -> None:
    """Retries are bounded, and the last answer's message and trace are in the error."""
    source, script = opened((503, {}, {"statusCode": 503, "message": "down", "traceId": "abc"}))
    with pytest.raises(SourceError, match=r"POST /query/data for series s1: status 503.*'down'.*abc"):
        source.read([HOUR])
    assert len(script.asked) == 3


@pytest.mark.parametrize("status", [400, 403, 413])
def test_does_not_retry_what_cannot_pass(opened: Open, status: int) -> None:
    """A refusal is an error at once."""
    source, script = opened((status, {}, {"message": "no"}))
    with pytest.raises(SourceError, match=f"status {status}"):
        source.read([HOUR])
    assert len(script.asked) == 1


def test_backs_off_longer_each_time_with_jitter(opened: Open, naps: list[float]) -> None:
    """Waits double, with jitter of up to one more step."""
    source, _ = opened((500, {}, b""), backoff=1.0, retries=4)
    with pytest.raises(SourceError):
        source.read([HOUR])
    assert [math.floor(math.log2(nap)) for nap in naps] == [1, 2, 3]
    assert all(0 < nap - 2 ** (n + 1) < 1 for n, nap in enumerate(naps))


@pytest.mark.parametrize("status", [429, 503])
def test_waits_as_long_as_the_server_asks(opened: Open, naps: list[float], status: int) -> None:
    """Retry-After is kept to the second."""
    source, _ = opened((status, {"Retry-After": "7"}, b""), data())
    assert source.read([HOUR]) == {"s1": []}
    assert naps == [7]


def test_does_not_wait_for_an_hour(opened: Open, naps: list[float]) -> None:
    """A server that asks for more patience than allowed ends the run with an error instead of hanging it."""
    source, script = opened((429, {"Retry-After": "3600"}, {"message": "quota"}))
    with pytest.raises(SourceError, match=r"status 429, message 'quota'.*asked to retry after 3600 s"):
        source.read([HOUR])
    assert (naps, len(script.asked)) == ([], 1)


def test_an_unreadable_retry_after_counts_as_none(opened: Open) -> None:
    """A Retry-After that is neither seconds nor a date leaves the usual backoff."""
    source, _ = opened((503, {"Retry-After": "soon"}, b""), data())
    assert source.read([HOUR]) == {"s1": []}


def test_asks_again_when_a_body_breaks_off(opened: Open) -> None:
    """A connection that is cut in the middle of an answer is no answer; the next one counts."""
    source, script = opened((200, {"Content-Length": "5000"}, b'{"data"'), data())
    assert source.read([HOUR]) == {"s1": []}
    assert len(script.asked) == 3


def test_gives_up_when_every_body_breaks_off(opened: Open) -> None:
    """Cut answers are retried as often as others, no longer."""
    source, script = opened((200, {"Content-Length": "5000"}, b'{"data"'))
    with pytest.raises(SourceError, match="series s1: the answer broke off"):
        source.read([HOUR])
    assert len(script.asked) == 3


def test_a_silent_server_is_a_source_error() -> None:
    """A server that does not answer within the read timeout is given up."""
    slow = FaultPlan.model_validate({"slow": {"probability": 1, "seconds": 30}})
    with (
        running(Store.of([]), plan=slow) as emulator,
        OmniaSource(StaticCredential(), emulator.base_url, read_timeout=0.1, retries=1, backoff=0) as source,
        pytest.raises(SourceError, match="timed out"),
    ):
        source.resolve("SNA", ["TAG-1"])


def test_a_closed_port_is_a_source_error() -> None:
    """Nobody at the address is an error that names the address."""
    script = Script({})
    script.close()
    with (
        OmniaSource(StaticCredential(), script.url, retries=1, backoff=0.0) as source,
        pytest.raises(SourceError, match="GET /search for tag 'T' of facility SNA: ConnectionError"),
    ):
        source.resolve("SNA", ["T"])


def test_follows_no_redirect(opened: Open) -> None:
    """The token is never carried to another address."""
    source, script = opened((302, {"Location": "http://127.0.0.1:1/"}, {"message": "moved"}))
    with pytest.raises(SourceError, match="status 302"):
        source.read([HOUR])
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"<html>gateway</html>",
        b'{"data": ',
        b"\xff\xfe\xfd",
        b"[" * 100_000,
        b"[]",
        b"null",
        {},
        {"statusCode": 200, "message": "odd", "traceId": "t"},
        {"data": None},
        {"data": {"items": {}}},
        data(None),
        data({"datapoints": []}),
        data({"id": "somebody else", "datapoints": []}),
        data({"id": "s1"}),
        data({"id": "s1", "datapoints": [3]}),
        data(points(), continuationToken=7),
        data({"id": "s1", "datapoints": [{"avg": 1.0, "count": 1}]}),
        data({"id": "s1", "datapoints": [GOOD_POINT | {"time": "yesterday"}]}),
        data({"id": "s1", "datapoints": [GOOD_POINT | {"time": "2026-03-01T06:00:00"}]}),
        data({"id": "s1", "datapoints": [GOOD_POINT | {"time": "0001-01-01T00:00:00+14:00"}]}),
        data({"id": "s1", "datapoints": [GOOD_POINT | {"avg": "high"}]}),
        data({"id": "s1", "datapoints": [GOOD_POINT | {"avg": True}]}),
        data({"id": "s1", "datapoints": [GOOD_POINT | {"count": "two"}]}),
        data({"id": "s1", "datapoints": [GOOD_POINT | {"count": 1.5}]}),
        data({"id": "s1", "datapoints": [GOOD_POINT | {"count": -1}]}),
        data({"id": "s1", "datapoints": [{"time": GOOD_POINT["time"], "count": 1}]}),
        data({"id": "s1", "datapoints": [{"time": GOOD_POINT["time"], "avg": 1}]}),
    ],
)
def test_an_answer_of_another_shape_is_a_source_error(opened: Open, body: Any) -> None:
    """Whatever a server answers, the caller meets one kind of error, and it names the series."""
    source, _ = opened(body)
    with pytest.raises(SourceError, match=r"s1|somebody else"):
        source.read([HOUR])


def test_a_series_that_is_gone_is_left_out_and_looked_up_again(opened: Open) -> None:
    """A 404 on the id is that series' alone, and its tag is asked for again, though it was known."""
    gone: Any = (404, {}, {"message": "timeseries s1 does not exist"})
    search = data({"id": "s1", "name": "T"})
    source, script = opened(search, gone, data({"id": "s2", "name": "T"}))
    assert source.resolve("SNA", ["T"])["T"].id == "s1"
    found = source.read([HOUR])
    assert found == {}
    assert "s1 does not exist" in found.problems["s1"]
    assert source.resolve("SNA", ["T"])["T"].id == "s2"
    assert len(script.asked) == 3


def test_one_refused_series_does_not_keep_the_others_from_being_read() -> None:
    """The series for which OMNIA refuses the whole request is found by halving it."""
    with running(store(), token="local") as emulator, OmniaSource(StaticCredential(), emulator.base_url) as source:
        ids = list(emulator.store.series)
        found = source.read([Window(one, NOW - timedelta(hours=6), NOW) for one in [ids[0], "no-such-id", ids[1]]])
    assert {series: len(one) for series, one in found.items()} == dict.fromkeys(ids, 18)
    assert list(found.problems) == ["no-such-id"]


@pytest.mark.parametrize(
    "odd", [{"time": "2026-03-01T06:00:00Z", "avg": "Bad Input", "count": 1}, {"time": "soon", "avg": 1.0, "count": 1}]
)
def test_one_unreadable_datapoint_is_its_own_series_problem(opened: Open, odd: dict[str, Any]) -> None:
    """The other series of the answer is read."""
    bad = {"id": "s1", "datapoints": [odd]}
    source, _ = opened(data(bad, points(("06:00:00", 1.0, 1), series="s2")))
    found = source.read([HOUR, Window("s2", HOUR.start, HOUR.end)])
    assert found == {"s2": [Reading(START, 1.0, 1)]}
    assert list(found.problems) == ["s1"]


def test_no_retry_begins_when_the_time_of_a_request_is_over(opened: Open) -> None:
    """A server that fails slowly is left, whatever number of tries remains."""
    source, script = opened((503, {}, {"message": "down"}), retries=10, patience=0.0)
    with pytest.raises(SourceError, match="503"):
        source.read([HOUR])
    assert len(script.asked) == 2


class Failing(Script):
    """A server that answers 500 to whatever names one of these series, and else with a sample of each."""

    def __init__(self, *failing: str) -> None:
        super().__init__({})
        self.failing = failing

    def next(self) -> tuple[int, dict[str, str], bytes]:
        """Answer by what was asked."""
        names = [item["id"] for item in self.asked[-1]["body"]]
        if set(names) & set(self.failing):
            return 500, {}, b'{"message": "it cannot be read"}'
        return 200, {}, json.dumps(data(*(points(("06:00:00", 1.0, 1), series=name) for name in names))).encode()


@pytest.mark.parametrize(("failing", "read"), [(["s3"], 8), ([f"s{n}" for n in range(9)], None)])
def test_a_series_at_which_omnia_fails_is_left_out_alone(failing: list[str], read: int | None) -> None:
    """One for which it answers 500 does not stop the others; where it fails at more, it is OMNIA that fails, soon."""
    server = Failing(*failing)
    windows = [Window(f"s{n}", HOUR.start, HOUR.end) for n in range(9)]
    try:
        with OmniaSource(StaticCredential(), server.url, backoff=0.0, retries=0) as source:
            if read is None:
                with pytest.raises(SourceError, match="status 500"):
                    source.read(windows)
                assert len(server.asked) <= 6
            else:
                found = source.read(windows)
                assert (len(found), list(found.problems)) == (read, failing)
    finally:
        server.close()


def test_a_tag_that_may_not_be_asked_for_is_left_out_alone(opened: Open) -> None:
    """Unless it is so of all of them."""
    refusal: Any = (403, {}, {"message": "not this one"})
    source, _ = opened(refusal, data({"id": "b", "name": "U"}))
    found = source.resolve("SNA", ["T", "U"])
    assert list(found) == ["U"]
    assert "not this one" in found.problems["T"]
    source, _ = opened(refusal)
    with pytest.raises(SourceError, match="not this one"):
        source.resolve("SNA", ["T", "U"])
