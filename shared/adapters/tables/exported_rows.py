"""Rows as lines of JSON and back: a property has the type that it had, in the spelling of OData.

A text, a truth, a whole number of 32 bits and a finite number say by themselves what they are; whatever else has its
type beside it (``name@odata.type``).
"""

import base64
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from azure.data.tables import EdmType, EntityProperty, TableClient

from shared.adapters.tables.access import (
    LAST,
    MOST_AT_ONCE,
    PartitionedTable,
    commit,
    every,
    first_of,
    newest_first,
    query,
    quoted,
    upsert,
)
from shared.adapters.tables.journal import SAID, topic_row
from shared.adapters.tables.registry_rows import CHECKED
from shared.domain.backup import end_of, month_of
from shared.domain.event import OF_A_ROW
from shared.errors import InvalidInput
from shared.ports import Row
from shared.schemas import schema_of

_TYPE = "@odata.type"
_MOST_BYTES = 3_000_000  # of one transaction, which takes 4 MiB
_PARALLEL = 8  # topics that are read at once
_SECOND = timedelta(seconds=1)  # keys have times to the second, and something after them


class AzureStoredRows:
    """The rows of the tables that are backed up."""

    def __init__(self, tables: Mapping[str, TableClient]) -> None:
        """Use these tables, by what they are called in a backup."""
        self._tables = tables

    def rows(self, table: str) -> Iterator[Row]:
        """Yield the table's rows that nothing derives, in order of key; of the journal, all."""
        client = self._tables[table]
        if table == "events":  # those that follow a scored day are told again when it is scored again
            derived = " and ".join(f"kind ne {quoted(kind)}" for kind in sorted(OF_A_ROW))
            return map(exported, query(client, derived))
        if table == "registry":  # what was found right is looked at again: it was so of rows that may be gone
            return map(exported, query(client, f"RowKey ne {quoted(CHECKED)}"))
        return map(exported, every(client))

    def journal_months(self) -> Sequence[str]:
        """Return the months in which anything was said, in order: a read of one row for each, and platform."""
        return sorted({month for one in self._platforms() for month in self._months_of(one)})

    def journal(self, month: str) -> Iterator[Row]:
        """Yield the rows of the journal's entries that were said in a month; no other entry is read.

        They are found by when they were said. Of each topic the month's entries have neighbouring numbers.
        """
        for platform in self._platforms():
            numbers: dict[str, tuple[int, int]] = {}
            for entity in query(self._journal, _said_in(platform, month)):
                topic, number = str(entity["topic"]), int(entity["number"])
                low, high = numbers.get(topic, (number, number))
                numbers[topic] = min(low, number), max(high, number)
                yield exported(entity)
            with ThreadPoolExecutor(_PARALLEL) as pool:
                for rows in pool.map(self._reader(platform), sorted(numbers.items())):
                    yield from rows

    def put(self, table: str, lines: Iterable[str]) -> int:
        """Write rows over whatever is there, neighbours of a partition at once; return how many."""
        count, size, batch = 0, 0, list[dict[str, Any]]()
        for line in lines:
            entity = imported(line)
            full = len(batch) == MOST_AT_ONCE or size + len(line) > _MOST_BYTES
            if batch and (full or batch[-1]["PartitionKey"] != entity["PartitionKey"]):
                commit(self._tables[table], [upsert(one) for one in batch])
                size, batch = 0, []
            batch.append(entity)
            size += len(line)
            count += 1
        if batch:
            commit(self._tables[table], [upsert(one) for one in batch])
        return count

    @property
    def _journal(self) -> TableClient:
        return self._tables["journal"]

    def _platforms(self) -> Sequence[str]:
        return PartitionedTable(self._journal).subjects("")

    def _months_of(self, platform: str) -> Iterator[str]:
        after = SAID
        while True:
            low, high = quoted(after), quoted(SAID + LAST)
            where = f"PartitionKey eq {quoted(platform)} and RowKey gt {low} and RowKey lt {high}"
            found = first_of(self._journal, where, 1, ["said"])
            if not found:
                return
            month = month_of(datetime.fromisoformat(str(found[0]["said"])).date())
            yield month
            after = SAID + newest_first(_begin(month) - _SECOND)

    def _reader(self, platform: str) -> Callable[[tuple[str, tuple[int, int]]], list[Row]]:
        def read(found: tuple[str, tuple[int, int]]) -> list[Row]:
            topic, (low, high) = found
            newest, oldest = quoted(topic_row(topic, high)), quoted(topic_row(topic, low))
            where = f"PartitionKey eq {quoted(platform)} and RowKey ge {newest} and RowKey le {oldest}"
            return [exported(one) for one in query(self._journal, where)]

        return read


def _begin(month: str) -> datetime:
    return datetime.combine(date.fromisoformat(f"{month}-01"), time(), UTC)


def _said_in(platform: str, month: str) -> str:
    """Return the condition of the entries by when they were said: a key of the next month's begins before them."""
    end = datetime.combine(end_of(month), time(), UTC)
    newest = SAID + newest_first(end - _SECOND)
    oldest = SAID + newest_first(_begin(month)) + LAST  # which sorts after what follows the time
    return f"PartitionKey eq {quoted(platform)} and RowKey ge {quoted(newest)} and RowKey lt {quoted(oldest)}"


def exported(entity: Mapping[str, Any]) -> Row:
    """Return a row as it is stored."""
    said: dict[str, Any] = {}
    for name, value in entity.items():
        if value is None:
            continue
        said[name], kind = _spelt(name, value)
        if kind:
            said[name + _TYPE] = kind
    line = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Row(str(entity["PartitionKey"]), str(entity["RowKey"]), schema_of(entity), line)


def _spelt(name: str, value: Any) -> tuple[Any, str]:
    """Return a value as JSON has it, and its type where that does not say it."""
    if isinstance(value, str | bool | int):
        return value, ""
    if isinstance(value, float):
        return (value, "") if math.isfinite(value) else (str(value), "Edm.Double")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode(), "Edm.Binary"
    if isinstance(value, EntityProperty):
        return str(value.value), str(getattr(value.edm_type, "value", value.edm_type))
    if isinstance(value, datetime):
        exact = getattr(value, "tables_service_value", None)  # the table knows more digits than we do
        return exact or value.isoformat().replace("+00:00", "Z"), "Edm.DateTime"
    if isinstance(value, UUID):
        return str(value), "Edm.Guid"
    raise InvalidInput(f"property {name} has a type that no table has: {type(value).__name__}")


_MADE: Mapping[str, Callable[[Any], Any]] = {
    "Edm.Binary": lambda text: base64.b64decode(text, validate=True),
    "Edm.Double": float,
    "Edm.Int64": lambda text: EntityProperty(int(text), EdmType.INT64),
    "Edm.DateTime": lambda text: datetime.fromisoformat(text.replace("Z", "+00:00")),
    "Edm.Guid": UUID,
}


def imported(line: str) -> dict[str, Any]:
    """Return the row of a line; raises InvalidInput."""
    try:
        said = json.loads(line)
        kinds = {name.removesuffix(_TYPE): said.pop(name) for name in [one for one in said if one.endswith(_TYPE)]}
        for name, kind in kinds.items():
            said[name] = _MADE[kind](said[name])
        if not (isinstance(said["PartitionKey"], str) and isinstance(said["RowKey"], str)):
            raise ValueError("its keys are no texts")  # noqa: TRY004 (told as what is wrong with the line)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InvalidInput(f"no row of a backup: {line[:80]!r}: {error!r}") from error
    return dict(said)
