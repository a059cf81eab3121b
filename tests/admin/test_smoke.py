"""The look at an app after its deployment: it is content with the version that was deployed, and with nothing else."""

import json
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from admin.smoke import wait_for
from tests.support.paths import ROOT


@contextmanager
def answering(*answers: tuple[int, bytes]) -> Iterator[str]:
    """Serve these answers for health, one after the other, the last of them for good; yield the address."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = (left.pop(0) if len(left) > 1 else left[0]) if self.path == "/api/health" else (404, b"")
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def health(version: str, status: str = "ok") -> tuple[int, bytes]:
    """Return health's answer."""
    return 200, json.dumps({"version": version, "status": status, "templates": []}).encode()


@pytest.mark.parametrize("first", [health("0.1.0"), (503, b"starting"), (200, b"<html>"), (200, b"[]"), (200, b"{}")])
def test_it_waits_until_the_new_version_answers(first: tuple[int, bytes]) -> None:
    """The old release, a host that starts and a page of somebody else are no answer yet; degraded is one."""
    with answering(first, health("0.2.0", "degraded")) as url:
        found = wait_for(f"{url}/", "0.2.0", wait_s=5, pause_s=0.01)
    assert isinstance(found, dict)
    assert found["status"] == "degraded"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (health("0.1.0"), "health tells version 0.1.0, not 0.2.0"),
        (health("0.2.0+1a2b3c4d"), r"health tells version 0\.2\.0\+1a2b3c4d, not"),
        (health(""), "health tells version , not"),
        ((200, b"null"), "no health: TypeError"),
        ((200, b'"0.2.0"'), "no health: TypeError"),
        ((500, b""), "no health: HTTPError"),
    ],
)
def test_another_version_is_a_failure(answer: tuple[int, bytes], why: str) -> None:
    """What it was last is said."""
    with answering(answer) as url:
        found = wait_for(url, "0.2.0", wait_s=0.03, pause_s=0.01)
    assert isinstance(found, str)
    assert re.match(why, found)


def test_nothing_at_the_address_is_a_failure() -> None:
    """And no exception."""
    assert "no health" in str(wait_for("http://127.0.0.1:9", "0.2.0", wait_s=0, pause_s=0.01))


MODULE = "runpy.run_module('admin.smoke', run_name='__main__', alter_sys=True)"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a pipeline does: with Python alone."""
    command = [sys.executable, "-I", "-S", "-c", "import sys; sys.path.insert(0, '.'); import runpy; " + MODULE]
    return subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_package_says_which_version_is_expected(tmp_path: Path) -> None:
    """The command needs no installed packages; its exit code is what a pipeline goes by."""
    package = tmp_path / "app.zip"
    with zipfile.ZipFile(package, "w") as packed:
        packed.writestr("shared/version.txt", "0.2.0\n")
    with answering(health("0.2.0")) as url:
        ran = run("--url", url, "--package", str(package), "--wait", "5")
        assert (ran.returncode, ran.stdout) == (
            0,
            "version 0.2.0 runs, health is ok, 0 templates are registered\n",
        ), ran.stderr
        assert run("--url", url, "--version", "0.3.0", "--wait", "0").returncode == 1


@pytest.mark.parametrize("content", [None, b"", b"no zip"])
def test_a_package_without_a_version_is_a_failure(tmp_path: Path, content: bytes | None) -> None:
    """One that is not there, empty, or something else."""
    package = tmp_path / "app.zip"
    if content == b"":
        zipfile.ZipFile(package, "w").close()
    elif content is not None:
        package.write_bytes(content)
    ran = run("--url", "http://127.0.0.1:9", "--package", str(package), "--wait", "0")
    assert ran.returncode == 1
    assert "carries no version" in ran.stderr


def test_a_file_is_no_app() -> None:
    """Only addresses of the web are asked."""
    assert run("--url", "file:///etc", "--version", "1").returncode == 2
