"""What all tables share: conditional writes, removal, and keys that sort newest first."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableClient, TableEntity, UpdateMode

from shared.domain.tsd import utc
from shared.errors import Conflict, InvalidInput
from shared.ports import Tag

_END_OF_TIME = 9_999_999_999
_PRECONDITION_FAILED = 412


def get_entity(table: TableClient, partition: str, row: str) -> TableEntity | None:
    """Return the entity, or None where there is none."""
    try:
        return table.get_entity(partition, row)
    except ResourceNotFoundError:
        return None


def put_entity(table: TableClient, entity: Mapping[str, Any], tag: Tag) -> str:
    """Write the whole entity on what was read (None: on nothing); return its new tag; raises Conflict."""
    try:
        if tag is None:
            written = table.create_entity(entity)
        else:
            written = table.update_entity(
                entity, mode=UpdateMode.REPLACE, etag=tag, match_condition=MatchConditions.IfNotModified
            )
    except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError) as error:
        raise _conflict(table, entity) from error
    except HttpResponseError as error:
        if error.status_code == _PRECONDITION_FAILED:
            raise _conflict(table, entity) from error
        raise
    return str(written["etag"])


def _conflict(table: TableClient, entity: Mapping[str, Any]) -> Conflict:
    return Conflict(f"{table.table_name}: row {entity['PartitionKey']}/{entity['RowKey']} changed in between")


def tag_of(entity: TableEntity) -> str:
    """Return the tag of an entity that was read."""
    return str(entity.metadata["etag"])


def newest_first(moment: datetime) -> str:
    """Return a row key prefix that sorts later moments first."""
    return f"{_END_OF_TIME - int(utc(moment).timestamp()):010d}"


def quoted(value: str) -> str:
    """Return the value as an OData string; refuse what no id of ours contains."""
    if any(ord(letter) < 32 or letter in "/\\#?" for letter in value):
        raise InvalidInput(f"{value!r} cannot be a key")
    return "'" + value.replace("'", "''") + "'"
