"""One HTTP session with OMNIA: a cached token, bounded retries, and JSON objects or ``SourceError`` out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, Self

import requests
from azure.core.exceptions import AzureError
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, Retry
from urllib3.exceptions import InvalidHeader, MaxRetryError, ProtocolError

from shared.errors import SourceError

RETRIED = (408, 425, 429, 500, 502, 503, 504)
REFUSALS = (400, 403, 404, 410, 422, 500)  # what may be the fault of one series among those that were asked for
TOKEN_MARGIN_S = 300


class Token(Protocol):
    """A bearer token and when it ends [s since 1970], as azure-identity gives it."""

    @property
    def token(self) -> str:
        """The token itself."""
        ...

    @property
    def expires_on(self) -> int:
        """The end of its life [s since 1970]."""
        ...


class Credential(Protocol):
    """Whatever gives tokens: azure-identity's credentials, or ``StaticCredential``."""

    def get_token(self, *scopes: str) -> Token:
        """Return a token for the scopes."""
        ...


@dataclass(frozen=True, slots=True)
class StaticToken:
    """A token that never ends."""

    token: str
    expires_on: int = 2**53


@dataclass(frozen=True, slots=True)
class StaticCredential:
    """A credential with one fixed token, for the emulator."""

    value: str = "local"

    def get_token(self, *scopes: str) -> StaticToken:  # noqa: ARG002 (one token for every scope)
        """Return the fixed token."""
        return StaticToken(self.value)


class Refused(SourceError):
    """OMNIA answered that it will not answer this, or cannot, however often it was asked."""

    def __init__(self, status: int, message: str) -> None:
        """Keep the status, by which a caller may tell what was refused."""
        super().__init__(message)
        self.status = status


class BoundedRetry(Retry):
    """urllib3's Retry that gives up where the server asks for a longer wait than ``longest_wait`` [s], and after
    ``patience`` [s] from the first failure on.
    """

    longest_wait = 30.0
    patience = 60.0
    ends: float | None = None

    def new(self, **kw: Any) -> Self:
        """Return the next state, with the same bounds."""
        later = super().new(**kw)
        later.longest_wait, later.patience = self.longest_wait, self.patience
        later.ends = self.ends or time.monotonic() + self.patience
        return later

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Return the wait that the server asks for [s]; None where it says none or says it unreadably."""
        try:
            return super().get_retry_after(response)
        except (InvalidHeader, ValueError, OverflowError):
            return None

    def increment(self, *args: Any, **kwargs: Any) -> Self:
        """Count one more failure; raises MaxRetryError when it was the last, or the wait or the whole is too long."""
        response = kwargs.get("response")
        over = self.ends is not None and time.monotonic() >= self.ends
        if over or (response is not None and (self.get_retry_after(response) or 0) > self.longest_wait):
            raise MaxRetryError(kwargs.get("_pool"), str(kwargs.get("url")), None)  # type: ignore[arg-type]
        return super().increment(*args, **kwargs)


class _Bearer(requests.auth.AuthBase):
    """Sets the header as ``auth``, because requests would let a ``.netrc`` of the machine replace it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class OmniaSession:
    """Sends requests to one API with one keep-alive session; threads may share it (two may ask for a token at once)."""

    def __init__(
        self,
        credential: Credential,
        base_url: str,
        scope: str,
        *,
        connect_timeout: float,  # s
        read_timeout: float,  # s
        retries: int,
        backoff: float,  # s, doubled with each retry, plus up to as much again of jitter
        longest_wait: float,  # s, of one backoff or Retry-After
        patience: float,  # s, after which no retry begins
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._credential, self._scope, self._clock = credential, scope, clock
        self._base_url = base_url.rstrip("/")
        self._timeout = (connect_timeout, read_timeout)
        self._token: Token | None = None
        self._retry = BoundedRetry(
            total=retries,
            allowed_methods=None,  # the POSTs too: they are queries and change nothing
            status_forcelist=RETRIED,
            backoff_factor=backoff,
            backoff_jitter=backoff,
            backoff_max=longest_wait,
            raise_on_status=False,  # the last answer is wanted: its body says why
        )
        self._retry.longest_wait, self._retry.patience = longest_wait, patience
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=self._retry))

    def close(self) -> None:
        """Close the session's connections."""
        self._session.close()

    def send(self, method: str, path: str, about: str, **request: Any) -> dict[str, Any]:
        """Return the answer's JSON object, after a 401 with a fresh token; raises SourceError."""
        where = f"OMNIA {method} {path} for {about}"
        response = self._exchange(method, path, where, request)
        if response.status_code == 401:
            self._token = None
            response = self._exchange(method, path, where, request)
        status = f"{where}: status {response.status_code}"
        try:
            answer = response.json()
        except (ValueError, RecursionError) as error:
            text = response.content[:300].decode(errors="replace")
            raise SourceError(f"{status}, not JSON: {text!r}{_wait(response)}") from error
        if response.status_code in REFUSALS:
            raise Refused(response.status_code, f"{status}, {said(answer)}{_wait(response)}")
        if response.status_code != 200 or not isinstance(answer, dict):
            raise SourceError(f"{status}, {said(answer)}{_wait(response)}")
        return answer

    def _exchange(self, method: str, path: str, where: str, request: dict[str, Any]) -> requests.Response:
        """Return the answer with its whole body; a body that breaks off is asked for again."""
        retry = self._retry
        while True:
            response = self._ask(method, path, where, request)
            try:
                with response:
                    _ = response.content
            except requests.RequestException as error:
                broken = ProtocolError(short(str(error)))  # the error itself would keep the connections alive
                try:
                    retry = retry.increment(method, path, error=broken)
                except MaxRetryError:
                    raise SourceError(f"{where}: the answer broke off: {broken}") from error
                retry.sleep()
            else:
                return response

    def _ask(self, method: str, path: str, where: str, request: dict[str, Any]) -> requests.Response:
        """Return the answer's head; its body is read apart, because urllib3's retries end before it."""
        auth = _Bearer(self._bearer(where))
        try:
            return self._session.request(
                method,
                self._base_url + path,
                auth=auth,
                timeout=self._timeout,
                stream=True,
                allow_redirects=False,  # a token goes to no other address
                **request,
            )
        except requests.RequestException as error:
            raise SourceError(f"{where}: {type(error).__name__}: {short(str(error))}") from error

    def _bearer(self, where: str) -> str:
        """Return the token in hand, or a new one when it ends within five minutes."""
        if self._token is None or self._token.expires_on - self._clock() < TOKEN_MARGIN_S:
            try:
                self._token = self._credential.get_token(self._scope)
            except AzureError as error:
                raise SourceError(f"{where}: no token for {self._scope}: {short(str(error))}") from error
        return self._token.token


def said(answer: Any) -> str:
    """Return what an error body tells: message and traceId, or the answer itself, cut short."""
    if isinstance(answer, dict) and "message" in answer:
        return f"message {short(str(answer['message']))!r}, traceId {short(str(answer.get('traceId')))}"
    return short(repr(answer))


def short(text: str) -> str:
    """Return the text, cut to a length that a log line bears."""
    return text if len(text) <= 300 else text[:300] + "..."


def _wait(response: requests.Response) -> str:
    asked = response.headers.get("Retry-After")
    return f", asked to retry after {short(asked)} s" if asked else ""
