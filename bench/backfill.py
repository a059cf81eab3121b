"""How long a backfill takes, and how much memory: three years of one sensor, and what an outage of 60 days left.

    python -m bench.backfill [--days 1095] [--outage 60]

On Azurite and the emulator of OMNIA. The app runs in a process of its own, whose peak memory is its alone. Its clock
stands still, so that no budget cuts the run: settings divide it, into runs of a budget and at most the longest piece.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from omnia_emulator import running
from omnia_emulator.synthetic import synthetic

from admin.manage import seed
from bench.storage import TOKEN, Present, snorre, wired
from local.azurite import Azurite
from local.metadata import BY_HAND
from shared.bootstrap import Bootstrap
from shared.domain.platform import Platform
from shared.settings import Settings
from shared.usecases.baselines.rescoring import Rescoring

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


class Watched(Present):
    """A clock that stands still, and how long was worked between two looks at it [s]: nothing cuts that."""

    def __init__(self, moment: datetime) -> None:
        """Begin at that moment."""
        super().__init__(moment)
        self._looked = time.perf_counter()
        self.longest = 0.0

    def now(self) -> datetime:
        """Return the present."""
        before, self._looked = self._looked, time.perf_counter()
        self.longest = max(self.longest, self._looked - before)
        return super().now()


@contextmanager
def scoring() -> Iterator[list[float]]:
    """Yield what the scoring of stored days takes [s], a number for each time."""
    spent: list[float] = []
    run = Rescoring.run

    def timed(self: Rescoring, *args: Any) -> Any:
        begun = time.perf_counter()
        try:
            return run(self, *args)
        finally:
            spent.append(time.perf_counter() - begun)

    with patch.object(Rescoring, "run", timed):
        yield spent


def one_sensor() -> Platform:
    """Return Snorre with one template that has one sensor."""
    platform = snorre("W")
    template = platform.templates[0]
    return platform.model_copy(update={"templates": (template.model_copy(update={"sensors": template.sensors[:1]}),)})


def app_of(connection: str, url: str, clock: Watched, days: int) -> Bootstrap:
    """Return the app at the clock's present."""
    config = Settings(
        AzureWebJobsStorage=connection,
        omnia={"base_url": url, "static_token": TOKEN},
        ingest={"backfill_days": days},
        ingest_schedule=BY_HAND,
        baselines_schedule=BY_HAND,
        keep_schedule=BY_HAND,
    )
    return wired(config, clock)


def worked(connection: str, url: str, now: str, days: int) -> dict[str, Any]:
    """Ingest what there is up to a moment, build baselines, score; return the seconds of each, and the peak memory."""
    clock = Watched(datetime.fromisoformat(now))
    app = app_of(connection, url, clock, days)
    app.clients.ensure_storage()
    seed(app, [one_sensor()])
    template = one_sensor().templates[0]
    before = len(app.lake.days(template))
    begun = time.perf_counter()
    app.ingest.run()
    ingested = time.perf_counter() - begun
    ingest_mb = peak_mb()
    clock.now()
    clock.longest = 0.0
    begun = time.perf_counter()
    with scoring() as scored:
        app.build_baselines.run_template(template.platform, template.id)
    built = time.perf_counter() - begun
    clock.now()
    return {
        "days": len(app.lake.days(template)) - before,
        "ingest_s": ingested,
        "ingest_peak_mb": ingest_mb,
        "baselines_s": built - sum(scored),
        "score_s": sum(scored),
        "longest_s": clock.longest,
        "peak_mb": peak_mb(),
    }


def peak_mb() -> float:
    """Return the most memory that this process had [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def in_own_process(connection: str, url: str, now: datetime, days: int) -> dict[str, Any]:
    """Return what a process of its own measured."""
    command = [sys.executable, "-m", "bench.backfill", "--work", connection, url, now.isoformat(), str(days)]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return result


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.backfill", description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=1095)
    parser.add_argument("--outage", type=int, default=60)
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        connection, url, now, days = options.work
        print(json.dumps(worked(connection, url, now, int(days))))
        return 0
    present = Present(NOW)
    begin = NOW - timedelta(days=options.days)
    store = synthetic([one_sensor()], seed=1, begin=begin, clock=present.now)
    with Azurite() as azurite, running(store, token=TOKEN) as emulator:
        for what, moment in (("backfill", NOW), ("outage", NOW + timedelta(days=options.outage))):
            present.moment = moment
            found = in_own_process(azurite.connection_string, emulator.base_url, moment, options.days)
            print(
                f"{what:<9} {found['days']:5d} days: ingested in {found['ingest_s']:.1f} s, peak memory "
                f"{found['ingest_peak_mb']:.0f} MB; baselines in {found['baselines_s']:.1f} s, scores in "
                f"{found['score_s']:.1f} s, longest piece {found['longest_s']:.1f} s, peak {found['peak_mb']:.0f} MB",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
