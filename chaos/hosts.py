"""``python -m chaos.hosts --kills 200 --seed 1``: local hosts on Azurite that are killed while OMNIA's emulator is odd.

A round has a storage of its own that was filled in peace. In each turn of it time goes on, something is wrong with the
source, one host or two begin to work, and a host, or one process of it, is killed. Then a host works until nothing is
left, and tables, baselines and events are held against those that are made of the same lake from nothing, and the lake
against one that asked for everything at the end. A round that was tried is not tried again: it goes on where it was.
"""

import argparse
import base64
import json
import os
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import requests
from omnia_emulator import running
from omnia_emulator.series import platforms
from omnia_emulator.server import Emulator
from omnia_emulator.synthetic import beginning, placed, synthetic
from tqdm import tqdm

from admin.manage import seed, seed_platforms
from chaos.lakes import Documents, lakes_differ
from chaos.told import events_differ
from local.azurite import Azurite
from local.process import HostProcess
from local.snapshot import differences, made_again
from shared.bootstrap import Bootstrap
from shared.domain.incident import CriticalMessage
from shared.domain.ingest_state import IngestState
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.tsd import iso, start_of
from shared.settings import load_settings
from shared.usecases.ingestion.refetch import Refetch
from shared.usecases.telling import all_events

RUN = Path(".run/chaos")
PLATFORM = "askeladd"  # the smallest: one template with two sensors
BEGUN = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)
DAYS = 19  # that are there before
SETTLED = timedelta(hours=26)  # after so long, ingest has looked back a week
TURNS = 10  # of a round, each with a kill
PATIENCE_S = 300
REFETCH = re.compile(r"refetch (\S+) (\S+) ([\d-]+)")  # in the words of an event
NEVER = "0 0 0 1 1 *"  # but at New Year
DERIVED = ("REGISTRY", "DEVIATIONS", "INCIDENTS", "ESTIMATIONS", "EVENTS")
TABLES = (*DERIVED, "MARKS", "JOURNAL", "ALARMS", "SUPPRESSIONS", "STATEMENTS", "PROOF_TESTS")
RULES = {
    "OMNIA__STATIC_TOKEN": "chaos",
    "OMNIA__READ_TIMEOUT_S": "1",
    "OMNIA__MAX_RETRIES": "1",
    "INGEST_SCHEDULE": NEVER,
    "BASELINES_SCHEDULE": NEVER,
    "KEEP_SCHEDULE": NEVER,
    "INGEST__STEP_DAYS": "4",
    "INGEST__LATE_DAYS": "7",
    "BASELINE__MIN_DAYS": "12",
    "BASELINE__AUGMENT_DAYS": "0",
    "BASELINE__BORROW": "false",
    "OPENBLAS_NUM_THREADS": "1",  # with several, sums end in another order, and the last bits differ
}


@dataclass
class Score:
    """What was tried, and what came of it."""

    rounds: int = 0
    right: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)  # what differs, by round

    def store(self, file: Path) -> None:
        """Write it down, whole or not at all."""
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_suffix(".new")
        aside.write_text(json.dumps(vars(self), indent=1))
        aside.replace(file)

    @classmethod
    def begun(cls, file: Path) -> "Score":
        """Return the score that a file holds; a new one where there is none."""
        if not file.exists():
            return cls()
        held: dict[str, Any] = json.loads(file.read_text())
        return cls(**held | {name: Counter(held[name]) for name in ("kills", "faults")})


