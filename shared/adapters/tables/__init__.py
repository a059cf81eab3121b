"""Tables: one file per table, each translating between domain models and entities."""

from shared.adapters.tables.deviations import AzureDeviationsTable
from shared.adapters.tables.events import AzureEventsTable
from shared.adapters.tables.incidents import AzureEstimationsTable, AzureIncidentsTable
from shared.adapters.tables.marks import AzureMarksTable
from shared.adapters.tables.registry import AzureRegistryTable

__all__ = [
    "AzureDeviationsTable",
    "AzureEstimationsTable",
    "AzureEventsTable",
    "AzureIncidentsTable",
    "AzureMarksTable",
    "AzureRegistryTable",
]
