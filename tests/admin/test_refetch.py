"""``manage refetch``: what it prints, and how it ends."""

import sys
from datetime import date
from types import SimpleNamespace
from typing import cast

import pytest

from admin import manage
from shared.bootstrap import Bootstrap
from shared.errors import SourceError
from tests.support.examples import NOW
from tests.support.fakes import FakeSource, World
from tests.usecases.ingestion.test_ingest import BEGIN, TEMPLATE, ingest, reference, source


def app(world: World, omnia: FakeSource) -> Bootstrap:
    """Return an app whose ingest reads that source."""
    return cast(Bootstrap, SimpleNamespace(ingest=ingest(world, omnia)))


def test_it_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each step, and an error for a series that is left out."""
    world, omnia = reference(), source()
    world.lake.cells.remove((TEMPLATE.id, BEGIN.date()))
    assert manage._refetch(app(world, omnia), TEMPLATE.id, BEGIN.date(), date(2026, 3, 4)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "before 2026-03-03: 576 samples differed, 1 days written",
        "before 2026-03-05: 576 samples differed, 1 days written",
    ]
    omnia.unreadable.add("TAG-a-2")
    assert manage._refetch(app(world, omnia), TEMPLATE.id, BEGIN.date(), BEGIN.date()) == 1
    assert "left out: it cannot be read" in capsys.readouterr().out


def test_it_says_where_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    """When the source fails on the way, what is done is done."""
    world, omnia = reference(), source()
    read, asked = omnia.read, []

    def failing(windows: list) -> object:  # type: ignore[type-arg]
        asked.append(windows)
        if len(asked) > 1:
            raise SourceError("it is down")
        return read(windows)

    omnia.read = failing  # type: ignore[method-assign, assignment]
    with pytest.raises(SourceError):
        manage._refetch(app(world, omnia), TEMPLATE.id, BEGIN.date(), NOW.date())
    assert "go on with: refetch troll-a 2026-03-03 2026-03-05" in capsys.readouterr().out


def test_it_wants_a_template_and_two_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything else is refused before anything is done."""
    monkeypatch.setattr(sys, "argv", ["manage", "refetch", "snorre-w", "2026-03-01"])
    with pytest.raises(SystemExit):
        manage.main()
