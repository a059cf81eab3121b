"""What people say of alarms and baselines, over HTTP: accepted, shown with what it changed, refused by field."""

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from shared.usecases.queries.baselines import BaselineQueries
from tests.support.fakes import World
from tests.support.http_calls import HttpFunctions
from tests.support.learning import ONE, TEMPLATE, alarmed, computing_once, feedback, follow

Ask = Callable[..., tuple[int, Any]]


@pytest.fixture(autouse=True)
def _fast() -> Iterator[None]:
    """Compute everything once, however often a test runs."""
    with computing_once():
        yield


@pytest.fixture
def target() -> World:
    """A world that alarmed."""
    return alarmed()


@pytest.fixture
def ask(target: World, monkeypatch: pytest.MonkeyPatch, http_functions: HttpFunctions) -> Ask:
    """Return a function that calls an HTTP function for the first sensor: status and body."""
    from functions.api import baseline
    from functions.api import feedback as marks

    queries = BaselineQueries(registry=target.registry, marks_table=target.marks, deviations=target.deviations)
    for module in (baseline, marks):
        monkeypatch.setattr(
            module, "app", lambda: SimpleNamespace(feedback=feedback(target, 21), baseline_queries=queries)
        )

    def call(name: str, body: Any = None, **route: str) -> tuple[int, Any]:
        answer = http_functions.call(name, body, route={"sensor": ONE} | route)
        return answer.status, answer.body

    return call


GOOD = {"from": "2026-03-20T10:00:00Z", "to": "2026-03-21T20:00:00+00:00", "verdict": "no_leak", "by": "A. Person"}


def test_a_mark_goes_its_way_over_http(ask: Ask, target: World) -> None:
    """It is accepted, listed with what it changed, seen in the history, and taken back."""
    status, mark = ask("add_mark", GOOD)
    assert (status, mark["from"], mark["verdict"], mark["undone"]) == (202, "2026-03-20T10:00:00Z", "no_leak", None)
    follow(target)
    status, listed = ask("list_marks")
    (shown,) = listed["items"]
    assert (status, shown["id"], shown["after"]["critical"]) == (200, mark["id"], 0)
    assert shown["before"]["critical"] > 0
    status, body = ask("get_baseline")
    assert status == 200
    assert body["current"] == body["changes"][1]["version"]
    assert body["changes"][1]["recipe"]["included"] == [{"from": "2026-03-20T10:00:00Z", "to": "2026-03-21T20:00:00Z"}]
    assert body["changes"][0]["recipe"]["days"] == [{"first": "2026-03-01", "last": "2026-03-14"}]
    status, undone = ask("undo_mark", mark=mark["id"])
    assert (status, undone["undone"]) == (202, "2026-03-22T00:00:00Z")


def test_a_baseline_is_undone_over_http(ask: Ask, target: World) -> None:
    """The answer shows the change as it will be."""
    status, body = ask("undo_baseline", {"undone": True}, valid_from="2026-03-18")
    assert (status, body["undone"], body["validFrom"]) == (202, True, "2026-03-18")
    assert target.messages.baselines == [TEMPLATE.id]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"from": "yesterday"}, "from: "),
        ({"to": "2026-03-20T20:00:00"}, "to: "),
        ({"to": "2026-03-20T09:00:00Z"}, "from: must be before to"),
        ({"verdict": "perhaps"}, "verdict: "),
        ({"by": ""}, "by: "),
        ({"note": "x" * 1001}, "note: "),
        ({"when": 1}, "when: "),
    ],
)
def test_a_wrong_body_is_refused_by_field(ask: Ask, change: Mapping[str, Any], words: str) -> None:
    """The problem names what is wrong."""
    status, problem = ask("add_mark", {**GOOD, **change})
    assert status == 400
    assert words in problem["detail"]


def test_wrong_requests_are_problems(ask: Ask) -> None:
    """No JSON, no day, no such thing."""
    for name, body, route, code, words in (
        ("add_mark", b"{", {}, 400, "body: "),
        ("undo_baseline", {"undone": "yes"}, {"valid_from": "2026-03-18"}, 400, "undone: "),
        ("undo_baseline", {"undone": True}, {"valid_from": "2026-02-30"}, 400, "valid_from: must be a day"),
        ("undo_baseline", {"undone": True}, {"valid_from": "2026-03-19"}, 404, "no baseline that is valid from"),
        ("undo_mark", None, {"mark": "0123456789abcdef"}, 404, "is not stored"),
        ("list_marks", None, {"sensor": "troll-a-9"}, 404, "troll-a-9"),
        ("get_baseline", None, {"sensor": "x"}, 400, "sensor: must be a sensor's id"),
    ):
        status, problem = ask(name, body, **route)
        assert status == code
        assert words in problem["detail"]
