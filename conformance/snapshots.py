"""What would be deployed: each variant's resources as the compiler resolves them, stored in ``infra/snapshots/``.

Modules, conditions, loops, names and settings are resolved. What only Azure knows stays an expression in brackets.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NOBODY = "00000000-0000-0000-0000-000000000000"  # subscription and tenant of the snapshots
APPLICATION = "11111111-1111-1111-1111-111111111111"
KEEPER = "22222222-2222-2222-2222-222222222222"
EXPRESSION = re.compile(r"\[[a-zA-Z]\w*\(.*\]", re.DOTALL)  # a list as JSON has a quote or a digit there

Resource = Mapping[str, Any]


VARIANTS: Mapping[str, Mapping[str, str]] = {  # by name, the environment variables besides those that are always given
    "dev": {},
    "prod": {
        "LEAK_STAGE": "prod",
        "LEAK_ALERT_EMAILS": '["operator@example.com"]',
        "LEAK_BUDGET_START": "2026-11-01",
    },
    "entra": {"LEAK_HTTP_AUTH": "entra", "LEAK_AUTH_CLIENT_ID": APPLICATION},
    "private-network": {"LEAK_PRIVATE_NETWORK": "true"},
    "vault": {"OMNIA_CLIENT_ID": APPLICATION, "LEAK_SECRET_KEEPER_ID": KEEPER, "LEAK_NOTIFY_FORMAT": "pagerduty"},
}


@dataclass(frozen=True)
class Snapshot:
    """What one variant would deploy."""

    variant: str
    resources: Sequence[Resource]
    outputs: Mapping[str, Any]

    def of(self, kind: str) -> list[Resource]:
        """Return the resources of a type; of a type and a name, where a space and its last part follow."""
        type_, _, name = kind.partition(" ")
        return [one for one in self.resources if one["type"] == type_ and (not name or short_name(one) == name)]


def short_name(resource: Resource) -> str:
    """Return the last part of a resource's name."""
    return str(resource["name"]).rpartition("/")[2]


def values_at(resource: Resource, place: str) -> list[Any]:
    """Return what stands at ``a.b.c``: nothing, one value, one of each list element on the way; ``*``: any name."""
    found: list[Any] = [resource]
    for name in place.split("."):
        objects = [one for one in _elements(found) if isinstance(one, Mapping)]
        found = [each for one in objects for key, each in one.items() if name in (key, "*")]
    return list(_elements(found))


def _elements(found: Iterable[Any]) -> Iterator[Any]:
    for one in found:
        if isinstance(one, list):
            yield from _elements(one)
        else:
            yield one


def is_expression(value: Any) -> bool:
    """Tell whether only Azure can evaluate a value."""
    return isinstance(value, str) and EXPRESSION.fullmatch(value) is not None


def path_of(root: Path, variant: str) -> Path:
    """Return where a variant's snapshot is stored."""
    return root / "infra" / "snapshots" / f"{variant}.json"


def stored(root: Path, variant: str) -> Mapping[str, Any]:
    """Return a variant's stored snapshot, empty where there is none that can be read."""
    try:
        found: Mapping[str, Any] = json.loads(path_of(root, variant).read_text())
    except (OSError, ValueError):
        return {}
    return found


def snapshot_of(root: Path, variant: str) -> Snapshot:
    """Return a variant's stored snapshot; without resources where there is none that can be read."""
    found = stored(root, variant)
    return Snapshot(variant, found.get("predictedResources", ()), found.get("outputs", {}))


def faults_of_each(
    root: Path, judge: Callable[[Snapshot], Iterable[str]], variants: Iterable[str] = VARIANTS
) -> list[str]:
    """Return what a check finds in the variants' snapshots, each fault once, after the variants that have it."""
    found: dict[str, list[str]] = {}
    for variant in variants:
        snapshot = snapshot_of(root, variant)
        for fault in judge(snapshot) if snapshot.resources else ["has no snapshot; python -m conformance.compiler"]:
            found.setdefault(fault, []).append(variant)
    return [f"{', '.join(dict.fromkeys(those))}: {fault}" for fault, those in found.items()]


def differences(before: Mapping[str, Resource], after: Mapping[str, Resource]) -> Iterator[tuple[str, str, str]]:
    """Yield the id, the place (none: the whole resource) and the words of all that differs between resources by id."""
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield name, "", "was not deployed"
        elif name not in after:
            yield name, "", "is not deployed"
        else:
            yield from ((name, place, words) for place, words in _places(before[name], after[name], ""))


def by_id(resources: Iterable[Resource]) -> dict[str, Resource]:
    """Return resources by what comes after the subscription in their ids."""
    return {str(one["id"]).removeprefix(f"/subscriptions/{NOBODY}/"): one for one in resources}


def _places(before: Any, after: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from _places(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif before != after:
        yield path, f"was {json.dumps(before)[:80]}, is {json.dumps(after)[:80]}"
