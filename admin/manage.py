"""Commands of an administrator: create the storage, load the platforms, retry, replay, upgrade.

    python -m admin.manage storage            creates containers, tables and queues that are not there
    python -m admin.manage seed [--replace]   loads seed/*.json; what is stored already stays, unless --replace
    python -m admin.manage seed --url URL     the same through the API of a deployed app (LEAK_API_KEY, LEAK_API_TOKEN)
    python -m admin.manage refetch TEMPLATE FROM TO   fetches these days again from their source
    python -m admin.manage retry              gives back what failed and was given up, once the cause is mended
    python -m admin.manage replay             rebuilds baselines, deviations and incidents from lake and marks
    python -m admin.manage verify [--every N] [--mend]   holds each N-th day against what the lake says
    python -m admin.manage backup             makes the day's backup, unless there is one
    python -m admin.manage restore [--from DAY] [--replace] [--no-replay]   restores the newest backup, and replays
    python -m admin.manage upgrade            rewrites what an older release stored; may be stopped and repeated

They read the same settings as the app, from the environment or from ``--settings local.settings.json``.
"""

import argparse
import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests

from admin.replay import replay
from admin.restore import restore
from admin.retry import Retried, retry
from admin.upgrade import upgrade
from admin.verify import Verified, verify
from local.metadata import load_settings as load_settings_file
from shared.adapters.upgrade import Progress
from shared.bootstrap import Bootstrap
from shared.domain.platform import Platform
from shared.domain.validation import parse
from shared.errors import InvalidInput, LeakDetectionError, SourceError
from shared.settings import load_settings
from shared.usecases.ingestion.refetch import Refetch

COMMANDS = ("storage", "seed", "refetch", "retry", "replay", "verify", "backup", "restore", "upgrade")
SEED = Path(__file__).resolve().parent.parent / "seed"


def seed_platforms(folder: Path = SEED) -> list[Platform]:
    """Return the platforms of a seed folder, in order of file name; raises InvalidInput."""
    return [parse(Platform, path.read_text(), path.name) for path in sorted(folder.glob("*.json"))]


def seed(app: Bootstrap, platforms: list[Platform], *, replace: bool = False) -> int:
    """Store what is not stored yet; return how many rows were written."""
    return sum(app.registry.add(platform, replace=replace) for platform in platforms)


def seed_over_http(url: str, platforms: list[Platform]) -> tuple[int, int]:
    """Create platforms, templates and sensors at a deployed app; return how many are new, and how many were there.

    Who asks is told by a function key or a token of Entra ID, from the environment: a command line is read by others.
    Raises SourceError with what the app says.
    """
    key, token = os.environ.get("LEAK_API_KEY"), os.environ.get("LEAK_API_TOKEN")
    headers = {"x-functions-key": key} if key else {"Authorization": f"Bearer {token}"} if token else {}
    codes: Counter[int] = Counter()
    for path, body in _creations(platforms):
        try:
            answer = requests.post(f"{url.rstrip('/')}/api/{path}", json=body, headers=headers, timeout=60)
        except requests.RequestException as error:
            raise SourceError(f"{url!r} does not answer: {error}") from error
        if answer.status_code not in (HTTPStatus.CREATED, HTTPStatus.CONFLICT):
            raise SourceError(f"{path}: {answer.status_code} {answer.text[:500]}")
        codes[answer.status_code] += 1
    return codes[HTTPStatus.CREATED], codes[HTTPStatus.CONFLICT]


def _creations(platforms: list[Platform]) -> Iterator[tuple[str, Any]]:
    for platform in platforms:
        yield "platforms", platform.model_dump(mode="json", by_alias=True, exclude={"templates"})
        for template in platform.templates:
            body = template.model_dump(mode="json", by_alias=True, exclude={"platform", "sensors"})
            yield f"platforms/{platform.id}/templates", body
            for sensor in template.sensors:
                yield f"templates/{template.id}/sensors", sensor.model_dump(mode="json", by_alias=True, exclude={"id"})


def _print_retried(retried: Retried) -> int:
    """Print what was given back, and what was not; return the exit code."""
    print(", ".join(f"{queue}: {count} given back" for queue, count in retried.given_back.items()))
    for line in retried.failed:
        print(f"error: {line}")
    return 1 if retried.failed else 0


