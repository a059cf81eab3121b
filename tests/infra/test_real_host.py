"""The real host: what it is found by, how its answers are judged, and that planted faults turn the check red."""

import tarfile
from pathlib import Path

import pytest

from conformance import functions_host, http_answers, real_host
from conformance.check_result import CheckResult
from conformance.environments import environment
from conformance.functions_host import HostMissing
from conformance.http_answers import Answer, Known
from tests.support.paths import ROOT
from tests.support.planted import Copy

PATIENCE_S = 60.0  # of the hosts of a planted fault, their start included


@pytest.fixture
def without_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take every host away."""
    monkeypatch.delenv("FUNCTIONS_HOST", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(functions_host, "ARCHIVE", tmp_path / "none.tar.xz")


@pytest.mark.usefixtures("without_host")
def test_without_a_host_the_check_is_skipped_with_its_reason() -> None:
    """No fault: a machine without the host can still check everything else."""
    verdict = real_host.check(ROOT)
    assert (verdict.skipped, verdict.faults) == (True, ())
    assert "FUNCTIONS_HOST" in verdict.summary


def test_a_folder_without_the_host_is_not_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who names a folder means it: no other host is taken instead."""
    monkeypatch.setenv("FUNCTIONS_HOST", str(tmp_path))
    with pytest.raises(HostMissing, match="holds no `start`"):
        functions_host.find_start()
    (tmp_path / "start").touch()
    assert functions_host.find_start() == [str(tmp_path / "start")]


@pytest.mark.usefixtures("without_host")
def test_core_tools_come_before_the_archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`func` on the PATH, else the archive beside the checkout, unpacked once and anew when it has changed."""
    content, unpacked = tmp_path / "content", tmp_path / "functions-host"
    content.mkdir()
    archive = tmp_path / "host.tar.xz"
    for text in ("one", "another"):
        (content / "start").write_text(text)
        with tarfile.open(archive, "w:xz") as packed:
            packed.add(content, "functions-host")
            packed.add(content / "start", "functions-host/more" * len(text))
        monkeypatch.setattr(functions_host, "ARCHIVE", archive)
        monkeypatch.setattr(functions_host, "UNPACKED", unpacked)
        assert functions_host.find_start() == [str(unpacked / "start")]
        assert (unpacked / "start").read_text() == text
    (tmp_path / "func").touch(0o755)
    assert functions_host.find_start() == [str(tmp_path / "func")]


def test_a_difference_that_nobody_knows_is_a_fault() -> None:
    """Status and type are compared; one that is known is counted, one that is gone is named."""
    known = [Known("/a$", "401 text/plain", "401 no type", "an empty 401"), Known("/z", ".*", ".*", "gone")]
    ours = [("GET /a", Answer(401, "text/plain")), ("GET /b", Answer(200, "text/html")), ("GET /c", Answer(204, ""))]
    theirs = [("GET /a", Answer(401, "")), ("GET /b", Answer(404, "")), ("GET /c", Answer(204, ""))]
    verdict = http_answers.judge(ours, theirs, known)
    assert verdict.faults == (
        "GET /b: 200 text/html on the local host, 404 no type on the real one",
        "no request shows any more that gone",
    )
    assert "an empty 401 (1)" in verdict.summary


def run_on_real_host(app: Path, folder: Path) -> CheckResult:
    """Run an app on the real host; skipped where there is none."""
    try:
        start = functions_host.find_start()
    except HostMissing as missing:
        pytest.skip(str(missing))
    return real_host.run(start, environment("host") / "python", app, folder, PATIENCE_S)


@pytest.mark.slow
@pytest.mark.azurite
@pytest.mark.timeout(300)
@pytest.mark.xdist_group("real-host")
@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("functions/ingest.py", '@blueprint.timer_trigger("timer"', '@blueprint.timer_trigger("timr"', "ingest"),
        (
            "functions/estimate.py",
            "answer = app().estimate.run(asked)",
            "time.sleep(3600)\n            answer = app().estimate.run(asked)",
            "did not empty its queues",
        ),
    ],
    ids=["a wrong binding", "a handler that never returns"],
)
def test_a_planted_fault_is_seen_on_the_real_host(
    copy: Copy, tmp_path_factory: pytest.TempPathFactory, file: str, old: str, new: str, named: str
) -> None:
    """What only a run shows: a binding without argument, a run without end."""
    found = run_on_real_host(copy.plant(file, old, new).root, tmp_path_factory.mktemp("hosts")).faults
    assert any(named in fault for fault in found), found
