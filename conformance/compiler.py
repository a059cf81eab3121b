"""Lets Microsoft's Bicep compiler judge ``infra/``, and compares what would be deployed with stored pictures.

    python -m conformance.compiler     makes the pictures in infra/snapshots anew; their difference is to be read

The compiler is looked for at the path in BICEP, as ``../shared/tools/bicep`` beside the checkout, on PATH, and where
``az bicep install`` puts it. Without one the stored pictures are all that is looked at, and the check says so.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from conformance.environments import ROOT

OLDEST = (0, 49)  # older ones lack commands, or draw other pictures
TEMPLATES = ("main.bicep", "events.bicep")  # they reach every other file
PARAMETERS = "main.bicepparam"
NOBODY = "00000000-0000-0000-0000-000000000000"  # subscription and tenant of the pictures
APPLICATION = "11111111-1111-1111-1111-111111111111"
KEEPER = "22222222-2222-2222-2222-222222222222"

VARIANTS: Mapping[str, Mapping[str, str]] = {  # name of the picture -> environment variables of infra/main.bicepparam
    "dev": {},
    "prod": {"LEAK_STAGE": "prod", "LEAK_ALERT_EMAILS": '["operator@example.com"]'},
    "entra": {"LEAK_HTTP_AUTH": "entra", "LEAK_AUTH_CLIENT_ID": APPLICATION},
    "private-network": {"LEAK_PRIVATE_NETWORK": "true"},
    "vault": {"OMNIA_CLIENT_ID": APPLICATION, "LEAK_SECRET_KEEPER_ID": KEEPER},
}
GIVEN = {
    "AZURE_ENV_NAME": "example",
    "AZURE_LOCATION": "northeurope",
    "OMNIA_BASE_URL": "https://api.example.com/plant/timeseries/v1.7",
}
ALWAYS = {  # what is in every picture, so that a picture of nothing does not pass
    "Microsoft.Resources/resourceGroups",
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.Storage/storageAccounts",
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Insights/components",
    "Microsoft.Insights/scheduledQueryRules",
    "Microsoft.Web/serverfarms",
    "Microsoft.Web/sites",
}
OF_VARIANT = {  # what a variant is there for
    "entra": {"Microsoft.Web/sites/config"},
    "private-network": {"Microsoft.Network/virtualNetworks", "Microsoft.Network/privateEndpoints"},
    "vault": {"Microsoft.KeyVault/vaults"},
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


def faults_of(compiler: Path, root: Path, variants: Iterable[str] = tuple(VARIANTS)) -> Iterator[str]:
    """Yield what the compiler says of a project's Bicep, what is not in its format, and changed pictures."""
    with _copy(root) as folder:
        said = list(_diagnostics(compiler, folder))
        yield from said
        if not said:  # otherwise nothing can be evaluated, or each variant would say the same again
            for variant in variants:
                try:
                    yield from differences(variant, stored(root, variant), snapshot(compiler, folder, variant))
                except CompilerError as error:
                    yield f"{variant}: {error}"
        yield from _format_faults(compiler, folder, root)


@contextmanager
def _copy(root: Path) -> Iterator[Path]:
    """Give a copy of ``infra/``: the compiler writes beside what it reads."""
    with TemporaryDirectory() as name:
        folder = Path(name).resolve() / "infra"
        shutil.copytree(root / "infra", folder)
        yield folder


def _diagnostics(compiler: Path, folder: Path) -> Iterator[str]:
    """Yield errors and warnings; those of the linter, too: a build says everything that ``bicep lint`` says."""
    for file in TEMPLATES:
        yield from _said(_run(compiler, folder, "build", file, "--stdout"), folder)
    yield from _said(_run(compiler, folder, "build-params", PARAMETERS, "--stdout", variables=GIVEN), folder)


def _format_faults(compiler: Path, folder: Path, root: Path) -> Iterator[str]:
    yield from _said(_run(compiler, folder, "format", "--pattern", "**/*.bicep*"), folder)
    for path in sorted(folder.rglob("*.bicep*")):
        file = path.relative_to(folder.parent)
        if path.read_text() != (root / file).read_text():
            yield f"{file}: is not in the compiler's format: bicep format {file}"


