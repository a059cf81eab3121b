"""Serves HTTP triggers: their routes, and requests and responses as the Python worker gives and takes them."""

import logging
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote

import azure.functions as func

from local.metadata import Function, HostError
from local.worker import Worker

log = logging.getLogger("local.http")
BODY_LIMIT = 100 * 1024 * 1024  # bytes, the platform's own
Admin = Callable[[str, str, bytes], func.HttpResponse]


@dataclass(frozen=True)
class Route:
    """A path template; plain segments win over parameters, and those over a rest."""

    expression: re.Pattern[str]
    rank: tuple[int, ...]

    def match(self, path: str) -> dict[str, str] | None:
        """The route's parameters if a path is one of its own."""
        found = self.expression.fullmatch(path)
        return None if found is None else {k: unquote(v) for k, v in found.groupdict().items() if v is not None}


def parse_route(template: str) -> Route:
    """Reads a template of `plain`, `{name}`, `{name?}` and `{*rest}`; ValueError if it holds anything else."""
    expression, rank = "", []
    for segment in filter(None, template.strip("/").split("/")):
        if rest := re.fullmatch(r"\{\*{1,2}([A-Za-z_]\w*)\}", segment):
            expression, level = f"{expression}(?:/(?P<{rest[1]}>.*))?", 3
        elif optional := re.fullmatch(r"\{([A-Za-z_]\w*)\?\}", segment):
            expression, level = f"{expression}(?:/(?P<{optional[1]}>[^/]+))?", 2
        else:
            parts = re.split(r"\{([A-Za-z_]\w*)\}", segment)
            if any("{" in plain or "}" in plain for plain in parts[::2]):
                raise ValueError(f"the local host cannot read {segment!r} of route {template!r}")
            plain_or_name = (f"(?P<{t}>[^/]+)" if i % 2 else re.escape(t) for i, t in enumerate(parts))
            expression += "/" + "".join(plain_or_name)
            level = 0 if len(parts) == 1 else 1 if any(parts[::2]) else 2
        rank.append(level)
    return Route(re.compile((expression or "/") + "/?", re.IGNORECASE), tuple(rank))


class Router:
    """Finds the function of a method and a path, and runs it."""

    def __init__(self, functions: list[Function], prefix: str, worker: Worker) -> None:
        self._worker = worker
        self._routes: list[tuple[Route, frozenset[str], Function]] = []
        for function in functions:
            try:
                route = parse_route(f"{prefix}/{function.trigger['route']}")
            except ValueError as error:
                raise HostError(f"function {function.name}: {error}") from error
            methods = frozenset(str(method).upper() for method in function.trigger.get("methods") or ())
            self._routes.append((route, methods, function))
        self._routes.sort(key=lambda entry: entry[0].rank)

    def serve(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> func.HttpResponse:
        """The function's response, 404 if there is none for this path and method, 500 if it fails."""
        path, _, query = target.partition("?")
        url = f"http://{headers.get('Host', 'localhost')}{target}"
        for route, methods, function in self._routes:
            parameters = route.match(path)
            if parameters is not None and (not methods or method in methods):
                request = func.HttpRequest(
                    method=method, url=url, headers=headers, params=_query(query), route_params=parameters, body=body
                )
                return self._run(function, request)
        return func.HttpResponse(status_code=404)

    def _run(self, function: Function, request: func.HttpRequest) -> func.HttpResponse:
        try:
            result = self._worker.submit(function, request).result()
        except Exception:  # logged by the worker; the caller learns no more
            return func.HttpResponse(status_code=500)
        if result is None:
            return func.HttpResponse(status_code=204)
        if isinstance(result, str | bytes):
            return func.HttpResponse(result)
        if isinstance(result, func.HttpResponse):
            return result
        log.error("%s returned a %s, which is no HTTP response", function.name, type(result).__name__)
        return func.HttpResponse(status_code=500)


def _query(text: str) -> dict[str, str]:
    """A query's parameters; the values of one that is repeated are joined by commas."""
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters


class _Handler(BaseHTTPRequestHandler):
    """One connection, kept alive; every method is served alike."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "local-host", ""
    wbufsize = -1  # head and body leave together
    disable_nagle_algorithm = True
    router: Router
    admin: Admin

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if self.headers.get("Transfer-Encoding") or not length.isdigit():
            return self._refuse(411)
        if int(length) > BODY_LIMIT:
            return self._refuse(413)
        body = self.rfile.read(int(length))
        path = self.path.partition("?")[0]
        if path.startswith("/admin/"):
            return self._send(self.admin(self.command, path, body))
        headers = {name.title(): ",".join(self.headers.get_all(name, [])) for name in self.headers}
        return self._send(self.router.serve(self.command, self.path, headers, body))

    def _refuse(self, status: int) -> None:
        """Answers without reading the body, and hangs up."""
        self.close_connection = True
        self._send(func.HttpResponse(status_code=status, headers={"Connection": "close"}))

    def _send(self, response: func.HttpResponse) -> None:
        body, headers = response.get_body(), response.headers
        self.send_response(response.status_code)
        if "Content-Type" not in headers and body:
            charset = f"; charset={response.charset}" if response.mimetype.startswith("text/") else ""
            self.send_header("Content-Type", f"{response.mimetype}{charset}")
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding"):
                self.send_header(name, value)
        if response.status_code not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and response.status_code not in (204, 304):
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        log.warning("a connection broke: %s", sys.exc_info()[1])


def make_server(port: int, router: Router, admin: Admin) -> ThreadingHTTPServer:
    """A server on this machine's loopback, with port 0 on a free port; the caller runs and closes it."""
    handler = type("Handler", (_Handler,), {"router": router, "admin": staticmethod(admin)})
    return _Server(("127.0.0.1", port), handler)
