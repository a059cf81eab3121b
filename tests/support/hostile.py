"""Hostile requests: what nobody means well by, in every place where a request says something."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.support.contract import Contract

DEEP = 100_000
TEN_MB = 10 * 1024 * 1024

NAMES = (
    "'",
    "' or PartitionKey ne '",
    "snorre-w-2' or '1' eq '1",
    "..",
    "../registry",
    "..%2f..%2fetc",
    "%2e%2e",
    "snorre-w-2\x00",
    "snorre-w-2 ",
    "snorre-w-2\n",
    "snorre-w-2;drop table",
    "snorre\u2028w",
    "snorre\u202ew",
    "snorre\u2013w\u20132",  # dashes that are none
    "\uff53norre-w-2",  # a wide letter
    "snorre-w-\u0662",  # a digit of another script
    "SNORRE-W-2",
    "snorre-w-0",
    "snorre-w--1",
    "-1",
    "1e999",
    "NaN",
    "null",
    "$filter",
    "#",
    "*",
    "\\\\host\\share",
    "<script>alert(1)</script>",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "\U0001f4a3",
    "a" * 5000,
)

# Every server resolves `..` before it looks for a route (RFC 3986, 5.2.4): such a path is another one.
IN_PATH = tuple(name for name in NAMES if name != "..")

NO_NUMBERS: tuple[Any, ...] = (-1e300, 1e300, float("nan"), float("inf"), 10**400, "1", "0x10", True, None, [], {}, [1])
NO_FLAGS: tuple[Any, ...] = ("true", "yes", 0, 1, None, [], {})
NO_TEXTS: tuple[Any, ...] = (1, 1.5, True, [], {}, "x" * 20_000, "a\u202eb", "a\x00b", "\u200b", "a\x1bb")
NO_LINES: tuple[Any, ...] = (*NO_TEXTS, "a\u2028b", "a\nb", " a", "a\u00a0")
NO_MOMENTS: tuple[Any, ...] = (
    "yesterday",
    "2026-02-30T00:00:00Z",
    "2026-03-01",
    "2026-03-01T00:00:00",
    "2026-03-01T25:00:00Z",
    "2026-03-01T00:00:00+99:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00",
    "2026-03-01T00:00:00Z' or '1' eq '1",
    "\u0662\u0660\u0662\u0666-03-01T00:00:00Z",
    0,
    -1,
    1e20,
    True,
    [],
    {},
)
# A query takes a date, and a time without a zone; what is kept does not.
ASKED = tuple(str(one) for one in NO_MOMENTS if one not in ("2026-03-01", "2026-03-01T00:00:00"))
QUERIES: Mapping[str, tuple[str, ...]] = {  # none is empty: the platform leaves such a parameter out
    "from": ASKED,
    "to": ASKED,
    "resolution": ("0", "-1", "10001", "1e3", "1h ", "RAW", "\u0661", "9" * 400, "raw'"),
    "continuation": ("' or '1' eq '1", "../x", "\u2028", "a" * 101, "1!8!YWJj"),
    "limit": ("0", "-1", "1001", "1.0", "1_0", "\u0661", "9" * 400, "NaN", "'"),
    "points": ("0", "-1", "10001", "1e3", "\u0661", "9" * 400),
    "pinned": ("1", "yes", "True", "null", "'"),
    "force": ("1", "yes", "TRUE"),
    "inForce": ("1", "yes", "TRUE"),
    "by": ("a" * 101, "a\u202eb", "a\x00b", " a"),
    "platform": NAMES,
    "template": NAMES,
    "asOf": ASKED,
    "state": ("Normal", "'", "\u0661", "9" * 400),
    "priority": ("HIGH", "'", "9" * 400),
    "verdict": ("confirmed", "'", "9" * 400),
    "kind": ("Alarm", "'", "a" * 41, "../x"),
}


class Hostile(NamedTuple):
    """A request; ``path`` is below ``/api``, and escaped."""

    method: str
    path: str
    query: Mapping[str, str] = {}
    content: bytes | None = None
    content_type: str = "application/json"


def hostile(contract: Contract, names: dict[str, str], bodies: Mapping[str, Any]) -> Iterator[Hostile]:
    """Return bad requests to every endpoint, each good but for one thing; ``names``: of what is there, by parameter.

    ``bodies``: a good body for every endpoint that takes one.
    """
    for name, (method, path, described) in contract.endpoints.items():
        good = path.strip("/").format(**names)
        content = _json(bodies[name]) if "requestBody" in described else None
        places = [one for one in described["parameters"] if one["in"] == "path"]
        for one in places:
            for bad in IN_PATH:
                yield Hostile(method, path.strip("/").format(**names | {one["name"]: quote(bad, safe="")}), {}, content)
        for one in described["parameters"]:
            if one["in"] == "query":
                yield from (Hostile(method, good, {one["name"]: bad}, content) for bad in QUERIES[one["name"]])
        yield Hostile(method, good, {"unknown": "1"}, content)
        if content is not None:
            yield from _contents(method, good, content)
            yield from (Hostile(method, good, {}, _json(bad)) for bad in spoilt(bodies[name]))


def _contents(method: str, path: str, good: bytes) -> Iterator[Hostile]:
    """Return bodies that are no JSON, no object, too large or too deep."""
    for content in (
        b"",
        b"{",
        b"null",
        b"1",
        b"[]",
        b"{}" * 2,
        b"\xff\xfe",
        b'{"a": "\\ud800"}',
        good[:-1] + b', "unknown": 1}',
        good[:-1] + b', "__proto__": {}}',
        b"[" * DEEP + b"]" * DEEP,
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b'{"message": "' + b"x" * TEN_MB + b'"}',
    ):
        yield Hostile(method, path, {}, content)
    for kind in ("text/plain", "application/xml", "", "application/jsonp", "multipart/form-data"):
        yield Hostile(method, path, {}, good, kind)


def spoilt(body: Any) -> Iterator[Any]:
    """Return the body with one value in it, at any depth, made into what it cannot be."""
    if isinstance(body, dict):
        for key, value in body.items():
            yield from ({**body, key: bad} for bad in spoilt(value))
    elif isinstance(body, list):
        yield from ([bad, *body[1:]] for bad in spoilt(body[0]))
        yield {}
    elif isinstance(body, bool):
        yield from NO_FLAGS
    elif isinstance(body, int | float):
        yield from NO_NUMBERS
    elif "T" in body and body.endswith("Z"):
        yield from NO_MOMENTS
    else:
        yield from NO_TEXTS if "\n" in body else NO_LINES


def _json(value: Any) -> bytes:
    """Return the value as JSON, with NaN and Infinity as careless clients write them."""
    return json.dumps(value).encode()
