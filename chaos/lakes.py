"""What a lake holds, held against a lake that asked for everything at the end."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from shared.domain.ingest_state import IngestState, SeriesState
from shared.domain.template import Template
from shared.domain.tsd import BUCKET, TemplateDay, start_of

Documents = Mapping[date, TemplateDay]


def lakes_differ(template: Template, state: IngestState, mine: Documents, theirs: Documents) -> Iterator[str]:
    """Yield where the lake is not as the other, series by series and day by day.

    Left out is what cannot be asked for now, and what was read before a series was made anew that the new one lacks.
    """
    held, due = _readings(template, mine), _readings(template, theirs)
    for day, series in sorted(held.keys() | due.keys()):
        one = state.series.get(series, SeriesState())
        kept = 0 if one.anew is None else (one.anew - start_of(day)) // BUCKET
        have, want = held.get((day, series), {}), due.get((day, series), {})
        slots = sorted(slot for slot in have.keys() | want.keys() if slot in want or slot >= kept)
        other = [slot for slot in slots if have.get(slot) != want.get(slot)]
        if other and not one.problem:
            first = other[0]
            what = f"{have.get(first)} instead of {want.get(first)}"
            yield f"lake {series} on {day}: {len(other)} buckets from {first} on, {what}"


def _readings(template: Template, documents: Documents) -> Mapping[tuple[date, str], Mapping[int, Any]]:
    """Return what a lake holds of the series that are registered, by slot, where there is anything."""
    found: dict[tuple[date, str], dict[int, Any]] = {}
    for day, document in documents.items():
        series = {one.id: document.series_of(one) for one in template.sensors} | dict(document.environment)
        for key, one in series.items():
            if one is not None:
                both = enumerate(zip(one.values, one.counts, strict=True))
                found[day, key] = {
                    slot: (value, count, one.bad.get(slot))
                    for slot, (value, count) in both
                    if value is not None or slot in one.bad
                }
    return found
