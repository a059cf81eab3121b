"""Sends the same requests to Microsoft's Functions host and to the local one, on equal storage.

The requests are the examples, a share of the hostile ones, and some about the host itself. Where status or content type
differ, the difference is one that is known, with its reason, or a fault.
"""

import http.client
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch
from urllib.parse import urlencode, urlsplit

import requests

from conformance.check_result import CheckResult
from conformance.environments import ROOT
from conformance.functions_host import FunctionsHost
from local.azurite import Azurite
from local.metadata import BY_HAND
from local.process import HostProcess
from shared.bootstrap import Bootstrap
from shared.settings import load_settings
from tests.support import http_file
from tests.support.bodies import BODIES
from tests.support.contract import Contract
from tests.support.filled import NOW, QUIET, SENSOR, TEMPLATE, fill, plan
from tests.support.hostile import hostile

EXAMPLES = sorted((ROOT / "http").glob("*.http"))
SHARE = 7  # every seventh hostile request
KEY = "conformance"
SETTINGS = {
    **QUIET,
    "AS_OF": NOW.isoformat(),
    "INGEST_SCHEDULE": BY_HAND,
    "BASELINES_SCHEDULE": BY_HAND,
    "KEEP_SCHEDULE": BY_HAND,
    "OMNIA__BASE_URL": "http://127.0.0.1:9/v1.7",
    "OMNIA__STATIC_TOKEN": KEY,
    "OPENBLAS_NUM_THREADS": "1",
}


class Sent(NamedTuple):
    """A request as it goes over the line; ``key``: whether the host's key goes with it."""

    method: str
    target: str
    content: bytes | None = None
    content_type: str = "application/json"
    key: bool = True
    chunked: bool = False

    @property
    def words(self) -> str:
        """What it asks for."""
        return f"{self.method} {self.target}{' (chunked)' if self.chunked else ''}"


class Answer(NamedTuple):
    """What is compared of an answer."""

    status: int
    content_type: str  # without parameters; empty: none


@dataclass(frozen=True)
class Known:
    """A difference that is known: for which requests, what the local host and the real one answer, and why."""

    request: str  # a pattern of the request's words
    local: str  # patterns of "status type"
    real: str
    why: str


PROBLEM, NO_TYPE = r"application/problem\+json", "no type"
KNOWN = (
    Known(r"%00", f"400 {PROBLEM}", f"400 {NO_TYPE}", "a null character in a path is refused by the server"),
    Known(r" /.*//|^\w+ //", r"40[45] .*", f"404 {NO_TYPE}", "an empty segment of a path fits no route"),
    Known(r"^GET //$", "302 text/plain", f"404 {NO_TYPE}", "the local server takes two slashes for one"),
    Known(r" /admin/", "200 application/json", f"401 {NO_TYPE}", "the host's own endpoints want the master key"),
    Known(r"", "401 text/plain", f"401 {NO_TYPE}", "the host's own 401 is empty"),
    Known(r" /nothing$", "404 text/plain", f"404 {NO_TYPE}", "the host's own 404 is empty"),
    Known(r"", f"304 {NO_TYPE}", "304 text/plain", "a 304 has a content type"),
)

# What the hosts themselves answer, and the app never sees.
OF_THE_HOST = (
    Sent("GET", "/api/health", key=False),
    Sent("GET", "/api/platforms", key=False),
    Sent("POST", "/api/platforms", b"{}", key=False),
    Sent("GET", "/"),
    Sent("GET", "/nothing"),
    Sent("GET", "/api"),
    Sent("GET", "/api/"),
    Sent("GET", "/api/nothing"),
    Sent("GET", "/api/nothing", key=False),
    Sent("PUT", "/api/platforms"),
    Sent("FOO", "/api/platforms"),
    Sent("HEAD", "/api/platforms"),
    Sent("OPTIONS", "/api/platforms"),
    Sent("GET", "//api/platforms"),
    Sent("GET", "/api//platforms"),
    Sent("GET", "/api/platforms/"),
    Sent("GET", "/API/Platforms"),
    Sent("GET", "/api/platforms/%00"),
    Sent("GET", "/api/platforms/a%2fb"),
    Sent("GET", "/api/platforms/../health"),
    Sent("GET", "/api/platforms?"),
    Sent("GET", "/api/platforms?x"),
    Sent("GET", "/api/platforms?x="),
    Sent("GET", "/api/platforms?limit=1&limit=2"),
    Sent("GET", "/admin/host/status", key=False),
    Sent("GET", "/admin/functions", key=False),
    Sent("GET", "/overview"),
    Sent("GET", "//"),
    Sent("GET", "/api/docs"),
    Sent("GET", "/overview", key=False),
    Sent("PATCH", "/api/platforms/snorre", b'{"name": "Snorre"}', chunked=True),
)


