"""What people were told, held against what they should have been."""

from collections.abc import Collection, Iterator

from shared.domain.event import Event

SAID_BEFORE = {"feedback", "baseline_undone", "unit_changed"}
OF_THE_LAST_LOOK = {"not_watched", "unreadable_platform"}  # at health, which a run of ingest begins with
MENDED = {"corrupt_blob", "clock_ahead", "poison_message"}


def events_differ(mine: Collection[Event], theirs: Collection[Event], deleted: Collection[str] = ()) -> Iterator[str]:
    """Yield the events that are told and should not be, or should be and are not.

    ``deleted``: sensors that were deleted, and created anew or not.
    """
    due = {_said(one) for one in theirs}
    told = {
        _said(one) for one in mine if not (one.about in deleted and one.kind.startswith("baseline_"))
    } | due.intersection(map(_said, mine))
    for kind, *rest in sorted(due - told):
        if kind == "unknown_series" and rest[0] in deleted:
            continue
        yield f"events: missing {kind} {rest}"
    for kind, *rest in sorted(told - due):
        if kind not in SAID_BEFORE | OF_THE_LAST_LOOK | MENDED:
            yield f"events: not taken back {kind} {rest}"


def _said(event: Event) -> tuple[str, ...]:
    if event.kind == "series_left_out":
        return event.kind, event.about
    return event.kind, event.about, event.at.isoformat(), event.message
