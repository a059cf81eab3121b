"""What a request's path, query and body are read as: strictly what the contract says, no near misses.

Pydantic's lax mode would take ``1_000`` for a number, ``yes`` for true and ``0`` for a moment.
"""

import re
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

import azure.functions as func
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, WithJsonSchema

from functions.http.problem import Refusal
from shared.domain.event import EVENT_PATTERN
from shared.domain.incident import INCIDENT_PATTERN
from shared.domain.suppression import SUPPRESSION_PATTERN
from shared.domain.template import PLATFORM_PATTERN, SENSOR_PATTERN, TEMPLATE_PATTERN
from shared.domain.validation import ASKED_MOMENT_PATTERN, Model, Text, findings
from shared.errors import InvalidInput

ModelT = TypeVar("ModelT", bound=BaseModel)

KEY_IN_QUERY = "code"  # the platform's own parameter


def _flag(value: Any) -> Any:
    if value in ("true", "false"):
        return value == "true"
    raise ValueError("must be true or false")


def _whole_number(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value, re.ASCII):
        return int(value)
    raise ValueError("must be a whole number")


Flag = Annotated[bool, BeforeValidator(_flag)]
WholeNumber = Annotated[int, BeforeValidator(_whole_number)]
# Shown by the contract, and held by ``AskedMoment`` alone.
MomentText = Annotated[
    str,
    Field(max_length=40),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": ASKED_MOMENT_PATTERN,
            "examples": ["2026-03-01T00:00:00Z", "2026-03-01", "2026-03-01 00:00:00+00:00"],
        }
    ),
]
Who = Annotated[
    Text,
    Field(
        max_length=100,
        description="Who says so. With Entra ID it is who is signed in, whatever is given; else it must be given.",
    ),
]
Continuation = Annotated[
    str | None,
    Field(
        default=None,
        pattern=r"^[0-9A-Za-z:.~-]{1,200}$",
        description="Where the next page begins: `continuation` of the page before, or its header `Link`.",
    ),
]

# Every parameter that a route may have; one that is not here cannot be registered.
PATH: Mapping[str, Any] = {
    "platform": Annotated[str, Field(pattern=PLATFORM_PATTERN, examples=["snorre"])],
    "template": Annotated[str, Field(pattern=TEMPLATE_PATTERN, examples=["snorre-w"])],
    "sensor": Annotated[str, Field(pattern=SENSOR_PATTERN, examples=["snorre-w-2"])],
    "incident": Annotated[str, Field(pattern=INCIDENT_PATTERN, examples=["snorre-w-20260302T0640Z"])],
    "event": Annotated[str, Field(pattern=EVENT_PATTERN)],
    "mark": Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")],
    "suppression": Annotated[str, Field(pattern=SUPPRESSION_PATTERN)],
    "valid_from": Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"})],
    "asset": Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,40}\.([0-9a-f]{12}\.)?[a-z]{1,8}$")],
}


class Parameters(Model):
    """Base of what an endpoint takes in its query; a name that it does not know is an error: a misspelt filter."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NoParameters(Parameters):
    """Of an endpoint that takes no query."""


@cache
def path_type(name: str) -> TypeAdapter[str]:
    """Return the type of a path's parameter."""
    return TypeAdapter(PATH[name])


def read_path(request: func.HttpRequest, names: tuple[str, ...]) -> Mapping[str, str]:
    """Return the route's parameters; raise InvalidInput for one that cannot be a name."""
    for name in names:
        try:
            path_type(name).validate_python(request.route_params.get(name))
        except ValidationError as error:
            raise InvalidInput(f"{name}: must be a {name}'s id, {error.errors()[0]['msg']}") from error
    return {name: request.route_params[name] for name in names}


def read_query(request: func.HttpRequest, model: type[ModelT], *, strict: bool = True) -> ModelT:
    """Return the query as the model; raise InvalidInput that names every bad parameter.

    Unknown ones are bad where it is ``strict``, and ignored else: pages get some by mail programs and the like.
    """
    given = {name: value for name, value in request.params.items() if name != KEY_IN_QUERY}
    if not strict:
        known = {one.alias or name for name, one in model.model_fields.items()}
        given = {name: value for name, value in given.items() if name in known}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise InvalidInput("; ".join(findings(error))) from error


def read_body(request: func.HttpRequest, model: type[ModelT], most: int) -> ModelT:
    """Return the JSON body as the model; raise Refusal for another type or size, InvalidInput for wrong content.

    The platform passes a body only if it came with its length; without one, Refusal says so.
    """
    content = request.get_body()
    if not content and "Content-Length" not in request.headers:
        detail = "Content-Length: must be there; a body that comes in chunks, without its length, is not read"
        raise Refusal(HTTPStatus.LENGTH_REQUIRED, "length-required", detail)
    if len(content) > most:
        detail = f"body: must have at most {most} bytes, not {len(content)}"
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", detail)
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        detail = f"Content-Type: must be application/json, not {kind[:60] or 'missing'}"
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail)
    try:
        return model.model_validate_json(content, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        raise InvalidInput("; ".join(findings(error, "body"))) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"body: must be JSON, {error}") from error
