"""Gives back to the app what it put aside as poison, once the cause is mended."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from shared.adapters.blobs import parse_day_blob
from shared.bootstrap import Bootstrap
from shared.errors import InvalidInput, LeakDetectionError
from shared.usecases.poison import POISON, POISON_BLOBS

HIDDEN_S = 300  # from others who do the same, while one message is worked on
SHOWN = 200  # characters of a message that stays


@dataclass(frozen=True)
class Retried:
    """What became of the messages: how many of each poison queue were given back, and which stay there and why."""

    given_back: Mapping[str, int]
    failed: tuple[str, ...]


def retry(app: Bootstrap) -> Retried:
    """Return how many messages of each poison queue were given back, and what is wrong with the others.

    Messages go back to their queue, days are scored here. One that cannot be decoded or fails again stays where it is,
    hidden for HIDDEN_S, and does not stop the rest; when storage fails, everything stops. One that is given back twice,
    because this was killed half-way, is work done twice, which changes nothing.
    """
    names = app.settings.storage
    gives: dict[str, Callable[[str], object]] = {
        f"{name}{POISON}": app.clients.queue(name).send_message
        for name in (names.critical_queue, names.baselines_queue)
    }
    gives[POISON_BLOBS] = lambda text: _score(app, text)
    given_back: dict[str, int] = {}
    failed: list[str] = []
    for name, give in gives.items():
        given_back[name], problems = _each(app.clients.queue(name), give)
        failed += problems
    return Retried(given_back, tuple(failed))


def _each(queue: QueueClient, give: Callable[[str], object]) -> tuple[int, list[str]]:
    """Return how many of the queue's messages were given back, and a line for each that stays."""
    count, failed = 0, []
    for message in _waiting(queue):
        try:
            give(_text(message))
        except LeakDetectionError as error:
            shown = str(message.content)[:SHOWN]
            failed.append(f"{queue.queue_name}: message {message.id} stays: {error} (message: {shown!r})")
            continue
        queue.delete_message(message)
        count += 1
    return count, failed


def _waiting(queue: QueueClient) -> Iterator[QueueMessage]:
    with suppress(ResourceNotFoundError):  # the queue is not there: nothing has ever failed
        yield from queue.receive_messages(visibility_timeout=HIDDEN_S)


def _text(message: QueueMessage) -> str:
    try:
        return base64.b64decode(message.content, validate=True).decode()
    except ValueError as error:
        raise InvalidInput(f"it is no base64 of UTF-8: {error}") from error


def _score(app: Bootstrap, text: str) -> None:
    try:
        name = json.loads(text)["BlobName"]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"it names no blob: {error!r}") from error
    platform, template, day = parse_day_blob(str(name))
    app.detect.run(platform, template, day)
