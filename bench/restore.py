"""How long a backup and a restore take of a year of a hundred templates, and how large a backup is.

    python -m bench.restore [--templates 100] [--sensors 4] [--days 365] [--entries 5] [--read-ms 15] [--write-ms 40]

The rows are simulated, on tables in memory, and go through the app's own export and restore: seconds of computing are
this machine's, requests are counted, and what they would wait for on Azure is assumed by ``--read-ms`` and
``--write-ms``. Scoring is measured on one sensor's month, one after the other on one core, as ``replay`` does it.
"""

import argparse
import re
import time
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
from azure.core.exceptions import ResourceExistsError

from bench.arguments import at_least
from shared.adapters.backups import AzureBackupStore
from shared.adapters.tables.exported_rows import AzureStoredRows
from shared.adapters.tables.journal import journal_entities
from shared.detection import build_baseline, detect
from shared.domain.backup import Manifest
from shared.domain.journal import Evidence, JournalEntry
from shared.usecases.keep.backup import KINDS, BackUp
from shared.usecases.keep.restore import Restore
from tests.support.fakes import FakeClock

TODAY = datetime(2026, 12, 31, 0, 40, tzinfo=UTC)
PAGE = 1000  # rows of one answer
PLATFORM_TEMPLATES = 20  # of one platform, which is a partition of the journal
TOPICS_AT_ONCE = 8  # as the export reads them
BOUND = re.compile(r"RowKey (ge|gt|le|lt) '([^']*)'")
PARTITION = re.compile(r"PartitionKey eq '([^']*)'")
AFTER = re.compile(r"PartitionKey gt '([^']*)'")


class Table:
    """A table whose rows are found by their keys, as a real one finds them; each request is counted."""

    def __init__(self, name: str, requests: Counter[str]) -> None:
        """Begin empty."""
        self.table_name = name
        self._rows: dict[str, dict[str, Mapping[str, Any]]] = {}
        self._keys: dict[str, list[str]] = {}
        self._requests = requests

    def put(self, row: Mapping[str, Any]) -> None:
        """Write a row."""
        partition, key = row["PartitionKey"], row["RowKey"]
        held = self._rows.setdefault(partition, {})
        if key not in held:
            insort(self._keys.setdefault(partition, []), key)
        held[key] = row

    def submit_transaction(self, steps: Sequence[tuple[str, Mapping[str, Any], Any]], **_: Any) -> list[dict[str, str]]:
        """Write rows."""
        self._requests["write"] += 1
        for step in steps:
            self.put(step[1])
        return [{"etag": ""} for _ in steps]

    def query_entities(self, where: str, *, results_per_page: int = PAGE, **_: Any) -> Iterator[dict[str, Any]]:
        """Yield the rows between two keys of a partition, or the first of the next partition, or all."""
        if found := AFTER.search(where):
            self._requests["read"] += 1
            later = sorted(one for one in self._rows if one > found[1])
            yield from (dict(self._rows[one][self._keys[one][0]]) for one in later)
            return
        asked = PARTITION.search(where)
        for partition in [asked[1]] if asked else sorted(self._rows):
            keys = self._keys.get(partition, [])
            low, high = 0, len(keys)
            for kind, key in BOUND.findall(where):
                if kind in ("ge", "gt"):
                    low = max(low, (bisect_left if kind == "ge" else bisect_right)(keys, key))
                else:
                    high = min(high, (bisect_right if kind == "le" else bisect_left)(keys, key))
            for number, key in enumerate(keys[low:high]):
                if number % results_per_page == 0:
                    self._requests["read"] += 1
                yield dict(self._rows[partition][key])

    def list_entities(self, **_: Any) -> Iterator[dict[str, Any]]:
        """Yield all rows."""
        return self.query_entities("")


