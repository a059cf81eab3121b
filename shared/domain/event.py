"""Events: what happened to a sensor, a template or the system, and a person should see.

Each kind is made by one function here, so that the same thing that happened is the same event whoever tells it.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime

from shared.domain.baseline_history import Change, Reason
from shared.domain.decisions import Decisions
from shared.domain.estimation_words import counted
from shared.domain.incident import Incident
from shared.domain.mark import VERDICT_WORDS, Mark, Undo, Withdrawal
from shared.domain.template import Sensor, Template
from shared.domain.tsd import iso, start_of, utc
from shared.domain.validation import Model
from shared.errors import InvalidInput

EventKind = Literal[
    "incident_opened",
    "incident_closed",
    "estimation",
    "baseline_built",
    "baseline_selected",
    "baseline_augmented",
    "baseline_undone",
    "feedback",
    "bad_values",
    "sensor_fault",
    "sensor_well",
    "corrupt_blob",
    "unknown_series",
    "series_left_out",
    "unit_changed",
    "clock_ahead",
    "not_watched",
    "poison_message",
    "unreadable_platform",
    "backup_missing",
    "note",
]

# Events that follow the row of a sensor's day, which names them.
OF_A_ROW: frozenset[EventKind] = frozenset({"bad_values", "sensor_fault", "sensor_well", "unknown_series"})
# Events that follow a sensor's present state, and go with it; the others are history.
OF_A_STATE: frozenset[EventKind] = OF_A_ROW | {"series_left_out", "not_watched"}
SYSTEM = "system"  # the subject of what concerns no template
EVENT_PATTERN = r"^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{16}$"

LONGEST = 2000  # of a message: a table takes no more than 32,000 characters, a person less


class Event(Model):
    """One event; ``subject`` is a template id, or ``system``, and ``key`` derives from content, never the clock."""

    subject: str
    kind: EventKind
    at: AwareDatetime
    about: str  # sensor, incident, blob or message that it concerns
    message: Annotated[str, AfterValidator(lambda text: text[:LONGEST])]
    by: str = ""  # who says so; empty: the system

    @property
    def id(self) -> str:
        """Name of the event: when, and its key."""
        return f"{utc(self.at):%Y%m%dT%H%M%SZ}-{self.key}"

    @property
    def key(self) -> str:
        """What makes this event the same event when it is told again."""
        text = "|".join((self.subject, self.kind, self.at.isoformat(), self.about))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def split_event(event: str) -> tuple[datetime, str]:
    """Return (when, key) of an event's id; raises InvalidInput."""
    at, _, key = event.partition("-")
    try:
        if not re.fullmatch(EVENT_PATTERN, event):
            raise ValueError("it does not read like one")
        return datetime.strptime(at + "+0000", "%Y%m%dT%H%M%SZ%z"), key
    except ValueError as error:
        raise InvalidInput(f"event: {event[:80]!r} is not an id of an event, {error}") from error


# --- incidents


def incident_opened(incident: Incident) -> Event:
    """Return the event of an incident's beginning."""
    return Event(
        subject=incident.template,
        kind="incident_opened",
        at=incident.onset,
        about=incident.id,
        message=f"Critical at {', '.join(incident.sensors)} since {iso(incident.onset)}",
    )


def incident_closed(incident: Incident, closed: datetime | None = None) -> Event:
    """Return the event of an incident's end, at the time when it was over: its own, or the one that is given."""
    return Event(
        subject=incident.template,
        kind="incident_closed",
        at=closed or incident.closed or incident.last_critical,
        about=incident.id,
        message=f"no Critical since {iso(incident.last_critical)}; the highest score was {incident.max_score:.2f}",
    )


def incident_estimated(template: str, incident: str, onset: datetime, summary: str = "") -> Event:
    """Return the event of an incident's newest estimation."""
    return Event(subject=template, kind="estimation", at=onset, about=incident, message=summary)


# --- baselines, and what people decide about them

