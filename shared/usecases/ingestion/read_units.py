"""In which unit a series is read: where its source, or its registration, names another one, old readings may be wrong.

Ingest asks again for what it looks back at; of what is older, the event says which command does.
"""

from datetime import datetime

from shared.domain.event import Event, unit_changed
from shared.domain.ingest_state import ReadUnit, SeriesState
from shared.domain.template import Template
from shared.usecases.ingestion.wanted import WantedSeries, to_registered


def unit_of(
    template: Template, one: WantedSeries, source: str, state: SeriesState, begin: datetime, asked_again: datetime
) -> tuple[ReadUnit, Event | None]:
    """Return in which unit a series is read from now on, and what a person should know where that is another one.

    source: the unit that the source names, empty for none; begin: of what was asked for of the series; asked_again:
    from when on a look back asks again.
    """
    now, before = ReadUnit(source=source or one.unit, registered=one.unit, since=begin), state.unit
    if before is None or state.until is None:
        return now, None
    if before.registered == now.registered and _conversion(one, before, template) == _conversion(one, now, template):
        return before, None
    days = (before.since.date(), asked_again.date()) if before.since < asked_again else None
    event = unit_changed(template.id, one.key, before.since, state.until, _in_words(before), _in_words(now), days)
    return now.model_copy(update={"since": max(begin, asked_again)}), event


def _conversion(one: WantedSeries, unit: ReadUnit, template: Template) -> object:
    return to_registered(one, unit.source, template)


def _in_words(unit: ReadUnit) -> str:
    return unit.source if unit.source == unit.registered else f"{unit.source} (registered: {unit.registered})"
