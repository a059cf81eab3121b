"""What failed every try is taken up again, less and less often, before a person is asked; and nothing gets lost."""

import base64
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.baseline_request import BaselineRequest
from shared.errors import NotFound
from shared.ports import PoisonMessage
from shared.usecases.poison import BLOBS, GIVEN_UP, POISON, POISON_BLOBS, WAITS, TakeUpPoison
from tests.support.fakes import Crash, FakeEvents, Writes

BASELINES = "build-baselines"
ASKED = {"schema": 1, "platform": "troll", "template": "troll-a"}
DAY = {"BlobName": "troll/a/2026-03-01.json"}
PUT_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def base64_of(asked: object) -> str:
    """Return a message as its queue holds it."""
    return base64.b64encode(json.dumps(asked).encode()).decode()


@dataclass
class FakeQueues:
    """Queues in memory; each message with the wait before it shows."""

    writes: Writes
    held: dict[str, list[tuple[PoisonMessage, timedelta]]] = field(default_factory=dict)
    made: int = 0

    def send(self, queue: str, content: str, wait: timedelta = timedelta(0)) -> None:
        self.made += 1
        message = PoisonMessage(queue, content, str(self.made), "", PUT_AT)
        self.held.setdefault(queue, []).append((message, wait))

    def waiting(self, queue: str) -> Iterator[PoisonMessage]:
        yield from [message for message, wait in self.held.get(queue, []) if not wait]

    def put(self, queue: str, text: str, wait: timedelta) -> None:
        self.writes.tick()
        self.send(queue, base64.b64encode(text.encode()).decode(), wait)

    def copy(self, message: PoisonMessage, queue: str) -> None:
        self.writes.tick()
        self.send(queue, message.content)

    def remove(self, message: PoisonMessage) -> None:
        self.writes.tick()
        self.held[message.queue] = [one for one in self.held[message.queue] if one[0].id != message.id]

    def lengths(self, queues: Sequence[str]) -> Mapping[str, int]:
        return {queue: len(self.held.get(queue, [])) for queue in queues}

    def show(self, queue: str) -> list[timedelta]:
        """Let the time pass until all of a queue shows; return what that took."""
        waits = [wait for _, wait in self.held.get(queue, [])]
        self.held[queue] = [(message, timedelta(0)) for message, _ in self.held.get(queue, [])]
        return waits

    def contents(self, queue: str) -> list[str]:
        return [message.content for message, _ in self.held.get(queue, [])]


@dataclass
class World:
    """The use case over fakes; days fail with ``problem`` while there is one."""

    problem: Exception | None = None
    writes: Writes = field(default_factory=Writes)
    scored: list[str] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.queues, self.events = FakeQueues(self.writes), FakeEvents(self.writes)
        self.take_up = TakeUpPoison(
            queues=self.queues,
            events=self.events,
            checks={BASELINES: lambda text: BaselineRequest.from_json(text.encode())},
            score=self._score,
            is_gone=self._is_gone,
            container="tsd",
        )

    def _is_gone(self, asked: Mapping[str, Any]) -> bool:
        return asked.get("template") in self.gone

    def _score(self, text: str) -> None:
        if self.problem is not None:
            raise self.problem
        self.scored.append(json.loads(text)["BlobName"])

    def told(self) -> list[str]:
        return [event.message for event in self.events.list("system")]


def test_a_message_goes_back_less_and_less_often_and_then_waits_for_a_person(caplog: pytest.LogCaptureFixture) -> None:
    """Minutes, then hours; the alert and the event come when all of it was in vain."""
    world, waits = World(), []
    world.queues.send(f"{BASELINES}{POISON}", base64_of(ASKED))
    for _ in WAITS:
        world.take_up.run()
        assert world.queues.contents(f"{BASELINES}{POISON}") == []
        waits += world.queues.show(BASELINES)
        (again,) = world.queues.contents(BASELINES)
        assert BaselineRequest.from_json(base64.b64decode(again)).template == "troll-a"
        world.queues.held[BASELINES].clear()
        world.queues.send(f"{BASELINES}{POISON}", again)  # it failed every try of the platform
    assert waits == list(WAITS) == sorted(WAITS)
    assert not world.told()
    assert not [line for line in caplog.messages if line.startswith("poison message")]
    with caplog.at_level(logging.ERROR):
        world.take_up.run()
    assert world.queues.contents(BASELINES) == world.queues.contents(f"{BASELINES}{POISON}") == []
    assert len(world.queues.contents(f"{BASELINES}{GIVEN_UP}")) == 1
    (event,) = world.told()
    assert f"kept in {BASELINES}{GIVEN_UP}" in event
    assert "poison message queue=build-baselines-given-up count=1" in caplog.text
    caplog.clear()
    world.take_up.run()
    assert "poison message queue=build-baselines-given-up count=1" in caplog.text, "for as long as it is there"


