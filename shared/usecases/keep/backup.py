"""Backup: once a day, everything that nothing can derive, in parts, and at last the manifest that makes them one.

A run that dies leaves parts that no manifest names, which is no backup; the next run, an hour later, makes them again.
What follows the journal is exported before the journal: so the journal of a backup knows more, never less.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shared.domain.backup import Manifest, Part, end_of, is_late
from shared.domain.event import backup_missing
from shared.errors import LeakDetectionError
from shared.ports import BackupStore, Clock, EventsTable, RegistryTable, StoredRows
from shared.schemas import Stored
from shared.telemetry import log_event

logger = logging.getLogger(__name__)

# Everything but scored days, baseline versions and events of a scored day, which the lake and the rest make again.
# Statements keep the one before, incidents and estimations what people were told: nothing makes these anew.
KINDS: Mapping[str, Stored] = {
    "incidents": Stored.INCIDENT,
    "estimations": Stored.ESTIMATION,
    "statements": Stored.STATEMENT,
    "prooftests": Stored.PROOF_TEST,
    "events": Stored.EVENT,
    "alarms": Stored.ALARM,
    "suppressions": Stored.SUPPRESSION,
    "marks": Stored.MARK,
    "registry": Stored.REGISTRY,
    "journal": Stored.JOURNAL,
}
OVER = timedelta(days=3)  # after which nobody adds to a month of the journal any more, whose clock ever is behind


@dataclass(frozen=True, kw_only=True)
class BackUp:
    """Makes the day's backup, and tells when there is none."""

    rows: StoredRows
    store: BackupStore
    registry: RegistryTable
    events: EventsTable
    clock: Clock
    budget: timedelta  # a run begins no further part after so long
    version: str
    on: bool

    def run(self) -> Manifest | None:
        """Make the day's backup unless there is one; return it; raises LeakDetectionError when time is used up."""
        now = self.clock.now()
        if not self.on or now.date() in self.store.days():
            return None
        if not self._is_anything_registered():
            log_event(logger, "backup left out", why="nothing is registered")
            return None
        made = self._export(now)
        if not self.store.finish(made):
            return None  # another run was as fast
        log_event(
            logger,
            "backup made",
            day=made.day,
            parts=len(made.parts),
            rows=made.rows,
            bytes=sum(one.size for one in made.parts),
            seconds=(made.ended - made.began).total_seconds(),
        )
        return made

    def tell(self) -> None:
        """Tell, once a day, that the newest whole backup is older than yesterday's."""
        if not self.on or not self._is_anything_registered():
            return
        today, newest = self.clock.now().date(), newest_of(self.store)
        if newest is not None and is_late(newest, today):
            log_event(logger, "backup missing", logging.ERROR, newest=newest)
            self.events.put(backup_missing(today, newest))

    def _is_anything_registered(self) -> bool:
        """Return whether there is a platform: the backup of an emptied storage would be taken for the newest one."""
        known = self.registry.platforms()
        return bool(known) or bool(known.unreadable)

    def _export(self, began: datetime) -> Manifest:
        day, parts = began.date(), list[Part]()
        closed = self.store.closed_months()
        for month in self.rows.journal_months():
            if end_of(month) + OVER <= day:
                self._check_time(began, f"the journal of {month}")
                parts.append(closed.get(month) or self._month(month, None))
        for table in KINDS:
            self._check_time(began, table)
            if table != "journal":
                parts.append(self.store.write(self.rows.rows(table), table, day))
        for month in self.rows.journal_months():  # anew: a month may have begun just now
            if end_of(month) + OVER > day:
                self._check_time(began, f"the journal of {month}")
                parts.append(self._month(month, day))
        return Manifest(day=day, began=began, ended=self.clock.now(), version=self.version, parts=tuple(parts))

    def _month(self, month: str, day: date | None) -> Part:
        return self.store.write(self.rows.journal(month), "journal", day, month)

    def _check_time(self, began: datetime, what: str) -> None:
        if self.clock.now() - began >= self.budget:
            raise LeakDetectionError(f"the backup had no time left for {what}: the next run goes on")


def newest_of(store: BackupStore) -> date | None:
    """Return the day of the newest whole backup; None: there is none."""
    return max(store.days(), default=None)
