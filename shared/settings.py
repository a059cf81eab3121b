"""Every setting of the app in one model; nested names are written ``OMNIA__BASE_URL`` in the environment."""

import re
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
NEEDED_DAYS = 62  # of scored days beside those that a baseline is made of: recent ones, late data, a margin
LEAST_JOURNAL_DAYS = 366
KEY_VAULT = "@Microsoft.KeyVault("  # begins what the platform puts in place of a secret that it cannot read
WEBHOOK = rf"(https://[^\s/@]+|http://127\.0\.0\.1(:\d+)?)(/\S*)?|{re.escape(KEY_VAULT)}.*"


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
    backup_container: str = Field("backup", pattern=NAME, description="Container of the backups.")
    registry_table: str = Field("registry", pattern=TABLE, description="Table of platforms, templates, sensors.")
    deviations_table: str = Field("deviations", pattern=TABLE, description="Table of scored days.")
    incidents_table: str = Field("incidents", pattern=TABLE, description="Table of incidents.")
    estimations_table: str = Field("estimations", pattern=TABLE, description="Table of estimations.")
    events_table: str = Field("events", pattern=TABLE, description="Table of events.")
    marks_table: str = Field("marks", pattern=TABLE, description="Table of people's decisions about baselines.")
    journal_table: str = Field("journal", pattern=TABLE, description="Table of what was said and done.")
    alarms_table: str = Field("alarms", pattern=TABLE, description="Table of alarms as they stand.")
    suppressions_table: str = Field(
        "suppressions", pattern=TABLE, description="Table of what is shelved, out of service or planned."
    )
    statements_table: str = Field("statements", pattern=TABLE, description="Table of performance statements.")
    proof_tests_table: str = Field("prooftests", pattern=TABLE, description="Table of proof tests.")
    critical_queue: str = Field("critical-deviations", pattern=NAME, description="Queue that asks for estimations.")
    baselines_queue: str = Field("build-baselines", pattern=NAME, description="Queue that asks for baselines.")
    notifications_queue: str = Field(
        "notifications", pattern=NAME, description="Queue that asks for steps of alarms to be told."
    )
    statements_queue: str = Field(
        "performance-statements", pattern=NAME, description="Queue that asks for performance statements."
    )
    ingest_queue: str = Field(
        "ingest-templates", pattern=NAME, description="Queue that asks for shares of the templates to be ingested."
    )
    lake_events_queue: str = Field(
        "lake-events", pattern=NAME, description="Queue on which Event Grid says which blobs of the lake were written."
    )

    @property
    def of_proof_tests(self) -> Self:
        """The same, but for what proof tests keep apart: `proof` and the name; lake and queues are one."""
        apart = (name for name in type(self).model_fields if name.endswith("_table"))
        containers = ("baselines_container", "corrupt_container")
        tables = {name: f"proof{getattr(self, name)}" for name in apart if name != "proof_tests_table"}
        return self.model_copy(update=tables | {name: f"proof-{getattr(self, name)}" for name in containers})

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues of what functions ask of each other, and of the lake's events."""
        asking = self.critical_queue, self.baselines_queue, self.notifications_queue, self.statements_queue
        return *asking, self.ingest_queue, self.lake_events_queue


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
    parallel: int = Field(
        4,
        ge=1,
        le=32,
        description="Templates at once that a run asks for by themselves, where it cannot together.",
    )
    share_templates: int = Field(
        24,  # with four sensors each, and the sea's three series, two requests of 50 series; 25 would need a third one
        ge=1,
        le=100,
        description="Templates of a platform that one message asks for.",
    )
    spread_seconds: int = Field(60, ge=0, le=240, description="Time over which a tick's messages are spread [s].")
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
    spread_seconds: int = Field(
        1800, ge=0, le=43_200, description="Time over which the daily messages, one a template, are spread [s]."
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
    followed_days: int = Field(31, ge=1, le=92, description="The same for its rate over time and mass alone [days].")
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


class AlarmSettings(SettingsGroup):
    """How soon somebody has to act on an alarm, and what they should do."""

    high_rate_kg_s: float = Field(
        1e-5, gt=0, le=1, description="Dissolved rate from which a confirmed leak is of high priority [kg/s]."
    )
    response_leak: str = Field(
        "Follow the leak response procedure: call the field's leak responsible, keep vessels away, plan an ROV dive.",
        max_length=300,
        description="What to do on a confirmed leak.",
    )
    response_external: str = Field(
        "No leak here is likely. Look whether a neighbour leaks or works, and acknowledge.",
        max_length=300,
        description="What to do where a cause from outside is likely.",
    )
    response_undecided: str = Field(
        "Look at the readings of all sensors and at the next estimation; call the leak responsible if it rises.",
        max_length=300,
        description="What to do while nothing is decided.",
    )


class ProofSettings(SettingsGroup):
    """When it is proven that a leak would be found."""

    every_days: int = Field(
        7, ge=0, le=366, description="Days between two proof tests of a template; 0: only on demand."
    )
    except_for: tuple[str, ...] = Field(
        (), description="Platforms and templates that are tested on demand alone, as a JSON list of ids."
    )
    patience_minutes: int = Field(
        60, ge=5, le=180, description="A test that is not over after so long has failed [minutes]."
    )


class PerformanceSettings(SettingsGroup):
    """When it is stated what a template's leak detection performs."""

    renew: bool = Field(
        True,
        description="Whether a statement is made anew when what it rests on has changed; false: only on demand.",
    )


class BackupSettings(SettingsGroup):
    """Whether and where what nothing can derive is backed up."""

    on: bool = Field(True, description="Whether it is backed up every day; false: somebody else does.")
    blob_service_uri: str = Field(
        "",
        pattern=r"^(https://[^\s/]+/?)?$",
        description="Blob service of another storage account for it, which the app's identity may write; "
        "empty: the app's own.",
    )
    budget_seconds: int = Field(
        420, ge=10, le=1800, description="A run begins nothing after so long [s]; the next one goes on."
    )


class RetentionSettings(SettingsGroup):
    """How long what is stored is kept; 0: for ever. The lake is never deleted, nor what people registered and noted."""

    scored_days: int = Field(0, ge=0, le=36_600, description="Days for which scored days are kept; 0: for ever.")
    event_days: int = Field(
        0, ge=0, le=36_600, description="Days for which events are kept, but for notes; 0: for ever."
    )
    incident_days: int = Field(
        0,
        ge=0,
        le=36_600,
        description="Days for which incidents that are over are kept with their estimations; 0: for ever.",
    )
    corrupt_days: int = Field(
        0, ge=0, le=36_600, description="Days for which unreadable blobs set aside are kept; 0: for ever."
    )
    journal_days: int = Field(
        3653, ge=0, le=36_600, description="Days for which the journal keeps what was said; 0: for ever."
    )
    budget_seconds: int = Field(
        120, ge=10, le=1800, description="A run removes nothing more after so long [s]; the next one goes on."
    )


class NotifySettings(SettingsGroup):
    """Who outside is told of new, escalated, returned and withdrawn alarms."""

    webhook_url: SecretStr = Field(
        SecretStr(""), description="Address that alarms are sent to; on Azure a Key Vault reference; empty: nobody."
    )
    format: Literal["plain", "teams", "pagerduty"] = Field(
        "plain", description="What is sent: `plain` (our JSON, signed), `teams` (a card), `pagerduty` (Events API v2)."
    )
    secret: SecretStr = Field(
        SecretStr(""),
        description="`plain`: the key of the signature; `pagerduty`: the routing key; on Azure a Key Vault reference.",
    )
    timeout_s: float = Field(10, gt=0, le=60, description="Longest wait for a connection, and for an answer [s].")

    @property
    def on(self) -> bool:
        """Whether anybody is told."""
        return bool(self.webhook_url.get_secret_value())

    @model_validator(mode="after")
    def _safe(self) -> Self:
        url = self.webhook_url.get_secret_value()
        if url and not re.fullmatch(WEBHOOK, url):
            raise ValueError("webhook_url must begin with https:// (http:// on 127.0.0.1 alone)")
        if url and self.format != "teams" and not self.secret.get_secret_value():
            raise ValueError(f"webhook_url with format {self.format} needs a secret")
        return self


class QuerySettings(SettingsGroup):
    """Bounds of the HTTP interface."""

    max_days: int = Field(1100, ge=1, le=3660, description="Longest time range of one request [days].")
    default_days: int = Field(7, ge=1, le=366, description="Time range where a request names none [days].")
    max_items: int = Field(1000, ge=1, le=1000, description="Most items of one page of a list.")
    max_samples: int = Field(60_000, ge=144, le=1_000_000, description="Most samples of one page of a series.")
    max_simulated_days: int = Field(31, ge=1, le=366, description="Longest time range of one simulation [days].")
    max_sea_days: int = Field(92, ge=1, le=366, description="Longest time range of the sea at a template [days].")
    detectability_days: int = Field(
        28, ge=4, le=366, description="Newest currents in which it is told whether a leak would be found [days]."
    )


class HttpSettings(SettingsGroup):
    """Who may call, from where, how much and how often."""

    auth: Literal["keys", "entra"] = Field(
        "keys", description="`keys`: function keys; `entra`: App Service authentication and roles stand in front."
    )
    base_url: str = Field(
        "", pattern=r"^(https?://[^\s/]+(/\S*)?)?$", description="Public address of the pages, for links that are sent."
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
    keep_schedule: str = Field(
        "0 40 * * * *",
        pattern=CRON,
        description="When backups are made that are missing, and what is old goes (NCRONTAB, UTC).",
    )
    lake_trigger: Literal["polling", "queue"] = Field(
        "polling",
        description="How detect hears of a blob: `polling` (a blob trigger) or `queue` (Event Grid's events).",
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
    alarm: AlarmSettings = Field(default_factory=AlarmSettings)
    proof: ProofSettings = Field(default_factory=ProofSettings)
    performance: PerformanceSettings = Field(default_factory=PerformanceSettings)
    backup: BackupSettings = Field(default_factory=BackupSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    notify: NotifySettings = Field(default_factory=NotifySettings)
    query: QuerySettings = Field(default_factory=QuerySettings)
    http: HttpSettings = Field(default_factory=HttpSettings)

    @model_validator(mode="after")
    def _kept_long_enough(self) -> Self:
        kept, needed = self.retention, self.baseline.max_days + NEEDED_DAYS
        if 0 < kept.scored_days < needed:
            raise ValueError(
                f"RETENTION__SCORED_DAYS must be at least {needed} (BASELINE__MAX_DAYS and {NEEDED_DAYS}), or 0: "
                "baselines are chosen by them"
            )
        if kept.incident_days and not 0 < kept.scored_days <= kept.incident_days:
            raise ValueError(
                "RETENTION__INCIDENT_DAYS needs a RETENTION__SCORED_DAYS that is no longer: "
                "scored days would find their incidents again"
            )
        if 0 < kept.journal_days < LEAST_JOURNAL_DAYS:
            raise ValueError(f"RETENTION__JOURNAL_DAYS must be at least {LEAST_JOURNAL_DAYS}, or 0")
        return self


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
