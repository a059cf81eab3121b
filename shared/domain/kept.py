"""How long what is stored is kept: what is older was deleted, which is neither Ok nor never having been."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Days for which each kind is kept; 0: for ever."""

    scored_days: int = 0
    events: int = 0
    incidents: int = 0  # with their estimations, from when they were over; their alarms and the journal stay
    corrupt: int = 0
    journal: int = 0

    def scored_since(self, now: datetime) -> date | None:
        """Return the first day whose scores are kept for certain; None: all are."""
        return first_kept(self.scored_days, now)

    def scored_among(self, days: Iterable[date], now: datetime) -> list[date]:
        """Return those of the lake's days whose scores are kept, in order: others are not scored again."""
        since = self.scored_since(now)
        return sorted(day for day in days if since is None or day >= since)

    def events_since(self, now: datetime) -> date | None:
        """Return the first day whose events are kept for certain; None: all are."""
        return first_kept(self.events, now)

    def incidents_since(self, now: datetime) -> date | None:
        """Return the day since which incidents are kept that were over by then; None: all are."""
        return first_kept(self.incidents, now)


def first_kept(days: int, now: datetime) -> date | None:
    """Return the first day that is kept for certain; None: all are."""
    return now.date() - timedelta(days=days) if days else None


def words_of(what: str, days: int) -> str:
    """Return what people are told in place of what is not there any more."""
    return f"{what} are kept for {days:,} days, older ones are deleted"


def sentences(kept: Kept) -> tuple[str, ...]:
    """Return what every page says of what was deleted for its age; nothing where all is kept."""
    said = {
        "readings and scores of sensors": kept.scored_days,
        "events": kept.events,
        "incidents that are over": kept.incidents,
    }
    return tuple(words_of(what, days).capitalize() for what, days in said.items() if days)
