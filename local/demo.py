"""``make demo`` and ``make run``: the whole way of the data on this machine, reported as it happens.

Starts Azurite, the OMNIA emulator and two local hosts on free ports, loads the platforms, lets the app ingest 40 days,
build baselines, find the leak and estimate it, and puts the truth beside the estimate. Then it stops; the present of a
demo is fixed, so that a second run on the same storage finds nothing to change. With ``--stay`` it lives on instead,
by the real clock, and so does what it stored: the next run goes on where this one ended.
"""

import argparse
import fcntl
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from admin.manage import seed, seed_platforms
from local.azurite import Azurite, AzuriteError
from local.demo_report import DemoError, DemoReport
from local.emulator import emulator
from local.metadata import BY_HAND
from local.npm import NpmError
from local.process import PROJECT, HostProcess
from local.snapshot import differences, snapshot
from shared.bootstrap import Bootstrap
from shared.domain.recording import read_recording
from shared.domain.tsd import floor_to_bucket, iso, to_datetime
from shared.errors import LeakDetectionError
from shared.platforms import OMNIA
from shared.settings import load_settings

LEAK = {"--leak-template": "snorre-w", "--leak-point": "W2", "--leak-rate": "4e-5", "--leak-hours-ago": "40"}
PRESENT = "2026-07-09T06:00:00Z"  # of the synthetic demo: what it shows is the same on every day and machine
FEW_DAYS = "11"  # recorded series are short, and known rises lie in them
DAYS = 40  # of the synthetic sea, before the storage was begun
CLEAN_DAYS = "28"  # of the 40 that the synthetic sea offers: more history makes fewer false alarms
TOKEN = "local-emulator"  # noqa: S105 (the emulator's, on this machine only)


@dataclass(frozen=True)
class Scenario:
    """What the emulator serves, and how the app is set for it."""

    words: str
    emulator: list[str]
    settings: Mapping[str, str]


