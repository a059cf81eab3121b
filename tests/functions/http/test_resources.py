"""All that the older system kept in relations is created, read, changed and deleted by HTTP alone."""

import csv
import io
import json
import re
from urllib.parse import parse_qsl

import pytest

from tests.support.bodies import NEW_SENSOR, NEW_TEMPLATE, PLATFORM
from tests.support.filled import SENSOR, TEMPLATE
from tests.support.http_host import FilledHost

pytestmark = [pytest.mark.azurite, pytest.mark.xdist_group("http_resources")]


def test_platforms_templates_and_sensors_live_by_http_alone(host: FilledHost) -> None:
    """Created, listed, read, changed and deleted, each with every property of the older system."""
    made = host.ask("POST", "platforms", PLATFORM)
    assert (made.status_code, made.headers["Location"]) == (201, "/api/platforms/heidrun")
    assert host.get("platforms/heidrun") == {**PLATFORM, "templates": []}

    made = host.ask("POST", "platforms/heidrun/templates", NEW_TEMPLATE)
    assert (made.status_code, made.headers["Location"]) == (201, "/api/templates/heidrun-n")
    template = host.get("templates/heidrun-n")
    assert template == {
        **NEW_TEMPLATE,
        "platform": "heidrun",
        "sensors": [],
        "roof": False,
        "exampleGeometry": False,
    }
    assert [one["id"] for one in host.get("platforms/heidrun/templates")["items"]] == ["heidrun-n"]

    made = host.ask("POST", "templates/heidrun-n/sensors", NEW_SENSOR)
    assert (made.status_code, made.headers["Location"]) == (201, "/api/sensors/heidrun-n-1")
    sensor = host.get("sensors/heidrun-n-1")
    assert {name: sensor[name] for name in NEW_SENSOR} == NEW_SENSOR
    assert (sensor["pinned"], sensor["interactiveFeedback"], sensor["baseline"]) == (False, False, None)
    assert host.get("templates/heidrun-n")["sensors"] == ["heidrun-n-1"]

    assert host.ask("PATCH", "sensors/heidrun-n-1", {"interactiveFeedback": True}).json()["interactiveFeedback"] is True
    assert host.ask("PATCH", "sensors/heidrun-n-1", {"interactiveFeedback": False, "x": 2.5}).json()["x"] == 2.5
    assert host.ask("PUT", "sensors/heidrun-n-1/pin").json()["pinned"] is True
    pinned = host.get("sensors", pinned="true", platform="heidrun")["items"]
    assert [one["id"] for one in pinned] == ["heidrun-n-1"]
    assert host.ask("DELETE", "sensors/heidrun-n-1/pin").json()["pinned"] is False
    assert host.get("sensors", pinned="true", template="heidrun-n")["items"] == []
    assert host.ask("PATCH", "templates/heidrun-n", {"angleFromNorth": 25}).json()["angleFromNorth"] == 25
    assert host.ask("PATCH", "platforms/heidrun", {"name": "Heidrun A"}).json()["name"] == "Heidrun A"

    for path in ("sensors/heidrun-n-1", "templates/heidrun-n", "platforms/heidrun"):
        assert host.ask("DELETE", path).status_code == 204
        assert host.ask("GET", path).status_code == 404


def test_what_has_data_goes_only_by_force(host: FilledHost) -> None:
    """The refusal says what would go; forced, it is gone, with all that it said, and nothing else is."""
    before = host.snapshot()
    refused = host.ask("DELETE", "sensors/snorre-w-3")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:subsea-leak-detection:has-data")
    contents = refused.json()["contents"]
    assert (contents["scoredDays"], contents["baselineVersions"]) == (3, 1)
    assert host.snapshot() == before
    assert host.ask("DELETE", "sensors/snorre-w-3", query={"force": "true"}).status_code == 204
    assert host.ask("GET", "sensors/snorre-w-3/tsd").status_code == 404
    after = host.snapshot()
    names = host.app.settings.storage
    gone = {
        name: set(before[name]) - set(after[name])
        for name in before
        if isinstance(before[name], dict) and name != names.registry_table
    }
    deviations = gone.pop(names.deviations_table)
    assert {key[0] for key in deviations} == {"snorre-w-3"}
    assert len(deviations) == 3
    assert {one.partition("/")[0] for one in gone.pop(names.baselines_container)} == {"snorre-w-3"}
    assert not any(gone.values())
    assert host.get("sensors/snorre-w-2/tsd")["times"]


