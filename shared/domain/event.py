"""Events: what happened to a sensor, a template or the system, and a person should see."""

import hashlib
import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime

from shared.domain.tsd import utc
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
    "poison_message",
    "note",
]

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
