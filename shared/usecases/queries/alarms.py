"""Alarms and the journal over all platforms: filtered, newest first, a page at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import TypeVar

from shared.domain.alarm import Alarm, AlarmState, Cause, Priority
from shared.domain.estimation import Verdict
from shared.domain.event import SYSTEM
from shared.domain.incident import split_incident
from shared.domain.journal import JournalEntry, topic_of_incident, topics_of_notices
from shared.domain.validation import Model
from shared.errors import NotFound
from shared.ports import AlarmsTable, JournalTable, ListPage, RegistryTable, SuppressionsTable
from shared.usecases.journal.journal import platform_of
from shared.usecases.lookup import look_up_template

AT_ONCE = 200  # read of a platform in one go
FIGURES_OVER = timedelta(days=30)
MOST_COUNTED = 10_000  # alarms of a month: far above any bound that they are held against

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, kw_only=True)
class AlarmFilter:
    """Which alarms are asked for; None: all."""

    platform: str | None = None
    template: str | None = None
    states: frozenset[AlarmState] | None = None
    priority: Priority | None = None
    verdict: Verdict | None = None
    start: datetime | None = None  # of onsets
    end: datetime | None = None

    def fits(self, alarm: Alarm) -> bool:
        """Return whether the alarm is asked for, whenever it began."""
        verdict = alarm.estimation.verdict if alarm.estimation else None
        return (
            self.template in (None, alarm.incident.template)
            and (self.states is None or alarm.state in self.states)
            and self.priority in (None, alarm.priority)
            and self.verdict in (None, verdict)
        )


@dataclass(frozen=True, kw_only=True)
class JournalFilter:
    """Which entries are asked for; None: all."""

    platform: str | None = None  # or ``system``
    template: str | None = None
    kind: str | None = None
    start: datetime | None = None  # of when they were said
    end: datetime | None = None

    def fits(self, entry: JournalEntry) -> bool:
        """Return whether the entry is asked for, whenever it was said."""
        return self.template in (None, entry.subject) and self.kind in (None, entry.kind)


class AlarmFigures(Model):
    """How many alarms call people: in the last day, a day over the last 30, and that stand now.

    ``shelved`` are the templates whose alarms are, now.
    """

    last_day: int
    per_day: float
    standing: int
    unacknowledged: int
    shelved: int


@dataclass(frozen=True, kw_only=True)
class AlarmQueries:
    """Reads alarms and the journal."""

    registry: RegistryTable
    table: AlarmsTable
    journal: JournalTable
    suppressions: SuppressionsTable
    responses: Mapping[Cause, str]

    def response(self, alarm: Alarm) -> str:
        """Return what to do about an alarm, in a sentence or two."""
        return self.responses[alarm.cause]

    def standing(self) -> Sequence[Alarm]:
        """Return every alarm that stands, newest onset first."""
        found = [one.alarm for one in self.table.standing()]
        return sorted(found, key=lambda one: one.incident.onset, reverse=True)

    def find(self, incident: str) -> Alarm | None:
        """Return the alarm of an incident, or None; raises InvalidInput."""
        stored = self.table.get(incident)
        return None if stored is None else stored.alarm

    def alarm(self, incident: str) -> Alarm:
        """Return the alarm of an incident; raises NotFound or InvalidInput."""
        found = self.find(incident)
        if found is None:
            raise NotFound(f"incident {incident!r} has no alarm")
        return found

    def figures(self, now: datetime) -> AlarmFigures:
        """Return how many alarms call people, for who judges the load (EEMUA 191)."""
        month = self.alarms(AlarmFilter(start=now - FIGURES_OVER, end=now), MOST_COUNTED)
        raised = [one.raised for one in month if not one.history]
        standing = self.standing()
        return AlarmFigures(
            last_day=sum(now - one <= timedelta(days=1) for one in raised),
            per_day=sum(now - one <= FIGURES_OVER for one in raised) / FIGURES_OVER.days,
            standing=len(standing),
            unacknowledged=sum(one.state is not AlarmState.ACKNOWLEDGED for one in standing),
            shelved=sum(one.kind == "shelved" and one.in_force(now) for one in self.suppressions.lasting(now)),
        )

    def alarms(self, wanted: AlarmFilter, limit: int, after: str | None = None) -> ListPage[Alarm]:
        """Return so many alarms after a page, newest onset first; raises InvalidInput."""

        def read(platform: str, place: str | None) -> Sequence[Alarm]:
            found = self.table.list(platform, limit=AT_ONCE, after=place, until=wanted.end)
            return [one.alarm for one in found]

        def of(platform: str) -> Iterator[Alarm]:
            for one in _all(lambda place: read(platform, place), lambda alarm: alarm.incident.id, after):
                if wanted.start is not None and one.incident.onset < wanted.start:
                    return
                yield one

        def place(alarm: Alarm) -> tuple[float, str]:
            return -alarm.incident.onset.timestamp(), alarm.incident.template

        found = merge(*(of(name) for name in self._platforms(wanted.platform, wanted.template)), key=place)
        return _page((one for one in found if wanted.fits(one)), limit, lambda alarm: alarm.incident.id)

    def entries(self, wanted: JournalFilter, limit: int, after: str | None = None) -> ListPage[JournalEntry]:
        """Return so many entries of the journal after a page, newest first; raises InvalidInput."""

        def of(platform: str) -> Iterator[JournalEntry]:
            def read(place: str | None) -> Sequence[JournalEntry]:
                return self.journal.list(
                    platform, limit=AT_ONCE, after=place, until=wanted.end, subject=wanted.template
                )

            for one in _all(read, lambda entry: entry.place, after):
                if wanted.start is not None and one.said < wanted.start:
                    return
                yield one

        def place(entry: JournalEntry) -> tuple[float, str, int]:
            return -entry.said.timestamp(), entry.topic, -entry.number

        found = merge(*(of(name) for name in self._platforms(wanted.platform, wanted.template)), key=place)
        return _page((one for one in found if wanted.fits(one)), limit, lambda entry: entry.place)

    def course(self, incident: str, until: datetime | None = None) -> Sequence[JournalEntry]:
        """Return what was said, done and sent about an incident by then, newest first; raises InvalidInput."""
        platform = platform_of(split_incident(incident)[0])
        steps = self.journal.topic(platform, topic_of_incident(incident))
        found = [*steps, *self.journal.topics(platform, topics_of_notices(incident))]
        known = [one for one in found if until is None or one.said <= until]
        return sorted(known, key=lambda one: (one.said, one.topic, one.number), reverse=True)

    def _platforms(self, platform: str | None, template: str | None) -> Sequence[str]:
        """Return the platforms that are asked for, the system among them; raises NotFound or InvalidInput."""
        if template is not None:
            record, _ = look_up_template(self.registry, template)
            return [record.platform.id] if platform in (None, record.platform.id) else []
        if platform is not None:
            return [platform if platform == SYSTEM else self.registry.platform(platform).platform.id]
        known = self.registry.platforms()
        return [*(one.platform.id for one in known), *known.unreadable, SYSTEM]


def _all(
    read: Callable[[str | None], Sequence[ItemT]], place: Callable[[ItemT], str], after: str | None
) -> Iterator[ItemT]:
    """Yield all items after a place, as they are asked for."""
    while True:
        found = read(after)
        yield from found
        if len(found) < AT_ONCE:
            return
        after = place(found[-1])


def _page(found: Iterator[ItemT], limit: int, place: Callable[[ItemT], str]) -> ListPage[ItemT]:
    items = list(islice(found, limit + 1))
    return ListPage.of(items[:limit], place(items[limit - 1]) if len(items) > limit else None)
