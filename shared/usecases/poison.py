"""Poison: a message that failed for good becomes an event that a person sees; the message itself stays queued."""

import logging
from collections.abc import Mapping
from datetime import datetime

from shared.domain.event import Event, poison_message
from shared.ports import EventsTable, MessageQueues
from shared.telemetry import log_event

logger = logging.getLogger(__name__)

MAX_DEQUEUE_COUNT = 5  # as host.json says; a test holds the two together
POISON = "-poison"  # what the host adds to a queue's name for messages that failed for good
POISON_BLOBS = f"webjobs-blobtrigger{POISON}"  # where the host puts the blobs that did


def is_last_try(dequeue_count: int | None) -> bool:
    """Return whether the host moves the message to the poison queue when this try fails."""
    return dequeue_count is not None and dequeue_count >= MAX_DEQUEUE_COUNT


def record_poison(events: EventsTable, queue: str, body: bytes, queued_at: datetime, why: str) -> Event:
    """Record that a message of the queue failed for good, and return the event."""
    event = poison_message(queue, f"{queue}{POISON}", body, queued_at, why)
    events.put(event)
    return event


def poisoned(lengths: Mapping[str, int]) -> Mapping[str, int]:
    """Return the queues of what failed for good that hold anything, and how much."""
    return {queue: length for queue, length in lengths.items() if length and queue.endswith(POISON)}


def log_poison_queues(messages: MessageQueues) -> None:
    """Log, for as long as they are there, how many messages failed for good; blobs that did are among them."""
    for queue, length in poisoned(messages.lengths()).items():
        log_event(logger, "poison message", logging.ERROR, queue=queue, count=length)
