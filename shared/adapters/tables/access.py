"""What all tables share: conditional writes, removal, and keys that sort newest first."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.data.tables import TableClient, TableEntity, TableTransactionError, UpdateMode

from shared.adapters.tables.writes import TransactionStep, submit, write_one
from shared.domain.tsd import utc
from shared.errors import Conflict, InvalidInput, NewerSchema
from shared.ports import ETag
from shared.schemas import CURRENT, SCHEMA, Stored, schema_of

_END_OF_TIME = 9_999_999_999
_CONTINUATION = r"[0-9]{10}(-[0-9a-f]{16})?"  # the key of a row that sorts newest first
LAST = "~"  # sorts after every character of an id or key
_NEXT = "!"  # sorts before every character of a row key
MOST_AT_ONCE = 100  # rows in one transaction
_CHANGED = (404, 409, 412)  # gone, there already, not what was read


def get_entity(table: TableClient, partition: str, row: str, select: Sequence[str] | None = None) -> TableEntity | None:
    """Return the entity, or some of its properties, or None where there is none."""
    try:
        return _without_nulls(table.get_entity(partition, row, select=list(select) if select else None))
    except ResourceNotFoundError:
        return None


def query(
    table: TableClient, where: str, select: Sequence[str] | None = None, *, at_once: int | None = None
) -> Iterator[TableEntity]:
    """Yield the entities that fit, or some of their properties, in order of key."""
    more: dict[str, Any] = {} if at_once is None else {"results_per_page": at_once}
    for entity in table.query_entities(where, select=list(select) if select else None, **more):
        yield _without_nulls(entity)


def first_of(table: TableClient, where: str, limit: int, select: Sequence[str] | None = None) -> list[TableEntity]:
    """Return the first so many entities that fit, and read no more than these."""
    return list(islice(query(table, where, select, at_once=min(limit, 1000)), limit))


def following(row: str) -> str:
    """Return the row key that comes right after this one."""
    return row + _NEXT


def every(table: TableClient, select: Sequence[str] | None = None) -> Iterator[TableEntity]:
    """Yield every entity, or some of their properties, in order of key."""
    for entity in table.list_entities(select=list(select) if select else None):
        yield _without_nulls(entity)


def _without_nulls(entity: TableEntity) -> TableEntity:
    """Return the entity without what it does not have: Azure (not Azurite) gives null for what was selected."""
    for name in [name for name, value in entity.items() if value is None]:
        del entity[name]
    return entity


def put_entity(table: TableClient, entity: Mapping[str, Any], etag: ETag, *, keep: bool = False) -> str:
    """Write the whole entity on what was read (None: on nothing); return its new etag; raises Conflict.

    ``keep``: properties that it does not name stay as they are.
    """
    step = put(entity, etag)
    if keep and etag is not None:
        step = "update", entity, {"mode": UpdateMode.MERGE, **_if(etag)}
    try:
        return write_one(table, step)
    except HttpResponseError as error:
        if error.status_code in _CHANGED:
            raise _conflict(table, entity) from error
        raise


def upsert_entity(table: TableClient, entity: Mapping[str, Any]) -> None:
    """Write the whole entity whatever is there."""
    write_one(table, upsert(entity))


def put(entity: Mapping[str, Any], etag: ETag, *, merge: bool = False) -> TransactionStep:
    """Return the writing of an entity on what was read (None: on nothing); ``merge`` keeps what it does not name."""
    if etag is None:
        return "create", entity, {}
    return "update", _part(entity) if merge else entity, {"mode": _mode(merge), **_if(etag)}


def upsert(entity: Mapping[str, Any], *, merge: bool = False) -> TransactionStep:
    """Return the writing of an entity whatever is there; ``merge`` keeps the properties that it does not name."""
    return "upsert", _part(entity) if merge else entity, {"mode": _mode(merge)}


def _mode(merge: bool) -> UpdateMode:
    return UpdateMode.MERGE if merge else UpdateMode.REPLACE


def _part(entity: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the entity without its schema: a part of a row says nothing of what the rest of it is."""
    return {name: value for name, value in entity.items() if name != SCHEMA}


def refuse_newer(table: TableClient, kind: Stored, partition: str, row: str) -> None:
    """Raise NewerSchema where a newer release wrote the row: this one would lose of it what it ignores."""
    found = get_entity(table, partition, row, [SCHEMA])
    if found is not None and schema_of(found) > CURRENT[kind]:
        raise NewerSchema(f"{kind} {partition}/{row} was written by a newer release, and can only be changed there")


def delete(partition: str, row: str, etag: ETag = None) -> TransactionStep:
    """Return the removal of an entity, of what was read if a etag is given."""
    return "delete", {"PartitionKey": partition, "RowKey": row}, {} if etag is None else _if(etag)


def _if(etag: str) -> dict[str, Any]:
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def commit(table: TableClient, steps: Sequence[TransactionStep]) -> list[str]:
    """Do all of it or nothing; return the entities' new tags (empty for what was removed); raises Conflict."""
    try:
        return submit(table, steps)
    except TableTransactionError as error:
        if error.status_code in _CHANGED:
            where = steps[error.index or 0][1]
            raise _conflict(table, where) from error
        raise


