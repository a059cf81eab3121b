"""Table of performance statements: PartitionKey platform, RowKey template.

The newest and the one before are compressed JSON; plain properties are for people.
"""

import zlib
from collections.abc import Mapping
from typing import Any

from shared.adapters.tables.access import TemplateRows, etag_of, get_entity, platform_of, put_entity
from shared.domain.performance import Statement, Statements
from shared.domain.tsd import iso
from shared.ports import ETag, StoredStatements
from shared.schemas import Stored, numbered, read


class AzureStatementsTable(TemplateRows):
    """The newest statement of each template, and the one before."""

    def get(self, template: str) -> StoredStatements | None:
        """Return the template's statements, or None."""
        found = get_entity(self._table, platform_of(template), template)
        return None if found is None else statements_of(found, etag_of(found))

    def put(self, template: str, statements: Statements, etag: ETag) -> str:
        """Write them on what was read and return the new etag; raises Conflict."""
        return put_entity(self._table, statements_entity(template, statements), etag)


def statements_entity(template: str, statements: Statements) -> dict[str, Any]:
    """Return a template's statements as their row in the table."""
    newest, before = statements.newest, statements.before
    properties = {
        "PartitionKey": platform_of(template),
        "RowKey": template,
        "made": iso(newest.made),
        "version": newest.version,
        "engine": newest.inputs.engine,
        "unknown": "; ".join(newest.unknown),
        "newest": _packed(newest),
        "before": _packed(before) if before else b"",
    }
    return numbered(Stored.STATEMENT, properties)


def statements_of(entity: Mapping[str, Any], etag: ETag) -> StoredStatements:
    """Return the statements that a row of the table holds; raises NewerSchema."""
    return read(Stored.STATEMENT, entity, lambda row: StoredStatements(_statements(row), etag))


def _statements(row: Mapping[str, Any]) -> Statements:
    before = _unpacked(row["before"]) if row["before"] else None
    return Statements(newest=_unpacked(row["newest"]), before=before)


def _packed(statement: Statement) -> bytes:
    return zlib.compress(statement.model_dump_json().encode())


def _unpacked(content: bytes) -> Statement:
    return Statement.model_validate_json(zlib.decompress(content), extra="ignore")
