"""What the triggers of baselines do with what they are given."""

import importlib
from collections.abc import Callable
from datetime import date

import azure.functions as func
import pytest

from shared.domain.baseline_request import BaselineRequest
from shared.errors import LeakDetectionError
from tests.support.fakes import World
from tests.support.http_calls import Context, HttpFunctions


class Asked:
    """Stands for the app: keeps what it was asked to build."""

    def __init__(self) -> None:
        self.registry = World().registry
        self.built: list[tuple[object, ...]] = []
        self.done = True
        self.build_baselines = self.planned_ranges = self.performance = self
        self.registrations = self.remove_orphans = self.backup = self

    def run_template(self, *asked: object) -> bool:
        """Keep one."""
        self.built.append(asked)
        return self.done

    def keep_out(self, platform: str, template: str) -> None:
        """Keep that marks follow planned operations."""
        self.built.append(("planned", platform, template))

    def ask_if_stale(self, platform: str, template: str) -> None:
        """Keep that its statement was looked at."""
        self.built.append(("stated", platform, template))

    def finish_deletions(self) -> dict[str, str]:
        """Finish nothing."""
        return {}

    def ask(self) -> dict[str, str]:
        """Keep that all were asked for, of which one platform could not be read."""
        self.built.append(("all",))
        return {"snorre": "ValueError: depth"}

    def tell(self) -> None:
        """Keep that a missing backup would be told."""
        self.built.append(("backup",))

    def run(self) -> None:
        """Keep that orphans were removed."""
        self.built.append(("orphans",))


def triggered(monkeypatch: pytest.MonkeyPatch, name: str, app: Asked) -> Callable[..., None]:
    """Return the trigger of that name on this app."""
    monkeypatch.setattr("functions.baselines.app", lambda: app)
    module = importlib.import_module("functions.baselines")
    function: Callable[..., None] = getattr(module, name)._function.get_user_function()
    return function


@pytest.mark.parametrize("days", [{}, {"decided": date(2026, 3, 1)}, {"decided": date(2026, 3, 1), "scored": date.min}])
def test_a_run_goes_on_where_the_message_says(
    days: dict[str, date], monkeypatch: pytest.MonkeyPatch, http_functions: HttpFunctions
) -> None:
    """A message of nobody before, or of an older release, says nothing: then the run begins with the first day."""
    app = Asked()
    function = triggered(monkeypatch, "baselines_after_backfill", app)
    text = BaselineRequest(platform="troll", template="troll-a", **days).model_dump_json(
        by_alias=True, exclude_none=True
    )
    function(message=func.QueueMessage(body=text.encode()), context=Context())
    assert app.built == [
        ("planned", "troll", "troll-a"),
        ("troll", "troll-a", days.get("decided"), days.get("scored")),
        ("stated", "troll", "troll-a"),
    ]


def test_a_statement_waits_until_all_is_done(monkeypatch: pytest.MonkeyPatch, http_functions: HttpFunctions) -> None:
    """What is left of a template is asked for by a further message; it looks at the statement."""
    app = Asked()
    app.done = False
    text = BaselineRequest(platform="troll", template="troll-a").model_dump_json(by_alias=True, exclude_none=True)
    function = triggered(monkeypatch, "baselines_after_backfill", app)
    function(message=func.QueueMessage(body=text.encode()), context=Context())
    assert [one[0] for one in app.built] == ["planned", "troll"]


def test_the_daily_run_asks_for_all_and_names_what_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, http_functions: HttpFunctions
) -> None:
    """It builds nothing itself; a missing backup is told and orphans are removed whatever failed."""
    app = Asked()
    with pytest.raises(LeakDetectionError, match="snorre: ValueError: depth"):
        triggered(monkeypatch, "baselines", app)(timer=None, context=Context())
    assert app.built == [("all",), ("backup",), ("orphans",)]
