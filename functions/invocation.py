"""What the platform says of the invocation that a function runs in."""

from contextlib import AbstractContextManager

import azure.functions as func

from shared.telemetry import operation


def invocation(context: func.Context, *known: str | None) -> AbstractContextManager[None]:
    """Work for an operation that is known, or for the one that the platform's own telemetry counts this run to.

    What a thread logs gets lost on the platform unless it says which invocation it is part of, in a variable of the
    thread (Azure Functions Python developer guide, "Log from created threads").
    """

    def enter_thread() -> None:
        context.thread_local_storage.invocation_id = context.invocation_id  # type: ignore[attr-defined]

    return operation(*known, _trace_of(context), enter_thread=enter_thread)


def _trace_of(context: func.Context) -> str:
    """Return the platform's id; empty where it gives none."""
    parent = context.trace_context.trace_parent if context.trace_context else None
    _, _, rest = (parent or "").partition("-")  # version-trace-parent-flags, W3C
    return rest.partition("-")[0]
