"""Rewrites what an older release stored as this one stores it; it can be stopped and repeated at any time.

Nothing waits for it: readers take both. It has to have run before a release that no longer knows the older schema.
Baseline versions are not rewritten: they are named by their content. Messages do not live long enough.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from azure.data.tables import TableClient, TableEntity

from shared.adapters.blobs import AzureDayStore
from shared.adapters.tables.access import etag_of, every, get_entity, put_entity
from shared.errors import Conflict, CorruptBlob, NewerSchema
from shared.ports import ETag
from shared.schemas import CURRENT, SCHEMA, Properties, Stored, schema_of, upgraded

logger = logging.getLogger(__name__)

EVERY = 1000  # looked at between two words of progress

Outcome = Literal["as it was", "rewritten", "refused"]
Write = Callable[[Properties, ETag], object]


@dataclass(frozen=True)
class Progress:
    """How far it is with one kind of what is stored."""

    what: str
    looked_at: int
    rewritten: int
    refused: int  # left as they are, because no step can read them; the log names each
    ended: bool


def upgrade_table(table: TableClient, kind: Stored, write: Write | None = None) -> Iterator[Progress]:
    """Rewrite the table's rows of an older schema; yield how far it is, now and then and at the end."""
    put = write or (lambda row, etag: put_entity(table, row, etag))
    rows = every(table, ["PartitionKey", "RowKey", SCHEMA])
    yield from _progress(table.table_name, (_upgrade_row(table, kind, row, put) for row in rows))


def upgrade_lake(lake: AzureDayStore) -> Iterator[Progress]:
    """Rewrite the day blobs of an older schema; yield how far it is, now and then and at the end."""
    yield from _progress(Stored.DAY, (_upgrade_blob(lake, name, older) for name, older in lake.names_of_older()))


def _upgrade_blob(lake: AzureDayStore, name: str, older: bool) -> Outcome:
    try:
        return "rewritten" if older and lake.rewrite(name) else "as it was"
    except Conflict:
        return "as it was"
    except (CorruptBlob, NewerSchema) as error:
        logger.error("%s; it is left as it is", error)  # noqa: TRY400 (the message says all)
        return "refused"


def _upgrade_row(table: TableClient, kind: Stored, found: TableEntity, write: Write) -> Outcome:
    """Rewrite a row of an older schema; who writes it at the same time writes today's schema anyway."""
    partition, name = found["PartitionKey"], found["RowKey"]
    try:
        if schema_of(found) >= CURRENT[kind]:
            return "as it was"
        row = get_entity(table, partition, name)
        if row is None:
            return "as it was"
        write(upgraded(kind, row), etag_of(row))
    except Conflict:
        return "as it was"
    except (KeyError, TypeError, ValueError):
        logger.exception("%s %s/%s cannot be read, and is left as it is", kind, partition, name)
        return "refused"
    return "rewritten"


def _progress(what: str, steps: Iterator[Outcome]) -> Iterator[Progress]:
    count: Counter[Outcome] = Counter()
    for step in steps:
        count[step] += 1
        if count.total() % EVERY == 0:
            yield Progress(what, count.total(), count["rewritten"], count["refused"], ended=False)
    yield Progress(what, count.total(), count["rewritten"], count["refused"], ended=True)
