"""What the timer of backups does, and in which order."""

import importlib
from collections.abc import Callable
from types import SimpleNamespace

import azure.functions as func
import pytest

from shared.errors import LeakDetectionError
from tests.support.http_calls import Context, HttpFunctions


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_removed_while_nothing_is_backed_up(
    fails: bool, monkeypatch: pytest.MonkeyPatch, http_functions: HttpFunctions
) -> None:
    """The backup comes first; where it fails, the run does, and what is old stays."""
    done: list[str] = []

    def back_up() -> None:
        if fails:
            raise LeakDetectionError("no time left")
        done.append("backed up")

    app = SimpleNamespace(
        backup=SimpleNamespace(run=back_up), remove_old=SimpleNamespace(run=lambda: done.append("removed"))
    )
    monkeypatch.setattr("functions.keep.app", lambda: app)
    keep: Callable[..., None] = importlib.import_module("functions.keep").keep._function.get_user_function()
    if fails:
        with pytest.raises(LeakDetectionError, match="no time left"):
            keep(timer=func.TimerRequest, context=Context())
        assert done == []
    else:
        keep(timer=func.TimerRequest, context=Context())
        assert done == ["backed up", "removed"]
