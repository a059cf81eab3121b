"""Bounded numbers and plain texts, whose refusal names the property and what is allowed."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationError,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema, from_json

from shared.errors import InvalidInput
from shared.schemas import Stored, read

ModelT = TypeVar("ModelT", bound=BaseModel)


class Model(BaseModel):
    """Base of the domain models: frozen, and refusing properties that it does not know.

    In storage a property has the name that it has here; over HTTP, its alias in camelCase.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class StoredModel(Model):
    """Base of what is stored as JSON: what a newer release put into it stays in it, also when this one writes it."""

    model_config = ConfigDict(extra="allow")


def _moment(value: Any) -> Any:
    """Refuse what pydantic would take for a moment, but no person would: numbers, and texts without a zone."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return datetime.fromisoformat(value)
    raise ValueError("must be ISO 8601 with a time zone, such as 2026-01-31T12:00:00Z")


def _in_our_time(value: datetime) -> datetime:
    if not FIRST_YEAR <= value.year < LAST_YEAR:
        raise ValueError(f"must be between {FIRST_YEAR} and {LAST_YEAR}")
    return value


MOST_FINDINGS = 20
LONGEST_NAME, LONGEST_FINDING = 200, 1000  # characters: a caller's own name may be as long as the body
FIRST_YEAR, LAST_YEAR = 1971, 2199  # a year from the edges of what is stored, whatever the zone
_DAY, _CLOCK = r"[0-9]{4}-[0-9]{2}-[0-9]{2}", r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
_ZONE = r"(Z|[+-][0-9]{2}:[0-9]{2})"
_MOMENT = re.compile(f"{_DAY}T{_CLOCK}{_ZONE}")
Moment = Annotated[AwareDatetime, BeforeValidator(_moment), AfterValidator(_in_our_time)]
"""A moment in what is given to be kept: nobody may take it for another one."""

ASKED_MOMENT_PATTERN = f"^{_DAY}([T ]{_CLOCK}{_ZONE}?)?$"


def _asked_moment(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(ASKED_MOMENT_PATTERN, value):
        found = datetime.fromisoformat(value)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    raise ValueError("must be ISO 8601, such as 2026-01-31T12:00:00Z or 2026-01-31")


AskedMoment = Annotated[AwareDatetime, BeforeValidator(_asked_moment), AfterValidator(_in_our_time)]
"""A moment in a question, as programs write it: UTC without a zone, a day is its midnight, a space stands for the T."""


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
        # Compared as it is: a whole number may be too large to be a float.
        inside = self.low <= value <= self.high
        if not inside or (self.above and value == self.low) or (self.below and value == self.high):
            raise ValueError(f"{span}, not {str(value)[:40]}")
        return float(value)


# Control characters, what has no width or turns the writing's direction, private use, halves of pairs, breaks of lines.
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_WITHOUT_WIDTH = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")  # letters and marks by name only


def _plain(text: str) -> str:
    """Return the text if people see all of it; raises ValueError."""
    for letter in text:
        if unicodedata.category(letter) in _UNSEEN or letter in _WITHOUT_WIDTH or _is_variation(letter):
            raise ValueError(f"must not hold the character U+{ord(letter):04X}, which cannot be seen")
    if text != text.strip():
        raise ValueError("must not begin or end with white space")
    return text


def _is_variation(letter: str) -> bool:
    return "\ufe00" <= letter <= "\ufe0f" or "\U000e0100" <= letter <= "\U000e01ef" or "\u180b" <= letter <= "\u180f"


# What the contract can say of it: no control characters, breaks of lines, turned or invisible writing.
_UNWANTED = r"\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_PATTERN = rf"^([^\s{_UNWANTED}]([^{_UNWANTED}]*[^\s{_UNWANTED}])?)?$"
Text = Annotated[str, AfterValidator(_plain), Field(json_schema_extra={"pattern": _PATTERN})]
"""One line that people read as it is written: two that look alike are alike, white space within aside."""


def _plain_lines(text: str) -> str:
    """Return the text with one kind of line break if people see the rest of it; raises ValueError."""
    lines = text.replace("\r\n", "\n")
    _plain(re.sub(r"[\n\t]", " ", lines).strip())
    return lines


_IN_LINES = _UNWANTED.replace(r"\u0000-\u001f", r"\u0000-\u0008\u000b\u000c\u000e-\u001f")
Lines = Annotated[str, AfterValidator(_plain_lines), Field(json_schema_extra={"pattern": rf"^[^{_IN_LINES}]*$"})]
"""Several lines of the same, tabulators in them."""


def findings(error: ValidationError, whole: str = "value") -> list[str]:
    """Return a readable line ``property: what is wrong`` for each of a pydantic error's first findings.

    ``whole`` names it all. There are at most MOST_FINDINGS and a line that counts the rest; long ones are cut.
    """
    lines = []
    found = error.errors(include_url=False, include_context=False, include_input=False)
    for one in found[:MOST_FINDINGS]:
        where = ".".join(str(part) for part in one["loc"]) or whole
        lines.append(f"{where[:LONGEST_NAME]}: {one['msg'].removeprefix('Value error, ')[:LONGEST_FINDING]}")
    return lines if len(found) <= MOST_FINDINGS else [*lines, f"and {len(found) - MOST_FINDINGS} more"]


def parse(model: type[ModelT], data: Mapping[str, Any] | str | bytes, what: str) -> ModelT:
    """Return ``data`` as ``model``; raise InvalidInput that names ``what`` and every bad property."""
    try:
        if isinstance(data, str | bytes):
            return model.model_validate_json(data)
        return model.model_validate(data)
    except ValidationError as error:
        raise InvalidInput(f"{what}: " + "; ".join(findings(error))) from error


def parse_stored(kind: Stored, model: type[ModelT], data: bytes, what: str) -> ModelT:
    """Return stored JSON as ``model``, by the kind's schema.

    Raises NewerSchema, or InvalidInput that names ``what`` and every bad property.
    """
    try:
        stored = from_json(data)
        if not isinstance(stored, dict):
            raise ValueError("it is not an object")  # noqa: TRY004 (whoever reads what is stored knows ValueError)
        return read(kind, stored, model.model_validate)
    except ValidationError as error:
        raise InvalidInput(f"{what}: " + "; ".join(findings(error))) from error
    except ValueError as error:
        raise InvalidInput(f"{what}: {error}") from error


def parse_given(model: type[ModelT], data: Mapping[str, Any], whole: str) -> ModelT:
    """Return what somebody gave as ``model``; raise InvalidInput that names every bad property as they know it.

    ``whole`` names what a rule between several properties is about.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InvalidInput("; ".join(findings(error, whole))) from error
