"""The webhook, to a real receiver: what arrives, that it is signed, and what becomes of one that does not behave."""

import hashlib
import hmac
import json
import re
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Literal

import pytest

from local.receiver import PATH, receiving, status
from shared.adapters.webhook import Webhook
from shared.domain.alarm import AlarmState, Priority
from shared.domain.estimation import Interval, PlaceProbability
from shared.domain.notice import Notice, NoticeKind
from shared.errors import NotDelivered, SettingsError
from tests.support.paths import ROOT

SECRET = "a-secret-of-the-test"
NOW = 1_772_366_400
RATE = Interval(median=360, low_50=288, high_50=432, low_90=180, high_90=720)
NOTICE = Notice(
    idempotency_key="alarm:troll-a-20260301T0300Z~2",
    kind="escalated",
    incident="troll-a-20260301T0300Z",
    platform="troll",
    platform_name="Troll",
    template="troll-a",
    template_name="A",
    onset=datetime(2026, 3, 1, 3, tzinfo=UTC),
    said=datetime(2026, 3, 1, 12, tzinfo=UTC),
    state=AlarmState.UNACKNOWLEDGED,
    priority=Priority.HIGH,
    message="CONFIRMED: probability of a leak here 99 %, æøå",
    response="Call the leak responsible.",
    verdict="CONFIRMED",
    probability=0.99,
    dissolved_rate_g_h=RATE,
    dissolved_rate_kg_s=Interval(median=1e-4, low_50=8e-5, high_50=1.2e-4, low_90=5e-5, high_90=2e-4),
    place=PlaceProbability(x=1, y=2, z=3, probability=0.4),
    link="https://leaks.example/incidents/troll-a-20260301T0300Z",
)


def webhook(
    url: str, form: Literal["plain", "teams", "pagerduty"] = "plain", secret: str = SECRET, timeout_s: float = 5
) -> Webhook:
    """Return the sender, at a fixed time."""
    return Webhook(url, form, secret, timeout_s=timeout_s, clock=lambda: NOW)


def test_a_notice_arrives_whole_signed_and_with_its_key() -> None:
    """In camelCase, with what a receiver needs to tell a repetition and a forgery."""
    with receiving(status(202)) as receiver:
        webhook(receiver.url).send(NOTICE)
    (got,) = receiver.arrived
    body = json.loads(got.body)
    assert got.path == PATH
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["Idempotency-Key"] == body["idempotencyKey"] == NOTICE.idempotency_key
    expected = hmac.new(SECRET.encode(), f"{NOW}.".encode() + got.body, hashlib.sha256).hexdigest()
    assert got.headers["Leak-Signature"] == f"t={NOW},v1={expected}"
    assert "Authorization" not in got.headers
    assert body == {
        "version": 1,
        "idempotencyKey": "alarm:troll-a-20260301T0300Z~2",
        "kind": "escalated",
        "incident": "troll-a-20260301T0300Z",
        "platform": "troll",
        "platformName": "Troll",
        "template": "troll-a",
        "templateName": "A",
        "onset": "2026-03-01T03:00:00Z",
        "said": "2026-03-01T12:00:00Z",
        "state": "unacknowledged",
        "priority": "high",
        "message": "CONFIRMED: probability of a leak here 99 %, æøå",
        "response": "Call the leak responsible.",
        "verdict": "CONFIRMED",
        "probability": 0.99,
        "dissolvedRateGH": {"median": 360, "low50": 288, "high50": 432, "low90": 180, "high90": 720},
        "dissolvedRateKgS": {"median": 1e-4, "low50": 8e-5, "high50": 1.2e-4, "low90": 5e-5, "high90": 2e-4},
        "place": {"name": "", "x": 1, "y": 2, "z": 3, "probability": 0.4},
        "link": "https://leaks.example/incidents/troll-a-20260301T0300Z",
    }


