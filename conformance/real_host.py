"""Runs the package on Microsoft's own Functions host: the whole way of the data, as the platform runs it.

Two hosts share the work on one storage, over the emulator of OMNIA, and one of them is ended while days are scored. In
the end the tables hold what one local host makes of the same sea, and a day that is scored again writes nothing.
Then all tables and baselines are lost, the backup that the host made is restored, and a host scores anew: rows and
pages are as before. Last, a host answers the requests of ``conformance/http_answers.py``.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest.mock import patch

from azure.data.tables import TableClient

from admin.manage import seed, seed_platforms
from admin.package import PackageError, build
from conformance import http_answers
from conformance.check_result import CheckResult
from conformance.environments import ROOT, without_project
from conformance.functions_host import FunctionsHost, HostError, HostMissing, ready_host
from local.azurite import Azurite
from local.emulator import emulator
from local.event_grid import EventGrid, event_of
from local.metadata import BY_HAND
from local.process import HostProcess
from local.receiver import Receiver, receiving, status
from local.snapshot import Snapshot, derived, differences, snapshot
from shared.bootstrap import Bootstrap
from shared.domain.deviation import Level
from shared.domain.notice import TOLD
from shared.settings import StorageSettings, load_settings
from tests.support.rehearsal import lose, shown, shown_otherwise

TOKEN = "conformance"  # noqa: S105 (the emulator's, on this machine only)
PLATFORM, TEMPLATE = "askeladd", "askeladd-a"  # the smallest: one template with two sensors
PRESENT, ONSET_DAY = "2026-03-20T12:00:00Z", "2026-03-18"
BACKED_UP = date(2026, 3, 20)  # the day of the backup that is made at present
SEA = [
    *("--platforms", PLATFORM, "--now", PRESENT, "--days", "35", "--seed", "4"),
    *("--leak-template", TEMPLATE, "--leak-point", "A1", "--leak-rate", "1e-4", "--leak-hours-ago", "40"),
]
RULES = {
    "OMNIA__STATIC_TOKEN": TOKEN,
    "AS_OF": PRESENT,
    "INGEST_SCHEDULE": BY_HAND,
    "BASELINES_SCHEDULE": BY_HAND,
    "KEEP_SCHEDULE": BY_HAND,
    "PROOF__EVERY_DAYS": "0",  # what comes of one depends on the tick it begins at; conformance.proof_tests plays them
    "INGEST__BACKFILL_DAYS": "35",
    "INGEST__STEP_DAYS": "4",
    "BASELINE__MIN_DAYS": "28",  # and three days to judge by: scored before the leak begins
    "LAKE_TRIGGER": "queue",  # as it is deployed
    "OPENBLAS_NUM_THREADS": "1",  # with several, sums end in another order, and the last bits differ
}
OFTEN = "*/10 * * * * *"
HOST_ID = "conformance"
PATIENCE_S = 400.0  # from the start of the hosts to the end of their work
BEFORE_THE_END = 3  # days that are scored when one of the two hosts is ended
AGAIN = tuple(f"2026-03-{day:02d}" for day in (1, 5, 10, 19))  # days that are scored again
LOST = "2026-03-17"  # a day whose row is lost: it hands on to days that were scored with the same baseline
FIRE = (
    "ingest",
    "ingest_templates",
    "detect",
    "baselines",
    "baselines_after_backfill",
    "estimate",
    "notify",
    "performance",
    "keep",
)


class Expected(NamedTuple):
    """The rows in the end, and the kinds of the app's triggers by their functions' names."""

    rows: Snapshot
    declared: Mapping[str, str]


def check(root: Path) -> CheckResult:
    """Build the package and run it on the real host; skipped where there is none."""
    try:
        start, python = ready_host()
    except HostMissing as missing:
        return CheckResult.skip(str(missing))
    with TemporaryDirectory() as folder:
        try:
            build(root, Path(folder))
        except PackageError as error:
            return CheckResult.of("", [str(error)])
        app = Path(folder) / "app"
        parts = [
            run(start, python, app, Path(folder), locally(Path(folder))),
            http_answers.compare(start, python, app, Path(folder)),
        ]
    return CheckResult.of(
        "; ".join(part.summary for part in parts if part.summary), [fault for part in parts for fault in part.faults]
    )


def run(
    start: list[str], python: Path, app: Path, folder: Path, expected: Expected, patience: float = PATIENCE_S
) -> CheckResult:
    """Run an app's folder on two hosts that share the work; ``patience`` [s]: what they may take together."""
    with ExitStack() as stack:
        omnia = stack.enter_context(emulator(TOKEN, SEA))
        azurite = stack.enter_context(Azurite(folder / "storage"))
        receiver = stack.enter_context(receiving(status(202)))
        settings = settings_of(azurite, omnia, receiver) | {"INGEST_SCHEDULE": OFTEN}
        hosts = [FunctionsHost(start, python, app, folder / f"host{number}", settings, HOST_ID) for number in range(2)]
        calm = FunctionsHost(start, python, app, folder / "calm", settings | {"INGEST_SCHEDULE": BY_HAND}, HOST_ID)
        grid = stack.enter_context(lake_events(azurite))
        way = WayOfTheData(seeded(settings), hosts, grid, receiver, expected, patience)
        try:
            for host in hosts:  # not at once: both would make the keys of the storage, and one of them fails and waits
                stack.enter_context(host).wait_ready()
            steps = [step() for step in (way.index, way.share, way.finish)]
            stack.callback(calm.stop)
            steps += [way.repeat(calm), way.restore(lambda *words: managed(app, settings, *words))]
        except HostError as error:
            return CheckResult.of("", [*way.faults, str(error)])
        return CheckResult.of("; ".join(steps), way.faults)