def compare(start: list[str], python: Path, app: Path, folder: Path) -> CheckResult:
    """Send everything to both hosts and hold the answers against each other."""
    with ExitStack() as stack:
        local_storage, real_storage = (stack.enter_context(Azurite()) for _ in range(2))
        names = [_filled(storage.connection_string) for storage in (local_storage, real_storage)]
        settings = [SETTINGS | {"AzureWebJobsStorage": one.connection_string} for one in (local_storage, real_storage)]
        real = stack.enter_context(FunctionsHost(start, python, app, folder / "http", settings[1], "http"))
        local = stack.enter_context(HostProcess(settings[0], "--key", KEY, log=folder / "http-local.log"))
        real.wait_ready()
        key = real.function_key
        with ThreadPoolExecutor(2) as pool:
            found = pool.map(_answers, (local.url, real.url), (KEY if key else "", key), names)
            ours, theirs = (list(answers) for answers in found)
    return judge(ours, theirs, KNOWN)


def judge(
    ours: Sequence[tuple[str, Answer]], theirs: Sequence[tuple[str, Answer]], known: Sequence[Known]
) -> CheckResult:
    """Return every difference that is not known, and every known one that no request shows."""
    faults, shown = [], Counter[str]()
    for (request, answer), (_, other) in zip(ours, theirs, strict=True):
        if answer == other:
            continue
        why = next((one.why for one in known if _is(one, request, answer, other)), None)
        if why is None:
            faults.append(f"{request[:160]}: {_words(answer)} on the local host, {_words(other)} on the real one")
        else:
            shown[why] += 1
    faults += [f"no request shows any more that {one.why}" for one in known if one.why not in shown]
    differences = ", ".join(f"{why} ({count})" for why, count in sorted(shown.items()))
    return CheckResult.of(f"{len(ours)} requests are answered as on the local host, but: {differences}", faults)


def _filled(connection: str) -> dict[str, str]:
    """Fill a storage with something of everything; return the names of what is there, by parameter."""
    with patch.dict(os.environ, SETTINGS | {"AzureWebJobsStorage": connection}):
        app = Bootstrap(load_settings())
    app.clients.ensure_storage()
    incident = fill(app)
    return {
        "platform": "snorre",
        "template": TEMPLATE,
        "sensor": SENSOR,
        "incident": incident.id,
        "event": app.queries.events(TEMPLATE, 1)[0].id,
        "mark": app.baseline_queries.marks(SENSOR)[0].mark.id,
        "valid_from": "2026-03-01",
        "suppression": plan(app).id,
        "asset": "docs.js",
    }


def _answers(url: str, key: str, names: dict[str, str]) -> list[tuple[str, Answer]]:
    """Return every request, in words, with a host's answer."""
    header = {"x-functions-key": key} if key else {}
    contract = Contract(requests.get(f"{url}/api/openapi.json", headers=header, timeout=60).json())
    found = [(one.words, _send(url, one, header)) for one in _sent(contract, names)]
    for path in EXAMPLES:  # last: they write
        for example, answer in http_file.run(path, url, key):
            kind = answer.headers.get("Content-Type", "").partition(";")[0]
            found.append((f"{example.method} {example.url.removeprefix('{{host}}')}", Answer(answer.status_code, kind)))
    return found


def _sent(contract: Contract, names: dict[str, str]) -> Iterator[Sent]:
    yield from OF_THE_HOST
    for number, one in enumerate(hostile(contract, names, BODIES)):
        if number % SHARE == 0:
            query = f"?{urlencode(one.query)}" if one.query else ""
            yield Sent(one.method, f"/api/{one.path}{query}", one.content, one.content_type)


def _send(url: str, one: Sent, key: dict[str, str]) -> Answer:
    """Return the answer to a request that is sent as it is: no client tidies its path."""
    headers = {"Content-Type": one.content_type} if one.content is not None else {}
    if one.key:
        headers |= key
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    with closing(connection):
        content = iter([one.content]) if one.chunked and one.content else one.content
        connection.request(one.method, one.target, content, headers, encode_chunked=one.chunked)
        answer = connection.getresponse()
        answer.read()
        return Answer(answer.status, (answer.headers.get("Content-Type") or "").partition(";")[0])


def _is(known: Known, request: str, local: Answer, real: Answer) -> bool:
    return (
        re.search(known.request, request) is not None
        and re.fullmatch(known.local, _words(local)) is not None
        and re.fullmatch(known.real, _words(real)) is not None
    )


def _words(answer: Answer) -> str:
    return f"{answer.status} {answer.content_type or 'no type'}"
