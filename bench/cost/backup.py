"""What a day's backup takes of a template after a year: the export of ``bench.restore``, on tables in memory."""

import time
from argparse import Namespace
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from bench.restore import TODAY, Container, Table, backup_of, fill
from shared.adapters.backups import AzureBackupStore
from shared.usecases.keep.backup import KINDS
from tests.support.fakes import FakeClock

FEW, MORE = 2, 8  # templates: what both take does not depend on templates
YEAR = {"sensors": 4, "days": 365, "entries": 5}  # of a template; as bench.restore has them by default


@dataclass(frozen=True)
class DaysBackup:
    """The day's backup: what it takes however many templates there are (``run``), and for each of them."""

    run_transactions: Mapping[str, float]
    transactions: Mapping[str, float]
    seconds: float  # of a template
    day_bytes: float  # of a template, written every day
    year_bytes: float  # of a template: a year of the journal's months, each written once


def days_backup() -> DaysBackup:
    """Count and measure it; takes a few seconds."""
    few, more = _Backed(FEW), _Backed(MORE)
    apart = MORE - FEW
    each = {kind: (more.counts[kind] - few.counts[kind]) / apart for kind in more.counts}
    return DaysBackup(
        run_transactions={kind: max(few.counts[kind] - FEW * count, 0.0) for kind, count in each.items()},
        transactions=each,
        seconds=max(more.seconds - few.seconds, 0.0) / apart,
        day_bytes=(more.day_bytes - few.day_bytes) / apart,
        year_bytes=(more.year_bytes - few.year_bytes) / apart,
    )


class _Backed:
    """The second backup of a year of so many templates: the first one wrote the journal's months."""

    def __init__(self, templates: int) -> None:
        asked, stored = Counter[str](), Counter[str]()
        tables = {name: Table(name, asked) for name in KINDS}
        fill(tables, Namespace(templates=templates, **YEAR))
        container, clock = Container(stored), FakeClock(TODAY)
        backup = backup_of(tables, AzureBackupStore(container), clock)  # type: ignore[arg-type]
        backup.run()
        clock.moment += timedelta(days=1)
        asked.clear()
        stored.clear()
        held, begun = _bytes(container), time.perf_counter()
        backup.run()
        self.seconds = time.perf_counter() - begun
        self.counts = {
            f"{place} {how}": counts[how]
            for place, counts in (("table", asked), ("blob", stored))
            for how in ("read", "write")
        }
        self.day_bytes = _bytes(container) - held
        self.year_bytes = _bytes(container, "journal/")


def _bytes(container: Container, beginning: str = "") -> int:
    return sum(len(content) for name, (content, _) in container.held.items() if name.startswith(beginning))
