"""What the trigger of performance statements does with what it is given."""

import importlib
from collections.abc import Callable

import azure.functions as func
import pytest

from shared.domain.statement_request import StatementRequest
from shared.errors import NotFound
from tests.support.examples import platform
from tests.support.fakes import World
from tests.support.http_calls import Context


class Asked:
    """Stands for the app: keeps what it was asked to state, and finds no template."""

    def __init__(self) -> None:
        self.registry = World().registry
        self.stated: list[str] = []
        self.performance = self

    def run(self, template: str) -> None:
        """Keep one."""
        self.stated.append(template)
        raise NotFound(template)


def function(monkeypatch: pytest.MonkeyPatch, app: Asked) -> Callable[..., None]:
    """Return the trigger's function, of that app."""
    module = importlib.import_module("functions.performance")
    monkeypatch.setattr("functions.performance.app", lambda: app)
    found: Callable[..., None] = module.performance._function.get_user_function()
    return found


def message() -> func.QueueMessage:
    """Return a message that asks for a statement."""
    asked = StatementRequest(platform="troll", template="troll-a")
    return func.QueueMessage(body=asked.model_dump_json(by_alias=True).encode())


@pytest.mark.usefixtures("http_functions")
def test_a_template_that_is_gone_leaves_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is done with; it does not fail five times and wait for a person."""
    app = Asked()
    function(monkeypatch, app)(message=message(), context=Context())
    assert app.stated == ["troll-a"]


@pytest.mark.usefixtures("http_functions")
def test_what_fails_for_a_template_that_is_there_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host gives the message to somebody else."""
    app = Asked()
    app.registry.add(platform())
    with pytest.raises(NotFound):
        function(monkeypatch, app)(message=message(), context=Context())
