"""Subsea leak detection: domain, algorithms, use cases and adapters."""

from pathlib import Path


def _version() -> str:
    """Return what ``make package`` wrote beside this file; in a checkout what ``pyproject.toml`` says.

    Whoever deploys past ``make package`` has neither: the app starts, and says that its version is unknown.
    """
    here = Path(__file__).parent
    written, project = here / "version.txt", here.parent / "pyproject.toml"
    if written.is_file():
        return written.read_text().strip()
    if not project.is_file():
        return "unknown"
    import tomllib  # noqa: PLC0415  (the deployed app never needs it)

    return str(tomllib.loads(project.read_text())["project"]["version"])


__version__ = _version()  # of this build: 1.2.0, or 1.2.0+1a2b3c4d between releases
RELEASE = __version__.partition("+")[0]  # what stored answers rest on: the same for every build between two releases
