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
from typing import Any, Literal

import azure.functions as func
from pydantic import AliasPath, BaseModel, Field, field_validator

TRIGGERS = ("httpTrigger", "timerTrigger", "queueTrigger", "blobTrigger")
CORES = os.cpu_count() or 1
BY_HAND = "0 0 0 1 1 *"  # schedule of what is run by hand alone: but at New Year

OVERRIDE = "AzureFunctionsJobHost__"


class HostError(ValueError):
    """The app, its settings or its storage keep the local host from starting; the message says which and why."""


@dataclass(frozen=True)
class Function:
    """One registered function: its code, and its trigger's binding with every `%NAME%` replaced."""

    name: str
    run: Callable[..., Any]
    trigger: Mapping[str, Any]
    wants_context: bool

    @property
    def kind(self) -> str:
        """The trigger's type as function.json has it, such as `queueTrigger`."""
        return str(self.trigger["type"])


def _of_extension(*path: str) -> Any:
    """Where host.json has the setting of an extension."""
    return AliasPath("extensions", *path)


class HostSettings(BaseModel):
    """What the local host takes from host.json; what that does not say has the platform's default."""

    function_timeout: timedelta | None = Field(timedelta(minutes=30), validation_alias="functionTimeout")
    route_prefix: str = Field("api", validation_alias=_of_extension("http", "routePrefix"))
    batch_size: int = Field(16, validation_alias=_of_extension("queues", "batchSize"))
    new_batch_threshold: int = Field(
        default_factory=lambda given: given["batch_size"] // 2 * CORES,
        validation_alias=_of_extension("queues", "newBatchThreshold"),
    )
    max_dequeue_count: int = Field(5, validation_alias=_of_extension("queues", "maxDequeueCount"))
    visibility_timeout: timedelta = Field(timedelta(0), validation_alias=_of_extension("queues", "visibilityTimeout"))
    message_encoding: Literal["base64", "none"] = Field(
        "base64", validation_alias=_of_extension("queues", "messageEncoding")
    )
    blob_parallelism: int = Field(8 * CORES, validation_alias=_of_extension("blobs", "maxDegreeOfParallelism"))
    poison_blob_threshold: int = Field(5, validation_alias=_of_extension("blobs", "poisonBlobThreshold"))

    @field_validator("function_timeout", mode="before")
    @classmethod
    def _unbounded(cls, value: Any) -> Any:
        """Reads -1, the platform's word for no bound."""
        return None if value == "-1" else value


def read_host_json(path: Path) -> HostSettings:
    """Reads a host.json; one that is missing or says nothing leaves the platform's defaults.

    As on the platform, an app setting such as `AzureFunctionsJobHost__extensions__queues__batchSize` wins over it.
    """
    document = _read_json(path) if path.exists() else {}
    for name, value in os.environ.items():
        if name.startswith(OVERRIDE):
            *sections, key = name.removeprefix(OVERRIDE).split("__")
            section = document
            for one in sections:
                section = section.setdefault(one, {})
            section[key] = value
    try:
        return HostSettings.model_validate(document)
    except ValueError as error:
        raise HostError(f"{path}: {error}") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
    except ValueError as error:
        raise HostError(f"{path} is not JSON: {error}") from error
    return document


def load_settings(path: Path, required: bool) -> None:
    """Puts the "Values" of a local.settings.json into the environment; what is set there already wins."""
    if required and not path.exists():
        raise HostError(f"no settings file {path}")
    values = _read_json(path).get("Values", {}) if path.exists() else {}
    for name, value in values.items():
        os.environ.setdefault(name, value if isinstance(value, str) else json.dumps(value))


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
    if strange := {b["type"] for b in bindings} - {*TRIGGERS, "http"}:
        raise HostError(f"function {name}: the local host does not serve {', '.join(sorted(strange))}")
    for key, value in trigger.items():
        if isinstance(value, str):
            trigger[key] = expand(value, settings, f"function {name}, {key} of its {trigger['type']}")
    run = function.get_user_function()
    return Function(name, run, trigger, "context" in inspect.signature(run).parameters)
