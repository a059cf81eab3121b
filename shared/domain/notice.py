"""Notices: what is sent of an alarm to whoever has to be told, once for each of its steps that asks for it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, Self

from pydantic import AwareDatetime, Field

from shared.domain.alarm import Alarm, AlarmState, Priority
from shared.domain.estimation import Interval, PlaceProbability, Verdict
from shared.domain.incident import INCIDENT_PATTERN
from shared.domain.journal import MOST_ENTRIES, JournalKind
from shared.domain.validation import Model, StoredModel, parse_stored
from shared.schemas import CURRENT, SCHEMA, Stored
from shared.telemetry import OPERATION_PATTERN

NoticeKind = Literal["raised", "escalated", "returned", "withdrawn", "acknowledged"]

# The steps of an alarm that can be told, by what they are called in a notice.
NOTICES: Mapping[JournalKind, NoticeKind] = {
    "alarm_raised": "raised",
    "alarm_escalated": "escalated",
    "alarm_returned": "returned",
    "alarm_withdrawn": "withdrawn",
    "alarm_acknowledged": "acknowledged",
}
ROUSING: frozenset[JournalKind] = frozenset({"alarm_raised", "alarm_escalated"})  # somebody has to act
TOLD: frozenset[JournalKind] = ROUSING | {"alarm_returned", "alarm_withdrawn"}

# What another step has outlived is told for so long: after a day, who has to know of it reads it in the journal.
OUTLIVED_AFTER = timedelta(days=1)

GRAMS_PER_HOUR = 3.6e6  # of a kg/s
DIGITS = 4  # of a rate: more are noise


class NotificationMessage(StoredModel):
    """What the queue ``notifications`` carries: which step of an alarm is to be told, by its number in the journal."""

    schema_number: int = Field(default=CURRENT[Stored.NOTIFICATION_MESSAGE], alias=SCHEMA)
    incident: str = Field(pattern=INCIDENT_PATTERN)
    number: int = Field(ge=0, le=MOST_ENTRIES)
    kind: NoticeKind  # for people who look at the queue; the journal knows it
    operation: str = Field(default="", pattern=OPERATION_PATTERN)  # what led to it (shared/telemetry.py)

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a message of the queue; raises InvalidInput or NewerSchema."""
        return parse_stored(Stored.NOTIFICATION_MESSAGE, cls, data, "message")


class Notice(Model):
    """A step of an alarm as it is told: the alarm as it was then."""

    version: Literal[1] = 1
    idempotency_key: str  # the same whenever this step is sent
    kind: NoticeKind
    incident: str
    platform: str
    platform_name: str
    template: str
    template_name: str
    onset: AwareDatetime
    said: AwareDatetime  # when the step was taken
    state: AlarmState
    priority: Priority
    message: str  # the step in words
    response: str  # what to do
    verdict: Verdict | None
    probability: float | None  # of a leak
    dissolved_rate_g_h: Interval | None
    dissolved_rate_kg_s: Interval | None
    place: PlaceProbability | None
    link: str | None  # the incident's page


def rates_of(alarm: Alarm) -> tuple[Interval | None, Interval | None]:
    """Return the dissolved rate of an alarm's newest estimation [g/h] and [kg/s], as people write them."""
    rate = alarm.estimation.dissolved_rate_kg_s if alarm.estimation else None
    return (None, None) if rate is None else (_times(rate, GRAMS_PER_HOUR), _times(rate, 1))


def _times(rate: Interval, factor: float) -> Interval:
    return Interval(**{name: float(f"{value * factor:.{DIGITS}g}") for name, value in rate.model_dump().items()})
