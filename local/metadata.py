"""What the app says of itself: its settings, its host.json and each function's own binding metadata."""

import importlib
import inspect
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.functions as func

TRIGGERS = ("httpTrigger", "timerTrigger", "queueTrigger", "blobTrigger")


class HostError(Exception):
    """The app, its settings or its storage keep the local host from starting; the message says which and why."""


@dataclass(frozen=True)
class Function:
    """One registered function: its code, and its trigger's binding with every `%NAME%` replaced."""

    name: str
    run: Callable[..., Any]
    trigger: Mapping[str, Any]
    wants_context: bool = False

    @property
    def kind(self) -> str:
        """The trigger's type as function.json has it, such as `queueTrigger`."""
        return str(self.trigger["type"])


@dataclass(frozen=True)
class HostSettings:
    """What the local host takes from host.json, with the platform's defaults."""

    route_prefix: str = "api"
    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: timedelta = timedelta(0)
    message_encoding: str = "base64"
    blob_parallelism: int = 8
    poison_blob_threshold: int = 5


def load_settings(path: Path, required: bool) -> None:
    """Puts the "Values" of a local.settings.json into the environment; what is set there already wins."""
    if not path.exists():
        if required:
            raise HostError(f"no settings file {path}")
        return
    for name, value in _read_json(path).get("Values", {}).items():
        os.environ.setdefault(name, value if isinstance(value, str) else json.dumps(value))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise HostError(f"{path} is not JSON: {error}") from error
    return document


def read_host_json(path: Path) -> HostSettings:
    """Reads a host.json; one that is missing or says nothing leaves the platform's defaults."""
    extensions = _read_json(path).get("extensions", {}) if path.exists() else {}
    queues, blobs, cores = extensions.get("queues", {}), extensions.get("blobs", {}), os.cpu_count() or 1
    batch_size = int(queues.get("batchSize", 16))
    hours, minutes, seconds = queues.get("visibilityTimeout", "00:00:00").split(":")
    encoding = str(queues.get("messageEncoding", "base64")).lower()
    if encoding not in ("base64", "none"):
        raise HostError(f"{path}: messageEncoding is {encoding!r}, not base64 or none")
    return HostSettings(
        route_prefix=str(extensions.get("http", {}).get("routePrefix", "api")).strip("/"),
        batch_size=batch_size,
        new_batch_threshold=int(queues.get("newBatchThreshold", batch_size // 2 * cores)),
        max_dequeue_count=int(queues.get("maxDequeueCount", 5)),
        visibility_timeout=timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds)),
        message_encoding=encoding,
        blob_parallelism=int(blobs.get("maxDegreeOfParallelism", 8 * cores)),
        poison_blob_threshold=int(blobs.get("poisonBlobThreshold", 5)),
    )


def expand(text: str, settings: Mapping[str, str], where: str) -> str:
    """Replaces each `%NAME%` by that app setting; HostError names one that is missing, and where it stands."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in settings:
            raise HostError(f"{where}: there is no app setting {match[1]!r}, which %{match[1]}% asks for")
        return settings[match[1]]

    return re.sub(r"%([^%]+)%", value, text)


def load_functions(module_name: str, settings: Mapping[str, str]) -> list[Function]:
    """Imports the app and reads its functions, once, but for those with `AzureWebJobs.<name>.Disabled` set to true."""
    members = vars(importlib.import_module(module_name)).values()
    apps = {id(member): member for member in members if isinstance(member, func.FunctionRegister)}
    if len(apps) != 1:
        raise HostError(f"module {module_name} has {len(apps)} function apps; it must have one")
    functions = [_read(function, settings) for function in apps.popitem()[1].get_functions()]
    return [f for f in functions if settings.get(f"AzureWebJobs.{f.name}.Disabled", "").lower() not in ("true", "1")]


def _read(function: Any, settings: Mapping[str, str]) -> Function:
    """One function's metadata, as the host gets it from the worker."""
    name = str(function.get_function_name())
    bindings = json.loads(function.get_function_json())["bindings"]
    trigger = next(binding for binding in bindings if binding["type"].endswith("Trigger"))
    others = sorted({b["type"] for b in bindings if b is not trigger and b["type"] != "http"})
    if trigger["type"] not in TRIGGERS or others:
        raise HostError(f"function {name}: the local host does not serve {', '.join([trigger['type'], *others])}")
    expanded = {
        key: expand(value, settings, f"function {name}, {key} of its {trigger['type']}")
        if isinstance(value, str)
        else value
        for key, value in trigger.items()
    }
    run = function.get_user_function()
    return Function(name, run, expanded, wants_context="context" in inspect.signature(run).parameters)
