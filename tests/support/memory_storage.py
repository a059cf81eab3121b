"""Azure's storage in memory: tables, blobs and queues behind the clients' own methods, each request and row counted.

The app's own adapters work on it, so what they ask for is what is counted. It knows what they use, and nothing else.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableEntity, TableTransactionError, UpdateMode

from shared.clients import Clients
from shared.settings import Settings

PAGE = 1000  # rows of one answer
_PARTITION = re.compile(r"PartitionKey eq '([^']*)'(?! or)")
_BETWEEN = re.compile(r"PartitionKey eq '([^']*)' and RowKey ge '([^']*)' and RowKey le '([^']*)'")
_COMPARISON = re.compile(r"(\w+) (eq|ne|ge|gt|le|lt) ('(?:[^']|'')*'|true|false)")


@dataclass
class Counted:
    """Requests by kind, such as ``table read``, rows that they read and wrote, by table and by partition; bytes."""

    requests: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    partitions: Counter[tuple[str, str]] = field(default_factory=Counter)  # by table and partition
    bytes: Counter[str] = field(default_factory=Counter)  # by service

    def clear(self) -> None:
        """Begin anew."""
        for counter in (self.requests, self.rows, self.partitions, self.bytes):
            counter.clear()

    def entity(self, table: str, partition: str, values: Mapping[str, Any]) -> None:
        """Count a row that goes to or fro."""
        self.partitions[table, partition] += 1
        self.bytes["table"] += sum(len(one) if isinstance(one, (str, bytes)) else 8 for one in values.values())


class MemoryTable:
    """A table: rows by key, each with an etag that changes with every write."""

    def __init__(self, name: str, counted: Counted) -> None:
        """Begin empty."""
        self.table_name = name
        self.held: dict[tuple[str, str], tuple[dict[str, Any], str]] = {}
        self._partitions: dict[str, dict[tuple[str, str], None]] = {}
        self._counted = counted
        self._etags = itertools.count(1)

    def _count(self, what: str, rows: int) -> None:
        self._counted.requests[f"table {what} {self.table_name}"] += 1
        self._counted.rows[f"{what} {self.table_name}"] += rows

    def create_table(self) -> None:
        """It is there."""

    def get_entity(self, partition: str, row: str, *, select: Sequence[str] | None = None, **_: Any) -> TableEntity:
        """Return a row; raises ResourceNotFoundError."""
        self._count("read", 1)
        if (partition, row) not in self.held:
            raise ResourceNotFoundError
        return self._entity((partition, row), select)

    def _entity(self, key: tuple[str, str], select: Sequence[str] | None) -> TableEntity:
        values, etag = self.held[key]
        entity = TableEntity(values if select is None else {name: values[name] for name in select if name in values})
        entity._metadata = {"etag": etag}  # type: ignore[typeddict-item]
        self._counted.entity(self.table_name, key[0], entity)
        return entity

    def query_entities(self, where: str, *, select: Sequence[str] | None = None, **_: Any) -> Iterator[TableEntity]:
        """Yield the rows that fit, in order of key; a request for each page."""
        one, between = _PARTITION.match(where), _BETWEEN.fullmatch(where)
        keys = sorted(self._partitions.get(one[1], {}) if one else self.held)
        if between:  # what is asked for most: as fast as in a real table, which has its rows in order
            found = [key for key in keys if between[2] <= key[1] <= between[3]]
        else:
            fits = _condition(where)
            found = [key for key in keys if fits({"PartitionKey": key[0], "RowKey": key[1], **self.held[key][0]})]
        for begin in range(0, max(len(found), 1), PAGE):
            self._count("read", len(found[begin : begin + PAGE]))
            yield from (self._entity(key, select) for key in found[begin : begin + PAGE])

    def list_entities(self, *, select: Sequence[str] | None = None, **_: Any) -> Iterator[TableEntity]:
        """Yield all rows."""
        return self.query_entities("PartitionKey ge ''", select=select)

    def create_entity(self, entity: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Write a new row."""
        return self._alone("create", entity, more)

    def update_entity(self, entity: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Write a row on what was read."""
        return self._alone("update", entity, more)

    def upsert_entity(self, entity: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Write a row whatever is there."""
        return self._alone("upsert", entity, more)

    def delete_entity(self, entity: Mapping[str, Any], **more: Any) -> None:
        """Remove a row."""
        self._alone("delete", entity, more)

    def _alone(self, kind: str, entity: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
        self._count("write", 1)
        self._check(kind, entity, more)
        return self._do(kind, entity, more)

    def submit_transaction(self, steps: Sequence[tuple[str, Mapping[str, Any], Mapping[str, Any]]], **_: Any) -> Any:
        """Do all steps or none; raises TableTransactionError."""
        self._count("write", len(steps))
        keys = [(entity["PartitionKey"], entity["RowKey"]) for _, entity, _ in steps]
        assert len(keys) == len(set(keys)) <= 100, "at most a hundred rows, each once"
        assert len({partition for partition, _ in keys}) == 1, "of one partition"
        for index, (kind, entity, more) in enumerate(steps):
            try:
                self._check(kind, entity, more)
            except HttpResponseError as error:
                failed = TableTransactionError(message=f"{index}:refused")
                failed.status_code = error.status_code
                raise failed from error
        return [self._do(kind, entity, more) for kind, entity, more in steps]

    def _check(self, kind: str, entity: Mapping[str, Any], more: Mapping[str, Any]) -> None:
        known = self.held.get((entity["PartitionKey"], entity["RowKey"]))
        if kind == "create" and known is not None:
            raise _refused(ResourceExistsError, 409)
        if kind in ("update", "delete") and known is None:
            raise _refused(ResourceNotFoundError, 404)
        conditional = more.get("match_condition") is MatchConditions.IfNotModified
        if conditional and known is not None and known[1] != more["etag"]:
            raise _refused(ResourceModifiedError, 412)

    def _do(self, kind: str, entity: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
        key = entity["PartitionKey"], entity["RowKey"]
        self._counted.entity(self.table_name, key[0], entity)
        if kind == "delete":
            del self.held[key], self._partitions[key[0]][key]
            return {}
        merged = more.get("mode") is UpdateMode.MERGE and key in self.held
        etag = f"W/{next(self._etags)}"
        self._partitions.setdefault(key[0], {})[key] = None
        self.held[key] = ({**self.held[key][0], **entity} if merged else dict(entity), etag)
        return {"etag": etag}


def _refused(kind: type[HttpResponseError], status: int) -> HttpResponseError:
    error = kind(message=str(status))
    error.status_code = status
    return error


def _condition(where: str) -> Any:
    """Return what tells whether a row fits an OData filter of comparisons, and, or and parentheses."""
    place = itertools.count()
    values: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        name = f"v{next(place)}"
        values[name] = found[3][1:-1].replace("''", "'") if found[3].startswith("'") else found[3] == "true"  # type: ignore[assignment]
        sign = {"eq": "==", "ne": "!=", "ge": ">=", "gt": ">", "le": "<=", "lt": "<"}[found[2]]
        return f"(row.get({found[1]!r}) is not None and row[{found[1]!r}] {sign} {name})"

    source = _COMPARISON.sub(named, where)
    code = compile(source, where, "eval")
    return lambda row: eval(code, {"__builtins__": {}}, {"row": row, **values})  # noqa: S307 (the tests' own filters)


class MemoryContainer:
    """A container of blobs."""

    def __init__(self, name: str, counted: Counted) -> None:
        """Begin empty."""
        self.held: dict[str, tuple[bytes, str, dict[str, str]]] = {}
        self._name, self._counted = name, counted
        self._etags = itertools.count(1)

    def _count(self, what: str) -> None:
        self._counted.requests[f"blob {what} {self._name}"] += 1

    def create_container(self) -> None:
        """It is there."""

    def download_blob(self, name: str) -> Any:
        """Return a blob; raises ResourceNotFoundError."""
        self._count("read")
        if name not in self.held:
            raise ResourceNotFoundError
        content, etag, _ = self.held[name]
        self._counted.bytes["blob"] += len(content)
        return SimpleNamespace(properties=SimpleNamespace(etag=etag), readall=lambda: content)

    def get_blob_client(self, name: str) -> Any:
        """Return the client of one blob."""

        def properties() -> Any:
            self._count("read")
            if name not in self.held:
                raise ResourceNotFoundError
            return SimpleNamespace(etag=self.held[name][1])

        def upload(content: bytes, **more: Any) -> dict[str, str]:
            return self.upload_blob(name, content, **more)

        return SimpleNamespace(blob_name=name, upload_blob=upload, get_blob_properties=properties)

    def upload_blob(self, name: str, content: bytes, **more: Any) -> dict[str, str]:
        """Write a blob; raises ResourceExistsError, ResourceModifiedError."""
        self._count("write")
        if name in self.held and not more.get("overwrite"):
            raise ResourceExistsError
        conditional = more.get("match_condition") is MatchConditions.IfNotModified
        if conditional and (name not in self.held or self.held[name][1] != more["etag"]):
            raise ResourceModifiedError
        self._counted.bytes["blob"] += len(content)
        etag = f"0x{next(self._etags)}"
        self.held[name] = (content, etag, dict(more.get("metadata") or {}))
        return {"etag": etag}

    def delete_blob(self, name: str) -> None:
        """Remove a blob."""
        self._count("write")
        if self.held.pop(name, None) is None:
            raise ResourceNotFoundError

    def list_blob_names(self, name_starts_with: str = "") -> list[str]:
        """Return the names that begin so."""
        self._count("list")
        return sorted(name for name in self.held if name.startswith(name_starts_with))

    def list_blobs(self, name_starts_with: str = "", **_: Any) -> list[Any]:
        """Return the blobs whose names begin so."""
        self._count("list")
        return [
            SimpleNamespace(name=name, metadata=one[2], size=len(one[0]), etag=one[1])
            for name, one in sorted(self.held.items())
            if name.startswith(name_starts_with)
        ]


class MemoryQueue:
    """A queue; a message that is received is hidden until it is removed."""

    def __init__(self, name: str, counted: Counted) -> None:
        """Begin empty."""
        self.queue_name = name
        self.sent: list[Any] = []
        self._counted = counted

    def create_queue(self) -> None:
        """It is there."""

    def send_message(self, content: str, *, visibility_timeout: int = 0, time_to_live: int = 604_800, **_: Any) -> None:
        """Put a message."""
        self._counted.requests[f"queue write {self.queue_name}"] += 1
        self._counted.bytes["queue"] += len(content) * 4 // 3
        wait, life = timedelta(seconds=visibility_timeout), timedelta(seconds=time_to_live)
        message = {"id": str(len(self.sent)), "pop_receipt": "r", "inserted_on": datetime.now(UTC)}
        self.sent.append(SimpleNamespace(content=content, wait=wait, life=life, **message))

    def receive_messages(self, **_: Any) -> list[Any]:
        """Return what is there."""
        self._counted.requests[f"queue read {self.queue_name}"] += 1
        return list(self.sent)

    def delete_message(self, name: str, _: str) -> None:
        """Remove a message."""
        self._counted.requests[f"queue write {self.queue_name}"] += 1
        self.sent = [one for one in self.sent if one.id != name]

    def peek_messages(self, **_: Any) -> list[Any]:
        """Return what shows, without hiding it."""
        self._counted.requests[f"queue read {self.queue_name}"] += 1
        return [one for one in self.sent[:1] if not one.wait]

    def get_queue_properties(self) -> Any:
        """Return how many there are."""
        self._counted.requests[f"queue read {self.queue_name}"] += 1
        return SimpleNamespace(approximate_message_count=len(self.sent))


class MemoryClients(Clients):
    """Clients of storage in memory, which several apps may share as processes do."""

    def __init__(self, settings: Settings) -> None:
        """Begin empty."""
        super().__init__(settings)
        self.counted = Counted()
        self._made: dict[tuple[type, str], Any] = {}

    def _one(self, kind: Any, name: str) -> Any:
        return self._made.setdefault((kind, name), kind(name, self.counted))

    def container(self, name: str) -> Any:
        """Return a container."""
        return self._one(MemoryContainer, name)

    def table(self, name: str) -> Any:
        """Return a table."""
        return self._one(MemoryTable, name)

    def queue(self, name: str) -> Any:
        """Return a queue."""
        return self._one(MemoryQueue, name)

    def plain_queue(self, name: str) -> Any:
        """Return a queue."""
        return self._one(MemoryQueue, name)
