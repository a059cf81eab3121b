"""Events: what happened to a sensor, a template or the system, and a person should see."""

import hashlib
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime

from shared.domain.validation import Model

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
]

LONGEST = 2000  # of a message: a table takes no more than 32,000 characters, a person less


class Event(Model):
    """One event; ``subject`` is a template id, or ``system``, and ``key`` derives from content, never the clock."""

    subject: str
    kind: EventKind
    at: AwareDatetime
    about: str  # sensor, incident, blob or message that it concerns
    message: Annotated[str, AfterValidator(lambda text: text[:LONGEST])]

    @property
    def key(self) -> str:
        """What makes this event the same event when it is told again."""
        text = "|".join((self.subject, self.kind, self.at.isoformat(), self.about))
        return hashlib.sha256(text.encode()).hexdigest()[:16]
