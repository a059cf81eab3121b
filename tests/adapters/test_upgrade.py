"""The upgrade on real storage: what an older release stored becomes what this one stores, also in two runs."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import islice
from typing import Any

import numpy as np
import pytest
from azure.data.tables import TableClient, UpdateMode

from admin import manage
from admin.upgrade import kinds_of, upgrade
from local.azurite import Azurite
from shared.adapters import upgrade as shared_upgrade
from shared.adapters.tables.marks import decisions_of
from shared.adapters.tables.registry_rows import GENERATION, INDEX
from shared.bootstrap import Bootstrap
from shared.domain.environment import Environment
from shared.domain.estimation import Observations
from shared.domain.event import Event
from shared.domain.mark import Mark, Span
from shared.ports import NotificationState, StoredEstimation
from shared.schemas import CURRENT, FIRST_ENGINE, SCHEMA, Stored
from tests.conftest import environment
from tests.support.examples import (
    DAY,
    at,
    document,
    history,
    incident_at,
    noise,
    platform,
    quiet_baseline,
    scored_day,
    statements,
    template,
    watermarked,
)
from tests.support.fakes import invert

pytestmark = pytest.mark.azurite

Make = Callable[..., Bootstrap]
Rows = dict[tuple[str, str, str], dict[str, Any]]
NEW = {SCHEMA, "engine", "notified_closed", "notified_sensors"}  # properties that the release before did not write
NEW_OF_DECISIONS = {SCHEMA, "kind", "number"}
OLDER = {Stored.REGISTRY, Stored.DEVIATIONS, Stored.INCIDENT, Stored.MARK}  # whose schema has changed since


@pytest.fixture
def app(make_app: Make, unique: str) -> Bootstrap:
    """Something of every kind, as the release before stored it."""
    app = make_app(unique)
    fill(app)
    for table in app.clients.tables():
        for row in list(table.list_entities()):
            if row["PartitionKey"].startswith(INDEX):
                continue  # the release before had none
            if row["RowKey"].startswith("decision|"):  # which had another key
                table.delete_entity(row)
                older = {name: value for name, value in row.items() if name not in NEW_OF_DECISIONS}
                table.create_entity({**older, "RowKey": f"mark|{_mark_in(row).id}"})
                continue
            older = {name: value for name, value in row.items() if name not in NEW}
            table.update_entity(older, mode=UpdateMode.REPLACE)
    return app


def _mark_in(row: Mapping[str, Any]) -> Mark:
    (decision,) = decisions_of(row)
    assert isinstance(decision.what, Mark)
    return decision.what


def fill(app: Bootstrap) -> None:
    """Store a platform with two templates, and something of every kind for each of their sensors."""
    templates = [template(slug=slug) for slug in ("a", "b")]
    app.registry.add(platform(*templates))
    for one in templates:
        app.lake.write(one, document(one, DAY, s1=noise(1)), None)
        watermarked(app.registry, one, {one.sensors[0].id: at(DAY)})
        app.incidents.put(incident_at(6, one.id), NotificationState(at(DAY, 7), "digest", None, ("s1",)), None)
        seen = Observations(np.array(["2026-03-01"], dtype="datetime64[s]"), np.zeros((2, 1)))
        answer = invert(one, Environment.of(seen.times), seen, at(DAY), at(DAY))
        app.estimations.put(StoredEstimation(f"{one.id}-1", one.id, at(DAY), at(DAY), "digest", answer, (), None))
        app.statements_table.put(one.id, statements(one.id), None)
        app.alarms.follow(incident_at(6, one.id))
        app.suppressions.shelve(one.id, app.clock.now() + timedelta(days=1), "trawlers", "A. Person")
        app.proof_tests.ask(one.id, "A. Person")
        app.events.put(Event(subject=one.id, kind="note", at=at(DAY, 6), about="A", message="quiet", by="A"))
        for sensor in one.sensors:
            app.baselines.put(sensor.id, quiet_baseline())
            tag = app.registry.platform(one.platform).stored[sensor.id].etag
            app.registry.set_history(one, sensor, history(sensor.id, quiet_baseline().version, DAY), tag)
            app.deviations.put(scored_day(sensor=sensor.id), None)
            app.feedback.mark(sensor.id, Span(at(DAY), at(DAY, 2)), "no_leak", "A. Person", "")
    app.registry.mend()


def rows(app: Bootstrap) -> Rows:
    """Return all rows of all tables, by table and key."""
    return {
        (table.table_name, row["PartitionKey"], row["RowKey"]): dict(row)
        for table in app.clients.tables()
        for row in table.list_entities()
    }


def is_older(app: Bootstrap, key: tuple[str, str, str]) -> bool:
    """Return whether the release before stored the row by another schema."""
    return kinds_of(app.settings.storage)[key[0]] in OLDER and not key[1].startswith(INDEX)


def tags(app: Bootstrap) -> Mapping[tuple[str, str, str], str]:
    """Return the tag of every row: a row that was written has another one."""
    return {
        (table.table_name, row["PartitionKey"], row["RowKey"]): str(row.metadata["etag"])
        for table in app.clients.tables()
        for row in table.list_entities()
    }


def rewritten(app: Bootstrap) -> int:
    """Upgrade, and return how much was rewritten."""
    return sum(progress.rewritten for progress in upgrade(app) if progress.ended)


def check_all_is_of_today(app: Bootstrap, before: Rows) -> None:
    """Check that each row is as it was, with what this release writes beside it."""
    kinds = kinds_of(app.settings.storage)
    after = rows(app)
    assert after.keys() == before.keys()
    seen = Counter[Stored]()
    for key, row in after.items():
        kind = kinds[key[0]]
        seen[kind] += 1
        new = NEW_OF_DECISIONS if kind is Stored.MARK else NEW
        assert row.get(SCHEMA, 1) == CURRENT[kind]
        if key[1].startswith(INDEX):
            continue
        assert {name: value for name, value in row.items() if name not in new} == {
            name: row.get(name) if name == GENERATION else value for name, value in before[key].items()
        }
        if kind is Stored.DEVIATIONS or "baselines" in row:
            assert row["engine"] == FIRST_ENGINE
        if kind is Stored.INCIDENT:
            assert (row["notified_closed"], row["notified_sensors"]) == (row["told_closed"], row["told_sensors"])
    assert set(seen) == set(kinds.values())


def test_what_an_older_release_stored_is_rewritten_once(
    app: Bootstrap, unique: str, azurite: Azurite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command prints a line for each table and the lake; a second run writes nothing."""
    before = rows(app)
    older = Counter(key[0] for key in before if is_older(app, key))
    for name, value in environment(azurite.connection_string, unique).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["manage", "upgrade"])
    counts = Counter(key[0] for key in before)
    for again in (False, True):
        tags_before = tags(app)
        assert manage.main() == 0
        lines = [
            f"{table.table_name}: {counts[table.table_name]} looked at, "
            f"{0 if again else older[table.table_name]} rewritten"
            for table in app.clients.tables()
        ]
        moved = "what is known of each template: 0 looked at, 0 rewritten"
        assert capsys.readouterr().out.splitlines() == [moved, *lines, "day blob: 2 looked at, 0 rewritten"]
        assert (tags(app) == tags_before) is again
    check_all_is_of_today(app, before)


