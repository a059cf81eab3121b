"""Every setting of the app in one model; nested names are written ``OMNIA__BASE_URL`` in the environment."""

from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.domain.validation import findings
from shared.errors import SettingsError

NAME = r"^[a-z0-9](-?[a-z0-9]){2,62}$"
TABLE = r"^[A-Za-z][A-Za-z0-9]{2,62}$"
CRON = r"^(\S+ ){5}\S+$"


class SettingsGroup(BaseModel):
    """Settings that belong together; a misspelt name in a group is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HostStorageSettings(SettingsGroup):
    """The storage account: a connection string (Azurite), or one address per service (identity, on Azure)."""

    model_config = ConfigDict(frozen=True, extra="ignore")  # the host knows more of it than we need

    connection_string: str = ""
    blobServiceUri: str = ""  # noqa: N815 (the Functions host gives these names)
    queueServiceUri: str = ""  # noqa: N815
    tableServiceUri: str = ""  # noqa: N815
    credential: str = ""
    clientId: str = ""  # noqa: N815

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        addresses = (self.blobServiceUri, self.queueServiceUri, self.tableServiceUri)
        if not self.connection_string and not all(addresses):
            raise ValueError(
                "needs a connection string, or all of __blobServiceUri, __queueServiceUri and __tableServiceUri"
            )
        return self


class StorageSettings(SettingsGroup):
    """What containers, tables and queues are called."""

    lake_container: str = Field("tsd", pattern=NAME, description="Container of the lake's day blobs.")
    baselines_container: str = Field("baselines", pattern=NAME, description="Container of the baseline versions.")
    corrupt_container: str = Field("corrupt", pattern=NAME, description="Container of unreadable blobs set aside.")
    registry_table: str = Field("registry", pattern=TABLE, description="Table of platforms, templates, sensors.")
    deviations_table: str = Field("deviations", pattern=TABLE, description="Table of scored days.")
    incidents_table: str = Field("incidents", pattern=TABLE, description="Table of incidents.")
    estimations_table: str = Field("estimations", pattern=TABLE, description="Table of estimations.")
    events_table: str = Field("events", pattern=TABLE, description="Table of events.")
    marks_table: str = Field("marks", pattern=TABLE, description="Table of people's decisions about baselines.")
    critical_queue: str = Field("critical-deviations", pattern=NAME, description="Queue that asks for estimations.")
    baselines_queue: str = Field("build-baselines", pattern=NAME, description="Queue that asks for baselines.")


class OmniaSettings(SettingsGroup):
    """Where the readings come from."""

    base_url: str = Field(
        pattern=r"^https?://[^\s/]+(/\S*)?$",
        description="Address of the OMNIA Timeseries API, with its version.",
    )
    resource: str = Field(
        "141369bd-3dca-4b55-825b-56ad4a69b1fc",
        description="Entra resource that the token is for (production).",
    )
    static_token: str = Field("", description="Fixed bearer token, for the emulator only; empty: Entra identity.")
    tenant_id: str = Field("", description="Entra tenant of a service principal; empty: the app's own identity asks.")
    client_id: str = Field("", description="Client id of that service principal.")
    client_secret: SecretStr = Field(SecretStr(""), description="Its secret; on Azure a Key Vault reference.")
    connect_timeout_s: float = Field(5, gt=0, le=60, description="Longest wait for a connection [s].")
    read_timeout_s: float = Field(30, gt=0, le=300, description="Longest wait for an answer [s].")
    max_retries: int = Field(2, ge=0, le=10, description="How often a failed request is tried again.")
    retry_seconds: float = Field(60, gt=0, le=600, description="No retry of a request begins after so long [s].")
    max_series_per_request: int = Field(50, ge=1, le=1000, description="Series asked for in one request.")
    good_status: tuple[int, ...] = Field((192,), min_length=1, description="OPC status codes that count as good.")

    @model_validator(mode="after")
    def _whole_principal(self) -> Self:
        if len({bool(self.tenant_id), bool(self.client_id), bool(self.client_secret.get_secret_value())}) > 1:
            raise ValueError("tenant_id, client_id and client_secret belong together: all of them, or none")
        return self


class IngestSettings(SettingsGroup):
    """How the lake is filled."""

    overlap_minutes: int = Field(180, ge=0, le=1440, description="How far back each run asks again, for late data.")
    late_days: int = Field(
        28, ge=1, le=366, description="How old data may be that come late, or are corrected, at last [days]."
    )
    backfill_days: int = Field(40, ge=1, le=3660, description="History that a new sensor's first run fetches [days].")
    step_days: int = Field(5, ge=1, le=60, description="Longest span of one request when catching up [days].")
    budget_seconds: int = Field(240, ge=1, le=1800, description="A run starts no further step after so long.")
    template_seconds: int = Field(
        90, ge=1, le=1800, description="A template's part of a run starts no further step after so long."
    )
    parallel: int = Field(4, ge=1, le=32, description="Templates that a run ingests at the same time.")
    min_ppmv: float = Field(0, ge=-1000, le=0, description="Readings below are marked out of range [ppmv].")
    max_ppmv: float = Field(50_000, gt=0, le=99_999, description="Readings above are marked out of range [ppmv].")


class DetectionSettings(SettingsGroup):
    """When deviations become an incident, and how often it is estimated."""

    clear_hours: int = Field(12, ge=1, le=168, description="An incident ends after so long without a Critical [h].")
    update_hours: int = Field(3, ge=1, le=48, description="A growing incident is estimated anew this often [h].")


class BaselineSettings(SettingsGroup):
    """When a sensor knows enough of its own leak-free history, and how that is renewed."""

    min_days: float = Field(14, ge=2, le=365, description="Clean samples that a baseline needs [days' worth].")
    max_days: int = Field(200, ge=30, le=1100, description="Days that a baseline holds at most.")
    augment_days: int = Field(30, ge=0, le=366, description="Days after which new history is added; 0: never.")
    borrow: bool = Field(True, description="Whether a new sensor is scored by another's baseline while it fits.")
    budget_seconds: int = Field(
        240, ge=10, le=1800, description="A run begins nothing after so long [s]; a message asks for the rest."
    )
    warning_per_month: float = Field(
        1.0, gt=0.01, le=30, description="False alarms per sensor-month that Warning may cost; newer baselines heed it."
    )
    critical_per_month: float = Field(0.1, gt=0.001, le=10, description="The same for Critical; less than Warning's.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.critical_per_month >= self.warning_per_month:
            raise ValueError("critical_per_month must be less than warning_per_month")
        return self


class EstimationSettings(SettingsGroup):
    """What an estimation looks at, how much of it, and when it is sure."""

    lead_hours: int = Field(48, ge=6, le=240, description="Data before the onset that it uses [h].")
    max_hours: int = Field(96, ge=3, le=240, description="Data after the onset that it uses at most [h].")
    max_places: int = Field(
        2000, ge=10, le=20_000, description="Places that it weighs at most: time and memory grow with them."
    )
    max_steps: int = Field(
        300, ge=20, le=400, description="Times that it looks at; longer data are thinned by medians."
    )
    sensor_time_constant_s: float = Field(7200, ge=1, le=86_400, description="Response time of the sensors (63 %) [s].")
    confirm_at: float = Field(0.95, ge=0.5, le=1, description="Probability of a leak from which it is CONFIRMED.")
    external_at: float = Field(
        0.95, ge=0.5, le=1, description="Probability of a cause outside from which it is EXTERNAL_CAUSE."
    )


class QuerySettings(SettingsGroup):
    """Bounds of the HTTP interface."""

    max_days: int = Field(1100, ge=1, le=3660, description="Longest time range of one request [days].")
    default_days: int = Field(7, ge=1, le=366, description="Time range where a request names none [days].")
    max_items: int = Field(1000, ge=1, le=1000, description="Most items of one page of a list.")
    max_samples: int = Field(60_000, ge=144, le=1_000_000, description="Most samples of one page of a series.")
    max_simulated_days: int = Field(31, ge=1, le=366, description="Longest time range of one simulation [days].")


class HttpSettings(SettingsGroup):
    """Who may call, from where, how much and how often."""

    auth: Literal["keys", "entra"] = Field(
        "keys", description="`keys`: function keys; `entra`: App Service authentication and roles stand in front."
    )
    reader_role: str = Field("Reader", min_length=1, max_length=64, description="App role that may read (entra).")
    operator_role: str = Field("Operator", min_length=1, max_length=64, description="App role that may change (entra).")
    cors_origins: tuple[str, ...] = Field((), description="Origins whose pages may call, as a JSON list; `*`: all.")
    max_body_kb: int = Field(64, ge=1, le=10_240, description="Largest body of a request [kB].")
    max_requests_per_minute: int = Field(0, ge=0, description="Requests per minute, caller and worker; 0: no limit.")


class Settings(BaseSettings):
    """All settings of the app."""

    model_config = SettingsConfigDict(
        env_nested_delimiter="__", extra="ignore", frozen=True, env_ignore_empty=True, populate_by_name=True
    )

    host_storage: Annotated[
        HostStorageSettings,
        BeforeValidator(lambda v: {"connection_string": v} if isinstance(v, str) else v),
        NoDecode,
    ] = Field(
        alias="AzureWebJobsStorage",
        description="Storage account: a connection string (Azurite), or `AzureWebJobsStorage__blobServiceUri`, "
        "`__queueServiceUri`, `__tableServiceUri`, `__credential`, `__clientId` (identity).",
    )
    ingest_schedule: str = Field(pattern=CRON, description="When ingest runs (NCRONTAB, UTC).")
    baselines_schedule: str = Field(pattern=CRON, description="When baselines run (NCRONTAB, UTC).")
    lake_trigger: Literal["polling", "eventgrid"] = Field(
        "polling",
        description="How detect hears of a blob: `polling` (local) or `eventgrid` (Flex Consumption).",
    )
    as_of: AwareDatetime | None = Field(
        None, description="Fixed present for a demo on recorded data (ISO 8601 with zone); empty: the clock."
    )
    storage: StorageSettings = Field(default_factory=StorageSettings)
    omnia: OmniaSettings
    ingest: IngestSettings = Field(default_factory=IngestSettings)
    detection: DetectionSettings = Field(default_factory=DetectionSettings)
    baseline: BaselineSettings = Field(default_factory=BaselineSettings)
    estimation: EstimationSettings = Field(default_factory=EstimationSettings)
    query: QuerySettings = Field(default_factory=QuerySettings)
    http: HttpSettings = Field(default_factory=HttpSettings)


def load_settings(**overrides: Any) -> Settings:
    """Return the settings of this process; raise SettingsError that names every missing or wrong one at once."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [_environment_spelling(line) for line in findings(error)]
        raise SettingsError("wrong or missing settings:\n  " + "\n  ".join(lines)) from error


