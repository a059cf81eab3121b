"""The webhook that alarms are sent to: one POST a notice, signed, to no other address than the one that was set.

The address may hold a key, and a receiver's answer may hold anything: of both, only what is safe is ever told.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Literal
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from shared.adapters.webhook_formats import pagerduty, plain, teams
from shared.domain.notice import Notice
from shared.errors import NotDelivered, SettingsError
from shared.settings import KEY_VAULT

SIGNATURE = "Leak-Signature"
IDEMPOTENCY_KEY = "Idempotency-Key"
MOST_OF_AN_ANSWER = 300  # bytes that are read of a refusal


class Webhook:
    """Sends notices in one format."""

    def __init__(
        self,
        url: str,
        form: Literal["plain", "teams", "pagerduty"],
        secret: str,
        *,
        timeout_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the address, what is sent there, the key of the signature (or PagerDuty's), and the longest wait [s]."""
        self._url, self._form, self._secret = url, form, secret
        self._timeout_s, self._clock = timeout_s, clock

    def send(self, notice: Notice) -> None:
        """Send the notice; raises NotDelivered, or SettingsError where Key Vault did not give what is needed."""
        for name, value in (("WEBHOOK_URL", self._url), ("SECRET", self._secret)):
            if value.startswith(KEY_VAULT):
                raise SettingsError(f"NOTIFY__{name}: the platform cannot read it from Key Vault")
        body = json.dumps(self._shaped(notice), ensure_ascii=False).encode()
        where = f"webhook at {urlsplit(self._url).hostname}, {notice.idempotency_key}"
        try:
            with requests.post(
                self._url,
                data=body,
                headers={"Content-Type": "application/json", IDEMPOTENCY_KEY: notice.idempotency_key},
                auth=self._sign,
                timeout=self._timeout_s,
                stream=True,
                allow_redirects=False,  # what is told goes to no other address
            ) as answer:
                if 200 <= answer.status_code < 300:
                    return
                raise NotDelivered(f"{where}: status {answer.status_code}, {_beginning(answer)!r}")
        except (requests.RequestException, OSError) as error:
            raise NotDelivered(f"{where}: {type(error).__name__}") from None  # its text holds the address

    def _shaped(self, notice: Notice) -> object:
        if self._form == "pagerduty":
            return pagerduty(notice, self._secret)
        return teams(notice) if self._form == "teams" else plain(notice)

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign what is sent, as ``auth``: else requests would look for a login in a ``.netrc`` of the machine."""
        if self._form == "plain" and isinstance(request.body, bytes):
            request.headers[SIGNATURE] = signature(self._secret, int(self._clock()), request.body)
        return request


def _beginning(answer: requests.Response) -> str:
    """Return what came of an answer's body at once; empty where nothing did."""
    try:
        came: bytes = answer.raw.read1(MOST_OF_AN_ANSWER)
    except (HTTPError, OSError):
        return ""
    return came.decode(errors="replace")


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return ``t=timestamp,v1=hex``: the HMAC-SHA256 of ``timestamp.body`` by the secret [s since 1970]."""
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"t={timestamp},v1={signed.hexdigest()}"
