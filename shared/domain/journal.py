"""The journal: what was said to people, and what people did, as it was said; entries are only added.

A topic is one thing that may be said again in other words, or be taken back: an event, an alarm, a sensor's level. Its
entries are numbered, and the newest is what stands. So what stood at any time can be told long after.
"""

import re
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import AwareDatetime, Field

from shared.domain.event import Event, EventKind
from shared.domain.tsd import utc
from shared.domain.validation import Model
from shared.errors import InvalidInput

AlarmKind = Literal[
    "alarm_raised",
    "alarm_changed",
    "alarm_estimated",
    "alarm_escalated",
    "alarm_returned",
    "alarm_withdrawn",
    "alarm_acknowledged",
]
SuppressionStepKind = Literal[
    "shelved",
    "out_of_service",
    "operation_planned",
    "operation_changed",
    "suppression_ended",
]
# A notice went out; something held it back (withdrawn: no more); another step had long outlived it.
NoticeEntryKind = Literal["notified", "notice_held", "notice_expired"]
ProofKind = Literal["proof_passed", "proof_late", "proof_failed", "proof_not_run"]
JournalKind = EventKind | AlarmKind | SuppressionStepKind | NoticeEntryKind | ProofKind | Literal["level"]

TOPIC_PATTERN = r"^[a-z]+:[A-Za-z0-9:-]{1,100}$"
ENTRY_PATTERN = r"^[a-z]+:[A-Za-z0-9:-]{1,100}~[0-9]{1,6}$"
MOST_ENTRIES = 999_999  # of a topic


class JournalEntry(Model):
    """One entry: what it is about lies at ``at``, and it was said at ``said``, each to the second."""

    platform: str  # or ``system``
    subject: str  # a template or platform id, or ``system``
    topic: str = Field(pattern=TOPIC_PATTERN)
    number: int = Field(ge=0, le=MOST_ENTRIES)  # of the topic's entries
    kind: JournalKind
    said: AwareDatetime
    at: AwareDatetime
    about: str  # sensor, incident, blob or message that it concerns
    message: str
    by: str = ""  # who said or did it; empty: the system
    withdrawn: bool = False  # it takes back what the topic said before

    @property
    def id(self) -> str:
        """Name of the entry within its platform."""
        return f"{self.topic}~{self.number}"

    @property
    def place(self) -> str:
        """Names the entry, and when it was said: where a list goes on after it."""
        return f"{utc(self.said):%Y%m%dT%H%M%SZ}~{self.id}"

    def says_the_same_as(self, other: "JournalEntry") -> bool:
        """Return whether nobody who heard the other would learn anything from this one."""
        told = (self.kind, self.at, self.about, self.message, self.by, self.withdrawn)
        return told == (other.kind, other.at, other.about, other.message, other.by, other.withdrawn)


class Evidence(NamedTuple):
    """What an entry rests on, as JSON, kept with it: the state that it led to, and the estimation of it if any."""

    state: str = ""
    estimation: str = ""


def to_the_second(moment: datetime) -> datetime:
    """Return the moment as the journal keeps it."""
    return utc(moment).replace(microsecond=0)


def split_entry(entry: str) -> tuple[str, int]:
    """Return (topic, number) of an entry's id; raises InvalidInput."""
    if not re.fullmatch(ENTRY_PATTERN, entry):
        raise InvalidInput(f"entry: {entry[:80]!r} is not an id of an entry of the journal")
    topic, _, number = entry.rpartition("~")
    return topic, int(number)


def split_place(place: str) -> tuple[datetime, str, int]:
    """Return (said, topic, number) of an entry's place; raises InvalidInput."""
    said, _, entry = place.partition("~")
    try:
        return datetime.strptime(said + "+0000", "%Y%m%dT%H%M%SZ%z"), *split_entry(entry)
    except ValueError as error:
        raise InvalidInput("continuation: must be what the page before gave") from error


def topic_of_event(event: Event) -> str:
    """Return the topic of an event: itself, or of what is not watched, what that is."""
    if event.kind == "not_watched":
        return topic_of_watch(event.subject, event.about)
    return topic_of_event_id(event.id)


def topic_of_event_id(event: str) -> str:
    """Return the topic of an event of which only the id is known."""
    return f"event:{event}"


def topic_of_watch(subject: str, key: str) -> str:
    """Return the topic of whether a sensor, or a quantity of a template's sea, is watched."""
    return f"watch:{subject}:{key.replace('_', '-')}"


def topic_of_incident(incident: str) -> str:
    """Return the topic of the alarm of an incident, by its id."""
    return f"alarm:{incident}"


def topics_of_incidents(template: str) -> str:
    """Return how the topics of all alarms of a template begin."""
    return f"alarm:{template}-"


def topic_of_suppression(suppression: str) -> str:
    """Return the topic of a suppression, by its id."""
    return f"suppression:{suppression}"


def topics_of_suppressions() -> str:
    """Return how the topics of all suppressions begin."""
    return "suppression:"


def topic_of_proof(test: str) -> str:
    """Return the topic of what came of a proof test, by its id."""
    return f"proof:{test}"


def topic_of_notice(incident: str, number: int) -> str:
    """Return the topic of whether a step of an alarm was told, by its number in the alarm's topic."""
    return f"{topics_of_notices(incident)}{number}"


def topics_of_notices(incident: str) -> str:
    """Return how the topics of all notices of an incident's alarm begin."""
    return f"notice:{incident}:"


def topic_of_level(sensor: str) -> str:
    """Return the topic of a sensor's level."""
    return f"level:{sensor}"
