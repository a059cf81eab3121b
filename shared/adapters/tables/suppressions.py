"""Table of suppressions: PartitionKey platform, RowKey id; rows follow the journal.

The lake cannot rebuild them. Plain properties are for people and for queries.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from azure.data.tables import TableClient

from shared.adapters.tables.access import etag_of, get_entity, put_entity, query, quoted
from shared.domain.suppression import Suppression
from shared.domain.tsd import iso
from shared.ports import ETag, StoredSuppression
from shared.schemas import Stored, numbered, read


class AzureSuppressionsTable:
    """What is shelved, out of service or planned."""

    def __init__(self, table: TableClient) -> None:
        """Use the table."""
        self._table = table

    def get(self, name: str) -> StoredSuppression | None:
        """Return the suppression of that id, or None; raises InvalidInput."""
        found = get_entity(self._table, name.partition("-")[0], name)
        return None if found is None else suppression_of(found, etag_of(found))

    def put(self, stored: StoredSuppression) -> str:
        """Write the suppression on what was read (its ``etag``) and return its new etag; raises Conflict."""
        return put_entity(self._table, suppression_entity(stored), stored.etag)

    def of(self, platform: str) -> Sequence[Suppression]:
        """Return all of the platform, also those that are over."""
        return list(self._where(f"PartitionKey eq {quoted(platform)}"))

    def lasting(self, moment: datetime, platform: str | None = None) -> Sequence[Suppression]:
        """Return what is not over, of a platform or of all, by one query."""
        where = f"until gt {quoted(iso(moment))}"
        return list(self._where(where if platform is None else f"PartitionKey eq {quoted(platform)} and {where}"))

    def _where(self, where: str) -> Iterator[Suppression]:
        return (suppression_of(one, None).suppression for one in query(self._table, where))


def suppression_entity(stored: StoredSuppression) -> dict[str, Any]:
    """Return the suppression as its row in the table."""
    one = stored.suppression
    properties = {
        "PartitionKey": one.platform,
        "RowKey": one.id,
        "kind": one.kind,
        "subject": one.sensor or one.subject,
        "start": iso(one.start),
        "until": iso(one.until),
        "entries": stored.entries,
        "body": one.model_dump_json(),
    }
    return numbered(Stored.SUPPRESSION, properties)


def suppression_of(entity: Mapping[str, Any], etag: ETag) -> StoredSuppression:
    """Return the suppression that a row of the table holds; raises NewerSchema."""
    return read(
        Stored.SUPPRESSION,
        entity,
        lambda row: StoredSuppression(Suppression.from_json(row["body"]), row["entries"], etag),
    )
