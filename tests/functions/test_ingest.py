"""What the triggers of ingest do with what they are given."""

import importlib
from collections.abc import Callable
from typing import Any

import azure.functions as func
import pytest

from shared.domain.ingest_request import IngestRequest
from shared.errors import InvalidInput, SourceError
from tests.support.examples import NOW
from tests.support.http_calls import Context

pytestmark = pytest.mark.usefixtures("http_functions")
SHARE = IngestRequest(platform="troll", templates=("troll-a", "troll-b"), asked=NOW, until=NOW)


class Noted:
    """Stands for the app: notes what is called, and fails where it is told to."""

    def __init__(self, failing: str = "") -> None:
        self.called: list[str] = []
        self.shares: list[IngestRequest] = []
        self._failing = failing

    def __getattr__(self, name: str) -> Any:
        """Return a use case of that name."""
        return Noted.Part(self, name)

    class Part:
        """A use case."""

        def __init__(self, app: "Noted", name: str) -> None:
            self._app, self._name = app, name

        def run_share(self, share: IngestRequest) -> None:
            """Note the share."""
            self._app.shares.append(share)
            if self._app._failing == "run_share":
                raise SourceError("OMNIA is down")

        def __getattr__(self, method: str) -> Callable[[], None]:
            """Return what notes that it was called."""

            def call() -> None:
                self._app.called.append(f"{self._name}.{method}")
                if self._app._failing == self._name:
                    raise SourceError(self._name)

            return call


def function(monkeypatch: pytest.MonkeyPatch, name: str, app: Noted) -> Callable[..., None]:
    """Return a trigger's function, of that app."""
    module = importlib.import_module("functions.ingest")
    monkeypatch.setattr("functions.ingest.app", lambda: app)
    found: Callable[..., None] = getattr(module, name)._function.get_user_function()
    return found


ORDER = [
    "tell_health.run",
    "tell_queues.run",
    "adopt_incidents.run",
    "notify.release",
    "ingest.ask",
    "proof_tests.run",
    "take_up_poison.run",
]


@pytest.mark.parametrize(
    "failing", ["", "tell_health", "tell_queues", "adopt_incidents", "notify", "ingest", "proof_tests"]
)
def test_a_tick_asks_for_its_shares_whatever_else_fails(failing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is unwatched is told before; each is done, and the run fails by what failed."""
    app = Noted(failing)
    timer = function(monkeypatch, "ingest", app)
    if failing:
        with pytest.raises(SourceError, match=failing):
            timer(timer=None, context=Context())
    else:
        timer(timer=None, context=Context())
    assert app.called == ORDER


def test_a_share_is_ingested_as_the_message_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails is given back by the host; what is no message is refused."""
    app = Noted()
    run = function(monkeypatch, "ingest_templates", app)
    run(message=func.QueueMessage(body=SHARE.model_dump_json(by_alias=True).encode()), context=Context())
    assert app.shares == [SHARE]
    with pytest.raises(InvalidInput):
        run(message=func.QueueMessage(body=b"{}"), context=Context())
    with pytest.raises(SourceError):
        function(monkeypatch, "ingest_templates", Noted("run_share"))(
            message=func.QueueMessage(body=SHARE.model_dump_json(by_alias=True).encode()), context=Context()
        )
