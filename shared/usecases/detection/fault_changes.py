"""Where a sensor's fault begins, changes and ends in a scored day, as events."""

from shared.detection import Fault
from shared.domain.deviation import DeviationDay
from shared.domain.event import Event, fault_changed
from shared.domain.tsd import to_datetime


def fault_changes(template: str, row: DeviationDay) -> list[Event]:
    """Return an event for each bucket of the day whose fault is another one than the bucket's before it."""
    events = []
    previous = Fault.NONE if row.before is None else Fault(row.before.fault)
    for time, number in zip(row.times, row.fault, strict=True):
        fault = Fault(int(number))
        if fault is not previous:
            word = None if fault is Fault.NONE else fault.word
            events.append(fault_changed(template, row.sensor, to_datetime(time), word))
        previous = fault
    return events
