"""Clients of what the app talks to: storage, and who it is there and at OMNIA; each made on first use."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceExistsError

from shared.adapters.development import expand
from shared.errors import SettingsError
from shared.settings import KEY_VAULT, Settings
from shared.usecases.poison import BLOBS, GIVEN_UP

if TYPE_CHECKING:
    from azure.data.tables import TableClient, TableServiceClient
    from azure.storage.blob import BlobServiceClient, ContainerClient
    from azure.storage.queue import QueueClient, TextBase64EncodePolicy


@dataclass(frozen=True)
class Patience:
    """How long a call to Azure may take [s]: a small part of the time that a function has (host.json)."""

    connect_s: float = 5.0
    read_s: float = 15.0  # between two parts of an answer
    retries: int = 3

    @property
    def longest_s(self) -> float:
        """How long a call lasts at most that nobody answers, without the waits between tries."""
        return (self.retries + 1) * (self.connect_s + self.read_s)

    def options(self) -> dict[str, Any]:
        """Return it as the clients' libraries take it."""
        return {
            "connection_timeout": self.connect_s,
            "read_timeout": self.read_s,
            "retry_total": self.retries,
            "initial_backoff": 1,  # of blobs and queues, whose library waits 15 s and more
            "increment_base": 2,
        }


PATIENT = Patience()
IMPATIENT = Patience(connect_s=2.0, read_s=3.0, retries=0)  # for who asks whether storage is there


class Clients:
    """Makes clients by the settings; nothing connects before it is used."""

    def __init__(self, settings: Settings, patience: Patience = PATIENT) -> None:
        """Take the settings of the app."""
        self._settings = settings
        self._options = patience.options()
        self._host = settings.host_storage
        self._names = settings.storage

    @cached_property
    def credential(self) -> Any:
        """The app's own identity."""
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 (0.3 s that a local start need not pay)

        client = self._host.clientId
        # An explicit None would switch off the library's own look at AZURE_CLIENT_ID.
        named = {"managed_identity_client_id": client} if client else {}
        return DefaultAzureCredential(**named, **self._options)

    @property
    def omnia_credential(self) -> Any:
        """A fixed token (emulator), a service principal, or the app's own identity; raises SettingsError."""
        omnia = self._settings.omnia
        if omnia.static_token:
            from shared.adapters.omnia_http import StaticCredential  # noqa: PLC0415

            return StaticCredential(omnia.static_token)
        if omnia.client_id:
            from azure.identity import ClientSecretCredential  # noqa: PLC0415

            secret = omnia.client_secret.get_secret_value()
            if secret.startswith(KEY_VAULT):  # checked here: pages go on, and tell that nothing comes in
                raise SettingsError("OMNIA__CLIENT_SECRET: the platform cannot read it from Key Vault")
            return ClientSecretCredential(omnia.tenant_id, omnia.client_id, secret, **self._options)
        return self.credential

    # --- storage

    @cached_property
    def _blob_service(self) -> "BlobServiceClient":
        from azure.storage.blob import BlobServiceClient  # noqa: PLC0415

        if self._host.connection_string:
            return BlobServiceClient.from_connection_string(expand(self._host.connection_string), **self._options)
        return BlobServiceClient(self._host.blobServiceUri, credential=self.credential, **self._options)

    @cached_property
    def _table_service(self) -> "TableServiceClient":
        from azure.data.tables import TableServiceClient  # noqa: PLC0415

        if self._host.connection_string:
            return TableServiceClient.from_connection_string(expand(self._host.connection_string), **self._options)
        return TableServiceClient(self._host.tableServiceUri, credential=self.credential, **self._options)

    def container(self, name: str) -> "ContainerClient":
        """Return the client of a container."""
        return self._blob_service.get_container_client(name)

    def backups(self) -> "ContainerClient":
        """Return the client of the container of backups, in the app's account or in another one."""
        address, name = self._settings.backup.blob_service_uri, self._names.backup_container
        if not address:
            return self.container(name)
        from azure.storage.blob import BlobServiceClient  # noqa: PLC0415

        return BlobServiceClient(address, credential=self.credential, **self._options).get_container_client(name)

    def table(self, name: str) -> "TableClient":
        """Return the client of a table."""
        return self._table_service.get_table_client(name)

    def queue(self, name: str) -> "QueueClient":
        """Return the client of a queue, which writes base64 as the host expects."""
        from azure.storage.queue import TextBase64EncodePolicy  # noqa: PLC0415

        return self._queue(name, TextBase64EncodePolicy())

    def plain_queue(self, name: str) -> "QueueClient":
        """Return the client of a queue, which writes what it is given."""
        return self._queue(name, None)

    def _queue(self, name: str, policy: "TextBase64EncodePolicy | None") -> "QueueClient":
        from azure.storage.queue import QueueClient  # noqa: PLC0415

        if self._host.connection_string:
            connection = expand(self._host.connection_string)
            return QueueClient.from_connection_string(connection, name, message_encode_policy=policy, **self._options)
        address, who = self._host.queueServiceUri, self.credential
        return QueueClient(address, name, credential=who, message_encode_policy=policy, **self._options)

    def tables(self) -> "list[TableClient]":
        """Return the clients of all tables of the app."""
        names = self._names
        first = [names.registry_table, names.deviations_table, names.incidents_table]
        said = [names.events_table, names.marks_table, names.journal_table]
        life = [names.alarms_table, names.suppressions_table]
        last = [names.estimations_table, names.statements_table]
        return [self.table(name) for name in (*first, *last, *said, *life, names.proof_tests_table)]

    def backed_up_tables(self) -> "Mapping[str, TableClient]":
        """Return the clients of the tables that are backed up, by what they are called in a backup."""
        names = self._names
        called = {
            "incidents": names.incidents_table,
            "estimations": names.estimations_table,
            "statements": names.statements_table,
            "prooftests": names.proof_tests_table,
            "events": names.events_table,
            "alarms": names.alarms_table,
            "suppressions": names.suppressions_table,
            "marks": names.marks_table,
            "registry": names.registry_table,
            "journal": names.journal_table,
        }
        return {name: self.table(table) for name, table in called.items()}

    def proof_tables(self) -> "list[TableClient]":
        """Return the clients of the tables that proof tests alone use."""
        names = self._names.of_proof_tests
        return [self.table(value) for name, value in names if name.endswith("_table") and name != "proof_tests_table"]

    def proof_containers(self) -> "list[ContainerClient]":
        """Return the clients of the containers that proof tests alone use."""
        names = self._names.of_proof_tests
        return [self.container(name) for name in (names.baselines_container, names.corrupt_container)]

    def ensure_storage(self) -> None:
        """Create the containers, tables and queues that are not there; on Azure the deployment has made them."""
        names = self._names
        containers = [names.lake_container, names.baselines_container, names.corrupt_container]
        _create(self.container(name).create_container for name in containers)
        _create(one.create_container for one in (*self.proof_containers(), self.backups()))
        _create(table.create_table for table in (*self.tables(), *self.proof_tables()))
        given_up = [f"{name}{GIVEN_UP}" for name in (*names.queues, BLOBS)]
        _create(self.queue(name).create_queue for name in (*names.queues, *given_up))


def _create(creations: Iterable[Any]) -> None:
    for create in creations:
        try:
            create()
        except ResourceExistsError:
            continue
