"""Problems as RFC 9457 says: the one place where errors become statuses."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import azure.functions as func
from azure.core.exceptions import AzureError, HttpResponseError
from pydantic import Field

from functions.http.reply import COMMON
from shared.domain.validation import Model
from shared.errors import (
    Conflict,
    Exists,
    HasData,
    InvalidInput,
    LeakDetectionError,
    NewerSchema,
    NotFound,
    PreconditionFailed,
)

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:subsea-leak-detection:"


class FindingBody(Model):
    """A property of the request, and what is expected of it."""

    property: str
    expected: str


class ProblemBody(Model):
    """What went wrong; ``type`` is stable, clients may branch on it."""

    type: str = Field(pattern=f"^{TYPE}[a-z-]+$")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    invocation_id: str
    errors: tuple[FindingBody, ...] = ()
    contents: dict[str, int] = Field(default_factory=dict, description="What a forced deletion would remove.")


@dataclass(frozen=True)
class Refusal(Exception):
    """A request that is refused before it reaches a use case: status, problem type, detail and headers."""

    status: HTTPStatus
    type: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)


# Order matters: the first class that fits.
STATUSES: Sequence[tuple[type[LeakDetectionError], HTTPStatus, str]] = (
    (InvalidInput, HTTPStatus.BAD_REQUEST, "invalid-input"),
    (NotFound, HTTPStatus.NOT_FOUND, "not-found"),
    (HasData, HTTPStatus.CONFLICT, "has-data"),
    (Exists, HTTPStatus.CONFLICT, "conflict"),
    (NewerSchema, HTTPStatus.CONFLICT, "conflict"),
    (Conflict, HTTPStatus.CONFLICT, "conflict"),
    (PreconditionFailed, HTTPStatus.PRECONDITION_FAILED, "precondition-failed"),
)

# What these errors say is for the log: it names tables and rows.
PLAIN: Mapping[type[LeakDetectionError], str] = {
    Conflict: "it was changed by somebody else at the same time; read it again and repeat",
    NewerSchema: "a newer release of the app wrote it, and it can only be changed there",
}


def problem_of(error: Exception, invocation: str) -> func.HttpResponse:
    """Return the problem that an error is to the caller; what nobody expected is logged and told without details."""
    if isinstance(error, Refusal):
        return problem(error.status, error.type, error.detail, invocation, headers=error.headers)
    for kind, status, name in STATUSES:
        if isinstance(error, kind):
            contents = error.contents if isinstance(error, HasData) else {}
            errors = findings_in(str(error)) if isinstance(error, InvalidInput) else []
            return problem(status, name, PLAIN.get(kind, str(error)), invocation, errors=errors, contents=contents)
    logger.error("request failed (%s)", invocation, exc_info=error)
    if isinstance(error, AzureError) and not _answered(error):
        detail = "storage does not answer; what was asked for may or may not have been done"
        status, retry = HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "30"}
        return problem(status, "storage-unavailable", detail, invocation, headers=retry)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return problem(status, "internal-error", "an unexpected error; the log has it under this invocation", invocation)


def _answered(error: AzureError) -> bool:
    """Return whether Azure said what is wrong, rather than nothing, or that it cannot say."""
    status = error.status_code if isinstance(error, HttpResponseError) else None
    return status is not None and status < HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.TOO_MANY_REQUESTS


def problem(
    status: HTTPStatus,
    name: str,
    detail: str,
    invocation: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, str]] = (),
    contents: Mapping[str, int] | None = None,
) -> func.HttpResponse:
    """Return a problem document with the invocation's id, by which the log tells more."""
    body: dict[str, Any] = {
        "type": TYPE + name,
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "invocationId": invocation,
        "errors": list(errors),
        "contents": dict(contents or {}),
    }
    content = json.dumps(body, ensure_ascii=False).encode(errors="replace")
    return func.HttpResponse(
        content,
        status_code=int(status),
        mimetype=MEDIA_TYPE,
        headers={**COMMON, "Cache-Control": "no-store", **(headers or {})},
    )


def findings_in(message: str) -> list[Mapping[str, str]]:
    """Return what a message of the form ``property: what is expected; property: ...`` says, one by one."""
    found: list[Mapping[str, str]] = []
    for part in message.split("; "):
        name, colon, expected = part.partition(": ")
        if colon and name and not any(letter.isspace() for letter in name):
            found.append({"property": name, "expected": expected})
    return found
