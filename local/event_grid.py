"""Event Grid, as far as the lake needs it: a queue is told of every blob that is written into a container.

Azurite says nothing of what is written, so the container is listed over and over. As on the platform, an event comes
at least once and in any order, says what the blob was when it was written, and knows the id of the request that wrote
it; here, where nobody can see that id, the operation that the blob's metadata name.
"""

import base64
import contextlib
import json
import threading
import time
from datetime import datetime
from typing import Self

from azure.core.exceptions import AzureError
from azure.storage.blob import BlobProperties

from local.storage import Storage
from local.triggers import Faults

LOOK_S = 0.1  # between two looks into the container
RESTS = 3  # times as long as a look took, at least: listing a large container over and over would starve the others


def event_of(container: str, blob: str, moment: datetime, **data: object) -> dict[str, object]:
    """Return the event of a blob that was written, in the platform's schema."""
    return {
        "topic": "/subscriptions/local/providers/Microsoft.Storage/storageAccounts/local",
        "subject": f"/blobServices/default/containers/{container}/blobs/{blob}",
        "eventType": "Microsoft.Storage.BlobCreated",
        "id": f"{blob} {moment.isoformat()}",
        "data": {"api": "PutBlob", "blobType": "BlockBlob", **data},
        "dataVersion": "",
        "metadataVersion": "1",
        "eventTime": moment.isoformat(),
    }


class EventGrid:
    """`with EventGrid(connection, "tsd", "lake-events") as grid`; what was there before is told of, or passed over."""

    def __init__(
        self, connection: str, container: str, queue: str, faults: Faults | None = None, rest_s: float = LOOK_S
    ) -> None:
        """Look into that container of a storage, with rests [s]; ``faults`` repeat events and shuffle them."""
        storage = Storage(connection)
        self._name = container
        self._container = storage.blobs.get_container_client(container)
        self._queue = storage.queue(queue)
        self._faults, self._rest_s = faults or Faults(), rest_s
        self._seen: dict[str, str] = {}
        self._held: list[tuple[str, str]] = []
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="Event Grid", daemon=True)

    def pass_over(self) -> None:
        """Tell nobody of what is there by now."""
        with self._lock:
            self._seen.update({blob.name: blob.etag for blob in self._container.list_blobs()})

    def tell(self) -> int:
        """Tell of what was written since the last look; return how many events are held back or were put."""
        with self._lock:
            listed = {blob.name: blob for blob in self._container.list_blobs(include=["metadata"])}
            fresh = [(name, one.etag) for name, one in listed.items() if self._seen.get(name) != one.etag]
            self._seen.update(fresh)
            now, self._held = self._faults.order(self._held, fresh)
            for name, _ in now:
                if name in listed:
                    for _ in range(2 if self._faults.again() else 1):
                        self._put(listed[name])
            return len(now) + len(self._held)

    def _put(self, blob: BlobProperties) -> None:
        said = {"eTag": blob.etag, "contentLength": blob.size, "url": f"{self._container.url}/{blob.name}"}
        request = (blob.metadata or {}).get("operation", "")
        event = event_of(self._name, blob.name, blob.last_modified, clientRequestId=request, **said)
        self._queue.send_message(base64.b64encode(json.dumps(event).encode()).decode())  # as the platform does

    def _run(self) -> None:
        rest = self._rest_s
        while not self._stop.wait(rest):
            begun = time.monotonic()
            with contextlib.suppress(AzureError):  # the platform tries again, too
                self.tell()
            rest = max(self._rest_s, RESTS * (time.monotonic() - begun))

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more; what was not told of is told by the next one."""
        self._stop.set()
        self._thread.join()
