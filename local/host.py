"""The local host: runs the project's function app on Azurite, without Azure Functions Core Tools.

It is a development tool, for the tests, the demo and debugging; nothing of it is deployed. It serves timer, blob, queue
and HTTP triggers with the platform's semantics that matter: at-least-once delivery, dequeue counts and poison queues,
leases, blob receipts and retries, one thread pool and one event loop. No keys are asked for, as with Core Tools.

    python -m local.host [--port 7071] [--settings local.settings.json] [--app function_app] [--root DIR]
                         [--with-parent] [--lease SECONDS] [--redeliver SHARE] [--shuffle] [--seed N]

The first line on stdout is the host's address. Beside Core Tools' own `GET /admin/host/status`, `GET /admin/functions`
and `POST /admin/functions/{name}` there is `GET /admin/host/idle`: "idle" is true when no function runs, no event waits
and a fresh look into every trigger's container and queue found nothing.
"""

import argparse
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import azure.functions as func
from azure.core.exceptions import AzureError

from local.faults import Faults
from local.http_server import Router, make_server
from local.metadata import Function, HostError, load_functions, load_settings, read_host_json
from local.runtime import Runtime
from local.storage import host_id
from local.triggers_blob import BlobTrigger
from local.triggers_queue import QueueTrigger
from local.triggers_timer import TimerTrigger
from local.worker import Worker

log = logging.getLogger("local.host")
GRACE = 20  # seconds that running functions have to end in


class Trigger(Protocol):
    """What the host needs of a trigger that is not HTTP."""

    def start(self) -> None:
        """Begins to watch."""

    def queued(self) -> int:
        """Events that wait or are in hand, after a fresh look."""

    def run_now(self, text: str, /) -> None:
        """Runs the function once with that input, out of turn."""


TRIGGERS: dict[str, Callable[[Function, Runtime], Trigger]] = {
    "timerTrigger": TimerTrigger,
    "queueTrigger": QueueTrigger,
    "blobTrigger": BlobTrigger,
}


@dataclass(frozen=True)
class Options:
    """The command line."""

    root: Path
    app: str
    port: int
    settings: Path | None
    lease: int
    with_parent: bool
    faults: Faults


