"""HTTP answers: an ETag names a representation; whoever has it is told so, whoever has another one cannot write."""

import gzip
import json

import azure.functions as func
import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from hypothesis import given
from hypothesis import strategies as st

from functions.http.problem import problem_of
from functions.http.reply import ListingBody, Reply, etag_of, if_match, names, prefers, response_of, takes_gzip
from shared.domain.validation import Model
from shared.errors import Conflict, NewerSchema, PreconditionFailed


class Thing(Model):
    """Something to show."""

    some_number: float


THING = Thing(some_number=1.5)


def request(method: str = "GET", url: str = "http://h/api/things/1", **headers: str) -> func.HttpRequest:
    """Return a request with these headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return func.HttpRequest(method=method, url=url, headers=named, params={}, route_params={}, body=b"")


def test_an_answer_has_camel_case_names_and_a_tag() -> None:
    """What is shown is JSON, and its tag is the content's."""
    answer = response_of(request(), Reply(THING))
    assert json.loads(answer.get_body()) == {"someNumber": 1.5}
    assert answer.headers["ETag"] == etag_of(answer.get_body())
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_who_has_it_gets_304_without_a_body() -> None:
    """The tag may be weak, one of several, or any."""
    tag = response_of(request(), Reply(THING)).headers["ETag"]
    for header in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = response_of(request(If_None_Match=header), Reply(THING))
        assert (answer.status_code, answer.get_body(), answer.headers["ETag"]) == (304, b"", tag)
    assert response_of(request(If_None_Match='"other"'), Reply(THING)).status_code == 200
    assert response_of(request("POST", If_None_Match=tag), Reply(THING)).status_code == 200


def test_a_number_that_is_none_is_null() -> None:
    """JSON has no NaN."""
    assert response_of(request(), Reply(Thing(some_number=float("nan")))).get_body() == b'{"someNumber":null}'


def test_only_who_has_seen_it_may_change_it() -> None:
    """If-Match wants the strong tag; without it nobody asks."""
    tag = response_of(request(), Reply(THING)).headers["ETag"]
    if_match(request("PATCH"), THING)
    if_match(request("PATCH", If_Match=tag), THING)
    if_match(request("PATCH", If_Match="*"), THING)
    for header in ('"other"', f"W/{tag}", "", "nonsense"):
        with pytest.raises(PreconditionFailed, match="If-Match"):
            if_match(request("PATCH", If_Match=header), THING)


@given(st.text(max_size=60))
def test_any_header_is_an_answerable_one(header: str) -> None:
    """Nothing that a client sends there breaks anything."""
    assert names(header, '"a"', weakly=True) in (True, False)


def test_the_next_page_is_linked_without_the_key() -> None:
    """The address keeps the filters, and no secret."""
    page = ListingBody[Thing](items=(THING,), continuation="abc")
    answer = response_of(request(url="http://h/api/things?limit=2&code=secret&continuation=old"), Reply(page))
    assert answer.headers["Link"] == '</api/things?limit=2&continuation=abc>; rel="next"'


def test_what_was_created_is_told_by_its_path() -> None:
    """Below the root that the caller used."""
    answer = response_of(request("POST"), Reply(THING, location="things/2"))
    assert answer.headers["Location"] == "/api/things/2"


def test_a_long_answer_is_compressed_for_who_takes_it() -> None:
    """Its tag is another one, and means the same: for If-None-Match and for If-Match."""
    long = Reply("x" * 5000)
    plain, packed = response_of(request(), long), response_of(request(Accept_Encoding="br, gzip;q=0.5"), long)
    assert gzip.decompress(packed.get_body()) == plain.get_body()
    assert len(packed.get_body()) < 100
    assert (packed.headers["Content-Encoding"], packed.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert packed.headers["ETag"] == plain.headers["ETag"][:-1] + '-gzip"'
    for tag in (plain.headers["ETag"], packed.headers["ETag"]):
        known = response_of(request(Accept_Encoding="gzip", If_None_Match=tag), long)
        assert (known.status_code, known.get_body(), "Content-Encoding" in known.headers) == (304, b"", False)
        assert names(tag, plain.headers["ETag"], weakly=False)
    assert "Content-Encoding" not in response_of(request(Accept_Encoding="gzip"), Reply(THING)).headers


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("gzip", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
        ("br", False),
        ("", False),
        ("*;q=0, gzip", True),
        ("GZIP;q=0.1", True),
        ("identity, *;q=0", False),
    ],
)
def test_an_encoding_that_is_refused_is_not_sent(header: str, takes: bool) -> None:
    """A weight of nought is a refusal."""
    assert takes_gzip(header) == takes


@pytest.mark.parametrize(
    ("accept", "csv"),
    [
        ("text/csv", True),
        ("TEXT/CSV; charset=utf-8", True),
        ("text/*", True),
        ("text/csv, application/json", True),
        ("text/csv, */*;q=0.1", True),
        ("application/json;q=0.5, text/csv;q=0.6", True),
        ("text/csv, */*", True),
        ("", False),
        ("*/*", False),
        ("application/json, text/csv", False),
        ("application/json, text/csv;q=0.9", False),
        ("text/csv;q=0", False),
        ("text/csv;q=0, */*", False),
        ("text/csv;q=0.1, */*", False),
        ("application/xml", False),
    ],
)
def test_csv_is_answered_to_who_would_rather_have_it(accept: str, csv: bool) -> None:
    """By weight, and by order where weights are the same."""
    assert prefers(accept, "text/csv", "application/json") == csv


def test_head_is_answered_as_get() -> None:
    """With the same headers; the server leaves the body out."""
    get, head = (response_of(request(method), Reply(THING)) for method in ("GET", "HEAD"))
    assert (get.status_code, dict(get.headers)) == (head.status_code, dict(head.headers))
    again = response_of(request("HEAD", If_None_Match=get.headers["ETag"]), Reply(THING))
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Conflict("registry: row troll/sensor|a|001 changed in between"), 409),
        (NewerSchema("mark row troll-a-1/mark|0 was written by a newer release"), 409),
        (ServiceRequestError("registry.table.core.windows.net does not answer"), 503),
        (ServiceResponseError("registry: reset"), 503),
        (RuntimeError("table registry"), 500),
    ],
)
def test_tables_and_rows_are_for_the_log(error: Exception, status: int) -> None:
    """A caller can do nothing with their names."""
    answer = problem_of(error, "an-id")
    assert answer.status_code == status
    assert not any(name in answer.get_body() for name in (b"registry", b"row", b"|"))


def test_storage_that_refuses_the_app_is_ours_to_mend() -> None:
    """It answers: it is not away."""
    error = HttpResponseError("forbidden")
    error.status_code = 403
    assert problem_of(error, "an-id").status_code == 500
    error.status_code = 503
    assert problem_of(error, "an-id").headers["Retry-After"] == "30"
