"""Clients of what the app talks to: storage, and who it is there and at OMNIA; each made on first use."""

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceExistsError

from shared.adapters.development import expand
from shared.errors import SettingsError
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.data.tables import TableClient, TableServiceClient
    from azure.storage.blob import BlobServiceClient, ContainerClient
    from azure.storage.queue import QueueClient


class Clients:
    """Makes clients by the settings; nothing connects before it is used."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings of the app."""
        self._settings = settings
        self._host = settings.host_storage
        self._names = settings.storage

    @cached_property
    def credential(self) -> Any:
        """The app's own identity."""
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 (0.3 s that a local start need not pay)

        client = self._host.clientId
        # An explicit None would switch off the library's own look at AZURE_CLIENT_ID.
        return DefaultAzureCredential(managed_identity_client_id=client) if client else DefaultAzureCredential()

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
            if secret.startswith("@Microsoft.KeyVault("):  # checked here: pages go on, and tell that nothing comes in
                raise SettingsError("OMNIA__CLIENT_SECRET: the platform cannot read it from Key Vault")
            return ClientSecretCredential(omnia.tenant_id, omnia.client_id, secret)
        return self.credential

    # --- storage

    @cached_property
    def _blob_service(self) -> "BlobServiceClient":
        from azure.storage.blob import BlobServiceClient  # noqa: PLC0415

        if self._host.connection_string:
            return BlobServiceClient.from_connection_string(expand(self._host.connection_string))
        return BlobServiceClient(self._host.blobServiceUri, credential=self.credential)

    @cached_property
    def _table_service(self) -> "TableServiceClient":
        from azure.data.tables import TableServiceClient  # noqa: PLC0415

        if self._host.connection_string:
            return TableServiceClient.from_connection_string(expand(self._host.connection_string))
        return TableServiceClient(self._host.tableServiceUri, credential=self.credential)

    def container(self, name: str) -> "ContainerClient":
        """Return the client of a container."""
        return self._blob_service.get_container_client(name)

    def table(self, name: str) -> "TableClient":
        """Return the client of a table."""
        return self._table_service.get_table_client(name)

    def queue(self, name: str) -> "QueueClient":
        """Return the client of a queue, which writes base64 as the host expects."""
        from azure.storage.queue import QueueClient, TextBase64EncodePolicy  # noqa: PLC0415

        policy = TextBase64EncodePolicy()
        if self._host.connection_string:
            connection = expand(self._host.connection_string)
            return QueueClient.from_connection_string(connection, name, message_encode_policy=policy)
        return QueueClient(self._host.queueServiceUri, name, credential=self.credential, message_encode_policy=policy)

    def tables(self) -> "list[TableClient]":
        """Return the clients of all tables of the app."""
        names = self._names
        first = [names.registry_table, names.deviations_table, names.incidents_table]
        return [self.table(name) for name in (*first, names.estimations_table, names.events_table, names.marks_table)]

    def ensure_storage(self) -> None:
        """Create the containers, tables and queues that are not there; on Azure the deployment has made them."""
        names = self._names
        containers = [names.lake_container, names.baselines_container, names.corrupt_container]
        _create(self.container(name).create_container for name in containers)
        _create(table.create_table for table in self.tables())
        _create(self.queue(name).create_queue for name in (names.critical_queue, names.baselines_queue))


def _create(creations: Iterable[Any]) -> None:
    for create in creations:
        try:
            create()
        except ResourceExistsError:
            continue
