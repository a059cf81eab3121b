"""The request for a share of a platform's templates to be ingested, within one tick."""

from typing import Annotated, Self

from pydantic import AwareDatetime, Field, StringConstraints

from shared.domain.template import PLATFORM_PATTERN, TEMPLATE_PATTERN
from shared.domain.validation import StoredModel, parse_stored
from shared.schemas import CURRENT, SCHEMA, Stored
from shared.telemetry import OPERATION_PATTERN

TemplateId = Annotated[str, StringConstraints(pattern=TEMPLATE_PATTERN)]


class IngestRequest(StoredModel):
    """What the queue ``ingest-templates`` carries: neighbours among a platform's templates, in order of id."""

    schema_number: int = Field(default=CURRENT[Stored.INGEST_MESSAGE], alias=SCHEMA)
    platform: str = Field(pattern=PLATFORM_PATTERN)
    templates: tuple[TemplateId, ...] = Field(min_length=1, max_length=1000)
    generation: str = ""  # the state of what is registered that was read for it; empty: it is to be read
    asked: AwareDatetime  # when the tick began
    until: AwareDatetime  # nothing of it begins any more; the next tick asks anew
    operation: str = Field(default="", pattern=OPERATION_PATTERN)  # what led to it (shared/telemetry.py)

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a message of the queue; raises InvalidInput or NewerSchema."""
        return parse_stored(Stored.INGEST_MESSAGE, cls, data, "message")
