"""Lets Microsoft's Bicep compiler judge ``infra/``, and compares what would be deployed with the stored snapshots.

    python -m conformance.compiler     makes the snapshots anew; their difference is to be read

The compiler is looked for at the path in BICEP, as ``../shared/tools/bicep`` beside the checkout, on PATH, and where
``az bicep install`` puts it. Without one the check says so; the other checks read the stored snapshots in any case.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from conformance.check_result import CheckResult
from conformance.environments import ROOT
from conformance.snapshots import (
    NOBODY,
    VARIANTS,
    by_id,
    differences,
    faults_of_each,
    path_of,
    stored,
)

OLDEST = (0, 49)  # older ones lack commands, or resolve otherwise
GIVEN = {
    "AZURE_ENV_NAME": "example",
    "AZURE_LOCATION": "northeurope",
    "OMNIA_BASE_URL": "https://api.example.com/plant/timeseries/v1.7",
}
SAID = re.compile(r"^(?P<file>.+?)\((?P<line>\d+),\d+\) : (?P<text>(?:Error|Warning|Info) .+?)(?: \[https?://\S+\])?$")


class CompilerError(Exception):
    """The compiler does not evaluate a deployment; the text says why, in its words."""


@cache
def find_compiler() -> tuple[Path | None, str]:
    """Return the compiler's path and its version; or None, and why there is none."""
    name = "bicep.exe" if sys.platform == "win32" else "bicep"
    on_path = shutil.which("bicep")
    places = [
        Path(os.environ["BICEP"]) if os.environ.get("BICEP") else None,
        ROOT.parent / "shared" / "tools" / name,
        Path(on_path) if on_path else None,
        Path(os.environ.get("AZURE_CONFIG_DIR", Path.home() / ".azure")) / "bin" / name,  # az bicep install
    ]
    path = next((one for one in places if one is not None and one.is_file()), None)
    if path is None:
        return None, "there is no Bicep compiler here (az bicep install, or BICEP=path)"
    with TemporaryDirectory() as folder:
        said = _run(path, Path(folder), "--version").stdout
    version = re.search(r"(\d+)\.(\d+)\.\d+", said)
    if version is None or tuple(map(int, version.groups())) < OLDEST:
        return None, f"the Bicep compiler here is older than {OLDEST[0]}.{OLDEST[1]}: {said.strip() or 'no version'}"
    return path, version[0]


