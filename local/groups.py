"""The app in its function groups, each of which Flex Consumption runs alone in its instances."""

import functools
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from local.metadata import Function, HostSettings, load_functions, load_settings, read_host_json

HOST_ID = "AzureFunctionsWebHost__hostid"
HTTP, BLOB = "http", "blob"
BLOB_INSTANCES = 2  # so that nothing rests on what one process remembers


@dataclass(frozen=True)
class Instance:
    """One process of a function group."""

    group: str
    number: int = 0

    def __str__(self) -> str:
        return f"{self.group}#{self.number}"


@dataclass(frozen=True)
class App:
    """What the host knows of the app."""

    host_id: str
    settings: HostSettings
    functions: tuple[Function, ...]

    def of(self, group: str) -> list[Function]:
        """The functions of a group."""
        return [function for function in self.functions if group_of(function) == group]

    def instances(self) -> list[Instance]:
        """The processes that the app needs, that of HTTP first: it is there even for an app without HTTP."""
        groups = dict.fromkeys((HTTP, *map(group_of, self.functions)))
        return [Instance(group, number) for group in groups for number in range(BLOB_INSTANCES if group == BLOB else 1)]


def group_of(function: Function) -> str:
    """The group that the platform puts a function in."""
    return {"httpTrigger": HTTP, "blobTrigger": BLOB}.get(function.kind, f"function:{function.name}")


@functools.cache
def load_app(root: Path, module: str, settings: Path | None) -> App:
    """Reads host.json, the settings and the app itself, once a process; HostError says what is wrong."""
    load_settings(settings or root / "local.settings.json", required=settings is not None)
    own_id = hashlib.sha256(f"{root.resolve()}\n{module}".encode()).hexdigest()[:16]
    host_settings = read_host_json(root / "host.json")
    return App(os.environ.get(HOST_ID, own_id), host_settings, tuple(load_functions(module, os.environ)))
