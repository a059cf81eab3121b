"""Timer triggers, what all triggers but HTTP share, and the faults that the platform allows itself, on request."""

import logging
import random
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar

import azure.functions as func
from azure.core.exceptions import AzureError
from croniter import croniter

from local.metadata import Function, HostSettings
from local.storage import Records
from local.worker import Worker

log = logging.getLogger("local.triggers")
FASTEST, SLOWEST = 0.2, 1.5  # seconds between two looks for work
LONGEST_REST = 15.0  # seconds: a storage that stood still for a minute is no reason to rest for ten
LATE = timedelta(seconds=5)
Event = TypeVar("Event")


class Faults:
    """Decides, with a seed, which deliveries are repeated and in which order blob events come."""

    def __init__(self, redeliver: float = 0.0, shuffle: bool = False, seed: int = 0) -> None:
        self._redeliver = redeliver
        self._shuffle = shuffle
        self._random = random.Random(seed)  # noqa: S311  (repeatable, not secret)

    def again(self) -> bool:
        """Whether this delivery is to come a second time."""
        return self._random.random() < self._redeliver

    def order(self, held: list[Event], fresh: list[Event]) -> tuple[list[Event], list[Event]]:
        """Which events to deliver now, and which to hold back until later; without fresh ones nothing is held."""
        events = [*held, *fresh]
        if not self._shuffle:
            return events, []
        self._random.shuffle(events)
        split = len(events) // 3 if fresh else 0
        return events[split:], events[:split]


@dataclass(frozen=True)
class Runtime:
    """What the triggers of one process share."""

    settings: HostSettings
    worker: Worker
    faults: Faults
    stop: threading.Event  # set: take no more work
    host_id: str  # folder of the host's records, and in the name of its queue
    lease: int  # [s] a taken message stays hidden so long, unless renewed


class Trigger(ABC):
    """A trigger that is not HTTP: one thread looks for work, others do it."""

    slowest = SLOWEST
    rest = 0  # times as long as a look that found nothing took passes before the next

    def __init__(self, name: str, runtime: Runtime, threads: int) -> None:
        self.name = name
        self.runtime = runtime
        self._threads = ThreadPoolExecutor(threads, name)
        self._woken = threading.Event()

    @abstractmethod
    def look(self) -> int:
        """Looks for work, hands it to the threads, and says how much it was."""

    @abstractmethod
    def queued(self) -> int:
        """Work that waits, after a fresh look."""

    def start(self) -> None:
        """Begins to look: at once again after a find, else more and more slowly."""
        threading.Thread(target=self._watch, name=self.name, daemon=True).start()

    def wake(self) -> None:
        """Lets it look at once: there is work."""
        self._woken.set()

    def hand(self, work: Callable[..., None], *arguments: Any) -> Future[None]:
        """Gives work to the threads."""
        return self.runtime.worker.begin(self._threads.submit, self._do, work, *arguments)

    def _do(self, work: Callable[..., None], *arguments: Any) -> None:
        try:
            work(*arguments)
        except AzureError as error:
            log.warning("%s: the storage failed, so this comes again: %s", self.name, error)
        except Exception:
            log.exception("%s: the local host failed", self.name)

    def _watch(self) -> None:
        pause = 0.0
        while not self.runtime.stop.is_set():
            begun = time.monotonic()
            try:
                if self.look():
                    pause = 0.0
                else:
                    rest = min(self.rest * (time.monotonic() - begun), LONGEST_REST)
                    pause = max(min(max(pause, FASTEST) * 1.4, self.slowest), rest)
            except AzureError as error:
                log.warning("%s cannot look for work: %s", self.name, error)
                pause = SLOWEST
            self._woken.wait(pause)
            self._woken.clear()


class FunctionTrigger(Protocol):
    """A trigger of one function, which can be run by hand."""

    def hand(self, work: Callable[..., None], *arguments: Any) -> Future[None]:
        """Gives work to the threads."""

    def run_now(self, text: str, /) -> None:
        """Runs the function once with that input, out of turn."""


def next_after(schedule: str, moment: datetime) -> datetime:
    """The first occurrence of an NCRONTAB later than a moment; unlike in Unix, day and weekday must both match.

    It has six fields, or five, which mean second 0. ValueError if it is wrong, or never occurs, as on the 31st of June,
    or holds what croniter knows and the platform does not: `L`, `#`, 7 for Sunday.
    """
    if not re.fullmatch(r"(([\d*,/-]|[a-z]{3})+\s+){4,5}([0-6*,/-]|[a-z]{3})+", schedule, re.IGNORECASE):
        raise ValueError(f"schedule {schedule!r} is not of six fields: second minute hour day month weekday (0-6)")
    try:
        return croniter(schedule, moment, day_or=False, second_at_beginning=True).get_next(datetime)
    except ValueError as error:
        raise ValueError(f"schedule {schedule!r} is wrong or never occurs: {error}") from error


class TimerTrigger(Trigger):
    """One timer; its single thread sees to it that runs never overlap.

    The next occurrence is kept in storage, as the platform does, so that a run missed while the host was down, or while
    the run before took too long, comes at once with `past_due` set.
    """

    slowest = FASTEST

    def __init__(self, function: Function, runtime: Runtime) -> None:
        super().__init__(function.name, runtime, threads=1)
        self._function = function
        self._schedule = function.trigger["schedule"]
        self._records = Records(f"{runtime.host_id}/timers")
        now = datetime.now(UTC)
        coming = next_after(self._schedule, now)
        kept = dict(self._records.all()).get(function.name, {}).get("next")
        if kept and datetime.fromisoformat(kept) < now:
            self._due = datetime.fromisoformat(kept)
        else:
            self._due = now if function.trigger.get("runOnStartup") else coming
        self._records.put(function.name, next=self._due.isoformat())

    def look(self) -> int:
        """Runs the function if an occurrence is due, and waits for its end."""
        now = datetime.now(UTC)
        if self._due > now:
            return 0
        wait([self.hand(self._run, now - self._due > LATE)])
        self._due = next_after(self._schedule, now)
        self._records.put(self.name, next=self._due.isoformat())
        return 1

    def queued(self) -> int:
        """One while an occurrence is due, else none."""
        return int(self._due <= datetime.now(UTC))

    def run_now(self, _: str) -> None:
        """Runs once, out of turn."""
        self._run(past_due=False)

    def _run(self, past_due: bool) -> None:
        request = func.timer.TimerRequest(past_due=past_due)
        self.runtime.worker.submit(self._function, request).exception()  # logged; the next occurrence comes anyway
