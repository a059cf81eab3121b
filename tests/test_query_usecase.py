"""Query: what is asked for wrongly is refused by name; what is stored is given back as columns."""

import json
from datetime import UTC, datetime, timedelta

import azure.functions as func
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.http import Columns, answer, camel, limit_of, plain, to_json
from shared.errors import CorruptBlob, InvalidInput, LeakDetectionError, NotFound
from shared.usecases.query import Query, TimeRange
from tests.examples import DAY, NOW, at, document, history, noise, platform, quiet_baseline, template
from tests.fakes import FakeClock, World

TEMPLATE = template()


def query() -> Query:
    """Return the use case on a world with one scored day."""
    world = World()
    world.registry.add(platform(TEMPLATE))
    world.baselines.put("troll-a-1", quiet_baseline())
    world.registry.histories.set("troll-a-1", history("troll-a-1", quiet_baseline().version, DAY))
    world.lake.cells.set((TEMPLATE.id, DAY), document(TEMPLATE, DAY, s1=noise(1), s2=noise(2)))
    world.detect.run("troll", TEMPLATE.id, DAY)
    return Query(
        world.registry,
        world.deviations,
        world.incidents,
        world.estimations,
        world.events,
        world.messages,
        FakeClock(NOW),
    )


def span(start: str | None = None, end: str | None = None) -> TimeRange:
    """Return a range as a request gives it: a week by default, a year at most."""
    return TimeRange.parse(start, end, NOW, timedelta(days=7), timedelta(days=366))


def test_samples_are_cut_to_the_range() -> None:
    """The start belongs to the range, the end does not."""
    samples = query().samples("troll-a-1", TimeRange(at(DAY, 6), at(DAY, 7)))
    assert samples.times.tolist() == [at(DAY, 6).replace(tzinfo=None) + n * timedelta(minutes=10) for n in range(6)]
    assert samples.ppmv.tolist() == noise(1)[36:42].tolist()


def test_an_empty_range_has_empty_columns() -> None:
    """A sensor without data in the range is no error."""
    samples = query().samples("troll-a-1", TimeRange(at(DAY, -48), at(DAY, -24)))
    assert (samples.times.size, samples.score.size) == (0, 0)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("soon", None, "from: must be ISO 8601"),
        (None, "2026-03-01T00:00:00", "to: must have a time zone"),
        ("2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z", "from: must be before to"),
        ("2020-03-02T00:00:00Z", None, "at most 366 days"),
        ("0001-01-01T00:00:00+14:00", None, "outside the calendar"),
        (None, "0001-01-02T00:00:00Z", "outside the calendar"),
    ],
)
def test_a_wrong_range_is_refused_by_name(start: str | None, end: str | None, words: str) -> None:
    """The message says which of the two is wrong and what is expected."""
    with pytest.raises(InvalidInput, match=words):
        span(start, end)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_for_a_range_is_a_range_or_refused(start: str, end: str) -> None:
    """No text makes another error than InvalidInput."""
    try:
        found = span(start, end)
    except InvalidInput:
        return
    assert found.start < found.end


@given(st.text(max_size=60))
def test_any_text_for_an_id_is_refused_or_not_found(text: str) -> None:
    """Whatever stands in a route, it reaches no filter and no path unless it is an id."""
    asked = query()
    for method in (asked.platform, asked.template, asked.sensor, asked.incident, asked.estimation, asked.incidents):
        with pytest.raises((InvalidInput, NotFound)):
            method(text)


def test_health_says_what_is_behind() -> None:
    """A template that was never ingested is stale; poison anywhere degrades."""
    health = query().health()
    assert health["status"] == "degraded"
    (one,) = health["templates"]
    assert (one["template"], one["ingestedUntil"], one["sensorsWithBaseline"], one["stale"]) == (
        "troll-a",
        None,
        1,
        True,
    )
    assert health["queues"]["critical-deviations-poison"] == 0


class Context(func.Context):
    """An invocation with a known id."""

    invocation_id = "an-id"
    function_name = function_directory = "x"
    trace_context = retry_context = thread_local_storage = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (InvalidInput("limit: must be less"), 400, "invalid-input"),
        (NotFound("sensor 'x'"), 404, "not-found"),
        (CorruptBlob("secret path"), 500, "internal-error"),
        (ZeroDivisionError("secret detail"), 500, "internal-error"),
        (LeakDetectionError("secret"), 500, "internal-error"),
    ],
)
def test_errors_become_problems_without_inner_details(error: Exception, status: int, kind: str) -> None:
    """The type is stable, the invocation's id is there, and what is ours to know stays with us."""

    def work() -> None:
        raise error

    response = answer(Context(), work)
    body = json.loads(response.get_body())
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    assert (body["type"], body["invocationId"]) == (f"urn:subsea-leak-detection:{kind}", "an-id")
    assert "secret" not in body["detail"]


def test_bodies_are_camel_case_with_utc_times_and_null_for_nan() -> None:
    """One way to write everything."""
    value = {"when": datetime(2026, 3, 1, tzinfo=UTC), "day": DAY, "bad": float("nan"), "column": Columns([1, None])}
    assert json.loads(to_json(value)) == {
        "when": "2026-03-01T00:00:00Z",
        "day": "2026-03-01",
        "bad": None,
        "column": [1, None],
    }
    assert plain(TEMPLATE)["angleFromNorth"] == 0.0
    assert plain(TEMPLATE)["sensors"][0]["interactiveFeedback"] is False
    assert (camel("low_90"), camel("region_50_m3")) == ("low90", "region50M3")


@pytest.mark.parametrize("text", ["0", "-1", "1001", "1e3", "٣", "", "9" * 400])
def test_a_wrong_limit_is_refused(text: str) -> None:
    """Only whole numbers inside the bounds."""
    request = func.HttpRequest("GET", "/", params={"limit": text}, body=b"")
    with pytest.raises(InvalidInput, match="limit: must be a whole number"):
        limit_of(request, 100, 1000)
    assert limit_of(func.HttpRequest("GET", "/", body=b""), 100, 1000) == 100


def test_scores_are_columns_without_nan() -> None:
    """JSON has no NaN: an Undefined sample's score is null."""
    from functions.query import _column

    assert _column(np.array([1.0, np.nan, np.inf])).values == [1.0, None, None]
