"""``make audit``: known vulnerabilities of every package that the deployed app needs, by pip-audit.

It asks an advisory service over the network, and a package that the service does not know counts as not audited: the
answer "nothing known" must not come from nobody having been asked. So it is an entry point of its own.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.environments import ROOT, environment


def faults(dependencies: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return every vulnerability that is known, and every package that could not be looked up."""
    found = [f"{one['name']}: {one['skip_reason']}" for one in dependencies if "skip_reason" in one]
    for one in dependencies:
        for known in one.get("vulns", ()):
            fixed = ", ".join(known["fix_versions"]) or "nowhere yet"
            found.append(f"{one['name']} {one['version']}: {known['id']}, fixed in {fixed}")
    return found


def main() -> int:
    """Ask; 1 where a vulnerability is known or a package could not be looked up."""
    command = [str(environment("audit") / "pip-audit"), "-r", "requirements.txt", "--format", "json"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    try:
        dependencies = json.loads(ran.stdout)["dependencies"]
    except ValueError:
        print(f"nobody could be asked: {ran.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return 1
    found = faults(dependencies)
    for fault in found:
        print(fault, file=sys.stderr)
    print(f"{len(dependencies)} packages, {len(found)} findings")
    return 1 if found or not dependencies else 0


if __name__ == "__main__":
    sys.exit(main())