def test_a_sensors_history_is_read_as_it_was_written(host: FilledHost) -> None:
    """Readings, scores, incidents, estimations and events: newest first where they are things, in order as series."""
    tsd = host.get(f"sensors/{SENSOR}/tsd", **{"from": "2026-03-01T00:00:00Z", "to": "2026-03-04T00:00:00Z"})
    assert len(tsd["times"]) == 3 * 144
    scores = host.get(f"sensors/{SENSOR}/deviations", **{"from": "2026-03-01T00:00:00Z", "to": "2026-03-04T00:00:00Z"})
    assert "Critical" in scores["level"]
    (incident,) = host.get(f"templates/{TEMPLATE}/incidents")["items"]
    assert incident["id"] == host.incident.id
    assert host.get(f"incidents/{host.incident.id}") == incident
    (estimation,) = host.get(f"templates/{TEMPLATE}/estimations")["items"]
    assert estimation["incident"] == host.incident.id
    whole = host.get(f"incidents/{host.incident.id}/estimation")
    assert whole["verdict"] == estimation["verdict"]
    events = host.get(f"templates/{TEMPLATE}/events")["items"]
    assert {"incident_opened", "estimation"} <= {one["kind"] for one in events}
    assert [one["at"] for one in events] == sorted((one["at"] for one in events), reverse=True)
    assert host.get("events")["items"] == []


def test_lists_come_in_pages(host: FilledHost) -> None:
    """Page after page by the continuation, or by the link: nothing is left out and nothing comes twice."""
    for hour in range(5):
        note = {"message": f"Round {hour}", "by": "A. Person", "at": f"2026-03-03T0{hour}:00:00Z"}
        assert host.ask("POST", "templates/snorre-m/events", note).status_code == 201
    whole = host.get("templates/snorre-m/events")["items"]
    assert [one["message"] for one in whole] == [f"Round {hour}" for hour in (4, 3, 2, 1, 0)]
    seen, query = [], {"limit": "2"}
    for expected in (2, 2, 1):
        answer = host.ask("GET", "templates/snorre-m/events", query=query)
        page = answer.json()
        assert len(page["items"]) == expected
        seen += page["items"]
        if page["continuation"] is not None:
            assert f"continuation={page['continuation']}" in answer.headers["Link"].replace("%3A", ":")
            query["continuation"] = page["continuation"]
    assert page["continuation"] is None
    assert seen == whole


def test_events_are_added_changed_and_deleted_by_people(host: FilledHost) -> None:
    """A note is a person's to change; what the system tells of itself stays as it was told."""
    made = host.ask("POST", f"templates/{TEMPLATE}/events", {"message": "ROV at P1\nall quiet", "by": "A. Person"})
    path = made.headers["Location"].removeprefix("/api/")
    assert host.get(path) == made.json()
    assert host.ask("PATCH", path, {"message": "ROV at P2"}).json()["message"] == "ROV at P2"
    assert host.ask("DELETE", path).status_code == 204
    assert host.ask("GET", path).status_code == 404
    event = next(one for one in host.get(f"templates/{TEMPLATE}/events")["items"] if one["kind"] == "incident_opened")
    for method, body in (("PATCH", {"message": "nothing"}), ("DELETE", None)):
        refused = host.ask(method, f"templates/{TEMPLATE}/events/{event['id']}", body)
        assert (refused.status_code, "only notes" in refused.json()["detail"]) == (400, True)


