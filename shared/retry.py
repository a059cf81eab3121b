"""What everybody does after a conflict: read again and try again, a little later, and not for ever."""

import logging
import time
from collections.abc import Callable
from random import SystemRandom
from typing import TypeVar

from shared.errors import Conflict

logger = logging.getLogger(__name__)

TRIES = 8
FIRST_WAIT_S, LONGEST_WAIT_S = 0.02, 1.0

T = TypeVar("T")
dice = SystemRandom()  # of the system: processes that began together throw differently


def after_conflicts(attempt: Callable[[bool], T], what: str) -> T:
    """Return what ``attempt`` returns; it is told whether it is a repetition, and reads again what it rests on.

    Between tries passes a random time, up to twice as long each time, so that two that met do not meet again. Raises
    the last try's Conflict, and at once whatever else ``attempt`` raises.
    """
    for number in range(TRIES):
        try:
            return attempt(number > 0)
        except Conflict as conflict:
            if number == TRIES - 1:
                raise
            logger.info("%s: %s; reading again", what, conflict)
            time.sleep(dice.uniform(0, min(FIRST_WAIT_S * 2**number, LONGEST_WAIT_S)))
    raise AssertionError
