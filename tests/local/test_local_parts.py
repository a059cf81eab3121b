"""The local host's parts that need no storage."""

import json
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug import Request
from werkzeug.test import Client

from local.admin import Admin
from local.groups import App, Instance, group_of
from local.http_server import Router, match_route, parse_route
from local.metadata import Function, HostError, HostSettings, expand, load_functions, load_settings, read_host_json
from local.triggers import Faults, Runtime, Trigger, next_after
from local.triggers_blob import parse_path
from local.worker import Worker


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "moment", "expected"),
    [
        ("0 */10 * * * *", "2024-01-01T00:00:00", "2024-01-01T00:10:00"),
        ("0 */10 * * * *", "2024-12-31T23:55:00", "2025-01-01T00:00:00"),
        ("30 5 2 * * *", "2024-01-01T02:05:30", "2024-01-02T02:05:30"),
        ("0 0 0 29 2 *", "2024-03-01T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 9-17/4 * * Mon-Fri", "2024-01-05T17:00:01", "2024-01-08T09:00:00"),
        ("0 0 0 1 jan,JUL *", "2024-01-01T00:00:00", "2024-07-01T00:00:00"),
        ("5/20 * * * * *", "2024-01-01T00:00:06", "2024-01-01T00:00:25"),
        ("*/15 * * * *", "2024-01-01T00:00:00", "2024-01-01T00:15:00"),
        ("0 0 0 13 * 5", "2024-01-01T00:00:00", "2024-09-13T00:00:00"),
    ],
)
def test_a_schedule_comes_next_at(expression: str, moment: str, expected: str) -> None:
    """Steps, ranges, lists, names and leap days fall where NCRONTAB puts them; day and weekday must both match."""
    assert next_after(expression, at(moment)) == at(expected)


@given(
    fields=st.tuples(st.integers(0, 59), st.integers(0, 59), st.integers(0, 23)),
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001  (made UTC below)
)
def test_a_daily_schedule_is_the_next_such_time_of_day(fields: tuple[int, int, int], moment: datetime) -> None:
    """The occurrence is later, at most a day later, and at the time asked for."""
    second, minute, hour = fields
    start = moment.replace(tzinfo=UTC)
    found = next_after(f"{second} {minute} {hour} * * *", start)
    assert 0 < (found - start).total_seconds() <= 86400
    assert (found.second, found.minute, found.hour) == fields


@pytest.mark.parametrize(
    "wrong",
    [
        "* * * *",
        "60 * * * * *",
        "0 0 0 0 * *",
        "0 0 0 * * 7",
        "a * * * * *",
        "*/0 * * * * *",
        "0 0 0 L * *",
        "0 0 0 * * 5#2",
    ],
)
def test_a_wrong_schedule_is_refused(wrong: str) -> None:
    """The error says what is wrong, before anything runs."""
    with pytest.raises(ValueError, match="schedule"):
        next_after(wrong, at("2024-01-01T00:00:00"))


def test_a_schedule_that_never_comes_is_refused() -> None:
    """The 31st of June is not waited for."""
    with pytest.raises(ValueError, match="never"):
        next_after("0 0 0 31 6 *", at("2024-01-01T00:00:00"))


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("api/items/{id}", "/api/items/7", {"id": "7"}),
        ("api/items/{id}", "/API/Items/a%2Fb", {"id": "a/b"}),
        ("api/items/{id}", "/api/items/7/more", None),
        ("api/items/{id?}", "/api/items", {}),
        ("api/files/{*rest}", "/api/files/a/b", {"rest": "a/b"}),
        ("api/files/{*rest}", "/api/files", {}),
        ("api/{name}.json", "/api/a.json", {"name": "a"}),
        ("/", "/", {}),
        ("/", "//", None),
    ],
)
def test_a_route_matches(template: str, path: str, expected: dict[str, str] | None) -> None:
    """Parameters take one segment, a rest takes all that follows, plain text ignores case."""
    assert match_route(parse_route(template), path) == expected


def test_a_route_that_cannot_be_read_is_refused() -> None:
    """Constraints are not served, and not silently ignored."""
    with pytest.raises(ValueError, match="id:guid"):
        parse_route("api/{id:guid}")


