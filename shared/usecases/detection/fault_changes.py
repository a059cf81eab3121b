"""Health: the events of a sensor that cannot be believed any more, and of one that can again."""

from shared.detection import Fault
from shared.domain.deviation import DeviationDay
from shared.domain.event import Event
from shared.domain.tsd import iso, to_datetime


def changes_of_health(template: str, row: DeviationDay) -> list[Event]:
    """Return an event for each bucket of the day whose fault is another one than the bucket's before it."""
    events = []
    previous = Fault.NONE if row.before is None else Fault(row.before.fault)
    for time, number in zip(row.times, row.fault, strict=True):
        fault = Fault(int(number))
        if fault != previous:
            at = to_datetime(time)
            message = (
                f"{row.sensor} is well again since {iso(at)}"
                if fault is Fault.NONE
                else f"{row.sensor} is {fault.word} since {iso(at)}: what would be Ok is Undefined"
            )
            kind = "sensor_well" if fault is Fault.NONE else "sensor_fault"
            events.append(Event(subject=template, kind=kind, at=at, about=row.sensor, message=message))
        previous = fault
    return events
