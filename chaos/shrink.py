"""Makes a failing history short: steps and faults go as long as it still fails in the same table."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from chaos.steps import History, Run

Fails = Callable[[History], bool]
MOST_TRIES = 400


def shrunk(history: History, fails: Fails, most: int = MOST_TRIES) -> History:
    """Return a history that still fails, of which no step or fault can go."""
    tries, again = 0, True
    while again:
        again = False
        for shorter in _shorter(history):
            tries += 1
            if tries > most:
                return history
            if fails(shorter):
                history, again = shorter, True
                break
    return history


def _shorter(history: History) -> Iterator[History]:
    """Yield it without pieces of its steps, the largest first, then without single faults."""
    steps = history.steps
    size = len(steps) // 2
    while size:
        for first in range(len(steps) - size, -1, -size):
            yield replace(history, steps=steps[:first] + steps[first + size :])
        size //= 2
    for index, step in enumerate(steps):
        if isinstance(step, Run):
            for fault in step.faults:
                left = replace(step, faults=tuple(one for one in step.faults if one != fault))
                yield replace(history, steps=(*steps[:index], left, *steps[index + 1 :]))
    if history.order:
        yield replace(history, order=0)
