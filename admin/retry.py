"""Gives back to the app what it put aside as poison, once the cause is mended."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from shared.adapters.blobs import parse_day_blob
from shared.bootstrap import Bootstrap
from shared.usecases.poison import POISON, POISON_BLOBS

HIDDEN_S = 300  # from others who do the same, while one message is worked on


def retry(app: Bootstrap) -> Mapping[str, int]:
    """Return how many messages of each poison queue were given back.

    Messages go back to their queue, days are scored here. One that fails again stays where it is and stops the rest;
    one that is given back twice, because this was killed half-way, is work done twice, which changes nothing.
    """
    names = app.settings.storage
    given = {
        f"{name}{POISON}": _each(app.queue(f"{name}{POISON}"), app.queue(name).send_message)
        for name in (names.critical_queue, names.baselines_queue)
    }
    return {**given, POISON_BLOBS: _each(app.queue(POISON_BLOBS), lambda text: _score(app, text))}


def _each(queue: QueueClient, give: Callable[[str], object]) -> int:
    count = 0
    for message in _waiting(queue):
        give(base64.b64decode(message.content).decode())
        queue.delete_message(message)
        count += 1
    return count


def _waiting(queue: QueueClient) -> Iterator[QueueMessage]:
    with suppress(ResourceNotFoundError):  # the queue is not there: nothing has ever failed
        yield from queue.receive_messages(visibility_timeout=HIDDEN_S)


def _score(app: Bootstrap, text: str) -> None:
    platform, template, day = parse_day_blob(json.loads(text)["BlobName"])
    app.detect.run(platform, template, day)
