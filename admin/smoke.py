"""Asks a deployed app how it is, until it is the version that was deployed.

    python -m admin.smoke --url URL --package dist/app.zip    or --version 1.2.0

Exits with 1 when health does not tell that version in time. Health may be degraded: a new app watches no sensor yet.
Needs Python alone, so that a pipeline installs nothing for it.
"""

import argparse
import json
import sys
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

VERSION = "shared/version.txt"  # in the package (admin/package.py)
SCHEMES = ("https://", "http://")
ANSWER_S = 60  # a first answer starts an instance
PAUSE_S = 10.0


def packaged_version(archive: Path) -> str:
    """Return the version that a package carries; raises OSError or KeyError where it has none."""
    with zipfile.ZipFile(archive) as packed:
        return packed.read(VERSION).decode().strip()


def wait_for(url: str, version: str, wait_s: float, pause_s: float = PAUSE_S) -> dict[str, Any] | str:
    """Return what health tells once it is this version; what was wrong last, in words, when it is not in time [s]."""
    until = time.monotonic() + wait_s
    while True:
        try:
            with urllib.request.urlopen(f"{url.rstrip('/')}/api/health", timeout=ANSWER_S) as answer:  # noqa: S310 (checked)
                health: dict[str, Any] = json.load(answer)
            if health["version"] == version:
                return health
            wrong = f"health tells version {health['version']}, not {version}"
        except (OSError, ValueError, KeyError, TypeError) as error:  # not there yet, or no health
            wrong = f"no health: {type(error).__name__} {error}"
        if time.monotonic() + pause_s > until:
            return wrong
        print(wrong, flush=True)
        time.sleep(pause_s)


def main() -> int:
    """Wait; 0 when the app is the version that was deployed."""
    parser = argparse.ArgumentParser(prog="python -m admin.smoke", description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True, help="where the app is: https://...")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--version", help="the version that was deployed")
    which.add_argument("--package", type=Path, help="the package that was deployed")
    parser.add_argument("--wait", type=float, default=300, help="how long to wait for it [s]")
    arguments = parser.parse_args()
    if not arguments.url.startswith(SCHEMES):
        parser.error(f"{arguments.url!r} is no address of an app: it begins with https://")
    try:
        version = arguments.version or packaged_version(arguments.package)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        print(f"{arguments.package} carries no version: {error}", file=sys.stderr)
        return 1
    health = wait_for(arguments.url, version, arguments.wait)
    if isinstance(health, str):
        print(health, file=sys.stderr)
        return 1
    templates = health.get("templates", ())
    print(f"version {version} runs, health is {health.get('status')}, {len(templates)} templates are registered")
    return 0


if __name__ == "__main__":
    sys.exit(main())
