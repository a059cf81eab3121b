"""Rewrites what an older release stored as this one stores it; it can be stopped and repeated at any time.

Nothing waits for it: readers take both. It has to have run before a release that no longer knows the older schema.
Baseline versions are not rewritten: they are named by their content. Messages do not live long enough.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from azure.data.tables import TableClient, TableEntity

from shared.adapters.blobs import AzureDayStore
from shared.adapters.tables.access import etag_of, get_entity, put_entity
from shared.errors import Conflict
from shared.ports import ETag
from shared.schemas import CURRENT, SCHEMA, Properties, Stored, schema_of, upgraded

EVERY = 1000  # looked at between two words of progress

Write = Callable[[Properties, ETag], object]


@dataclass(frozen=True)
class Progress:
    """How far it is with one kind of what is stored."""

    what: str
    looked_at: int
    rewritten: int
    ended: bool


def upgrade_table(table: TableClient, kind: Stored, write: Write | None = None) -> Iterator[Progress]:
    """Rewrite the table's rows of an older schema; yield how far it is, now and then and at the end."""
    put = write or (lambda row, etag: put_entity(table, row, etag))
    rows = table.list_entities(select=["PartitionKey", "RowKey", SCHEMA])
    yield from _progress(table.table_name, (_upgrade_row(table, kind, row, put) for row in rows))


def upgrade_lake(lake: AzureDayStore) -> Iterator[Progress]:
    """Rewrite the day blobs of an older schema; yield how far it is, now and then and at the end."""
    yield from _progress(Stored.DAY, lake.upgrade())


def _upgrade_row(table: TableClient, kind: Stored, found: TableEntity, write: Write) -> bool:
    """Return whether the row was rewritten; who writes it at the same time writes today's schema anyway."""
    if schema_of(found) >= CURRENT[kind]:
        return False
    row = get_entity(table, found["PartitionKey"], found["RowKey"])
    if row is None:
        return False
    try:
        write(upgraded(kind, row), etag_of(row))
    except Conflict:
        return False
    return True


def _progress(what: str, steps: Iterator[bool]) -> Iterator[Progress]:
    looked_at = rewritten = 0
    for done in steps:
        looked_at, rewritten = looked_at + 1, rewritten + done
        if looked_at % EVERY == 0:
            yield Progress(what, looked_at, rewritten, ended=False)
    yield Progress(what, looked_at, rewritten, ended=True)
