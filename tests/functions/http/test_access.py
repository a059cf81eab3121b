"""Who may do what: roles as the platform tells them, a bound on how often, and origins whose pages may call."""

import base64
from typing import Any

import azure.functions as func
import pytest

from functions.http import access, endpoint
from functions.http.access import (
    AUTHENTICATION_ON,
    RateLimit,
    caller_of,
    check_access,
    check_site,
    cors_headers,
    signed_in_as,
)
from functions.http.endpoint import ENDPOINTS, respond
from functions.http.problem import Refusal
from shared.errors import InvalidInput
from shared.settings import HttpSettings
from tests.support.http_calls import Context, HttpFunctions, signed_in


def request(**headers: str) -> func.HttpRequest:
    """Return a request with these headers."""
    return func.HttpRequest(method="GET", url="http://h/api/x", headers=headers, params={}, route_params={}, body=b"")


def configure(monkeypatch: pytest.MonkeyPatch, given: HttpSettings) -> None:
    """Let the app have these settings."""

    class Settings:
        http = given

    for module in (access, endpoint):
        monkeypatch.setattr(module, "settings", Settings)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform asks for function keys."""
    configure(monkeypatch, HttpSettings(auth="keys"))


@pytest.fixture
def entra(monkeypatch: pytest.MonkeyPatch) -> None:
    """App Service authentication stands in front of the app."""
    configure(monkeypatch, HttpSettings(auth="entra", max_requests_per_minute=1))
    monkeypatch.setenv(AUTHENTICATION_ON, "True")
    access._log_authentication_off.cache_clear()


@pytest.mark.usefixtures("entra")
@pytest.mark.parametrize(
    ("roles", "wanted", "status"),
    [
        (["Reader"], "reader", None),
        (["Reader"], "operator", 403),
        (["Operator"], "reader", None),
        (["Operator"], "operator", None),
        (["Other"], "reader", 403),
        ([], "reader", 403),
        (["Other"], "anyone", None),
    ],
)
def test_roles_decide(roles: list[str], wanted: Any, status: int | None) -> None:
    """A reader reads, an operator changes, too, and nobody else does anything."""
    if status is None:
        check_access(request(**signed_in(*roles)), wanted)
        return
    with pytest.raises(Refusal) as refused:
        check_access(request(**signed_in(*roles)), wanted)
    assert refused.value.status == status


@pytest.mark.usefixtures("entra")
@pytest.mark.parametrize(
    "header",
    ["", "!", "bnVsbA==", *(base64.b64encode(one).decode() for one in (b'{"claims": [1]}', b"[" * 100_000))],
)
def test_who_is_not_signed_in_gets_401(header: str) -> None:
    """A header that says nothing readable is no sign-in."""
    with pytest.raises(Refusal) as refused:
        check_access(request(**{"X-MS-CLIENT-PRINCIPAL": header}), "reader")
    assert refused.value.status == 401


@pytest.mark.usefixtures("entra")
@pytest.mark.parametrize("said", ["True", "true", "1", None, "", "False", "0", "no"])
def test_nobody_is_believed_unless_the_platform_authenticates(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, said: str | None
) -> None:
    """Without App Service authentication anybody can set its headers: all is refused but what is for anyone."""
    if said is None:
        monkeypatch.delenv(AUTHENTICATION_ON)
    else:
        monkeypatch.setenv(AUTHENTICATION_ON, said)
    forged = request(**signed_in("Operator"), **{"X-MS-CLIENT-PRINCIPAL-ID": "me", "X-Forwarded-For": "1.2.3.4"})
    check_access(forged, "anyone")
    if said in ("True", "true", "1"):
        check_access(forged, "operator")
        assert caller_of(forged, "reader") == caller_of(request(**{"X-MS-CLIENT-PRINCIPAL-ID": "me"}), "reader")
        return
    for _ in range(3):
        with pytest.raises(Refusal) as refused:
            check_access(forged, "reader")
        assert (refused.value.status, refused.value.type) == (503, "authentication-off")
    assert [AUTHENTICATION_ON in one.getMessage() for one in caplog.records] == [True]
    assert caller_of(forged, "reader") == "1.2.3.4"


@pytest.mark.usefixtures("entra")
def test_a_stranger_learns_nothing_else(http_functions: HttpFunctions) -> None:
    """Who is not signed in is told so, whatever is wrong with path, query, body or rate, and at unknown paths."""
    asked = func.HttpRequest("PATCH", "/", params={"?": "?"}, route_params={}, headers={}, body=b"x" * 10**6)

    def never(_: object) -> None:
        raise AssertionError

    guarded = [one for one in ENDPOINTS if one.access != "anyone"]
    assert {respond(one, never, asked, "an-id").status_code for one in guarded * 2} == {401}
    fallback = http_functions.functions["z_no_such_resource"].get_user_function()
    for path in ("platforms", "nothing/here"):
        unknown = func.HttpRequest("PUT", "/", route_params={"path": path}, body=b"")
        assert fallback(unknown, Context()).status_code == 401


def test_a_caller_may_come_so_often_and_then_waits() -> None:
    """The bucket fills evenly, for each caller by itself."""
    now = [0.0]
    limit = RateLimit(60, lambda: now[0])
    assert [limit.wait("a") for _ in range(60)] == [0.0] * 60
    assert limit.wait("a") == pytest.approx(1.0)
    assert limit.wait("b") == 0.0
    now[0] = 1.0
    assert limit.wait("a") == 0.0
    assert limit.wait("a") > 0
    assert RateLimit(0).wait("a") == 0.0


def test_only_named_origins_may_read() -> None:
    """What is not named gets no header at all."""
    config = HttpSettings(cors_origins=("https://pages.example",))
    assert cors_headers(request(Origin="https://pages.example"), config)["Vary"] == "Origin"
    assert cors_headers(request(Origin="https://evil.example"), config) == {}
    assert cors_headers(request(), config) == {}
    assert cors_headers(request(Origin="https://any.example"), HttpSettings(cors_origins=("*",))) != {}


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("said", "caller"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("1.2.3.4:5678", "1.2.3.4"),
        ("9.9.9.9, 1.2.3.4:80", "1.2.3.4"),
        ("[2001:db8::1]:5678", "2001:db8::/64"),
        ("[2001:db8::2]", "2001:db8::/64"),
        ("2001:db8::1", "2001:db8::/64"),
        ("", ""),
        ("unknown", ""),
        ("x" * 10_000, ""),
    ],
)
def test_an_address_is_one_caller_whatever_its_port(said: str, caller: str) -> None:
    """The platform adds the port to it, which is another one for each connection."""
    assert caller_of(request(**{"X-Forwarded-For": said}), "reader") == caller


@pytest.mark.usefixtures("keys")
def test_a_key_that_nobody_has_checked_makes_no_other_caller() -> None:
    """Keys are checked by the platform where they are asked for, and nowhere else; none is kept as it is."""
    first, second = (request(**{"x-functions-key": key, "X-Forwarded-For": "1.2.3.4:5"}) for key in ("a", "b" * 10_000))
    assert caller_of(first, "anyone") == caller_of(second, "anyone") == "1.2.3.4"
    assert caller_of(first, "reader") != caller_of(second, "reader")
    assert len(caller_of(second, "reader")) == 32


@pytest.mark.usefixtures("entra")
def test_with_entra_id_keys_tell_nobody_apart() -> None:
    """Nobody checks them there."""
    first, second = (request(**{"x-functions-key": key, "X-Forwarded-For": "1.2.3.4:5"}) for key in "ab")
    assert caller_of(first, "reader") == caller_of(second, "reader") == "1.2.3.4"


def sent(method: str, **headers: str) -> func.HttpRequest:
    """Return a request without a body, with these headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return func.HttpRequest(method, "https://leaks.example/api/x", headers=named, params={}, route_params={}, body=b"")


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),  # no browser
        ({"Sec_Fetch_Site": "same-origin", "Origin": "https://leaks.example"}, False),
        ({"Sec_Fetch_Site": "none"}, False),
        ({"Sec_Fetch_Site": "cross-site"}, True),
        ({"Sec_Fetch_Site": "same-site", "Origin": "https://evil.leaks.example"}, True),
        ({"Sec_Fetch_Site": "cross-site", "Origin": "https://pages.example"}, False),
        ({"Origin": "https://leaks.example"}, False),
        ({"Origin": "https://evil.example"}, True),
        ({"Origin": "null"}, True),
    ],
)
def test_a_page_of_another_site_changes_nothing(headers: dict[str, str], refused: bool) -> None:
    """A form without a body would be sent with the session of whoever looks at the page."""
    config = HttpSettings(cors_origins=("https://pages.example",))
    check_site(sent("GET", **headers), config)
    if refused:
        with pytest.raises(Refusal) as found:
            check_site(sent("POST", **headers), config)
        assert found.value.status == 403
    else:
        check_site(sent("POST", **headers), config)


@pytest.mark.usefixtures("entra")
def test_who_did_it_is_who_is_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever name is given; where the platform signs nobody in, the header is anybody's."""
    call: endpoint.Call[Any, Any] = endpoint.Call(
        request(**{"X-MS-CLIENT-PRINCIPAL-NAME": "a@example.com"}), {}, None, None
    )
    assert call.by("Somebody Else") == call.by("") == "a@example.com"
    long = request(**{"X-MS-CLIENT-PRINCIPAL-NAME": "a\n" + "b" * 1000})
    assert signed_in_as(long) == "a" + "b" * 99
    monkeypatch.delenv(AUTHENTICATION_ON)
    assert call.by("Somebody Else") == "Somebody Else"
    with pytest.raises(InvalidInput, match="^by: must be given"):  # noqa: RUF043
        call.by("")
