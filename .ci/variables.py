"""Prints the variables of an environment that a deployment reads, as NAME=value, a line each.

    VARIABLES='{"AZURE_ENV_NAME": "leak-dev", ...}' python3 .ci/variables.py

What is empty is left out, so that it has its default. A name that looks like one of a deployment and is none is an
error: it would change nothing, and nobody would notice. So is a missing one, and a value of several lines.
"""

import json
import os
import re
import sys
from pathlib import Path

PARAMETERS = Path(__file__).resolve().parent.parent / "infra" / "main.bicepparam"
READ = re.compile(r"readEnvironmentVariable\('(\w+)'(, )?")
OURS = ("LEAK_", "OMNIA_")


def main() -> int:
    """Print; 1 when the variables are none to deploy with."""
    read = {name: not default for name, default in READ.findall(PARAMETERS.read_text())}
    read["AZURE_SUBSCRIPTION_ID"] = True
    given = {name: value for name, value in json.loads(os.environ["VARIABLES"]).items() if value.strip()}
    faults = [f"{name} is missing" for name, needed in read.items() if needed and name not in given]
    faults += [f"no deployment reads {name}" for name in given if name.startswith(OURS) and name not in read]
    faults += [f"{name} has several lines" for name in read if len(given.get(name, "").splitlines()) > 1]
    for fault in sorted(faults):
        print(f"error: {fault}", file=sys.stderr)
    if not faults:
        for name in sorted(read.keys() & given.keys()):
            print(f"{name}={given[name]}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
