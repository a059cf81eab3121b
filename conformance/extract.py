"""Makes the extract of the platform's resource types that ``conformance/bicep.py`` holds our Bicep against.

    python -m conformance.extract --tool path/to/azmcp [--out conformance/types.json]

The tool is Microsoft's, from npm (``@azure/mcp-linux-x64``, 140 MB: too much to install for every check). It knows the
types of Azure's own Bicep. What it does not know stands in ``conformance/types-by-hand.json`` with its source.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conformance.bicep import resources

HERE = Path(__file__).resolve().parent
INFRA = HERE.parent / "infra"


def used() -> list[str]:
    """Return the resource types that our Bicep uses, in order."""
    return sorted({one.type for path in INFRA.rglob("*.bicep") for one in resources(path)})


def ask(tool: str, resource: str) -> list[Mapping[str, Any]] | None:
    """Return what the tool says of a type, or None where it knows nothing."""
    environment = {**os.environ, "AZURE_MCP_COLLECT_TELEMETRY": "false"}
    ran = subprocess.run(
        [tool, "bicepschema", "get", "--resource-type", resource],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found: list[Mapping[str, Any]] = json.loads(ran.stdout)["results"]["BicepSchemaResult"]
    except ValueError:
        return None
    return found


def compact(described: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return a type in short: per object its properties, ``!`` required, ``-`` read only, each with its type."""
    body = next(one["bodyType"] for one in described if one["$type"] == "Resource")
    objects = {one["name"]: _properties(one) for one in described if one["$type"] == "Object"}
    variants = body["elements"] if body["$type"] == "DiscriminatedObject" else [body]
    bodies = [_properties(one) for one in variants]
    version = next(text for name, text in bodies[0].items() if name == "-apiVersion")
    wanted: dict[str, Any] = {}
    for one in bodies:
        for name in _reached(one, objects):
            wanted[name] = objects[name]
    return {"apiVersion": version, "bodies": bodies, "objects": dict(sorted(wanted.items()))}


def _properties(one: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for each in one.get("properties", ()):
        flags = each.get("flags") or ""
        mark = "-" if "ReadOnly" in flags else "!" if "Required" in flags else ""
        found[mark + each["name"]] = each["type"]
    return found


def _reached(properties: Mapping[str, str], objects: Mapping[str, Any]) -> Iterator[str]:
    """Yield every object that can be written below these properties."""
    waiting, seen = [properties], set()
    while waiting:
        for name, text in waiting.pop().items():
            target = text.removesuffix("[]")
            if not name.startswith("-") and target in objects and target not in seen:
                seen.add(target)
                waiting.append(objects[target])
                yield target


def main() -> int:
    """Write the extract; names of types that the tool does not know are printed."""
    parser = argparse.ArgumentParser(prog="python -m conformance.extract", description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True)
    parser.add_argument("--out", type=Path, default=HERE / "types.json")
    options = parser.parse_args()
    version = subprocess.run([options.tool, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    types, unknown = {}, []
    for resource in used():
        described = ask(options.tool, resource)
        if described is None:
            unknown.append(resource)
        else:
            types[resource] = compact(described)
    source = f"npm @azure/mcp-linux-x64 {version}, bicepschema get, {datetime.now(UTC).date()}"
    content = {"source": source, "types": types}
    options.out.write_text(json.dumps(content, indent=1) + "\n")
    print(f"{len(types)} types; not known to the tool: {', '.join(unknown) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
