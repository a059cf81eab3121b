"""Blob triggers: new and changed blobs found by polling, at-least-once, with receipts, retries and a poison queue."""

import base64
import json
import logging
import re
import threading
from dataclasses import dataclass

import azure.functions as func
from azure.core.exceptions import AzureError, ResourceNotFoundError

from local.metadata import Function, HostError
from local.runtime import Runtime
from local.storage import HOST_CONNECTION, Records, connect

log = logging.getLogger("local.blob")
POISON_QUEUE = "webjobs-blobtrigger-poison"
FASTEST, SLOWEST = 0.2, 1.5  # seconds between two scans


@dataclass(frozen=True)
class BlobEvent:
    """A blob was written; by the time the event is delivered it may have changed again, or be gone."""

    name: str
    etag: str


@dataclass(frozen=True)
class BlobPattern:
    """A trigger's path: a container, and a pattern in which every `{name}` takes any text, slashes too."""

    container: str
    prefix: str
    expression: re.Pattern[str]

    def matches(self, name: str) -> bool:
        """Whether a blob of the container is one of the trigger's."""
        return self.expression.fullmatch(name) is not None


def parse_path(path: str) -> BlobPattern:
    """Reads a path such as `tsd/{platform}/{day}.json`; ValueError if its container is not plain text."""
    container, _, rest = path.partition("/")
    if not container or "{" in container:
        raise ValueError(f"path {path!r} does not begin with the name of a container")
    parts = re.split(r"\{[^{}]+\}", rest or "{name}")
    return BlobPattern(container, parts[0], re.compile(".*".join(re.escape(part) for part in parts), re.DOTALL))


class BlobTrigger:
    """One path, scanned in a thread of its own; all blob triggers share the threads that deliver."""

    def __init__(self, function: Function, runtime: Runtime) -> None:
        self._function = function
        self._tries = runtime.settings.poison_blob_threshold
        self._worker = runtime.worker
        self._faults = runtime.faults
        self._stop = runtime.stop
        self._threads = runtime.blob_threads
        try:
            self._path = parse_path(function.trigger["path"])
        except ValueError as error:
            raise HostError(f"function {function.name}: {error}") from error
        self._storage = connect(function.trigger.get("connection") or HOST_CONNECTION)
        self._container = self._storage.blobs.get_container_client(self._path.container)
        self._records = Records(f"{runtime.records}/blobreceipts/{function.name}/{self._path.container}")
        self._seen = {name: str(record["etag"]) for name, record in self._records.all()}
        self._held: list[BlobEvent] = []
        self._scan_lock, self._pending_lock = threading.Lock(), threading.Lock()
        self._pending = 0

    def start(self) -> None:
        """Begins to scan."""
        if str(self._function.trigger.get("source", "")).lower() == "eventgrid":
            log.warning("%s: there is no Event Grid here, so its container is polled", self._function.name)
        threading.Thread(target=self._poll, name=self._function.name, daemon=True).start()

    def queued(self) -> int:
        """Events that wait or are in hand, after a fresh look at the container."""
        self.scan()
        with self._pending_lock:
            return self._pending + len(self._held)

    def run_now(self, path: str) -> None:
        """Runs once on the blob of that path, `container/name`."""
        name = path.removeprefix(f"{self._path.container}/")
        self._worker.submit(self._function, self._read(name)).exception()

    def scan(self) -> int:
        """Lists the container once, delivers what is new or changed, and says how much that was."""
        with self._scan_lock:
            fresh = [event for event in self._list() if self._seen.get(event.name) != event.etag]
            self._seen.update((event.name, event.etag) for event in fresh)
            repeated = [event for event in fresh if self._faults.again()]
            now, self._held = self._faults.order(self._held, fresh + repeated)
            for event in now:
                self._worker.activity.begin()
                with self._pending_lock:
                    self._pending += 1
                self._threads.submit(self._handle, event)
            return len(fresh)

    def _list(self) -> list[BlobEvent]:
        try:
            blobs = list(self._container.list_blobs(name_starts_with=self._path.prefix or None))
        except ResourceNotFoundError:  # no container yet
            return []
        return [BlobEvent(b.name, str(b.etag).strip('"')) for b in blobs if self._path.matches(b.name)]

    def _poll(self) -> None:
        pause = FASTEST
        while not self._stop.is_set():
            try:
                pause = FASTEST if self.scan() else min(pause * 1.3, SLOWEST)
            except AzureError as error:
                log.warning("%s cannot list %s: %s", self._function.name, self._path.container, error)
            self._stop.wait(pause)

    def _handle(self, event: BlobEvent) -> None:
        """One event, from its delivery to its receipt; what is cut short before comes again after a restart."""
        try:
            if self._settle(event):
                self._records.put(event.name, {"etag": event.etag})
        except AzureError as error:
            log.warning("%s: the event of %s comes again: %s", self._function.name, event.name, error)
            self._seen.pop(event.name, None)
        finally:
            with self._pending_lock:
                self._pending -= 1
            self._worker.activity.end()

    def _settle(self, event: BlobEvent) -> bool:
        """Tries until a run succeeds or the blob is poison; False if there is nothing to give a receipt for."""
        for _ in range(self._tries):
            if self._stop.is_set():
                return False
            try:
                stream = self._read(event.name)
            except ResourceNotFoundError:  # deleted since
                return False
            if self._worker.submit(self._function, stream).exception() is None:
                return True
        self._poison(event)
        return True

    def _read(self, name: str) -> func.blob.InputStream:
        """The blob's content of this moment, as a trigger gets it."""
        download = self._container.download_blob(name)
        content, path = download.readall(), f"{self._path.container}/{name}"
        uri = self._container.get_blob_client(name).url
        return func.blob.InputStream(data=content, name=path, uri=uri, length=len(content))

    def _poison(self, event: BlobEvent) -> None:
        """Tells of a blob that failed every time, in the platform's words."""
        log.warning(
            "%s: blob %s failed %d times; see queue %s", self._function.name, event.name, self._tries, POISON_QUEUE
        )
        message = {
            "Type": "BlobTrigger",
            "FunctionId": f"Host.Functions.{self._function.name}",
            "BlobType": "BlockBlob",
            "ContainerName": self._path.container,
            "BlobName": event.name,
            "ETag": f'"{event.etag}"',
        }
        self._storage.queue(POISON_QUEUE).send_message(base64.b64encode(json.dumps(message).encode()).decode())
