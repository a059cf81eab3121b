"""Ticks of many sensors on this machine: the emulator of OMNIA, Azurite, and two local hosts, which are killed.

    python -m bench.scale.real [--templates 250] [--platforms 4] [--ticks 20] [--kills 2] [--seed 1]
                               [--trigger queue] [--lease 10] [--jobs 2] [--log FILE] [--json]

A tick is ten minutes of the sea and begins as soon as the one before is scored. Lake, baselines and scores of six
days are there before: the app's own use cases make them. A host that is killed dies at a random moment of a tick, as
by a power cut, and is started again at once. In the end every bucket must be in the lake once, as it was served, with a
score, and all rows as the app makes them of the same lake without any host. It fails where that is not so, or a tick
takes longer than ten minutes.
"""

import argparse
import json
import logging
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from azure.core.exceptions import AzureError
from omnia_emulator import running

from admin.manage import seed
from bench.arguments import at_least
from bench.scale.claims import Claim, told
from bench.scale.end_state import EndState, end_state, not_made_again
from bench.scale.head_start import Part, fill
from bench.scale.memory import Memory, group_of
from bench.scale.present import FILE, WrittenClock
from bench.scale.quiet_sea import BEGUN, HISTORY, SENSORS, QuietSea, quiet_sea
from local.azurite import Azurite
from local.event_grid import EventGrid
from local.process import HostProcess
from shared.bootstrap import Bootstrap
from shared.clients import Patience
from shared.domain.tsd import BUCKET, iso, slot_of
from tests.conftest import bootstrap, environment

HOSTS = 2
TICK_S = BUCKET.total_seconds()
PATIENCE_S = 3 * TICK_S
LONGEST_REST_S = 10.0
UNHURRIED = Patience(read_s=120)  # of who lists whole tables while others work
NAME, AGAIN = "sea", "again"  # what the names of a storage begin with
RULES = {
    "INGEST__BACKFILL_DAYS": str(HISTORY.days),
    "INGEST__STEP_DAYS": str(HISTORY.days),
    "BASELINE__MIN_DAYS": "2",
    "BASELINE__AUGMENT_DAYS": "0",
    "BASELINE__BORROW": "false",
    "PROOF__EVERY_DAYS": "0",
    "PERFORMANCE__RENEW": "false",
    "OPENBLAS_NUM_THREADS": "1",  # with several, sums end in another order, and the last bits differ
}


@dataclass(frozen=True)
class Wanted:
    """What is to be run."""

    templates: int
    platforms: int
    ticks: int
    kills: int
    seed: int
    trigger: str = "queue"
    lease: int = 10
    jobs: int = 2
    log: Path | None = None


@dataclass(frozen=True)
class Tick:
    """What a tick took [s], whether a host died in it, and how long each sensor's reading waited for its score [s]."""

    seconds: float
    killed: bool
    waits: tuple[float, ...]


@dataclass
class Result:
    """What was found."""

    head_start_s: float = 0.0
    again_s: float = 0.0
    rest_s: float = 0.0  # from the last tick's last score until no host had anything to do
    peak_mb: float = 0.0
    largest_mb: float = 0.0
    ticks: list[Tick] = field(default_factory=list)
    state: EndState = field(default_factory=EndState)
    differences: list[str] = field(default_factory=list)

    @property
    def waits(self) -> list[float]:
        """How long the readings of all sensors and ticks waited for their scores [s]."""
        return [wait for tick in self.ticks for wait in tick.waits]


