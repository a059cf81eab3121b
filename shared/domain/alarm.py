"""Alarms: what people are told of an incident, and what they did about it, by the states of ISA-18.2.

There is one alarm an incident. It is raised, may change and return to normal, and stands until it is acknowledged.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime, Field

from shared.domain.estimation import EstimationStep
from shared.domain.incident import Incident
from shared.domain.validation import Model

# An incident that was over for so long before anybody was told is history: found by a backfill, not an alarm.
HISTORY_AFTER = timedelta(days=3)
LIKELY = 0.5  # probability of a leak from which an undecided alarm may not wait


class AlarmState(StrEnum):
    """The states of an alarm; what suppresses it is told beside them (shared/domain/suppression.py)."""

    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned, unacknowledged"
    NORMAL = "normal"


class Priority(StrEnum):
    """How soon somebody has to act."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    def __gt__(self, other: str) -> bool:
        """Return whether this one is the more urgent."""
        order = list(Priority)
        return order.index(self) < order.index(Priority(other))


class Cause(StrEnum):
    """What an alarm comes from, for who has to respond to it."""

    LEAK = "leak"
    EXTERNAL = "external"
    UNDECIDED = "undecided"


class Acknowledgement(Model):
    """Who has seen an alarm, and what they said of it."""

    by: str = Field(min_length=1, max_length=100)
    at: AwareDatetime
    comment: str = Field(default="", max_length=1000)


class Alarm(Model):
    """An alarm as it stands: its incident, its newest estimation in short, and what people did about it."""

    incident: Incident
    raised: AwareDatetime  # when it was said first, or again after it had been withdrawn
    priority: Priority
    estimation: EstimationStep | None = None
    acknowledged: Acknowledgement | None = None
    history: bool = False  # it was over before anybody could be told: nobody has to acknowledge it
    withdrawn: AwareDatetime | None = None  # since when nothing supports it any more
    disposition: str = ""  # why it was withdrawn

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read an alarm as it was stored, by this release or a newer one; raises ValueError."""
        return cls.model_validate_json(text, extra="ignore")

    @property
    def active(self) -> bool:
        """Whether what it tells of goes on."""
        return self.incident.open and self.withdrawn is None

    @property
    def state(self) -> AlarmState:
        """Where it is in its life."""
        seen = self.acknowledged is not None or self.history
        if self.active:
            return AlarmState.ACKNOWLEDGED if seen else AlarmState.UNACKNOWLEDGED
        return AlarmState.NORMAL if seen else AlarmState.RETURNED

    @property
    def standing(self) -> bool:
        """Whether it is on anybody's list: it goes on, or nobody has acknowledged it."""
        return self.state is not AlarmState.NORMAL

    @property
    def cause(self) -> "Cause":
        """What is behind it, as far as anybody knows."""
        verdict = self.estimation.verdict if self.estimation else None
        if verdict == "CONFIRMED":
            return Cause.LEAK
        return Cause.EXTERNAL if verdict == "EXTERNAL_CAUSE" else Cause.UNDECIDED

    @classmethod
    def of(cls, incident: Incident, now: datetime, high_rate_kg_s: float) -> Self:
        """Return the alarm of an incident that nobody was told of before ``now``."""
        history = now - incident.last_critical > HISTORY_AFTER
        return cls(incident=incident, raised=now, priority=priority_of(None, high_rate_kg_s), history=history)


def priority_of(answer: EstimationStep | None, high_rate_kg_s: float) -> Priority:
    """Return how soon somebody has to act on an incident, by its estimation.

    Until there is one, nobody knows that it is nothing. A confirmed leak is of high priority from this dissolved rate
    on, by its median, and where its rate is not known.
    """
    if answer is None:
        return Priority.MEDIUM
    rate = answer.dissolved_rate_kg_s
    if answer.verdict == "CONFIRMED":
        return Priority.HIGH if rate is None or rate.median >= high_rate_kg_s else Priority.MEDIUM
    if answer.verdict == "EXTERNAL_CAUSE":
        return Priority.LOW
    return Priority.MEDIUM if answer.probability >= LIKELY else Priority.LOW