_BASELINE_KINDS: Mapping[Reason, EventKind] = {
    "built": "baseline_built",
    "selected": "baseline_selected",
    "augmented": "baseline_augmented",
}


def baseline_changed(template: Template, sensor: Sensor, change: Change) -> Event:
    """Return the event of a baseline change that the lake led to."""
    days = change.recipe.whole_days()
    source = "" if change.recipe.source == sensor.id else f" of {change.recipe.source}"
    return Event(
        subject=template.id,
        kind=_BASELINE_KINDS[change.reason],
        at=start_of(change.valid_from),
        about=sensor.id,
        message=f"{sensor.id} is scored from {change.valid_from} by {counted(len(days), 'day')}{source}, "
        f"{days[0]} to {days[-1]}",
    )


def decided(template: str, decisions: Decisions) -> tuple[Event, ...]:
    """Return the events of all that people decided about a sensor's baselines; of one moment, what was said last.

    A planned operation is none of them: it is told once, not for each sensor that it keeps a range out of.
    """
    marks = {mark.id: mark for mark in decisions.marks if mark.verdict != "planned"}
    told = [one.what for one in decisions.all if _is_told(one.what, marks)]
    events = [_decision(template, what, marks) for what in told]
    return tuple({one.id: one for one in events}.values())


def _is_told(what: Mark | Withdrawal | Undo, marks: Mapping[str, Mark]) -> bool:
    return isinstance(what, Undo) or (what.id if isinstance(what, Mark) else what.mark) in marks


def _decision(template: str, what: Mark | Withdrawal | Undo, marks: Mapping[str, Mark]) -> Event:
    if isinstance(what, Undo):
        return _undone(template, what)
    if isinstance(what, Mark):
        message = f"{what.by} marked {_marked(what)}" + (f": {what.note}" if what.note else "")
        name = what.id
    else:
        message, name = f"undone: {_marked(marks[what.mark])}", what.mark
    return Event(subject=template, kind="feedback", at=what.made, about=f"{what.sensor}/{name}", message=message)


def _marked(mark: Mark) -> str:
    return f"{VERDICT_WORDS[mark.verdict]} at {mark.sensor} from {iso(mark.start)} to {iso(mark.end)}"


def _undone(template: str, undo: Undo) -> Event:
    wish = "counts no more" if undo.undone else "counts again"
    return Event(
        subject=template,
        kind="baseline_undone",
        at=undo.made,
        about=f"{undo.sensor}/{undo.valid_from}",
        message=f"the baseline of {undo.sensor} that is valid from {undo.valid_from} {wish}",
    )


# --- data and sensors


def bad_values(template: str, sensor: str, day: date, summary: str) -> Event:
    """Return the event of a sensor's day that holds bad values; ``summary`` counts the buckets by reason."""
    message = f"{sensor}: buckets with bad values: {summary}"
    return Event(subject=template, kind="bad_values", at=start_of(day), about=sensor, message=message)


def unknown_series(template: str, sensor: Sensor, day: date, source: str) -> Event:
    """Return the event of a day for which the data source, by its name, knew no series of the sensor's tag."""
    message = f"{source} knows no series {sensor.tag} for {sensor.id}"
    return Event(subject=template, kind="unknown_series", at=start_of(day), about=sensor.id, message=message)


def series_left_out(template: str, key: str, at: datetime, why: str) -> Event:
    """Return the event of a series (of a sensor, or a quantity of the sea) that is not ingested from ``at`` on."""
    message = f"{key} is left out since {iso(at)}: {why}"
    return Event(subject=template, kind="series_left_out", at=at, about=key, message=message)


