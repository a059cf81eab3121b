"""The pipelines as data, and a shell that runs one of their steps as GitHub does, with stand-ins for az and gh."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from tests.support.paths import ROOT

WORKFLOWS = ROOT / ".github" / "workflows"


def workflow(name: str) -> dict[str, Any]:
    """Return a workflow; YAML takes its key ``on`` for true."""
    found: dict[str, Any] = yaml.safe_load((WORKFLOWS / name).read_text())
    return found


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each job of each workflow: the workflow's file, the job's name, the job."""
    for path in sorted(WORKFLOWS.iterdir()):
        for name, job in workflow(path.name)["jobs"].items():
            yield path.name, name, job


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each step of each job, by where it stands."""
    for file, name, job in jobs():
        for index, step in enumerate(job.get("steps", ())):
            yield f"{file}, {name}, step {index + 1}", step


def step(file: str, job: str, name: str) -> dict[str, Any]:
    """Return one step by its name."""
    (found,) = [one for one in workflow(file)["jobs"][job]["steps"] if one.get("name") == name]
    return dict(found)


def azure_pipeline() -> dict[str, Any]:
    """Return the pipeline that the page of Azure DevOps shows, every value as a string: so is it read there."""
    (text,) = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs" / "azure-devops.md").read_text(), re.M | re.S)
    found: dict[str, Any] = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 (strings, lists and mappings only)
    return found


def run_step(
    found: Mapping[str, Any], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a step's script in a folder as the runner does by default."""
    script = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", found["run"]]
    return subprocess.run(script, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def stand_in(folder: Path, name: str, body: str) -> Path:
    """Put a program into a folder that writes down how it is called (``said``), then does what the body says."""
    program = folder / name
    program.write_text(f'#!/bin/sh\necho "{name} $*" >> "{folder}/said"\n{body}\n')
    program.chmod(0o755)
    return program


def said(folder: Path) -> list[str]:
    """Return how the stand-ins were called, in order."""
    path = folder / "said"
    return path.read_text().splitlines() if path.exists() else []


def with_stand_ins(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment in which the stand-ins of a folder come first."""
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder), **more}
