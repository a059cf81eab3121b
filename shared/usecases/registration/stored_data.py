"""Contents: what is stored of a sensor or a template beside its registration, and how it is removed.

A sensor's readings stay in the lake, in its template's day blobs: they belong to its tag, and count again for a sensor
with that tag. Every removal may be repeated after a crash.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from shared.domain.event import OF_A_STATE
from shared.domain.platform import Platform
from shared.domain.template import Sensor, Template
from shared.ports import (
    BaselineStore,
    DayStore,
    DeviationsTable,
    EstimationsTable,
    EventsTable,
    IncidentsTable,
    MarksTable,
    Removable,
)
from shared.usecases.telling import all_events


@dataclass(frozen=True, kw_only=True)
class StoredData:
    """Counts what belongs to a sensor or a template, and removes it."""

    lake: DayStore
    baselines: BaselineStore
    deviations: DeviationsTable
    marks: MarksTable
    incidents: IncidentsTable
    estimations: EstimationsTable
    statements: Removable
    proof_tests: Removable
    events: EventsTable

    def of_sensor(self, template: Template, sensor: Sensor) -> Mapping[str, int]:
        """Return what would go with the sensor, by kind.

        Incidents at it, with their estimations, are told, too: they follow its scored days, and may end unheard.
        """
        held = self.incidents.list(template.id)
        at_it = [one.incident.id for one in held if sensor.id in one.incident.sensors]
        estimated = sum(self.estimations.summary(template.id, one) is not None for one in at_it)
        return {**self._own(sensor), "incidents": len(at_it), "estimations": estimated}

    def _own(self, sensor: Sensor) -> Mapping[str, int]:
        days = self.deviations.summaries(sensor.id, date.min, date.max)
        return {
            "scoredDays": sum(not one.is_empty for one in days),  # a day without its series has an empty row
            "baselineVersions": self.baselines.count(sensor.id),
            "decisions": self.marks.count(sensor.id),
        }

    def of_template(self, platform: Platform, template: Template) -> Mapping[str, int]:  # noqa: ARG002
        """Return what would go with the template, its sensors' included, by kind."""
        total = Counter(
            lakeDays=len(self.lake.days(template)),
            incidents=self.incidents.count(template.id),
            estimations=self.estimations.count(template.id),
            events=self.events.count(template.id),
        )
        for sensor in template.sensors:
            total.update(self._own(sensor))
        return dict(total)

    def remove_sensor(self, template: Template, sensor: Sensor) -> None:
        """Remove all of it; removing it again changes nothing."""
        self._take_back(template, sensor)
        self.marks.remove_all(sensor.id)
        self.deviations.remove_all(sensor.id)
        self.baselines.remove_all(sensor.id)

    def remove_template(self, platform: Platform, template: Template) -> None:  # noqa: ARG002
        """Remove all of it, the lake first: nothing can then be made of it again."""
        self.lake.remove_all(template)
        for sensor in template.sensors:
            self.remove_sensor(template, sensor)
        self.estimations.remove_all(template.id)
        self.incidents.remove_all(template.id)
        self.statements.remove_all(template.id)
        self.proof_tests.remove_all(template.id)
        self.events.remove_all(template.id)

    def _take_back(self, template: Template, sensor: Sensor) -> None:
        """Take back what is told of the sensor's state: what it follows goes with the sensor."""
        for event in all_events(self.events, template.id):
            if event.kind in OF_A_STATE and event.about == sensor.id:
                self.events.remove(event)
