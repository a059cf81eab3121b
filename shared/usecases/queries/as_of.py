"""What was known at a moment: templates and incidents as they were said to be by then, read from the journal alone.

What the sensors read is not among it: readings are what they are. What was made of them is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.alarm import Alarm
from shared.domain.deviation import Latest
from shared.domain.estimation import Estimation
from shared.domain.incident import split_incident
from shared.domain.journal import (
    JournalEntry,
    topic_of_incident,
    topic_of_level,
    topic_of_watch,
    topics_of_incidents,
    topics_of_suppressions,
)
from shared.domain.suppression import Suppression
from shared.domain.template import Sensor, Template
from shared.errors import NotFound
from shared.ports import JournalTable
from shared.usecases.health.gaps import Gap, Reason
from shared.usecases.journal.journal import platform_of


@dataclass(frozen=True)
class KnownLevel:
    """What was said of a sensor: its newest sample when its level was said last, and why it was not watched, if so."""

    sensor: Sensor
    latest: Latest | None
    gap: Gap | None


@dataclass(frozen=True, kw_only=True)
class AsOf:
    """Reads what was known at a moment."""

    journal: JournalTable

    def levels(self, template: Template, moment: datetime) -> Sequence[KnownLevel]:
        """Return what was said of each sensor of a template by then."""
        return [self._level(template, one, moment) for one in template.sensors]

    def _level(self, template: Template, sensor: Sensor, moment: datetime) -> KnownLevel:
        said = self.journal.last(template.platform, topic_of_level(sensor.id), moment)
        watch = self.journal.last(template.platform, topic_of_watch(template.id, sensor.id), moment)
        latest = None
        if said is not None:
            latest = Latest.model_validate_json(self.journal.evidence(template.platform, said.id).state, extra="ignore")
        gap = None
        if watch is not None and not watch.withdrawn:
            gap = Gap(Reason(watch.message.rpartition(": ")[2]), watch.at)  # as event.not_watched puts it
        return KnownLevel(sensor, latest, gap)

    def alarm(self, incident: str, moment: datetime) -> Alarm:
        """Return the alarm of an incident as it stood then; raises NotFound or InvalidInput."""
        template, _ = split_incident(incident)
        last = self.journal.last(platform_of(template), topic_of_incident(incident), moment)
        if last is None:
            raise NotFound(f"nothing was known of incident {incident!r} at {moment.isoformat()}")
        return self._alarm(last)

    def alarms(self, template: Template, moment: datetime, limit: int) -> Sequence[Alarm]:
        """Return the newest alarms of a template as they stood then, newest onset first."""
        newest: dict[str, JournalEntry] = {}
        for one in self.journal.topics(template.platform, topics_of_incidents(template.id)):
            if one.said <= moment:
                newest.setdefault(one.about, one)
        chosen = sorted(newest.values(), key=lambda one: split_incident(one.about)[1], reverse=True)[:limit]
        return [self._alarm(one) for one in chosen]

    def suppressions(self, platform: str, moment: datetime) -> Sequence[Suppression]:
        """Return what was shelved, out of service or planned at a platform, as it was said then."""
        newest: dict[str, JournalEntry] = {}
        for one in self.journal.topics(platform, topics_of_suppressions()):
            if one.said <= moment:
                newest.setdefault(one.topic, one)
        found = (self.journal.evidence(one.platform, one.id).state for one in newest.values())
        return [Suppression.from_json(one) for one in found]

    def _alarm(self, entry: JournalEntry) -> Alarm:
        return Alarm.from_json(self.journal.evidence(entry.platform, entry.id).state)

    def estimation(self, alarm: Alarm, moment: datetime | None = None) -> Estimation | None:
        """Return all of the answer that an alarm gives in short, by then; None where it gives none."""
        incident = alarm.incident
        if alarm.estimation is None:
            return None
        for one in self.journal.topic(incident.platform, topic_of_incident(incident.id)):
            if one.kind in ("alarm_estimated", "alarm_escalated") and (moment is None or one.said <= moment):
                return Estimation.model_validate_json(
                    self.journal.evidence(one.platform, one.id).estimation, extra="ignore"
                )
        return None
