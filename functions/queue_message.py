"""What the queue triggers share: a message that fails for the last time becomes an event that a person sees."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import azure.functions as func

from shared.bootstrap import app
from shared.usecases.poison import is_last_try, record_poison


@contextmanager
def record_when_poison(message: func.QueueMessage, queue: str) -> Iterator[None]:
    """Run the body; where it fails and the host will not try again, record the event; the error goes on."""
    try:
        yield
    except Exception as error:
        if is_last_try(message.dequeue_count):
            queued_at = message.insertion_time or datetime.fromtimestamp(0, UTC)
            record_poison(app().events, queue, message.get_body(), queued_at.astimezone(UTC), str(error))
        raise