class World:
    """The sea, its storage, and the hosts that work on it."""

    def __init__(self, wanted: Wanted, azurite: Azurite, folder: Path) -> None:
        """Make the sea; nothing is registered yet."""
        self.wanted, self._connection = wanted, azurite.connection_string
        self.now = BEGUN
        self.clock = WrittenClock(folder / "present")
        self.clock.set(BEGUN)
        until = BEGUN + (wanted.ticks + 1) * BUCKET
        self.sea: QuietSea = quiet_sea(wanted.templates, wanted.platforms, wanted.seed, until, lambda: self.now)
        self.omnia = ""

    def settings(self, prefix: str) -> dict[str, str]:
        """Return the app's settings at this present, its names beginning so."""
        own = {"OMNIA__BASE_URL": self.omnia, "AS_OF": iso(self.now), "LAKE_TRIGGER": self.wanted.trigger}
        return environment(self._connection, prefix, **RULES, **own)

    def filled(self, prefix: str, lake: Mapping[str, str] | None = None) -> Bootstrap:
        """Return the app with the platforms registered and everything made, of OMNIA or of another one's lake."""
        values = self.settings(prefix)
        app = Bootstrap(bootstrap(values).settings, UNHURRIED)
        app.clients.ensure_storage()
        seed(app, list(self.sea.platforms))
        fill([Part(values, one.id, lake) for one in self.sea.platforms], self.wanted.jobs)
        return app

    def move_on(self) -> None:
        """Let ten minutes pass, at the source first: a host that is ahead of it would find buckets missing."""
        self.now += BUCKET
        self.clock.set(self.now)

    @contextmanager
    def hosts(self, app: Bootstrap) -> Iterator[list[HostProcess]]:
        """Run the hosts by the clock that moves."""
        values = self.settings(NAME) | {FILE: str(self.clock.file)}
        options = ("--app", "bench.scale.moving_app", "--lease", str(self.wanted.lease))
        with ExitStack() as stack:
            hosts = []
            for _ in range(HOSTS):
                hosts.append(stack.enter_context(HostProcess(values, *options, log=self.wanted.log)))
                if self.wanted.trigger == "polling":
                    self._look_first(app, hosts[-1])
            if self.wanted.trigger == "queue":
                names = app.settings.storage
                told = (names.lake_container, names.lake_events_queue)
                grid = EventGrid(self._connection, *told, rest_s=1.0)  # a look lists all blobs
                grid.pass_over()
                stack.enter_context(grid)
            yield hosts

    def _look_first(self, app: Bootstrap, host: HostProcess) -> None:
        """Let a host find the blobs that were there before, and drop what it tells of them: they are scored."""
        told = app.clients.plain_queue(f"azure-webjobs-blobtrigger-{NAME}")
        with ThreadPoolExecutor(1) as pool:
            idle = pool.submit(host.wait_idle, PATIENCE_S)
            while not wait([idle], 0.2).done:
                with suppress(AzureError):  # there is no such queue, or the storage is too busy to answer
                    told.clear_messages()
        idle.result()

    def scored(self, app: Bootstrap) -> dict[str, datetime]:
        """Return when each sensor's newest bucket was scored, of those that are; read from the table."""
        newest = self.now - BUCKET
        table = app.clients.table(app.settings.storage.deviations_table)
        where = f"RowKey eq '{newest.date().isoformat()}' and buckets gt {slot_of(newest)}"
        rows = table.query_entities(where, select=["PartitionKey", "Timestamp"])
        return {row["PartitionKey"]: row.metadata["timestamp"] for row in rows if row.metadata["timestamp"]}


def run(wanted: Wanted) -> Result:
    """Run it all; raises TimeoutError with what is left where a tick is not done in half an hour."""
    result = Result()
    with tempfile.TemporaryDirectory() as folder, Azurite() as azurite:
        world = World(wanted, azurite, Path(folder))
        with running(world.sea.store, token="test") as emulator:  # noqa: S106 (the emulator's)
            world.omnia = emulator.base_url
            begun = time.monotonic()
            app = world.filled(NAME)
            result.head_start_s = time.monotonic() - begun
            _say(f"head start: {result.head_start_s:.0f} s")
            with world.hosts(app) as hosts, Memory(lambda: _processes(hosts)) as memory:
                _say("hosts run")
                for tick in _ticks(world, app, hosts):
                    result.ticks.append(tick)
                    _say(f"tick {len(result.ticks)}: {tick.seconds:.1f} s{', with a kill' if tick.killed else ''}")
                result.rest_s = _settled(hosts)
            result.peak_mb, result.largest_mb = memory.peak_mb, memory.largest_mb
            begun = time.monotonic()
            again = world.filled(AGAIN, lake=world.settings(NAME))
            result.again_s = time.monotonic() - begun
            _say(f"made again: {result.again_s:.0f} s")
            result.state = end_state(app, world.sea, world.now)
            result.differences = list(not_made_again(app, NAME, again, AGAIN, world.sea))
    return result


def _ticks(world: World, app: Bootstrap, hosts: list[HostProcess]) -> Iterator[Tick]:
    """Yield each tick as it is done; the hosts' timers take turns."""
    dice = random.Random(world.wanted.seed)
    deadly = set(dice.sample(range(1, world.wanted.ticks), min(world.wanted.kills, world.wanted.ticks - 1)))
    usual: list[float] = []
    for number in range(world.wanted.ticks):
        world.move_on()
        begun = time.time()
        turn = number % HOSTS
        hosts[turn].run_now("ingest")
        if number in deadly:
            time.sleep(dice.uniform(0.1, 0.9) * statistics.median(usual))
            dying = dice.randrange(HOSTS)
            hosts[dying].kill()
            hosts[dying].start()
            if dying == turn:  # a timer that was not seen to end comes again with the host
                hosts[dying].run_now("ingest")
        stored = _wait(world, app)
        seconds = max(stored.values()) - begun
        if number not in deadly:
            usual.append(seconds)
        newest = np.datetime64(world.now.replace(tzinfo=None), "us") - np.timedelta64(300, "s")
        waits = (stored[sensor] - record.first_asked(newest) for sensor, record in world.sea.records.items())
        yield Tick(seconds, number in deadly, tuple(waits))


