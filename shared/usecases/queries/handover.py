"""Look at a shift: what was said and done since its beginning, and what the next one takes over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.alarm import Alarm
from shared.domain.journal import JournalEntry
from shared.ports import Clock
from shared.usecases.queries.alarms import AlarmQueries, JournalFilter
from shared.usecases.queries.page_views import PageViews
from shared.usecases.queries.template_status import TemplateStatus

MOST_ENTRIES = 500


@dataclass(frozen=True)
class Handover:
    """A shift from its beginning to now; ``entries`` are the newest ones where there are more (``cut``)."""

    since: datetime
    until: datetime
    standing: Sequence[Alarm]
    notes: Sequence[JournalEntry]
    entries: Sequence[JournalEntry]  # all others
    cut: bool
    states: Sequence[TemplateStatus]  # of templates with faults, or that are not watched in full


@dataclass(frozen=True, kw_only=True)
class Handovers:
    """Reads what a shift hands over."""

    alarms: AlarmQueries
    views: PageViews
    clock: Clock

    def since(self, moment: datetime) -> Handover:
        """Return the shift that began at a moment."""
        now = self.clock.now()
        page = self.alarms.entries(JournalFilter(start=moment, end=now), MOST_ENTRIES)
        notes = [one for one in page if one.kind == "note" and not one.withdrawn]
        states = [one for one in self.views.overview().states if one.faulty or one.gaps or not one.sensors]
        return Handover(
            moment,
            now,
            self.alarms.standing(),
            notes,
            [one for one in page if one.kind != "note" or one.withdrawn],
            page.continuation is not None,
            states,
        )
