"""The request for a template's baselines."""

from datetime import date
from typing import Self

from pydantic import Field

from shared.domain.template import PLATFORM_PATTERN, TEMPLATE_PATTERN
from shared.domain.validation import StoredModel, parse_stored
from shared.schemas import CURRENT, SCHEMA, Stored
from shared.telemetry import OPERATION_PATTERN


class BaselineRequest(StoredModel):
    """What the queue ``build-baselines`` carries: the template whose backfill has ended."""

    schema_number: int = Field(default=CURRENT[Stored.BASELINES_MESSAGE], alias=SCHEMA)
    platform: str = Field(pattern=PLATFORM_PATTERN)
    template: str = Field(pattern=TEMPLATE_PATTERN)
    # Where a run whose time was used up ended: all before these days is decided, and scored again where need be.
    decided: date | None = None
    scored: date | None = None
    operation: str = Field(default="", pattern=OPERATION_PATTERN)  # what led to it (shared/telemetry.py)

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a message of the queue; raises InvalidInput or NewerSchema."""
        return parse_stored(Stored.BASELINES_MESSAGE, cls, data, "message")
