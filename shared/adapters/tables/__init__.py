"""Tables: one file per table, each translating between domain models and entities."""

from shared.adapters.tables.alarms import AzureAlarmsTable
from shared.adapters.tables.deviations import AzureDeviationsTable
from shared.adapters.tables.events import AzureEventsTable
from shared.adapters.tables.incidents import AzureEstimationsTable, AzureIncidentsTable
from shared.adapters.tables.journal import AzureJournalTable
from shared.adapters.tables.marks import AzureMarksTable
from shared.adapters.tables.proof_tests import AzureProofTestsTable
from shared.adapters.tables.registry import AzureRegistryTable
from shared.adapters.tables.statements import AzureStatementsTable
from shared.adapters.tables.suppressions import AzureSuppressionsTable

__all__ = [
    "AzureAlarmsTable",
    "AzureDeviationsTable",
    "AzureEstimationsTable",
    "AzureEventsTable",
    "AzureIncidentsTable",
    "AzureJournalTable",
    "AzureMarksTable",
    "AzureProofTestsTable",
    "AzureRegistryTable",
    "AzureStatementsTable",
    "AzureSuppressionsTable",
]
