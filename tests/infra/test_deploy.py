"""One environment with az alone: the order of the guide, and nothing after what failed; az is a stand-in."""

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.admin.test_smoke import answering, health
from tests.support.paths import ROOT
from tests.support.workflows import said, stand_in, with_stand_ins

VARIABLES = {
    "AZURE_SUBSCRIPTION_ID": "the-subscription",
    "AZURE_ENV_NAME": "leak-dev",
    "AZURE_LOCATION": "northeurope",
    "SMOKE_WAIT_S": "0",
}
ORDER = ["deployment sub create", "functionapp deployment source config-zip"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with what the script needs, and a package of version 0.2.0."""
    root = tmp_path / "checkout"
    (root / "infra").mkdir(parents=True)
    (root / "dist").mkdir()
    (root / "infra" / "deploy.sh").write_bytes((ROOT / "infra" / "deploy.sh").read_bytes())
    (root / "infra" / "deploy.sh").chmod(0o755)
    (root / "admin").symlink_to(ROOT / "admin")
    with zipfile.ZipFile(root / "dist" / "app.zip", "w") as package:
        package.writestr("shared/version.txt", "0.2.0\n")
    return root


def deploy(
    checkout: Path, *arguments: str, url: str = "http://127.0.0.1:9", fails: str = "nothing"
) -> subprocess.CompletedProcess[str]:
    """Run the script with an az that creates what it is asked for, but for one command."""
    outputs = {
        "azurE_RESOURCE_GROUP": {"type": "String", "value": "the-group"},  # Azure writes names so, at times
        "AZURE_FUNCTION_APP": {"type": "String", "value": "the-app"},
        "AZURE_STORAGE_ACCOUNT": {"type": "String", "value": "the-account"},
        "servicE_APP_URI": {"type": "String", "value": url},
    }
    answers = f"case \"$*\" in *'{fails}'*) exit 3;; *'sub create'*) echo '{json.dumps(outputs)}';; esac"
    stand_in(checkout, "az", answers)
    return subprocess.run(
        [str(checkout / "infra" / "deploy.sh"), *arguments],
        env=with_stand_ins(checkout, **VARIABLES),
        capture_output=True,
        text=True,
        check=False,
    )


def order(checkout: Path) -> list[str]:
    """Return which of the commands of the guide came, in order."""
    return [next(command for command in ORDER if command in line) for line in said(checkout)]


def test_resources_then_code_then_health(checkout: Path) -> None:
    """Each names the subscription; what the first made is what the others are told; health is asked last."""
    with answering(health("0.2.0", "degraded")) as url:
        ran = deploy(checkout, url=url)
    assert ran.returncode == 0, ran.stderr
    assert order(checkout) == ORDER
    assert all("--subscription the-subscription" in line for line in said(checkout))
    _, code = said(checkout)
    assert "--resource-group the-group --name the-app --src dist/app.zip --build-remote true" in code
    assert ran.stdout.splitlines()[-1].startswith("version 0.2.0 runs, health is degraded")


def test_another_version_at_the_address_fails_the_deployment(checkout: Path) -> None:
    """The old code may still run, or the new one may not start."""
    with answering(health("0.1.0")) as url:
        ran = deploy(checkout, url=url)
    assert ran.returncode == 1
    assert "health tells version 0.1.0, not 0.2.0" in ran.stderr


@pytest.mark.parametrize("index", range(len(ORDER)))
def test_nothing_follows_what_failed(checkout: Path, index: int) -> None:
    """No code where resources are not there, no look at health after either."""
    ran = deploy(checkout, fails=ORDER[index])
    assert ran.returncode != 0
    assert order(checkout) == ORDER[: index + 1]
    assert "no health" not in ran.stderr


def test_without_a_package_nothing_is_made(checkout: Path) -> None:
    """It would be noticed only after the resources."""
    (checkout / "dist" / "app.zip").unlink()
    ran = deploy(checkout)
    assert ran.returncode == 1
    assert "make package comes first" in ran.stderr
    assert said(checkout) == []


def test_what_if_changes_nothing_and_needs_no_right_to(checkout: Path) -> None:
    """One command, which does not ask for rights to write."""
    assert deploy(checkout, "what-if").returncode == 0
    (line,) = said(checkout)
    assert line.startswith("az deployment sub what-if --subscription the-subscription ")
    assert line.endswith("--parameters infra/main.bicepparam --validation-level ProviderNoRbac")
    assert deploy(checkout, "whatif").returncode == 2
    assert len(said(checkout)) == 1