def lake_events(azurite: Azurite) -> EventGrid:
    """Return what tells the app's queue of the blobs of its lake."""
    names = StorageSettings()
    return EventGrid(azurite.connection_string, names.lake_container, names.lake_events_queue)


def settings_of(azurite: Azurite, omnia: str, receiver: Receiver) -> dict[str, str]:
    """Return the app's settings on that storage, emulator and receiver of alarms, by hand only."""
    return {
        **RULES,
        "AzureWebJobsStorage": azurite.connection_string,
        "OMNIA__BASE_URL": omnia,
        "NOTIFY__WEBHOOK_URL": receiver.url,
        "NOTIFY__SECRET": TOKEN,
    }


def seeded(settings: Mapping[str, str]) -> Bootstrap:
    """Return the app with its storage made and its one platform loaded."""
    with patch.dict(os.environ, settings):
        app = Bootstrap(load_settings())
    app.clients.ensure_storage()
    seed(app, [one for one in seed_platforms() if one.id == PLATFORM])
    return app


def managed(package: Path, settings: Mapping[str, str], *words: str) -> None:
    """Run an administrator's command with what is deployed; raises HostError with what it said."""
    command = [sys.executable, "-m", "admin.manage", *words]  # `shared` is that of the folder it runs in
    path = os.pathsep.join((str(ROOT), str(ROOT / "mock")))
    variables = {**without_project(), **settings, "PYTHONPATH": path}
    done = subprocess.run(command, cwd=package, env=variables, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise HostError(f"manage {' '.join(words)} failed: {done.stdout[-500:]}{done.stderr[-500:]}")


def rows(app: Bootstrap) -> Snapshot:
    """Return the rows of all tables but of what was said on the way, which depends on when data came."""
    return derived(app)


def locally(folder: Path) -> Expected:
    """Return what one local host makes of the sea; its log is put into the folder."""
    with emulator(TOKEN, SEA) as omnia, Azurite() as azurite, receiving(status(202)) as receiver:
        settings = settings_of(azurite, omnia, receiver)
        app = seeded(settings)
        with HostProcess(settings, log=folder / "local.log") as host, lake_events(azurite) as grid:
            declared = {one["name"]: one["trigger"] for one in host.admin("functions")}
            for function in ("ingest", "baselines", "ingest"):  # the last one tells how it is by then
                host.run_now(function)
                host.wait_idle(PATIENCE_S)
                while grid.tell():
                    host.wait_idle(PATIENCE_S)
        return Expected(rows(app), declared)


class WayOfTheData:
    """What two hosts make of the sea, step by step; each step returns what it saw, in words."""

    def __init__(
        self,
        app: Bootstrap,
        hosts: Sequence[FunctionsHost],
        grid: EventGrid,
        receiver: Receiver,
        expected: Expected,
        patience: float,
    ) -> None:
        """Look at the app's storage and at these hosts."""
        self._app, self._hosts, self._grid, self._receiver = app, hosts, grid, receiver
        self._expected, self._declared = expected.rows, expected.declared
        self._stays, self._cut_off = hosts[-1], 0
        self._begun, self._patience = time.monotonic(), patience
        self.faults: list[str] = []

    def index(self) -> str:
        """Hold the functions that the host loaded against those that the app declares."""
        started, loaded, declared = time.monotonic() - self._begun, self._hosts[0].functions(), self._declared
        self.faults += [f"the host did not load {name}" for name in sorted(declared.keys() - loaded.keys())]
        self.faults += [
            f"the host loaded {name} with a {kind}, and the app declares {declared.get(name, 'none')}"
            for name, kind in sorted(loaded.items())
            if declared.get(name) != kind
        ]
        if self.faults:
            raise HostError("what the host loaded is not what the app declares")
        return f"{len(loaded)} functions loaded in {started:.0f} s"

    def share(self) -> str:
        """End one of the hosts while days are scored."""
        self._until(lambda: self._succeeded("detect") >= BEFORE_THE_END, "score days")
        stays, ended = sorted(self._hosts, key=lambda host: host.executed()["detect", "Succeeded"])
        begun = time.monotonic()
        ended.stop()
        self._stays, self._cut_off = stays, ended.under_way("detect")
        scored = ended.executed()["detect", "Succeeded"]
        return f"a host that had scored {scored} days ended in {time.monotonic() - begun:.1f} s"

    def finish(self) -> str:
        """Wait for the same rows as on the local host, and for every kind of trigger to have succeeded."""
        self._until(lambda: self._succeeded("baselines_after_backfill") > 0, "build baselines")
        self._until(lambda: self._stays.executed()["detect", "Succeeded"] > 0, "go on to score days")
        self._until(self._has_no_messages, "empty its queues")
        self._stays.run_now("baselines")  # heals what no event tells of any more
        self._until(lambda: rows(self._app) == self._expected, "make the rows of the local host", self._different)
        self._until(self._rests, "come to rest")
        if rows(self._app) != self._expected:
            self.faults.append(f"what came after the rows of the local host changed them: {self._different()}")
        self._until(lambda: self._silent() == ["keep"], "let every other kind of trigger succeed")
        self._until(lambda: self._has_no_messages() and self._rests(), "empty its queues again")
        self._stays.run_now("keep")  # at last: what came after it, a restore could not know
        self._until(lambda: not self._silent(), "back up")
        health = self._stays.get("/api/health")
        if not health.ok or any(one["stale"] for one in health.json()["templates"] if one["sensors"]):
            self.faults.append(f"/api/health answers {health.status_code} {health.text[:300]}")
        self.faults += [
            f"verdict {verdict} of the planted leak" for verdict in self._verdicts() if verdict != "CONFIRMED"
        ]
        self.faults += list(self._untold())
        if BACKED_UP not in self._app.backup.store.days():
            self.faults.append(f"keep succeeded, and there is no backup of {BACKED_UP} with a manifest")
        ended = sum((host.executed() for host in self._hosts), Counter[tuple[str, str]]())
        runs = ", ".join(
            f"{name} {how.lower()} {count}" for (name, how), count in sorted(ended.items()) if name in FIRE
        )
        return (
            f"{runs}; {len(self._expected)} rows as on the local host, leak CONFIRMED, "
            f"{len(self._receiver.arrived)} steps of alarms told, {self._levels()}"
        )

    def repeat(self, calm: FunctionsHost) -> str:
        """Let days be scored again, one of them without its row: nothing else is written, and the row is as before.

        From here on a host works that does not ingest by itself: what it shows does not depend on a tick.
        """
        self._stays.stop()
        self._stays = calm
        calm.start().wait_ready()  # a new worker remembers nothing: it compares with what is stored
        self._until(self._rests, "come to rest after its start")
        before = self._written()
        lost = next(key for key in sorted(before) if key[1] == LOST)
        self._deviations().delete_entity(*lost)
        days = (*AGAIN, LOST)
        for day in days:
            event = event_of(self._lake, f"{PLATFORM}/a/{day}.json", datetime.now(UTC))
            self._stays.run_now("detect", json.dumps(event))
        self._until(lambda: self._stays.ended_by_hand("detect") == len(days) and self._rests(), "score days again")
        written = sorted(key for key, tag in self._written().items() if before.get(key) != tag and key != lost)
        if written:
            self.faults.append(f"{len(written)} rows were written again, and nothing had changed: {written[:3]}")
        if rows(self._app) != self._expected:
            self.faults.append(f"after a lost row of {LOST} was scored again, {self._different()}")
        return f"{len(days)} days scored again wrote the one row that was missing"

    def restore(self, manage: Callable[..., None]) -> str:
        """Lose tables and baselines, restore them, and let the host score anew.

        Rows, those of the journal included, and what people are shown are as before, and ingest has nothing to fetch.
        """
        before, lake, pages = snapshot(self._app), self._blobs(), self._shown()
        self._stays.stop()
        lose(self._app, baselines=True)
        manage("restore", "--from", str(BACKED_UP), "--no-replay")
        restored = len(snapshot(self._app))
        self._stays.start().wait_ready()
        for function in ("baselines", "ingest"):
            self._stays.run_now(function)
            self._until(lambda name=function: self._is_done(name), f"come to rest after {function}")  # type: ignore[misc]
        self._hold(before, snapshot(self._app))
        if others := shown_otherwise(pages, self._shown()):
            self.faults.append(f"after the restore people are shown something else: {'; '.join(others)}")
        if written := sorted(lake.items() ^ self._blobs().items()):
            self.faults.append(f"after the restore ingest wrote what was there: {written[0]}")
        took = time.monotonic() - self._begun
        return (
            f"{restored} of {len(before)} rows restored, the others scored anew, {len(pages)} pages and answers as "
            f"before ({took:.0f} s in all)"
        )

    def _hold(self, before: Snapshot, after: Snapshot) -> None:
        """Find fault with every row that is not as it was before the restore."""
        if keys := differences(before, after):
            tables = dict(Counter(table for table, *_ in keys))
            self.faults.append(f"after the restore {len(keys)} rows differ: {tables}, first {keys[:3]}")

    def _is_done(self, function: str) -> bool:
        """Return whether the one run that was started by hand has ended, and all that it asked for."""
        return self._stays.ended_by_hand(function) == 1 and self._has_no_messages() and self._rests()

    def _shown(self) -> Mapping[str, Any]:
        return shown(self._app, TEMPLATE, f"{TEMPLATE}-1", self._stays.get)

    def _blobs(self) -> Mapping[str, str]:
        """Return the lake's blobs, each with the tag that its last write gave it."""
        return {one.name: str(one.etag) for one in self._app.clients.container(self._lake).list_blobs()}

    def _until(self, done: Callable[[], bool], what: str, why: Callable[[], str] = lambda: "") -> None:
        """Wait; raises HostError when the patience is over."""
        while not done():
            if time.monotonic() - self._begun > self._patience:
                raise HostError(
                    f"the host did not {what} in {self._patience:.0f} s; {why()}; never succeeded: {self._silent()}; "
                    f"messages: {self._app.messages.lengths()}\n{self._stays.last_lines()}"
                )
            time.sleep(0.5)

    @property
    def _lake(self) -> str:
        return self._app.settings.storage.lake_container

    def _lengths(self) -> Counter[str]:
        """Return the lengths of the queues without what the ended host was cut off from: it shows ten minutes later."""
        lengths = Counter(self._app.messages.lengths())
        lengths[self._app.settings.storage.lake_events_queue] -= self._cut_off
        return lengths

    def _has_no_messages(self) -> bool:
        return not any(self._lengths().values())

    def _rests(self) -> bool:
        """Return whether no event of a day is under way: one that came late would score beside what is looked at."""
        told, left = self._grid.tell(), self._lengths()[self._app.settings.storage.lake_events_queue]
        return not told and not left and not self._stays.under_way()

    def _succeeded(self, function: str) -> int:
        return sum(host.executed()[function, "Succeeded"] for host in self._hosts)

    def _silent(self) -> list[str]:
        return [name for name in FIRE if not self._succeeded(name)]

    def _different(self) -> str:
        keys = differences(self._expected, rows(self._app))
        return f"{len(keys)} rows differ: {dict(Counter(table for table, *_ in keys))}, first {keys[:3]}"

    def _verdicts(self) -> Iterable[str]:
        """Return what was said of each incident that began with the leak, or after it."""
        found = [one.incident for one in self._app.incidents.list(TEMPLATE)]
        since = [one for one in found if one.onset.isoformat() >= ONSET_DAY]
        if len(since) != 1:
            return [f"none: {len(since)} incidents"]
        stored = self._app.estimations.get(TEMPLATE, since[0].id)
        return [stored.estimation.verdict if stored else "none"]

    def _untold(self) -> Iterable[str]:
        """Yield the steps of alarms that did not reach the receiver once, by what the journal says of them."""
        steps = {one.id for one in self._app.journal_table.topics(PLATFORM, "alarm:") if one.kind in TOLD}
        came = Counter(one.headers["Idempotency-Key"] for one in self._receiver.arrived)
        told = [one for one in self._app.journal_table.topics(PLATFORM, "notice:") if one.kind == "notified"]
        if len(told) != len(came) or not came.keys() <= steps:
            yield f"{len(told)} steps are said to be told, {len(came)} of {len(steps)} reached the receiver"
        yield from (f"{key} was sent {times} times" for key, times in came.items() if times > 1)

    def _levels(self) -> str:
        names = [level.name.lower() for level in Level]
        counts = Counter[str]()
        for row in self._deviations().list_entities(select=names):
            counts.update({name: int(row[name]) for name in names})
        return ", ".join(f"{name} {counts[name]}" for name in names)

    def _written(self) -> Mapping[tuple[str, str], str]:
        listed = self._deviations().list_entities()
        return {(row["PartitionKey"], row["RowKey"]): str(row.metadata["etag"]) for row in listed}

    def _deviations(self) -> TableClient:
        return self._app.clients.table(self._app.settings.storage.deviations_table)
