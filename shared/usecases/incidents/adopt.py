"""Adopt: incidents that go on without an alarm, because an older release found them, get one.

Whoever finds an incident raises its alarm at once, so after the first tick of this release there is nothing to adopt.
"""

from dataclasses import dataclass

from shared.ports import AlarmsTable, EstimationsTable, IncidentsTable
from shared.usecases.alarms.alarms import Alarms
from shared.usecases.incidents.estimate import tell_alarm


@dataclass(frozen=True, kw_only=True)
class AdoptIncidents:
    """Raises the alarms that are missing."""

    incidents: IncidentsTable
    estimations: EstimationsTable
    table: AlarmsTable
    alarms: Alarms

    def run(self) -> None:
        """Look at every incident that goes on; doing it again changes nothing."""
        for stored in self.incidents.open_ones():
            incident = stored.incident
            if self.table.get(incident.id) is not None:
                continue
            self.alarms.follow(incident)
            answered = self.estimations.get(incident.template, incident.id)
            if answered is not None:
                tell_alarm(self.alarms, incident.id, answered.estimation, answered.at)
