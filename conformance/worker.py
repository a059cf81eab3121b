"""Indexes and invokes the app with Microsoft's own Python worker library, as the platform does, without a host.

    python conformance/worker.py --app FOLDER

Runs in an environment of its own (conformance/environments.py), started by ``conformance/outside.py`` with a storage,
an emulator of OMNIA that it can ask, and registered platforms. It imports nothing of the project.
Exits with 1 when the worker refuses the app, or a trigger of any kind cannot be called with what the platform sends.
"""

import argparse
import asyncio
import importlib
import json
import logging
import os
import re
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

MOMENT = "2026-03-01T00:00:00.0000000+00:00"
ONSET = "2026-03-01T00:00:00Z"


class WorkerError(Exception):
    """The worker refused something; the message is its own."""


def worker_parts() -> tuple[ModuleType, ModuleType]:
    """Return the worker's event handlers and its protocol, which ships as another package's stray test folder."""
    handlers = importlib.import_module("azure_functions_runtime.handle_event")
    site = Path(handlers.__file__ or "").parent.parent
    # A folder `tests` of ours would hide theirs.
    before = list(sys.path)
    sys.path[:] = [str(site), *(one for one in before if not (Path(one) / "tests").is_dir())]
    try:
        return handlers, importlib.import_module("tests.protos")
    finally:
        sys.path[:] = before


class Worker:
    """The worker with one app in it."""

    def __init__(self, app: Path) -> None:
        """Start the worker and let it index the app; raises WorkerError with its reason."""
        os.environ.pop("CONTAINER_NAME", None)  # it would believe that it runs in Azure
        self.handlers, self.protos = worker_parts()
        sys.path.insert(0, str(app))
        importlib.import_module("azure_functions_runtime.utils.threadpool").start_threadpool_executor()
        init = self.protos.WorkerInitRequest(host_version="4", function_app_directory=str(app))
        self._check(self._send(self.handlers.worker_init_request, worker_init_request=init))
        found = self._send(self.handlers.functions_metadata_request)
        self._check(found)
        self.functions = {one.name: one for one in found.function_metadata_results or ()}

    def invoke(self, name: str, data: Any, metadata: Mapping[str, Any] | None = None) -> Any:
        """Call a function with its trigger's data as the platform sends it; raises WorkerError with its exception."""
        function = self.functions[name]
        argument, _ = trigger_of(function)
        request = self.protos.InvocationRequest(
            invocation_id=str(uuid.uuid4()),
            function_id=function.function_id,
            input_data=[self.protos.ParameterBinding(name=argument, data=data)],
            trigger_metadata={key: self.typed(value) for key, value in (metadata or {}).items()},
        )
        answer = self._send(self.handlers.invocation_request, invocation_request=request)
        self._check(answer)
        return answer.return_value

    def typed(self, value: Any) -> Any:
        """Return a value in the protocol's clothes: bytes, text, or JSON."""
        if isinstance(value, bytes):
            return self.protos.TypedData(bytes=value)
        return self.protos.TypedData(string=value) if isinstance(value, str) else self.json(value)

    def json(self, value: Any) -> Any:
        """Return a value as JSON in the protocol's clothes."""
        return self.protos.TypedData(json=json.dumps(value))

    def http(self, method: str, url: str, route: Mapping[str, str], body: bytes = b"", **headers: str) -> Any:
        """Return an HTTP request in the protocol's clothes."""
        content = self.protos.TypedData(bytes=body)
        request = self.protos.RpcHttp(
            method=method,
            url=url,
            params=dict(route),
            body=content,
            headers={k.replace("_", "-"): v for k, v in headers.items()},
        )
        return self.protos.TypedData(http=request)

    def close(self) -> None:
        """End the worker's threads."""
        importlib.import_module("azure_functions_runtime.utils.threadpool").stop_threadpool_executor()

    def _send(self, handler: Any, **parts: Any) -> Any:
        message = self.protos.StreamingMessage(**parts)
        properties = {"host": "127.0.0.1", "protos": self.protos}
        return asyncio.run(handler(SimpleNamespace(request=message, properties=properties)))

    def _check(self, answer: Any) -> None:
        if answer.result.status != self.protos.StatusResult.Success:
            raise WorkerError(answer.result.exception.message)


