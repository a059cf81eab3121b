"""A rehearsal: a platform is watched and talked about, backed up, lost and restored; people see what they saw."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from omnia_emulator import running
from omnia_emulator.series import fixed, platforms
from omnia_emulator.synthetic import beginning, placed, synthetic

import admin.replay
from admin.manage import seed
from admin.restore import restore
from local.azurite import Azurite
from local.process import HostProcess
from local.snapshot import differences, snapshot
from shared.bootstrap import Bootstrap
from shared.domain.mark import Span
from shared.errors import Conflict
from shared.usecases.baselines import rescoring
from tests.conftest import bootstrap, environment
from tests.local.test_main_path import LEAKING, ONSET, PRESENT, RATE, RULES, askeladd, drain, one_pass
from tests.support.filled import QUIET
from tests.support.rehearsal import lose, shown, shown_otherwise

pytestmark = [pytest.mark.azurite, pytest.mark.slow, pytest.mark.xdist_group("restore")]

SENSOR = "askeladd-a-1"
PIECE = 3  # days


@pytest.fixture(scope="module")
def settings() -> Iterator[dict[str, str]]:
    """The settings of an app of its own, on an emulator with a leak at Askeladd."""
    sea = platforms(["askeladd"])
    leak = placed(sea, LEAKING, "A1", RATE, ONSET)
    store = synthetic(sea, seed=4, begin=beginning(PRESENT, 19), clock=fixed(PRESENT), leak=leak)
    with running(store, token="test") as omnia, Azurite() as azurite:
        values = environment(azurite.connection_string, "kept", OMNIA__BASE_URL=omnia.base_url, **RULES)
        yield values | {"BACKUP__ON": "true"}


@pytest.fixture(scope="module")
def watched(settings: dict[str, str]) -> Bootstrap:
    """An app that found a leak, with all that people said about it, and a backup of that day."""
    app = bootstrap(settings)
    app.clients.ensure_storage()
    seed(app, [askeladd()])
    one_pass(app)
    (incident,) = [one.incident for one in app.incidents.list(LEAKING) if one.incident.onset >= ONSET]
    app.alarms.acknowledge(incident.id, "A. Person", "seen", lambda _: None)
    app.notes.add(LEAKING, "ROV is on its way", "A. Person")
    quiet = Span(PRESENT - timedelta(days=9), PRESENT - timedelta(days=9) + timedelta(hours=2))
    app.feedback.mark(SENSOR, quiet, "no_leak", "A. Person", "trawler")
    app.suppressions.plan(LEAKING, "rov", PRESENT, PRESENT + timedelta(hours=3), "dive", "A. Person")
    app.build_baselines.run()
    drain(app)
    app.tell_health.run()
    assert app.backup.run() is not None
    return app


def seen(settings: dict[str, str], app: Bootstrap, folder: Path) -> Mapping[str, Any]:
    """Return what people are shown, by its path, by a host that knows nothing yet."""
    with HostProcess({**settings, **QUIET}, log=folder / "host.log") as host:
        return shown(app, LEAKING, SENSOR, lambda path: requests.get(f"{host.url}{path}", timeout=60))


@pytest.mark.parametrize("baselines", [False, True], ids=["tables lost", "tables and baselines lost"])
def test_what_was_lost_is_restored_and_people_see_what_they_saw(
    baselines: bool, watched: Bootstrap, settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables end row by row as they were, the journal and scored days included; so do pages and answers."""
    for module in (rescoring, admin.replay):  # a year is scored piece by piece; so is this sea
        monkeypatch.setattr(module, "AT_ONCE", PIECE)
    rows, before = snapshot(watched), seen(settings, watched, tmp_path)
    lose(watched, baselines=baselines)
    fresh = bootstrap(settings)
    said = list(restore(fresh, None))
    assert said[-1] == "replayed"
    assert differences(rows, snapshot(fresh)) == []
    assert any(one.startswith("sensors whose baselines are made anew") for one in said) is baselines
    assert shown_otherwise(before, seen(settings, fresh, tmp_path)) == []


def test_restoring_twice_gives_the_same(watched: Bootstrap, settings: dict[str, str]) -> None:
    """What is there as the backup has it is no hindrance, so who was cut short goes on."""
    rows = snapshot(watched)
    lose(watched, baselines=False)
    part = restore(bootstrap(settings), None)
    while not next(part).startswith("alarms"):
        pass
    part.close()  # type: ignore[attr-defined]
    list(restore(bootstrap(settings), None))
    list(restore(bootstrap(settings), None))
    assert differences(rows, snapshot(watched)) == []
    list(restore(bootstrap(settings), None, replace=True))
    assert differences(rows, snapshot(watched)) == []


def test_what_was_said_since_is_not_written_over_unless_it_is_meant(
    watched: Bootstrap, settings: dict[str, str]
) -> None:
    """A note of after the backup is in the way; with ``replace`` it stays, and so does its entry of the journal."""
    watched.notes.add(LEAKING, "nothing to be seen", "B. Person")
    rows = snapshot(watched)
    with pytest.raises(Conflict, match="events: 0 rows differ from the backup's, 1 are not in it"):
        list(restore(bootstrap(settings), None))
    assert differences(rows, snapshot(watched)) == []
    list(restore(bootstrap(settings), None, replace=True))
    assert differences(rows, snapshot(watched)) == []
