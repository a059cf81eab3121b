"""Suppression: what keeps alarms from calling anybody, said by a person and for a limited time (ISA-18.2).

Scores and alarms go on as before, and are shown. Each ends by itself: whether it is in force is a question of the
moment alone.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field

from shared.domain.alarm import Alarm
from shared.domain.mark import Span
from shared.domain.tsd import BUCKET, floor_to_bucket, iso
from shared.domain.validation import Lines, Model, Text
from shared.errors import InvalidInput

SuppressionKind = Literal["shelved", "out_of_service", "planned"]
OperationKind = Literal["well_work", "pigging", "rov", "sensor_maintenance", "other"]

OPERATION_WORDS: Mapping[OperationKind, str] = {
    "well_work": "well work",
    "pigging": "pigging",
    "rov": "ROV",
    "sensor_maintenance": "sensor maintenance",
    "other": "other work",
}
LONGEST: Mapping[SuppressionKind, timedelta] = {
    "shelved": timedelta(days=7),  # from when it is said on
    "out_of_service": timedelta(days=31),  # the same; it may be renewed
    "planned": timedelta(days=31),  # from its start on
}
FURTHEST_AHEAD = timedelta(days=366)  # at which an operation may begin
SUPPRESSION_PATTERN = r"^[a-z][a-z0-9]{1,31}-[0-9a-f]{16}$"

SuppressionReason = Annotated[Lines, Field(min_length=1, max_length=1000)]
By = Annotated[Text, Field(min_length=1, max_length=100)]


class SuppressionState(StrEnum):
    """Where a suppression is in its life, at a moment."""

    PLANNED = "planned"
    IN_FORCE = "in force"
    OVER = "over"


class Ending(Model):
    """Who ended a suppression before its time, and when."""

    by: By
    at: AwareDatetime


class Suppression(Model):
    """A template that is shelved, a sensor that is out of service, or an operation at a template or a platform."""

    id: str = Field(pattern=SUPPRESSION_PATTERN)
    kind: SuppressionKind
    platform: str
    template: str = ""  # empty: all of the platform
    sensor: str = ""  # that is out of service
    operation: OperationKind | None = None  # that is planned
    start: AwareDatetime
    end: AwareDatetime
    reason: SuppressionReason
    by: By
    said: AwareDatetime
    ended: Ending | None = None

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a suppression as it was stored, by this release or a newer one; raises ValueError."""
        return cls.model_validate_json(text, extra="ignore")

    @property
    def subject(self) -> str:
        """The template that it is of, or the platform."""
        return self.template or self.platform

    @property
    def until(self) -> datetime:
        """When it is over: at its end, or when somebody ended it."""
        return self.end if self.ended is None else min(self.end, self.ended.at)

    @property
    def span(self) -> Span | None:
        """The range of readings that it touches, on the grid; None: it was called off before it began."""
        if self.until <= self.start:
            return None
        end = floor_to_bucket(self.until)
        return Span(floor_to_bucket(self.start), end if end == self.until else end + BUCKET)

    @property
    def title(self) -> str:
        """What it is, in a word or two."""
        if self.operation is not None:
            return f"planned operation, {OPERATION_WORDS[self.operation]}"
        return "shelved" if self.kind == "shelved" else "out of service"

    def state(self, moment: datetime) -> SuppressionState:
        """Return where it is in its life."""
        if moment >= self.until:
            return SuppressionState.OVER
        return SuppressionState.IN_FORCE if moment >= self.start else SuppressionState.PLANNED

    def in_force(self, moment: datetime) -> bool:
        """Return whether it keeps alarms from calling."""
        return self.state(moment) is SuppressionState.IN_FORCE

    def concerns(self, template: str) -> bool:
        """Return whether it is of the template, of a sensor of it, or of its platform."""
        return self.template == template or (not self.template and self.platform == template.partition("-")[0])

    def concerns_sensor(self, sensor: str) -> bool:
        """Return whether it is of the sensor, or of its whole template or platform."""
        return self.sensor == sensor or (not self.sensor and self.concerns(sensor.rpartition("-")[0]))


def lasting(known: Iterable[Suppression], moment: datetime) -> tuple[Suppression, ...]:
    """Return those in force or planned, in order of their beginning."""
    found = (one for one in known if one.state(moment) is not SuppressionState.OVER)
    return tuple(sorted(found, key=lambda one: (one.start, one.end, one.id)))


def suppressing(alarm: Alarm, known: Iterable[Suppression], moment: datetime) -> tuple[Suppression, ...]:
    """Return what keeps an alarm from calling anybody; empty: it calls.

    Sensors that are out of service do so where they are all that the alarm rests on.
    """
    found = [one for one in known if one.in_force(moment) and one.concerns(alarm.incident.template)]
    silent = {one.sensor for one in found if one.sensor}
    if not silent.issuperset(alarm.incident.sensors):
        silent = set()
    return tuple(one for one in found if not one.sensor or one.sensor in silent.intersection(alarm.incident.sensors))


def suppression_id(kind: SuppressionKind, subject: str, *content: str) -> str:
    """Return the name of what is said of a subject: a template can be shelved once, a sensor be out of service once."""
    digest = hashlib.sha256("|".join((kind, subject, *content)).encode()).hexdigest()
    return f"{subject.partition('-')[0]}-{digest[:16]}"


def operation_id(subject: str, operation: str, start: datetime, end: datetime, reason: str) -> str:
    """Return the name of an operation as it is planned first: the same again has the same name."""
    return suppression_id("planned", subject, operation, iso(start), iso(end), reason)


def check_until(kind: SuppressionKind, until: datetime, now: datetime) -> None:
    """Raise InvalidInput unless something that begins now may last until then."""
    if until <= now:
        raise InvalidInput(f"until: must lie in the future, not {iso(until)}")
    if until - now > LONGEST[kind]:
        raise InvalidInput(f"until: must lie at most {LONGEST[kind].days} days ahead, not {iso(until)}")


def check_operation(start: datetime, end: datetime, now: datetime) -> None:
    """Raise InvalidInput unless an operation may last from start to end; it may be told of afterwards."""
    if not start < end:
        raise InvalidInput(f"from: must be before to, not {iso(start)} with to {iso(end)}")
    if end - start > LONGEST["planned"]:
        raise InvalidInput(f"to: an operation may last at most {LONGEST['planned'].days} days, not {end - start}")
    if start - now > FURTHEST_AHEAD:
        raise InvalidInput(f"from: must lie at most {FURTHEST_AHEAD.days} days ahead, not {iso(start)}")