def trigger_of(function: Any) -> tuple[str, str]:
    """Return the argument that a function's trigger fills, and the trigger's kind."""
    return next((name, one.type) for name, one in function.bindings.items() if one.type.lower().endswith("trigger"))


class Lines(logging.Handler):
    """What the app says, each line with the invocation that the platform would count it to."""

    def __init__(self) -> None:
        """Listen to everything."""
        super().__init__()
        self.noted: list[tuple[str, str]] = []
        self._storage = importlib.import_module("azure_functions_runtime.bindings.context")._invocation_id_local

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line of the app's."""
        if record.name.split(".")[0] in ("shared", "functions"):
            self.noted.append((getattr(self._storage, "invocation_id", None) or "", record.getMessage()))

    def taken(self, words: str) -> list[str]:
        """Return the lines that begin with these words; raises WorkerError where there is none, or one is of no run."""
        noted, self.noted = self.noted, []
        lost = [line for invocation, line in noted if not invocation]
        if lost:
            raise WorkerError(f"the platform would throw away: {lost[0]}")
        found = [line for _, line in noted if line.startswith(words)]
        if not found:
            raise WorkerError(f"no line begins with {words!r}: {noted}")
        return found


def check(app: Path) -> list[str]:
    """Index the app and call one trigger of each kind; return a line for each; raises WorkerError."""
    worker, lines = Worker(app), Lines()
    logging.getLogger().addHandler(lines)
    logging.getLogger().setLevel(logging.INFO)  # as on the platform
    try:
        kinds: dict[str, list[str]] = {}
        for name, function in worker.functions.items():
            _, kind = trigger_of(function)
            kinds.setdefault(kind, []).append(name)
        counts = ", ".join(f"{len(names)} {kind}" for kind, names in sorted(kinds.items()))
        return [f"indexed {len(worker.functions)} functions: {counts}", *_call_each_kind(worker, kinds, lines)]
    finally:
        logging.getLogger().removeHandler(lines)
        worker.close()


def _call_each_kind(worker: Worker, kinds: Mapping[str, list[str]], lines: Lines) -> list[str]:
    """Call each kind of trigger with what the platform sends, in the order in which one leads to the next."""
    calls = {"timerTrigger": _timer, "queueTrigger": _queue, "httpTrigger": _http}
    unknown = kinds.keys() - calls.keys()
    if unknown:
        raise WorkerError(f"no call for {unknown}")
    return [f"{kind}: {call(worker, kinds[kind], lines)}" for kind, call in calls.items() if kind in kinds]


MESSAGE = {"Id": "an-id", "DequeueCount": 1, "InsertionTime": MOMENT, "ExpirationTime": MOMENT, "PopReceipt": "x"}
SHARE = {
    "schema": 1,
    "platform": "snorre",
    "templates": ["snorre-w"],
    "asked": "2026-03-01T00:00:00Z",
    "until": "2999-01-01T00:00:00Z",
}


def _timer(worker: Worker, names: list[str], lines: Lines) -> str:
    """Send a timer's ticks, on time and past due; readings arrive in the lake."""
    status = {"Last": MOMENT, "Next": MOMENT, "LastUpdated": MOMENT}
    for name in names:
        for late in (False, True):
            tick = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": late}
            worker.invoke(name, worker.json(tick))
        if name == "ingest":
            lines.taken("template watched")
            worker.invoke("ingest_templates", worker.typed(json.dumps(SHARE)), MESSAGE)
            ingested = lines.taken("template ingested")
            if not any(re.search(r"samples=[1-9]", line) for line in ingested):
                raise WorkerError(f"ingest brought nothing: {ingested}")
    return f"{', '.join(names)} called on time and past due"


