"""Serves HTTP triggers: their routes, and requests and responses as the Python worker gives and takes them."""

import logging
import re
import socket
import threading
from collections.abc import Callable
from concurrent.futures import wait
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import azure.functions as func
import waitress
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from werkzeug import Request, Response

from local.metadata import Function, HostError
from local.worker import Worker

log = logging.getLogger("local.http")
BODY_LIMIT = 100 * 1024 * 1024  # bytes, the platform's own
PATIENCE_S = 230.0  # the load balancer before the platform waits no longer
Serve = Callable[[Request], Response]


def parse_route(template: str) -> re.Pattern[str]:
    """Reads a template of plain text, `{name}`, `{name?}` and `{*rest}`; HostError if it holds anything else.

    Werkzeug's own routes mind the case, add HEAD to GET and redirect; the platform's do not.
    """
    if re.search(r"[{}]", re.sub(r"\{(\*{1,2}\w+|\w+\??)\}", "", template)):
        raise HostError(f"the local host cannot read the route {template!r}")
    expression = ""
    for segment in filter(None, template.split("/")):
        if rest := re.fullmatch(r"\{\*+(\w+)\}", segment):
            expression += f"(?:/(?P<{rest[1]}>.*))?"
        elif optional := re.fullmatch(r"\{(\w+)\?\}", segment):
            expression += f"(?:/(?P<{optional[1]}>[^/]+))?"
        else:
            expression += "/" + re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(segment))
    return re.compile(f"{expression}/?" if expression else "/", re.IGNORECASE)


def match_route(route: re.Pattern[str], path: str) -> dict[str, str] | None:
    """The route's parameters if a path is one of its own."""
    found = route.fullmatch(path)
    return None if found is None else {name: unquote(value) for name, value in found.groupdict().items() if value}


def given_parameters(request: Request) -> dict[str, str]:
    """The query as the platform passes it on: the values of a name joined, what is empty left out."""
    joined = {name: ",".join(filter(None, values)) for name, values in request.args.lists()}
    return {name: value for name, value in joined.items() if value}


class _Parser(HTTPRequestParser):
    """Leaves a chunked request as it came, without a length: the platform passes a body only if it has one."""

    def received(self, data: bytes) -> int:
        taken = super().received(data)
        if self.completed and self.chunked:
            kept = {name: value for name, value in self.headers.items() if name != "CONTENT_LENGTH"}
            self.headers = kept | {"TRANSFER_ENCODING": "chunked"}
        return taken


class Router:
    """Finds the function of a method and a path, and runs it; ``patience`` [s]: how long a caller is kept waiting."""

    def __init__(
        self, functions: list[Function], prefix: str, worker: Worker, key: str = "", patience: float = PATIENCE_S
    ) -> None:
        self._worker = worker
        self._patience = patience
        self._key = key
        self._routes: list[tuple[re.Pattern[str], set[str], Function]] = []
        for function in sorted(functions, key=lambda one: one.name):  # as the platform's host tries them
            route = parse_route(f"{prefix}/{function.trigger['route']}")
            methods = {str(method).upper() for method in function.trigger.get("methods") or ()}
            self._routes.append((route, methods, function))

    def serve(self, request: Request) -> Response:
        """The function's response; 404 if none has this path and method, 500 if it fails, 504 if it is late."""
        url = urljoin(request.host_url, request.environ["REQUEST_URI"])
        for route, methods, function in self._routes:
            parameters = match_route(route, urlsplit(url).path)
            if parameters is not None and (not methods or request.method in methods):
                if not self._may(request, function):
                    return Response(status=401)
                argument = func.HttpRequest(
                    method=request.method,
                    url=url,
                    headers=dict(request.headers),
                    params=given_parameters(request),
                    route_params=parameters,
                    body=request.get_data() if "Content-Length" in request.headers else b"",
                )
                return self._run(function, argument)
        return Response(status=404)

    def _may(self, request: Request, function: Function) -> bool:
        """Whether the request has the key, where the host was given one and the function asks for it."""
        if not self._key or str(function.trigger.get("authLevel", "function")).lower() == "anonymous":
            return True
        return self._key in (request.headers.get("x-functions-key"), request.args.get("code"))

    def _run(self, function: Function, request: func.HttpRequest) -> Response:
        run = self._worker.submit(function, request)
        if wait(
            [run], self._patience
        ).not_done:  # it goes on; the platform's own words are 502, what callers see is 504
            log.warning("%s has not answered in %.0f s, and its caller waits no longer", function.name, self._patience)
            return Response(status=504)
        try:
            result: Any = run.result()
        except Exception:  # logged by the worker; the caller learns no more
            return Response(status=500)
        if result is None:
            return Response(status=204)
        if isinstance(result, str | bytes):
            result = func.HttpResponse(result)
        if not isinstance(result, func.HttpResponse):
            log.error("%s returned a %s, which is no HTTP response", function.name, type(result).__name__)
            return Response(status=500)
        mimetype = None if "Content-Type" in result.headers else result.mimetype
        return Response(result.get_body(), result.status_code, result.headers, mimetype)


def serve(listener: socket.socket, router: Router, admin: Serve) -> None:
    """Serves on a socket that listens, until the process ends."""

    @Request.application
    def application(request: Request) -> Response:
        return admin(request) if request.path.startswith("/admin/") else router.serve(request)

    HTTPChannel.parser_class = _Parser  # waitress has no option for it
    options = {"sockets": [listener], "threads": 32, "ident": None, "max_request_body_size": BODY_LIMIT}
    threading.Thread(target=waitress.serve, args=(application,), kwargs=options, name="http", daemon=True).start()
