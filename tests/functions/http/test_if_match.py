"""If-Match: who changes something on what they saw changes nothing else; it is looked at, or the change is refused."""

from typing import Any

import pytest

from functions.http.endpoint import ENDPOINTS
from tests.support.bodies import BODIES, QUERIES
from tests.support.filled import SENSOR, TEMPLATE
from tests.support.http_host import FilledHost

pytestmark = [pytest.mark.azurite, pytest.mark.xdist_group("http_if_match")]

STALE = '"0123456789abcdef0123456789abcdef"'
PRECONDITION = (412, "urn:subsea-leak-detection:precondition-failed")


def refusal(answer: Any) -> tuple[int, str]:
    """Return what a refusal says."""
    return answer.status_code, answer.json()["type"]


@pytest.mark.usefixtures("http_functions")  # which register all endpoints
def test_no_change_is_made_on_a_tag_that_is_stale(host: FilledHost) -> None:
    """By any endpoint that changes something, whether it offers tags (the contract says so) or not."""
    made = host.ask("POST", f"templates/{TEMPLATE}/events", {"message": "ROV at P1", "by": "A. Person"})
    names = {
        "platform": "snorre",
        "template": TEMPLATE,
        "sensor": SENSOR,
        "event": made.json()["id"],
        "suppression": host.planned().id,
        "mark": host.app.baseline_queries.marks(SENSOR)[0].mark.id,
        "valid_from": "2026-03-01",
        "incident": host.incident.id,
    }
    before = host.snapshot()
    changing = [one for one in ENDPOINTS if one.method != "GET"]
    for one in changing:
        path = one.route.format(**names)
        for headers in ({"If-Match": STALE}, {"If-Match": f"W/{STALE}"}):
            answer = host.ask(one.method, path, BODIES.get(one.name), headers=headers, query=QUERIES.get(one.name))
            assert refusal(answer) == PRECONDITION, one.name
        described = host.contract.endpoints[one.name][2]
        offered = any(parameter["name"] == "If-Match" for parameter in described["parameters"])
        assert ("is not offered here" in answer.json()["detail"]) != offered, one.name
    assert host.snapshot() == before
    assert {one.name for one in changing if one.conditional} >= {"undo_mark", "delete_note", "delete_sensor"}


def test_a_mark_is_withdrawn_as_it_was_seen(host: FilledHost) -> None:
    """Somebody withdrew it and gave it again meanwhile: it is another one now, though it has the same name."""
    path = f"sensors/{SENSOR}/feedback"
    made = host.ask("POST", path, {**BODIES["add_mark"], "verdict": "leak"})
    mark = f"{path}/{made.json()['id']}"
    seen = host.ask("GET", mark).headers["ETag"]
    assert host.ask("DELETE", mark, headers={"If-Match": seen}).status_code == 202
    host.ask("POST", path, {**BODIES["add_mark"], "verdict": "leak", "by": "B. Person"})
    assert refusal(host.ask("DELETE", mark, headers={"If-Match": seen})) == PRECONDITION
    assert host.get(mark)["undone"] is None
    newest = host.ask("GET", mark).headers["ETag"]
    undone = host.ask("DELETE", mark, headers={"If-Match": newest})
    assert (undone.status_code, undone.json()["by"], undone.json()["undone"] is None) == (202, "B. Person", False)
