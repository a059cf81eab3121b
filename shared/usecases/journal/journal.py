"""Writes down what is said: once for as long as it stands, and again when it is said anew or otherwise.

An entry is there before what it tells of is shown, so that a crash in between leaves a journal that knows more, never
less; the repetition finds it said.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.detection import Fault
from shared.domain.deviation import Latest
from shared.domain.event import SYSTEM, Event
from shared.domain.journal import (
    Evidence,
    JournalEntry,
    to_the_second,
    topic_of_event,
    topic_of_event_id,
    topic_of_level,
)
from shared.domain.template import Template
from shared.ports import Clock, JournalTable
from shared.retry import after_conflicts

NO_EVIDENCE = Evidence()


@dataclass(frozen=True, kw_only=True)
class Journal:
    """Adds to the journal."""

    table: JournalTable
    clock: Clock

    def event(self, event: Event) -> None:
        """Write down that an event is told, unless that is what its topic said last."""
        say(
            self.table,
            JournalEntry(
                platform=platform_of(event.subject),
                subject=event.subject,
                topic=topic_of_event(event),
                number=0,
                kind=event.kind,
                said=self._now(),
                at=to_the_second(event.at),
                about=event.about,
                message=event.message,
                by=event.by,
            ),
        )

    def event_taken_back(self, event: Event) -> None:
        """Write down that an event is told no more, if it was."""
        self._take_back(platform_of(event.subject), topic_of_event(event))

    def event_id_taken_back(self, subject: str, event: str) -> None:
        """Write down that the subject's event of that id is told no more, if it was."""
        self._take_back(platform_of(subject), topic_of_event_id(event))

    def level(self, template: Template, sensor: str, latest: Latest) -> None:
        """Write down how a sensor is by its newest sample."""
        topic = topic_of_level(sensor)
        fault = Fault(latest.fault)
        new = JournalEntry(
            platform=template.platform,
            subject=template.id,
            topic=topic,
            number=0,
            kind="level",
            said=self._now(),
            at=to_the_second(latest.since),
            about=sensor,
            message=latest.level.word + ("" if fault is Fault.NONE else f", {fault.word}"),
        )

        say(self.table, new, Evidence(state=latest.model_dump_json()))

    def _take_back(self, platform: str, topic: str) -> None:
        def attempt(_: bool) -> None:
            last = self.table.last(platform, topic)
            if last is not None and not last.withdrawn:
                changed = {"number": last.number + 1, "said": self._now(), "withdrawn": True, "by": ""}
                self.table.append(last.model_copy(update=changed), NO_EVIDENCE)

        after_conflicts(attempt, topic)

    def _now(self) -> datetime:
        return to_the_second(self.clock.now())


def say(table: JournalTable, entry: JournalEntry, evidence: Evidence = NO_EVIDENCE) -> None:
    """Append the entry to its topic, as the next one whatever its number, unless the last one says the same."""

    def attempt(_: bool) -> None:
        last = table.last(entry.platform, entry.topic)
        if last is None or not entry.says_the_same_as(last):
            number = 0 if last is None else last.number + 1
            table.append(entry.model_copy(update={"number": number}), evidence)

    after_conflicts(attempt, entry.topic)


def platform_of(subject: str) -> str:
    """Return the platform of a template, or ``system``."""
    return SYSTEM if subject == SYSTEM else subject.partition("-")[0]
