"""Holds the settings that the deployment gives the app against the settings model, both ways.

A setting is a property of an object in a variable whose name ends with ``Settings`` (main.bicep, parts/app.bicep).
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest.mock import patch

import tree_sitter

from conformance.bicep import Expression, Value, mapping, text_of, tree_of, value_of
from conformance.check_result import CheckResult
from shared.errors import SettingsError
from shared.settings import HostStorageSettings, described_settings, load_settings
from shared.usecases.poison import GIVEN_UP, POISON

HOSTS = {  # read by the Functions host, or by a library
    "AZURE_CLIENT_ID": "azure-identity: which of the app's identities",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "the host's telemetry",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "the host's telemetry",
    "AzureWebJobsDisableHomepage": "the host: no page of its own at /",
    "OPENBLAS_NUM_THREADS": "numpy",
    "PYTHON_THREADPOOL_THREAD_COUNT": "the worker: how many functions run at once",
}
REFUSED = {  # Flex Consumption does not take them; it knows its runtime from functionAppConfig
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_WORKER_RUNTIME_VERSION",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_PROCESS_COUNT",
    "FUNCTIONS_MAX_HTTP_CONCURRENCY",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "ENABLE_ORYX_BUILD",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_CONTENTSHARE",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_TIME_ZONE",
}
LOCAL_ONLY = {"AS_OF", "OMNIA__STATIC_TOKEN"}  # a fixed present and the emulator's token have no place on Azure
# What the platform evaluates, with a value of its kind, so that the whole can be read by the model.
EXAMPLES = {
    "AzureWebJobsStorage__blobServiceUri": "https://account.blob.core.windows.net/",
    "AzureWebJobsStorage__queueServiceUri": "https://account.queue.core.windows.net/",
    "AzureWebJobsStorage__tableServiceUri": "https://account.table.core.windows.net/",
    "OMNIA__BASE_URL": "https://api.example.com/plant/timeseries/v1.7",
    "HTTP__AUTH": "entra",
    "HTTP__CORS_ORIGINS": "[]",
}


def deployed(infra: Path) -> Mapping[str, Value]:
    """Return every setting that the deployment gives, with its value."""
    found: dict[str, Value] = {}
    for path in sorted(infra.rglob("*.bicep")):
        for node in _variables(tree_of(path)[0]):
            for one in _objects(node):
                found |= mapping(one)
    return found


def _variables(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    for child in node.children:
        if child.type == "variable_declaration" and text_of(child.named_children[0]).endswith("Settings"):
            yield child


def _objects(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    for child in node.named_children:
        if child.type == "object":
            yield child
        else:
            yield from _objects(child)


def check(root: Path) -> CheckResult:
    """Name every setting that one side has and the other does not know, and what the model says of the values."""
    infra = root / "infra"
    given = deployed(infra)
    model = {one.name: one for one in described_settings()}
    host = {f"AzureWebJobsStorage__{name}" for name in HostStorageSettings.model_fields}
    known = model.keys() | host | HOSTS.keys()
    found = [f"{name} is deployed, and neither the app nor the host knows it" for name in sorted(given.keys() - known)]
    found += [f"{name} is deployed, and Flex Consumption refuses it" for name in sorted(given.keys() & REFUSED)]
    found += [f"{name} is deployed, and is for local runs only" for name in sorted(given.keys() & LOCAL_ONLY)]
    needed = {one.name for one in model.values() if one.default is None} - {"AzureWebJobsStorage"}
    needed |= {"LAKE_TRIGGER", "AZURE_CLIENT_ID", *(name for name in EXAMPLES if name in host)}
    found += [f"{name} is not deployed, and the app needs it" for name in sorted(needed - given.keys())]
    if given.get("LAKE_TRIGGER") != "eventgrid":
        found.append("LAKE_TRIGGER must be eventgrid: Flex Consumption does not poll")
    found += _missing_names(infra)
    summary = f"{len(given)} settings are deployed; the app and its host know each, and miss none"
    return CheckResult.of(summary, found or _refused_values(given))


def _missing_names(infra: Path) -> Iterator[str]:
    """Yield containers, tables and queues that the app expects by default, and storage.bicep does not make."""
    made: dict[str, list[Value]] = {}
    for node in tree_of(infra / "parts" / "storage.bicep")[0].children:
        if node.type == "variable_declaration":
            value = value_of(node.named_children[-1])
            made[text_of(node.named_children[0])] = value if isinstance(value, list) else []
    for one in described_settings():
        kind = one.name.rpartition("_")[2].lower() + "s"  # STORAGE__EVENTS_TABLE: tables
        if one.name.startswith("STORAGE__"):
            endings = ("", POISON, GIVEN_UP) if kind == "queues" else ("",)
            wanted = [f"{one.default}{ending}" for ending in endings]
            yield from (f"{kind}: {name} ({one.name}) is not made" for name in wanted if name not in made.get(kind, ()))


def _refused_values(given: Mapping[str, Value]) -> Iterator[str]:
    values = {
        name: EXAMPLES.get(name, "an-example") if isinstance(value, Expression) else str(value)
        for name, value in given.items()
    }
    with patch.dict(os.environ, values, clear=True):
        try:
            load_settings()
        except SettingsError as error:
            yield str(error)
