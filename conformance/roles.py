"""Holds every call of the storage SDKs, and every trigger, against the roles that the deployment gives the app.

``conformance/roles.json`` says which call needs which permission, and what each role permits, with the sources. A call
that the table does not know is a fault, as is a permission that no role gives, and a role that nothing needs.
"""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from azure.data.tables import TableClient, TableServiceClient
from azure.storage.blob import BlobClient, BlobServiceClient, ContainerClient
from azure.storage.queue import QueueClient, QueueServiceClient

from conformance.check_result import CheckResult
from conformance.source import method_calls, nodes

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CLIENTS = (
    BlobServiceClient,
    ContainerClient,
    BlobClient,
    QueueServiceClient,
    QueueClient,
    TableServiceClient,
    TableClient,
)


@cache
def table() -> Mapping[str, Any]:
    """Return the table of permissions."""
    found: Mapping[str, Any] = json.loads((Path(__file__).parent / "roles.json").read_text())
    return found


def assigned(infra: Path) -> set[str]:
    """Return the ids of the roles that the deployment names."""
    text = "\n".join(path.read_text() for path in sorted(infra.rglob("*.bicep")))
    return set(GUID.findall(text))


def sdk_calls(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield where the code calls a method of a storage client, and which."""
    of_clients = {name for client in CLIENTS for name in dir(client) if not name.startswith("_")}
    for path, node in nodes(folder):
        if isinstance(node, ast.Attribute) and node.attr in of_clients:
            yield _place(folder, path, node), node.attr


def triggers(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield where a function is registered, and by which trigger."""
    for path, call, method in method_calls(folder):
        if method.endswith("_trigger") or method == "route":
            yield _place(folder, path, call), method


def _place(folder: Path, path: Path, node: ast.expr) -> str:
    return f"{path.relative_to(folder.parent)}:{node.lineno}"


def check(root: Path) -> CheckResult:
    """Name every permission that is missing, and every role that nothing needs."""
    known, given = table(), assigned(root / "infra")
    calls = [one for one in sdk_calls(root / "shared") if one[1] not in known["asks nothing"]]
    found, used = [], set()
    for where, need in _needs(calls, root / "functions", known):
        if need is None:
            found.append(f"{where} is not in conformance/roles.json")
            continue
        giving = {
            role for role, granted in known["roles"].items() if any(fnmatchcase(need, one) for one in granted["may"])
        }
        if not giving & given:
            names = " or ".join(sorted(known["roles"][role]["name"] for role in giving)) or "no role that is known"
            found.append(f"{where} needs {need}: {names} is not assigned")
        used |= giving & given
    found += [f"the role {role} is not in conformance/roles.json" for role in sorted(given - known["roles"].keys())]
    found += [
        f"nothing needs {known['roles'][role]['name']}"
        for role in sorted(given & known["roles"].keys() - used)
        if not known["roles"][role].get("people")
    ]
    different = len({name for _, name in calls})
    summary = f"{different} calls of the SDKs, all triggers and the platform may do what they need, and no more"
    return CheckResult.of(summary, found)


def _needs(
    calls: Iterable[tuple[str, str]], functions: Path, known: Mapping[str, Any]
) -> Iterator[tuple[str, str | None]]:
    """Yield who needs which permission; None: nobody said."""
    for where, name in calls:
        yield f"{where}: {name}", known["calls"].get(name)
    for where, name in triggers(functions):
        for need in known["triggers"].get(name, [None]):
            yield f"{where}: {name}", need
    for one in known["platform"]:
        yield one["what"], one["needs"]
