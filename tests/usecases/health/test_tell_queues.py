"""What is told of queues: how long the oldest message of each has been waiting."""

import logging
from datetime import timedelta

import pytest

from shared.usecases.health.tell_queues import TellQueues
from tests.support.examples import NOW
from tests.support.fakes import FakeClock, World


def test_the_age_of_what_waits_longest_is_told_of_each_queue(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is said of an empty queue, and a message of a clock that is ahead has just come."""
    messages = World().messages
    messages.waiting = {"build-baselines": NOW - timedelta(hours=2), "notifications": NOW + timedelta(seconds=3)}
    with caplog.at_level(logging.INFO):
        TellQueues(messages=messages, clock=FakeClock(NOW)).run()
    assert caplog.messages == [
        "queue waits queue=build-baselines age_s=7200",
        "queue waits queue=notifications age_s=0",
    ]
