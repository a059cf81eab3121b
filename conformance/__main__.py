"""``make conformance``: every check that can be done without Azure.

    python -m conformance [NAME ...]      all of them, or these

bicep     every file, by Microsoft's compiler, where there is one; what it would deploy, against what is stored
values    what is stored (infra/snapshots/, each variant): values that the compiler lets pass and Azure does not
promises  the same, against what the documentation promises of keys, doors, undoing, and of each variant
settings  the same, against the app's settings
roles     the same, against what every call and trigger needs
events    the same, against the function that blob events are for
policies  the Bicep files, against checkov's policies
host      host.json and local settings, against what the host reads
secrets   keys, passwords and tokens in any file of the project
security  the deployed code, by bandit
package   what is deployed, how large it is, how fast it starts
worker    the package, indexed and invoked by Microsoft's own Python worker
host-real the package on Microsoft's own Functions host: the way of the data, and what HTTP answers

Exits with 1 when one of them finds a fault.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from conformance import compiler, events, host, outside, package, promises, real_host, roles, settings, values
from conformance.check_result import CheckResult
from conformance.environments import ROOT

CHECKS: dict[str, Callable[[Path], CheckResult]] = {
    "bicep": compiler.check,
    "values": values.check,
    "promises": promises.check,
    "settings": settings.check,
    "roles": roles.check,
    "events": events.check,
    "policies": outside.policies,
    "host": host.check,
    "secrets": outside.secrets,
    "security": outside.security,
    "package": package.check,
    "worker": outside.worker,
    "host-real": real_host.check,
}


def main() -> int:
    """Run the checks that are asked for; 1 when one finds a fault."""
    parser = argparse.ArgumentParser(
        prog="python -m conformance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which checks; all of them by default")
    names = parser.parse_args().names or list(CHECKS)
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        parser.error(f"no check is called {', '.join(unknown)}")
    failed = [name for name in names if not _passes(name)]
    print(
        f"{len(names) - len(failed)} of {len(names)} checks passed" + (f", not {', '.join(failed)}" if failed else "")
    )
    return 1 if failed else 0


def _passes(name: str) -> bool:
    begun = time.monotonic()
    verdict = CHECKS[name](ROOT)
    took = time.monotonic() - begun
    if not verdict.faults:
        word = "skip" if verdict.skipped else "ok"
        print(f"{name:9} {word:5} {verdict.summary} ({took:.1f} s)", flush=True)
        return True
    print(f"{name:9} FAIL  ({took:.1f} s)", flush=True)
    for fault in verdict.faults:
        print(f"          {fault}", flush=True)
    return False


if __name__ == "__main__":
    sys.exit(main())
