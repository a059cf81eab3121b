"""Tables: one file per table, each translating between domain models and entities."""

from shared.adapters.tables.deviations import TableDeviations
from shared.adapters.tables.events import TableEvents
from shared.adapters.tables.incidents import TableEstimations, TableIncidents
from shared.adapters.tables.marks import TableMarks
from shared.adapters.tables.registry import TableRegistry

__all__ = ["TableDeviations", "TableEstimations", "TableEvents", "TableIncidents", "TableMarks", "TableRegistry"]
