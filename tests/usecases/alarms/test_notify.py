"""Notification: each step of an alarm that somebody has to hear of is told once, and in order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from shared.domain.alarm import Alarm, Cause
from shared.domain.estimation import EstimationStep, Interval, PlaceProbability
from shared.domain.incident import Incident
from shared.domain.journal import JournalKind
from shared.domain.notice import TOLD, Notice, NotificationMessage
from shared.errors import InvalidInput, NotDelivered
from shared.usecases.alarms.notify import Notify
from tests.support.examples import incident_at, platform, template
from tests.support.fakes import Crash, World
from tests.support.queries import alarm_queries

INCIDENT = incident_at(3)
OVER = INCIDENT.model_copy(update={"closed": INCIDENT.last_critical + timedelta(hours=12)})
RATE = Interval(median=1e-4, low_50=8e-5, high_50=1.2e-4, low_90=5e-5, high_90=2e-4)
PLACE = PlaceProbability(x=1, y=2, z=3, probability=0.4)


@dataclass
class FakeReceiver:
    """Takes notices, unless it is broken."""

    taken: list[Notice] = field(default_factory=list)
    broken: bool = False

    def send(self, notice: Notice) -> None:
        if self.broken:
            raise NotDelivered("webhook: status 500")
        self.taken.append(notice)


@dataclass
class Control:
    """Alarms, their queue, and who is told; ``suppressed`` says why an alarm is not."""

    world: World = field(default_factory=World)
    receiver: FakeReceiver = field(default_factory=FakeReceiver)
    suppressed: str = ""
    kinds: frozenset[JournalKind] = TOLD

    def __post_init__(self) -> None:
        self.world.registry.add(platform(template()))

    @property
    def notify(self) -> Notify:
        return Notify(
            alarms=self.world.alarms_table,
            journal=self.world.journal_table,
            registry=self.world.registry,
            messages=self.world.messages,
            clock=self.world.clock,
            notifier=self.receiver,
            kinds=self.kinds,
            responses={cause: f"do what {cause.value} asks for" for cause in Cause},
            pages="https://leaks.example/",
            suppressed=self._suppressed,
        )

    def _suppressed(self, _alarm: Alarm, _now: datetime) -> str:
        return self.suppressed

    def deliver(self) -> None:
        """Deliver every message; one that fails stays."""
        while self.world.messages.notifications:
            self.notify.run(self.world.messages.notifications[0])
            self.world.messages.notifications.pop(0)

    def wait(self, **much: float) -> None:
        self.world.clock.moment += timedelta(**much)

    def told(self) -> list[str]:
        return [one.kind for one in self.receiver.taken]

    def written(self) -> list[str]:
        """What the journal says became of notices, oldest first."""
        entries = [one for one in self.world.journal_table.entries if one.topic.startswith("notice:")]
        return [one.kind + (" no more" if one.withdrawn else "") for one in sorted(entries, key=lambda one: one.said)]


def step(control: Control, verdict: str = "CONFIRMED", rate: Interval | None = RATE) -> EstimationStep:
    """Return an estimation that makes an alarm of high priority."""
    return EstimationStep.model_validate(
        {
            "at": control.world.clock.now(),
            "verdict": verdict,
            "probability": 0.99,
            "probability_external": 0.0,
            "place": PLACE,
            "location_error_m": 1.0,
            "dissolved_rate_kg_s": rate,
        }
    )


def escalate(control: Control) -> None:
    control.world.alarms.estimated(INCIDENT.id, step(control), "CONFIRMED: probability of a leak here 99 %", "{}")


Act = Callable[[Control], object]
LIFE: Sequence[Act] = (
    lambda control: control.world.alarms.follow(INCIDENT),
    escalate,
    lambda control: control.world.alarms.follow(OVER),
    lambda control: control.world.alarms.withdraw(OVER, "judged no leak"),
)
STEPS = ["raised", "escalated", "returned", "withdrawn"]


def live(control: Control) -> None:
    """Let an alarm be raised, escalated, returned and withdrawn, an hour apart."""
    for act in LIFE:
        act(control)
        control.wait(hours=1)


def test_each_step_is_told_once_in_order() -> None:
    """Messages that come again, and in another order, change nothing."""
    control = Control()
    live(control)
    messages = control.world.messages.notifications[::-1]
    for one in [*messages, *messages]:
        control.notify.run(one)
    assert control.told() == STEPS
    assert control.written() == ["notified"] * 4
    assert len({one.idempotency_key for one in control.receiver.taken}) == 4


def test_a_notice_tells_the_alarm_as_it_was_then() -> None:
    """It returned before the message was taken: raised is told as raised, at its time, with what was known."""
    control = Control()
    began = control.world.clock.now()
    live(control)
    control.deliver()
    raised, escalated, returned, _ = control.receiver.taken
    assert (raised.said, raised.state.value, raised.verdict) == (began, "unacknowledged", None)
    assert raised.idempotency_key == f"alarm:{INCIDENT.id}~0"
    assert raised.link == f"https://leaks.example/incidents/{INCIDENT.id}"
    assert raised.response == "do what undecided asks for"
    assert (escalated.priority.value, escalated.verdict, escalated.place) == ("high", "CONFIRMED", PLACE)
    assert escalated.dissolved_rate_kg_s == RATE
    assert escalated.dissolved_rate_g_h == Interval(median=360, low_50=288, high_50=432, low_90=180, high_90=720)
    assert (escalated.platform_name, escalated.template_name) == ("Troll", "A")
    assert returned.state.value == "returned, unacknowledged"


def test_the_course_of_an_alarm_tells_what_was_sent_of_it() -> None:
    """Beside what was said and done, newest first; as of a moment, what was known of then."""
    control = Control()
    began = control.world.clock.now()
    LIFE[0](control)
    control.deliver()
    control.wait(hours=1)
    escalate(control)
    queries = alarm_queries(control.world)
    assert [one.kind for one in queries.course(INCIDENT.id)] == ["alarm_escalated", "notified", "alarm_raised"]
    assert [one.kind for one in queries.course(INCIDENT.id, began)] == ["notified", "alarm_raised"]


def test_an_alarm_that_is_history_is_not_told() -> None:
    """A backfill finds what was over long ago, by the hundred."""
    control = Control()
    control.wait(days=30)
    live(control)
    assert not control.world.messages.notifications
    assert control.world.alarms_table.get(INCIDENT.id) is not None


def test_where_nobody_is_told_nothing_is_asked_for() -> None:
    """And a message of before the webhook was taken away is not an error."""
    control = Control()
    Alarms = type(control.world.alarms)
    off = Alarms(**{**vars(control.world.alarms), "told": frozenset()})
    off.follow(INCIDENT)
    assert not control.world.messages.notifications
    notify = Notify(**{**vars(control.notify), "notifier": None})
    assert notify.run(NotificationMessage(incident=INCIDENT.id, number=0, kind="raised")) == 0
    notify.release()
    assert control.written() == []


def test_a_step_that_there_is_not_is_refused() -> None:
    """Such a message can never be told; a person looks at it."""
    with pytest.raises(InvalidInput, match="has no step 7"):
        Control().notify.run(NotificationMessage(incident=INCIDENT.id, number=7, kind="raised"))


# --- when it fails


def test_what_was_not_taken_is_told_when_the_receiver_is_back_and_before_what_follows() -> None:
    """The message fails, and is delivered again; a later one brings what is missing with it."""
    control = Control(receiver=FakeReceiver(broken=True))
    LIFE[0](control)
    with pytest.raises(NotDelivered):
        control.deliver()
    assert control.written() == []
    escalate(control)
    control.receiver.broken = False
    control.notify.run(control.world.messages.notifications[-1])
    assert control.told() == ["raised", "escalated"]
    control.deliver()
    assert control.told() == ["raised", "escalated"]


def test_what_is_long_outlived_is_told_no_more_and_that_is_written_down() -> None:
    """The receiver was away for two days: the alarm's end is news, its beginning is not."""
    control = Control(receiver=FakeReceiver(broken=True))
    LIFE[0](control)
    control.wait(days=2)
    LIFE[2](control)
    control.receiver.broken = False
    control.deliver()
    assert control.told() == ["returned"]
    assert control.written() == ["notice_expired", "notified"]