def unit_changed(
    template: str, key: str, since: datetime, until: datetime, was: str, now: str, left: tuple[date, date] | None
) -> Event:
    """Return the event of a series whose unit is another one from ``until`` on.

    since: from when on it was read in the one before; left: the days of that which ingest does not ask for again.
    """
    message = f"{key} is read in {now}; what was read from {iso(since)} to {iso(until)} was taken for {was}"
    if left is None:
        message += ", and is asked for again"
    else:
        first, last = left
        message += (
            f". What is older than {last} is not asked for again: if it was wrong, "
            f"`python -m admin.manage refetch {template} {first} {last}` does that"
        )
    return Event(subject=template, kind="unit_changed", at=until, about=key, message=message)


def clock_ahead(template: str, day: date, until: datetime) -> Event:
    """Return the event of a template whose watermarks lay in the future of that day."""
    message = (
        f"readings were asked for until {iso(until)}, which has not come: a clock was ahead; they are asked for again"
    )
    return Event(subject=template, kind="clock_ahead", at=start_of(day), about=iso(until), message=message)


def not_watched(template: str, key: str, since: datetime, why: str) -> Event:
    """Return the event of a sensor, or a quantity of the sea, that nobody watches."""
    message = f"{key} is not watched since {iso(since)}: {why}"
    return Event(subject=template, kind="not_watched", at=since, about=key, message=message)


def fault_changed(template: str, sensor: str, at: datetime, fault: str | None) -> Event:
    """Return the event of a sensor that falls ill (``fault`` in a word), or gets well (None)."""
    if fault is None:
        message = f"{sensor} is well again since {iso(at)}"
        return Event(subject=template, kind="sensor_well", at=at, about=sensor, message=message)
    message = f"{sensor} is {fault} since {iso(at)}: what would be Ok is Undefined"
    return Event(subject=template, kind="sensor_fault", at=at, about=sensor, message=message)


def corrupt_day(template: str, day: date, problem: str, copy: str = "", source: str = "") -> Event:
    """Return the event of a day blob that cannot be read; it was kept as ``copy`` where a source replaced it."""
    replaced = f"; kept as {copy}, the day was fetched again from {source}" if copy else ""
    about, message = copy or day.isoformat(), problem + replaced
    return Event(subject=template, kind="corrupt_blob", at=start_of(day), about=about, message=message)


def corrupt_baseline(template: str, sensor: str, day: date, problem: str) -> Event:
    """Return the event of a sensor whose baseline cannot be read, so that its day cannot be scored."""
    message = f"{sensor} cannot be scored: {problem}"
    return Event(subject=template, kind="corrupt_blob", at=start_of(day), about=sensor, message=message)


# --- the system, and people's notes


def poison_message(queue: str, kept: str, content: str, put_at: datetime, why: str) -> Event:
    """Return the event of a queue's message that is given up, and kept in the queue ``kept``."""
    return Event(
        subject=SYSTEM,
        kind="poison_message",
        at=put_at,
        about=f"{queue}/{hashlib.sha256(content.encode()).hexdigest()[:16]}",
        message=f"a message failed for good and is kept in {kept}: {why} (message: {_readable(content)})",
    )


def unreadable_platform(platform: str, day: date, why: str) -> Event:
    """Return the event of a day on which what is registered of a platform could not be read."""
    message = f"platform {platform} is not watched: its rows in the registry cannot be read: {why}"
    return Event(subject=SYSTEM, kind="unreadable_platform", at=start_of(day), about=platform, message=message)


def backup_missing(day: date, newest: date) -> Event:
    """Return the event of a day on which the newest whole backup is too old."""
    message = f"nothing was backed up since {newest}: what people registered, said and decided since then is there once"
    return Event(subject=SYSTEM, kind="backup_missing", at=start_of(day), about="backup", message=message)


def _readable(content: str) -> str:
    """Return the beginning of what a queue's message says; as it is where it is no base64."""
    try:
        return base64.b64decode(content, validate=True).decode()[:200]
    except ValueError:
        return content[:200]


def note(template: str, at: datetime, by: str, message: str) -> Event:
    """Return a person's note; each has one a moment."""
    return Event(subject=template, kind="note", at=at, about=by, message=message, by=by)
