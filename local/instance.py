"""One process of a function group: its functions, their triggers, its worker, and its address."""

import argparse
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from multiprocessing import connection, parent_process
from typing import TypeVar

from azure.core.exceptions import AzureError

from local.admin import Admin
from local.groups import Instance, load_app
from local.http_server import Router, serve
from local.logs import set_up_logging
from local.metadata import Function, HostError
from local.triggers import Faults, FunctionTrigger, Runtime, TimerTrigger, Trigger
from local.triggers_blob import BlobFunction, BlobQueue, BlobTrigger
from local.triggers_queue import QueueTrigger
from local.worker import Worker

log = logging.getLogger("local.instance")
Made = TypeVar("Made")
GRACE = 20  # seconds that running functions have to end in
SIGNALS = (signal.SIGTERM, signal.SIGINT)
TRIGGERS: dict[str, Callable[[Function, Runtime], TimerTrigger | QueueTrigger]] = {
    "timerTrigger": TimerTrigger,
    "queueTrigger": QueueTrigger,
}


def run_instance(
    options: argparse.Namespace,
    instance: Instance,
    listener: socket.socket,
    addresses: Mapping[Instance, str],
    ready: connection.Connection,
) -> None:
    """Serves an instance at a socket that listens until SIGTERM or SIGINT; then takes no more work, and drains.

    ``addresses``: those of all instances; ``ready`` is told when it serves, or why it cannot.
    """
    stop = threading.Event()
    for number in SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    set_up_logging()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        worker = _serve(options, instance, listener, addresses, stop)
    except (HostError, AzureError, OSError) as error:
        ready.send(f"the storage does not answer: {error}" if isinstance(error, AzureError) else str(error))
        os._exit(1)
    ready.send("")
    stop.wait()
    if cut := worker.drain(GRACE):
        log.warning("stopped, %d pieces of work cut short", cut)
    os._exit(0)  # a function that never ends must not keep the process


def _serve(
    options: argparse.Namespace,
    instance: Instance,
    listener: socket.socket,
    addresses: Mapping[Instance, str],
    stop: threading.Event,
) -> Worker:
    app = load_app(options.root, options.app, options.settings)
    worker = Worker(app.settings.function_timeout)
    faults = Faults(options.redeliver, options.shuffle, options.seed + instance.number)
    runtime = Runtime(app.settings, worker, faults, stop, app.host_id, options.lease)
    functions = app.of(instance.group)
    by_hand, triggers = _triggers(functions, runtime, scans=instance.number == 0)
    http = [function for function in functions if function.kind == "httpTrigger"]
    router = Router(http, app.settings.route_prefix, worker, options.key)
    counted = triggers if instance.number == 0 else []  # all instances of a group look at the same
    admin = Admin(app, instance, worker, by_hand, counted, addresses)
    for trigger in triggers:
        trigger.start()
    serve(listener, router, admin.answer)
    return worker


def _triggers(
    functions: list[Function], runtime: Runtime, scans: bool
) -> tuple[dict[str, FunctionTrigger], list[Trigger]]:
    """The triggers that run a function by hand, by its name, and those that look for work; one process scans."""
    others = [_made(TRIGGERS[one.kind], one, runtime) for one in functions if one.kind in TRIGGERS]
    blob_functions = [_made(BlobFunction, one) for one in functions if one.kind == "blobTrigger"]
    by_hand: dict[str, FunctionTrigger] = {one.name: one for one in others}
    looking: list[Trigger] = [*others]
    if blob_functions:
        queue = BlobQueue(blob_functions, runtime)
        blobs = [BlobTrigger(one, runtime, queue.put) for one in blob_functions]
        by_hand |= {one.name: one for one in blobs}
        looking += [*(blobs if scans else ()), queue]
    return by_hand, looking


def _made(kind: Callable[..., Made], function: Function, *more: object) -> Made:
    """What is made of a function; HostError names one whose binding is wrong."""
    try:
        return kind(function, *more)
    except ValueError as error:
        raise HostError(f"function {function.name}: {error}") from error


def _end_with_parent() -> None:
    """Ends this process when the host's own is gone: nobody would end it any more."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
