"""Tell queues: a line of each queue on which work waits, with how long the oldest message has been there.

Its number says little: thousands of messages may be done within a minute, and one may wait for days because its
function was stopped. What failed every try is told of elsewhere (``poison.py``).
"""

import logging
from dataclasses import dataclass

from shared.ports import Clock, MessageQueues
from shared.telemetry import log_event

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TellQueues:
    """Tells how long work has been waiting."""

    messages: MessageQueues
    clock: Clock

    def run(self) -> None:
        """Tell of every queue on which a message can be seen; one that shows later is not due yet."""
        now = self.clock.now()
        for queue, since in self.messages.oldest().items():
            log_event(logger, "queue waits", queue=queue, age_s=max(int((now - since).total_seconds()), 0))