def snapshot(compiler: Path, folder: Path, variant: str) -> Mapping[str, Any]:
    """Return what a variant would deploy, evaluated in a copy of ``infra/``; raise CompilerError if it is refused."""
    return evaluate(compiler, folder, VARIANTS[variant])


def evaluate(compiler: Path, folder: Path, variables: Mapping[str, str]) -> Mapping[str, Any]:
    """Return what would be deployed with these environment variables; raise CompilerError where it is refused."""
    options = ["--mode", "overwrite", "--subscription-id", NOBODY, "--tenant-id", NOBODY]
    ran = _run(compiler, folder, "snapshot", PARAMETERS, *options, variables={**GIVEN, **variables})
    if ran.returncode:
        raise CompilerError("; ".join(_said(ran, folder)))
    found: dict[str, Any] = json.loads((folder / f"{Path(PARAMETERS).stem}.snapshot.json").read_text())
    return found | {"outputs": dict(sorted(found["outputs"].items()))}  # the compiler gives them in any order


def picture(root: Path, variant: str) -> Path:
    """Return where a variant's picture is stored."""
    return root / "infra" / "snapshots" / f"{variant}.json"


def stored(root: Path, variant: str) -> Mapping[str, Any]:
    """Return a variant's stored picture, empty where there is none that can be read."""
    try:
        found: Mapping[str, Any] = json.loads(picture(root, variant).read_text())
    except (OSError, ValueError):
        return {}
    return found


def picture_faults(root: Path) -> Iterator[str]:
    """Yield stored pictures that are missing, cannot be read, or lack what they are there for."""
    for variant in VARIANTS:
        kinds = {one["type"] for one in stored(root, variant).get("predictedResources", ())}
        missing = (ALWAYS | OF_VARIANT.get(variant, set())) - kinds
        file = picture(root, variant).relative_to(root)
        if not kinds:
            yield f"{file}: no picture of a deployment; python -m conformance.compiler makes it"
        elif missing:
            yield f"{file}: shows no {', '.join(sorted(missing))}"
    unknown = {path.stem for path in picture(root, "x").parent.glob("*.json")} - VARIANTS.keys()
    yield from (f"infra/snapshots/{name}.json: is of no variant" for name in sorted(unknown))


def differences(variant: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a deployment has, lacks and says otherwise than its stored picture."""
    was, now = (_by_id(one) for one in (before, after))
    hint = "; where it is meant: python -m conformance.compiler"
    for name in sorted(was.keys() | now.keys()):
        if name not in was:
            yield f"{variant}: {name} is not in infra/snapshots/{variant}.json{hint}"
        elif name not in now:
            yield f"{variant}: {name} is in infra/snapshots/{variant}.json and not deployed{hint}"
        elif was[name] != now[name]:
            where = ", ".join(_places(was[name], now[name], ""))
            yield f"{variant}: {name}: {where}{hint}"
    if was == now and before != after:
        yield f"{variant}: infra/snapshots/{variant}.json is another picture of the same resources{hint}"


def _by_id(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the resources by what comes after the group's name in their ids."""
    return {
        str(each["id"]).removeprefix(f"/subscriptions/{NOBODY}/"): each for each in one.get("predictedResources", ())
    }


def _places(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from _places(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif before != after:
        yield f"{path} was {json.dumps(before)[:80]}, is {json.dumps(after)[:80]}"


def refresh(compiler: Path, root: Path) -> Iterable[Path]:
    """Make every picture anew; return where they are. Raise CompilerError where a variant is refused."""
    with _copy(root) as folder:
        for variant in VARIANTS:
            path = picture(root, variant)
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(snapshot(compiler, folder, variant), indent=1, ensure_ascii=False) + "\n")
            yield path


def main() -> int:
    """Make the pictures anew; 1 without a compiler, or where it refuses a variant."""
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
