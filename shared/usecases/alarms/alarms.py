"""Keeps alarms in step with incidents and their estimations, and with what people do about them.

Each step is in the journal before the alarm's row follows (``shared/usecases/journal/steps.py``).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from shared.domain.alarm import Acknowledgement, Alarm, Priority, priority_of
from shared.domain.estimation import EstimationStep
from shared.domain.incident import Incident, split_incident
from shared.domain.journal import AlarmKind, Evidence, JournalEntry, JournalKind, to_the_second, topic_of_incident
from shared.domain.notice import NOTICES, NotificationMessage
from shared.domain.tsd import iso
from shared.errors import NotFound
from shared.ports import AlarmsTable, Clock, JournalTable, MessageQueues, StoredAlarm
from shared.retry import after_conflicts
from shared.telemetry import log_event
from shared.usecases.journal.journal import platform_of
from shared.usecases.journal.steps import append_step

logger = logging.getLogger(__name__)

Guard = Callable[[Alarm], None]


class Step(NamedTuple):
    """A step in an alarm's life: the alarm after it, and what is said of it."""

    alarm: Alarm
    kind: AlarmKind
    message: str
    at: datetime  # what it is about
    by: str = ""
    estimation: str = ""  # all of the answer, as JSON


@dataclass(frozen=True, kw_only=True)
class Alarms:
    """The life of alarms."""

    table: AlarmsTable
    journal: JournalTable
    messages: MessageQueues
    clock: Clock
    high_rate_kg_s: float
    told: frozenset[JournalKind]  # the steps that somebody is notified of; empty: nobody is

    def follow(self, incident: Incident) -> None:
        """Raise, change or return the alarm of an incident that is as it is now."""
        self._take(incident.id, lambda alarm, now: self._followed(alarm, incident, now))

    def estimated(self, incident: str, answer: EstimationStep, message: str, estimation: str) -> None:
        """Say what an incident's newest estimation says: in short, in words, and all of it as JSON."""

        def step(alarm: Alarm | None, _: datetime) -> Step | None:
            if alarm is None or alarm.withdrawn is not None or alarm.estimation == answer:
                return None
            if alarm.estimation is not None and answer.at < alarm.estimation.at:  # of data of before
                return None
            priority = priority_of(answer, self.high_rate_kg_s)
            escalated = priority > alarm.priority
            kept = None if escalated else alarm.acknowledged  # what was acknowledged was less
            after = alarm.model_copy(update={"estimation": answer, "priority": priority, "acknowledged": kept})
            kind: AlarmKind = "alarm_escalated" if escalated else "alarm_estimated"
            return Step(after, kind, f"{message}; priority {priority.value}", answer.at, estimation=estimation)

        self._take(incident, step)

    def estimation_taken_back(self, incident: str) -> None:
        """Say that an incident's estimation holds no more: it rested on data that are Critical no more."""

        def step(alarm: Alarm | None, now: datetime) -> Step | None:
            if alarm is None or alarm.withdrawn is not None or alarm.estimation is None:
                return None
            after = alarm.model_copy(update={"estimation": None, "priority": Priority.MEDIUM})
            return Step(after, "alarm_changed", "its estimation rested on data that are Critical no more", now)

        self._take(incident, step)

    def withdraw(self, incident: Incident, why: str) -> None:
        """Say that nothing supports the incident any more; it stays readable, with why."""

        def step(alarm: Alarm | None, now: datetime) -> Step | None:
            if alarm is None or alarm.withdrawn is not None:
                return None
            after = alarm.model_copy(update={"incident": incident, "withdrawn": now, "disposition": why})
            return Step(after, "alarm_withdrawn", why, now)

        self._take(incident.id, step)

    def acknowledge(self, incident: str, by: str, comment: str, guard: Guard) -> Alarm:
        """Acknowledge the alarm of an incident; raises NotFound, InvalidInput, Conflict, or what ``guard`` raises.

        guard: is shown the alarm as it is. One that is acknowledged stays as it is.
        """

        def step(alarm: Alarm | None, now: datetime) -> Step | None:
            if alarm is None:
                return None
            guard(alarm)
            if alarm.acknowledged is not None or alarm.history:
                return None
            seen = Acknowledgement(by=by, at=now, comment=comment)
            after = alarm.model_copy(update={"acknowledged": seen})
            return Step(after, "alarm_acknowledged", comment or "acknowledged", now, by)

        found = self._take(incident, step)
        if found is None:
            raise NotFound(f"incident {incident!r} has no alarm")
        return found

    # --- steps

    def _followed(self, alarm: Alarm | None, incident: Incident, now: datetime) -> Step | None:
        where = ", ".join(incident.sensors)
        critical = f"Critical at {where} since {iso(incident.onset)}"
        if alarm is None:
            return Step(Alarm.of(incident, now, self.high_rate_kg_s), "alarm_raised", critical, incident.onset)
        if alarm.withdrawn is not None:
            again = Alarm.of(incident, now, self.high_rate_kg_s)
            return Step(again, "alarm_raised", f"found again: {critical}", incident.onset)
        before = alarm.incident
        if incident.open and not before.open and incident.last_critical <= before.last_critical:
            return None  # seen with less data than it was: as when all is scored again, day by day
        after = alarm.model_copy(update={"incident": incident})
        if incident.open and not before.open:
            unseen = after.model_copy(update={"acknowledged": None, "history": False, "raised": now})
            return Step(unseen, "alarm_raised", f"goes on: Critical at {where} again", incident.last_critical)
        if incident.closed is not None and incident.closed != before.closed:
            over = f"no Critical since {iso(incident.last_critical)}; the highest score was {incident.max_score:.2f}"
            return Step(after, "alarm_returned", over, incident.closed)
        if incident.sensors != before.sensors:
            return Step(after, "alarm_changed", critical, incident.onset)
        return None

    def _take(self, incident: str, decide: Callable[[Alarm | None, datetime], Step | None]) -> Alarm | None:
        """Take the step that ``decide`` makes of the alarm as it is, if any, and return the alarm as it is then."""

        def attempt(_: bool) -> Alarm | None:
            stored = self.table.get(incident)
            now = to_the_second(self.clock.now())
            step = decide(stored.alarm if stored else None, now)
            if step is None:
                return stored.alarm if stored else None
            self._write(incident, stored, step, now)
            return step.alarm

        return after_conflicts(attempt, f"alarm of {incident}")

    def _write(self, incident: str, stored: StoredAlarm | None, step: Step, now: datetime) -> None:
        """Write the step into the journal, then into the alarm's row; raises Conflict."""
        template, _ = split_incident(incident)
        entry = JournalEntry(
            platform=platform_of(template),
            subject=template,
            topic=topic_of_incident(incident),
            number=stored.entries if stored else 0,
            kind=step.kind,
            said=now,
            at=to_the_second(step.at),
            about=incident,
            message=step.message,
            by=step.by,
            withdrawn=step.kind == "alarm_withdrawn",
        )
        evidence = Evidence(step.alarm.model_dump_json(), step.estimation)
        append_step(
            self.journal, entry, evidence, lambda last, state: self._follow(stored, last, Alarm.from_json(state))
        )
        log_event(logger, "alarm", kind=step.kind, incident=incident, priority=step.alarm.priority.value)
        self._follow(stored, entry, step.alarm)

    def _follow(self, stored: StoredAlarm | None, entry: JournalEntry, alarm: Alarm) -> None:
        """Ask for an entry to be told, and let the alarm's row say what it led to; raises Conflict."""
        self._ask_to_tell(alarm, entry)
        self.table.put(StoredAlarm(alarm, entry.number + 1, stored.etag if stored else None))

    def _ask_to_tell(self, alarm: Alarm, entry: JournalEntry) -> None:
        """Ask for a step to be told; that of an alarm which is history comes too late for anybody."""
        if entry.kind in self.told and not alarm.history:
            kind = NOTICES[entry.kind]
            self.messages.notify(NotificationMessage(incident=entry.about, number=entry.number, kind=kind))
