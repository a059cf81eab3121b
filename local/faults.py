"""Faults that the platform allows itself and an app must bear: repeated and disordered events, on request."""

import random
import threading
from typing import TypeVar

Event = TypeVar("Event")


class Faults:
    """Decides, with a seed, which deliveries are repeated and in which order blob events come."""

    def __init__(self, redeliver: float = 0.0, shuffle: bool = False, seed: int = 0) -> None:
        self._redeliver = redeliver
        self._shuffle = shuffle
        self._random = random.Random(seed)  # noqa: S311  (repeatable, not secret)
        self._lock = threading.Lock()

    def again(self) -> bool:
        """Whether this delivery is to come a second time."""
        with self._lock:
            return self._random.random() < self._redeliver

    def order(self, held: list[Event], fresh: list[Event]) -> tuple[list[Event], list[Event]]:
        """Which events to deliver now, and which to hold back until later; without fresh ones nothing is held."""
        events = [*held, *fresh]
        if not self._shuffle:
            return events, []
        with self._lock:
            self._random.shuffle(events)
        split = len(events) // 3 if fresh else 0
        return events[split:], events[:split]
