"""The request for a template's performance statement."""

from typing import Self

from pydantic import Field

from shared.domain.template import PLATFORM_PATTERN, TEMPLATE_PATTERN
from shared.domain.validation import StoredModel, parse_stored
from shared.schemas import CURRENT, SCHEMA, Stored
from shared.telemetry import OPERATION_PATTERN


class StatementRequest(StoredModel):
    """What the queue ``performance-statements`` carries: the template that is to be stated anew."""

    schema_number: int = Field(default=CURRENT[Stored.STATEMENT_MESSAGE], alias=SCHEMA)
    platform: str = Field(pattern=PLATFORM_PATTERN)
    template: str = Field(pattern=TEMPLATE_PATTERN)
    operation: str = Field(default="", pattern=OPERATION_PATTERN)  # what led to it (shared/telemetry.py)

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a message of the queue; raises InvalidInput or NewerSchema."""
        return parse_stored(Stored.STATEMENT_MESSAGE, cls, data, "message")
