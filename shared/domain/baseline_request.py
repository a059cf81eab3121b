"""The request for a template's baselines."""

from pydantic import Field

from shared.domain.template import PLATFORM_PATTERN, TEMPLATE_PATTERN
from shared.domain.validation import Model
from shared.telemetry import OPERATION_PATTERN


class BaselineRequest(Model):
    """What the queue ``build-baselines`` carries: the template whose backfill has ended."""

    format: int = Field(default=1, ge=1, le=1, alias="schema")
    platform: str = Field(pattern=PLATFORM_PATTERN)
    template: str = Field(pattern=TEMPLATE_PATTERN)
    operation: str = Field(default="", pattern=OPERATION_PATTERN)  # what led to it (shared/telemetry.py)
