"""What the trigger of detection does with the names of blobs."""

import importlib
import logging
from collections.abc import Callable

import pytest
from azure.functions.blob import InputStream

from shared.settings import settings
from tests.support.http_calls import Context, HttpFunctions


class ScoredDays:
    """Stands for the app: keeps which days it was asked to score."""

    def __init__(self) -> None:
        self.days: list[tuple[str, ...]] = []

    def score_day(self, *day: object) -> None:
        """Keep one."""
        self.days.append(tuple(map(str, day)))


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch, http_functions: HttpFunctions) -> ScoredDays:
    """The app, whose functions are loaded already."""
    app = ScoredDays()
    monkeypatch.setattr("functions.detect.app", lambda: app)
    return app


def deliver(name: str) -> None:
    """One delivery of a blob's event; the lake's container is called ``lake`` here."""
    name = name.replace("lake/", f"{settings().storage.lake_container}/", 1)
    function: Callable[..., None] = importlib.import_module(
        "functions.detect"
    ).detect_by_polling._function.get_user_function()
    function(blob=InputStream(data=b"{}", blob_properties={"Name": name}, name=name), context=Context())


def test_the_day_is_in_the_name(scored: ScoredDays) -> None:
    """Container, platform, template and day."""
    deliver("lake/askeladd/a/2026-03-05.json")
    assert scored.days == [("askeladd", "askeladd-a", "2026-03-05")]


@pytest.mark.parametrize(
    "name",
    [
        "lake/askeladd/a/notes.json",
        "lake/askeladd/2026-03-05.json",
        "lake/a",
        "",
        "x/../y",
        "backup/askeladd/a/2026-03-05.json",
    ],
)
def test_what_is_no_day_blob_is_left_alone(scored: ScoredDays, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Event Grid tells of each blob of its container: trying again would not make a day of it."""
    with caplog.at_level(logging.WARNING):
        deliver(name)
    assert scored.days == []
    assert "left alone" in caplog.text
