"""Installs and runs Azurite, the storage emulator under the local host, the tests and the demo.

It is a development tool. npm puts the version that `package-lock.json` names into the ignored folder `.tools/azurite`.

    python -m local.azurite install
    python -m local.azurite run [--location DIR] [--ports BLOB QUEUE TABLE]
"""

import argparse
import re
import subprocess
import sys
import tempfile
import threading
from collections import deque
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from local import npm
from shared.adapters.development import connection_string

HERE = Path(__file__).resolve().parent
HOME = HERE.parent / ".tools" / "azurite"
START_SECONDS = 60
STOP_SECONDS = 10

# Runs inside Node before Azurite: when our end of its input closes, however we ended, Azurite saves and ends.
_WATCHDOG = (
    "data:text/javascript,"
    "process.stdin.on('end',()=>{process.kill(process.pid,'SIGTERM');setTimeout(()=>process.exit(1),5000).unref()})"
    ".resume().unref()"
)
_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at (http://\S+)")


class AzuriteError(Exception):
    """Azurite does not start; the message says what to do about it."""


def install() -> Path:
    """Installs the locked Azurite unless it is there, and returns the script that starts it."""
    return npm.install(HERE, HOME) / "azurite" / "dist" / "src" / "azurite.js"


class Azurite:
    """One Azurite process: `with Azurite(folder) as azurite: use(azurite.connection_string)`.

    Without a location it keeps everything in memory. Port 0 leaves the choice to Azurite, which takes a free one and
    says which: so two that start at once never meet. It ends with this process, even if this process is killed.
    """

    def __init__(self, location: Path | None = None, ports: tuple[int, int, int] = (0, 0, 0)) -> None:
        self._location = location
        self._ports = ports
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._urls: dict[str, str] = {}
        self._tail: deque[str] = deque(maxlen=20)
        self._settled = threading.Event()  # all three services listen, or the process has ended
        self._resources = ExitStack()

    @property
    def connection_string(self) -> str:
        """What to set `AzureWebJobsStorage` to."""
        if len(self._urls) < 3:
            raise AzuriteError("Azurite is not running")
        return connection_string(self._urls)

    def start(self) -> Self:
        """Starts the process and waits until its three services answer."""
        command = [npm.node_and_npm()[0], "--import", _WATCHDOG, str(install()), *self._options()]
        folder = self._location or Path(self._resources.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # Ctrl+C reaches us alone: the host ends first, its storage last
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        if not self._settled.wait(START_SECONDS) or len(self._urls) < 3:
            self.stop()
            raise AzuriteError("Azurite does not start:\n" + "".join(self._tail))
        return self

    def stop(self) -> None:
        """Ends the process: asks first, then kills."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if self._reader is not None:
                self._reader.join()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        self._urls.clear()
        self._settled.clear()
        self._resources.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _options(self) -> list[str]:
        names = ("--blobPort", "--queuePort", "--tablePort")
        options = [text for name, port in zip(names, self._ports, strict=True) for text in (name, str(port))]
        options += ["--skipApiVersionCheck", "--disableTelemetry", "--silent"]
        if self._location is None:
            return [*options, "--inMemoryPersistence"]
        return [*options, "--location", str(self._location.resolve())]

    def _read(self, process: subprocess.Popen[str]) -> None:
        """Reads what Azurite prints, to its end: an unread pipe would fill and stop it."""
        for line in process.stdout or ():
            self._tail.append(line)
            if found := _LISTENING.search(line):
                self._urls[found[1]] = found[2]
                if len(self._urls) == 3:
                    self._settled.set()
        self._settled.set()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m local.azurite", description="Azurite for development.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("install", help="install the locked version; quick when it is there")
    run = commands.add_parser("run", help="run until interrupted; prints the connection string")
    run.add_argument("--location", type=Path, help="folder that keeps the data (in memory without it)")
    run.add_argument("--ports", type=int, nargs=3, default=(0, 0, 0), metavar=("BLOB", "QUEUE", "TABLE"))
    arguments = parser.parse_args()
    try:
        install()
        if arguments.command == "run":
            with Azurite(arguments.location, tuple(arguments.ports)) as azurite:
                print(azurite.connection_string, flush=True)
                threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    except (AzuriteError, npm.NpmError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