def test_what_still_stands_is_told_however_late() -> None:
    """It is as true as it was."""
    control = Control(receiver=FakeReceiver(broken=True))
    LIFE[0](control)
    control.wait(days=5)
    control.receiver.broken = False
    control.deliver()
    assert control.told() == ["raised"]


def test_a_crash_at_any_write_loses_no_notice_and_repeats_none_but_the_one_it_cut_off() -> None:
    """What was sent and not written down goes out again under the same key; everything else goes out once."""
    for dies_at in range(1, 60):
        control = Control()
        control.world.writes.crash_at = control.world.writes.count + dies_at
        cut_off = 0
        for act in LIFE:
            for go in (act, Control.deliver):
                try:
                    go(control)
                except Crash:
                    control.world.restart()
                    cut_off = len(control.told()) - control.written().count("notified")
                    go(control)
            control.wait(hours=1)
        assert list(dict.fromkeys(control.told())) == STEPS, f"crash at write {dies_at}"
        assert len(control.told()) == len(STEPS) + cut_off
        assert len({one.idempotency_key for one in control.receiver.taken}) == len(STEPS)
        assert cut_off <= 1
        if control.world.writes.crash_at is not None:
            assert dies_at > 12, "there must have been writes to die at"
            return
    pytest.fail("the life never came to its end")


