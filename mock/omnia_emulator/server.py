"""The emulator's HTTP: tokens, faults and JSON around the API's answers, on this machine only."""

import json
import socket
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from omnia_emulator.api import Api
from omnia_emulator.faults import FaultPlan, Faults
from omnia_emulator.query import ApiError
from omnia_emulator.series import Store
from shared.domain.validation import parse
from shared.errors import InvalidInput

BASE_PATH = "/plant/timeseries/v1.7"
MAX_BODY = 10_000_000


class Emulator:
    """A running emulator; ``token`` is the only one accepted, or None for any."""

    def __init__(
        self, store: Store, *, plan: FaultPlan | None = None, token: str | None = None, seed: int = 0, port: int = 0
    ) -> None:
        self.store, self.token = store, token
        self.faults = Faults(plan, seed)
        self.requests: list[str] = []  # "METHOD path", in the order they came
        self.closing = threading.Event()
        self.api = Api(store, self.faults, self.closing.wait)  # what hangs is ended with the emulator
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def root_url(self) -> str:
        """Where ``/faults`` and ``/truth`` are."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def base_url(self) -> str:
        """The API's base URL."""
        return self.root_url + BASE_PATH

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop answering, end every connection and wait for the threads."""
        self.closing.set()
        self._server.shutdown()
        self._server.end_connections()
        self._server.server_close()
        self._thread.join()


@contextmanager
def running(store: Store, **options: Any) -> Iterator[Emulator]:
    """Run an emulator of the store in this process; options as of ``Emulator``."""
    emulator = Emulator(store, **options).start()
    try:
        yield emulator
    finally:
        emulator.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for them

    def __init__(self, address: tuple[str, int], emulator: Emulator) -> None:
        self.emulator = emulator
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing where a client has gone away."""
        if not self.emulator.closing.is_set() and not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def log_message(self, *_: Any) -> None:
        """Keep quiet: ``Emulator.requests`` holds what came."""

    def _handle(self) -> None:
        url = urlsplit(self.path)
        path = unquote(url.path)
        self.server.emulator.requests.append(f"{self.command} {path}")
        try:
            body = self._body()
            if path == BASE_PATH or path.startswith(BASE_PATH + "/"):
                self._api(path.removeprefix(BASE_PATH), url.query, body)
            else:
                self._send(200, self._aside(path, body))
        except ApiError as error:
            self._refuse(error.status, str(error))

    def _body(self) -> Any:
        """Return the request's JSON, None without a body; the body is read in any case, to keep the connection."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            raise ApiError(411, f"a body needs a Content-Length of at most {MAX_BODY} bytes")
        data = self.rfile.read(int(length))
        try:
            return json.loads(data) if data else None
        except (ValueError, RecursionError) as error:
            raise ApiError(400, f"the body is not JSON: {error}") from error

    def _aside(self, path: str, body: Any) -> Any:
        """Return what the emulator says beside the API: the truth behind its data, and its faults."""
        emulator = self.server.emulator
        if path == "/truth" and self.command == "GET":
            return dict(emulator.store.truth)
        if path == "/faults":
            if self.command == "POST":
                try:
                    emulator.faults.set(parse(FaultPlan, body, "faults"))
                except InvalidInput as error:
                    raise ApiError(400, str(error)) from error
            return emulator.faults.plan.model_dump(mode="json")
        raise ApiError(404, f"nothing at {path}; the API is at {BASE_PATH}")

    def _api(self, path: str, query: str, body: Any) -> None:
        emulator = self.server.emulator
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token or emulator.token not in (None, token):
            raise ApiError(401, "the token is missing, wrong or has ended")
        faults = emulator.faults
        if faults.strikes("slow"):
            emulator.closing.wait(faults.plan.slow.seconds)
        if faults.strikes("throttle"):
            self._refuse(429, "rate limit exceeded", {"Retry-After": str(faults.plan.throttle.retry_after)})
        elif faults.strikes("error"):
            self._refuse(500, "an error made on purpose")
        else:
            self._send(200, emulator.api.answer(self.command, path, parse_qs(query), body), faulty=True)

    def _refuse(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        body = {"statusCode": status, "message": message, "traceId": uuid.uuid4().hex}
        self._send(status, body, headers)

    def _send(self, status: int, content: Any, headers: dict[str, str] | None = None, *, faulty: bool = False) -> None:
        faults = self.server.emulator.faults
        data = json.dumps(content, allow_nan=False).encode()
        if faulty and faults.strikes("malformed"):
            data = data[: len(data) // 2]
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if faulty and faults.strikes("cut"):
            data = data[: len(data) // 2]
            self.close_connection = True
        self.wfile.write(data)
