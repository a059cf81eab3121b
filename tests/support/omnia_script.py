"""A server that follows a script, for the tests of the OMNIA client."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from shared.adapters.omnia import OmniaSource, StaticCredential
from shared.ports import Window

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = Window("s1", START, START + timedelta(hours=1))


class Script:
    """A server that gives its answers in turn (the last one for good) and keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            timeout = 5

            def do_GET(self) -> None:
                self.answer()

            def do_POST(self) -> None:
                self.answer()

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length)) if length else None
                script.asked.append({"path": self.path, "body": body, "token": self.headers.get("Authorization")})
                status, headers, data = script.next()
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(data))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)
                self.close_connection = "Content-Length" in headers

            def log_message(self, *_: Any) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = False
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def next(self) -> tuple[int, dict[str, str], bytes]:
        """Return the next answer; what is not (status, headers, body) is the body of a 200."""
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        status, headers, body = answer if isinstance(answer, tuple) else (200, {}, answer)
        return status, headers, body if isinstance(body, bytes) else json.dumps(body).encode()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        """Stop and wait; clients must be closed before."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


Open = Callable[..., tuple[OmniaSource, Script]]


@contextmanager
def opener() -> Iterator[Open]:
    """Give a function that makes a source and its scripted server, both closed afterwards."""
    made: list[tuple[OmniaSource, Script]] = []

    def make(*answers: Any, credential: Any = None, **options: Any) -> tuple[OmniaSource, Script]:
        script = Script(*answers)
        settings = {"backoff": 0.0, "retries": 2, "read_timeout": 5.0} | options
        source = OmniaSource(credential or StaticCredential(), script.url, **settings)
        made.append((source, script))
        return source, script

    yield make
    for source, script in made:
        source.close()
        script.close()


def data(*items: Any, **more: Any) -> dict[str, Any]:
    """Return an answer of the API's shape."""
    return {"data": {"items": list(items)}} | more


def points(*given: tuple[str, Any, Any], series: str = "s1") -> dict[str, Any]:
    """Return one series' item with datapoints (time of day, avg, count)."""
    return {
        "id": series,
        "datapoints": [{"time": f"2026-03-01T{at}Z", "avg": a, "count": n} for at, a, n in given],
    }