@dataclass
class Storage:
    """An app's part of a storage, with names of its own."""

    azurite: Azurite
    emulator: Emulator
    prefix: str

    def settings(self, now: datetime) -> dict[str, str]:
        """Return the app's settings at that time."""
        prefix = self.prefix
        return RULES | {
            "AzureWebJobsStorage": self.azurite.connection_string,
            "AzureFunctionsWebHost__hostid": prefix,
            "OMNIA__BASE_URL": self.emulator.base_url,
            "AS_OF": iso(now),
            "INGEST__BACKFILL_DAYS": str((now.date() - BEGUN.date()).days + DAYS),
            **{f"STORAGE__{name}_TABLE": f"{prefix}{name.lower().replace('_', '')}" for name in TABLES},
            "STORAGE__LAKE_CONTAINER": f"{prefix}-tsd",
            "STORAGE__BASELINES_CONTAINER": f"{prefix}-baselines",
            "STORAGE__CORRUPT_CONTAINER": f"{prefix}-corrupt",
            "STORAGE__CRITICAL_QUEUE": f"{prefix}-critical",
            "STORAGE__BASELINES_QUEUE": f"{prefix}-build",
            "STORAGE__NOTIFICATIONS_QUEUE": f"{prefix}-notifications",
            "STORAGE__STATEMENTS_QUEUE": f"{prefix}-state",
            "STORAGE__INGEST_QUEUE": f"{prefix}-ingest",
        }

    def app(self, now: datetime) -> Bootstrap:
        """Return the app at that time; its storage is made where it is not there."""
        with patch.dict(os.environ, self.settings(now)):
            app = Bootstrap(load_settings())
        app.clients.ensure_storage()
        return app

    def fresh(self, now: datetime) -> Bootstrap:
        """Return the app with its platform registered, and nothing else."""
        app = self.app(now)
        seed(app, [one for one in seed_platforms() if one.id == PLATFORM])
        return app

    def differences(self, app: Bootstrap, now: datetime) -> Iterator[str]:
        """Yield what differs from a storage that is made of the same lake, and in the lake from the source."""
        template = _template(app)
        asked = self._beside("asked").fresh(now)
        asked.ingest.run()
        state = app.registry.record(template.id).ingested.get(template.id, IngestState())
        mine = _documents(app, template)
        yield from lakes_differ(template, state, mine, _documents(asked, template))
        storage = self._beside("made")
        made = storage.fresh(now)
        for document in mine.values():
            made.lake.write(template, document, None)
        _make(made)
        for key in differences(made_again(app, self.prefix), made_again(made, storage.prefix)):
            yield " ".join(key)
        yield from events_differ(app.events.list(template.id), made.events.list(template.id))
        lengths = {name: length for name, length in app.messages.lengths().items() if length}
        if lengths:
            yield f"messages: {lengths}"

    def _beside(self, name: str) -> "Storage":
        return Storage(self.azurite, self.emulator, f"{self.prefix}{name}")


class Round:
    """One storage's turns."""

    def __init__(self, storage: Storage, present: list[datetime], dice: random.Random, score: Score) -> None:
        """Begin with nothing on the storage."""
        self._storage, self._present, self._dice, self._score = storage, present, dice, score
        RUN.mkdir(parents=True, exist_ok=True)
        self._log = RUN / f"{storage.prefix}.log"
        present[0] = BEGUN
        self._plan({})
        app = storage.fresh(self._now)
        app.ingest.run()
        _make(app)

    @property
    def _now(self) -> datetime:
        return self._present[0]

    def turn(self) -> None:
        """Let time go on, something be wrong with the source, and a host or one of its processes die."""
        dice = self._dice
        self._present[0] += timedelta(minutes=10 * dice.randint(1, 9))
        kind, plan = self._fault()
        self._plan(plan)
        self._score.faults[kind] += 1
        with ExitStack() as stack:
            two = dice.random() < 0.3
            hosts = [stack.enter_context(self._host()) for _ in range(2 if two else 1)]
            hosts[0].run_now("ingest")
            if dice.random() < 0.3:
                hosts[-1].run_now("baselines")
            time.sleep(dice.uniform(0.1, 2.5))  # the moment of death is the point of it
            if dice.random() < 0.35:
                self._score.kills[f"one process, {len(hosts)} host(s)"] += _kill_one(hosts[0], dice)
                time.sleep(dice.uniform(0.0, 2.0))
                hosts[0].kill()
            else:
                hosts[0].kill()
                self._score.kills[f"a host of {len(hosts)}"] += 1
                if two:
                    time.sleep(dice.uniform(0.0, 1.5))

    def finish(self) -> list[str]:
        """Let a host work until nothing is left; return in what the end is wrong."""
        self._present[0] += SETTLED
        self._plan({})
        with self._host() as host:
            for function in ("ingest", "baselines"):
                host.run_now(function)
                host.wait_idle(PATIENCE_S)
            self._fetch_again()
            host.wait_idle(PATIENCE_S)
        return list(self._storage.differences(self._storage.app(self._now), self._now))

    def _fetch_again(self) -> None:
        """Do what a person is told to: what was read in another unit is too old for ingest to ask for it by itself."""
        app = self._storage.app(self._now)
        for event in all_events(app.events, _template(app).id):
            if event.kind == "unit_changed" and (told := REFETCH.search(event.message)):
                template, first, last = told.groups()
                for _ in Refetch(app.ingest).run(template, date.fromisoformat(first), date.fromisoformat(last)):
                    pass

    def _host(self) -> HostProcess:
        options = ("--lease", "1", "--redeliver", "0.3", "--shuffle", "--seed", str(self._dice.randrange(1000)))
        return HostProcess(self._storage.settings(self._now), *options, log=self._log)

    def _plan(self, plan: Mapping[str, Any]) -> None:
        answer = requests.post(f"{self._storage.emulator.root_url}/faults", json=plan, timeout=10)
        answer.raise_for_status()

    def _fault(self) -> tuple[str, Mapping[str, Any]]:
        """Return what is wrong with the source, in a word and as the emulator takes it."""
        dice = self._dice
        tag = dice.choice([one.tag for one in _template(self._storage.app(self._now)).sensors])
        start = self._now - timedelta(minutes=10 * dice.randint(1, 16))
        span = {"tags": tag, "start": iso(start), "end": iso(start + timedelta(minutes=10 * dice.randint(1, 12)))}
        kind = dice.choice((*CHANGES, *ODD, *TROUBLES, "unit", "late"))
        if kind in CHANGES:
            return kind, {"changes": [span | {"kind": kind, "value": dice.choice((60.0, 900.0, 1e14))}]}
        if kind in ODD:
            return kind, {"odd": [{"tags": tag, "kind": kind}]}
        if kind in TROUBLES:
            return kind, {kind: {"probability": 0.3}}
        if kind == "unit":
            return kind, {"units": [{"tags": tag, "unit": dice.choice(("nmol/L", "furlong"))}]}
        return kind, {"late": {"share": 0.3, "share_minutes": 90}}


