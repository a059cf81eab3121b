"""``python -m chaos.upgrade --release REF``: a release takes over from another on running hosts, and gives back.

On one storage on Azurite the other release's app, with its own local host, registers and fills; then this one works
beside it, tick by tick; then this one alone; then the other one alone, as after a roll-back; then this one again. In
the end tables, baselines and events are held against those that are made of the same lake from nothing, and the lake
against one that asked for everything at the end; nothing may have been put aside or given up on the way.
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path

from admin.upgrade import upgrade
from chaos.hosts import BEGUN, PATIENCE_S, PLATFORM, RUN, SETTLED, Storage, sea
from local.azurite import Azurite
from local.process import PROJECT, HostProcess

TICK = timedelta(minutes=10)
TOGETHER = 6  # ticks: an hour of both
ALONE = 3
SEED = f"""
from admin.manage import seed, seed_platforms
from shared.bootstrap import Bootstrap
from shared.settings import load_settings
app = Bootstrap(load_settings())
app.clients.ensure_storage()
seed(app, [one for one in seed_platforms() if one.id == {PLATFORM!r}])
"""


def known_to(release: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that a release in that folder knows: it refuses others, and its deployment has none."""
    known = json.loads((release / "local.settings.sample.json").read_text())["Values"]
    return {name: value for name, value in settings.items() if name in known or "__" not in name}


class Change:
    """One storage on which two releases take turns; ``present`` holds what time it is."""

    def __init__(self, storage: Storage, present: list[datetime], before: Path) -> None:
        """Let the release before, in that folder, register the platform."""
        self._storage, self._present, self._before = storage, present, before
        RUN.mkdir(parents=True, exist_ok=True)
        present[0] = BEGUN
        environment = os.environ | self._settings(before)
        subprocess.run([sys.executable, "-c", SEED], cwd=before, env=environment, check=True, timeout=120)

    def fill(self) -> None:
        """Let the release before read what there is, and build baselines of it."""
        self._work([self._before], ("ingest", "baselines", "ingest"))

    def together(self, ticks: int) -> None:
        """Let both look, each tick first another one."""
        self._storage.app(self._present[0])  # as a deployment: what this release stores in is made before it comes
        for tick in range(ticks):
            pair = [self._before, PROJECT]
            self._tick(pair[::-1] if tick % 2 else pair)

    def alone(self, release: Path, ticks: int) -> None:
        """Let one of them work, and look after baselines."""
        for _ in range(ticks):
            self._tick([release])
        self._work([release], ("baselines",))

    def wrong(self) -> list[str]:
        """Let this release come to rest, and return in what the end is wrong."""
        self._present[0] += SETTLED
        self._work([PROJECT], ("ingest", "baselines", "ingest", "baselines"))
        app = self._storage.app(self._present[0])
        for _ in upgrade(app):  # the step after which there is no way back: nothing of the one before is left
            pass
        found = list(self._storage.differences(app, self._present[0]))
        aside = [blob.name for blob in app.clients.container(app.settings.storage.corrupt_container).list_blobs()]
        return found + [f"put aside: {name}" for name in aside]

    def _settings(self, release: Path) -> dict[str, str]:
        return known_to(release, self._storage.settings(self._present[0]))

    def _tick(self, releases: Sequence[Path]) -> None:
        self._present[0] += TICK
        self._work(releases, ("ingest",))

    def _work(self, releases: Sequence[Path], functions: Sequence[str]) -> None:
        """Run hosts of these releases at once until nothing is left; each of the functions is started on every one."""
        log = RUN / "upgrade.log"
        with ExitStack() as stack:
            hosts = [
                stack.enter_context(HostProcess(self._settings(one), root=one, project=one, log=log))
                for one in releases
            ]
            for function in functions:
                for host in hosts:
                    host.run_now(function)
                for host in hosts:
                    host.wait_idle(PATIENCE_S)


@contextmanager
def release(reference: str) -> Iterator[Path]:
    """Put that release's files into a folder, for as long as they are needed."""
    git = ["git", "-C", str(PROJECT), "archive", "--format=tar", reference]
    packed = subprocess.run(git, check=True, capture_output=True, timeout=120).stdout
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=BytesIO(packed)) as files:
        files.extractall(folder, filter="data")
        yield Path(folder)


def changed(reference: str, seed: int = 1, together: int = TOGETHER, alone: int = ALONE) -> list[str]:
    """Change from that release to this one, back, and again; return in what the end is wrong.

    ``together`` and ``alone``: ticks that both work beside each other, and that one works alone.
    """
    present = [BEGUN]
    with release(reference) as before, sea(present, seed) as emulator, Azurite() as azurite:
        change = Change(Storage(azurite, emulator, f"u{seed}"), present, before)
        steps: dict[str, Callable[[], None]] = {
            "the release before fills": change.fill,
            "both work": partial(change.together, together),
            "this one alone": partial(change.alone, PROJECT, alone),
            "the one before alone": partial(change.alone, before, alone),
            "this one again": partial(change.alone, PROJECT, alone),
        }
        for words, step in steps.items():
            step()
            print(f"{words}: until {present[0]:%Y-%m-%d %H:%M}", flush=True)
        return change.wrong()


def main() -> int:
    """Change releases there and back; 1 where the end is wrong."""
    parser = argparse.ArgumentParser(prog="python -m chaos.upgrade", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--release", required=True, help="the one before: a tag or a commit")
    parser.add_argument("--seed", type=int, default=1, help="of the sea (default: 1)")
    parser.add_argument("--together", type=int, default=TOGETHER, help=f"ticks of both (default: {TOGETHER})")
    parser.add_argument("--alone", type=int, default=ALONE, help=f"ticks of each alone (default: {ALONE})")
    options = parser.parse_args()
    found = changed(options.release, options.seed, options.together, options.alone)
    print(*(found[:20] or ["the end is right"]), sep="\n  ")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