def _refetch(app: Bootstrap, template: str, first: date, last: date) -> int:
    """Fetch days again and print how far it is as it goes; return 1 when a series could not be read."""
    left: tuple[str, ...] = ()
    done = first
    try:
        for one in Refetch(app.ingest).run(template, first, last):
            done, left = one.until, one.problems
            print(
                f"before {one.until}: {one.samples:,} samples differed, {one.blobs_written:,} days written", flush=True
            )
    except KeyboardInterrupt:
        print(f"stopped; go on with: refetch {template} {done} {last}")
        return 1
    except LeakDetectionError:
        print(f"failed; go on with: refetch {template} {done} {last}")
        raise
    for problem in left:
        print(f"error: left out: {problem}")
    return 1 if left else 0


def _print_upgrade(progress: Iterable[Progress]) -> int:
    """Print how far it is as it goes; return 1 when something was left as it is because nothing can read it."""
    refused = 0
    for one in progress:
        left = f", {one.refused:,} cannot be read" if one.refused else ""
        print(f"{one.what}: {one.looked_at:,} looked at, {one.rewritten:,} rewritten{left}", flush=True)
        refused += one.refused if one.ended else 0
    return 1 if refused else 0


def _print_verified(verified: Iterable[Verified]) -> int:
    """Print what is wrong as it is found; return 1 when something is, or still is."""
    left = 0
    for one in verified:
        for finding in one.findings:
            print(f"{one.template} {finding.day} {finding.about}: {finding.what}")
        print(
            f"{one.template}: {one.days:,} days looked at, {len(one.findings):,} findings, {one.left:,} left",
            flush=True,
        )
        left += one.left
    return 1 if left else 0


def _print_backup(app: Bootstrap) -> int:
    """Make the day's backup; print what there is by then."""
    made = app.backup.run()
    if made is not None:
        print(f"backup of {made.day}: {made.rows:,} rows in {len(made.parts)} parts")
    days = app.backups.days()
    print(f"{len(days)} backups, {days[0]} to {days[-1]}" if days else "no backup")
    return 0 if days else 1


def _day_argument(text: str) -> date:
    try:
        return _day(text)
    except InvalidInput as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no day: a day reads 2026-03-01") from error


def _run(arguments: argparse.Namespace) -> int:
    """Run a command on the storage; return the exit code."""
    app = Bootstrap(load_settings())
    app.clients.ensure_storage()
    match arguments.command:
        case "seed":
            print(f"{seed(app, seed_platforms(), replace=arguments.replace)} rows written")
        case "refetch":
            template, first, last = arguments.days
            return _refetch(app, template, _day(first), _day(last))
        case "retry":
            return _print_retried(retry(app))
        case "replay":
            replay(app)
        case "verify":
            return _print_verified(verify(app, every=max(arguments.every, 1), mend=arguments.mend))
        case "backup":
            return _print_backup(app)
        case "restore":
            for line in restore(app, arguments.day, replace=arguments.replace, then_replay=not arguments.no_replay):
                print(line, flush=True)
        case "upgrade":
            return _print_upgrade(upgrade(app))
    return 0


def main() -> int:
    """Run one command; return the process' exit code."""
    parser = argparse.ArgumentParser(prog="python -m admin.manage", description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("days", nargs="*", metavar="TEMPLATE FROM TO", help="refetch: of which template, which days")
    parser.add_argument("--replace", action="store_true", help="seed, restore: overwrite what is stored")
    parser.add_argument("--from", dest="day", type=_day_argument, help="restore: the backup of this day")
    parser.add_argument("--no-replay", action="store_true", help="restore: the tables alone")
    parser.add_argument("--every", type=int, default=1, help="verify: look at each N-th day (1: at all)")
    parser.add_argument("--mend", action="store_true", help="verify: score again what is wrong")
    parser.add_argument("--settings", type=Path, help="a local.settings.json; real environment variables win")
    parser.add_argument("--url", help="seed: a deployed app, by its API instead of its storage")
    arguments = parser.parse_args()
    if arguments.url is not None and (arguments.command != "seed" or arguments.replace):
        parser.error("--url is for seed alone, and creates what is not there")
    if (arguments.command == "refetch") != (len(arguments.days) == 3):
        parser.error("refetch takes a template and two days: refetch snorre-w 2026-03-01 2026-03-31")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    if arguments.settings:
        load_settings_file(arguments.settings, required=True)
    try:
        if arguments.url is not None:
            created, known = seed_over_http(arguments.url, seed_platforms())
            print(f"{created} platforms, templates and sensors created, {known} were there")
            return 0
        return _run(arguments)
    except LeakDetectionError as error:
        print(f"error: {error}")
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
