"""A local host in processes of its own, for the demo and for tests."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

PROJECT = Path(__file__).resolve().parent.parent


class HostProcess:
    """`with HostProcess({"AzureWebJobsStorage": ...}) as host: host.wait_idle()`; it never outlives this process."""

    def __init__(
        self,
        settings: Mapping[str, str],
        *arguments: str,
        root: Path = PROJECT,
        project: Path = PROJECT,
        log: Path | None = None,
    ) -> None:
        """`root` is the app's folder, `project` the one whose local host runs it."""
        self._command = [sys.executable, "-m", "local.host", "--with-parent", "--root", str(root), *arguments]
        if "--port" not in arguments:
            self._command += ["--port", "0"]
        self._environment = os.environ | dict(settings)
        self._project = project
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> Self:
        """Starts the host and waits until it serves; RuntimeError if it does not, with what it said last."""
        log = self._log.open("a") if self._log else None
        try:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._project,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl+C reaches us alone, and we stop the host; its processes are one group
            )
        finally:
            if log:
                log.close()
        if self._process.stdout is not None:
            self.url = self._process.stdout.readline().strip()
        if not self.url:
            self.stop()
            raise RuntimeError("the local host does not start" + (f":\n{self._log.read_text()}" if self._log else ""))
        return self

    def stop(self, patience: float = 30.0) -> int:
        """Asks the host to end, kills it if it does not in `patience` [s], and returns its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        return self._close(process)

    def kill(self) -> None:
        """Ends all processes of the host as a power cut would."""
        process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            self._close(process)

    def processes(self) -> list[int]:
        """The ids of the processes of its function groups; Linux tells them."""
        if self._process is None:
            return []
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(one) for one in children.read_text().split()] if children.exists() else []

    def admin(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """GET (or with a body POST) of an endpoint under /admin/; its JSON."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}/admin/{path}", data, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def run_now(self, function: str, text: str = "") -> None:
        """Starts one run of a function that is not an HTTP one, out of turn."""
        self.admin(f"functions/{function}", {"input": text})

    def wait_idle(self, patience: float = 60.0) -> dict[str, Any]:
        """Waits until nothing is left to do; TimeoutError with the state after `patience` [s]."""
        deadline = time.monotonic() + patience
        while True:
            state: dict[str, Any] = self.admin("host/idle")
            if state["idle"]:
                return state
            if time.monotonic() > deadline:
                raise TimeoutError(f"the local host is still busy: {state}")
            time.sleep(0.05)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @staticmethod
    def _close(process: subprocess.Popen[str]) -> int:
        if process.stdout is not None:
            process.stdout.read()  # ends with the last of the host's processes
        code = process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        return code


__all__ = ["HostProcess"]
