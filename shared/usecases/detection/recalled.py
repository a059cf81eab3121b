"""Readings of earlier days that are known already: so that a day that goes on asks the lake for its own alone.

A day's row names the readings of the two days before it that it rests on. Where the lake was found to hold exactly
these after the row was there, or the row of that day does, which was read together with it, they are remembered by that
name: whoever changes one of these days later scores the row again, and names others in it.
"""

import threading
from collections import OrderedDict
from datetime import date

from shared.domain.deviation import DeviationDay, Readings, fingerprint

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


def relied_on(row: DeviationDay | None, earlier: DeviationDay | None) -> Readings | None:
    """Return the readings that an earlier day's row holds, if they are those that the row rests on."""
    if row is None or earlier is None or earlier.is_empty or row.rests_on(earlier.day) != earlier.fingerprint:
        return None
    return earlier.readings


def _key(row: DeviationDay | None, day: date) -> tuple[str, date, str] | None:
    """Return the name under which the row rests on that day's readings; None where it names none."""
    name = "" if row is None else row.rests_on(day)
    return (row.sensor, day, name) if row is not None and name not in ("", "none") else None
