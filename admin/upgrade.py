"""What an older release stored, rewritten as this release stores it: all tables of the app, then the lake."""

from collections.abc import Iterator, Mapping
from functools import partial

from azure.data.tables import TableClient

from shared.adapters.tables.access import put_entity
from shared.adapters.tables.registry_rows import HEAD
from shared.adapters.upgrade import Progress, Write, upgrade_lake, upgrade_table
from shared.bootstrap import Bootstrap
from shared.ports import ETag
from shared.schemas import Properties, Stored
from shared.settings import StorageSettings


def upgrade(app: Bootstrap) -> Iterator[Progress]:
    """Rewrite everything of an older schema; yield how far it is, now and then and at the end of each table.

    What was rewritten stays so when this is stopped half-way; the next run does the rest.
    """
    kinds = kinds_of(app.settings.storage)
    for table in app.clients.tables():
        kind = kinds[table.table_name]
        yield from upgrade_table(table, kind, _registry_write(app, table) if kind is Stored.REGISTRY else None)
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
    }


def _registry_write(app: Bootstrap, table: TableClient) -> Write:
    return partial(_write_registry_row, app, table)


def _write_registry_row(app: Bootstrap, table: TableClient, row: Properties, etag: ETag) -> None:
    """Write a row together with its partition's head; the head alone, because a transaction takes no row twice."""
    if row["RowKey"] == HEAD:
        put_entity(table, row, etag)
    else:
        app.registry.rewrite(row, etag)
