"""Holds every call of the storage SDKs, and every trigger, against the roles that each variant assigns.

``conformance/roles.json`` says which call needs which permission, what each role permits, and on what kind of resource
it is given, with the sources. A call that the table does not know is a fault, as is a permission that no role gives,
and a role that nothing needs. The app, Event Grid's topic and people are looked at each by themselves.
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
from conformance.snapshots import Snapshot, faults_of_each
from conformance.source import method_calls, nodes

APP, TOPIC, PEOPLE = "Microsoft.ManagedIdentity/userAssignedIdentities", "Microsoft.EventGrid/systemTopics", "people"
WHO = {APP: "the app", TOPIC: "the events' topic", PEOPLE: "people"}
SCOPE = re.compile(r"^\[extensionResourceId\('(?P<unnamed>[^']+)'|^(?P<named>.+?)/providers/Microsoft\.Authorization/")
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


def assigned(snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
    """Yield whom a variant assigns a role (APP, TOPIC or PEOPLE), the role's id, and on what type of resource."""
    for one in snapshot.of("Microsoft.Authorization/roleAssignments"):
        principal = one["properties"]["principalId"]
        who = next((kind for kind in (APP, TOPIC) if f"/{kind}/" in principal), PEOPLE)
        scope = SCOPE.match(one["id"])
        on = _type_of(scope["unnamed"] or scope["named"]) if scope else one["id"]
        yield who, one["properties"]["roleDefinitionId"].rpartition("/")[2], on


def _type_of(identity: str) -> str:
    space, *names = identity.rpartition("/providers/")[2].split("/")
    return "/".join([space, *names[::2]])


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
    """Name every permission that is missing, and every role that nothing needs, or that reaches too far."""
    known = table()
    calls = [one for one in sdk_calls(root / "shared") if one[1] not in known["asks nothing"]]
    of_app = list(_needs(calls, root / "functions", known))
    found = [f"{where} is not in conformance/roles.json" for where, need in of_app if need is None]

    def judge(snapshot: Snapshot) -> Iterator[str]:
        given = list(assigned(snapshot))
        for who in (APP, TOPIC, PEOPLE):
            needs = [(where, need) for where, need in of_app if need] if who == APP else []
            needs += [
                (one["what"], one["needs"]) for one in known["platform"][who] if snapshot.of(one.get("where", who))
            ]
            if who == PEOPLE or snapshot.of(who):
                yield from _judged(WHO[who], needs, {role: on for whom, role, on in given if whom == who}, known)

    found += faults_of_each(root, judge)
    different = len({name for _, name in calls})
    summary = f"{different} calls of the SDKs, all triggers and the platform may do what they need, and no more"
    return CheckResult.of(summary, found)


def _judged(
    who: str, needs: Iterable[tuple[str, str]], given: Mapping[str, str], known: Mapping[str, Any]
) -> Iterator[str]:
    """Yield what somebody may not do and needs, and what was given for nothing or on more than is needed."""
    roles, used = known["roles"], set()
    for where, need in needs:
        giving = {role for role, one in roles.items() if any(fnmatchcase(need, each) for each in one["may"])}
        if not giving & given.keys():
            names = " or ".join(sorted(roles[role]["name"] for role in giving)) or "no role that is known"
            yield f"{where} needs {need}: {who}: {names} is not assigned"
        used |= giving & given.keys()
    for role, on in sorted(given.items()):
        if role not in roles:
            yield f"the role {role} is not in conformance/roles.json"
        elif role not in used:
            yield f"{who}: nothing needs {roles[role]['name']}"
        elif on != roles[role]["on"]:
            yield f"{who}: {roles[role]['name']} is given on {on}, needed on {roles[role]['on']}"


def _needs(
    calls: Iterable[tuple[str, str]], functions: Path, known: Mapping[str, Any]
) -> Iterator[tuple[str, str | None]]:
    """Yield which call and trigger of the app needs which permission; None: nobody said."""
    for where, name in calls:
        yield f"{where}: {name}", known["calls"].get(name)
    for where, name in triggers(functions):
        for need in known["triggers"].get(name, [None]):
            yield f"{where}: {name}", need
