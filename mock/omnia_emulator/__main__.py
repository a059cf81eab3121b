"""``python -m omnia_emulator``: serve the emulator until interrupted; the first line printed is its base URL."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from omnia_emulator.faults import FaultPlan
from omnia_emulator.files import recorded
from omnia_emulator.series import Store, fixed, platforms
from omnia_emulator.server import Emulator
from omnia_emulator.synthetic import beginning, placed, synthetic
from shared.domain.validation import parse
from shared.errors import InvalidInput


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; returns 2 for options that make no sense together."""
    options = _parser().parse_args(arguments)
    try:
        plan = parse(FaultPlan, options.faults, "--faults")
        emulator = Emulator(store_of(options), plan=plan, token=options.token, seed=options.seed, port=options.port)
    except (ValueError, InvalidInput, OSError) as error:
        sys.stderr.write(f"omnia_emulator: {error}\n")
        return 2
    ended = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    emulator.start()
    sys.stdout.write(f"{emulator.base_url}\n")
    sys.stdout.flush()
    ended.wait()
    emulator.close()
    return 0


def store_of(options: argparse.Namespace) -> Store:
    """Return the store that the options describe; raises ValueError."""
    chosen = platforms(options.platforms.split(",") if options.platforms else ())
    stands = options.as_of or options.now
    now = stands or datetime.now(UTC)
    clock = fixed(now) if stands else lambda: datetime.now(UTC)
    if options.data is not None:
        return recorded(options.data, chosen, clock, end=None if options.as_of else options.moved_to or now)
    if options.as_of is not None:
        raise ValueError("--as-of is for --data; the synthetic sea takes --now")
    leak = None
    if options.leak_template is not None:
        onset = options.leak_onset or now - timedelta(hours=options.leak_hours_ago)
        leak = placed(chosen, options.leak_template, options.leak_point, options.leak_rate, onset)
    return synthetic(chosen, seed=options.seed, begin=beginning(now, options.days), clock=clock, leak=leak)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="omnia_emulator", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=0, help="0 (default): any free port")
    add("--token", help="the only bearer token that is accepted; any where it is not given")
    add("--seed", type=int, default=1, help="of the synthetic sea and of the faults")
    add("--platforms", default="", help="comma-separated ids of the seeds' platforms; all by default")
    add("--now", type=_moment, help="a clock that stands still at this ISO time; the real clock by default")
    add("--days", type=int, default=40, help="how many days of synthetic data there are before now")
    add("--leak-template", help="the template that leaks, such as snorre-w; none by default")
    add("--leak-point", default="", help="the leak point's name; the template's first by default")
    add("--leak-rate", type=float, default=2e-5, help="dissolved methane, kg/s")
    onset = parser.add_mutually_exclusive_group()
    onset.add_argument("--leak-onset", type=_moment, help="ISO time")
    onset.add_argument("--leak-hours-ago", type=float, default=12.0, help="before now; 12 by default")
    add("--data", type=Path, help="serve the CSV files of this directory, moved so that they end now")
    add("--moved-to", type=_moment, help="with --data: they end at this ISO time instead of now")
    add("--as-of", type=_moment, help="with --data: not moved, and nothing after this ISO time is there yet")
    add("--faults", default="{}", help='JSON as of POST /faults: {"error": {"probability": 0.1}}')
    return parser


def _moment(text: str) -> datetime:
    """Return an aware time; a time without zone is taken as UTC, as a person at the command line means it."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


if __name__ == "__main__":
    sys.exit(main())
