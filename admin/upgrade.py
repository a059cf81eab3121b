"""What an older release stored, rewritten as this release stores it: all tables of the app, then the lake."""

from collections.abc import Iterator, Mapping

from shared.adapters.upgrade import Progress, upgrade_lake, upgrade_table
from shared.bootstrap import Bootstrap
from shared.schemas import Stored
from shared.settings import StorageSettings


def upgrade(app: Bootstrap) -> Iterator[Progress]:
    """Rewrite everything of an older schema; yield how far it is, now and then and at the end of each table.

    What was rewritten stays so when this is stopped half-way; the next run does the rest.
    """
    yield from _by_template(app)
    kinds = kinds_of(app.settings.storage)
    for table in app.clients.tables():
        kind = kinds[table.table_name]
        yield from upgrade_table(table, kind, app.registry.rewrite if kind is Stored.REGISTRY else None)
    yield from upgrade_lake(app.lake)


def kinds_of(names: StorageSettings) -> Mapping[str, Stored]:
    """Return the kind of the rows of each of the app's tables, by the table's name."""
    return {
        names.registry_table: Stored.REGISTRY,
        names.deviations_table: Stored.DEVIATIONS,
        names.incidents_table: Stored.INCIDENT,
        names.estimations_table: Stored.ESTIMATION,
        names.events_table: Stored.EVENT,
        names.marks_table: Stored.MARK,
        names.journal_table: Stored.JOURNAL,
        names.alarms_table: Stored.ALARM,
        names.suppressions_table: Stored.SUPPRESSION,
        names.statements_table: Stored.STATEMENT,
        names.proof_tests_table: Stored.PROOF_TEST,
    }


def _by_template(app: Bootstrap) -> Iterator[Progress]:
    """Move what the release before kept of each template among what is registered; it must not run any more."""
    app.registry.mend()
    moved = [app.registry.remove_legacy(one.platform.id) for one in app.registry.platforms()]
    yield Progress("what is known of each template", sum(moved), sum(moved), 0, ended=True)
