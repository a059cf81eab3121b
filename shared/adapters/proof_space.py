"""The space of proof tests: tables and containers of their own, and a folder of the lake that no platform can have."""

from collections.abc import Sequence

from azure.data.tables import TableClient
from azure.storage.blob import ContainerClient

from shared.adapters.blobs import remove_below
from shared.adapters.tables.access import every, remove_entity
from shared.domain.proof_test import PROOF_PLATFORM


class AzureProofSpace:
    """Empties what a proof test leaves."""

    def __init__(
        self, lake: ContainerClient, containers: Sequence[ContainerClient], tables: Sequence[TableClient]
    ) -> None:
        """Use the lake, and the containers and tables that hold nothing else."""
        self._lake = lake
        self._containers = containers
        self._tables = tables

    def clear(self) -> None:
        """Remove all of it, readings first: nothing can then be made of them again."""
        remove_below(self._lake, f"{PROOF_PLATFORM}/")
        for container in self._containers:
            remove_below(container, "")
        for table in self._tables:
            for row in every(table, ["PartitionKey", "RowKey"]):
                remove_entity(table, row["PartitionKey"], row["RowKey"])
