"""The endpoints under /admin/, which every instance answers for the whole host."""

import itertools
import json
import os
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import Any

from azure.core.exceptions import AzureError
from werkzeug import Request, Response

from local.groups import HTTP, App, Instance, group_of
from local.triggers import FunctionTrigger, Trigger
from local.worker import Worker

PATIENCE_S = 50.0  # an instance that is started again answers when it is there
DYING = {"processId": 0, "settled": False, "begun": 0, "queued": 0, "in_hand": 0, "invocations": 0, "failed": {}}


class Admin:
    """Tells of its own instance, and asks the others, at their addresses, for what is theirs."""

    def __init__(
        self,
        app: App,
        instance: Instance,
        worker: Worker,
        by_name: Mapping[str, FunctionTrigger],
        counted: Sequence[Trigger],
        addresses: Mapping[Instance, str],
    ) -> None:
        self._app, self._instance, self._worker = app, instance, worker
        self._by_name, self._counted, self._addresses = by_name, counted, addresses
        self._turns = itertools.count()
        self._pool = ThreadPoolExecutor(len(addresses), "admin")

    def answer(self, request: Request) -> Response:
        """The answer of one of the endpoints; 503 if the storage does not answer, or what another instance said."""
        try:
            return self._answer(request)
        except AzureError as error:
            return Response(f"the storage does not answer: {error}", 503)
        except urllib.error.HTTPError as error:
            return Response(error.read(), error.code)

    def _answer(self, request: Request) -> Response:
        name = request.path.removeprefix("/admin/functions/")
        if request.method == "POST" and name != request.path:
            return self._run_now(name, request.get_data())
        pages: dict[str, Callable[[], Any]] = {
            "/admin/instance": self._state,
            "/admin/host/idle": lambda: self._idle(request.args.getlist("without")),
            "/admin/host/status": lambda: {"id": self._app.host_id, "state": "Running", "processId": os.getpid()},
            "/admin/functions": lambda: [{"name": one.name, "trigger": one.kind} for one in self._app.functions],
        }
        if request.method != "GET" or request.path not in pages:
            return Response(status=404)
        return Response(json.dumps(pages[request.path]()), mimetype="application/json")

    def _run_now(self, name: str, body: bytes) -> Response:
        """Runs a function here, or has an instance of its group run it, each in turn."""
        if trigger := self._by_name.get(name):
            trigger.hand(trigger.run_now, str(json.loads(body or b"{}").get("input", "")))
            return Response(status=202)
        group = next((group_of(one) for one in self._app.functions if one.name == name), None)
        there = [address for one, address in self._addresses.items() if one.group == group]
        if group in (None, HTTP, self._instance.group):
            return Response(status=404)
        address = there[next(self._turns) % len(there)]
        with urllib.request.urlopen(f"{address}/admin/functions/{name}", body, PATIENCE_S) as answer:
            return Response(status=answer.status)

    def _state(self) -> dict[str, Any]:
        """What this instance has in hand; "settled": nothing, nothing is found, and nothing began meanwhile."""
        before = self._worker.in_hand
        queued = sum(trigger.queued() for trigger in self._counted)
        failed = dict(self._worker.failures)
        return {
            "processId": os.getpid(),
            "settled": queued == 0 and before[1] == 0 and self._worker.in_hand == before,
            "begun": before[0],
            "queued": queued,
            "in_hand": before[1],
            "invocations": self._worker.invocations,
            "failed": failed,
        }

    def _idle(self, without: Sequence[str]) -> dict[str, Any]:
        """Whether all is quiet: every instance is, twice, and none began anything or was started again in between.

        Once would not do: work may pass from an instance that is still to be asked to one that was. Functions of
        ``without`` may be busy.
        """
        left_out = {group_of(one) for one in self._app.functions if one.name in without}
        states = self._states(left_out)
        quiet = all(one["settled"] for one in states.values())
        if quiet:
            before, states = states, self._states(left_out)
            quiet = states == before
        of_all = states.values()
        failed: Counter[str] = sum((Counter(one["failed"]) for one in of_all), Counter())
        totals = {name: sum(one[name] for one in of_all) for name in ("queued", "in_hand", "invocations")}
        processes = {instance: one["processId"] for instance, one in states.items()}
        return {"idle": quiet, **totals, "failures": failed.total(), "failed": failed, "processes": processes}

    def _states(self, left_out: Collection[str]) -> dict[str, dict[str, Any]]:
        """What every instance of the other groups says of itself, all asked at once."""
        asked = {str(one): address for one, address in self._addresses.items() if one.group not in left_out}
        return dict(zip(asked, self._pool.map(_ask, asked.values()), strict=True))


def _ask(address: str) -> dict[str, Any]:
    """What an instance says of itself; one that dies meanwhile is not settled."""
    try:
        with urllib.request.urlopen(f"{address}/admin/instance", timeout=PATIENCE_S) as answer:
            state: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError:
        raise
    except (OSError, HTTPException):
        return DYING
    return state
