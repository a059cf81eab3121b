"""Queue and blob triggers: at-least-once, with leases, receipts, retries and poison queues."""

import base64
import contextlib
import json
import logging
import re
import threading
from concurrent.futures import FIRST_COMPLETED, Future, wait

import azure.functions as func
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueMessage

from local.metadata import Function
from local.storage import HOST_CONNECTION, Records, connect
from local.triggers import Runtime, Trigger

log = logging.getLogger("local.triggers")
POISON_QUEUE = "webjobs-blobtrigger-poison"


class QueueTrigger(Trigger):
    """One queue; a taken message stays invisible for a lease that is renewed while its function runs."""

    def __init__(self, function: Function, runtime: Runtime) -> None:
        self._settings = runtime.settings
        super().__init__(function, runtime, self._settings.batch_size + self._settings.new_batch_threshold)
        self._storage = connect(function.trigger.get("connection") or HOST_CONNECTION)
        self._name = function.trigger["queueName"]
        self._queue = self._storage.queue(self._name)
        self._in_hand: list[Future[None]] = []

    def look(self) -> int:
        """Takes one batch, as soon as few enough messages are in hand."""
        while len(self._in_hand) > self._settings.new_batch_threshold:
            self._in_hand = list(wait(self._in_hand, return_when=FIRST_COMPLETED).not_done)
        most = min(self._settings.batch_size, 32)
        taken = self._queue.receive_messages(
            messages_per_page=most, max_messages=most, visibility_timeout=self.runtime.lease
        )
        handed = [self.hand(self._deliver, message) for message in taken]
        self._in_hand += handed
        return len(handed)

    def queued(self) -> int:
        """Messages in the queue, those in hand among them."""
        return self._queue.get_queue_properties().approximate_message_count or 0

    def run_now(self, text: str) -> None:
        """Runs once on a message of that text, which is in no queue."""
        self.invoke(func.QueueMessage(body=text)).exception()

    def _deliver(self, message: QueueMessage) -> None:
        """One delivery, from the lease to the message's end: deleted, visible again, or poison."""
        tries, most, body = message.dequeue_count or 1, self._settings.max_dequeue_count, self._decoded(message)
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
            self._hide(message, int(self._settings.visibility_timeout.total_seconds()))
        else:
            self._put_aside(message)

    def _put_aside(self, message: QueueMessage) -> None:
        """Moves a message to the poison queue as it is."""
        log.warning("%s: message %s goes to queue %s-poison", self.function.name, message.id, self._name)
        self._storage.queue(f"{self._name}-poison").send_message(message.content)
        self._queue.delete_message(message)

    def _decoded(self, message: QueueMessage) -> bytes | None:
        """The message's body; None where it is not in the encoding that host.json names."""
        body = str(message.content).encode()
        try:
            return base64.b64decode(body, validate=True) if self._settings.message_encoding == "base64" else body
        except ValueError as error:
            log.warning("%s: message %s cannot be decoded: %s", self.function.name, message.id, error)
            return None

    def _succeeds(self, message: QueueMessage, body: bytes) -> bool:
        """Runs the function on a message, whose lease is renewed for as long as it takes."""
        run = self.invoke(
            func.queue.QueueMessage(
                id=message.id,
                body=body,
                dequeue_count=message.dequeue_count,
                expiration_time=message.expires_on,
                insertion_time=message.inserted_on,
                time_next_visible=message.next_visible_on,
                pop_receipt=message.pop_receipt,
            )
        )
        while not wait([run], self.runtime.lease / 3).done:
            with contextlib.suppress(AzureError):  # a lease that is lost shows when the message is deleted
                self._hide(message, self.runtime.lease)
        return run.exception() is None

    def _hide(self, message: QueueMessage, seconds: int) -> None:
        """Makes a message visible in so many seconds."""
        updated = self._queue.update_message(message.id, message.pop_receipt, visibility_timeout=seconds)
        message.pop_receipt = updated.pop_receipt


