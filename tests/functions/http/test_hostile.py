"""What nobody means well by gets a reason, and changes nothing."""

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlencode, urlsplit

import pytest

from tests.support.bodies import BODIES
from tests.support.filled import SENSOR, TEMPLATE
from tests.support.hostile import Hostile, hostile
from tests.support.http_host import FilledHost

pytestmark = [pytest.mark.azurite, pytest.mark.slow, pytest.mark.xdist_group("http_hostile")]


def request(host: FilledHost, one: Hostile) -> tuple[int, str, bytes]:
    """Return status, type and content of the answer to a request that is sent as it is: no client tidies its path."""
    connection = http.client.HTTPConnection(urlsplit(host.url).netloc, timeout=60)
    headers = {"Content-Type": one.content_type} if one.content is not None else {}
    query = f"?{urlencode(one.query)}" if one.query else ""
    with closing(connection):
        connection.request(one.method, f"/api/{one.path}{query}", one.content, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers.get_content_type(), answer.read()


def test_hostile_requests_get_a_reason_and_change_nothing(host: FilledHost) -> None:
    """OData quotes, dots, separators, depth, size, wrong types, huge and negative numbers, bad dates: all 4xx."""
    names = {
        "platform": "snorre",
        "template": TEMPLATE,
        "sensor": SENSOR,
        "incident": host.incident.id,
        "event": host.app.queries.events(TEMPLATE, 1)[0].id,
        "suppression": host.planned().id,
        "mark": host.app.baseline_queries.marks(SENSOR)[0].mark.id,
        "valid_from": "2026-03-01",
        "asset": "docs.js",
    }
    corpus = list(hostile(host.contract, names, BODIES))
    assert len(corpus) > 2000
    before = host.snapshot()

    def send(one: Hostile) -> str:
        """Return what is wrong with the answer; nothing: it is as it should be."""
        status, kind, content = request(host, one)
        what = f"{one.method} {one.path[:90]} {str(dict(one.query))[:90]} {(one.content or b'')[:200]!r}"
        if not 400 <= status < 500:
            return f"{status} {what}: {content[:200]!r}"
        problem = json.loads(content) if kind == "application/problem+json" else {}
        if not problem.get("detail") or len(content) > 4000 or b"Traceback" in content:
            return f"no good reason for {what}: {content[:300]!r}"
        return ""

    with ThreadPoolExecutor(4) as pool:
        wrong = [one for one in pool.map(send, corpus) if one]
    assert not wrong, f"{len(wrong)} of {len(corpus)}:\n" + "\n".join(wrong[:40])
    assert host.snapshot() == before
    bodies = BODIES | {"select_baseline": {"version": host.get(f"sensors/{SENSOR}/baseline")["current"]}}
    note = host.ask("POST", f"templates/{TEMPLATE}/events", bodies["add_note"]).json()["id"]
    for name, body in bodies.items():  # what was made bad in one thing was good in all others
        method, path, _ = host.contract.endpoints[name]
        answer = host.ask(method, path.strip("/").format(**names | {"event": note}), body)
        assert answer.ok, f"{name}: {answer.text}"