def _conflict(table: TableClient, entity: Mapping[str, Any]) -> Conflict:
    return Conflict(f"{table.table_name}: row {entity['PartitionKey']}/{entity['RowKey']} changed in between")


def page_of(
    table: TableClient, partition: str, limit: int | None, after: str | None, select: list[str] | None = None
) -> tuple[list[TableEntity], str | None]:
    """Return at most so many rows of a partition after a page, in order of key, and where the next page begins."""
    if after is not None and not re.fullmatch(_CONTINUATION, after):
        raise InvalidInput("continuation: must be what the page before gave")
    where = f"PartitionKey eq {quoted(partition)}" + (f" and RowKey gt {quoted(after)}" if after else "")
    if limit is None:
        return list(query(table, where, select)), None
    found = first_of(table, where, limit + 1, select)
    return found[:limit], found[limit - 1]["RowKey"] if len(found) > limit else None


def keys_of(table: TableClient, partition: str) -> list[str]:
    """Return the keys of a partition's rows, and nothing else of them."""
    found = query(table, f"PartitionKey eq {quoted(partition)}", ["RowKey"])
    return [str(entity["RowKey"]) for entity in found]


def remove_partition(table: TableClient, partition: str) -> None:
    """Remove every row of a partition; what is gone already is no error."""
    remove_rows(table, partition, keys_of(table, partition))


def remove_rows(table: TableClient, partition: str, keys: Sequence[str]) -> None:
    """Remove rows of a partition, a hundred at a time; what is gone already is no error."""
    for begin in range(0, len(keys), MOST_AT_ONCE):
        rows = keys[begin : begin + MOST_AT_ONCE]
        try:
            submit(table, [delete(partition, row) for row in rows])
        except TableTransactionError:  # somebody else removed one of them: then one by one
            for row in rows:
                remove_entity(table, partition, row)


def _next_partition(table: TableClient, after: str, before: str) -> str | None:
    """Return the first partition between these two keys; None where there is none."""
    between = f"PartitionKey gt {quoted(after)} and PartitionKey lt {quoted(before)}"
    rows = query(table, between, ["PartitionKey"], at_once=1)
    return next((str(row["PartitionKey"]) for row in rows), None)


class PartitionedTable:
    """A table with a partition for each subject."""

    def __init__(self, table: TableClient) -> None:
        """Use the table."""
        self._table = table

    def remove_all(self, subject: str, /) -> None:
        """Remove all of the subject; removing it again changes nothing."""
        remove_partition(self._table, subject)

    def count(self, subject: str, /) -> int:
        """Return how many there are of the subject."""
        return len(keys_of(self._table, subject))

    def subjects(self, prefix: str, /) -> list[str]:
        """Return the subjects that begin so and have rows, in order: a read of one row for each of them."""
        found: list[str] = []
        while (after := _next_partition(self._table, found[-1] if found else prefix, prefix + LAST)) is not None:
            found.append(after)
        return found


class TemplateRows:
    """A table with a partition for each platform, and in it a row for each template."""

    def __init__(self, table: TableClient) -> None:
        """Use the table."""
        self._table = table

    def remove_all(self, template: str, /) -> None:
        """Remove the template's row; removing it again changes nothing."""
        remove_entity(self._table, platform_of(template), template)

    def count(self, template: str, /) -> int:
        """Return how many rows there are of the template."""
        return int(get_entity(self._table, platform_of(template), template, ["RowKey"]) is not None)

    def subjects(self, prefix: str, /) -> list[str]:
        """Return the templates that begin so and have a row, in order."""
        where = (
            f"PartitionKey eq {quoted(platform_of(prefix))} and RowKey ge {quoted(prefix)} "
            f"and RowKey lt {quoted(prefix + LAST)}"
        )
        return [str(row["RowKey"]) for row in query(self._table, where, ["RowKey"])]


def platform_of(template: str) -> str:
    """Return the platform of a template, or of what its id begins with."""
    return template.partition("-")[0]


def remove_entity(table: TableClient, partition: str, row: str, etag: ETag = None) -> None:
    """Remove a row, of what was read if a etag is given; removing it again changes nothing; raises Conflict."""
    step = delete(partition, row, etag)
    try:
        write_one(table, step)
    except ResourceNotFoundError:
        return  # it is gone already, which is what was asked for
    except HttpResponseError as error:
        if error.status_code in _CHANGED:
            raise _conflict(table, step[1]) from error
        raise


def etag_of(entity: TableEntity) -> str:
    """Return the etag of an entity that was read."""
    return str(entity.metadata["etag"])


def newest_first(moment: datetime) -> str:
    """Return a row key prefix that sorts later moments first."""
    return f"{_END_OF_TIME - int(utc(moment).timestamp()):010d}"


def quoted(value: str) -> str:
    """Return the value as an OData string; refuse what no id of ours contains."""
    if any(ord(letter) < 32 or letter in "/\\#?" for letter in value):
        raise InvalidInput(f"{value!r} cannot be a key")
    return "'" + value.replace("'", "''") + "'"


def names_in_text(names: Sequence[str] | None) -> str:
    """Return the names of the events that stand for a row as one property; None: nobody recorded them."""
    return "?" if names is None else " ".join(names)


def names_from_text(text: str) -> tuple[str, ...] | None:
    """Return the names in such a property."""
    return None if text == "?" else tuple(text.split())
