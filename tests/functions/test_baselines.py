"""What the triggers of baselines do with what they are given."""

import importlib
from collections.abc import Callable
from datetime import date

import azure.functions as func
import pytest

from shared.domain.baseline_request import BaselineRequest
from tests.support.fakes import World
from tests.support.http_calls import Context, HttpFunctions


class Asked:
    """Stands for the app: keeps what it was asked to build."""

    def __init__(self) -> None:
        self.registry = World().registry
        self.built: list[tuple[object, ...]] = []
        self.build_baselines = self

    def run_template(self, *asked: object) -> None:
        """Keep one."""
        self.built.append(asked)


@pytest.mark.parametrize("days", [{}, {"decided": date(2026, 3, 1)}, {"decided": date(2026, 3, 1), "scored": date.min}])
def test_a_run_goes_on_where_the_message_says(
    days: dict[str, date], monkeypatch: pytest.MonkeyPatch, http_functions: HttpFunctions
) -> None:
    """A message of nobody before, or of an older release, says nothing: then the run begins with the first day."""
    app = Asked()
    monkeypatch.setattr("functions.baselines.app", lambda: app)
    module = importlib.import_module("functions.baselines")
    function: Callable[..., None] = module.baselines_after_backfill._function.get_user_function()
    text = BaselineRequest(platform="troll", template="troll-a", **days).model_dump_json(
        by_alias=True, exclude_none=True
    )
    function(message=func.QueueMessage(body=text.encode()), context=Context())
    assert app.built == [("troll", "troll-a", days.get("decided"), days.get("scored"))]