@pytest.mark.parametrize(
    ("path", "blob", "expected"),
    [
        ("tsd/{platform}/{template}/{day}.json", "troll/a/2024-01-01.json", True),
        ("tsd/{platform}/{template}/{day}.json", "troll/2024-01-01.json", False),
        ("tsd/{platform}/{template}/{day}.json", "troll/a/b/2024-01-01.json", True),
        ("tsd/{platform}/{template}/{day}.json", "troll/a/2024-01-01.json.bak", False),
        ("tsd/raw/{name}", "raw/x", True),
        ("tsd/raw/{name}", "raws/x", False),
        ("tsd", "anything/at/all", True),
    ],
)
def test_a_blob_path_matches(path: str, blob: str, expected: bool) -> None:
    """A parameter takes any text, slashes too, as on the platform."""
    container, pattern = parse_path(path)
    assert container == "tsd"
    assert (pattern.fullmatch(blob) is not None) is expected


def test_a_blob_path_needs_a_plain_container() -> None:
    """The container to scan must be known."""
    with pytest.raises(ValueError, match="container"):
        parse_path("{container}/{name}")


def test_settings_in_bindings_are_replaced_and_a_missing_one_is_named() -> None:
    """%NAME% becomes the setting's value."""
    assert expand("%A%/x/{name}.%B%", {"A": "lake", "B": "json"}, "here") == "lake/x/{name}.json"
    with pytest.raises(HostError, match=r"function f, path: there is no app setting 'MISSING'"):
        expand("%MISSING%/x", {}, "function f, path")


def test_the_environment_wins_over_the_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with Core Tools; a file that was asked for must be there."""
    path = tmp_path / "local.settings.json"
    path.write_text(json.dumps({"IsEncrypted": False, "Values": {"SAMPLE_ONE": "file", "SAMPLE_TWO": "file"}}))
    monkeypatch.setenv("SAMPLE_ONE", "environment")
    monkeypatch.setenv("SAMPLE_TWO", "removed at the test's end")
    monkeypatch.delenv("SAMPLE_TWO")
    load_settings(path, required=True)
    assert (os.environ["SAMPLE_ONE"], os.environ.pop("SAMPLE_TWO")) == ("environment", "file")
    with pytest.raises(HostError, match="no settings file"):
        load_settings(tmp_path / "absent.json", required=True)


def test_host_json_overrides_the_defaults(tmp_path: Path) -> None:
    """What host.json says counts; what it does not say is the platform's default."""
    path = tmp_path / "host.json"
    queues = {"batchSize": 2, "newBatchThreshold": 0, "visibilityTimeout": "00:01:30", "messageEncoding": "none"}
    path.write_text(json.dumps({"extensions": {"queues": queues, "http": {"routePrefix": ""}}}))
    settings = read_host_json(path)
    assert (settings.batch_size, settings.new_batch_threshold, settings.route_prefix) == (2, 0, "")
    assert (settings.visibility_timeout.total_seconds(), settings.message_encoding) == (90, "none")
    assert settings.max_dequeue_count == HostSettings().max_dequeue_count == 5
    path.write_text("{")
    with pytest.raises(HostError, match=r"host\.json is not JSON"):
        read_host_json(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", timedelta(minutes=30)),
        ('{"functionTimeout": "00:10:00"}', timedelta(minutes=10)),
        ('{"functionTimeout": "-1"}', None),
    ],
)
def test_the_function_timeout_is_read(tmp_path: Path, text: str, expected: timedelta | None) -> None:
    """The plan's own is half an hour; -1 is none."""
    path = tmp_path / "host.json"
    path.write_text(text)
    assert read_host_json(path).function_timeout == expected