def test_what_nothing_is_left_to_do_of_is_dropped_and_not_told() -> None:
    """The proof test that asked for it is over, and has told what failed."""
    world = World(gone={"troll-a"})
    world.queues.send(f"{BASELINES}{POISON}", base64_of(ASKED))
    world.take_up.run()
    assert not any(world.queues.contents(f"{BASELINES}{end}") for end in ("", POISON, GIVEN_UP))
    assert not world.told()


def test_a_day_that_failed_in_a_short_outage_is_scored_by_itself() -> None:
    """Storage is back: nobody is asked."""
    world = World()
    world.queues.send(POISON_BLOBS, base64_of(DAY))
    world.take_up.run()
    assert world.scored == ["troll/a/2026-03-01.json"]
    assert world.queues.contents(POISON_BLOBS) == []
    assert not world.told()


@pytest.mark.parametrize("problem", [NotFound("platform 'troll' is not registered"), ZeroDivisionError("ours")])
def test_a_day_that_goes_on_to_fail_stops_no_other_and_ends_with_a_person(problem: Exception) -> None:
    """Whatever it fails of; each failure makes the wait longer."""
    world, waits = World(problem), []
    for day in (1, 2):
        world.queues.send(POISON_BLOBS, base64_of({"BlobName": f"troll/a/2026-03-0{day}.json"}))
    for _ in WAITS:
        world.take_up.run()
        waits += [set(world.queues.show(POISON_BLOBS))]
        assert len(world.queues.contents(POISON_BLOBS)) == 2
        assert not world.told()
    assert waits == [{wait} for wait in WAITS]
    world.take_up.run()
    assert len(world.queues.contents(f"{BLOBS}{GIVEN_UP}")) == len(world.told()) == 2
    assert all(str(problem) in message for message in world.told())


@pytest.mark.parametrize(
    "content",
    ["no base64!", "_w==", base64_of([]), base64.b64encode(b"{").decode(), base64_of({"schema": 1})],
)
def test_what_can_never_succeed_is_a_persons_at_once_and_hides_nothing(content: str) -> None:
    """It is kept verbatim, and the message behind it is given back."""
    world = World()
    world.queues.send(f"{BASELINES}{POISON}", content)
    world.queues.send(f"{BASELINES}{POISON}", base64_of(ASKED))
    world.take_up.run()
    assert world.queues.contents(f"{BASELINES}{GIVEN_UP}") == [content]
    assert len(world.queues.contents(BASELINES)) == len(world.told()) == 1


@pytest.mark.parametrize("content", [base64_of(ASKED), base64_of({**ASKED, "returned": len(WAITS)}), "no base64!"])
def test_cut_short_anywhere_nothing_is_lost(content: str) -> None:
    """At worst a message is there twice: work done twice changes nothing; and it is told once."""
    for dies_at in range(1, 5):
        world = World()
        world.queues.send(f"{BASELINES}{POISON}", content)
        world.writes.crash_at = dies_at
        try:
            world.take_up.run()
        except Crash:
            world.writes.crash_at = None
            world.take_up.run()
        assert world.queues.contents(BASELINES) + world.queues.contents(f"{BASELINES}{GIVEN_UP}")
        assert world.queues.contents(f"{BASELINES}{POISON}") == []
        assert len(world.told()) <= 1


def test_a_message_of_a_newer_release_waits_for_it() -> None:
    """It is no fault of the message."""
    world = World()
    world.queues.send(f"{BASELINES}{POISON}", base64_of(ASKED | {"schema": 99}))
    world.take_up.run()
    assert len(world.queues.contents(BASELINES)) == 1
    assert not world.told()


def test_a_run_takes_up_no_more_than_it_has_time_for() -> None:
    """The rest is there for the next one."""
    world = World()
    hurried = TakeUpPoison(
        queues=world.queues,
        events=world.events,
        checks={},
        score=world.take_up.score,
        is_gone=world.take_up.is_gone,
        container="tsd",
        budget=timedelta(seconds=-1),
    )
    for _ in range(3):
        world.queues.send(POISON_BLOBS, base64_of(DAY))
    hurried.run()
    assert len(world.scored) == 1
    assert len(world.queues.contents(POISON_BLOBS)) == 2


def test_blobs_of_others_are_left_to_them() -> None:
    """The host has one queue for all blobs of a storage account."""
    world = World()
    for container in ("tsd", "theirs"):
        world.queues.send(POISON_BLOBS, base64_of({**DAY, "ContainerName": container}))
    world.take_up.run()
    assert len(world.scored) == 1
    assert world.queues.contents(POISON_BLOBS) == [base64_of({**DAY, "ContainerName": "theirs"})]
    assert not world.told()
