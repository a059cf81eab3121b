"""Connections that break, answers that get lost, and services that take a connection and say nothing."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport

from shared.adapters.tables import writes
from shared.bootstrap import Bootstrap
from shared.clients import IMPATIENT, PATIENT, Clients, Patience
from shared.domain.event import note
from shared.errors import Conflict, Exists
from shared.settings import OmniaSettings
from tests.conftest import bootstrap, environment
from tests.support.examples import DAY, at, history, platform, scored_day, template, watermarked
from tests.support.paths import ROOT

Make = Callable[..., Bootstrap]
ONE = platform(template())


@contextmanager
def breaking(times: int, method: str, *, after: bool) -> Iterator[list[str]]:
    """Break the connection of so many requests: after the service has done it (``after``), or before."""
    sent: list[str] = []
    send = RequestsTransport.send

    def breaking_send(self: RequestsTransport, request: Any, **more: Any) -> Any:
        if request.method != method:
            return send(self, request, **more)
        sent.append(request.url)
        if len(sent) > times:
            return send(self, request, **more)
        if not after:
            raise ServiceRequestError("connection refused")
        send(self, request, **more)
        raise ServiceResponseError("connection reset")

    with patch.object(RequestsTransport, "send", breaking_send):
        yield sent


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr(writes, "WAITS_S", (0.0, 0.0))


@contextmanager
def silent() -> Iterator[str]:
    """A service that takes connections and never answers; yields its connection string."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen(50)
        kept: list[Any] = []

        def serve() -> None:
            while True:
                try:
                    kept.append(door.accept())
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        address = f"http://127.0.0.1:{door.getsockname()[1]}/devstoreaccount1"
        ends = "".join(f"{kind}Endpoint={address};" for kind in ("Blob", "Queue", "Table"))
        yield f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5a2V5;{ends}"
        for connection, _ in kept:
            connection.close()


@pytest.mark.azurite
@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("times", [1, 2])
def test_a_definition_is_stored_whatever_breaks(make_app: Make, unique: str, after: bool, times: int) -> None:
    """Whether the answer was lost or the request never arrived: it is stored once, and said to be."""
    app = make_app(unique)
    with breaking(times, "POST", after=after) as sent:
        app.registry.change(None, ONE)
    assert len(sent) == times + 1
    assert app.registry.platform(ONE.id).platform == ONE
    record = app.registry.platform(ONE.id)
    renamed = ONE.model_copy(update={"name": "Another"})
    with breaking(times, "POST", after=after):
        app.registry.change(record, renamed)
    assert app.registry.platform(ONE.id).platform == renamed
    with pytest.raises(Exists):
        app.registry.change(None, ONE)
    with breaking(times, "POST", after=after):
        app.registry.change(app.registry.platform(ONE.id), None)
    assert not app.registry.platforms()


@pytest.mark.azurite
def test_every_try_breaks_and_it_is_there_all_the_same(make_app: Make, unique: str) -> None:
    """The app reads before it judges."""
    app = make_app(unique)
    with breaking(99, "POST", after=True) as sent:
        app.registry.change(None, ONE)
    assert len(sent) == 3
    with breaking(99, "POST", after=False), pytest.raises(ServiceRequestError):
        app.registry.change(app.registry.platform(ONE.id), ONE.model_copy(update={"name": "Another"}))
    assert app.registry.platform(ONE.id).platform == ONE


@pytest.mark.azurite
def test_what_somebody_else_wrote_meanwhile_is_a_conflict(make_app: Make, unique: str) -> None:
    """A lost answer excuses nothing: the other one's definition stays."""
    app = make_app(unique)
    app.registry.change(None, ONE)
    record = app.registry.platform(ONE.id)
    app.registry.change(record, ONE.model_copy(update={"name": "Theirs"}))
    with breaking(1, "POST", after=True), pytest.raises(Conflict):
        app.registry.change(record, ONE.model_copy(update={"name": "Ours"}))
    assert app.registry.platform(ONE.id).platform.name == "Theirs"


