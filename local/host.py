"""The local host: runs the project's function app on Azurite, without Azure Functions Core Tools.

It is a development tool, for the tests, the demo and debugging; nothing of it is deployed. It serves timer, blob, queue
and HTTP triggers with the platform's semantics that matter: a process for each function group, and two for blobs;
at-least-once delivery, dequeue counts and poison queues, leases, blob receipts, retries and timeouts; in
each process one thread pool and one event loop. No keys are asked for, as with Core Tools, unless it is given one.

    python -m local.host [--port 7071] [--settings local.settings.json] [--app function_app] [--root DIR]
                         [--with-parent] [--lease SECONDS] [--redeliver SHARE] [--shuffle] [--seed N]
                         [--key KEY] [--start-method fork|spawn]

The first line on stdout is the host's address. Beside Core Tools' own `GET /admin/host/status`, `GET /admin/functions`
and `POST /admin/functions/{name}` there is `GET /admin/host/idle`: "idle" is true when no function runs, no event waits
and a fresh look into every trigger's container and queue found nothing, in any process.
"""

import argparse
import sys
from pathlib import Path

from local.logs import set_up_logging
from local.metadata import HostError
from local.supervisor import Supervisor


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.host", description="Runs a function app on Azurite.")
    add = parser.add_argument
    add("--root", type=Path, default=Path(), help="the app's folder, with host.json (here)")
    add("--app", default="function_app", help="the app's module (function_app)")
    add("--port", type=int, default=7071, help="0 takes a free one (7071)")
    add("--settings", type=Path, help="local.settings.json (that of the root, if there)")
    add("--key", default="", help="function key to ask for; without it none is, as with Core Tools")
    add("--with-parent", action="store_true", help="end when stdin closes, as it does with a parent")
    add("--lease", type=int, default=600, help="seconds that a taken message stays hidden unless renewed (600)")
    add("--redeliver", type=float, default=0.0, help="share of blob events and messages delivered twice")
    add("--shuffle", action="store_true", help="deliver blob events out of order")
    add("--seed", type=int, default=0, help="of the faults above")
    add(
        "--start-method",
        choices=("fork", "spawn"),
        default="fork" if sys.platform == "linux" else "spawn",
        help="how processes start: with the app loaded, or each loading it (fork on Linux)",
    )
    return parser.parse_args()


def main() -> int:
    """The command line; ends with 0 after a signal, with 1 and one line if the app cannot be served."""
    options = _options()
    set_up_logging()
    sys.path.insert(0, str(options.root.resolve()))
    try:
        supervisor = Supervisor(options)
        supervisor.start()
    except (HostError, OSError) as error:
        print(f"The local host cannot start: {error}", file=sys.stderr)
        return 1
    print(supervisor.url, flush=True)
    supervisor.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
