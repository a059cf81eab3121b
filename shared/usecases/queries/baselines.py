"""What scores a sensor and why, and what people said of it: read."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.baseline_history import BaselineHistory
from shared.domain.mark import Effect, Mark
from shared.ports import DeviationsTable, MarksTable, RegistryTable
from shared.usecases.lookup import look_up_mark, look_up_sensor


@dataclass(frozen=True)
class MarkWithEffect:
    """A mark, and what the rows say of its range now."""

    mark: Mark
    after: Effect


@dataclass(frozen=True, kw_only=True)
class BaselineQueries:
    """Reads baseline histories and marks."""

    registry: RegistryTable
    marks_table: MarksTable
    deviations: DeviationsTable

    def history(self, sensor: str) -> BaselineHistory:
        """Return the sensor's baseline history; raises InvalidInput or NotFound."""
        record, _, _ = look_up_sensor(self.registry, sensor)
        return record.history(sensor)

    def marks(self, sensor: str) -> Sequence[MarkWithEffect]:
        """Return the sensor's marks, newest first, with what the rows say now; raises InvalidInput or NotFound."""
        look_up_sensor(self.registry, sensor)
        return [self.with_effect(mark) for mark in reversed(self.marks_table.of(sensor).marks)]

    def mark(self, sensor: str, mark: str) -> MarkWithEffect:
        """Return one of the sensor's marks, with what the rows say now; raises InvalidInput or NotFound."""
        look_up_sensor(self.registry, sensor)
        return self.with_effect(look_up_mark(self.marks_table, sensor, mark))

    def with_effect(self, mark: Mark) -> MarkWithEffect:
        """Return the mark with what the rows say of its range now."""
        rows = self.deviations.range(mark.sensor, *mark.span.days)
        return MarkWithEffect(mark, Effect.of(rows, mark.span))
