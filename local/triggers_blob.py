"""Blob triggers: one process finds what was written and tells of it on a queue, from which all of the group take.

An event has a receipt, and counts only while the blob is as it was found; what is gone is dropped.
"""

import base64
import contextlib
import json
import logging
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

import azure.functions as func
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueMessage

from local.metadata import Function, HostSettings
from local.storage import HOST_CONNECTION, Records, connect
from local.triggers import Runtime, Trigger
from local.triggers_queue import Consumer, Consumption

log = logging.getLogger("local.triggers")
POISON_QUEUE = "webjobs-blobtrigger-poison"


def parse_path(path: str) -> tuple[str, re.Pattern[str]]:
    """Container and pattern of a path such as `tsd/{platform}/{day}.json`; a `{name}` takes any text, slashes too.

    ValueError if its container is not plain text.
    """
    container, _, rest = path.partition("/")
    if not container or "{" in container:
        raise ValueError(f"path {path!r} does not begin with the name of a container")
    parts = re.split(r"\{[^{}]+\}", rest or "{name}")
    return container, re.compile(".*".join(map(re.escape, parts)), re.DOTALL)


class BlobFunction:
    """A function that runs on blobs, and where they are."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.id = f"Host.Functions.{function.name}"
        self.container_name, self.pattern = parse_path(function.trigger["path"])
        if function.trigger.get("source") == func.BlobSource.EVENT_GRID.value:
            raise ValueError("Event Grid's webhook is not played here; local/event_grid.py puts its events on a queue")
        blobs = connect(function.trigger.get("connection") or HOST_CONNECTION).blobs
        self.container = blobs.get_container_client(self.container_name)

    def argument(self, name: str, etag: str | None = None) -> func.blob.InputStream | None:
        """The blob as it is now; None if it is gone, or is not that of an ETag."""
        blob = self.container.get_blob_client(name)
        try:
            download = blob.download_blob()
            if etag is not None and bare(download.properties.etag) != etag:
                return None
            content = download.readall()
        except ResourceNotFoundError:
            return None
        return func.blob.InputStream(
            data=content,
            name=f"{self.container_name}/{name}",
            uri=blob.url,
            length=len(content),
            metadata=download.properties.metadata,
        )


def bare(etag: object) -> str:
    """An ETag without its quotes: the storage gives it with them and without."""
    return str(etag).strip('"')


class BlobQueue(Consumer):
    """The host's own queue of blob events, for all functions of the group."""

    def __init__(self, functions: Sequence[BlobFunction], runtime: Runtime) -> None:
        self._functions = {one.id: one for one in functions}
        queue = f"azure-webjobs-blobtrigger-{runtime.host_id}"
        super().__init__("blob events", runtime, connect(HOST_CONNECTION), queue, _consumption(runtime.settings))

    def put(self, blob_function: BlobFunction, name: str, etag: str) -> None:
        """Tells of a blob, in the platform's format."""
        event = {
            "Type": "BlobTrigger",
            "FunctionId": blob_function.id,
            "BlobType": "BlockBlob",
            "ContainerName": blob_function.container_name,
            "BlobName": name,
            "ETag": f'"{etag}"',
        }
        self._queue.send_message(base64.b64encode(json.dumps(event).encode()).decode())
        self.wake()

    def start_run(self, message: QueueMessage, body: bytes) -> Future[Any] | None:
        """Starts the function of an event; None if there is no such function, or nothing of that kind to run on."""
        event = json.loads(body)
        found, name = self._functions.get(event["FunctionId"]), event["BlobName"]
        argument = found and found.argument(name, bare(event["ETag"]))
        if not found or not argument:
            log.info("message %s: blob %s is gone, or another by now", message.id, name)
            return None
        return self.runtime.worker.submit(found.function, argument)


class BlobTrigger(Trigger):
    """What one function is to hear of, found by listing its container."""

    rest = 10  # listing a large container over and over would starve the functions

    def __init__(
        self, blob_function: BlobFunction, runtime: Runtime, tell: Callable[[BlobFunction, str, str], None]
    ) -> None:
        super().__init__(blob_function.function.name, runtime, threads=1)
        self._blob_function, self._tell = blob_function, tell
        self._receipts = Records(f"{runtime.host_id}/blobreceipts/{self.name}/{blob_function.container_name}")
        self._seen = {name: receipt.get("etag") for name, receipt in self._receipts.all()}
        self._held: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def look(self) -> int:
        """Lists the container once, and tells of what is new or changed; what cannot be told of is held back."""
        with self._lock:
            fresh = [(name, etag) for name, etag in self._list() if self._seen.get(name) != etag]
            self._seen.update(fresh)
            now, later = self.runtime.faults.order(self._held, fresh)
            self._held = [*now, *later]
            for name, etag in now:
                self._tell(self._blob_function, name, etag)
                self._receipts.put(name, etag=etag)
                self._held.pop(0)
            return len(fresh)

    def queued(self) -> int:
        """Events that a fresh look found, and those held back."""
        return self.look() + len(self._held)

    def run_now(self, path: str) -> None:
        """Runs once on the blob of that path, `container/name`."""
        argument = self._blob_function.argument(path.removeprefix(f"{self._blob_function.container_name}/"))
        if argument is not None:
            self.runtime.worker.submit(self._blob_function.function, argument).exception()

    def _list(self) -> list[tuple[str, str]]:
        """Name and ETag of every blob that the function hears of; of none if there is no container yet."""
        pattern = self._blob_function.pattern
        with contextlib.suppress(ResourceNotFoundError):
            blobs = list(self._blob_function.container.list_blobs())
            return [(blob.name, bare(blob.etag)) for blob in blobs if pattern.fullmatch(blob.name)]
        return []


def _consumption(settings: HostSettings) -> Consumption:
    """How the platform works on the queue of blob events: all tries at once, half of its runs taken at a time."""
    batch = max(1, settings.blob_parallelism // 2)
    return Consumption(
        batch,
        settings.blob_parallelism - batch,
        settings.poison_blob_threshold,
        timedelta(0),
        base64=True,
        poison=POISON_QUEUE,
    )
