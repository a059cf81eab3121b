"""Who may do what: roles as the platform tells them, a bound on how often, and origins whose pages may call."""

import base64
from typing import Any

import azure.functions as func
import pytest

from functions.http import access
from functions.http.access import RateLimit, check_access, cors_headers
from functions.http.problem import Refusal
from shared.settings import HttpSettings
from tests.support.http_calls import signed_in


def request(**headers: str) -> func.HttpRequest:
    """Return a request with these headers."""
    return func.HttpRequest(method="GET", url="http://h/api/x", headers=headers, params={}, route_params={}, body=b"")


@pytest.fixture
def entra(monkeypatch: pytest.MonkeyPatch) -> None:
    """App Service authentication stands in front of the app."""

    class Settings:
        http = HttpSettings(auth="entra")

    monkeypatch.setattr(access, "settings", Settings)


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
@pytest.mark.parametrize("header", ["", "!", "bnVsbA==", base64.b64encode(b'{"claims": [1]}').decode()])
def test_who_is_not_signed_in_gets_401(header: str) -> None:
    """A header that says nothing readable is no sign-in."""
    with pytest.raises(Refusal) as refused:
        check_access(request(**{"X-MS-CLIENT-PRINCIPAL": header}), "reader")
    assert refused.value.status == 401


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