class LocalHost:
    """One app, its triggers and its worker."""

    def __init__(self, options: Options) -> None:
        root, self._with_parent = options.root, options.with_parent
        load_settings(options.settings or root / "local.settings.json", required=options.settings is not None)
        settings = read_host_json(root / "host.json")
        self._stop, self._worker, self._id = threading.Event(), Worker(), host_id(root, options.app)
        blob_threads = ThreadPoolExecutor(settings.blob_parallelism, "blob")
        runtime = Runtime(settings, self._worker, options.faults, self._stop, self._id, options.lease, blob_threads)
        functions = load_functions(options.app, os.environ)
        self._triggers = {f.name: TRIGGERS[f.kind](f, runtime) for f in functions if f.kind != "httpTrigger"}
        self._kinds = {f.name: f.kind for f in functions}
        http = [f for f in functions if f.kind == "httpTrigger"]
        self._server = make_server(options.port, Router(http, settings.route_prefix, self._worker), self.admin)

    def run(self) -> None:
        """Serves until SIGTERM or SIGINT; then takes no more work, and lets running functions end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        for trigger in self._triggers.values():
            trigger.start()
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="http", daemon=True).start()
        print(f"http://127.0.0.1:{self._server.server_port}", flush=True)
        for name, kind in self._kinds.items():
            log.info("serves %s (%s)", name, kind)
        if self._with_parent:
            threading.Thread(target=self._watch_parent, daemon=True).start()
        self._stop.wait()
        self._server.shutdown()
        self._drain()

    def idle(self) -> dict[str, Any]:
        """Whether all is quiet: nothing in hand before and after a look everywhere, and nothing found by it."""
        before = self._worker.activity.counts
        queued = sum(trigger.queued() for trigger in self._triggers.values())
        begun, ended = self._worker.running.counts
        quiet = before[0] == before[1] and self._worker.activity.counts == before
        failures = dict(self._worker.failures)
        return {
            "idle": quiet and queued == 0,
            "queued": queued,
            "running": begun - ended,
            "invocations": ended,
            "failures": sum(failures.values()),
            "failed": failures,
        }

    def admin(self, method: str, path: str, body: bytes) -> func.HttpResponse:
        """The endpoints under /admin/."""
        name = path.removeprefix("/admin/functions/")
        if method == "POST" and name != path:
            return self._run_now(name, body)
        pages: dict[str, Callable[[], Any]] = {
            "/admin/host/idle": self.idle,
            "/admin/host/status": lambda: {"id": self._id, "state": "Running", "processId": os.getpid()},
            "/admin/functions": lambda: [{"name": name, "trigger": kind} for name, kind in self._kinds.items()],
        }
        if method != "GET" or path not in pages:
            return func.HttpResponse(status_code=404)
        try:
            return _json(pages[path]())
        except AzureError as error:
            return _json({"error": f"the storage does not answer: {error}"}, 503)

    def _run_now(self, name: str, body: bytes) -> func.HttpResponse:
        trigger = self._triggers.get(name)
        if trigger is None:
            return _json({"error": f"no function {name!r} that is not an HTTP one"}, 404)
        try:
            text = str(json.loads(body or b"{}").get("input", ""))
        except (ValueError, AttributeError):
            return _json({"error": 'the body must be {"input": "..."}'}, 400)
        self._worker.activity.begin()
        threading.Thread(target=self._run_apart, args=(trigger, text), daemon=True).start()
        return func.HttpResponse(status_code=202)

    def _run_apart(self, trigger: Trigger, text: str) -> None:
        try:
            trigger.run_now(text)
        except AzureError as error:
            log.warning("the run asked for could not be made: %s", error)
        finally:
            self._worker.activity.end()

    def _watch_parent(self) -> None:
        sys.stdin.buffer.read()
        self._stop.set()

    def _drain(self) -> None:
        deadline = time.monotonic() + GRACE
        while len(set(self._worker.activity.counts)) > 1 and time.monotonic() < deadline:
            time.sleep(0.02)
        begun, ended = self._worker.running.counts
        log.info("stopped, %d functions cut short", begun - ended)


def _json(value: Any, status: int = 200) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(value), status_code=status, mimetype="application/json")


class _OneLine(logging.Formatter):
    """One line per record, a traceback's lines joined."""

    def format(self, record: logging.LogRecord) -> str:
        return " | ".join(super().format(record).splitlines())


def _set_up_logging() -> None:
    handler = logging.StreamHandler()
    formatter = _OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name, level in (("azure", logging.WARNING), ("urllib3", logging.ERROR)):
        logging.getLogger(name).setLevel(level)


def _options(arguments: list[str] | None = None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m local.host", description="Runs a function app on Azurite.")
    parser.add_argument("--root", type=Path, default=Path(), help="the app's folder, with host.json (here)")
    parser.add_argument("--app", default="function_app", help="the app's module (function_app)")
    parser.add_argument("--port", type=int, default=7071, help="0 takes a free one (7071)")
    parser.add_argument("--settings", type=Path, help="local.settings.json (that of the root, if there)")
    parser.add_argument("--with-parent", action="store_true", help="end when stdin closes, as it does with a parent")
    parser.add_argument(
        "--lease", type=int, default=30, help="seconds that a taken message stays hidden unless renewed"
    )
    parser.add_argument(
        "--redeliver", type=float, default=0.0, help="share of blob events and messages delivered twice"
    )
    parser.add_argument("--shuffle", action="store_true", help="deliver blob events out of order")
    parser.add_argument("--seed", type=int, default=0, help="of the faults above")
    given = parser.parse_args(arguments)
    faults = Faults(given.redeliver, given.shuffle, given.seed)
    return Options(given.root, given.app, given.port, given.settings, given.lease, given.with_parent, faults)


def main() -> int:
    """The command line; ends with 0 after a signal, with 1 and one line if the app cannot be served."""
    options = _options()
    _set_up_logging()
    sys.path.insert(0, str(options.root.resolve()))
    try:
        host = LocalHost(options)
    except (HostError, AzureError, OSError) as error:
        reason = f"the storage does not answer: {error}" if isinstance(error, AzureError) else error
        print(f"The local host cannot start: {reason}", file=sys.stderr)
        return 1
    host.run()
    sys.stderr.flush()
    os._exit(0)  # a function that never ends must not keep the process


if __name__ == "__main__":
    sys.exit(main())
