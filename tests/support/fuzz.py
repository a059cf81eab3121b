"""Throws generated requests at the API, by its own contract: schemathesis, all checks, against real storage.

    python -m tests.support.fuzz [--requests 20000] [--seed N]

It prints the seed, and how many requests of what kind were sent; any failure ends it with 1. What is no failure, and
why, stands in ``tests/schemathesis.toml``.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from functions.http.assets import ASSETS
from local.azurite import Azurite
from local.process import PROJECT
from tests.support.filled import DAYS, SENSOR, TEMPLATE
from tests.support.http_host import FilledHost, filled_host

KEY = "the-key"
MOST_EXAMPLES = 100  # of each endpoint and turn
REQUESTS_PER_EXAMPLE = 60  # about: there are forty endpoints, and some are asked more than once
CONFIG = Path(__file__).with_name("schemathesis.toml")


def fuzz(connection: str, prefix: str, wanted: int, seed: int, folder: Path) -> tuple[int, Counter[int], str]:
    """Send at least so many requests; return schemathesis' exit code, the answers by status, and what it printed.

    Each turn has a world of its own: what one deletes is there for the next.
    """
    statuses: Counter[int] = Counter()
    code, turn, output = 0, 0, ""
    while code == 0 and statuses.total() < wanted:
        each = min(MOST_EXAMPLES, 1 + (wanted - statuses.total()) // REQUESTS_PER_EXAMPLE)
        with filled_host(connection, f"{prefix}{turn}", folder, "--key", KEY) as host:
            code, text, found = _run(host, seed + turn, each, folder)
        output, statuses, turn = output + text, statuses + found, turn + 1
    return code, statuses, output


def _run(host: FilledHost, seed: int, each: int, folder: Path) -> tuple[int, str, Counter[int]]:
    config, report = folder / f"{seed}.toml", folder / f"{seed}.ndjson"
    known = "\n".join(f"{name} = {{ values = {json.dumps(names)} }}" for name, names in _names(host).items())
    config.write_text(f"{CONFIG.read_text()}\n[dictionaries]\n{known}\n")
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config), "run"]
    command += [f"{host.url}/api/openapi.json", "--seed", str(seed), "--max-examples", str(each), "--checks", "all"]
    command += ["--header", f"x-functions-key: {KEY}", "--no-color", "--continue-on-failure"]
    # Hypothesis parses its own source, and threads of Python 3.11 trip over each other there.
    command += ["--workers", "1"]
    command += ["--report", "ndjson", "--report-ndjson-path", str(report)]
    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout + ran.stderr, _statuses(report)


def _names(host: FilledHost) -> dict[str, list[str]]:
    """Return what is there, by kind; spares: what may be deleted without leaving little to ask for."""
    record = [one.platform for one in host.app.queries.platforms()]
    templates = [one.id for platform in record for one in platform.templates]
    others = [name for name in templates if name != TEMPLATE]
    return {
        "platforms": [one.id for one in record],
        "templates": [TEMPLATE, *others],
        "sensors": [SENSOR, *(sensor.id for _, _, sensor in host.app.queries.sensors(None, None, None))],
        "incidents": [host.incident.id],
        "events": [one.id for one in host.app.queries.events(TEMPLATE, 100)],
        "marks": [one.mark.id for one in host.app.baseline_queries.marks(SENSOR)],
        "suppressions": [host.planned().id],
        "days": [one.valid_from.isoformat() for one in host.app.baseline_queries.history(SENSOR).changes],
        "moments": [f"{day}T12:00:00Z" for day in DAYS],
        "assets": list(ASSETS),
        "spare_platforms": [one.id for one in record if not TEMPLATE.startswith(one.id)],
        "spare_templates": others,
        "spare_sensors": [f"{name}-1" for name in others],
    }


def _statuses(report: Path) -> Counter[int]:
    """Return how often which status was answered."""
    found: Counter[int] = Counter()

    def look(value: object) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("response"), dict) and "status_code" in value["response"]:
                found[value["response"]["status_code"]] += 1
            for one in value.values():
                look(one)
        elif isinstance(value, list):
            for one in value:
                look(one)

    with report.open() as lines:
        for line in lines:
            look(json.loads(line))
    return found


def main() -> int:
    """Run until so many requests were sent; return 0 if nothing failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder, Azurite() as azurite:
        code, statuses, output = fuzz(
            azurite.connection_string, "fuzz", arguments.requests, arguments.seed, Path(folder)
        )
    print(output if code else output[-3000:])
    print(f"{statuses.total()} requests, by status: {dict(sorted(statuses.items()))}")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
