"""Statements: made in the background, kept with what they rest on, and made anew where that has changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from shared.arrays import Times
from shared.detection import engine_id
from shared.domain.environment import Environment
from shared.domain.performance import Statement, StatementInputs, Statements
from shared.domain.platform import Platform
from shared.domain.template import Sensor, Template
from shared.domain.tsd import BUCKET, floor_to_bucket
from shared.estimation.options import EstimationOptions
from shared.ports import (
    AlarmsTable,
    BaselineStore,
    Clock,
    DayStore,
    DeviationsTable,
    MessageQueues,
    Registration,
    RegistryTable,
    StatementsTable,
)
from shared.retry import after_conflicts
from shared.simulation import confinement
from shared.usecases.incidents.estimation_inputs import digest_of, sea_between
from shared.usecases.lookup import find_template, look_up_template, readable_baseline
from shared.usecases.performance.promises import PERIOD, Promises, SensorFigures, periods_of
from shared.usecases.performance.records import HOUR, availability_of, reliability_of

RENEWED_AFTER = timedelta(days=28)  # currents, alarms and availability are of the last weeks


@dataclass(frozen=True, slots=True)
class StatementView:
    """A template's statements, if there are any, and why the newest is not of today; empty: it is."""

    platform: Platform
    template: Template
    statements: Statements | None
    stale: tuple[str, ...]

    @property
    def closed_in_part(self) -> bool:
        """Whether a leak may mix in a box: promises of such templates are optimistic."""
        return confinement(self.template) > 0


@dataclass(frozen=True, kw_only=True)
class PerformanceStatements:
    """Makes and shows performance statements."""

    lake: DayStore
    registry: RegistryTable
    baselines: BaselineStore
    deviations: DeviationsTable
    alarms: AlarmsTable
    table: StatementsTable
    messages: MessageQueues
    clock: Clock
    period: timedelta  # of the currents
    options: EstimationOptions
    version: str  # of the app
    renew: bool = True  # whether a stale statement is asked for before anybody does

    def view(self, template: str) -> StatementView:
        """Return the template's statements as they stand; raises NotFound or InvalidInput."""
        record, known = look_up_template(self.registry, template)
        return self._view(record, known)

    def ask(self, template: str) -> StatementView:
        """Ask for a new statement, and return what there is; raises NotFound or InvalidInput."""
        found = self.view(template)
        self.messages.state_performance(found.template)
        return found

    def ask_if_stale(self, platform: str, template: str) -> None:
        """Ask for a template's statement if there is none of today, unless people alone do; raises NotFound."""
        if not self.renew:
            return
        record = self.registry.platform(platform)
        known = find_template(record, template)
        if self._view(record, known).stale:
            self.messages.state_performance(known)

    def run(self, template: str) -> Statements:
        """Make a template's statement and keep it beside the one before; raises NotFound or InvalidInput.

        Repeated, it says the same of the same data, and what was kept as the one before stays.
        """
        record, known = look_up_template(self.registry, template)
        made = self._made(record, known)
        look_up_template(self.registry, template)  # whoever deleted it meanwhile has removed its statements, too

        def keep(_: bool) -> Statements:
            stored = self.table.get(template)
            after = Statements.after(stored.statements if stored else None, made)
            self.table.put(template, after, stored.etag if stored else None)
            return after

        return after_conflicts(keep, f"statement of {template}")

    def _view(self, record: Registration, template: Template) -> StatementView:
        stored = self.table.get(template.id)
        if stored is None:
            return StatementView(record.platform, template, None, ("none was made yet",))
        newest = stored.statements.newest
        stale = self._inputs(record, template).changes_from(newest.inputs)
        if self.clock.now() - newest.made > RENEWED_AFTER:
            stale = (*stale, f"it is older than {RENEWED_AFTER.days} days")
        return StatementView(record.platform, template, stored.statements, stale)

    def _inputs(self, record: Registration, template: Template) -> StatementInputs:
        current = {one.id: record.history(one.id).current for one in template.sensors}
        return StatementInputs(
            engine=engine_id(),
            baselines={sensor: change.version if change else "" for sensor, change in current.items()},
            false_alarms={sensor: change.recipe.rates for sensor, change in current.items() if change},
            geometry=digest_of(template),
            settings={
                "QUERY__DETECTABILITY_DAYS": f"{self.period.days}",
                "ESTIMATION__SENSOR_TIME_CONSTANT_S": f"{self.options.sensor_time_constant_s:g}",
            },
        )

    def _made(self, record: Registration, template: Template) -> Statement:
        now = self.clock.now()
        end = floor_to_bucket(now).replace(minute=0)
        sea = sea_between(
            record.platform, template, lambda day: self.lake.read(template, day).document, end - self.period, end
        )
        figures = [self._figures(record, one) for one in template.sensors]
        said = Statement(
            template=template.id,
            made=now,
            version=self.version,
            inputs=self._inputs(record, template),
            start=end - self.period,
            end=end,
            currents_known=_known(sea),
            blind=tuple(one.id for one, found in zip(template.sensors, figures, strict=True) if found is None),
            reliability=reliability_of(self.alarms, template, now),
            availability=availability_of(self.deviations, template, now),
        )
        return self._promised(said, template, sea, figures)

    def _promised(
        self, said: Statement, template: Template, sea: Environment, figures: Sequence[SensorFigures | None]
    ) -> Statement:
        """Return the statement with what is promised, or with why nothing is."""
        periods = periods_of(sea)
        unknown = _missing(template, figures, periods, self.period.days)
        if unknown:
            return said.model_copy(update={"unknown": unknown})
        promises = Promises(template, sea, periods, figures, self.options)
        found = {
            "map": promises.map(),
            "points": promises.points(),
            "promises": promises.promises(),
            "accuracy": promises.accuracy(),
            "variants": promises.variants(),
        }
        return said.model_copy(update=found)

    def _figures(self, record: Registration, sensor: Sensor) -> SensorFigures | None:
        """Return what a sensor notices; None without a baseline that can be read."""
        current = record.history(sensor.id).current
        if current is None or not current.version:
            return None
        baseline = readable_baseline(self.baselines, sensor.id, current.version)
        return SensorFigures.of(baseline) if baseline else None


def _missing(
    template: Template, figures: Sequence[SensorFigures | None], periods: Sequence[Times], days: int
) -> tuple[str, ...]:
    """Return why nothing can be promised; empty where something can."""
    found = []
    if not template.sensors:
        found.append("no sensor is registered: what would be found is not known")
    elif not any(figures):
        found.append("no sensor has a baseline: what one of them would notice is not known")
    if not periods:
        hours = PERIOD * BUCKET // HOUR
        found.append(f"the current was not measured for {hours} h on end in the last {days} days")
    return tuple(found)


def _known(sea: Environment) -> float:
    known = np.isfinite(sea.current_speed) & np.isfinite(sea.current_direction)
    return round(float(known.mean()), 4) if known.size else 0.0
