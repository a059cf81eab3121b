"""Runs the functions as the Python worker does: sync ones on one thread pool, async ones on one event loop."""

import asyncio
import inspect
import logging
import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import azure.functions as func

from local.metadata import Function

log = logging.getLogger("local.worker")


class Activity:
    """Counts what is in hand; equal counts of begun and ended, twice the same, mean that nothing went on in between."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = (0, 0)

    def begin(self) -> None:
        """One more event in hand."""
        with self._lock:
            self._counts = (self._counts[0] + 1, self._counts[1])

    def end(self) -> None:
        """One event done with, however it went."""
        with self._lock:
            self._counts = (self._counts[0], self._counts[1] + 1)

    @contextmanager
    def one(self) -> Iterator[None]:
        """From here to the block's end something is in hand."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    @property
    def counts(self) -> tuple[int, int]:
        """Begun and ended so far."""
        return self._counts


class Invocation(func.Context):
    """The `context` that a function may ask for; without tracing or retry policy."""

    def __init__(self, function_name: str, invocation_id: str) -> None:
        self._function_name = function_name
        self._invocation_id = invocation_id
        self._local = threading.local()

    @property
    def invocation_id(self) -> str:
        """Names this one run."""
        return self._invocation_id

    @property
    def function_name(self) -> str:
        """The registered name."""
        return self._function_name

    @property
    def function_directory(self) -> str:
        """The app's folder."""
        return os.getcwd()

    @property
    def thread_local_storage(self) -> Any:
        """Unused here: the local host logs without the platform's help."""
        return self._local

    @property
    def trace_context(self) -> Any:
        """There is no tracing."""
        return None

    @property
    def retry_context(self) -> Any:
        """There is no retry policy."""
        return None


class Worker:
    """The one thread pool and the one event loop that all functions of the app share."""

    def __init__(self) -> None:
        threads = int(os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT") or min(32, (os.cpu_count() or 1) + 4))
        self._pool = ThreadPoolExecutor(threads, "worker")
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="event-loop", daemon=True).start()
        self._lock = threading.Lock()
        self.activity = Activity()
        self.running = Activity()
        self.failures: Counter[str] = Counter()

    def submit(self, function: Function, argument: Any) -> Future[Any]:
        """Starts one invocation; the future brings what the function returns or raises."""
        invocation = Invocation(function.name, str(uuid.uuid4()))
        arguments = {str(function.trigger["name"]): argument}
        if function.wants_context:
            arguments["context"] = invocation
        self.activity.begin()
        self.running.begin()
        if inspect.iscoroutinefunction(function.run):
            return asyncio.run_coroutine_threadsafe(self._await(function, arguments, invocation), self._loop)
        return self._pool.submit(self._call, function, arguments, invocation)

    def _call(self, function: Function, arguments: dict[str, Any], invocation: Invocation) -> Any:
        with self._watched(invocation):
            return function.run(**arguments)

    async def _await(self, function: Function, arguments: dict[str, Any], invocation: Invocation) -> Any:
        with self._watched(invocation):
            return await function.run(**arguments)

    @contextmanager
    def _watched(self, invocation: Invocation) -> Iterator[None]:
        """Counts and logs one invocation; its error goes on to the trigger, which decides about another try."""
        name, begin = invocation.function_name, time.monotonic()
        try:
            yield
        except BaseException:
            with self._lock:
                self.failures[name] += 1
            log.exception(
                "%s failed after %.0f ms (%s)", name, 1e3 * (time.monotonic() - begin), invocation.invocation_id
            )
            raise
        else:
            log.info("%s ran %.0f ms (%s)", name, 1e3 * (time.monotonic() - begin), invocation.invocation_id)
        finally:
            self.running.end()
            self.activity.end()
