"""Answers: JSON or CSV with an ETag, so that whoever has seen it already is told so in a few bytes."""

import gzip
import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import azure.functions as func
from pydantic import BaseModel, SerializeAsAny

from shared.domain.series_bodies import ColumnsBody
from shared.domain.validation import Model
from shared.errors import PreconditionFailed

ItemT = TypeVar("ItemT")

JSON, CSV, HTML = "application/json", "text/csv", "text/html"
LEAST_COMPRESSED = 1400  # bytes: less fits into one packet anyhow
GZIP_LEVEL = 5
GZIPPED = "-gzip"  # ends the ETag of an answer that is compressed: another representation of the same state
DIGITS = 12  # of a number: all that anybody gave, and not 0.30000000000000004
COMMON: Mapping[str, str] = {"X-Content-Type-Options": "nosniff"}
NO_MORE: Mapping[str, str] = {}


class ListingBody(Model, Generic[ItemT]):
    """One page of a list; ``continuation`` asks for the next one, null: there is none."""

    items: tuple[ItemT, ...]
    continuation: str | None = None


def listing_of(item: Any) -> Any:
    """Return the type of a page of such items, for the contract."""
    return ListingBody[item]


def listing(items: Sequence[BaseModel], continuation: str | None = None) -> Model:
    """Return a page of a list."""
    page: Model = ListingBody[SerializeAsAny[BaseModel]].model_construct(items=tuple(items), continuation=continuation)
    return page


@dataclass(frozen=True)
class Reply:
    """What a handler answers when it is more than a model with the usual status."""

    body: BaseModel | str | bytes | None
    status: HTTPStatus = HTTPStatus.OK
    media_type: str = JSON
    location: str | None = None  # of what was created, below the API's root
    continuation: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def to_json(model: BaseModel) -> bytes:
    """Return the model as JSON: camelCase names, UTC times, short numbers, null for what is none."""
    if isinstance(model, ColumnsBody):  # many numbers, which are as short as they should be
        return model.model_dump_json(by_alias=True).encode()
    return json.dumps(plain(model), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def plain(model: BaseModel) -> Any:
    """Return the model as objects, lists and values of JSON."""
    return _shortened(model.model_dump(mode="json", by_alias=True))


def _shortened(value: Any) -> Any:
    """Return what JSON holds with every number as short as it may be."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _shortened(one) for name, one in value.items()}
    return [_shortened(one) for one in value] if isinstance(value, list) else value


def etag_of(content: bytes) -> str:
    """Return the strong ETag of a representation."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def response_of(request: func.HttpRequest, reply: Reply, more: Mapping[str, str] = NO_MORE) -> func.HttpResponse:
    """Return the reply as a response with ``more`` headers; one that the caller has already without its body.

    To HEAD the same is returned: the server sends its headers, and leaves the body out.
    """
    headers = dict(COMMON) | dict(more) | dict(reply.headers)
    if reply.location is not None:
        headers["Location"] = _root(request) + quote(reply.location)
    if reply.body is None:
        return func.HttpResponse(status_code=int(reply.status), headers=headers)
    content = to_json(reply.body) if isinstance(reply.body, BaseModel) else reply.body
    content = content.encode() if isinstance(content, str) else content
    tag = headers["ETag"] = etag_of(content)
    if len(content) > LEAST_COMPRESSED:
        headers["Vary"] = ", ".join([*filter(None, [headers.get("Vary")]), "Accept-Encoding"])
        if takes_gzip(request.headers.get("Accept-Encoding", "")):
            content, headers["Content-Encoding"] = gzip.compress(content, GZIP_LEVEL, mtime=0), "gzip"
            headers["ETag"] = f'{tag[:-1]}{GZIPPED}"'
    continuation = getattr(reply.body, "continuation", None) or reply.continuation
    if continuation is not None:
        headers["Link"] = f'<{_next_page(request, continuation)}>; rel="next"'
    if request.method in ("GET", "HEAD") and names(request.headers.get("If-None-Match", ""), tag, weakly=True):
        headers.pop("Content-Encoding", None)
        return func.HttpResponse(status_code=int(HTTPStatus.NOT_MODIFIED), headers=headers)
    return func.HttpResponse(
        content, status_code=int(reply.status), mimetype=reply.media_type, charset="utf-8", headers=headers
    )


def if_match(request: func.HttpRequest, current: BaseModel) -> None:
    """Raise PreconditionFailed when If-Match names another state of the resource than the current one."""
    wanted = request.headers.get("If-Match")
    if wanted is not None and not names(wanted, etag_of(to_json(current)), weakly=False):
        raise PreconditionFailed("If-Match: must be the ETag of what is there now; it was changed since you read it")


def refuse_if_match(request: func.HttpRequest) -> None:
    """Raise PreconditionFailed for a change with If-Match where no tag is looked at: it must not be made unlooked."""
    if request.method not in ("GET", "HEAD") and "If-Match" in request.headers:
        raise PreconditionFailed("If-Match: is not offered here, and nothing was changed; leave it out to go on")


def names(header: str, tag: str, *, weakly: bool) -> bool:
    """Return whether a header's list of ETags names this one (RFC 9110, 8.8.3), compressed or not."""
    if header.strip() == "*":
        return True
    tags = re.findall(r'(W/)?("[^"]*")', header)
    return any((weakly or not weak) and opaque.replace(GZIPPED, "") == tag for weak, opaque in tags)


def weights_in(header: str) -> dict[str, float]:
    """Return what a header such as Accept lists, with its weights (RFC 9110, 12.4.2); what is no weight is 1."""
    found: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((piece.partition("=")[2] for piece in parameters if re.match(r"q\s*=", piece)), "1").strip()
        if name:
            found[name] = float(weight) if re.fullmatch(r"[01](\.[0-9]{0,3})?", weight) else 1.0
    return found


def takes_gzip(header: str) -> bool:
    """Return whether Accept-Encoding takes gzip (RFC 9110, 12.5.3)."""
    weights = weights_in(header)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def prefers(header: str, this: str, usual: str) -> bool:
    """Return whether Accept would rather have ``this`` media type than the ``usual`` one (RFC 9110, 12.5.1)."""
    weights = weights_in(header)

    def weight(kind: str) -> float:
        ranges = (kind, kind.partition("/")[0] + "/*", "*/*")  # the most specific one counts
        return next((weights[one] for one in ranges if one in weights), 0.0)

    return weight(this) > weight(usual) or (weight(this) == weight(usual) > 0 and _first(header, this, usual))


def _first(header: str, this: str, usual: str) -> bool:
    """Return whether a header names ``this`` by itself, and before the ``usual`` one."""
    listed = list(weights_in(header))
    return this in listed and (usual not in listed or listed.index(this) < listed.index(usual))


def _root(request: func.HttpRequest) -> str:
    """Return the path of the API's root, as the caller sees it."""
    return re.sub(r"^(/[^/]+/).*", r"\1", urlsplit(request.url).path)


def _next_page(request: func.HttpRequest, continuation: str) -> str:
    """Return the address of the next page, relative to the host; without the key, which is no part of an address."""
    parts = urlsplit(request.url)
    given = [(name, value) for name, value in parse_qsl(parts.query) if name not in ("continuation", "code")]
    return f"{parts.path}?{urlencode([*given, ('continuation', continuation)])}"