def main() -> int:
    """Run; return 0 when a leak was found and estimated (with --stay: when it was ended by hand)."""
    options = _options()
    folder = (options.storage or PROJECT / ".run" / ("live" if options.stay else "demo")).resolve()
    for request in (signal.SIGTERM, signal.SIGINT):  # both end everything in order, however we were started
        signal.signal(request, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            stack.enter_context(_alone(folder))
            if options.fresh:
                shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
            return _run(options, folder, stack)
    except KeyboardInterrupt:
        print("\nstopped")
        return 0 if options.stay else 130
    except (DemoError, AzuriteError, NpmError, LeakDetectionError, RuntimeError, OSError) as error:
        print(f"\nthe demo failed: {error}", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace, folder: Path, stack: ExitStack) -> int:
    begun, again = time.monotonic(), (folder / "storage").exists()
    scenario = (
        live(options, folder) if options.stay else recorded(options, folder) if options.data else synthetic(folder)
    )
    print(scenario.words)
    azurite = stack.enter_context(Azurite(folder / "storage"))
    omnia = stack.enter_context(emulator(TOKEN, scenario.emulator))
    settings = {
        "AzureWebJobsStorage": azurite.connection_string,
        "INGEST_SCHEDULE": "20 */10 * * * *",
        "INGEST__SPREAD_SECONDS": "0",
        "BASELINE__SPREAD_SECONDS": "0",
        "BASELINES_SCHEDULE": "0 20 3 * * *",
        "KEEP_SCHEDULE": "0 40 * * * *",
        "OMNIA__BASE_URL": omnia,
        "OMNIA__STATIC_TOKEN": TOKEN,
        # The same run again is to write nothing, and nobody waits for ten statements of half a minute each.
        **({} if options.stay else {"PROOF__EVERY_DAYS": "0", "PERFORMANCE__RENEW": "false"}),
        **scenario.settings,
    }
    os.environ.update(settings)
    app = Bootstrap(load_settings())
    app.clients.ensure_storage()
    seed(app, [one for one in seed_platforms() if one.rules.source == OMNIA])  # the emulator plays no other source
    before = snapshot(app)
    port = [] if options.port is None else ["--port", str(options.port)]
    log = folder / "host.log"
    host = stack.enter_context(HostProcess(settings, "--lease", "10", *port, log=log))
    report = DemoReport(host, app, omnia, begun)
    report.say(f"Azurite, emulator and host run; look at {host.url}/overview")
    report.ingest()
    report.settle()
    host.run_now("ingest")  # that finds everything up to date, and tells how it is by now
    report.settle()
    found = report.result()
    changed = differences(before, snapshot(app))
    print(f"\nrows of the tables that this run wrote: {len(changed)} (run it again: 0)" if not options.stay else "")
    for table, partition, row in changed if again and not options.stay else []:
        print(f"  {table}: {partition}, {row}")
    print(f"look yourself (make run keeps it up): {host.url}/overview, the API at {host.url}/api/docs")
    if options.stay:
        print("live: a tick every 10 minutes, Ctrl-C ends it; what is stored stays (FRESH=1 forgets it)", flush=True)
        report.ticks()
    report.say("stopped")
    return 0 if found else 1


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve what a demo left in its folder, at its present, with nothing going on; yield the app's address."""
    story = json.loads((folder / "story.json").read_text())
    with Azurite(folder / "storage") as azurite:
        settings = {
            "AzureWebJobsStorage": azurite.connection_string,
            "INGEST_SCHEDULE": BY_HAND,
            "BASELINES_SCHEDULE": BY_HAND,
            "KEEP_SCHEDULE": BY_HAND,
            "OMNIA__BASE_URL": "http://127.0.0.1:9/v1.7",
            "AS_OF": story["present"],
        }
        _tables_of_this_release(azurite.connection_string)
        with HostProcess(settings, log=folder / "host.log") as host:
            yield host.url


def _tables_of_this_release(connection: str) -> None:
    """Create what the release that ran the demo did not know; on Azure, the deployment does."""
    nowhere = {"base_url": "http://127.0.0.1:9/v1.7"}
    config = load_settings(
        AzureWebJobsStorage=connection,
        ingest_schedule=BY_HAND,
        baselines_schedule=BY_HAND,
        keep_schedule=BY_HAND,
        omnia=nowhere,
    )
    Bootstrap(config).clients.ensure_storage()


def synthetic(folder: Path) -> Scenario:
    """Return a leak in the synthetic sea, seen from a fixed present."""
    present = _present(folder, {"kind": "synthetic", **LEAK}, datetime.fromisoformat(PRESENT))
    leak = [text for pair in LEAK.items() for text in pair]
    return Scenario(
        f"a synthetic sea of 40 days that ends at {iso(present)}; {_leak_words()}",
        ["--now", iso(present), *leak],
        {"AS_OF": iso(present), "BASELINE__MIN_DAYS": CLEAN_DAYS},
    )


def recorded(options: argparse.Namespace, folder: Path) -> Scenario:
    """Return recorded series as they were, seen from the end of the measured currents (or --as-of)."""
    folder_of_data: Path = options.data
    last = options.as_of or _last_current(folder_of_data)
    present = _present(
        folder, {"kind": "recorded", "data": str(folder_of_data), "as of": iso(last)}, floor_to_bucket(last)
    )
    return Scenario(
        f"recorded series from {options.data}, as of {iso(present)}",
        ["--data", str(folder_of_data), "--as-of", iso(present)],
        {"AS_OF": iso(present), "BASELINE__MIN_DAYS": FEW_DAYS},
    )


def live(options: argparse.Namespace, folder: Path) -> Scenario:
    """Return the same by the real clock: the synthetic sea goes on, recorded series are moved to end when it began.

    What was served once stays as it was in every later run on the storage.
    """
    now = datetime.now(UTC)
    if options.data:
        begun = _present(folder, {"kind": "recorded, live", "data": str(options.data)}, now)
        return Scenario(
            f"recorded series from {options.data}, moved to end at {iso(begun)}",
            ["--data", str(options.data), "--moved-to", iso(begun)],
            {},
        )
    begun = _present(folder, {"kind": "synthetic, live", **LEAK}, now)
    kept = {name: text for name, text in LEAK.items() if name != "--leak-hours-ago"}
    onset = begun - timedelta(hours=float(LEAK["--leak-hours-ago"]))
    leak = [text for pair in kept.items() for text in pair]
    return Scenario(
        f"a synthetic sea, live since {iso(begun)}; a leak of {LEAK['--leak-rate']} kg/s dissolved at "
        f"{LEAK['--leak-point']} of {LEAK['--leak-template']} begins at {iso(onset)}",
        [*leak, "--leak-onset", iso(onset), "--days", str(DAYS + (now.date() - begun.date()).days)],
        {"BASELINE__MIN_DAYS": CLEAN_DAYS},
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the storage; raise DemoError where another run does: two would spoil its files."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DemoError(f"another run uses {folder}; end it, or take another --storage") from error
        yield


def _leak_words() -> str:
    return (
        f"a leak of {LEAK['--leak-rate']} kg/s dissolved at {LEAK['--leak-point']} of {LEAK['--leak-template']} "
        f"begins {LEAK['--leak-hours-ago']} h before now"
    )


def _present(folder: Path, story: Mapping[str, str], present: datetime) -> datetime:
    """Return the present that this storage was begun with; raise DemoError when it was begun with another story."""
    file = folder / "story.json"
    if file.exists():
        begun = json.loads(file.read_text())
        if begun["story"] != dict(story):
            raise DemoError(f"{file.parent.name} holds another demo; run it with FRESH=1 to begin anew")
        return datetime.fromisoformat(begun["present"])
    if (folder / "storage").exists():
        raise DemoError(f"nobody knows what {folder.name} holds; run it with FRESH=1 to begin anew")
    file.write_text(json.dumps({"story": dict(story), "present": iso(present)}))
    return present


def _last_current(folder: Path) -> datetime:
    """Return the end of the measured currents in a folder of series; raise DemoError where there are none."""
    ends = [read_recording(path, ()).times[-1] for path in sorted(folder.glob("*_currents*.csv"))]
    if ends:
        return to_datetime(max(ends))
    raise DemoError(f"{folder} holds no *_currents*.csv: say with --as-of which present to look from")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=_folder, help="folder of recorded series (time,ppmv) and currents")
    parser.add_argument("--as-of", type=_moment, help="with --data: the present (default: the end of the currents)")
    parser.add_argument("--stay", action="store_true", help="stay up, by the real clock")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs stored")
    parser.add_argument("--storage", type=Path, help="where Azurite keeps its files (default: .run/demo or .run/live)")
    parser.add_argument("--port", type=int, help="the host's port (default: a free one)")
    return parser.parse_args()


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not a folder")
    return Path(text).resolve()


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("needs a time zone, such as Z")
    return moment


if __name__ == "__main__":
    sys.exit(main())
