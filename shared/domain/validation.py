"""Bounded numbers whose refusal names the property and the allowed range."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, core_schema

from shared.errors import InvalidInput

ModelT = TypeVar("ModelT", bound=BaseModel)


class Model(BaseModel):
    """Base of the domain models: frozen, and refusing properties that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Bounded:
    """Marks a float as lying in [low, high]; ``above``/``below`` leave out the low/high end.

    Use as ``Annotated[float, Bounded(0, 1)]``; text and booleans are not numbers.
    """

    low: float
    high: float
    unit: str = ""
    above: bool = False
    below: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check before pydantic's own float, which would coerce text; keep the limits for the JSON schema."""
        limits = {"gt" if self.above else "ge": self.low, "lt" if self.below else "le": self.high}
        schema: CoreSchema = {**handler(source), **limits}
        return core_schema.no_info_before_validator_function(self._check, schema)

    def _check(self, value: Any) -> float:
        left, right = "(" if self.above else "[", ")" if self.below else "]"
        span = f"must be a number in {left}{self.low:g}, {self.high:g}{right}{' ' + self.unit if self.unit else ''}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{span}, not {value!r}")  # noqa: TRY004 (pydantic turns only ValueError into a finding)
        inside = math.isfinite(value) and self.low <= value <= self.high
        if not inside or (self.above and value == self.low) or (self.below and value == self.high):
            raise ValueError(f"{span}, not {value:g}")
        return float(value)


def findings(error: ValidationError) -> list[str]:
    """Return one readable line ``property: what is wrong`` per finding of a pydantic error."""
    lines = []
    for found in error.errors(include_url=False, include_context=False):
        where = ".".join(str(part) for part in found["loc"]) or "value"
        lines.append(f"{where}: {found['msg'].removeprefix('Value error, ')}")
    return lines


def parse(model: type[ModelT], data: Mapping[str, Any] | str | bytes, what: str) -> ModelT:
    """Return ``data`` as ``model``; raise InvalidInput that names ``what`` and every bad property."""
    try:
        if isinstance(data, str | bytes):
            return model.model_validate_json(data)
        return model.model_validate(data)
    except ValidationError as error:
        raise InvalidInput(f"{what}: " + "; ".join(findings(error))) from error
