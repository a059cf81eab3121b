"""What runs say of themselves: lines that people read and queries parse, joined by the operation that they belong to.

An operation begins with the timer, or the request, that set something going. Its id travels in the metadata of the
day blob and in the messages of the queues, so that what one fetch of readings led to is found by one search.
"""

import json
import logging
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import TypeVar

OPERATION_PATTERN = r"^([0-9a-f]{32})?$"  # a W3C trace id, which Application Insights calls operation_Id; empty: none

T = TypeVar("T")
_said_before: ContextVar[str] = ContextVar("said_before", default="")
_operation: ContextVar[str] = ContextVar("operation", default="")
_enter_thread: ContextVar[Callable[[], None]] = ContextVar("enter_thread", default=lambda: None)


def operation_id() -> str:
    """Return the id of the operation that this thread works for; empty outside of any."""
    return _operation.get()


@contextmanager
def operation(*known: str | None, enter_thread: Callable[[], None] | None = None) -> Iterator[None]:
    """Work for the first of these ids that is one; else go on with the operation that there is, or begin one.

    ``enter_thread`` is called in each thread that the work is carried to.
    """
    ids = (one for one in known if one and re.fullmatch(OPERATION_PATTERN, one))
    token = _operation.set(next(ids, "") or operation_id() or uuid.uuid4().hex)
    outer = _enter_thread.set(enter_thread or _enter_thread.get())
    try:
        yield
    finally:
        _enter_thread.reset(outer)
        _operation.reset(token)


@contextmanager
def told_apart(name: str) -> Iterator[None]:
    """Begin every line with this name, so that no alert and no count takes it for what is real."""
    token = _said_before.set(f"{name}: ")
    try:
        yield
    finally:
        _said_before.reset(token)


def in_context(work: Callable[[], T]) -> Callable[[], T]:
    """Return the work for another thread: what it tells there belongs to this operation."""
    context, enter = copy_context(), _enter_thread.get()

    def run() -> T:
        enter()
        return work()

    return lambda: context.run(run)


def log_event(logger: logging.Logger, what: str, severity: int = logging.INFO, /, **fields: object) -> None:
    """Log ``what key=value ...``; alerts and the workbook look for these words (docs/operations.md)."""
    if operation_id():
        fields["operation"] = operation_id()
    logger.log(
        severity,
        "%s",
        " ".join([f"{_said_before.get()}{what}", *(f"{name}={_value(value)}" for name, value in fields.items())]),
    )


def _value(value: object) -> str:
    """Return the value as text without blanks, or in quotes."""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return text if re.fullmatch(r'[^\s"=]+', text) else json.dumps(text, ensure_ascii=False)
