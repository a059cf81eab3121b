"""Holds the settings that each variant of the deployment gives the app against the settings model, both ways."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from conformance.check_result import CheckResult
from conformance.snapshots import VARIANTS, Snapshot, faults_of_each, is_expression, short_name
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
LOCAL_ONLY = {"AS_OF", "OMNIA__STATIC_TOKEN"}  # a fixed present and the emulator's token have no place on Azure
ADDRESSES = {
    f"AzureWebJobsStorage__{service}ServiceUri": f"https://account.{service}.core.windows.net/"
    for service in ("blob", "queue", "table")
}
EXAMPLES = {  # of what only the platform can evaluate, so that the whole can be read by the model
    **ADDRESSES,
    "HTTP__BASE_URL": "https://app.azurewebsites.net",
    "NOTIFY__WEBHOOK_URL": "https://receiver.example/hook",
}
MADE = {  # ending of a setting's name -> what the deployment makes
    "CONTAINER": "Microsoft.Storage/storageAccounts/blobServices/containers",
    "QUEUE": "Microsoft.Storage/storageAccounts/queueServices/queues",
    "TABLE": "Microsoft.Storage/storageAccounts/tableServices/tables",
}


def check(root: Path) -> CheckResult:
    """Name every setting that one side has and the other does not know, and what the model says of the values."""
    summary = f"settings of {', '.join(VARIANTS)}: the app and its host know each, and miss none"
    return CheckResult.of(summary, faults_of_each(root, _faults, VARIANTS))


def deployed(snapshot: Snapshot) -> Mapping[str, Any]:
    """Return every setting that a variant gives, with its value."""
    return {
        name: value
        for one in snapshot.of("Microsoft.Web/sites/config appsettings")
        for name, value in one["properties"].items()
    }


def _faults(snapshot: Snapshot) -> Iterator[str]:
    given = deployed(snapshot)
    found = [*_unknown(given), *_missing_names(snapshot, given)]
    yield from found or _refused_values(given)


def _unknown(given: Mapping[str, Any]) -> Iterator[str]:
    model = {one.name: one for one in described_settings()}
    host = {f"AzureWebJobsStorage__{name}" for name in HostStorageSettings.model_fields}
    known = model.keys() | host | HOSTS.keys()
    yield from (
        f"{name} is deployed, and neither the app nor the host knows it" for name in sorted(given.keys() - known)
    )
    yield from (f"{name} is deployed, and is for local runs only" for name in sorted(given.keys() & LOCAL_ONLY))
    needed = {one.name for one in model.values() if one.default is None} - {"AzureWebJobsStorage"}
    needed |= {"LAKE_TRIGGER", "AZURE_CLIENT_ID", *ADDRESSES}
    yield from (f"{name} is not deployed, and the app needs it" for name in sorted(needed - given.keys()))
    if given.get("LAKE_TRIGGER") != "queue":
        yield "LAKE_TRIGGER must be queue: Flex Consumption does not poll"


def _missing_names(snapshot: Snapshot, given: Mapping[str, Any]) -> Iterator[str]:
    """Yield containers, tables and queues that the app expects, and the variant does not make."""
    for one in described_settings():
        if one.name.startswith("STORAGE__"):
            kind = MADE[one.name.rpartition("_")[2]]
            name = given.get(one.name, one.default)
            made = {short_name(each) for each in snapshot.of(kind)}
            endings = ("", POISON, GIVEN_UP) if kind == MADE["QUEUE"] else ("",)
            wanted = [f"{name}{ending}" for ending in endings]
            yield from (f"{each} ({one.name}) is not made: no {kind}" for each in wanted if each not in made)


def _refused_values(given: Mapping[str, Any]) -> Iterator[str]:
    values = {
        name: EXAMPLES.get(name, "an-example") if is_expression(value) else str(value) for name, value in given.items()
    }
    with patch.dict(os.environ, values, clear=True):
        try:
            load_settings()
        except SettingsError as error:
            yield str(error)
