"""Finds Microsoft's Azure Functions host and runs it on an app, in a process of its own.

It is either the folder that ``FUNCTIONS_HOST`` names, or Core Tools (``func``), or what an archive beside the checkout
holds. None of them is a part of this project, and none is downloaded.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

from conformance.environments import ROOT, environment, without_project
from local.npm import one_at_a_time

ARCHIVE = ROOT.parent / "shared" / "tools" / "functions-host.tar.xz"
UNPACKED = ROOT / ".tools" / "functions-host"
PYTHONS = ((3, 11), (3, 12))  # that the worker knows
START_S = 60
GRACE_S = 30  # that a host gets to end what it runs
KEYS_CONTAINER = "azure-webjobs-secrets"
BY_HAND = "This function was programmatically called"
FAILED = re.compile(r"^fail: .*\n +(.+)", re.MULTILINE)
BEGUN = re.compile(r"Executing 'Functions\.(\w+)' \(Reason='([^']*)', Id=([\w-]+)\)")
EXECUTED = re.compile(r"Executed 'Functions\.(\w+)' \((\w+), Id=([\w-]+)")


class HostMissing(Exception):
    """There is no host on this machine; the message says what was looked for."""


class HostError(Exception):
    """The host does not do what it should; the message says what, with its last lines."""


def ready_host() -> tuple[list[str], Path]:
    """Return the command that starts a host, and the Python that it gives its worker; raises HostMissing."""
    start = find_start()
    if sys.version_info[:2] not in PYTHONS:
        raise HostMissing("the host's worker needs Python 3.11 or 3.12")
    return start, environment("host") / "python"


def find_start() -> list[str]:
    """Return the command that starts a host, without its arguments; raises HostMissing."""
    if folder := os.environ.get("FUNCTIONS_HOST"):
        script = Path(folder).resolve() / "start"
        if not script.is_file():
            raise HostMissing("FUNCTIONS_HOST is set, but its folder holds no `start`")
        return [str(script)]
    if tools := shutil.which("func"):
        return [tools]
    if ARCHIVE.is_file():
        return [str(unpacked(ARCHIVE, UNPACKED) / "start")]
    raise HostMissing("no FUNCTIONS_HOST, no `func`, and no archive of the host beside the checkout")


def unpacked(archive: Path, folder: Path) -> Path:
    """Return the folder with what the archive holds; unpacked unless it is there."""
    stamp, wanted = folder / ".archive", str(archive.stat().st_size)
    with one_at_a_time(folder.with_suffix(".lock")):
        if not stamp.is_file() or stamp.read_text() != wanted:
            print("unpacking the Functions host ...", flush=True)
            aside = folder.with_suffix(".new")
            for old in (aside, folder):
                shutil.rmtree(old, ignore_errors=True)
            with tarfile.open(archive) as packed:
                packed.extractall(aside, filter="data")
            (aside / folder.name).rename(folder)  # the archive's one folder
            shutil.rmtree(aside)
            stamp.write_text(wanted)
    return folder


class FunctionsHost:
    """``with FunctionsHost(start, python, app, folder, settings, host_id) as host: host.wait_ready()``.

    ``folder``: for the copy of the app that it runs, and its log. It ends with the block, its workers with it.
    """

    def __init__(
        self, start: list[str], python: Path, app: Path, folder: Path, settings: Mapping[str, str], host_id: str
    ) -> None:
        """Take what is run; nothing starts yet."""
        self._start, self._python, self._app, self._folder = start, python, app, folder
        self._settings = {**settings, "AzureFunctionsWebHost__hostid": host_id}
        self._host_id = host_id
        self._process: subprocess.Popen[bytes] | None = None
        self._keys: Mapping[str, str] = {}
        self._port = 0
        self.log = folder / "host.log"

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> Self:
        """Start it; ``wait_ready`` tells when it runs."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._port = free_port()
        copy = self._folder / "app"
        arguments = [str(self._app), str(self._python), str(self._port), str(copy)]
        cwd = self._folder
        if Path(self._start[0]).name != "start":  # Core Tools run where the app is
            shutil.copytree(self._app, copy, dirs_exist_ok=True)
            arguments, cwd = ["start", "--port", str(self._port)], copy
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*self._start, *arguments],
                cwd=cwd,
                env=without_project() | self._variables(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # its workers are of its group, and of no other
            )
        return self

    def wait_ready(self) -> None:
        """Return when its functions are loaded; raises HostError."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            with suppress(requests.RequestException):
                self._keys = self._stored_keys()
                # Errors in it may pass: it tries again by itself.
                if self.get("/admin/host/status").json().get("state") == "Running":
                    return
            time.sleep(0.5)
        raise HostError(f"the host does not run after {START_S} s:\n{self.last_lines()}")

    def stop(self) -> None:
        """Ask it to end, wait for what it runs, and see that nothing of it is left."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # it, and workers that it left
        process.wait()

    def kill(self) -> None:
        """End it at once, and its workers with it."""
        process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def get(self, path: str) -> requests.Response:
        """Return the answer at a path, asked for with the host's own key."""
        return requests.get(f"{self.url}{path}", headers=self.key_header(), timeout=60)

    def run_now(self, function: str, text: str = "") -> None:
        """Start one run of a function that is not an HTTP one; raises HostError."""
        answer = requests.post(
            f"{self.url}/admin/functions/{function}", json={"input": text}, headers=self.key_header(), timeout=60
        )
        if not answer.ok:
            raise HostError(f"the host does not run {function}: {answer.status_code} {answer.text[:200]}")

    def functions(self) -> dict[str, str]:
        """Return the kind of trigger of each function that the host loaded, by its name."""
        listed: list[dict[str, Any]] = self.get("/admin/functions").json()
        return {
            one["name"]: next(
                part["type"] for part in one["config"]["bindings"] if part["type"].lower().endswith("trigger")
            )
            for one in listed
        }

    def executed(self) -> Counter[tuple[str, str]]:
        """Return how often which function ended how (Succeeded, Failed)."""
        return Counter((name, how) for name, how, _ in EXECUTED.findall(self.log.read_text(errors="replace")))

    def ended_by_hand(self, function: str) -> int:
        """Return how many runs of a function that ``run_now`` started have ended."""
        text = self.log.read_text(errors="replace")
        begun = {run for name, why, run in BEGUN.findall(text) if name == function and why.startswith(BY_HAND)}
        return len(begun & {run for *_, run in EXECUTED.findall(text)})

    def under_way(self, function: str = "") -> int:
        """Return how many runs have begun and not ended, of one function or of all."""
        text = self.log.read_text(errors="replace")
        begun = {run for name, _, run in BEGUN.findall(text) if function in ("", name)}
        return len(begun - {run for *_, run in EXECUTED.findall(text)})

    def last_lines(self) -> str:
        """Return what it reported as failed, and the end of its log."""
        text = self.log.read_text(errors="replace")
        failed = dict.fromkeys(FAILED.findall(text))  # each once
        return "\n".join([*list(failed)[:10], text[-1000:]])

    @property
    def function_key(self) -> str:
        """The key that opens every HTTP function; empty where the host asks for none."""
        return self._keys.get("function", "")

    def key_header(self) -> dict[str, str]:
        """Return the header with the master key; empty where the host asks for none."""
        return {"x-functions-key": self._keys["master"]} if self._keys else {}

    def _stored_keys(self) -> Mapping[str, str]:
        with BlobServiceClient.from_connection_string(self._settings["AzureWebJobsStorage"]) as blobs:
            blob = blobs.get_blob_client(KEYS_CONTAINER, f"{self._host_id}/host.json")
            try:
                stored = json.loads(blob.download_blob().readall())
                return {"master": stored["masterKey"]["value"], "function": stored["functionKeys"][0]["value"]}
            except ResourceNotFoundError:
                return {}

    def _variables(self) -> dict[str, str]:
        return {
            **self._settings,
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "PATH": os.pathsep.join((str(self._python.parent), os.environ["PATH"])),  # Core Tools take this Python
            "VIRTUAL_ENV": str(self._python.parent.parent),
            "AzureFunctionsJobHost__logging__logLevel__Function": "Information",  # a line for each run that ended
        }

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def free_port() -> int:
    """Return a port of this machine that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
