"""Decide: stores what is decided about a sensor's baselines, after all that was decided before."""

from collections.abc import Callable
from datetime import date

from shared.domain.decisions import Decisions
from shared.domain.mark import Mark, Undo, Withdrawal
from shared.ports import MarksTable, Registration, RegistryTable
from shared.retry import after_conflicts
from shared.usecases.lookup import look_up_sensor

Make = Callable[[Decisions], Mark | Withdrawal | Undo | None]


def decide(registry: RegistryTable, marks: MarksTable, sensor: str, make: Make) -> bool:
    """Store what ``make`` makes of all that was decided before, if anything, and return whether it was anything.

    Raises what ``make`` raises, NotFound, or Conflict.
    """

    def attempt(_again: bool) -> bool:
        known = marks.of(sensor)
        what = make(known)
        if what is None:
            return False
        record, _, _ = look_up_sensor(registry, sensor)
        marks.add(known.next(what, _decided_until(record)))
        return True

    return after_conflicts(attempt, f"decisions about {sensor}")


def _decided_until(record: Registration) -> date:
    """Return the newest UTC day for which a platform's baselines were decided: any of them may look at any sensor."""
    histories = [one.history for one in record.stored.values()]
    decided = [change.valid_from for history in histories for change in history.base]
    return max([*decided, *(one.last_attempt for one in histories if one.last_attempt)], default=date.min)