def test_an_app_setting_wins_over_host_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any depth, as on the platform."""
    (tmp_path / "host.json").write_text('{"functionTimeout": "00:10:00", "extensions": {"queues": {"batchSize": 2}}}')
    monkeypatch.setenv("AzureFunctionsJobHost__functionTimeout", "00:00:05")
    monkeypatch.setenv("AzureFunctionsJobHost__extensions__queues__batchSize", "3")
    settings = read_host_json(tmp_path / "host.json")
    assert (settings.function_timeout, settings.batch_size) == (timedelta(seconds=5), 3)


def test_a_caller_is_not_kept_waiting_for_ever() -> None:
    """The caller gets an error, and the function goes on to its end."""
    may_end, ended = threading.Event(), threading.Event()

    def slow(req: func.HttpRequest) -> str:
        may_end.wait()
        ended.set()
        return "done"

    function = Function("slow", slow, {"type": "httpTrigger", "name": "req", "route": "slow"}, wants_context=False)
    router = Router([function], "api", Worker(), patience=0.05)
    client = Client(Request.application(router.serve))
    assert client.get("/api/slow").status_code == 504
    may_end.set()
    assert ended.wait(10)
    assert client.get("/api/slow").text == "done"


@pytest.mark.parametrize(
    ("rounds", "idle"),
    [
        (({"begun": 4, "settled": True}, {"begun": 4, "settled": True}), True),
        (({"begun": 4, "settled": True}, {"begun": 5, "settled": True}), False),
        (({"begun": 4, "settled": True}, {"begun": 4, "settled": False}), False),
        (({"begun": 4, "settled": False},), False),
    ],
)
def test_a_host_is_idle_when_two_rounds_find_the_same(
    monkeypatch: pytest.MonkeyPatch, rounds: tuple[dict[str, Any], ...], idle: bool
) -> None:
    """What passes from one process to another between two questions shows in the second round."""
    nothing = {"processId": 1, "queued": 0, "in_hand": 0, "invocations": 4, "failed": {}}
    answers = iter([nothing | one for one in rounds])
    monkeypatch.setattr("local.admin._ask", lambda _: next(answers))
    instance = Instance("http")
    admin = Admin(App("id", HostSettings(), ()), instance, Worker(), {}, [], {instance: "http://127.0.0.1:9"})
    answer = Client(Request.application(admin.answer)).get("/admin/host/idle").get_json()
    assert answer["idle"] is idle
    assert next(answers, None) is None


def test_a_host_may_be_asked_whether_it_is_idle_but_for_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements take minutes; who waits for scores need not wait for them."""
    function = Function("slow", lambda: None, {"type": "queueTrigger", "name": "message"}, wants_context=False)
    there = {Instance("http"): "quiet", Instance(group_of(function)): "busy"}
    nothing = {"processId": 1, "begun": 4, "queued": 0, "in_hand": 0, "invocations": 4, "failed": {}}
    monkeypatch.setattr("local.admin._ask", lambda address: nothing | {"settled": address == "quiet"})
    admin = Admin(App("id", HostSettings(), (function,)), Instance("http"), Worker(), {}, [], there)
    client = Client(Request.application(admin.answer))
    assert client.get("/admin/host/idle").get_json()["idle"] is False
    assert client.get("/admin/host/idle?without=slow").get_json()["idle"] is True


def test_functions_are_read_from_the_app_and_the_first_name_whose_route_fits_wins() -> None:
    """The sample's HTTP functions are served by their own metadata; disabled ones are not there."""
    settings = {"SAMPLE_SCHEDULE": "0 0 * * * *", "SAMPLE_NAME": "lake", "AzureWebJobs.tick.Disabled": "true"}
    functions = {f.name: f for f in load_functions("tests.support.host_sample_app", settings)}
    assert set(functions) == {"item", "exact_item", "files", "boom", "take", "see"}
    assert functions["take"].trigger["queueName"] == "lake"
    http = [f for f in functions.values() if f.kind == "httpTrigger"]
    router = Router(http, "api", Worker())
    client = Client(Request.application(router.serve))
    assert client.get("/api/items/special").text.startswith("exact_item ")
    assert client.put("/api/items/special").status_code == 404


class Looking(Trigger):
    """A trigger whose looks take a tenth of a second, and find something the first time only."""

    rest = 5

    def __init__(self) -> None:
        settings = HostSettings.model_validate({})
        super().__init__("looking", Runtime(settings, Worker(), Faults(), threading.Event(), "t", 1), threads=1)
        self.begun: list[float] = []
        self.thrice = threading.Event()

    def look(self) -> int:
        """Look slowly."""
        self.begun.append(time.monotonic())
        if len(self.begun) == 3:
            self.thrice.set()
            self.runtime.stop.set()
        self.thrice.wait(0.1)
        return int(len(self.begun) == 1)

    def queued(self) -> int:
        """Nothing waits."""
        return 0


def test_a_trigger_rests_after_a_slow_look_that_found_nothing_and_not_after_a_find() -> None:
    """However long it took to tell of what was found: more may have come meanwhile."""
    trigger = Looking()
    trigger.start()
    assert trigger.thrice.wait(10)
    first, second, third = trigger.begun
    assert third - second >= 0.6
    assert second - first < third - second


def test_a_storage_that_stood_still_does_not_make_a_trigger_rest_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the look took."""
    monkeypatch.setattr("local.triggers.LONGEST_REST", 0.1)
    trigger = Looking()
    trigger.rest = 100
    trigger.start()
    assert trigger.thrice.wait(5)


def test_faults_hold_events_back_but_lose_none() -> None:
    """Held events come when nothing is fresh; the seed decides the order."""
    now, held = Faults(shuffle=True, seed=1).order([], list(range(9)))
    assert (len(now), len(held)) == (6, 3)
    assert Faults(shuffle=True, seed=1).order([], list(range(9))) == (now, held)
    rest, left = Faults(shuffle=True).order(held, [])
    assert (sorted(now + rest), left) == (list(range(9)), [])
    assert Faults().order([], [2, 1]) == ([2, 1], [])
