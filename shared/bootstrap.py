"""Wiring: builds adapters and use cases from the settings, each on first use, once per process."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceExistsError

from shared import __version__
from shared.adapters.blobs import AzureBaselineStore, AzureDayStore
from shared.adapters.clock import FixedClock, SystemClock
from shared.adapters.development import expand
from shared.adapters.queues import AzureMessageQueues
from shared.adapters.sources import Sources
from shared.adapters.tables import (
    AzureDeviationsTable,
    AzureEstimationsTable,
    AzureEventsTable,
    AzureIncidentsTable,
    AzureMarksTable,
    AzureRegistryTable,
)
from shared.domain.tsd import PlausibleRange
from shared.errors import SettingsError
from shared.platforms import OMNIA
from shared.ports import Clock, ReadingSource
from shared.settings import Settings, settings
from shared.usecases.incidents.estimation_inputs import InputWindow
from shared.usecases.incidents.reconcile import IncidentRules, Reconcile
from shared.usecases.poison import POISON, POISON_BLOBS

if TYPE_CHECKING:
    from azure.data.tables import TableClient, TableServiceClient
    from azure.storage.blob import BlobServiceClient, ContainerClient
    from azure.storage.queue import QueueClient

    from shared.adapters.omnia import OmniaSource
    from shared.domain.environment import Environment
    from shared.domain.estimation import Estimation, Observations
    from shared.domain.template import Template
    from shared.usecases.baselines.build import BuildBaselines
    from shared.usecases.detection.detect import Detect
    from shared.usecases.feedback.feedback import Feedback
    from shared.usecases.feedback.notes import Notes
    from shared.usecases.incidents.estimate import Estimate
    from shared.usecases.ingestion.ingest import Ingest
    from shared.usecases.queries.baselines import BaselineQueries
    from shared.usecases.queries.page_views import PageViews
    from shared.usecases.queries.query import Queries
    from shared.usecases.queries.series import SeriesQueries
    from shared.usecases.queries.what_if import WhatIf
    from shared.usecases.registration.registrations import Registrations

# One line per storage request, and one per token, would bury what this system says itself.
logging.getLogger("azure").setLevel(logging.WARNING)


class Bootstrap:
    """Everything that the triggers call, wired to real adapters."""

    def __init__(self, config: Settings) -> None:
        """Wire by these settings; nothing connects before it is used."""
        self.settings = config

    # --- storage clients

    @cached_property
    def _credential(self) -> Any:
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 (0.3 s that a local start need not pay)

        client = self.settings.host_storage.clientId
        # An explicit None would switch off the library's own look at AZURE_CLIENT_ID.
        return DefaultAzureCredential(managed_identity_client_id=client) if client else DefaultAzureCredential()

    @cached_property
    def _blob_service(self) -> "BlobServiceClient":
        from azure.storage.blob import BlobServiceClient  # noqa: PLC0415

        host = self.settings.host_storage
        if host.connection_string:
            return BlobServiceClient.from_connection_string(expand(host.connection_string))
        return BlobServiceClient(host.blobServiceUri, credential=self._credential)

    @cached_property
    def _table_service(self) -> "TableServiceClient":
        from azure.data.tables import TableServiceClient  # noqa: PLC0415

        host = self.settings.host_storage
        if host.connection_string:
            return TableServiceClient.from_connection_string(expand(host.connection_string))
        return TableServiceClient(host.tableServiceUri, credential=self._credential)

    def queue(self, name: str) -> "QueueClient":
        """Return the client of a queue, which writes base64 as the host expects."""
        from azure.storage.queue import QueueClient, TextBase64EncodePolicy  # noqa: PLC0415

        host, policy = self.settings.host_storage, TextBase64EncodePolicy()
        if host.connection_string:
            connection = expand(host.connection_string)
            return QueueClient.from_connection_string(connection, name, message_encode_policy=policy)
        return QueueClient(host.queueServiceUri, name, credential=self._credential, message_encode_policy=policy)

    def container(self, name: str) -> "ContainerClient":
        """Return the client of a container."""
        return self._blob_service.get_container_client(name)

    def _table(self, name: str) -> "TableClient":
        return self._table_service.get_table_client(name)

    # --- adapters

    @cached_property
    def clock(self) -> Clock:
        """The machine's clock, or the fixed present of recorded data."""
        return FixedClock(self.settings.as_of) if self.settings.as_of else SystemClock()

    @cached_property
    def lake(self) -> AzureDayStore:
        """The day documents."""
        names = self.settings.storage
        return AzureDayStore(self.container(names.lake_container), self.container(names.corrupt_container))

    @cached_property
    def baselines(self) -> AzureBaselineStore:
        """The baseline versions."""
        return AzureBaselineStore(self.container(self.settings.storage.baselines_container))

    @cached_property
    def registry(self) -> AzureRegistryTable:
        """Platforms, templates, sensors."""
        return AzureRegistryTable(self._table(self.settings.storage.registry_table))

    @cached_property
    def deviations(self) -> AzureDeviationsTable:
        """The scored days."""
        return AzureDeviationsTable(self._table(self.settings.storage.deviations_table))

    @cached_property
    def incidents(self) -> AzureIncidentsTable:
        """The incidents."""
        return AzureIncidentsTable(self._table(self.settings.storage.incidents_table))

    @cached_property
    def estimations(self) -> AzureEstimationsTable:
        """The estimations."""
        return AzureEstimationsTable(self._table(self.settings.storage.estimations_table))

    @cached_property
    def events(self) -> AzureEventsTable:
        """The events."""
        return AzureEventsTable(self._table(self.settings.storage.events_table))

    @cached_property
    def marks(self) -> AzureMarksTable:
        """People's decisions about baselines."""
        return AzureMarksTable(self._table(self.settings.storage.marks_table))

    @cached_property
    def messages(self) -> AzureMessageQueues:
        """The queues between the functions."""
        names = self.settings.storage
        queues = [self.queue(names.critical_queue), self.queue(names.baselines_queue)]
        poison = [self.queue(queue.queue_name + POISON) for queue in queues]
        return AzureMessageQueues(queues[0], queues[1], [*poison, self.queue(POISON_BLOBS)])

    @cached_property
    def sources(self) -> Mapping[str, ReadingSource]:
        """The data sources, by the names that platforms' rules give them."""
        return Sources({OMNIA: self._omnia})

    def _omnia(self) -> "OmniaSource":
        from shared.adapters.omnia import OmniaSource  # noqa: PLC0415 (only ingest talks to OMNIA)

        config = self.settings.omnia
        return OmniaSource(
            self._omnia_credential,
            config.base_url,
            f"{config.resource}/.default",
            connect_timeout=config.connect_timeout_s,
            read_timeout=config.read_timeout_s,
            retries=config.max_retries,
            series_per_request=config.max_series_per_request,
            status_filter=config.good_status,
        )

    @property
    def _omnia_credential(self) -> Any:
        """A fixed token (emulator), a service principal, or the app's own identity."""
        config = self.settings.omnia
        if config.static_token:
            from shared.adapters.omnia_http import StaticCredential  # noqa: PLC0415

            return StaticCredential(config.static_token)
        if config.client_id:
            from azure.identity import ClientSecretCredential  # noqa: PLC0415

            secret = config.client_secret.get_secret_value()
            if secret.startswith("@Microsoft.KeyVault("):  # checked here: pages go on, and tell that nothing comes in
                raise SettingsError("OMNIA__CLIENT_SECRET: the platform cannot read it from Key Vault")
            return ClientSecretCredential(config.tenant_id, config.client_id, secret)
        return self._credential

    # --- use cases

    @cached_property
    def input_window(self) -> InputWindow:
        """What an estimation looks at."""
        config = self.settings.estimation
        return InputWindow(timedelta(hours=config.lead_hours), timedelta(hours=config.max_hours))

    @cached_property
    def ingest(self) -> "Ingest":
        """Brings the lake up to date."""
        from shared.usecases.ingestion.ingest import Ingest, IngestRules  # noqa: PLC0415

        config = self.settings.ingest
        rules = IngestRules(
            overlap=timedelta(minutes=config.overlap_minutes),
            backfill=timedelta(days=config.backfill_days),
            step=timedelta(days=config.step_days),
            budget=timedelta(seconds=config.budget_seconds),
            parallel=config.parallel,
            plausible=PlausibleRange(config.min_ppmv, config.max_ppmv),
        )
        return Ingest(self.sources, self.lake, self.registry, self.events, self.messages, self.clock, rules)

    @cached_property
    def detect(self) -> "Detect":
        """Scores days."""
        from shared.usecases.detection.detect import Detect  # noqa: PLC0415

        config = self.settings.detection
        rules = IncidentRules(
            timedelta(hours=config.clear_hours), timedelta(hours=config.update_hours), self.input_window
        )
        reconcile = Reconcile(self.deviations, self.incidents, self.estimations, self.events, self.messages, rules)
        return Detect(self.lake, self.registry, self.baselines, self.deviations, self.events, self.messages, reconcile)

    @cached_property
    def estimate(self) -> "Estimate":
        """Estimates incidents."""
        from shared.estimation import EstimationOptions, estimate  # noqa: PLC0415
        from shared.usecases.incidents.estimate import Estimate  # noqa: PLC0415

        config = self.settings.estimation
        fixed = EstimationOptions(
            max_places=config.max_places,
            max_steps=config.max_steps,
            sensor_time_constant_s=config.sensor_time_constant_s,
            confirm_at=config.confirm_at,
            external_at=config.external_at,
        )

        def invert(
            template: "Template", environment: "Environment", seen: "Observations", earliest: datetime, latest: datetime
        ) -> "Estimation":
            return estimate(
                template, environment, seen, options=replace(fixed, earliest_onset=earliest, latest_onset=latest)
            )

        return Estimate(
            self.lake,
            self.registry,
            self.incidents,
            self.estimations,
            self.events,
            self.input_window,
            invert,
            model=f"{__version__} {fixed}",
        )

    @cached_property
    def build_baselines(self) -> "BuildBaselines":
        """Builds baselines."""
        from shared.usecases.baselines.build import BuildBaselines  # noqa: PLC0415
        from shared.usecases.baselines.renewal import RenewalRules  # noqa: PLC0415

        config = self.settings.baseline
        clear = timedelta(hours=self.settings.detection.clear_hours)
        return BuildBaselines(
            self.lake,
            self.registry,
            self.baselines,
            self.deviations,
            self.marks,
            self.events,
            self.detect,
            RenewalRules(
                config.min_days,
                config.max_days,
                config.augment_days,
                config.borrow,
                (config.warning_per_month, config.critical_per_month),
                clear,
            ),
        )

    @cached_property
    def feedback(self) -> "Feedback":
        """Takes people's decisions about baselines."""
        from shared.usecases.feedback.feedback import Feedback  # noqa: PLC0415

        return Feedback(self.registry, self.marks, self.deviations, self.events, self.messages, self.clock)

    @cached_property
    def queries(self) -> "Queries":
        """Answers questions."""
        from shared.usecases.queries.query import Queries  # noqa: PLC0415

        return Queries(self.registry, self.incidents, self.estimations, self.events, self.messages, self.clock)

    @cached_property
    def baseline_queries(self) -> "BaselineQueries":
        """Reads baseline histories and marks."""
        from shared.usecases.queries.baselines import BaselineQueries  # noqa: PLC0415

        return BaselineQueries(self.registry, self.marks, self.deviations)

    @cached_property
    def series_queries(self) -> "SeriesQueries":
        """Answers what sensors read, and how they were scored."""
        from shared.usecases.queries.series import SeriesQueries  # noqa: PLC0415

        return SeriesQueries(self.registry, self.deviations, self.settings.query.max_samples)

    @cached_property
    def notes(self) -> "Notes":
        """Takes people's notes."""
        from shared.usecases.feedback.notes import Notes  # noqa: PLC0415

        return Notes(self.registry, self.events, self.clock)

    @cached_property
    def registrations(self) -> "Registrations":
        """Creates, changes and deletes platforms, templates and sensors."""
        from shared.usecases.registration.registrations import Registrations  # noqa: PLC0415
        from shared.usecases.registration.stored_data import StoredData  # noqa: PLC0415

        contents = StoredData(
            self.lake, self.baselines, self.deviations, self.marks, self.incidents, self.estimations, self.events
        )
        return Registrations(self.registry, contents)

    @cached_property
    def what_if(self) -> "WhatIf":
        """Simulates hypotheses."""
        from shared.usecases.queries.what_if import WhatIf  # noqa: PLC0415

        return WhatIf(self.lake, self.registry)

    @cached_property
    def page_views(self) -> "PageViews":
        """Reads what pages show."""
        from shared.usecases.queries.page_views import PageViews  # noqa: PLC0415

        return PageViews(
            self.registry,
            self.lake,
            self.baselines,
            self.deviations,
            self.incidents,
            self.estimations,
            self.events,
            self.queries,
            self.baseline_queries,
            self.clock,
        )

    def tables(self) -> list["TableClient"]:
        """Return the clients of all tables of the app."""
        names = self.settings.storage
        first = [names.registry_table, names.deviations_table, names.incidents_table]
        return [self._table(name) for name in (*first, names.estimations_table, names.events_table, names.marks_table)]

    def ensure_storage(self) -> None:
        """Create the containers, tables and queues that are not there; on Azure the deployment has made them."""
        names = self.settings.storage
        containers = [names.lake_container, names.baselines_container, names.corrupt_container]
        _create(self.container(name).create_container for name in containers)
        _create(table.create_table for table in self.tables())
        _create(self.queue(name).create_queue for name in (names.critical_queue, names.baselines_queue))


def _create(creations: Iterable[Any]) -> None:
    for create in creations:
        try:
            create()
        except ResourceExistsError:
            continue


@cache
def app() -> Bootstrap:
    """Return this process' wiring."""
    return Bootstrap(settings())
