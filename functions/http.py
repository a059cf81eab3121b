"""What the HTTP triggers share: JSON bodies in camelCase, and problems as RFC 9457 says."""

import json
import logging
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from http import HTTPStatus
from typing import Any

import azure.functions as func
from pydantic import BaseModel

from shared.domain.tsd import iso
from shared.errors import Conflict, InvalidInput, LeakDetectionError, NotFound

logger = logging.getLogger(__name__)

# The one place where errors become statuses; ``type`` is stable, clients may branch on it.
STATUSES: Mapping[type[LeakDetectionError], tuple[HTTPStatus, str]] = {
    InvalidInput: (HTTPStatus.BAD_REQUEST, "invalid-input"),
    NotFound: (HTTPStatus.NOT_FOUND, "not-found"),
    Conflict: (HTTPStatus.CONFLICT, "conflict"),
}


def answer(context: func.Context, work: Callable[[], Any], status: HTTPStatus = HTTPStatus.OK) -> func.HttpResponse:
    """Return the work's result as JSON with that status, or the problem that it ended in; never a stack trace."""
    try:
        return func.HttpResponse(to_json(work()), status_code=int(status), mimetype="application/json")
    except LeakDetectionError as error:
        for kind, (code, name) in STATUSES.items():
            if isinstance(error, kind):
                return problem(context, code, name, str(error))
        logger.exception("request failed")
    except Exception:
        logger.exception("request failed")
    return problem(context, HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", "an unexpected error; it was logged")


def problem(context: func.Context, status: HTTPStatus, name: str, detail: str) -> func.HttpResponse:
    """Return a problem document with the invocation's id, by which the log tells more."""
    body = {
        "type": f"urn:subsea-leak-detection:{name}",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "invocationId": context.invocation_id,
    }
    return func.HttpResponse(json.dumps(body), status_code=int(status), mimetype="application/problem+json")


def to_json(value: Any) -> str:
    """Return the value as JSON text."""
    return json.dumps(plain(value), separators=(",", ":"), allow_nan=False)


def plain(value: Any) -> Any:
    """Return models, mappings and sequences as JSON types: camelCase names, UTC times, null for NaN."""
    if isinstance(value, BaseModel):
        return {camel(name): plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Columns):
        return value.values
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(one) for one in value]
    return value


class Columns:
    """A list that is plain JSON already; long columns are not looked through value by value."""

    def __init__(self, values: list[Any]) -> None:
        """Wrap the values."""
        self.values = values


def camel(name: str) -> str:
    """Return ``angle_from_north`` as ``angleFromNorth``."""
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def limit_of(request: func.HttpRequest, default: int, most: int) -> int:
    """Return the request's ``limit``; raise InvalidInput outside [1, most]."""
    text = request.params.get("limit")
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= most or len(text) > 9:
        raise InvalidInput(f"limit: must be a whole number in [1, {most}], not {text[:40]!r}")
    return int(text)