def _wait(world: World, app: Bootstrap) -> dict[str, float]:
    """Return when each sensor's newest bucket was scored, once all are [s since 1970]."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        begun = time.monotonic()
        found: dict[str, datetime] = {}
        with suppress(AzureError):  # the storage is too busy to answer: it is asked again
            found = world.scored(app)
        if len(found) == len(world.sea.records):
            return {sensor: moment.timestamp() for sensor, moment in found.items()}
        if time.monotonic() > deadline:
            left = sorted(world.sea.records.keys() - found.keys())
            raise TimeoutError(f"{len(left)} sensors are not scored at {iso(world.now)}, such as {left[:3]}")
        # So that looking does not slow down what is looked at; a storage that stood still is no reason to wait for it.
        time.sleep(min(max(0.2, 5 * (time.monotonic() - begun)), LONGEST_REST_S))


def _settled(hosts: list[HostProcess]) -> float:
    """Wait until no host has anything to do; return for how long [s]."""
    begun = time.monotonic()
    for host in hosts:
        host.wait_idle(PATIENCE_S)
    return time.monotonic() - begun


def _processes(hosts: list[HostProcess]) -> list[int]:
    return [one for host in hosts for one in group_of(host.processes())]


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def claims(result: Result) -> list[Claim]:
    """Return what must be so."""
    longest = max(tick.seconds for tick in result.ticks)
    state = result.state
    return [
        Claim(f"every tick is scored within {TICK_S:.0f} s", f"the longest took {longest:.0f} s", longest <= TICK_S),
        Claim(
            "every bucket is in the lake once, as it was served",
            f"{state.held:,} of {state.served:,}",
            not state.wrong and state.held == state.served,
        ),
        Claim("every bucket is scored", f"{state.scored:,} of {state.served:,}", state.scored == state.served),
        Claim(
            "all rows are as the app makes them of the same lake without a host",
            f"{len(result.differences)} differ",
            not result.differences,
        ),
    ]


def table(wanted: Wanted, result: Result) -> str:
    """Return what was measured, as lines."""
    calm = [tick.seconds for tick in result.ticks if not tick.killed]
    deadly = [tick.seconds for tick in result.ticks if tick.killed]
    p50, p99 = np.percentile(result.waits, [50, 99])
    rows = {
        "head start: six days ingested, baselines, scores [s]": f"{result.head_start_s:,.0f}",
        "seconds a tick, median": f"{statistics.median(calm):,.1f}",
        "seconds a tick, longest": f"{max(calm):,.1f}",
        "seconds a tick in which a host died": ", ".join(f"{one:,.1f}" for one in deadly) or "none died",
        "from a reading served to its score stored, median [s]": f"{p50:,.1f}",
        "the same, 99 % [s]": f"{p99:,.1f}",
        "buckets of the ticks that have a level": f"{result.state.judged:,} of {result.state.ticked:,}",
        "memory of all processes of the hosts, peak [MB]": f"{result.peak_mb:,.0f}",
        "memory of the largest process, peak [MB]": f"{result.largest_mb:,.0f}",
        "after the last score until all is idle [s]": f"{result.rest_s:,.1f}",
        "everything made again of the lake, without a host [s]": f"{result.again_s:,.0f}",
    }
    return "\n".join(
        [
            f"{wanted.templates * SENSORS:,} sensors of {wanted.templates} templates on {wanted.platforms} platforms, "
            f"{wanted.ticks} ticks,\n{HOSTS} local hosts, {wanted.kills} killed (trigger {wanted.trigger}, "
            f"lease {wanted.lease} s)",
            *(f"  {label:<56}{value:>16}" for label, value in rows.items()),
            "",
        ]
    )


def main() -> int:
    """Run and print; return 1 when a claim does not hold."""
    options = _parser().parse_args()
    logging.disable(logging.WARNING)
    wanted = Wanted(**{name: value for name, value in vars(options).items() if name != "json"})
    result = run(wanted)
    found = claims(result)
    if options.json:
        print(json.dumps({"result": asdict(result), "claims": [asdict(one) for one in found]}))
    else:
        print(table(wanted, result))
        print(told(found))
        for line in (*result.state.wrong, *result.differences)[:20]:
            print(f"  {line}")
    return 0 if all(one.holds for one in found) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.scale.real", description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--templates", type=at_least(1), default=250, help="of four sensors (250)")
    add("--platforms", type=at_least(1), default=4, help="that share them (4)")
    add("--ticks", type=at_least(1), default=20, help="of ten minutes of the sea (20)")
    add("--kills", type=at_least(0), default=2, help="hosts that die, each in another tick but the first (2)")
    add("--seed", type=int, default=1, help="of the sea and the kills (1)")
    add("--trigger", choices=("polling", "queue"), default="queue", help="LAKE_TRIGGER of the hosts (queue)")
    add("--lease", type=at_least(1), default=10, help="seconds until what a dead host had taken comes again (10)")
    add("--jobs", type=at_least(1), default=2, help="processes of the head start (2)")
    add("--log", type=Path, help="file for what the hosts say")
    add("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
