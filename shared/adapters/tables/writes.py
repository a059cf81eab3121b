"""Writes to tables: repeated when the connection breaks, and judged by what is there when an answer was lost.

The library repeats reads; a write that it repeated after a lost answer would be refused for what it wrote itself.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.data.tables import TableClient, TableEntity

WAITS_S = (0.5, 2.0)  # before the second try, before the third
ONCE = {"retry_total": 0}  # of the library itself
_UNSURE = (408, 429, 500, 502, 503, 504)  # answers that do not say whether it was written
_REFUSED = (404, 409, 412)  # gone, there already, not what was read

T = TypeVar("T")

TransactionStep = tuple[str, Mapping[str, Any], Mapping[str, Any]]  # what, the entity, how


def repeated(write: Callable[[], T], landed: Callable[[], T | None]) -> T:
    """Return what ``write`` returns; ``landed`` returns what it would have returned, if all of it is there, or None.

    Raises the library's error: the last one when every try broke off and it is not there.
    """
    lost = False
    for wait in (*WAITS_S, None):
        try:
            return write()
        except AzureError as error:
            unsure = _is_unsure(error)
            if unsure and wait is not None:
                lost = True
                time.sleep(wait)
                continue
            if (lost or unsure) and (unsure or _is_refusal(error)):
                found = landed()
                if found is not None:
                    return found
            raise
    raise AssertionError


def _is_unsure(error: AzureError) -> bool:
    if isinstance(error, HttpResponseError):
        return error.status_code in _UNSURE
    return isinstance(error, ServiceRequestError | ServiceResponseError)


def _is_refusal(error: AzureError) -> bool:
    return isinstance(error, HttpResponseError) and error.status_code in _REFUSED


def submit(table: TableClient, steps: Sequence[TransactionStep]) -> list[str]:
    """Do all of the steps or nothing; return the entities' new etags (empty for what was removed)."""

    def write() -> list[str]:
        done = table.submit_transaction(steps, **ONCE)
        return [str(one.get("etag", "")) for one in done]

    def landed() -> list[str] | None:
        found = [_landed(table, *step[:2]) for step in steps]
        return None if None in found else [str(etag) for etag in found]

    return repeated(write, landed)


def write_one(table: TableClient, step: TransactionStep) -> str:
    """Do one step; return the entity's new etag (empty for what was removed)."""
    kind, entity, options = step
    methods: Mapping[str, Callable[..., Any]] = {
        "create": table.create_entity,
        "update": table.update_entity,
        "upsert": table.upsert_entity,
        "delete": table.delete_entity,
    }

    def write() -> str:
        return str((methods[kind](entity, **options, **ONCE) or {}).get("etag", ""))

    return repeated(write, lambda: _landed(table, kind, entity))


def _landed(table: TableClient, kind: str, entity: Mapping[str, Any]) -> str | None:
    """Return the etag of what a step has written (empty for what it has removed), or None if it has not."""
    found = _read(table, entity)
    if kind == "delete":
        return "" if found is None else None
    if found is None or any(name not in found or found[name] != value for name, value in entity.items()):
        return None
    return str(found.metadata["etag"])


def _read(table: TableClient, entity: Mapping[str, Any]) -> TableEntity | None:
    try:
        return table.get_entity(entity["PartitionKey"], entity["RowKey"])
    except ResourceNotFoundError:
        return None
