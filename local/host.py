"""The local host: runs the project's function app on Azurite, without Azure Functions Core Tools.

It is a development tool, for the tests, the demo and debugging; nothing of it is deployed. It serves timer, blob, queue
and HTTP triggers with the platform's semantics that matter: at-least-once delivery, dequeue counts and poison queues,
leases, blob receipts and retries, one thread pool and one event loop. No keys are asked for, as with Core Tools, unless
it is given one.

    python -m local.host [--port 7071] [--settings local.settings.json] [--app function_app] [--root DIR]
                         [--with-parent] [--lease SECONDS] [--redeliver SHARE] [--shuffle] [--seed N]
                         [--key KEY]

The first line on stdout is the host's address. Beside Core Tools' own `GET /admin/host/status`, `GET /admin/functions`
and `POST /admin/functions/{name}` there is `GET /admin/host/idle`: "idle" is true when no function runs, no event waits
and a fresh look into every trigger's container and queue found nothing.
"""

import argparse
import hashlib
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from azure.core.exceptions import AzureError
from werkzeug import Request, Response

from local.http_server import Router, serve
from local.metadata import Function, HostError, load_functions, load_settings, read_host_json
from local.triggers import Faults, Runtime, TimerTrigger, Trigger
from local.triggers_storage import BlobTrigger, QueueTrigger
from local.worker import Worker

log = logging.getLogger("local.host")
HOST_ID = "AzureFunctionsWebHost__hostid"
GRACE = 20  # seconds that running functions have to end in
TRIGGERS: dict[str, Callable[[Function, Runtime], Trigger]] = {
    "timerTrigger": TimerTrigger,
    "queueTrigger": QueueTrigger,
    "blobTrigger": BlobTrigger,
}


class LocalHost:
    """One app, its triggers and its worker."""

    def __init__(self, options: argparse.Namespace) -> None:
        root: Path = options.root
        load_settings(options.settings or root / "local.settings.json", required=options.settings is not None)
        settings = read_host_json(root / "host.json")
        own_id = hashlib.sha256(f"{root.resolve()}\n{options.app}".encode()).hexdigest()[:16]
        self._id = os.environ.get(HOST_ID, own_id)
        self._options, self._stop, self._worker = options, threading.Event(), Worker()
        faults = Faults(options.redeliver, options.shuffle, options.seed)
        runtime = Runtime(settings, self._worker, faults, self._stop, self._id, options.lease)
        functions = load_functions(options.app, os.environ)
        self._kinds = {f.name: f.kind for f in functions}
        self._triggers = {f.name: _trigger(f, runtime) for f in functions if f.kind != "httpTrigger"}
        http = [f for f in functions if f.kind == "httpTrigger"]
        router = Router(http, settings.route_prefix, self._worker, options.key)
        self._port = serve(options.port, router, self.admin)

    def run(self) -> None:
        """Serves until SIGTERM or SIGINT; then takes no more work, and lets running functions end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        for trigger in self._triggers.values():
            trigger.start()
        print(f"http://127.0.0.1:{self._port}", flush=True)
        log.info("serves %s", ", ".join(f"{name} ({kind})" for name, kind in self._kinds.items()))
        if self._options.with_parent:
            threading.Thread(target=self._watch_parent, daemon=True).start()
        self._stop.wait()
        log.info("stopped, %d pieces of work cut short", self._worker.drain(GRACE))

    def idle(self) -> dict[str, Any]:
        """Whether all is quiet: nothing in hand, nothing found by a look everywhere, and nothing begun meanwhile."""
        before = self._worker.in_hand
        queued = sum(trigger.queued() for trigger in self._triggers.values())
        failed = dict(self._worker.failures)
        return {
            "idle": queued == 0 and before[1] == 0 and self._worker.in_hand == before,
            "queued": queued,
            "in_hand": before[1],
            "invocations": self._worker.invocations,
            "failures": sum(failed.values()),
            "failed": failed,
        }

    def admin(self, request: Request) -> Response:
        """The endpoints under /admin/."""
        name = request.path.removeprefix("/admin/functions/")
        if request.method == "POST" and name in self._triggers:
            trigger = self._triggers[name]
            trigger.hand(trigger.run_now, str(request.get_json(force=True).get("input", "")))
            return Response(status=202)
        pages: dict[str, Callable[[], Any]] = {
            "/admin/host/idle": self.idle,
            "/admin/host/status": lambda: {"id": self._id, "state": "Running", "processId": os.getpid()},
            "/admin/functions": lambda: [{"name": name, "trigger": kind} for name, kind in self._kinds.items()],
        }
        if request.method != "GET" or request.path not in pages:
            return Response(status=404)
        try:
            return Response(json.dumps(pages[request.path]()), mimetype="application/json")
        except AzureError as error:
            return Response(f"the storage does not answer: {error}", 503)

    def _watch_parent(self) -> None:
        sys.stdin.buffer.read()
        self._stop.set()


def _trigger(function: Function, runtime: Runtime) -> Trigger:
    try:
        return TRIGGERS[function.kind](function, runtime)
    except ValueError as error:
        raise HostError(f"function {function.name}: {error}") from error


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.host", description="Runs a function app on Azurite.")
    add = parser.add_argument
    add("--root", type=Path, default=Path(), help="the app's folder, with host.json (here)")
    add("--app", default="function_app", help="the app's module (function_app)")
    add("--port", type=int, default=7071, help="0 takes a free one (7071)")
    add("--settings", type=Path, help="local.settings.json (that of the root, if there)")
    add("--key", default="", help="function key to ask for; without it none is, as with Core Tools")
    add("--with-parent", action="store_true", help="end when stdin closes, as it does with a parent")
    add("--lease", type=int, default=30, help="seconds that a taken message stays hidden unless renewed")
    add("--redeliver", type=float, default=0.0, help="share of blob events and messages delivered twice")
    add("--shuffle", action="store_true", help="deliver blob events out of order")
    add("--seed", type=int, default=0, help="of the faults above")
    return parser.parse_args()


def _set_up_logging() -> None:
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.INFO, format="%(asctime)sZ %(levelname)s %(name)s: %(message)s")
    for name, level in (("azure", logging.WARNING), ("urllib3", logging.ERROR), ("waitress", logging.ERROR)):
        logging.getLogger(name).setLevel(level)


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
