"""The storage that triggers read and the host keeps its own records in."""

import base64
import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient

from local.metadata import HostError

HOST_CONNECTION = "AzureWebJobsStorage"
HOST_ID = "AzureFunctionsWebHost__hostid"


class Storage:
    """Blob and queue service of one connection; queue messages pass as they are on the wire."""

    def __init__(self, connection_string: str) -> None:
        patience: dict[str, Any] = {
            "initial_backoff": 0,
            "increment_base": 1,
            "random_jitter_range": 0,
            "retry_total": 3,
        }
        self.blobs = BlobServiceClient.from_connection_string(connection_string, **patience)
        self.queues = QueueServiceClient.from_connection_string(connection_string, **patience)

    def queue(self, name: str) -> QueueClient:
        """The queue of that name, made when it is missing."""
        client = self.queues.get_queue_client(name)
        with contextlib.suppress(ResourceExistsError):
            client.create_queue()
        return client


@functools.cache
def connect(setting: str) -> Storage:
    """The storage that an app setting names: `NAME`, else `AzureWebJobsNAME`."""
    value = os.environ.get(setting) or os.environ.get(f"AzureWebJobs{setting}")
    if not value:
        raise HostError(
            f"there is no app setting {setting!r} with a storage connection string, which a trigger asks for"
        )
    try:
        return Storage(value)
    except ValueError as error:
        raise HostError(f"the app setting {setting!r} is no storage connection string: {error}") from error


def host_id(root: Path, module: str) -> str:
    """Whose records these are: one per app folder, or what the platform's own setting says."""
    name = os.environ.get(HOST_ID)
    return name or hashlib.sha256(f"{root.resolve()}\n{module}".encode()).hexdigest()[:16]


class Records:
    """What the host must not forget in a restart: small blobs in the platform's own container for that.

    A record is a blob's metadata alone, so that one listing reads them all.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._container = connect(HOST_CONNECTION).blobs.get_container_client("azure-webjobs-hosts")
        if not self._container.exists():
            with contextlib.suppress(ResourceExistsError):
                self._container.create_container()

    def put(self, name: str, value: Mapping[str, Any]) -> None:
        """Writes the record of that name."""
        packed = base64.b64encode(json.dumps(value).encode()).decode()
        self._container.upload_blob(f"{self._folder}/{name}", b"", metadata={"record": packed}, overwrite=True)

    def all(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every record of the folder with its name."""
        for blob in self._container.list_blobs(name_starts_with=f"{self._folder}/", include=["metadata"]):
            yield blob.name.removeprefix(f"{self._folder}/"), _unpacked(blob.metadata)

    def get(self, name: str) -> dict[str, Any] | None:
        """The record of that name, if there is one."""
        try:
            return _unpacked(self._container.get_blob_client(f"{self._folder}/{name}").get_blob_properties().metadata)
        except ResourceNotFoundError:
            return None


def _unpacked(metadata: Mapping[str, str]) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(base64.b64decode(metadata["record"]))
    return record
