"""Gives back to the app what failed, and what it has given up, once the cause is mended."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from shared.bootstrap import Bootstrap
from shared.errors import LeakDetectionError
from shared.ports import PoisonMessage
from shared.usecases.poison import BLOBS, GIVEN_UP, POISON, RETURNED, asked_of

SHOWN = 200  # characters of a message that stays


@dataclass(frozen=True)
class Retried:
    """What became of the messages: how many of each queue's were given back, and which stay and why."""

    given_back: Mapping[str, int]
    failed: tuple[str, ...]


def retry(app: Bootstrap) -> Retried:
    """Return how many messages of each queue were given back, and what is wrong with the others.

    Messages go back to their queue, days are scored here. One that cannot be decoded or fails again stays where it is,
    hidden for some minutes, and does not stop the rest; when storage fails, everything stops. One that is given back
    twice, because this was killed half-way, is work done twice, which changes nothing. What the app itself tries again
    later is hidden until then, and comes by itself.
    """
    queues = app.poison_queues

    def give_back(queue: str) -> Callable[[PoisonMessage], object]:
        return lambda message: queues.put(queue, _anew(message), timedelta(0))

    gives = {queue: give_back(queue) for queue in app.settings.storage.queues}
    gives[BLOBS] = lambda message: app.score_again(_anew(message))
    count: Counter[str] = Counter(dict.fromkeys(gives, 0))
    failed: list[str] = []
    for queue, give in gives.items():
        for name in (f"{queue}{POISON}", f"{queue}{GIVEN_UP}"):
            for message in queues.waiting(name):
                try:
                    give(message)
                except LeakDetectionError as error:
                    shown = message.content[:SHOWN]
                    failed.append(f"{name}: message {message.id} stays: {error} (message: {shown!r})")
                    continue
                queues.remove(message)
                count[queue] += 1
    return Retried(count, tuple(failed))


def _anew(message: PoisonMessage) -> str:
    """Return the message's JSON as if it had never been given back; raises InvalidInput."""
    return json.dumps({name: value for name, value in asked_of(message.content).items() if name != RETURNED})
