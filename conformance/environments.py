"""Virtual environments for tools that must not mix with the project's own packages; in an ignored folder."""

import os
import subprocess
import sys
from pathlib import Path

from local.npm import one_at_a_time

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".tools" / "conformance"
INSTALLED = {  # name -> what is installed, in order, with pip's options
    "worker": [
        ["-r", "conformance/requirements-worker.txt"],
        ["--no-deps", "--ignore-requires-python", "-r", "conformance/requirements-worker-runtime.txt"],
    ],
    "host": [["-r", "conformance/requirements-host.txt"]],
    "policies": [["--no-deps", "-r", "conformance/requirements-policies.txt"]],
    "audit": [["-r", "conformance/requirements-audit.txt"]],
}


def environment(name: str) -> Path:
    """Return the folder of an environment's programs; made, or made anew when what it should hold has changed."""
    home, stamp = HOME / name, HOME / name / "installed.txt"
    wanted = "\n".join((ROOT / steps[-1]).read_text() for steps in INSTALLED[name])
    wanted += (ROOT / "requirements.txt").read_text() + (ROOT / "constraints.txt").read_text()
    programs = home / ("Scripts" if sys.platform == "win32" else "bin")
    with one_at_a_time(home.with_suffix(".lock")):
        if not stamp.is_file() or stamp.read_text() != wanted:
            print(f"installing what the check of the {name} needs ...", flush=True)
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
            pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            for step in INSTALLED[name]:
                subprocess.run([*pip, *step], cwd=ROOT, check=True)
            stamp.write_text(wanted)
    return programs


def without_project() -> dict[str, str]:
    """Return this process' variables for one that must find no module of the project but those it is given."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
