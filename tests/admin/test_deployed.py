"""What people do with a deployed app: load the platforms, and ask what is known of its packages."""

import base64
import json
import re
from typing import Any

import pytest
import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from admin import manage
from admin.manage import seed, seed_over_http, seed_platforms
from admin.retry import Retried, retry
from conformance.audit import faults
from local.azurite import Azurite
from local.process import HostProcess
from shared.errors import SourceError
from shared.usecases.poison import BLOBS, POISON_BLOBS
from tests.conftest import bootstrap, environment

KEY = "the-key"


@pytest.mark.azurite
def test_the_platforms_are_loaded_through_the_api_once(
    azurite: Azurite, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a key nothing is created; a second time everything is there."""
    values = environment(azurite.connection_string, unique)
    bootstrap(values).clients.ensure_storage()
    platforms = seed_platforms()
    for nowhere in ("", "http://127.0.0.1:9"):
        with pytest.raises(SourceError, match="does not answer"):
            seed_over_http(nowhere, platforms)
    with HostProcess(values, "--key", KEY) as host:
        monkeypatch.delenv("LEAK_API_KEY", raising=False)
        monkeypatch.delenv("LEAK_API_TOKEN", raising=False)
        with pytest.raises(SourceError, match="401"):
            seed_over_http(host.url, platforms)
        monkeypatch.setenv("LEAK_API_KEY", KEY)
        created, known = seed_over_http(host.url, platforms)
        assert known == 0
        assert seed_over_http(host.url + "/", platforms) == (0, created)
        shown = requests.get(f"{host.url}/api/platforms", headers={"x-functions-key": KEY}, timeout=30).json()
    assert [bootstrap(values).registry.platform(one.id).platform for one in platforms] == platforms
    assert {one["id"] for one in shown["items"]} == {one.id for one in platforms}


@pytest.mark.azurite
def test_what_was_put_aside_is_given_back() -> None:
    """A message returns to its queue as it was; a day is scored; what fails again stays, is named and not lost."""
    with Azurite() as own:  # the queue of blobs has one name for all
        app = bootstrap(environment(own.connection_string, "retry"))
        app.clients.ensure_storage()
        assert set(retry(app).given_back.values()) == {0}
        messages, blobs = app.clients.queue("retry-critical-poison"), app.clients.queue(POISON_BLOBS)
        messages.create_queue()
        blobs.create_queue()
        messages.send_message('{"schema": 1}')
        others = dict.fromkeys(
            ("retry-build", "retry-notifications", "retry-state", "retry-ingest", "retry-lake", BLOBS), 0
        )
        assert retry(app) == Retried({"retry-critical": 1, **others}, ())
        (back,) = app.clients.queue("retry-critical").receive_messages()
        assert base64.b64decode(back.content) == b'{"schema": 1}'
        blobs.send_message(json.dumps({"BlobName": "troll/a/notes.json"}))
        (line,) = retry(app).failed
        assert re.fullmatch(rf"{POISON_BLOBS}: message .* stays: .*troll.*", line)
        assert blobs.get_queue_properties().approximate_message_count == 1
        seed(app, seed_platforms())
        app.clients.queue(POISON_BLOBS).send_message(json.dumps({"BlobName": "troll/a/2026-03-02.json"}))
        assert retry(app).given_back[BLOBS] == 1  # the other one is still hidden
        app.clients.queue("retry-critical-given-up").send_message('{"schema": 1, "returned": 4}')
        assert retry(app).given_back["retry-critical"] == 1
        (back,) = app.clients.queue("retry-critical").receive_messages()
        assert base64.b64decode(back.content) == b'{"schema": 1}', "it begins anew"
        messages.send_message('{"schema": 1}')
        app.clients.queue("retry-critical").delete_queue()
        with pytest.raises(ResourceNotFoundError):  # of where it should go, not of where it was put aside
            retry(app)
        assert messages.get_queue_properties().approximate_message_count == 1


@pytest.mark.azurite
def test_a_message_that_cannot_be_decoded_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each stays and is named, those behind it are given back, and the command ends with 1."""
    with Azurite() as own:
        values = environment(own.connection_string, "retry")
        app = bootstrap(values)
        app.clients.ensure_storage()
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        seed(app, seed_platforms())
        messages, blobs = app.clients.queue("retry-critical-poison"), app.clients.queue(POISON_BLOBS)
        messages.create_queue()
        blobs.create_queue()
        raw = QueueClient.from_connection_string(own.connection_string, messages.queue_name)
        for content in ("no base64!", base64.b64encode(b"\xff").decode()):
            raw.send_message(content)
        messages.send_message('{"schema": 1}')
        for text in ("[]", "{", '{"BlobName": 7}', '{"BlobName": "troll/a/2026-03-32.json"}'):
            blobs.send_message(text)
        blobs.send_message(json.dumps({"BlobName": "troll/a/2026-03-01.json"}))
        monkeypatch.setattr("sys.argv", ["manage", "retry"])
        assert manage.main() == 1
        first, *lines = capsys.readouterr().out.splitlines()
        assert first == (
            "retry-critical: 1 given back, retry-build: 0 given back, retry-notifications: 0 given back, "
            f"retry-state: 0 given back, retry-ingest: 0 given back, retry-lake: 0 given back, {BLOBS}: 1 given back"
        )
        assert sum("retry-critical-poison" in line for line in lines) == 2
        assert sum(POISON_BLOBS in line for line in lines) == 4
        assert any("no base64!" in line for line in lines)
        assert messages.get_queue_properties().approximate_message_count == 2
        assert blobs.get_queue_properties().approximate_message_count == 4


@pytest.mark.parametrize("more", [("retry",), ("storage",), ("seed", "--replace")])
def test_an_address_is_for_loading_platforms_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
) -> None:
    """Whoever asks for something else of a deployed app is told so, and nothing is loaded."""
    monkeypatch.setattr("sys.argv", ["manage", *more, "--url", "http://127.0.0.1:9"])
    with pytest.raises(SystemExit):
        manage.main()
    assert "--url is for seed alone" in capsys.readouterr().err


def test_a_package_that_nobody_could_be_asked_about_is_not_called_safe() -> None:
    """What is known, what is fixed where, and what the service has never heard of."""
    asked: list[dict[str, Any]] = [
        {"name": "good", "version": "1", "vulns": []},
        {"name": "bad", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]},
        {"name": "unknown", "skip_reason": "Dependency not found on PyPI"},
    ]
    assert faults(asked) == ["unknown: Dependency not found on PyPI", "bad 1: PYSEC-1, fixed in 2"]
