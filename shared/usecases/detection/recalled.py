"""Readings of earlier days that this process has read: so that a day that goes on asks the lake for its own alone.

A day's row names the readings of the two days before it that it rests on. Where the lake was found to hold exactly
these after the row was there, they are remembered by that name: whoever changes one of these days later scores the row
again, and names others in it.
"""

import threading
from collections import OrderedDict
from datetime import date

from shared.domain.deviation import DeviationDay, Readings, fingerprint
from shared.domain.tsd import ONE_DAY

MOST = 4096  # a day of a sensor takes 3.5 kB


class Recalled:
    """What is remembered, by sensor, day and name; threads may share it."""

    def __init__(self) -> None:
        """Begin empty."""
        self._held: OrderedDict[tuple[str, date, str], Readings] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, row: DeviationDay | None, day: date) -> Readings | None:
        """Return the readings of an earlier day that the row rests on; None where they are not known."""
        key = _key(row, day)
        with self._lock:
            return None if key is None else self._held.get(key)

    def keep(self, row: DeviationDay | None, day: date, readings: Readings | None) -> None:
        """Remember what the lake holds of an earlier day, if the row that is stored rests on just that."""
        key = _key(row, day)
        if key is None or readings is None or fingerprint(readings) != key[2]:
            return
        with self._lock:
            self._held[key] = readings
            self._held.move_to_end(key)
            while len(self._held) > MOST:
                self._held.popitem(last=False)


def _key(row: DeviationDay | None, day: date) -> tuple[str, date, str] | None:
    """Return the name under which the row rests on that day's readings; None where it names none."""
    if row is None:
        return None
    names = {row.day - ONE_DAY: row.context.yesterday, row.day - 2 * ONE_DAY: row.context.day_before}
    name = names.get(day, "")
    return (row.sensor, day, name) if name not in ("", "none") else None
