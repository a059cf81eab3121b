"""Tells the steps of alarms to whoever has to know: each once, in order, unless something holds it back.

A step is sent first, then written down as told. So a crash in between sends it again, with the same idempotency key;
a message that comes twice otherwise finds it told.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from shared.domain.alarm import Alarm, AlarmState, Cause
from shared.domain.incident import split_incident
from shared.domain.journal import (
    Evidence,
    JournalEntry,
    JournalKind,
    NoticeEntryKind,
    to_the_second,
    topic_of_incident,
    topic_of_notice,
    topics_of_notices,
)
from shared.domain.notice import NOTICES, OUTLIVED_AFTER, ROUSING, Notice, NotificationMessage, rates_of
from shared.errors import Conflict, InvalidInput, NotFound
from shared.ports import AlarmsTable, Clock, JournalTable, MessageQueues, Notifier, RegistryTable
from shared.telemetry import log_event
from shared.usecases.journal.journal import platform_of, say
from shared.usecases.lookup import look_up_template

logger = logging.getLogger(__name__)

Suppressed = Callable[[Alarm, datetime], str]  # what keeps an alarm from being told, in words; empty: nothing
Notices = Mapping[int, JournalEntry]  # the newest entry about each step's notice, by the step's number


@dataclass(frozen=True, kw_only=True)
class Notify:
    """Tells what alarms do."""

    alarms: AlarmsTable
    journal: JournalTable
    registry: RegistryTable
    messages: MessageQueues
    clock: Clock
    notifier: Notifier | None  # None: nobody is told
    kinds: frozenset[JournalKind]  # the steps that are told
    responses: Mapping[Cause, str]
    pages: str = ""  # their public address; empty: notices carry no link
    suppressed: Suppressed = lambda _alarm, _now: ""

    def run(self, message: NotificationMessage) -> int:
        """Tell the step that the message names, after those before it; return how many were sent.

        Raises InvalidInput for a step that there is not, NotDelivered and SettingsError.
        """
        if self.notifier is None:
            log_event(logger, "nobody notified", logging.WARNING, incident=message.incident, kind=message.kind)
            return 0
        steps = self._steps(message.incident)
        if all(step.number != message.number for step in steps):
            raise InvalidInput(f"message: incident {message.incident} has no step {message.number}")
        earlier = [step for step in steps if step.number <= message.number]
        return sum(self._tell(self.notifier, steps, step, asked=step is earlier[-1]) for step in earlier)

    def release(self) -> None:
        """Ask for what was held back of alarms that go on unseen, and that nothing holds back any more."""
        if self.notifier is None:
            return
        for stored in self.alarms.standing():
            alarm = stored.alarm
            if alarm.state is AlarmState.UNACKNOWLEDGED and not self.suppressed(alarm, self.clock.now()):
                self._release(alarm.incident.id)

    def _release(self, incident: str) -> None:
        """Ask for the newest step again if it was held back; in the journal it is held no more, after the message."""
        notices = self._notices(incident)
        rousing = [one for one in self._steps(incident) if one.kind in ROUSING and one.kind in self.kinds]
        held = notices.get(rousing[-1].number) if rousing else None
        if held is None or held.kind != "notice_held" or held.withdrawn:
            return
        step = rousing[-1]
        self.messages.notify(NotificationMessage(incident=incident, number=step.number, kind=NOTICES[step.kind]))
        changed = {"number": held.number + 1, "said": to_the_second(self.clock.now()), "withdrawn": True}
        with suppress(Conflict):  # the message was faster: it is told by now
            self.journal.append(held.model_copy(update=changed), Evidence())

    # --- one step

    def _tell(self, notifier: Notifier, steps: list[JournalEntry], step: JournalEntry, *, asked: bool) -> bool:
        """Tell a step unless it was told, or is held back; return whether it was sent.

        asked: by the message itself. Then what was held back is looked at again, unless another step outlived it.
        """
        if step.kind not in self.kinds:
            return False
        notices = self._notices(step.about)
        notice = notices.get(step.number)
        outlived = any(one.number > step.number and one.kind in NOTICES for one in steps)
        again = notice is not None and notice.kind == "notice_held" and (notice.withdrawn or (asked and not outlived))
        if notice is not None and not again:
            return False
        alarm = Alarm.from_json(self.journal.evidence(step.platform, step.id).state)
        if alarm.history:
            return False
        if outlived and self.clock.now() - step.said > OUTLIVED_AFTER:
            self._say(step, "notice_expired", "it was over for a day before it could be told")
            return False
        why = self._held_by(step, alarm, notices)
        if why:
            self._say(step, "notice_held", why)
        else:
            notifier.send(self._notice(step, alarm))
            self._say(step, "notified", f"sent: {NOTICES[step.kind]}")
        log_event(logger, "alarm held back" if why else "alarm notified", kind=step.kind, incident=step.about)
        return not why

    def _held_by(self, step: JournalEntry, alarm: Alarm, notices: Notices) -> str:
        """Return why a step is not told, in words; empty: it is. Who heard of an alarm hears of its end, too."""
        known = {one.kind for one in notices.values()}
        if step.kind not in ROUSING and "notified" in known:
            return ""
        stored = self.alarms.get(step.about)
        why = self.suppressed(stored.alarm if stored else alarm, self.clock.now())
        if not why and step.kind not in ROUSING and "notice_held" in known:
            return "nobody was told of the alarm"
        return why

    def _notice(self, step: JournalEntry, alarm: Alarm) -> Notice:
        answer, incident = alarm.estimation, alarm.incident
        platform, template = self._names(incident.template)
        grams, kilograms = rates_of(alarm)
        return Notice(
            idempotency_key=step.id,
            kind=NOTICES[step.kind],
            incident=incident.id,
            platform=incident.platform,
            platform_name=platform,
            template=incident.template,
            template_name=template,
            onset=incident.onset,
            said=step.said,
            state=alarm.state,
            priority=alarm.priority,
            message=step.message,
            response=self.responses[alarm.cause],
            verdict=answer.verdict if answer else None,
            probability=answer.probability if answer else None,
            dissolved_rate_g_h=grams,
            dissolved_rate_kg_s=kilograms,
            place=answer.place if answer else None,
            link=f"{self.pages.rstrip('/')}/incidents/{incident.id}" if self.pages else None,
        )

    def _names(self, template: str) -> tuple[str, str]:
        """Return what platform and template are called; of what is registered no more, the ids."""
        try:
            record, known = look_up_template(self.registry, template)
        except NotFound:
            return platform_of(template), template
        return record.platform.name, known.name

    # --- the journal

    def _steps(self, incident: str) -> list[JournalEntry]:
        """Return all entries about an incident's alarm, oldest first."""
        template, _ = split_incident(incident)
        return list(self.journal.topic(platform_of(template), topic_of_incident(incident)))[::-1]

    def _notices(self, incident: str) -> Notices:
        template, _ = split_incident(incident)
        found: dict[int, JournalEntry] = {}
        for entry in self.journal.topics(platform_of(template), topics_of_notices(incident)):  # newest first
            found.setdefault(int(entry.topic.rpartition(":")[2]), entry)
        return found

    def _say(self, step: JournalEntry, kind: NoticeEntryKind, message: str) -> None:
        """Write down what became of a step's notice, unless that is what was said last."""
        say(
            self.journal,
            JournalEntry(
                platform=step.platform,
                subject=step.subject,
                topic=topic_of_notice(step.about, step.number),
                number=0,
                kind=kind,
                said=to_the_second(self.clock.now()),
                at=step.said,
                about=step.about,
                message=message,
            ),
        )
