"""What keeps alarms from calling, over HTTP: said, read, changed and ended, by whom, on what was seen."""

from typing import Any

import pytest

from tests.support.bodies import BODIES, LATER
from tests.support.filled import SENSOR, TEMPLATE
from tests.support.http_host import FilledHost

pytestmark = [pytest.mark.azurite, pytest.mark.xdist_group("http_suppressions")]

SAID = {"reason": "trawlers", "by": "A. Person"}


def listed(host: FilledHost, **query: str) -> list[tuple[str, str]]:
    """Return kinds and states of what is listed, in order."""
    return [(one["kind"], one["state"]) for one in host.get("suppressions", **query)["items"]]


def alarm(host: FilledHost, **query: str) -> Any:
    """Return the alarm of the incident."""
    return host.get(f"alarms/{host.incident.id}", **query)


def test_a_template_is_shelved_and_its_alarm_called_by_nobody(host: FilledHost) -> None:
    """Until somebody ends it; the journal has both, and the alarm as of between them was suppressed."""
    assert alarm(host)["suppressedBy"] == []
    made = host.ask("POST", f"templates/{TEMPLATE}/shelve", {**SAID, "until": LATER})
    one = made.json()
    assert (made.status_code, made.headers["Location"]) == (201, f"/api/suppressions/{one['id']}")
    assert (one["kind"], one["template"], one["to"], one["state"], one["by"]) == (
        *("shelved", TEMPLATE, LATER, "in force", "A. Person"),
    )
    assert host.get(f"suppressions/{one['id']}") == one
    assert alarm(host)["suppressedBy"] == alarm(host, asOf=one["said"])["suppressedBy"] == [one["id"]]
    assert host.get("alarms", template=TEMPLATE)["items"][0]["suppressedBy"] == [one["id"]]
    assert listed(host, template=TEMPLATE, inForce="true") == [("shelved", "in force")]
    assert listed(host, platform="troll") == listed(host, template=TEMPLATE, inForce="false") == []
    assert host.ask("DELETE", f"suppressions/{one['id']}").status_code == 400  # by nobody
    ended = host.ask("DELETE", f"suppressions/{one['id']}", query={"by": "B. Person"}).json()
    assert (ended["state"], ended["ended"]["by"]) == ("over", "B. Person")
    assert alarm(host)["suppressedBy"] == []
    kinds = [entry["kind"] for entry in host.get("journal", template=TEMPLATE, limit="1000")["items"]]
    assert [kind for kind in kinds if kind in ("shelved", "suppression_ended")] == ["suppression_ended", "shelved"]


def test_an_operation_is_changed_and_called_off_as_it_was_seen(host: FilledHost) -> None:
    """Whoever saw another one changes nothing; at the sensors its range is marked as what it is."""
    one = host.ask("POST", "operations", BODIES["plan_operation"]).json()
    path = f"suppressions/{one['id']}"
    assert one["state"] == "planned"
    marks = host.get(f"sensors/{SENSOR}/feedback")["items"]
    (mark,) = [found for found in marks if found["verdict"] == "planned"]
    assert (mark["from"], mark["to"], mark["by"]) == (one["from"], one["to"], "A. Person")
    assert host.ask("DELETE", f"sensors/{SENSOR}/feedback/{mark['id']}").status_code == 400
    seen = host.ask("GET", path).headers["ETag"]
    change = {"to": "2026-03-08T06:00:00Z", "by": "B. Person"}
    changed = host.ask("PATCH", path, change, headers={"If-Match": seen})
    assert (changed.status_code, changed.json()["to"], changed.json()["reason"]) == (200, change["to"], one["reason"])
    assert host.ask("PATCH", path, {**change, "reason": "x"}, headers={"If-Match": seen}).status_code == 412
    assert host.ask("POST", "operations", BODIES["plan_operation"]).status_code == 409
    newest = host.ask("GET", path).headers["ETag"]
    ended = host.ask("DELETE", path, query={"by": "B. Person"}, headers={"If-Match": newest})
    assert (ended.status_code, ended.json()["state"]) == (200, "over")
    counting = [found for found in host.get(f"sensors/{SENSOR}/feedback")["items"] if found["undone"] is None]
    assert all(found["verdict"] != "planned" for found in counting)


@pytest.mark.parametrize(
    ("method", "path", "body", "word"),
    [
        ("POST", f"templates/{TEMPLATE}/shelve", {**SAID, "until": "2026-03-12T00:00:00Z"}, "at most 7 days"),
        ("POST", f"templates/{TEMPLATE}/shelve", {**SAID, "until": "2026-03-03T00:00:00Z"}, "in the future"),
        ("POST", f"templates/{TEMPLATE}/shelve", {"reason": "why", "until": LATER}, "by: must be given"),
        ("POST", f"sensors/{SENSOR}/out-of-service", {**SAID, "until": "2026-05-01T00:00:00Z"}, "at most 31 days"),
        ("POST", "operations", {**BODIES["plan_operation"], "platform": "snorre"}, "and not both"),
        ("POST", "operations", {**BODIES["plan_operation"], "template": None}, "and not both"),
        ("POST", "operations", {**BODIES["plan_operation"], "operation": "fishing"}, "operation: "),
        ("POST", "operations", {**BODIES["plan_operation"], "to": LATER}, "from: must be before to"),
    ],
)
def test_what_may_not_be_said_is_refused_with_a_reason(
    host: FilledHost, method: str, path: str, body: Any, word: str
) -> None:
    """And changes nothing."""
    before = host.snapshot()
    answer = host.ask(method, path, body)
    assert answer.status_code == 400
    assert word in answer.json()["detail"]
    assert host.snapshot() == before


def test_a_sensor_that_is_out_of_service_is_not_watched(host: FilledHost) -> None:
    """Lists say so beside its newest sample."""
    one = host.ask("POST", f"sensors/{SENSOR}/out-of-service", {**SAID, "until": LATER}).json()
    for path, query in ((f"templates/{TEMPLATE}/sensors", {}), ("sensors", {"platform": "snorre"}), ("sensors", {})):
        listed = {found["id"]: found for found in host.get(path, **query)["items"]}
        assert listed[SENSOR]["unwatched"] == {"why": "out of service", "since": one["from"]}
        assert listed["snorre-w-1"]["unwatched"] is None
    host.ask("DELETE", f"suppressions/{one['id']}", query={"by": "B. Person"})
    assert host.get("sensors", template=TEMPLATE)["items"][1]["unwatched"] is None


def test_a_list_comes_in_pages(host: FilledHost) -> None:
    """What begins last comes first."""
    for day in (10, 11, 12):
        times = {"from": f"2026-03-{day}T06:00:00Z", "to": f"2026-03-{day}T08:00:00Z"}
        body = {**BODIES["plan_operation"], **times, "platform": "askeladd"}
        del body["template"]
        assert host.ask("POST", "operations", body).status_code == 201
    first = host.get("suppressions", platform="askeladd", limit="2")
    rest = host.get("suppressions", platform="askeladd", limit="2", continuation=first["continuation"])
    found = [one["from"][8:10] for one in (*first["items"], *rest["items"])]
    assert (found, rest["continuation"]) == (["12", "11", "10"], None)