def _run(
    compiler: Path, folder: Path, *options: str, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the compiler in a folder, with no variable of the deployment but those that are given."""
    ours = ("LEAK_", "OMNIA_", "AZURE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    if not os.access(Path.home(), os.W_OK):  # it unpacks itself there
        kept["DOTNET_BUNDLE_EXTRACT_BASE_DIR"] = str(folder / ".unpacked")
    return subprocess.run(
        [str(compiler), *options],
        cwd=folder,
        env={**kept, **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def _said(ran: subprocess.CompletedProcess[str], folder: Path) -> Iterator[str]:
    """Yield every error and warning; everything that was said where the command failed without one."""
    found = [match for line in ran.stderr.splitlines() if (match := SAID.match(line))]
    for one in found:
        path = Path(one["file"])
        file = path.relative_to(folder.parent) if path.is_relative_to(folder.parent) else path
        yield f"{file}:{one['line']}: {one['text']}"
    if ran.returncode and not found:
        yield (ran.stderr or ran.stdout).strip()[-2000:]


def check(root: Path) -> CheckResult:
    """Let the compiler judge every Bicep file, where there is one, and compare the stored snapshots with its own."""
    faults = faults_of_each(root, lambda _: ())
    unknown = {path.stem for path in path_of(root, "x").parent.glob("*.json")} - VARIANTS.keys()
    faults += [f"infra/snapshots/{name}.json is of no variant" for name in sorted(unknown)]
    program, words = find_compiler()
    if program is None:
        return CheckResult.of(f"compiler skipped: {words}; other checks read what is stored", faults)
    said = f"Bicep {words} has nothing to say, and would deploy what is stored for {', '.join(VARIANTS)}"
    return CheckResult.of(said, [*faults, *faults_of(program, root)])


def faults_of(compiler: Path, root: Path, variants: Iterable[str] = tuple(VARIANTS)) -> Iterator[str]:
    """Yield what the compiler says of a project's Bicep, what is not in its format, and changed snapshots."""

    def judged(variant: str) -> list[str]:
        try:
            said, made = evaluate(compiler, root, VARIANTS[variant])
        except CompilerError as error:
            words = str(error).splitlines()  # what is said of a file is said of every variant
            return [one if one.startswith("infra/") else f"{variant}: {one}" for one in words]
        return said or list(_changes(variant, stored(root, variant), made))

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # each waits for a process of its own
        formats = pool.submit(lambda: list(_format_faults(compiler, root)))
        for found in pool.map(judged, variants):
            yield from found
        yield from formats.result()


@contextmanager
def _copy(root: Path) -> Iterator[Path]:
    """Give a copy of ``infra/``: the compiler writes beside what it reads."""
    with TemporaryDirectory() as name:
        folder = Path(name).resolve() / "infra"
        shutil.copytree(root / "infra", folder)
        yield folder


def _format_faults(compiler: Path, root: Path) -> Iterator[str]:
    with _copy(root) as folder:
        yield from _said(_run(compiler, folder, "format", "--pattern", "**/*.bicep*"), folder)
        for path in sorted(folder.rglob("*.bicep*")):
            file = path.relative_to(folder.parent)
            if path.read_text() != (root / file).read_text():
                yield f"{file}: is not in the compiler's format: bicep format {file}"


def evaluate(compiler: Path, root: Path, variant: Mapping[str, str]) -> tuple[list[str], Mapping[str, Any]]:
    """Return what the compiler (its linter, too) warns of, and what would be deployed; CompilerError if refused."""
    options = ["--mode", "overwrite", "--subscription-id", NOBODY, "--tenant-id", NOBODY]
    with _copy(root) as folder:
        ran = _run(compiler, folder, "snapshot", "main.bicepparam", *options, variables={**GIVEN, **variant})
        said = list(_said(ran, folder))
        if ran.returncode:
            raise CompilerError("\n".join(said))
        found: dict[str, Any] = json.loads((folder / "main.snapshot.json").read_text())
    return said, found | {"outputs": dict(sorted(found["outputs"].items()))}  # the compiler gives them in any order


def _changes(variant: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a deployment has, lacks and says otherwise than its stored snapshot."""
    hint = f"; where infra/snapshots/{variant}.json is to follow: python -m conformance.compiler"
    was, now = (by_id(one.get("predictedResources", ())) for one in (before, after))
    for name, place, words in differences(was, now):
        yield f"{variant}: {name}: {place or 'it'} {words}{hint}"
    if was == now and before != after:
        yield f"{variant}: the same resources stand there otherwise{hint}"


def refresh(compiler: Path, root: Path, variants: Sequence[str] = tuple(VARIANTS)) -> Iterator[Path]:
    """Make the variants' snapshots anew; yield where they are. Raise CompilerError where a variant is refused."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = pool.map(lambda variant: evaluate(compiler, root, VARIANTS[variant])[1], variants)
        for variant, found in zip(variants, list(made), strict=True):
            path = path_of(root, variant)
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
            yield path


def main() -> int:
    """Make the snapshots anew; 1 without a compiler, or where it refuses a variant."""
    argparse.ArgumentParser(
        prog="python -m conformance.compiler",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    compiler, words = find_compiler()
    if compiler is None:
        print(words, file=sys.stderr)
        return 1
    try:
        for path in refresh(compiler, ROOT):
            print(f"{path.relative_to(ROOT)} by Bicep {words}")
    except CompilerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
