"""The real host: what it is found by, how its answers are judged, and that planted faults turn the check red."""

import tarfile
from pathlib import Path

import pytest

from conformance import functions_host, http_answers, real_host
from conformance.functions_host import HostMissing
from conformance.http_answers import Answer, Known
from conformance.real_host import Expected
from tests.support.paths import ROOT
from tests.support.planted import Copy

GIVEN_UP_S = 60.0  # waiting for a run without end, the hosts' start included


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


@pytest.fixture(scope="module")
def host() -> tuple[list[str], Path]:
    """The real host and its Python; tests that need it are skipped where there is none."""
    try:
        return functions_host.ready_host()
    except HostMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def expected(host: tuple[list[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Expected:
    """What the local host makes of the sea."""
    return real_host.locally(tmp_path_factory.mktemp("locally"))


@pytest.mark.slow
@pytest.mark.azurite
@pytest.mark.timeout(600)
@pytest.mark.xdist_group("real-host")
@pytest.mark.parametrize(
    ("planted", "named", "patience"),
    [
        (
            [("functions/ingest.py", '@blueprint.timer_trigger("timer"', '@blueprint.timer_trigger("timr"')],
            ["ingest"],
            GIVEN_UP_S,
        ),
        (
            [
                (
                    "functions/estimate.py",
                    "answer = its.estimate",
                    "time.sleep(3600)\n            answer = its.estimate",
                )
            ],
            ["did not empty its queues"],
            GIVEN_UP_S,
        ),
        (
            [
                ("shared/usecases/detection/scoring.py", "(*found.latch,)", "(*found.latch[:3], int(found.latch[3]))"),
                (
                    "shared/domain/deviation.py",
                    "all(a == b or (isnan(a) and isnan(b)) for",
                    "all(repr(a) == repr(b) for",
                ),
                (
                    "shared/usecases/keep/restore.py",
                    "for part in parts[table])",
                    'for part in parts[table] if table != "journal")',
                ),
            ],
            ["rows were written again, and nothing had changed", "'journal': "],
            real_host.PATIENCE_S,
        ),
    ],
    ids=[
        "a wrong binding",
        "a handler that never returns",
        "an int where storage gives a float, a restore without the journal",
    ],
)
def test_a_planted_fault_is_seen_on_the_real_host(
    copy: Copy,
    host: tuple[list[str], Path],
    expected: Expected,
    tmp_path_factory: pytest.TempPathFactory,
    planted: list[tuple[str, str, str]],
    named: list[str],
    patience: float,
) -> None:
    """What only a run shows: no argument for a binding, no end, a day that never is as stored, a table left out."""
    for file, old, new in planted:
        copy.plant(file, old, new)
    found = real_host.run(*host, copy.root, tmp_path_factory.mktemp("hosts"), expected, patience).faults
    assert [one for one in named if not any(one in fault for fault in found)] == [], found
