"""Poison: what failed every try of the platform is tried again, less and less often, before a person is asked.

The platform puts such work into ``<queue>-poison``. The app gives it back to its queue, hidden for a growing while, and
counts in the message how often it did. What fails for the last time, or can never be read, is kept in
``<queue>-given-up``, told as an event, and logged for as long as it is there. Each step first writes and then removes:
cut short, it leaves a message twice, and work done twice changes nothing.
"""

import base64
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.domain.event import poison_message
from shared.errors import InvalidInput, LeakDetectionError
from shared.ports import EventsTable, PoisonMessage, PoisonQueues
from shared.telemetry import log_event

logger = logging.getLogger(__name__)

POISON = "-poison"  # what the host adds to a queue's name for messages that failed every try
GIVEN_UP = "-given-up"  # what the app adds, for what waits for a person
BLOBS = "webjobs-blobtrigger"  # the queue's name from which the host makes that of blobs that failed
POISON_BLOBS = f"{BLOBS}{POISON}"

WAITS = (timedelta(minutes=5), timedelta(minutes=20), timedelta(hours=1), timedelta(hours=3))
BUDGET = timedelta(seconds=60)
RETURNED = "returned"  # in a message: how often it was given back

Work = Callable[[str], object]  # does what a message asks for, or raises


@dataclass(frozen=True, kw_only=True)
class TakeUpPoison:
    """Takes up again what failed, and hands over to people what goes on to fail."""

    queues: PoisonQueues
    events: EventsTable
    checks: Mapping[str, Work]  # of each queue: raises InvalidInput for a message that can never succeed
    score: Work  # scores the day that a message of the host about a blob names
    is_gone: Callable[[Mapping[str, Any]], bool]  # whether nothing is left to do of what a message asks for
    container: str  # of the lake: blobs of others on the same storage are theirs
    waits: tuple[timedelta, ...] = WAITS
    budget: timedelta = BUDGET  # no further message is taken up after so long

    def run(self) -> None:
        """Take up what waits; then log, for as long as it is there, what waits for a person."""
        until = time.monotonic() + self.budget.total_seconds()
        for queue in (*self.checks, BLOBS):
            for message in self.queues.waiting(f"{queue}{POISON}"):
                self._take_up(queue, message)
                if time.monotonic() > until:
                    break
        for name, length in self.queues.lengths([f"{queue}{GIVEN_UP}" for queue in (*self.checks, BLOBS)]).items():
            if length:
                log_event(logger, "poison message", logging.ERROR, queue=name, count=length)

    def _take_up(self, queue: str, message: PoisonMessage) -> None:
        try:
            asked = asked_of(message.content)
            if queue == BLOBS and asked.get("ContainerName", self.container) != self.container:
                return
            if self.is_gone(asked):
                log_event(logger, "work dropped", queue=queue, template=asked.get("template"))
                self.queues.remove(message)
                return
            again = self._score(message) if queue == BLOBS else self._check(queue, message)
        except InvalidInput as error:
            self._give_up(queue, message, str(error))
            return
        times = _times(asked)
        if again and times >= len(self.waits):
            self._give_up(queue, message, f"failed again after it was given back {times} times; {again}")
            return
        if again:
            wait, back = self.waits[times], f"{queue}{POISON}" if queue == BLOBS else queue
            self.queues.put(back, json.dumps(asked | {RETURNED: times + 1}), wait)
            log_event(logger, "message given back", queue=back, returned=times + 1, wait_s=wait.total_seconds())
        self.queues.remove(message)

    def _check(self, queue: str, message: PoisonMessage) -> str:
        """Return why the message goes back to its queue; raises InvalidInput where it can never succeed."""
        try:
            self.checks[queue](text_of(message.content))
        except InvalidInput:
            raise
        except LeakDetectionError as error:  # such as a message of a newer release
            return str(error)
        return "the exceptions of its function say why"

    def _score(self, message: PoisonMessage) -> str:
        """Score the day, and return why it has to be tried again; empty: it is done."""
        try:
            self.score(text_of(message.content))
        except InvalidInput:
            raise
        except Exception as error:  # whatever one day fails of must not keep the others waiting
            logger.exception("%s: message %s fails again", message.queue, message.id)
            return f"{type(error).__name__}: {error}"
        return ""

    def _give_up(self, queue: str, message: PoisonMessage, why: str) -> None:
        kept = f"{queue}{GIVEN_UP}"
        self.events.put(poison_message(queue, kept, message.content, message.put_at, why))
        self.queues.copy(message, kept)
        self.queues.remove(message)


def text_of(content: str) -> str:
    """Return what a message says; raises InvalidInput where it is not base64 of text, as the host expects."""
    try:
        return base64.b64decode(content, validate=True).decode()
    except ValueError as error:
        raise InvalidInput(f"it is no base64 of UTF-8: {error}") from error


def asked_of(content: str) -> dict[str, Any]:
    """Return the message's JSON object; raises InvalidInput."""
    return json_object(text_of(content))


def json_object(text: str) -> dict[str, Any]:
    """Return the JSON object that a text is; raises InvalidInput."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"it is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise InvalidInput("it is not a JSON object")
    return found


def blob_of(text: str) -> str:
    """Return the blob's name of a message of the host about a blob that failed; raises InvalidInput."""
    try:
        return str(json.loads(text)["BlobName"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidInput(f"it names no blob: {error!r}") from error


def _times(asked: Mapping[str, Any]) -> int:
    times = asked.get(RETURNED, 0)
    return times if isinstance(times, int) and times >= 0 else 0


def failed(lengths: Mapping[str, int]) -> Mapping[str, int]:
    """Return the queues of what failed every try that hold anything, and how much."""
    return {queue: length for queue, length in lengths.items() if length and queue.endswith((POISON, GIVEN_UP))}