def test_the_documented_check_of_a_signature_takes_ours_and_nobody_elses() -> None:
    """The snippet of docs/notification.md, as a receiver would run it."""
    (snippet,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "notification.md").read_text(), re.DOTALL)
    known: dict[str, Any] = {}
    exec(snippet, known)  # noqa: S102 (our own documentation)
    verify = known["is_ours"]
    with receiving(status(204)) as receiver:
        webhook(receiver.url).send(NOTICE)
    (got,) = receiver.arrived
    header = got.headers["Leak-Signature"]
    assert verify(SECRET, header, got.body, now=NOW + 60)
    assert not verify("another", header, got.body, now=NOW)
    assert not verify(SECRET, header, got.body + b" ", now=NOW)
    assert not verify(SECRET, header.replace(str(NOW), str(NOW + 1)), got.body, now=NOW)
    assert not verify(SECRET, header, got.body, now=NOW + 3600), "an old one, played again"
    for broken in ("", "t=,v1=", "v1=abc", f"t={NOW}", "t=x,v1=y", "ææ"):
        assert not verify(SECRET, broken, got.body, now=NOW)


def _breaks_off(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def _is_no_http(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SSH-2.0-not-http\r\n")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (status(500, b"we are broken"), "status 500, 'we are broken'"),
        (status(429, b"", Retry_After="3600"), "status 429"),
        (status(410, b"the workflow is gone"), "the workflow is gone"),
        (status(302, b"", Location="https://elsewhere.example/"), "status 302"),
        (status(400, b"\xff\xfe"), "status 400"),
        (_breaks_off, "ConnectionError"),
        (_is_no_http, "ConnectionError"),
    ],
    ids=["500", "429", "410", "302", "bytes", "breaks off", "no http"],
)
def test_what_is_not_taken_is_told_without_the_keys_of_the_address(
    answer: Callable[[BaseHTTPRequestHandler], None], words: str
) -> None:
    """The queue tries it again; what is logged names the host alone."""
    with receiving(answer) as receiver, pytest.raises(NotDelivered) as caught:
        webhook(receiver.url).send(NOTICE)
    assert words in str(caught.value)
    assert "127.0.0.1" in str(caught.value)
    assert "a-key" not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert len(receiver.arrived) == 1


def test_a_redirect_is_not_followed_even_to_the_receiver_itself() -> None:
    """What is told goes to the address that was set, and to no other."""
    with receiving(status(307, b"", Location="/elsewhere")) as receiver:
        with pytest.raises(NotDelivered, match="status 307"):
            webhook(receiver.url).send(NOTICE)
        assert [one.path for one in receiver.arrived] == [PATH]


def test_one_that_hangs_is_given_up_and_one_that_is_not_there_is_told() -> None:
    """Within the time that was set."""
    with receiving(status(200)) as receiver:
        receiver.answer = receiver.hang
        with pytest.raises(NotDelivered, match="ReadTimeout"):
            webhook(receiver.url, timeout_s=0.2).send(NOTICE)
        gone = receiver.url
    with pytest.raises(NotDelivered, match="ConnectionError"):
        webhook(gone).send(NOTICE)


def test_a_refusal_that_never_ends_or_breaks_off_is_still_told_by_its_status() -> None:
    """Its words are lost, not what it means."""
    with receiving(status(503, b"", Content_Length="100")) as receiver, pytest.raises(NotDelivered, match="status 503"):
        webhook(receiver.url).send(NOTICE)
    with receiving(status(200)) as receiver:

        def hang(handler: BaseHTTPRequestHandler) -> None:
            status(503, b"", Content_Length="100")(handler)
            receiver.hang(handler)

        receiver.answer = hang
        with pytest.raises(NotDelivered, match="status 503"):
            webhook(receiver.url, timeout_s=0.2).send(NOTICE)


def test_of_an_endless_answer_only_its_beginning_is_read() -> None:
    """One that says yes is believed without its body; of a refusal, a few words are told."""
    endless = str(10**12)
    for code in (200, 503):
        with receiving(status(code, b"x" * 100_000, Content_Length=endless)) as receiver:
            if code == 200:
                webhook(receiver.url).send(NOTICE)
            else:
                with pytest.raises(NotDelivered) as caught:
                    webhook(receiver.url).send(NOTICE)
                assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", ["WEBHOOK_URL", "SECRET"])
