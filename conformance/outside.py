"""Checks that run a tool of somebody else: Microsoft's Python worker, checkov, bandit."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from admin.manage import seed, seed_platforms
from admin.package import PackageError, build, known_files
from conformance.check_result import CheckResult
from conformance.environments import environment, without_project
from conformance.package import SETTINGS
from local.azurite import Azurite
from local.emulator import emulator
from shared.bootstrap import Bootstrap
from shared.settings import load_settings

TOKEN = "conformance"  # noqa: S105 (the emulator's, on this machine only)
LOCK_FILES = {"package-lock.json"}  # full of checksums, which look like keys
RESOURCE = re.compile(r"^\s*resource \w+ '(?P<type>[\w./]+)", re.MULTILINE)
NO_POLICY = {"Microsoft.Resources/resourceGroups"}  # a file of these alone may be written as checkov cannot parse it
NO_REASON = "No comment provided"  # what checkov makes of none
PRESENT = "2026-07-09T06:00:00Z"


def worker(root: Path) -> CheckResult:
    """Let Microsoft's worker index the package that is deployed, and invoke a trigger of each kind on real storage."""
    python = environment("worker") / "python"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        try:
            build(root, folder)
        except PackageError as error:
            return CheckResult.of("", [str(error)])
        azurite = stack.enter_context(Azurite(folder / "storage"))
        settings = {
            **SETTINGS,
            "AzureWebJobsStorage": azurite.connection_string,
            "LAKE_TRIGGER": "queue",
            "OMNIA__BASE_URL": stack.enter_context(emulator(TOKEN, ["--now", PRESENT])),
            "OMNIA__STATIC_TOKEN": TOKEN,
            "INGEST__BACKFILL_DAYS": "2",
            "AS_OF": PRESENT,
        }
        stack.enter_context(patch.dict(os.environ, settings))
        app = Bootstrap(load_settings())
        app.clients.ensure_storage()
        seed(app, seed_platforms())
        return in_worker(python, folder / "app")


def in_worker(python: Path, app: Path) -> CheckResult:
    """Run ``conformance/worker.py`` with the worker's own interpreter; storage is where the environment says."""
    script = Path(__file__).parent / "worker.py"
    ran = subprocess.run(
        [str(python), "-P", str(script), "--app", str(app)],
        cwd=app,
        env=without_project(),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    faults = [] if ran.returncode == 0 else [(ran.stderr or ran.stdout).strip()[-3000:]]
    return CheckResult.of("the worker " + "; ".join(ran.stdout.strip().splitlines()), faults)


def policies(root: Path) -> CheckResult:
    """Let checkov judge every resource; what it must not judge says why beside the resource."""
    results = _checkov(root / "infra", "bicep")
    if not results:
        return CheckResult.of("", ["checkov found nothing to read"])
    faults = [
        f"checkov cannot parse {path}"
        for path in results.get("parsing_errors", ())
        if set(RESOURCE.findall(Path(path).read_text())) - NO_POLICY
    ]
    faults += [
        f"{one['file_path']}: {one['resource']}: {one['check_id']} {one['check_name']}"
        for one in results["failed_checks"]
    ]
    skipped = results["skipped_checks"]
    faults += [
        f"{one['file_path']}: {one['check_id']} is skipped without a reason"
        for one in skipped
        if one["check_result"].get("suppress_comment", "").strip() in ("", NO_REASON)
    ]
    summary = f"{len(results['passed_checks'])} policies of checkov are kept, {len(skipped)} skipped, each for a reason"
    return CheckResult.of(summary, faults)


def secrets(root: Path) -> CheckResult:
    """Let checkov look for keys, passwords and tokens in every file that git knows."""
    with TemporaryDirectory() as folder:
        known = [path for path in known_files(root) if path.name not in LOCK_FILES]
        for path in known:
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / path, Path(folder) / path)
        results = _checkov(Path(folder), "secrets", "--enable-secret-scan-all-files")
    faults = [
        f"{one['file_path']}:{one['file_line_range'][0]}: {one['check_name']}"
        for one in results.get("failed_checks", ())
    ]
    return CheckResult.of(f"no secret in {len(known)} files", faults)


def _checkov(folder: Path, framework: str, *more: str) -> Mapping[str, Any]:
    program = environment("policies") / "checkov"
    options = ["--framework", framework, "--skip-download", "--compact", "--output", "json", *more]
    found: Mapping[str, Any] = _json([str(program), "--directory", str(folder), *options]).get("results", {})
    return found


def security(root: Path) -> CheckResult:
    """Let bandit read the code that is deployed; what it must not judge says why in its line."""
    options = ["-q", "-r", "functions", "shared", "function_app.py", "-x", "functions/static", "-f", "json"]
    found = _json([sys.executable, "-m", "bandit", *options], cwd=root)
    faults = [
        f"{one['filename']}:{one['line_number']}: {one['test_id']} {one['issue_text']}" for one in found["results"]
    ]
    faults += [f"bandit cannot read {one['filename']}: {one['reason']}" for one in found["errors"]]
    return CheckResult.of(f"bandit has nothing to say of {found['metrics']['_totals']['loc']} lines", faults)


def _json(command: list[str], cwd: Path | None = None) -> Any:
    ran = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=600)
    try:
        found = json.loads(ran.stdout)
    except ValueError as error:
        raise RuntimeError(f"{Path(command[0]).name} failed: {(ran.stderr or ran.stdout)[-2000:]}") from error
    return found[0] if isinstance(found, list) and found else found
