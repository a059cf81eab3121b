"""Runs the functions as the Python worker does: sync ones on one thread pool, async ones on one event loop.

A run that takes longer than `functionTimeout` cuts the worker, as on the platform: the process ends at once, with all
that it ran. What its runs had taken comes back when it is visible again.
"""

import asyncio
import inspect
import logging
import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

from local.metadata import Function

log = logging.getLogger("local.worker")
TIMED_OUT = 3  # exit code of a process that was cut by functionTimeout
thread_storage = threading.local()  # the worker has one for all invocations


class Worker:
    """The thread pool and the event loop that all functions share; it also knows all that the host has in hand.

    ``function_timeout``: what a run may take; without one, as long as it likes.
    """

    def __init__(self, function_timeout: timedelta | None = None) -> None:
        threads = int(os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT") or min(32, (os.cpu_count() or 1) + 4))
        self._pool = ThreadPoolExecutor(threads, "worker")
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="event-loop", daemon=True).start()
        self._lock = threading.RLock()  # an invocation may end before it is counted as begun
        self._begun = 0
        self._open: set[Future[Any]] = set()
        self._runs: dict[str, tuple[str, float]] = {}  # function and beginning by invocation, the oldest first
        self.invocations = 0
        self.failures: Counter[str] = Counter()
        if function_timeout is not None:
            threading.Thread(
                target=self._watch, args=(function_timeout.total_seconds(),), name="timeout", daemon=True
            ).start()

    def submit(self, function: Function, argument: Any) -> Future[Any]:
        """Starts one invocation; the future brings what the function returns or raises."""
        context = SimpleNamespace(
            function_name=function.name,
            invocation_id=str(uuid.uuid4()),
            trace_context=SimpleNamespace(trace_parent=f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-01"),
            thread_local_storage=thread_storage,
        )
        arguments = {function.trigger["name"]: argument} | ({"context": context} if function.wants_context else {})
        return self.begin(self._start, function, arguments, context.invocation_id)

    def begin(self, submit: Callable[..., Future[Any]], *arguments: Any) -> Future[Any]:
        """Calls `submit`; until the future that it returns is done, it is in hand."""
        with self._lock:
            future = submit(*arguments)
            self._begun += 1
            self._open.add(future)
        future.add_done_callback(self._open.discard)
        return future

    @property
    def in_hand(self) -> tuple[int, int]:
        """How much was begun so far, and how much of it is open; the same twice means that nothing began meanwhile."""
        with self._lock:
            return self._begun, len(self._open)

    def drain(self, seconds: float) -> int:
        """Waits at most so long for all that is in hand to end; how much did not."""
        with self._lock:
            still_open = self._open.copy()
        return len(wait(still_open, seconds).not_done)

    def _start(self, function: Function, arguments: dict[str, Any], invocation: str) -> Future[Any]:
        begin = time.monotonic()
        with self._lock:
            self._runs[invocation] = (function.name, begin)
        if inspect.iscoroutinefunction(function.run):
            future = asyncio.run_coroutine_threadsafe(function.run(**arguments), self._loop)
        else:
            future = self._pool.submit(function.run, **arguments)
        future.add_done_callback(partial(self._ended, function.name, invocation, begin))
        return future

    def _ended(self, name: str, invocation: str, begin: float, future: Future[Any]) -> None:
        """Counts and logs one invocation; whether there is another try is the trigger's affair."""
        error, took = future.exception(), 1e3 * (time.monotonic() - begin)
        with self._lock:
            del self._runs[invocation]
            self.invocations += 1
            if error is not None:
                self.failures[name] += 1
        if error is None:
            log.info("%s ran %.0f ms (%s)", name, took, invocation)
        else:
            log.error("%s failed after %.0f ms (%s)", name, took, invocation, exc_info=error)

    def _watch(self, function_timeout: float) -> None:
        """Ends the process when a run takes too long; what begins while this sleeps is not too long by its end."""
        while True:
            now = time.monotonic()
            with self._lock:
                name, begin = next(iter(self._runs.values()), ("", now))
            if now - begin >= function_timeout:
                log.critical("%s ran over functionTimeout of %.0f s: all that runs here is cut", name, function_timeout)
                logging.shutdown()
                os._exit(TIMED_OUT)
            time.sleep(begin + function_timeout - now)
