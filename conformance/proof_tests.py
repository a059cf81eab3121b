"""Plays proof tests on Microsoft's own Functions host: what passes, what fails and is told, and that nothing is left.

    python -m conformance.proof_tests

A sea without a leak comes in, until its template has baselines and a performance statement. Then, each time with a host
of its own settings: all is well, and the host is killed again and again while a test goes on; `detect` is switched
off; `estimate`, and with it the queue, is; the sensors have lost their baselines. After each, every real row is as it
was before, but for the test's own entry in the journal. Takes half an hour, since a test has its patience.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from admin.package import build
from conformance.environments import ROOT
from conformance.functions_host import FunctionsHost, HostMissing, ready_host
from conformance.real_host import PLATFORM, RULES, TEMPLATE, TOKEN, lake_events, seeded
from local.azurite import Azurite
from local.emulator import emulator
from local.metadata import BY_HAND
from local.snapshot import Snapshot, differences, snapshot
from shared.bootstrap import Bootstrap
from shared.domain.baseline_history import BaselineHistory
from shared.domain.proof_test import PROOF_PLATFORM, ProofTest

HOST_ID = "proof"
OFTEN = "*/10 * * * * *"
PATIENCE_MINUTES = 5  # the least that can be set
KILLS = 6  # of hosts, while a test goes on
LONGEST_S = 900.0  # of each step
Case = tuple[str, Mapping[str, str], str]
CASES: tuple[Case, ...] = (
    ("all is well", {}, "passed"),
    ("detect is switched off", {"AzureWebJobs.detect.Disabled": "1"}, "failed"),
    ("the queue is not worked on", {"AzureWebJobs.estimate.Disabled": "1"}, "failed"),
)


def main() -> int:
    """Run all; 1 where something is not as it should be, 2 where there is no host."""
    argparse.ArgumentParser(
        prog="python -m conformance.proof_tests",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    try:
        start, python = ready_host()
    except HostMissing as missing:
        print(missing)
        return 2
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    sea = ["--platforms", PLATFORM, "--now", now.isoformat(), "--days", "40", "--seed", "4"]
    with TemporaryDirectory() as folder, emulator(TOKEN, sea) as omnia, Azurite(Path(folder) / "storage") as azurite:
        build(ROOT, Path(folder))
        settings = {name: value for name, value in RULES.items() if name != "AS_OF"} | {
            "AzureWebJobsStorage": azurite.connection_string,
            "OMNIA__BASE_URL": omnia,
            "PROOF__PATIENCE_MINUTES": str(PATIENCE_MINUTES),
        }
        trial = Trial(
            seeded(settings),
            lambda more: FunctionsHost(
                start,
                python,
                Path(folder) / "app",
                Path(folder) / f"host{time.monotonic_ns()}",
                {**settings, **more},
                HOST_ID,
            ),
        )
        with lake_events(azurite):
            trial.prepare()
            for words, more, outcome in CASES:
                trial.play(words, more, outcome)
            trial.play("the host is killed again and again", {}, "passed", kills=KILLS)
            trial.blind()
            trial.play("the sensors have no baseline", {}, "failed")
    return 1 if trial.faults else 0


class Trial:
    """Proof tests of one template, one after the other."""

    def __init__(self, app: Bootstrap, host: Callable[[Mapping[str, str]], FunctionsHost]) -> None:
        """Look at the app's storage, and make hosts of some settings more."""
        self._app, self._host = app, host
        self.faults = 0

    def prepare(self) -> None:
        """Let the sea come in, baselines be built and the statement be made."""
        with self._host({"INGEST_SCHEDULE": OFTEN}) as host:
            host.wait_ready()
            self._until(self._has_baselines, "no baselines")
            host.run_now("baselines")
            self._ask(host, "performance")
            self._until(self._promises, "no statement")
            self._until(lambda: not any(self._app.messages.lengths().values()), "messages wait")
        print("a template has baselines, and a statement that promises something", flush=True)

    def play(self, words: str, more: Mapping[str, str], outcome: str, kills: int = 0) -> None:
        """Ask for a test on a host, wait until it is over, and compare every row with those before."""
        begun = time.monotonic()
        settings = {"INGEST_SCHEDULE": BY_HAND, **more}
        with self._host(settings) as host:
            host.wait_ready()
            host.run_now("ingest")  # tells what changed since the last one
            self._until(lambda: host.ended_by_hand("ingest") == 1, "ingest does not run")
            before = self._rows()
            known = len(self._app.proof_tests.view(TEMPLATE).tests.over)
            self._ask(host, "proof-tests", {"by": "conformance"})
        for number in range(kills):
            self._killed_after(2.0 + 3.0 * number, settings)
        with self._host(settings) as host:
            host.wait_ready()
            self._until(lambda: self._ticked(host, known), "the test is not over")
        test = self._app.proof_tests.view(TEMPLATE).tests.over[0]
        self._told(words, test, outcome, time.monotonic() - begun, differences(before, self._rows()))

    def blind(self) -> None:
        """Take the sensors' baselines away."""
        record = self._app.registry.platform(PLATFORM)
        (template,) = record.platform.templates
        for sensor in template.sensors:
            self._app.registry.set_history(template, sensor, BaselineHistory(), record.stored[sensor.id].etag)

    def _told(
        self, words: str, test: ProofTest, outcome: str, seconds: float, changed: list[tuple[str, str, str]]
    ) -> None:
        journal, tests = (self._app.settings.storage.journal_table, self._app.settings.storage.proof_tests_table)
        other = [key for key in changed if key[0] not in (journal, tests)]
        left = [*self._copies(), *other]
        right = test.state == outcome and not left
        self.faults += not right
        found = "" if test.found_after_h is None else f", found after {test.found_after_h} h, {test.verdict}"
        print(
            f"{'ok' if right else 'FAULT'}: {words}: {test.state}{found} {test.why} ({seconds:.0f} s); "
            f"{len(changed) - len(other)} rows told of it, {len(left)} others changed or left {left[:3]}",
            flush=True,
        )

    def _killed_after(self, seconds: float, more: Mapping[str, str]) -> None:
        """Start a host, let it go on with the test for so long, and kill it and its workers."""
        host = self._host(more).start()
        host.wait_ready()
        host.run_now("ingest")
        time.sleep(seconds)
        host.kill()

    def _ticked(self, host: FunctionsHost, known: int) -> bool:
        """Let ingest run, as its schedule would, and return whether the test is over."""
        host.run_now("ingest")
        time.sleep(5)
        return len(self._app.proof_tests.view(TEMPLATE).tests.over) > known

    def _ask(self, host: FunctionsHost, what: str, body: Mapping[str, str] | None = None) -> None:
        path = f"{host.url}/api/templates/{TEMPLATE}/{what}"
        requests.post(path, json=body, headers=host.key_header(), timeout=60).raise_for_status()

    def _has_baselines(self) -> bool:
        record = self._app.registry.platform(PLATFORM)
        return all(
            (change := record.history(sensor.id).current) is not None and change.version
            for one in record.platform.templates
            for sensor in one.sensors
        )

    def _promises(self) -> bool:
        stored = self._app.statements_table.get(TEMPLATE)
        return stored is not None and not stored.statements.newest.unknown

    def _rows(self) -> Snapshot:
        """Return every real row but how far was ingested, and how today is: that goes on beside the test."""
        today = datetime.now(UTC).date().isoformat()
        goes_on = ("ingest", "head", "latest", today)
        return {key: row for key, row in snapshot(self._app).items() if not key[2].startswith(goes_on)}

    def _copies(self) -> list[str]:
        lake = self._app.clients.container(self._app.settings.storage.lake_container)
        left = list(lake.list_blob_names(name_starts_with=f"{PROOF_PLATFORM}/"))
        left += [name for one in self._app.clients.proof_containers() for name in one.list_blob_names()]
        return left + [
            f"{one.table_name} {row['RowKey']}"
            for one in self._app.clients.proof_tables()
            for row in one.list_entities()
        ]

    def _until(self, done: Callable[[], bool], otherwise: str) -> None:
        end = time.monotonic() + LONGEST_S
        while not done():
            if time.monotonic() > end:
                raise TimeoutError(f"{otherwise} after {LONGEST_S:.0f} s")
            time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
