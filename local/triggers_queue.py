"""Queue triggers: at-least-once, with leases, dequeue counts and poison queues."""

import base64
import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import azure.functions as func
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueMessage

from local.metadata import Function
from local.runtime import Runtime
from local.storage import HOST_CONNECTION, connect

log = logging.getLogger("local.queue")
FASTEST, SLOWEST = 0.2, 1.5  # seconds between two looks at an empty queue


class QueueTrigger:
    """One queue, polled in a thread of its own; a taken message stays invisible for a lease that is renewed."""

    def __init__(self, function: Function, runtime: Runtime) -> None:
        self._function = function
        self._host = runtime.settings
        self._worker = runtime.worker
        self._faults = runtime.faults
        self._stop = runtime.stop
        self._lease = runtime.lease
        self._storage = connect(function.trigger.get("connection") or HOST_CONNECTION)
        self._name = function.trigger["queueName"]
        self._queue = self._storage.queue(self._name)
        self._threads = ThreadPoolExecutor(self._host.batch_size + self._host.new_batch_threshold, function.name)
        self._lock = threading.Lock()
        self._in_hand = 0
        self._repeated: set[str] = set()

    def start(self) -> None:
        """Begins to poll."""
        threading.Thread(target=self._poll, name=self._function.name, daemon=True).start()

    def queued(self) -> int:
        """Messages in the queue, those in hand among them."""
        return self._queue.get_queue_properties().approximate_message_count or 0

    def run_now(self, text: str) -> None:
        """Runs once on a message of that text, which is in no queue."""
        self._worker.submit(self._function, func.QueueMessage(body=text)).exception()

    def _poll(self) -> None:
        pause = FASTEST
        while not self._stop.is_set():
            if self._in_hand > self._host.new_batch_threshold:
                self._stop.wait(0.02)
                continue
            try:
                taken = self._take()
            except AzureError as error:
                log.warning("%s cannot read queue %s: %s", self._function.name, self._name, error)
                taken = 0
            pause = FASTEST if taken else min(pause * 1.5, SLOWEST)
            if not taken:
                self._stop.wait(pause)

    def _take(self) -> int:
        """Takes one batch and hands each message to a thread."""
        count = min(self._host.batch_size, 32)
        pages = self._queue.receive_messages(
            messages_per_page=count, max_messages=count, visibility_timeout=self._lease
        )
        messages = list(pages)
        for message in messages:
            self._worker.activity.begin()
            with self._lock:
                self._in_hand += 1
            self._threads.submit(self._handle, message)
        return len(messages)

    def _handle(self, message: QueueMessage) -> None:
        """One delivery of one message, from its lease to its end: deleted, visible again, or poison."""
        try:
            if self._stop.is_set():
                self._release(message, 0)
            elif (message.dequeue_count or 1) > self._host.max_dequeue_count:
                self._poison(message)  # its last try ended with the host itself
            else:
                self._deliver(message)
        except ResourceNotFoundError:
            log.warning("%s: message %s was taken by someone else meanwhile", self._function.name, message.id)
        except AzureError as error:
            log.warning("%s: message %s comes again after its lease: %s", self._function.name, message.id, error)
        finally:
            with self._lock:
                self._in_hand -= 1
            self._worker.activity.end()

    def _deliver(self, message: QueueMessage) -> None:
        try:
            argument = self._argument(message)
        except ValueError as error:
            log.warning("%s: message %s cannot be decoded: %s", self._function.name, message.id, error)
            failed = True
        else:
            failed = self._outlast(message, self._worker.submit(self._function, argument)).exception() is not None
        if failed and (message.dequeue_count or 1) >= self._host.max_dequeue_count:
            self._poison(message)
        elif failed:
            self._release(message, int(self._host.visibility_timeout.total_seconds()))
        elif message.id not in self._repeated and self._faults.again():
            self._repeated.add(message.id)
            self._release(message, 0)
        else:
            self._queue.delete_message(message)

    def _outlast(self, message: QueueMessage, run: Future[Any]) -> Future[Any]:
        """Waits for a run to end, and renews the message's lease as often as it takes."""
        while not wait([run], self._lease / 3).done:
            try:
                self._release(message, self._lease)
            except AzureError as error:
                log.warning("%s: the lease of message %s is lost: %s", self._function.name, message.id, error)
                wait([run])
        return run

    def _release(self, message: QueueMessage, seconds: int) -> None:
        """Makes a message visible in so many seconds."""
        updated = self._queue.update_message(message.id, message.pop_receipt, visibility_timeout=seconds)
        message.pop_receipt = updated.pop_receipt

    def _poison(self, message: QueueMessage) -> None:
        log.warning("%s: message %s goes to queue %s-poison", self._function.name, message.id, self._name)
        self._storage.queue(f"{self._name}-poison").send_message(message.content)
        self._queue.delete_message(message)

    def _argument(self, message: QueueMessage) -> func.QueueMessage:
        text = str(message.content)
        base64_encoded = self._host.message_encoding == "base64"
        return func.queue.QueueMessage(
            id=message.id,
            body=base64.b64decode(text, validate=True) if base64_encoded else text.encode(),
            dequeue_count=message.dequeue_count,
            expiration_time=message.expires_on,
            insertion_time=message.inserted_on,
            time_next_visible=message.next_visible_on,
            pop_receipt=message.pop_receipt,
        )