def test_only_who_saw_the_newest_state_changes_it(host: FilledHost) -> None:
    """Two people read; the second write is refused, and reading again helps. An unchanged read is a 304."""
    first = host.ask("GET", "sensors/snorre-w-1")
    tag = first.headers["ETag"]
    unchanged = host.ask("GET", "sensors/snorre-w-1", headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    changed = host.ask("PATCH", "sensors/snorre-w-1", {"name": "First"}, headers={"If-Match": tag})
    assert changed.status_code == 200
    before = host.snapshot()
    for method, path, body in (
        ("PATCH", "sensors/snorre-w-1", {"name": "Second"}),
        ("PUT", "sensors/snorre-w-1/pin", None),
        ("DELETE", "sensors/snorre-w-1", None),
    ):
        late = host.ask(method, path, body, headers={"If-Match": tag})
        assert (late.status_code, late.json()["type"]) == (412, "urn:subsea-leak-detection:precondition-failed")
    assert host.snapshot() == before
    again = host.ask("GET", "sensors/snorre-w-1", headers={"If-None-Match": tag})
    assert (again.status_code, again.json()["name"], again.headers["ETag"]) == (200, "First", changed.headers["ETag"])
    second = host.ask("PATCH", "sensors/snorre-w-1", {"name": ""}, headers={"If-Match": again.headers["ETag"]})
    assert second.headers["ETag"] == tag


def test_series_are_csv_for_who_asks(host: FilledHost) -> None:
    """The same columns, a line for each time."""
    query = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z", "resolution": "1h"}
    answer = host.ask("GET", f"sensors/{SENSOR}/tsd", headers={"Accept": "text/csv"}, query=query)
    lines = answer.text.splitlines()
    shown = host.get(f"sensors/{SENSOR}/tsd", **query)
    assert lines[0] == "time,min,mean,max,samples,bad"
    assert len(lines) == 25
    assert [line.split(",")[2] for line in lines[1:]] == [str(one) for one in shown["mean"]]


def test_every_series_takes_the_times_that_programs_write(host: FilledHost) -> None:
    """A date or a timestamp without a zone is the same moment in UTC, wherever a query asks for one."""
    for path in (f"sensors/{SENSOR}/tsd", f"sensors/{SENSOR}/deviations", f"templates/{TEMPLATE}/series"):
        asked = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}
        loose = {"from": "2026-03-02", "to": "2026-03-03 00:00:00+00:00"}
        assert host.get(path, **loose) == host.get(path, **asked)


def numbers_in(text: str) -> list[str]:
    """Return the numbers that JSON holds, as they are written."""
    found: list[str] = []

    def keep(number: str) -> float:
        found.append(number)
        return 0.0

    json.loads(text, parse_float=keep)
    return found


def test_no_number_has_binary_noise(host: FilledHost) -> None:
    """Nowhere in the API is a float with more digits than a double has, nor a reading with more than a sensor's."""
    incident = f"incidents/{host.incident.id}"
    paths = ["sensors", "platforms", f"templates/{TEMPLATE}", incident, f"{incident}/estimation", "health"]
    for path in (*paths, f"sensors/{SENSOR}/baseline", f"sensors/{SENSOR}/feedback"):
        for one in numbers_in(host.ask("GET", path).text):
            assert len(re.sub(r"e.*|[-.]", "", one).lstrip("0")) <= 12, (path, one)
    for path in (f"sensors/{SENSOR}/tsd", f"sensors/{SENSOR}/deviations", f"templates/{TEMPLATE}/series"):
        found = numbers_in(host.ask("GET", path, query={"from": "2026-03-01", "to": "2026-03-03"}).text)
        assert found
        assert max(len(re.sub(r"e.*|[-.]", "", one).strip("0")) for one in found) <= 7


LISTS = (
    "platforms",
    "platforms/snorre/templates",
    "sensors",
    f"templates/{TEMPLATE}/sensors",
    f"templates/{TEMPLATE}/incidents",
    f"templates/{TEMPLATE}/estimations",
    f"templates/{TEMPLATE}/events",
    "events",
    f"sensors/{SENSOR}/feedback",
)