def test_what_key_vault_did_not_give_is_named_and_nothing_is_sent(name: str) -> None:
    """The platform leaves the reference in place of the secret."""
    reference = "@Microsoft.KeyVault(SecretUri=https://x.vault.azure.net/secrets/y)"
    with receiving(status(200)) as receiver:
        hook = webhook(reference) if name == "WEBHOOK_URL" else webhook(receiver.url, secret=reference)
        with pytest.raises(SettingsError, match=f"NOTIFY__{name}: the platform cannot read it"):
            hook.send(NOTICE)
    assert receiver.arrived == []


def test_a_login_of_the_machine_is_sent_to_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A ``.netrc`` is for whoever works there."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for form in ("plain", "teams", "pagerduty"):
        with receiving(status(200)) as receiver:
            webhook(receiver.url, form).send(NOTICE)
        assert "Authorization" not in receiver.arrived[0].headers


def sent(form: Literal["teams", "pagerduty"], **changes: object) -> dict[str, Any]:
    """Return what a receiver of that kind gets."""
    with receiving(status(202)) as receiver:
        webhook(receiver.url, form).send(NOTICE.model_copy(update=changes))
    (got,) = receiver.arrived
    assert "Leak-Signature" not in got.headers
    body: dict[str, Any] = json.loads(got.body)
    return body


def test_teams_gets_a_card_that_people_read() -> None:
    """An Adaptive Card in the envelope of a Workflows webhook: what, how sure, how much, where, what to do."""
    body = sent("teams")
    assert body["type"] == "message"
    (attachment,) = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    title, words, facts, response = card["body"]
    assert (title["text"], title["color"]) == ("Alarm escalated: Troll A, priority high", "Attention")
    assert words["text"] == NOTICE.message
    assert response["text"] == NOTICE.response
    assert {one["title"]: one["value"] for one in facts["facts"]} == {
        "Since": "1 Mar 2026 03:00 UTC",
        "Told": "1 Mar 2026 12:00 UTC",
        "State": "unacknowledged",
        "Cause": "a leak here, probability of a leak here 99 %",
        "Dissolved rate": "360 g/h (90 %: 180 g/h to 720 g/h)",
        "Place": "x 1.0 m, y 2.0 m, z 3.0 m",
        "Incident": NOTICE.incident,
    }
    (action,) = card["actions"]
    assert (action["type"], action["url"]) == ("Action.OpenUrl", NOTICE.link)


def test_teams_gets_no_empty_facts() -> None:
    """A raised alarm has no estimation yet; without an address of the pages there is nothing to open."""
    changes = {"verdict": None, "probability": None, "dissolved_rate_kg_s": None, "place": None, "link": None}
    card = sent("teams", **changes)["attachments"][0]["content"]
    assert card["actions"] == []
    assert [one["title"] for one in card["body"][2]["facts"]] == ["Since", "Told", "State", "Incident"]


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("raised", "trigger"),
        ("escalated", "trigger"),
        ("acknowledged", "acknowledge"),
        ("returned", "resolve"),
        ("withdrawn", "resolve"),
    ],
)
def test_pagerduty_gets_the_life_of_one_incident(kind: NoticeKind, action: str) -> None:
    """All events of an incident have its id as ``dedup_key``; the routing key is in the body alone."""
    body = sent("pagerduty", kind=kind)
    assert (body["event_action"], body["dedup_key"]) == (action, NOTICE.incident)
    assert body["routing_key"] == SECRET
    payload = body["payload"]
    assert payload["summary"].startswith(f"Alarm {kind}: Troll A, priority high: CONFIRMED")
    assert (payload["source"], payload["severity"], payload["group"]) == ("troll-a", "critical", "troll")
    assert payload["custom_details"]["idempotencyKey"] == NOTICE.idempotency_key
    assert body["links"][0]["href"] == body["client_url"] == NOTICE.link


def test_a_long_message_fits_into_what_pagerduty_takes() -> None:
    """1024 characters of a summary."""
    body = sent("pagerduty", message="x" * 5000)
    assert len(body["payload"]["summary"]) == 1024
