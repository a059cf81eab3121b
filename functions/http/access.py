"""Who may do what, and how often.

By default the platform's function keys guard every endpoint, and whoever has one may do everything. With
``HTTP__AUTH=entra`` App Service authentication (Easy Auth) stands before the app: it takes the caller's token, refuses
strangers, and names the caller and their roles in headers that it alone can set. Where it is not on, anybody can set
them: the app asks the platform whether it is, and without it believes nobody.
"""

import base64
import binascii
import hashlib
import ipaddress
import json
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Literal
from urllib.parse import urlsplit

import azure.functions as func

from functions.http.problem import Refusal
from shared.settings import HttpSettings, settings

logger = logging.getLogger(__name__)

Access = Literal["anyone", "reader", "operator"]
ROLE_CLAIMS = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")
MOST_CALLERS = 10_000
LONGEST_NAME = 100  # of who is signed in
AUTHENTICATION_ON = "WEBSITE_AUTH_ENABLED"  # the platform's own variable, no setting of the app


def auth_level(access: Access) -> func.AuthLevel:
    """Return the key that the platform asks for; with Entra ID in front of the app, none."""
    if access == "anyone" or settings().http.auth == "entra":
        return func.AuthLevel.ANONYMOUS
    return func.AuthLevel.FUNCTION


def check_access(request: func.HttpRequest, access: Access) -> None:
    """Raise Refusal unless the caller may do this."""
    config = settings().http
    if access == "anyone" or config.auth == "keys":
        return
    if not platform_authenticates():
        _log_authentication_off()
        detail = "App Service authentication is off, so nobody can be signed in; whoever runs the app has to turn it on"
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "authentication-off", detail)
    roles = _roles(request.headers.get("X-MS-CLIENT-PRINCIPAL", ""))
    if roles is None:
        raise Refusal(HTTPStatus.UNAUTHORIZED, "unauthorized", "sign in first", {"WWW-Authenticate": "Bearer"})
    needed = {config.operator_role} if access == "operator" else {config.operator_role, config.reader_role}
    if not roles & needed:
        detail = f"needs the role {' or '.join(sorted(needed))}"
        raise Refusal(HTTPStatus.FORBIDDEN, "forbidden", detail)


def platform_authenticates() -> bool:
    """Return whether the platform says that it signs callers in, and so that who they are comes from it."""
    return os.environ.get(AUTHENTICATION_ON, "").strip().lower() in ("true", "1")


@cache
def _log_authentication_off() -> None:
    """Say once why every call is refused."""
    logger.error(
        "every call is refused: HTTP__AUTH is entra, but the platform's %s is not True; without App Service "
        "authentication in front of the app anybody could say that they are signed in",
        AUTHENTICATION_ON,
    )


def _roles(principal: str) -> set[str] | None:
    """Return the roles in the platform's header, or None where nobody is signed in."""
    if not principal:
        return None
    try:
        claims = json.loads(base64.b64decode(principal, validate=True))["claims"]
        return {str(claim["val"]) for claim in claims if claim["typ"] in ROLE_CLAIMS}
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refusal(HTTPStatus.UNAUTHORIZED, "unauthorized", "X-MS-CLIENT-PRINCIPAL: unreadable") from error


class RateLimit:
    """At most so many requests per minute and caller, by a bucket that fills evenly; of this worker alone."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow so many at once, and as many again each minute; 0 allows all."""
        self._per_minute = per_minute
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, caller: str) -> float:
        """Take one request; return 0, or the seconds after which the caller may come again."""
        if not self._per_minute:
            return 0.0
        with self._lock:
            now = self._clock()
            left, since = self._left.pop(caller, (float(self._per_minute), now))
            left = min(self._per_minute, left + (now - since) * self._per_minute / 60)
            allowed = left >= 1
            self._left[caller] = (left - 1 if allowed else left, now)
            if len(self._left) > MOST_CALLERS:
                self._left.popitem(last=False)
        return 0.0 if allowed else (1 - left) * 60 / self._per_minute


def check_site(request: func.HttpRequest, config: HttpSettings) -> None:
    """Raise Refusal for a change that a browser sends from a page of another site.

    With a session in a cookie, any page could have it sent: a form without a body asks nobody first.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if {origin, "*"} & set(config.cors_origins):
        return
    own = site in ("same-origin", "none") if site is not None else origin is None or _is_own(origin, request)
    if not own:
        raise Refusal(HTTPStatus.FORBIDDEN, "forbidden", "Origin: pages of this site alone may change anything")


def _is_own(origin: str, request: func.HttpRequest) -> bool:
    hosts = {urlsplit(request.url).netloc, request.headers.get("Host", "")}
    return urlsplit(origin).netloc in hosts - {""}


def signed_in_as(request: func.HttpRequest) -> str:
    """Return the name of who is signed in, as the platform tells it; empty where callers are known by keys."""
    if settings().http.auth != "entra" or not platform_authenticates():
        return ""
    headers = request.headers
    name = headers.get("X-MS-CLIENT-PRINCIPAL-NAME") or headers.get("X-MS-CLIENT-PRINCIPAL-ID") or ""
    return "".join(letter for letter in name if letter.isprintable()).strip()[:LONGEST_NAME]


def caller_of(request: func.HttpRequest, access: Access) -> str:
    """Return what tells one caller from another, in a few bytes: who is signed in, the key, or the address.

    A key counts only where the platform has checked it: everybody can make keys up.
    """
    headers, config = request.headers, settings().http
    known = config.auth == "entra" and platform_authenticates()
    who = headers.get("X-MS-CLIENT-PRINCIPAL-ID") if known else None
    checked = config.auth == "keys" and access != "anyone"
    key = (headers.get("x-functions-key") or request.params.get("code")) if checked else None
    if who or key:
        return hashlib.sha256(str(who or key).encode(errors="replace")).hexdigest()[:32]
    return _address(headers.get("X-Forwarded-For", "").rpartition(",")[2].strip())


def _address(text: str) -> str:
    """Return the address in ``1.2.3.4:5678`` or ``[2001:db8::1]:5678`` (of IPv6 its network); empty for none."""
    host = text.removeprefix("[").partition("]")[0] if text.startswith("[") else text
    for one in (host, host.rpartition(":")[0]):
        try:
            found = ipaddress.ip_address(one)
        except ValueError:
            continue
        if found.version == 4:
            return str(found)
        return str(ipaddress.ip_network((found, 64), strict=False))  # one machine has as many addresses as it likes
    return ""


def check_rate(request: func.HttpRequest, access: Access, limit: RateLimit) -> None:
    """Raise Refusal when the caller comes too often."""
    seconds = limit.wait(caller_of(request, access))
    if seconds:
        detail = f"at most {settings().http.max_requests_per_minute} requests per minute"
        retry = {"Retry-After": str(int(seconds) + 1)}
        raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", detail, retry)


def cors_headers(request: func.HttpRequest, config: HttpSettings) -> dict[str, str]:
    """Return what lets a page of an allowed origin read the answer; nothing for any other."""
    origin = request.headers.get("Origin")
    if origin is None or not {origin, "*"} & set(config.cors_origins):
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "ETag, Location, Link, Retry-After",
        "Vary": "Origin",
    }