class Container:
    """A container in memory; each request is counted."""

    def __init__(self, requests: Counter[str]) -> None:
        """Begin empty."""
        self.held: dict[str, tuple[bytes, Mapping[str, str]]] = {}
        self._requests = requests

    def upload_blob(self, name: str, content: bytes, *, metadata: Mapping[str, str], **_: Any) -> None:
        """Write a blob."""
        self._requests["write"] += 1
        if name in self.held:
            raise ResourceExistsError
        self.held[name] = content, metadata

    def download_blob(self, name: str) -> Any:
        """Return a blob."""
        self._requests["read"] += 1
        return SimpleNamespace(readall=lambda: self.held[name][0])

    def list_blob_names(self, name_starts_with: str) -> list[str]:
        """Return the names that begin so."""
        self._requests["read"] += 1
        return [one for one in self.held if one.startswith(name_starts_with)]

    def list_blobs(self, name_starts_with: str, **_: Any) -> list[Any]:
        """Return the blobs whose names begin so."""
        return [
            SimpleNamespace(name=one, metadata=dict(self.held[one][1]), size=len(self.held[one][0]))
            for one in self.list_blob_names(name_starts_with)
        ]


def fill(tables: Mapping[str, Table], options: argparse.Namespace) -> int:
    """Write what a year leaves; return how many rows of the journal."""
    random = np.random.default_rng(1)
    begin = TODAY.replace(hour=0, minute=0) - timedelta(days=options.days)
    entries = 0
    for number in range(options.templates):
        platform = f"p{number // PLATFORM_TEMPLATES:02d}"
        template = f"{platform}-t{number:03d}"
        tables["registry"].put(_row(platform, f"template|{template}", random, 4000))
        for key in ("ingest", "latest"):
            tables["registry"].put(_row("~", f"{template}|{key}", random, 1500))
        for sensor in range(options.sensors):
            tables["registry"].put(_row(platform, f"sensor|{template}-{sensor}", random, 3000))
            for mark in range(4):
                tables["marks"].put(_row(f"{template}-{sensor}", f"decision|{mark:06d}", random, 200))
        tables["statements"].put(_row(platform, template, random, 30_000))
        for incident in range(options.days // 30):
            for table, size in (("incidents", 500), ("estimations", 20_000)):
                tables[table].put(_row(template, f"{incident:010d}", random, size))
            tables["alarms"].put(_row(platform, f"{incident:010d}-{template}", random, 2000))
        for day in range(options.days):
            for said in range(options.entries):
                moment = begin + timedelta(days=day, seconds=int(86_400 * said / options.entries))
                level = said % 2 == 0
                about = f"{template}-{said % options.sensors}"
                entry = JournalEntry(
                    platform=platform,
                    subject=template,
                    topic=f"level:{about}" if level else f"event:{moment:%Y%m%dT%H%M%SZ}-{number:08d}{said:08d}",
                    number=(day * options.entries + said) if level else 0,
                    kind="level" if level else "sensor_fault",
                    said=moment,
                    at=moment,
                    about=about,
                    message="Warning" if level else f"{about} is noisy since then: what would be Ok is Undefined",
                )
                state = Evidence(state=random.bytes(100).hex()) if level else Evidence()
                for written in journal_entities(entry, state):
                    tables["journal"].put(written)
                entries += 1
            if day % 2 == 0:
                tables["events"].put(_row(template, f"{day:010d}-{said:016d}", random, 200))
    return entries


def _row(partition: str, key: str, random: np.random.Generator, size: int) -> dict[str, Any]:
    """Return a row of so many bytes that cannot be packed much."""
    return {"PartitionKey": partition, "RowKey": key, "schema": 1, "kind": "unit_changed", "body": random.bytes(size)}


def scoring_s() -> float:
    """Return how long it takes to score a sensor's day [s], with a baseline of 200 days."""
    values = 40 + np.random.default_rng(1).normal(0, 15, 230 * 144)
    times = np.datetime64("2026-01-01T00:00:00") + np.arange(values.size) * np.timedelta64(600, "s")
    baseline, since = build_baseline(times[: 200 * 144], values[: 200 * 144]), 202 * 144
    detect(baseline, times[200 * 144 :], values[200 * 144 :], since=times[since])  # the first one compiles
    begun = time.perf_counter()
    detect(baseline, times[200 * 144 :], values[200 * 144 :], since=times[since])
    return (time.perf_counter() - begun) / 28


class Measured:
    """Prints what a step took: computing, requests, and how long it would wait for these."""

    def __init__(self, requests: Counter[str], options: argparse.Namespace) -> None:
        """Count by this."""
        self._requests, self._options = requests, options
        self.minutes = 0.0

    def run(self, name: str, work: Any, parallel: int = 1) -> Any:
        """Return what the work returns."""
        self._requests.clear()
        begun = time.perf_counter()
        found = work()
        spent = time.perf_counter() - begun
        reads, writes = self._requests["read"], self._requests["write"]
        wait = reads * self._options.read_ms / 1000 / parallel + writes * self._options.write_ms / 1000
        self.minutes = (spent + wait) / 60
        print(f"{name:34s} {spent:7.1f} {reads:9,} {writes:9,} {self.minutes:9.1f}")
        return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.restore", description=__doc__.splitlines()[0])
    parser.add_argument("--templates", type=at_least(1), default=100)
    parser.add_argument("--sensors", type=at_least(1), default=4, help="of a template")
    parser.add_argument("--days", type=at_least(40), default=365)
    parser.add_argument("--entries", type=at_least(1), default=5, help="of the journal, a template and day")
    parser.add_argument("--read-ms", type=float, default=15.0, help="wait for an answer of a page of rows")
    parser.add_argument("--write-ms", type=float, default=40.0, help="wait for a transaction of a hundred rows")
    options = parser.parse_args()
    requests: Counter[str] = Counter()
    tables = {name: Table(name, requests) for name in KINDS}
    entries = fill(tables, options)
    container, clock = Container(requests), FakeClock(TODAY)
    store = AzureBackupStore(container)  # type: ignore[arg-type]
    print(f"{options.templates} templates of {options.sensors} sensors, {options.days} days, {entries:,} entries said")
    print(f"in memory; waits of {options.read_ms:g} ms a read and {options.write_ms:g} ms a write are assumed\n")
    print(f"{'':34s} {'here s':>7} {'reads':>9} {'writes':>9} {'Azure min':>9}")
    measured = Measured(requests, options)
    backup = backup_of(tables, store, clock)
    first: Manifest = measured.run("first backup", backup.run, TOPICS_AT_ONCE)
    clock.moment += timedelta(days=1)
    held = sum(len(content) for content, _ in container.held.values())
    second: Manifest = measured.run("the next day's", backup.run, TOPICS_AT_ONCE)
    for name in KINDS:
        tables[name] = Table(name, requests)
    restore = Restore(
        rows=AzureStoredRows(tables),  # type: ignore[arg-type]
        store=store,
        registry=None,  # type: ignore[arg-type]
        baselines=None,  # type: ignore[arg-type]
        proof_tests=None,  # type: ignore[arg-type]
    )
    done = measured.run("restore of all tables", lambda: list(restore.run(restore.chosen(None))))
    assert sum(one.rows for one in done) == second.rows
    tables_min, day_s = measured.minutes, scoring_s()
    days = options.templates * options.sensors * options.days
    # Each day is looked at twice, by the baselines and then by itself: a blob, and of each sensor a row that is
    # written the first time.
    waits_s = (2 * (options.templates * options.days + days) * options.read_ms + days * options.write_ms) / 1000
    replay_h = (days * day_s + waits_s) / 3600
    new = sum(len(content) for content, _ in container.held.values()) - held
    print(f"\nrows {second.rows:,}; first backup {_size(first)}; each further day {new / 1e6:.1f} MB")
    print(f"replay: {day_s * 1000:.0f} ms of scoring a sensor's day, and waits: {replay_h:.1f} h for {days:,} of them")
    print("RPO: the last backup, at most 24 h and the hour that a run fails; what was measured: none, the lake has it")
    print(f"RTO: registered, said and decided after {tables_min:.1f} min; all scores after {replay_h:.1f} h")


def backup_of(tables: Mapping[str, Table], store: AzureBackupStore, clock: FakeClock) -> BackUp:
    """Return the app's backup of these tables."""
    registered = SimpleNamespace(platforms=lambda: SimpleNamespace(unreadable={"one": None}))
    return BackUp(
        rows=AzureStoredRows(tables),  # type: ignore[arg-type]
        store=store,
        registry=registered,
        events=None,  # type: ignore[arg-type]
        clock=clock,
        budget=timedelta(days=1),
        version="bench",
        on=True,
    )


def _size(manifest: Manifest) -> str:
    return f"{sum(one.size for one in manifest.parts) / 1e6:.1f} MB in {len(manifest.parts)} parts"


if __name__ == "__main__":
    main()