def _lake(worker: Worker, name: str, lines: Lines) -> None:
    """Send the event of a day blob as it lies in storage, and of one whose platform nobody knows."""
    operation = "0123456789abcdef" * 2
    lines.taken("")  # baselines score, too
    worker.invoke(name, worker.typed(_event("snorre/w/2026-07-08.json", operation)), MESSAGE)
    (scored, *_) = lines.taken("day scored")
    if f"operation={operation}" not in scored:
        raise WorkerError(f"the operation of who wrote the blob was lost: {scored}")
    try:
        worker.invoke(name, worker.typed(_event("nowhere/a/2026-03-01.json", "")), MESSAGE)
    except WorkerError as error:
        if "nowhere" not in str(error):
            raise


def _event(blob: str, request: str) -> str:
    event = {
        "subject": f"/blobServices/default/containers/tsd/blobs/{blob}",
        "eventType": "Microsoft.Storage.BlobCreated",
        "data": {"api": "PutBlob", "clientRequestId": request},
    }
    return json.dumps(event)


def _queue(worker: Worker, names: list[str], lines: Lines) -> str:
    """Send each queue a message of ours, and one that is none: that is refused by the function, not by the worker."""
    asked = {"schema": 1, "platform": "snorre", "template": "snorre-w"}
    incident = {"incident": "snorre-w-20260301T0000Z"}
    more: Mapping[str, Mapping[str, object]] = {
        "estimate": {**incident, "onset": ONSET, "at": ONSET, "sensors": ["snorre-w-1"]},
        "notify": {**incident, "number": 0, "kind": "raised"},
        "ingest_templates": SHARE,
    }
    for name in names:
        if name == "detect":
            _lake(worker, name, lines)
        else:
            worker.invoke(name, worker.typed(json.dumps({**asked, **more.get(name, {})})), MESSAGE)
        try:
            worker.invoke(name, worker.typed("not a message"), MESSAGE)
        except WorkerError as error:
            if "message" not in str(error):
                raise
        else:
            raise WorkerError(f"{name} took a message that is none")
    lines.taken("incident estimated")
    return f"{', '.join(names)} took a message of ours and refused one that is none"


def _http(worker: Worker, names: list[str], lines: Lines) -> str:  # noqa: ARG001 (as the others)
    """Send requests; a resource that is there, one that is not, and a body that is wrong."""
    base = "https://app.azurewebsites.net"
    contract = worker.invoke("get_contract", worker.http("GET", f"{base}/api/openapi.json", {}))
    _expect(contract, "200", "openapi")
    platforms = worker.invoke("list_platforms", worker.http("GET", f"{base}/api/platforms", {}))
    _expect(platforms, "200", "items")
    lost = worker.invoke("get_sensor", worker.http("GET", f"{base}/api/sensors/troll-a-99", {"sensor": "troll-a-99"}))
    _expect(lost, "404", "not-found")
    wrong = worker.http("POST", f"{base}/api/platforms", {}, b'{"id": 1}', content_type="application/json")
    _expect(worker.invoke("create_platform", wrong), "400", "invalid-input")
    _expect(worker.invoke("page_overview", worker.http("GET", f"{base}/overview", {})), "200", "<h1>Overview</h1>")
    return f"{len(names)} indexed; read, missing, wrong and a page answered as they should be"


def _expect(answer: Any, status: str, words: str) -> None:
    content = answer.http.body.bytes or answer.http.body.string.encode()
    if answer.http.status_code != status or words.encode() not in content:
        raise WorkerError(f"expected {status} with {words!r}, got {answer.http.status_code}: {content[:300]!r}")


def main() -> int:
    """Run; 1 when the worker refuses anything."""
    parser = argparse.ArgumentParser(prog="conformance/worker.py", description=__doc__.splitlines()[0])
    parser.add_argument("--app", type=Path, required=True)
    options = parser.parse_args()
    try:
        for line in check(options.app.resolve()):
            print(line)
    except WorkerError as error:
        print(f"the worker refuses the app: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
