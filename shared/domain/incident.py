"""Incidents: runs of Critical at one template, from the onset until it has been clear for a while."""

import re
from datetime import date, datetime
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from shared.domain.template import PLATFORM_PATTERN, TEMPLATE_PATTERN
from shared.domain.tsd import BUCKET, days_between
from shared.domain.validation import Model, StoredModel, parse_stored
from shared.errors import InvalidInput
from shared.schemas import CURRENT, SCHEMA, Stored
from shared.telemetry import OPERATION_PATTERN

INCIDENT_PATTERN = r"^[a-z][a-z0-9]{1,31}-[a-z0-9]{1,16}-[0-9]{8}T[0-9]{4}Z$"


class Incident(Model):
    """A run of Critical at a template; its id derives from template and onset."""

    id: str = Field(pattern=INCIDENT_PATTERN)
    platform: str = Field(pattern=PLATFORM_PATTERN)
    template: str = Field(pattern=TEMPLATE_PATTERN)
    onset: AwareDatetime
    last_critical: AwareDatetime
    closed: AwareDatetime | None  # since when it is over: its sensors had been heard to be clear for a while
    sensors: tuple[str, ...]
    max_score: float

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self.closed is None

    @property
    def days(self) -> list[date]:
        """The UTC days from its onset to its last Critical."""
        return days_between(self.onset, self.last_critical + BUCKET)


def split_incident(incident: str) -> tuple[str, datetime]:
    """Return (template id, onset) of an incident's id; raises InvalidInput."""
    template, _, text = incident.rpartition("-")
    try:
        if not re.fullmatch(INCIDENT_PATTERN, incident):
            raise ValueError("it does not read like one")
        return template, datetime.strptime(text + "+0000", "%Y%m%dT%H%MZ%z")
    except ValueError as error:
        raise InvalidInput(f"incident: {incident[:80]!r} is not an id of an incident, {error}") from error


class CriticalMessage(StoredModel):
    """What the queue ``critical-deviations`` carries: which incident to estimate, with the data up to ``at``."""

    schema_number: int = Field(default=CURRENT[Stored.CRITICAL_MESSAGE], alias=SCHEMA)
    platform: str = Field(pattern=PLATFORM_PATTERN)
    template: str = Field(pattern=TEMPLATE_PATTERN)
    incident: str = Field(pattern=INCIDENT_PATTERN)
    onset: AwareDatetime
    at: AwareDatetime
    sensors: tuple[str, ...] = Field(min_length=1, max_length=999)
    operation: str = Field(default="", pattern=OPERATION_PATTERN)  # what led to it (shared/telemetry.py)

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a message of the queue; raises InvalidInput or NewerSchema."""
        return parse_stored(Stored.CRITICAL_MESSAGE, cls, data, "message")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.onset <= self.at:
            raise ValueError(f"at must not be before onset, not {self.at} with onset {self.onset}")
        return self