CHANGES = ("corrected", "deleted", "silent")
ODD = ("anew", "gone", "twice", "unreadable", "refused", "hanging")
TROUBLES = ("throttle", "error", "cut", "malformed")


def _kill_one(host: HostProcess, dice: random.Random) -> int:
    """Kill one process of the host, as a power cut would; return how many died."""
    processes = host.processes()
    if not processes:
        return 0
    os.kill(dice.choice(processes), signal.SIGKILL)
    return 1


def _template(app: Bootstrap) -> Template:
    platform: Platform = app.registry.platform(PLATFORM).platform
    return platform.templates[0]


def _documents(app: Bootstrap, template: Template) -> Documents:
    found = {day: app.lake.read(template, day).document for day in app.lake.days(template)}
    first = (start_of(BEGUN.date()) - timedelta(days=DAYS)).date()
    return {day: one for day, one in found.items() if one is not None and day >= first}


def _make(app: Bootstrap) -> None:
    """Make everything of the lake, in order, in this process."""
    app.build_baselines.run()
    template = _template(app)
    for day in app.lake.days(template):
        app.detect.run(PLATFORM, template.id, day)
    queue = app.clients.queue(app.settings.storage.critical_queue)
    for message in queue.receive_messages():
        app.estimate.run(CriticalMessage.from_json(base64.b64decode(message.content)))
        queue.delete_message(message)
    app.clients.queue(app.settings.storage.baselines_queue).clear_messages()


@contextmanager
def sea(present: list[datetime], number: int) -> Iterator[Emulator]:
    """Run an emulator whose present is what the list says, with a leak."""
    known = platforms([PLATFORM])
    leak = placed(known, f"{PLATFORM}-a", "A1", 1e-4, BEGUN - timedelta(hours=10))
    store = synthetic(known, seed=number, begin=beginning(BEGUN, DAYS), clock=lambda: present[0], leak=leak)
    with running(store, token="chaos", seed=number) as emulator:  # noqa: S106 (the emulator's)
        yield emulator


def campaign(score: Score, number: int, kills: int, turns: int = TURNS) -> Iterator[int]:
    """Try rounds until so many kills; yields how many each turn brought."""
    present = [BEGUN]
    with sea(present, number) as emulator, Azurite() as azurite:
        while score.kills.total() < kills:
            name = f"{number}/{score.rounds}"
            storage = Storage(azurite, emulator, f"c{number}r{score.rounds}")
            one = Round(storage, present, random.Random(name), score)
            for _ in range(turns):
                before = score.kills.total()
                one.turn()
                yield score.kills.total() - before
            found = one.finish()
            score.rounds += 1
            score.right += not found
            if found:
                score.wrong[name] = found[:20]


def main() -> int:
    """Run the campaign; 1 where a round ended wrong."""
    parser = argparse.ArgumentParser(prog="python -m chaos.hosts", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200, help="how many in all (default: 200)")
    parser.add_argument("--seed", type=int, default=1, help="of the rounds (default: 1)")
    parser.add_argument("--fresh", action="store_true", help="forget what was tried with this seed")
    options = parser.parse_args()
    RUN.mkdir(parents=True, exist_ok=True)
    file = RUN / f"hosts-{options.seed}.json"
    if options.fresh:
        file.unlink(missing_ok=True)
    score = Score.begun(file)
    rounds = score.rounds
    with tqdm(total=options.kills, initial=score.kills.total(), unit=" kills") as bar:
        for count in campaign(score, options.seed, options.kills):
            bar.update(count)
            bar.set_postfix(rounds=score.rounds, wrong=score.rounds - score.right)
            if score.rounds > rounds:
                score.store(file)
                rounds = score.rounds
    score.store(file)
    for title, counts in (("kills", score.kills), ("what was wrong with the source", score.faults)):
        print(f"{title}:", *(f"  {count:6,}  {name}" for name, count in counts.most_common()), sep="\n")
    for name, found in score.wrong.items():
        print(f"round {name} is wrong:", *found, sep="\n  ")
    print(f"seed {options.seed}: {score.kills.total()} kills in {score.rounds} rounds, {score.right} of them right")
    return int(score.right < score.rounds)


if __name__ == "__main__":
    sys.exit(main())
