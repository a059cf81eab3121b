"""Verify: is every row what a clean run would make of the lake as it is now?

Each day is scored anew from the lake, its baseline version and what the row before it hands on, and compared to the
last bit; so where every day passes, all of them are what a clean run makes, one after the other. Then the incidents
are held against the rows, and what people were told against both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import NamedTuple

from shared.detection import Baseline
from shared.domain.deviation import DAY_ARRAYS, DeviationDay, same_carry
from shared.domain.template import Sensor, Template
from shared.domain.tsd import ONE_DAY
from shared.errors import CorruptBlob, NewerSchema, NotFound
from shared.ports import Registration
from shared.usecases.detection.day_events import DayEvents
from shared.usecases.detection.detect import Detect
from shared.usecases.detection.lake_days import LakeDays
from shared.usecases.detection.scoring import score_day
from shared.usecases.incidents.critical_runs import find_incidents
from shared.usecases.incidents.reconcile import events_of
from shared.usecases.telling import names_of


class Finding(NamedTuple):
    """What is not as a clean run would make it, and the day that detect has to look at again."""

    day: date
    about: str  # sensor or incident
    what: str


@dataclass(frozen=True)
class Verify:
    """Holds what the tables say of a template against what detect would make of the lake; it writes nothing."""

    detect: Detect

    def run(self, record: Registration, template: Template, days: Sequence[date], every: int = 1) -> Iterator[Finding]:
        """Yield what is wrong with a template's days, each ``every``-th of them, and with its incidents."""
        if not days:
            return
        rows = {
            (row.sensor, row.day): row
            for sensor in template.sensors
            for row in self.detect.deviations.range(sensor.id, days[0], days[-1])
        }
        look = _Look(self.detect, record, template, rows)
        for day in days[::every]:
            yield from look.day(day)
        yield from self._incidents(template, list(rows.values()), days[0])

    def _incidents(self, template: Template, rows: Sequence[DeviationDay], first: date) -> Iterator[Finding]:
        incidents, rules = self.detect.reconcile.incidents.list(template.id), self.detect.reconcile.rules
        expected = {one.id: one for one in find_incidents(template, rows, rules.clear)}
        stored = {one.incident.id: one for one in incidents if one.incident.onset.date() >= first}
        for name in sorted(expected.keys() | stored.keys()):
            wanted, found = expected.get(name), stored.get(name)
            if wanted is None and found is not None:
                yield Finding(found.incident.onset.date(), name, "no row speaks of it any more")
            elif wanted is not None and found is None:
                yield Finding(wanted.onset.date(), name, "it is not there")
            elif wanted is not None and found is not None:
                if wanted != found.incident:
                    yield Finding(wanted.onset.date(), name, "its rows say something else")
                elif found.told is not None and found.told != names_of(events_of(wanted)):
                    yield Finding(wanted.onset.date(), name, "people were not told of it as it is")


@dataclass
class _Look:
    """One look at a template's days."""

    deps: Detect
    record: Registration
    template: Template
    rows: dict[tuple[str, date], DeviationDay]

    def __post_init__(self) -> None:
        self._days = LakeDays(
            self.deps.lake, self.record.platform, self.template, lambda sensor, day: self.rows.get((sensor, day))
        )
        self._events = DayEvents(self.deps.events, self.template, self.record.platform.source_name, self._days.document)

    def day(self, day: date) -> Iterator[Finding]:
        """Yield what is wrong with the rows of a day."""
        self._days.forget_before(day - 2 * ONE_DAY)
        if self._days.document(day) is None:  # its rows stay as they are while the blob cannot be read
            return
        for sensor in self.template.sensors:
            if why := self._of(sensor, day):
                yield Finding(day, sensor.id, why)

    def _of(self, sensor: Sensor, day: date) -> str:
        row, before = self.rows.get((sensor.id, day)), self.rows.get((sensor.id, day - ONE_DAY))
        try:
            baseline = self._baseline(sensor, day)
        except (NotFound, CorruptBlob, NewerSchema) as error:
            return f"its baseline cannot be read: {error}"
        series, readings = self._days.series(sensor, day), partial(self._days.readings, sensor)
        expected = score_day(sensor.id, day, series, readings, None, baseline, before=before)
        if row is None:
            return "it has no row" if expected.level.size or self._events.of(expected) else ""
        return _difference(row, expected) or ("" if self._is_told(row) else "people were not told of it as it is")

    def _is_told(self, row: DeviationDay) -> bool:
        return row.told is None or row.told == names_of(self._events.of(row))

    def _baseline(self, sensor: Sensor, day: date) -> Baseline | None:
        version = self.record.history(sensor.id).version_of(day)
        return self.deps.baselines.get(sensor.id, version) if version else None


def _difference(row: DeviationDay, expected: DeviationDay) -> str:
    """Return in what a row differs from what it should be; empty where it does not."""
    if (row.engine, row.baseline) != (expected.engine, expected.baseline):
        return f"it was scored by version {row.baseline or 'none'} of engine {row.engine}"
    if any(_differ(row, expected, name) for name in ("ppmv", "currents")) or row.bad != expected.bad:
        return "the lake holds other readings"
    if not same_carry(row.before, expected.before):
        return "the day before hands on something else"
    if "" not in row.context and row.context != expected.context:
        return "the days before hold other readings"
    if any(_differ(row, expected, name) for name in DAY_ARRAYS):
        return "its scores are not those of its readings"
    return ""


def _differ(row: DeviationDay, expected: DeviationDay, name: str) -> bool:
    return bool(getattr(row, name).tobytes() != getattr(expected, name).tobytes())