# --- suppressed


def test_a_suppressed_alarm_is_not_told_nor_is_its_end() -> None:
    """Well work goes on: who heard of no alarm needs not hear that it is over; the journal says why."""
    control = Control(suppressed="planned operation")
    LIFE[0](control)
    control.deliver()
    LIFE[2](control)
    control.suppressed = ""
    control.deliver()
    control.notify.release()
    control.deliver()
    assert control.told() == []
    reasons = [one.message for one in control.world.journal_table.entries if one.kind == "notice_held"]
    assert reasons == ["planned operation", "nobody was told of the alarm"]


def test_who_heard_of_an_alarm_hears_of_its_end_though_it_is_suppressed_meanwhile() -> None:
    """Else a pager would go on for ever."""
    control = Control()
    LIFE[0](control)
    control.deliver()
    control.suppressed = "shelved"
    escalate(control)
    LIFE[2](control)
    control.deliver()
    assert control.told() == ["raised", "returned"]


def test_an_alarm_that_goes_on_unseen_is_told_once_when_nothing_suppresses_it_any_more() -> None:
    """However often the timer looks, and also where it dies on the way; its newest step alone."""
    for dies_at in (None, 1, 2):
        control = Control(suppressed="planned operation")
        LIFE[0](control)
        control.wait(hours=1)
        escalate(control)
        control.deliver()
        control.wait(days=3)
        control.notify.release()
        assert not control.world.messages.notifications
        control.suppressed = ""
        control.world.writes.crash_at = dies_at and control.world.writes.count + dies_at
        for _ in range(3):
            try:
                control.notify.release()
            except Crash:
                control.world.restart()
        control.deliver()
        control.notify.release()
        control.deliver()
        assert control.told() == ["escalated"]
        assert control.written() == ["notice_held", "notice_held", "notice_held no more", "notified"]


def test_a_message_that_is_faster_than_the_timer_which_put_it_is_told_once() -> None:
    """It is taken before the journal says that nothing is held any more."""
    control = Control(suppressed="planned operation")
    LIFE[0](control)
    control.deliver()
    control.suppressed = ""
    put = control.world.messages.notify

    def put_and_deliver(message: NotificationMessage) -> None:
        put(message)
        control.deliver()

    control.world.messages.notify = put_and_deliver  # type: ignore[method-assign]
    control.notify.release()
    control.notify.release()
    control.notify.run(NotificationMessage(incident=INCIDENT.id, number=0, kind="raised"))
    assert control.told() == ["raised"]
    assert control.written() == ["notice_held", "notified"]


@pytest.mark.parametrize("ended", ["acknowledged", "returned"])
def test_a_suppressed_alarm_that_was_seen_or_is_over_stays_untold(ended: str) -> None:
    """Nobody has to act."""
    control = Control(suppressed="planned operation")
    LIFE[0](control)
    control.deliver()
    if ended == "acknowledged":
        control.world.alarms.acknowledge(INCIDENT.id, "A. Person", "", lambda _: None)
    else:
        LIFE[2](control)
        control.deliver()
    control.suppressed = ""
    control.notify.release()
    assert not control.world.messages.notifications


def test_a_failed_message_is_not_asked_for_again_by_the_timer() -> None:
    """The queue tries it again; one more each ten minutes would bury it."""
    control = Control(receiver=FakeReceiver(broken=True))
    LIFE[0](control)
    control.notify.release()
    assert len(control.world.messages.notifications) == 1


def test_an_alarm_of_a_template_that_is_registered_no_more_is_told_by_its_ids() -> None:
    """Whoever was told of it hears of its end."""
    control = Control()
    control.world.registry.known.clear()
    LIFE[0](control)
    control.deliver()
    (raised,) = control.receiver.taken
    assert (raised.platform_name, raised.template_name) == ("troll", "troll-a")


def test_incidents_of_others_are_not_mixed_up() -> None:
    """Numbers of steps from ten on, and ids that begin alike."""
    control = Control()
    first = control.world.alarms
    for turn in range(6):
        over = OVER.model_copy(update={"closed": OVER.closed and OVER.closed + timedelta(minutes=turn)})
        again: Incident = INCIDENT.model_copy(
            update={"last_critical": INCIDENT.last_critical + timedelta(minutes=turn + 1)}
        )
        first.follow(again)
        first.follow(over)
        control.deliver()
    assert control.told() == ["raised", "returned"] * 6
