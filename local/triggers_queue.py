"""Queues as the platform takes from them: at least once, hidden while worked on, retries, poison queues."""

import base64
import contextlib
import logging
from abc import abstractmethod
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import azure.functions as func
from azure.core.exceptions import AzureError
from azure.storage.queue import QueueMessage

from local.metadata import Function
from local.storage import HOST_CONNECTION, Storage, connect
from local.triggers import Runtime, Trigger

log = logging.getLogger("local.triggers")
LARGEST_BATCH = 32  # messages, the most that the storage gives at once


@dataclass(frozen=True)
class Consumption:
    """How a queue is worked on, in the words of host.json."""

    batch_size: int
    new_batch_threshold: int
    max_dequeue_count: int
    visibility_timeout: timedelta
    base64: bool
    poison: str  # the queue for what failed every time


class Consumer(Trigger):
    """Takes from one queue; what is taken stays hidden for a lease that is renewed while its function runs."""

    def __init__(self, name: str, runtime: Runtime, storage: Storage, queue: str, how: Consumption) -> None:
        super().__init__(name, runtime, how.batch_size + how.new_batch_threshold)
        self._storage, self._how = storage, how
        self._queue = storage.queue(queue)
        self._in_hand: list[Future[None]] = []

    @abstractmethod
    def start_run(self, message: QueueMessage, body: bytes) -> Future[Any] | None:
        """Starts a function on a message; None if there is nothing to do for it."""

    def look(self) -> int:
        """Takes one batch, as soon as few enough messages are in hand."""
        while len(self._in_hand) > self._how.new_batch_threshold:
            self._in_hand = list(wait(self._in_hand, return_when=FIRST_COMPLETED).not_done)
        most = min(self._how.batch_size, LARGEST_BATCH)
        taken = self._queue.receive_messages(
            messages_per_page=most, max_messages=most, visibility_timeout=self.runtime.lease
        )
        handed = [self.hand(self._deliver, message) for message in taken]
        self._in_hand += handed
        return len(handed)

    def queued(self) -> int:
        """Messages in the queue, those in hand among them."""
        return self._queue.get_queue_properties().approximate_message_count or 0

    def _deliver(self, message: QueueMessage) -> None:
        """One delivery, from the lease to the message's end: deleted, visible again, or poison."""
        tries, most, body = message.dequeue_count or 1, self._how.max_dequeue_count, self._decoded(message)
        if self.runtime.stop.is_set():
            self._hide(message, 0)
        elif body is None:  # no try can change that
            self._put_aside(message)
        elif tries <= most and self._succeeds(message, body):  # one more, and its last try ended with the host itself
            if tries == 1 and self.runtime.faults.again():
                self._hide(message, 0)
            else:
                self._queue.delete_message(message)
        elif tries < most:
            self._hide(message, int(self._how.visibility_timeout.total_seconds()))
        else:
            self._put_aside(message)

    def _put_aside(self, message: QueueMessage) -> None:
        """Moves a message to the poison queue as it is."""
        log.warning("%s: message %s goes to queue %s", self.name, message.id, self._how.poison)
        self._storage.queue(self._how.poison).send_message(message.content)
        self._queue.delete_message(message)

    def _decoded(self, message: QueueMessage) -> bytes | None:
        """The message's body; None where it is not in the encoding that host.json names."""
        body = str(message.content).encode()
        try:
            return base64.b64decode(body, validate=True) if self._how.base64 else body
        except ValueError as error:
            log.warning("%s: message %s cannot be decoded: %s", self.name, message.id, error)
            return None

    def _succeeds(self, message: QueueMessage, body: bytes) -> bool:
        """Runs the function on a message, whose lease is renewed at its half for as long as it takes."""
        try:
            run = self.start_run(message, body)
        except AzureError as error:
            log.warning("%s: the storage failed, and this try with it: %s", self.name, error)
            return False
        if run is None:
            return True
        while not wait([run], self.runtime.lease / 2).done:
            with contextlib.suppress(AzureError):  # a lease that is lost shows when the message is deleted
                self._hide(message, self.runtime.lease)
        return run.exception() is None

    def _hide(self, message: QueueMessage, seconds: int) -> None:
        """Makes a message visible in so many seconds."""
        updated = self._queue.update_message(message.id, message.pop_receipt, visibility_timeout=seconds)
        message.pop_receipt = updated.pop_receipt


class QueueTrigger(Consumer):
    """A function that runs on each message of its queue."""

    def __init__(self, function: Function, runtime: Runtime) -> None:
        settings, queue = runtime.settings, function.trigger["queueName"]
        how = Consumption(
            settings.batch_size,
            settings.new_batch_threshold,
            settings.max_dequeue_count,
            settings.visibility_timeout,
            settings.message_encoding == "base64",
            poison=f"{queue}-poison",
        )
        storage = connect(function.trigger.get("connection") or HOST_CONNECTION)
        super().__init__(function.name, runtime, storage, queue, how)
        self._function = function

    def start_run(self, message: QueueMessage, body: bytes) -> Future[Any]:
        """Starts the function on a message."""
        argument = func.queue.QueueMessage(
            id=message.id,
            body=body,
            dequeue_count=message.dequeue_count,
            expiration_time=message.expires_on,
            insertion_time=message.inserted_on,
            time_next_visible=message.next_visible_on,
            pop_receipt=message.pop_receipt,
        )
        return self.runtime.worker.submit(self._function, argument)

    def run_now(self, text: str) -> None:
        """Runs once on a message of that text, which is in no queue."""
        self.runtime.worker.submit(self._function, func.QueueMessage(body=text)).exception()
