"""Telling: what people are told of a row is exactly what the row stands for, whatever crashed and changed in between.

A row keeps the names of the events that stand for it. Where these are to be others, it is written first with the names
of both, and as one that is being told; then the events are put and taken back; then it is written with the new names
alone. So whoever finds it half-way knows every event that may be there, even if the data are other ones by then.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence

from shared.domain.event import Event
from shared.ports import EventsTable, ListPage

Names = tuple[str, ...]

BEING_TOLD = "..."  # stands among the names of a row whose events may not all be there yet


def names_of(events: Iterable[Event]) -> Names:
    """Return what names each event and its words: its id, and a digest of what it says."""
    return tuple(sorted(f"{one.id}.{hashlib.sha256(one.message.encode()).hexdigest()[:8]}" for one in events))


def ids_of(names: Collection[str]) -> set[str]:
    """Return the ids of the events that are named."""
    return {name.partition(".")[0] for name in names if name != BEING_TOLD}


def half_told(told: Collection[str], events: Sequence[Event]) -> Names:
    """Return the names of a row that was told of by ``told`` and is to be told of by these events."""
    return tuple(sorted({*told, *names_of(events), BEING_TOLD}))


def all_events(table: EventsTable, subject: str) -> list[Event]:
    """Return all that is told of a subject, newest first."""
    return ListPage.all(lambda after: table.list(subject, after=after))


def tell(table: EventsTable, subject: str, events: Sequence[Event], told: Collection[str]) -> list[Event]:
    """Put and take back a subject's events until they are these; return those that were put."""
    ids = {one.id for one in events}
    for old in sorted(ids_of(told) - ids):
        table.remove_id(subject, old)
    new = [one for one in events if BEING_TOLD in told or names_of([one])[0] not in told]
    for one in new:
        table.put(one)
    return new