@cache
def settings() -> Settings:
    """Return this process' settings, read once."""
    return load_settings()


class Described(NamedTuple):
    """One setting as the documentation and the sample file list it."""

    name: str
    default: str | None  # None: it has to be set
    description: str


def described_settings() -> list[Described]:
    """Return every setting by its name in the environment, in the order of the model."""
    return list(_describe(Settings.model_fields, ""))


def _describe(fields: dict[str, FieldInfo], prefix: str) -> Iterator[Described]:
    for key, field in fields.items():
        name = field.alias or f"{prefix}{key.upper()}"
        group = field.annotation
        if isinstance(group, type) and issubclass(group, SettingsGroup) and group is not HostStorageSettings:
            yield from _describe(group.model_fields, f"{name}__")
        else:
            default = None if field.is_required() else _as_text(field.get_default(call_default_factory=True))
            yield Described(name, default, field.description or "")


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return str(list(value)) if isinstance(value, tuple) else str(value)


def _environment_spelling(finding: str) -> str:
    where, _, what = finding.partition(": ")
    group, _, rest = where.partition(".")
    if group in ("host_storage", "AzureWebJobsStorage"):
        return f"AzureWebJobsStorage{'__' + rest if rest else ''}: {what}"
    return f"{where.replace('.', '__').upper()}: {what}"
