"""Holds host.json and the sample of the local settings against what the Functions host reads.

The models are of the options that this app uses, after learn.microsoft.com/azure/azure-functions/functions-host-json
(read 2026-11-23); one that is not here is refused until somebody has looked it up.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from conformance.check_result import CheckResult
from conformance.source import function_names
from shared.domain.validation import findings
from shared.settings import described_settings

Span = Annotated[str, Field(pattern=r"^(\d+\.)?\d{2}:[0-5]\d:[0-5]\d$")]
Level = Literal["Trace", "Debug", "Information", "Warning", "Error", "Critical", "None"]
CATEGORY = re.compile(
    r"^(default|Host(\.\w+)*|Azure(\.\w+)*|Microsoft(\.\w+)*|Function(\.(?P<function>\w+)(\.User)?)?)$"
)
File = TypeVar("File", bound="Part")


class Part(BaseModel):
    """A part of the file; a name that the host does not know is an error."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Bundle(Part):
    """Which versions of the binding extensions."""

    id: Literal["Microsoft.Azure.Functions.ExtensionBundle"]
    version: Literal["[4.*, 5.0.0)"]


class Blobs(Part):
    """The blob trigger."""

    maxDegreeOfParallelism: int = Field(8, ge=1)  # noqa: N815 (the host gives these names)
    poisonBlobThreshold: int = Field(5, ge=1)  # noqa: N815


class Queues(Part):
    """The queue trigger."""

    maxPollingInterval: Span = "00:01:00"  # noqa: N815
    visibilityTimeout: Span = "00:00:00"  # noqa: N815
    batchSize: int = Field(16, ge=1, le=32)  # noqa: N815
    maxDequeueCount: int = Field(5, ge=1)  # noqa: N815
    newBatchThreshold: int = Field(8, ge=0)  # noqa: N815
    messageEncoding: Literal["base64", "none"] = "base64"  # noqa: N815


class HttpOptions(Part):
    """The HTTP trigger."""

    routePrefix: str = "api"  # noqa: N815
    maxConcurrentRequests: int = Field(100, ge=-1)  # noqa: N815
    maxOutstandingRequests: int = Field(200, ge=-1)  # noqa: N815
    dynamicThrottlesEnabled: bool = True  # noqa: N815


class Extensions(Part):
    """Options of the bindings."""

    blobs: Blobs = Blobs()
    queues: Queues = Queues()
    http: HttpOptions = HttpOptions()


class Sampling(Part):
    """How much telemetry is kept."""

    isEnabled: bool = True  # noqa: N815
    maxTelemetryItemsPerSecond: float = Field(20, gt=0)  # noqa: N815
    excludedTypes: str = Field("", pattern=r"^((Dependency|Event|Exception|PageView|Request|Trace)(;|$))*$")  # noqa: N815


class Insights(Part):
    """Application Insights."""

    samplingSettings: Sampling = Sampling()  # noqa: N815


class Logging(Part):
    """What is logged."""

    logLevel: dict[str, Level] = Field(default_factory=dict)  # noqa: N815
    applicationInsights: Insights = Insights()  # noqa: N815


class HostFile(Part):
    """host.json."""

    version: Literal["2.0"]
    extensionBundle: Bundle  # noqa: N815
    extensions: Extensions = Extensions()
    functionTimeout: Span = "00:30:00"  # noqa: N815
    logging: Logging = Logging()


class LocalSettings(Part):
    """local.settings.json, of which the sample is a copy."""

    IsEncrypted: Literal[False]
    Values: dict[str, str]


def check(app: Path) -> CheckResult:
    """Name what the host would not understand."""
    host, found = _read(app / "host.json", HostFile)
    local, local_found = _read(app / "local.settings.sample.json", LocalSettings)
    found += local_found
    if host is not None:
        found += _wrong_levels(host, function_names(app / "functions"))
    if local is not None:
        known = {one.name for one in described_settings()} | {"FUNCTIONS_WORKER_RUNTIME", "OPENBLAS_NUM_THREADS"}
        found += [f"local.settings.sample.json: nobody reads {name}" for name in sorted(local.Values.keys() - known)]
    return CheckResult.of("host.json and the sample of the local settings are what the host reads", found)


def _read(path: Path, model: type[File]) -> tuple[File | None, list[str]]:
    try:
        return model.model_validate_json(path.read_text()), []
    except ValidationError as error:
        return None, [f"{path.name}: {one}" for one in findings(error)]


def _wrong_levels(host: HostFile, known: set[str]) -> Iterator[str]:
    for category in host.logging.logLevel:
        matched = CATEGORY.match(category)
        if matched is None:
            yield f"host.json: the host has no log category {category}"
        elif matched["function"] and matched["function"] not in known:
            yield f"host.json: {category} is of no function"
