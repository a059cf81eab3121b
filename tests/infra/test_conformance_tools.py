"""Conformance by tools of others: Microsoft's worker refuses a wrong app, checkov and bandit what is not safe."""

import base64
import subprocess
from pathlib import Path

import pytest

from conformance import outside, package
from conformance.environments import environment
from tests.support.paths import ROOT
from tests.support.planted import Copy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("conformance")]

TAKEN = '@blueprint.function_name("ingest")'
FIRST_TIMER = '@blueprint.function_name("baselines")'


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        (
            "functions/baselines.py",
            FIRST_TIMER,
            TAKEN,
            "ingest does not have a unique function name",
        ),
        ("functions/ingest.py", '@blueprint.timer_trigger("timer"', '@blueprint.timer_trigger("timr"', "{'timer'}"),
        ("functions/ingest.py", "timer: func.TimerRequest", "clock: func.TimerRequest", "clock"),
        ("functions/ingest.py", "from shared.bootstrap", "from shard.bootstrap", "No module named 'shard'"),
    ],
    ids=["a name given twice", "a wrong binding argument", "an argument without binding", "a module that is not there"],
)
def test_the_worker_refuses_what_the_platform_would_refuse(
    copy: Copy, monkeypatch: pytest.MonkeyPatch, file: str, old: str, new: str, named: str
) -> None:
    """A name given twice, a binding without argument, an argument without binding, an app that cannot be imported."""
    copy.plant(file, old, new)
    for name, value in package.SETTINGS.items():
        monkeypatch.setenv(name, value)
    verdict = outside.in_worker(environment("worker") / "python", copy.root)
    assert "the worker refuses the app" in "".join(verdict.faults)
    assert named in "".join(verdict.faults)


def test_checkov_names_a_policy_that_is_broken_or_skipped_without_a_reason(copy: Copy) -> None:
    """Transfer without TLS; a suppression that says nothing."""
    copy.plant("infra/parts/storage.bicep", "supportsHttpsTrafficOnly: true", "supportsHttpsTrafficOnly: false")
    vault = (copy.root / "infra/parts/vault.bicep").read_text()
    first = next(line for line in vault.splitlines() if "checkov:skip" in line)
    copy.plant("infra/parts/vault.bicep", first, first.rpartition(": ")[0])
    for other in copy.root.glob("infra/**/*.bicep"):  # checkov judges each file by itself, slowly
        if other.name not in ("storage.bicep", "vault.bicep"):
            other.unlink()
    found = "\n".join(outside.policies(copy.root).faults)
    assert "CKV_AZURE_3 " in found
    assert "vault.bicep: CKV_AZURE_42 is skipped without a reason" in found


def test_a_secret_in_any_file_is_named(tmp_path: Path) -> None:
    """Nobody means to put one there."""
    key = base64.b64encode(bytes(range(64))).decode()
    (tmp_path / "notes.txt").write_text(f"AccountName=x;AccountKey={key};EndpointSuffix=core.windows.net\n")
    (tmp_path / "plain.txt").write_text("nothing to see\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (found,) = outside.secrets(tmp_path).faults
    assert "notes.txt:1" in found


def test_bandit_names_what_is_not_safe(copy: Copy) -> None:
    """A shell that takes anything."""
    with (copy.root / "shared" / "errors.py").open("a") as code:
        code.write('\nimport subprocess\nsubprocess.call("ls " + __name__, shell=True)\n')
    found = outside.security(copy.root).faults
    assert any("B602" in one and "shared/errors.py" in one for one in found), found


def test_the_worker_library_that_is_tried_is_the_deployed_one() -> None:
    """It is pinned twice, because this Python may be older than the deployed one: one version."""
    name = "azure-functions-runtime=="
    tried, deployed = (
        next(
            line.split(";")[0].split("#")[0].strip()
            for line in (ROOT / file).read_text().splitlines()
            if line.startswith(name)
        )
        for file in ("conformance/requirements-worker-runtime.txt", "requirements.txt")
    )
    assert tried == deployed