@pytest.mark.parametrize("path", LISTS)
def test_every_list_is_csv_for_who_asks(host: FilledHost, path: str) -> None:
    """A line for each item, with what the item has; the next page's address is beside it."""
    answer = host.ask("GET", path, headers={"Accept": "text/csv"})
    items = host.get(path)["items"]
    assert answer.headers["Content-Type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(lines) == len(items)
    for line, item in zip(lines, items, strict=True):
        assert [line[name] for name in ("id", "message", "incident") if isinstance(item.get(name), str)] == [
            item[name] for name in ("id", "message", "incident") if isinstance(item.get(name), str)
        ]
    plain = {name for item in items for name, value in item.items() if not isinstance(value, dict)}
    assert plain - set(answer.text.splitlines()[0].split(",")) <= {
        name for item in items for name, value in item.items() if value is None
    }


def test_a_lists_csv_says_where_it_goes_on(host: FilledHost) -> None:
    """By the same header as JSON."""
    answer = host.ask("GET", f"templates/{TEMPLATE}/events", headers={"Accept": "text/csv"}, query={"limit": "1"})
    assert len(answer.text.splitlines()) == 2
    assert 'rel="next"' in answer.headers["Link"]


def test_a_templates_series_is_csv_for_who_asks(host: FilledHost) -> None:
    """A column for each sensor and what is told of it."""
    asked = {"from": "2026-03-02", "to": "2026-03-03", "points": "24"}
    answer = host.ask("GET", f"templates/{TEMPLATE}/series", headers={"Accept": "text/csv"}, query=asked)
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    shown = next(one for one in host.get(f"templates/{TEMPLATE}/series", **asked)["sensors"] if one["sensor"] == SENSOR)
    assert lines[0]["time"] == "2026-03-02T00:00:00Z"
    assert [line[f"{SENSOR}.mean"] for line in lines] == [str(one) for one in shown["mean"]]
    assert {line[f"{SENSOR}.level"] for line in lines} <= {"Ok", "Warning", "Critical", "Undefined"}


def test_the_sea_comes_as_json_and_as_csv(host: FilledHost) -> None:
    """The same columns as lines, in the order of the contract."""
    asked = {"from": "2026-03-02", "to": "2026-03-03", "points": "24"}
    found = host.get(f"templates/{TEMPLATE}/environment", **asked)
    assert len(found["times"]) == 24
    answer = host.ask("GET", f"templates/{TEMPLATE}/environment", headers={"Accept": "text/csv"}, query=asked)
    lines = answer.text.splitlines()
    assert lines[0] == "time,current_speed_m_s,current_direction_deg,wave_height_m,wave_period_s,temperature_c"
    speeds = ["" if one is None else str(one) for one in found["currentSpeedMS"]]
    assert [line.split(",")[1] for line in lines[1:]] == speeds


def test_a_leak_that_is_not_there_is_simulated_and_stored_nowhere(host: FilledHost) -> None:
    """What-if: twice the rate reads twice as much; what no sea can hold is refused."""
    before = host.snapshot()
    leak = {"x": 0, "y": 0, "z": 1, "rateKgS": 1e-4, "onset": "2026-03-01T06:00:00Z"}
    asked = {"leak": leak, "from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z"}
    one = host.ask("POST", f"templates/{TEMPLATE}/simulate", asked).json()
    two = host.ask("POST", f"templates/{TEMPLATE}/simulate", {**asked, "leak": {**leak, "rateKgS": 2e-4}}).json()
    assert len(one["times"]) == 144
    assert max(map(max, one["ppmv"])) > 0
    for row, twice in zip(one["ppmv"], two["ppmv"], strict=True):
        assert twice == pytest.approx([2 * value for value in row], abs=2e-6)
    place = {name: leak[name] for name in ("x", "y", "z", "rateKgS")}
    chances = host.ask("POST", f"templates/{TEMPLATE}/detectability", place).json()
    assert (chances["chances"] == []) == (chances["unknown"] is not None)
    refused = host.ask("POST", f"templates/{TEMPLATE}/simulate", {**asked, "leak": {**leak, "rateKgS": 999.0}})
    assert refused.status_code == 400
    assert "pure methane is 1000000 ppmv" in refused.json()["detail"]
    assert host.snapshot() == before


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("platforms/nowhere", 404, "platform 'nowhere' is not registered"),
        ("templates/askeladd-q", 404, "template 'askeladd-q'"),
        ("templates/x' or '1' eq '1", 400, "template: must be a template's id"),
        ("sensors/snorre-w-9", 404, "sensor 'snorre-w-9'"),
        ("sensors/snorre-w-1/tsd?from=yesterday", 400, "from: must be ISO 8601"),
        (
            "sensors/snorre-w-1/tsd?from=2026-03",
            400,
            "from: must be ISO 8601, such as 2026-01-31T12:00:00Z or 2026-01-31",
        ),
        ("templates/snorre-w/series?to=NaT", 400, "to: must be ISO 8601"),
        ("sensors/snorre-w-1/tsd?from=2020-01-01T00:00:00Z", 400, "at most 1100 days"),
        ("sensors/snorre-w-1/tsd?from=2026-04-01T00:00:00Z", 400, "must be before to"),
        ("sensors/snorre-w-1/tsd?form=2026-03-01T00:00:00Z", 400, "form: "),
        ("incidents/snorre-w-20260231T0000Z", 400, "not an id of an incident"),
        ("incidents/snorre-w-20200101T0000Z", 404, "is not stored"),
        ("events?limit=0", 400, "limit: "),
        ("events?limit=1001", 400, "limit: "),
    ],
)
def test_a_refusal_says_what_was_expected(host: FilledHost, path: str, status: int, words: str) -> None:
    """The property, what it should be, and the invocation by whose id the log tells more."""
    answer = host.ask("GET", path.partition("?")[0], query=dict(parse_qsl(path.partition("?")[2])))
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)
    assert words in problem["detail"]
    assert problem["invocationId"]
    if status == 400:
        assert all(one["property"] and one["expected"] for one in problem["errors"])
        assert problem["errors"]