def test_what_this_release_stores_is_left_alone(make_app: Make, unique: str) -> None:
    """Every writer writes today's schema: there is nothing to rewrite."""
    app = make_app(unique)
    fill(app)
    before = tags(app)
    assert rewritten(app) == 0
    assert tags(app) == before


def test_a_row_that_nothing_can_read_is_named_and_stops_no_other(
    app: Bootstrap, unique: str, azurite: Azurite, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stays as it is; the rest is rewritten, and the command ends with 1."""
    before = rows(app)
    table = app.clients.table(app.settings.storage.incidents_table)
    first, second = list(table.list_entities())
    del first["told_closed"]
    second[SCHEMA] = "two"
    table.update_entity(first, mode=UpdateMode.REPLACE)
    table.update_entity(second, mode=UpdateMode.REPLACE)
    for name, value in environment(azurite.connection_string, unique).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["manage", "upgrade"])
    assert manage.main() == 1
    assert f"{table.table_name}: 2 looked at, 0 rewritten, 2 cannot be read" in capsys.readouterr().out
    kinds = kinds_of(app.settings.storage)
    others = [(kinds[key[0]], row) for key, row in rows(app).items() if kinds[key[0]] is not Stored.INCIDENT]
    assert len(others) == len(before) - 2
    assert all(row.get(SCHEMA, 1) == CURRENT[kind] for kind, row in others)


def test_a_run_that_is_stopped_is_completed_by_the_next(app: Bootstrap, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after the first rows; what was rewritten by then is not written again."""
    monkeypatch.setattr(shared_upgrade, "EVERY", 3)
    before = rows(app)
    _, first = islice(upgrade(app), 2)  # of the templates nothing is of before
    assert (first.looked_at, first.rewritten, first.ended) == (3, 3, False)
    total = sum(1 for key in before if is_older(app, key))
    assert rewritten(app) == total - first.rewritten
    check_all_is_of_today(app, before)


def test_a_write_that_fails_stops_the_run_and_the_next_does_the_rest(
    app: Bootstrap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storage fails in the second table; nothing is lost, and nothing half written."""
    before = rows(app)
    written = TableClient.update_entity
    done: list[str] = []

    def failing(self: TableClient, *arguments: Any, **more: Any) -> Any:
        if len(done) == 3:
            raise ConnectionError("storage is gone")
        done.append(self.table_name)
        return written(self, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(TableClient, "update_entity", failing)
        with pytest.raises(ConnectionError, match="storage is gone"):
            rewritten(app)
    assert app.settings.storage.deviations_table in done
    assert rewritten(app) > 0
    assert rewritten(app) == 0
    check_all_is_of_today(app, before)
