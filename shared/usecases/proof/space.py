"""The space in which a proof test is played: what the way of the data reads and writes, apart from what is real."""

from dataclasses import dataclass

from shared.ports import (
    BaselineStore,
    DayStore,
    DeviationsTable,
    EstimationsTable,
    IncidentsTable,
    ProofStore,
    RegistryTable,
)


@dataclass(frozen=True, kw_only=True)
class ProofSpace:
    """Where the copy of a template lies, and what is made of it."""

    store: ProofStore
    registry: RegistryTable
    lake: DayStore
    baselines: BaselineStore
    deviations: DeviationsTable
    incidents: IncidentsTable
    estimations: EstimationsTable