def parse_path(path: str) -> tuple[str, re.Pattern[str]]:
    """Container and pattern of a path such as `tsd/{platform}/{day}.json`; a `{name}` takes any text, slashes too.

    ValueError if its container is not plain text.
    """
    container, _, rest = path.partition("/")
    if not container or "{" in container:
        raise ValueError(f"path {path!r} does not begin with the name of a container")
    parts = re.split(r"\{[^{}]+\}", rest or "{name}")
    return container, re.compile(".*".join(map(re.escape, parts)), re.DOTALL)


class BlobTrigger(Trigger):
    """One path, found by polling: what has no receipt for its ETag is delivered."""

    rest = 10  # listing a large container over and over would starve the functions

    def __init__(self, function: Function, runtime: Runtime) -> None:
        super().__init__(function, runtime, runtime.settings.blob_parallelism)
        self._name, self._pattern = parse_path(function.trigger["path"])
        self._storage = connect(function.trigger.get("connection") or HOST_CONNECTION)
        self._container = self._storage.blobs.get_container_client(self._name)
        self._receipts = Records(f"{runtime.records}/blobreceipts/{function.name}/{self._name}")
        self._seen = {name: receipt.get("etag") for name, receipt in self._receipts.all()}
        self._held: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def look(self) -> int:
        """Lists the container once, and delivers what is new or changed."""
        faults = self.runtime.faults
        with self._lock:
            fresh = [(name, etag) for name, etag in self._list() if self._seen.get(name) != etag]
            self._seen.update(fresh)
            repeated = [event for event in fresh if faults.again()]
            now, self._held = faults.order(self._held, fresh + repeated)
            for name, etag in now:
                self.hand(self._deliver, name, etag)
            return len(fresh)

    def queued(self) -> int:
        """Events that a fresh look found, and those held back."""
        return self.look() + len(self._held)

    def run_now(self, path: str) -> None:
        """Runs once on the blob of that path, `container/name`."""
        self._succeeds(path.removeprefix(f"{self._name}/"))

    def _list(self) -> list[tuple[str, str]]:
        """Name and ETag of every blob of the path; of none if there is no container yet."""
        with contextlib.suppress(ResourceNotFoundError):
            blobs = list(self._container.list_blobs())
            return [(b.name, str(b.etag).strip('"')) for b in blobs if self._pattern.fullmatch(b.name)]
        return []

    def _deliver(self, name: str, etag: str) -> None:
        """Tries until a run succeeds or the blob is poison, then writes the receipt; cut short, it comes again."""
        try:
            for _ in range(self.runtime.settings.poison_blob_threshold):
                if self.runtime.stop.is_set():
                    return
                if self._succeeds(name):
                    break
            else:
                self._poison(name, etag)
            self._receipts.put(name, etag=etag)
        except ResourceNotFoundError:
            log.info("%s: blob %s was deleted meanwhile", self.function.name, name)
        except AzureError:
            self._seen.pop(name, None)
            raise

    def _succeeds(self, name: str) -> bool:
        """Runs the function on a blob as it is now; ResourceNotFoundError if it is gone."""
        blob = self._container.get_blob_client(name)
        download = blob.download_blob()
        content = download.readall()
        stream = func.blob.InputStream(
            data=content,
            name=f"{self._name}/{name}",
            uri=blob.url,
            length=len(content),
            metadata=download.properties.metadata,
        )
        return self.invoke(stream).exception() is None

    def _poison(self, name: str, etag: str) -> None:
        """Put a message for a blob that failed every time on the poison queue, in the platform's format."""
        log.warning("%s: blob %s failed every time; see queue %s", self.function.name, name, POISON_QUEUE)
        message = {
            "Type": "BlobTrigger",
            "FunctionId": f"Host.Functions.{self.function.name}",
            "BlobType": "BlockBlob",
            "ContainerName": self._name,
            "BlobName": name,
            "ETag": f'"{etag}"',
        }
        self._storage.queue(POISON_QUEUE).send_message(base64.b64encode(json.dumps(message).encode()).decode())
