"""The package that is deployed: what is in it, how large it is, and how fast the app starts from it."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from admin.package import PackageError, build
from conformance.check_result import CheckResult
from conformance.environments import without_project

LONGEST_IMPORT_S = 1.0  # of a processor, whoever else works beside it; the platform gives an app 30 s to index
SETTINGS = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "INGEST_SCHEDULE": "20 */10 * * * *",
    "BASELINES_SCHEDULE": "0 20 3 * * *",
    "OMNIA__BASE_URL": "http://127.0.0.1:9/v1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
START = """
import json, sys, time
begun = time.process_time()
import function_app
imported = time.process_time()
count = len(function_app.app.get_functions())
print(json.dumps([imported - begun, time.process_time() - imported, count, sorted(sys.modules)]))
"""
FORBIDDEN = {"stumpy", "numba", "scipy", "matplotlib"}  # seconds each, and no requirement of the app


def check(root: Path) -> CheckResult:
    """Build the package and start the app from it, the best of three times, in processes of their own."""
    with TemporaryDirectory() as folder:
        try:
            size = build(root, Path(folder)).stat().st_size // 1000
            starts = [_start(Path(folder) / "app") for _ in range(3)]
        except (PackageError, RuntimeError) as error:
            return CheckResult.of("", [str(error)])
    imported, indexed, count, modules = min(starts, key=lambda one: one[0])
    faults = [f"the app imports {name}" for name in sorted(FORBIDDEN & set(modules))]
    if imported > LONGEST_IMPORT_S:
        faults.append(f"importing the app takes {imported:.2f} s of a processor, more than {LONGEST_IMPORT_S} s")
    summary = (
        f"the package has {size} kB; its import takes {imported:.2f} s, indexing {count} functions {indexed:.2f} s"
    )
    return CheckResult.of(summary, faults)


def _start(app: Path) -> tuple[float, float, int, list[str]]:
    ran = subprocess.run(
        [sys.executable, "-c", START],
        cwd=app,
        env=without_project() | SETTINGS,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(f"the app does not start from its package: {ran.stderr[-2000:]}")
    imported, indexed, count, modules = json.loads(ran.stdout)
    return imported, indexed, count, modules
