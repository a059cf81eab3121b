"""The storage that triggers read and the host keeps its own records in."""

import contextlib
import functools
import os
from collections.abc import Iterator
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient

from local.metadata import expand

HOST_CONNECTION = "AzureWebJobsStorage"
PATIENCE: dict[str, Any] = {"retry_total": 3, "initial_backoff": 0, "increment_base": 1, "random_jitter_range": 0}


class Storage:
    """Blob and queue service of one connection; queue messages pass as they are on the wire."""

    def __init__(self, connection_string: str) -> None:
        self.blobs = BlobServiceClient.from_connection_string(connection_string, **PATIENCE)
        self.queues = QueueServiceClient.from_connection_string(connection_string, **PATIENCE)

    def queue(self, name: str) -> QueueClient:
        """The queue of that name, made when it is missing."""
        client = self.queues.get_queue_client(name)
        with contextlib.suppress(ResourceExistsError):
            client.create_queue()
        return client


@functools.cache
def connect(setting: str) -> Storage:
    """The storage whose connection string is that app setting; ValueError if it is none."""
    return Storage(expand(f"%{setting}%", os.environ, "storage"))


class Records:
    """What the host must not forget in a restart, as the metadata of small blobs, so that one listing reads them all.

    They are in the platform's own container for that.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._container = connect(HOST_CONNECTION).blobs.get_container_client("azure-webjobs-hosts")
        with contextlib.suppress(ResourceExistsError):
            self._container.create_container()

    def put(self, name: str, **values: str) -> None:
        """Writes the record of that name."""
        self._container.upload_blob(f"{self._folder}/{name}", b"", metadata=values, overwrite=True)

    def all(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Every record of the folder with its name."""
        for blob in self._container.list_blobs(name_starts_with=f"{self._folder}/", include=["metadata"]):
            yield blob.name.removeprefix(f"{self._folder}/"), blob.metadata or {}