@pytest.mark.azurite
@pytest.mark.parametrize("after", [True, False])
def test_rows_are_written_whatever_breaks(make_app: Make, unique: str, after: bool) -> None:
    """Created, replaced on what was read, upserted and removed; a broken connection is none of their business."""
    app, row = make_app(unique), scored_day()
    with breaking(1, "POST", after=after):
        app.deviations.put(row, None)
    stored = app.deviations.get(row.sensor, row.day, fresh=True)
    with breaking(1, "PUT", after=after):
        app.deviations.put(row, stored.etag)
    assert app.deviations.get(row.sensor, row.day).etag == app.deviations.get(row.sensor, row.day, fresh=True).etag
    told = note("troll-a", at(DAY), "A", "seen")
    for method in ("PUT", "PATCH"):
        with breaking(1, method, after=after):
            app.events.put(told)
    with breaking(1, "DELETE", after=after):
        app.events.remove(told)
    assert app.events.list("troll-a") == ()
    app.registry.change(None, ONE)
    sensor = ONE.templates[0].sensors[0]
    with breaking(1, "POST", after=after):
        watermarked(app.registry, ONE.templates[0], {sensor.id: at(DAY)})
    etag = app.registry.platform(ONE.id).stored[sensor.id].etag
    with breaking(1, "POST", after=after):
        app.registry.set_history(ONE.templates[0], sensor, history(sensor.id, "0" * 16, DAY), etag)
    assert app.registry.platform(ONE.id).history(sensor.id).current is not None


def test_what_nobody_answers_lasts_a_small_part_of_a_functions_time() -> None:
    """Each client's tries together, of storage, identity and OMNIA; and its library is told so."""
    limit = 600
    assert json.loads((ROOT / "host.json").read_text())["functionTimeout"] == "00:10:00"
    omnia = OmniaSettings(base_url="http://x")
    patience = Patience(omnia.connect_timeout_s, omnia.read_timeout_s, omnia.max_retries)
    assert IMPATIENT.longest_s < PATIENT.longest_s < limit / 5
    assert patience.longest_s < limit / 5


def test_every_client_is_told_how_long_to_wait() -> None:
    """Blobs, tables, queues and identity alike: by what reaches their transport."""
    with silent() as connection:
        clients = Clients(bootstrap(environment(connection, "silent")).settings, Patience(1, 0.2, 0))
        calls: list[Callable[[], object]] = [
            lambda: clients.table("registry").get_entity("a", "b"),
            lambda: list(clients.table("registry").query_entities("PartitionKey eq 'a'")),
            lambda: clients.container("tsd").download_blob("a"),
            lambda: clients.container("tsd").upload_blob("a", b""),
            lambda: clients.queue("critical").get_queue_properties(),
            lambda: clients.queue("critical").send_message("a"),
        ]
        for call in calls:
            began = time.monotonic()
            with pytest.raises(AzureError):
                call()
            assert time.monotonic() - began < 2


def test_an_identity_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform's own endpoint of tokens takes the connection, and that is all."""
    with silent() as connection:
        endpoint = connection.partition("BlobEndpoint=")[2].partition("/devstore")[0]
        monkeypatch.setenv("IDENTITY_ENDPOINT", endpoint)
        monkeypatch.setenv("IDENTITY_HEADER", "x")
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        clients = Clients(bootstrap(environment(connection, "silent")).settings, Patience(1, 0.2, 0))
        began = time.monotonic()
        with pytest.raises(AzureError):
            clients.credential.get_token("https://storage.azure.com/.default")
        assert time.monotonic() - began < 5


def test_health_says_within_seconds_that_nobody_answers() -> None:
    """Storage takes the connection and is silent; whoever asks for health has not the time of a function."""
    with silent() as connection:
        app = bootstrap(environment(connection, "silent"))
        began = time.monotonic()
        with pytest.raises(AzureError):
            app.impatient.queries.health()
        assert time.monotonic() - began < 8


def test_an_answer_that_says_no_is_not_asked_again() -> None:
    """Only what broke off, or what the service could not do, is repeated."""
    tries: list[int] = []

    def refused() -> str:
        tries.append(1)
        error = HttpResponseError("no")
        error.status_code = 403
        raise error

    with pytest.raises(HttpResponseError):
        writes.repeated(refused, lambda: None)
    assert len(tries) == 1
