"""Wiring: builds adapters and use cases from the settings, each on first use, once per process."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING

from shared import __version__
from shared.adapters.blobs import AzureBaselineStore, AzureDayStore, parse_day_blob
from shared.adapters.clock import FixedClock, SystemClock
from shared.adapters.queues import AzureMessageQueues, AzurePoisonQueues
from shared.adapters.sources import Sources
from shared.adapters.tables import (
    AzureDeviationsTable,
    AzureEstimationsTable,
    AzureEventsTable,
    AzureIncidentsTable,
    AzureMarksTable,
    AzureRegistryTable,
)
from shared.clients import IMPATIENT, PATIENT, Clients, Patience
from shared.domain.baseline_request import BaselineRequest
from shared.domain.incident import CriticalMessage
from shared.domain.tsd import PlausibleRange
from shared.platforms import OMNIA
from shared.ports import Clock, ReadingSource
from shared.settings import Settings, settings
from shared.usecases.incidents.estimation_inputs import InputWindow
from shared.usecases.incidents.reconcile import IncidentRules, Reconcile
from shared.usecases.lookup import unless_gone
from shared.usecases.poison import BLOBS, GIVEN_UP, POISON, TakeUpPoison, blob_of

if TYPE_CHECKING:
    from shared.adapters.omnia import OmniaSource
    from shared.domain.environment import Environment
    from shared.domain.estimation import Estimation, Observations
    from shared.domain.template import Template
    from shared.usecases.baselines.build import BuildBaselines
    from shared.usecases.detection.detect import Detect
    from shared.usecases.feedback.feedback import Feedback
    from shared.usecases.feedback.notes import Notes
    from shared.usecases.health.tell_health import TellHealth
    from shared.usecases.incidents.estimate import Estimate
    from shared.usecases.ingestion.ingest import Ingest
    from shared.usecases.queries.baselines import BaselineQueries
    from shared.usecases.queries.page_views import PageViews
    from shared.usecases.queries.query import Queries
    from shared.usecases.queries.series import SeriesQueries
    from shared.usecases.queries.what_if import WhatIf
    from shared.usecases.registration.orphans import RemoveOrphans
    from shared.usecases.registration.registrations import Registrations

# One line per storage request, and one per token, would bury what this system says itself.
logging.getLogger("azure").setLevel(logging.WARNING)


class Bootstrap:
    """Everything that the triggers call, wired to real adapters."""

    def __init__(self, config: Settings, patience: Patience = PATIENT) -> None:
        """Wire by these settings; nothing connects before it is used."""
        self.settings = config
        self.clients = Clients(config, patience)

    @cached_property
    def impatient(self) -> "Bootstrap":
        """The same for who asks whether all is well: it would rather hear soon that nobody answers."""
        return Bootstrap(self.settings, IMPATIENT)

    # --- adapters

    @cached_property
    def clock(self) -> Clock:
        """The machine's clock, or the fixed present of recorded data."""
        return FixedClock(self.settings.as_of) if self.settings.as_of else SystemClock()

    @cached_property
    def lake(self) -> AzureDayStore:
        """The day documents."""
        names = self.settings.storage
        return AzureDayStore(
            self.clients.container(names.lake_container), self.clients.container(names.corrupt_container)
        )

    @cached_property
    def baselines(self) -> AzureBaselineStore:
        """The baseline versions."""
        return AzureBaselineStore(self.clients.container(self.settings.storage.baselines_container))

    @cached_property
    def registry(self) -> AzureRegistryTable:
        """Platforms, templates, sensors."""
        return AzureRegistryTable(self.clients.table(self.settings.storage.registry_table))

    @cached_property
    def deviations(self) -> AzureDeviationsTable:
        """The scored days."""
        return AzureDeviationsTable(self.clients.table(self.settings.storage.deviations_table))

    @cached_property
    def incidents(self) -> AzureIncidentsTable:
        """The incidents."""
        return AzureIncidentsTable(self.clients.table(self.settings.storage.incidents_table))

    @cached_property
    def estimations(self) -> AzureEstimationsTable:
        """The estimations."""
        return AzureEstimationsTable(self.clients.table(self.settings.storage.estimations_table))

    @cached_property
    def events(self) -> AzureEventsTable:
        """The events."""
        return AzureEventsTable(self.clients.table(self.settings.storage.events_table))

    @cached_property
    def marks(self) -> AzureMarksTable:
        """People's decisions about baselines."""
        return AzureMarksTable(self.clients.table(self.settings.storage.marks_table))

    @cached_property
    def messages(self) -> AzureMessageQueues:
        """The queues between the functions."""
        names = self.settings.storage
        queues = [self.clients.queue(names.critical_queue), self.clients.queue(names.baselines_queue)]
        work = (names.critical_queue, names.baselines_queue, BLOBS)
        failed = [self.clients.queue(f"{name}{kind}") for kind in (POISON, GIVEN_UP) for name in work]
        return AzureMessageQueues(queues[0], queues[1], failed)

    @cached_property
    def poison_queues(self) -> AzurePoisonQueues:
        """What failed, and where it goes."""
        return AzurePoisonQueues(self.clients.queue, self.clients.plain_queue)

    @cached_property
    def sources(self) -> Mapping[str, ReadingSource]:
        """The data sources, by the names that platforms' rules give them."""
        return Sources({OMNIA: self._omnia})

    def _omnia(self) -> "OmniaSource":
        from shared.adapters.omnia import OmniaSource  # noqa: PLC0415 (only ingest talks to OMNIA)

        config = self.settings.omnia
        return OmniaSource(
            self.clients.omnia_credential,
            config.base_url,
            f"{config.resource}/.default",
            connect_timeout=config.connect_timeout_s,
            read_timeout=config.read_timeout_s,
            retries=config.max_retries,
            patience=config.retry_seconds,
            series_per_request=config.max_series_per_request,
            status_filter=config.good_status,
        )

    # --- use cases

    @cached_property
    def input_window(self) -> InputWindow:
        """What an estimation looks at."""
        config = self.settings.estimation
        return InputWindow(lead=timedelta(hours=config.lead_hours), longest=timedelta(hours=config.max_hours))

    @cached_property
    def ingest(self) -> "Ingest":
        """Brings the lake up to date."""
        from shared.usecases.ingestion.ingest import Ingest, IngestRules  # noqa: PLC0415

        config = self.settings.ingest
        rules = IngestRules(
            overlap=timedelta(minutes=config.overlap_minutes),
            backfill=timedelta(days=config.backfill_days),
            late=timedelta(days=config.late_days),
            step=timedelta(days=config.step_days),
            budget=timedelta(seconds=config.budget_seconds),
            template_budget=timedelta(seconds=config.template_seconds),
            parallel=config.parallel,
            plausible=PlausibleRange(config.min_ppmv, config.max_ppmv),
        )
        return Ingest(
            sources=self.sources,
            lake=self.lake,
            registry=self.registry,
            events=self.events,
            messages=self.messages,
            clock=self.clock,
            rules=rules,
        )

    @cached_property
    def tell_health(self) -> "TellHealth":
        """Tells what is not watched."""
        from shared.usecases.health.tell_health import TellHealth  # noqa: PLC0415

        return TellHealth(registry=self.registry, events=self.events, clock=self.clock)

    @cached_property
    def detect(self) -> "Detect":
        """Scores days."""
        from shared.usecases.detection.detect import Detect  # noqa: PLC0415

        config = self.settings.detection
        rules = IncidentRules(
            clear=timedelta(hours=config.clear_hours),
            update=timedelta(hours=config.update_hours),
            inputs=self.input_window,
        )
        reconcile = Reconcile(
            deviations=self.deviations,
            incidents=self.incidents,
            estimations=self.estimations,
            events=self.events,
            messages=self.messages,
            rules=rules,
        )
        return Detect(
            lake=self.lake,
            registry=self.registry,
            baselines=self.baselines,
            deviations=self.deviations,
            events=self.events,
            messages=self.messages,
            reconcile=reconcile,
        )

    @cached_property
    def take_up_poison(self) -> TakeUpPoison:
        """Takes up again what failed."""
        names = self.settings.storage
        return TakeUpPoison(
            queues=self.poison_queues,
            events=self.events,
            checks={
                names.critical_queue: lambda text: CriticalMessage.from_json(text.encode()),
                names.baselines_queue: lambda text: BaselineRequest.from_json(text.encode()),
            },
            score=self.score_again,
            container=names.lake_container,
        )

    def score_day(self, platform: str, template: str, day: date) -> None:
        """Score a day of the lake whose blob has changed."""
        with unless_gone(self.registry, platform, template):
            self.detect.run(platform, template, day)

    def score_again(self, text: str) -> None:
        """Score the day of a blob that failed, by the host's message about it; raises InvalidInput."""
        self.score_day(*parse_day_blob(blob_of(text)))

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
            lake=self.lake,
            registry=self.registry,
            incidents=self.incidents,
            estimations=self.estimations,
            events=self.events,
            rules=self.input_window,
            invert=invert,
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
            lake=self.lake,
            registry=self.registry,
            baselines=self.baselines,
            deviations=self.deviations,
            marks=self.marks,
            events=self.events,
            detect=self.detect,
            messages=self.messages,
            clock=self.clock,
            budget=timedelta(seconds=config.budget_seconds),
            rules=RenewalRules(
                min_days=config.min_days,
                max_days=config.max_days,
                augment_days=config.augment_days,
                borrow=config.borrow,
                rates=(config.warning_per_month, config.critical_per_month),
                clear=clear,
            ),
        )

    @cached_property
    def feedback(self) -> "Feedback":
        """Stores people's decisions about baselines."""
        from shared.usecases.feedback.feedback import Feedback  # noqa: PLC0415

        return Feedback(
            registry=self.registry,
            marks_table=self.marks,
            deviations=self.deviations,
            events=self.events,
            messages=self.messages,
            clock=self.clock,
        )

    @cached_property
    def queries(self) -> "Queries":
        """Reads platforms, incidents, estimations, events and health."""
        from shared.usecases.queries.query import Queries  # noqa: PLC0415

        return Queries(
            registry=self.registry,
            incidents_table=self.incidents,
            estimations=self.estimations,
            events_table=self.events,
            messages=self.messages,
            clock=self.clock,
        )

    @cached_property
    def baseline_queries(self) -> "BaselineQueries":
        """Reads baseline histories and marks."""
        from shared.usecases.queries.baselines import BaselineQueries  # noqa: PLC0415

        return BaselineQueries(registry=self.registry, marks_table=self.marks, deviations=self.deviations)

    @cached_property
    def series_queries(self) -> "SeriesQueries":
        """Reads what sensors measured and how it was scored, over time."""
        from shared.usecases.queries.series import SeriesQueries  # noqa: PLC0415

        return SeriesQueries(
            registry=self.registry, deviations=self.deviations, most_samples=self.settings.query.max_samples
        )

    @cached_property
    def notes(self) -> "Notes":
        """Adds and changes people's notes."""
        from shared.usecases.feedback.notes import Notes  # noqa: PLC0415

        return Notes(registry=self.registry, events=self.events, clock=self.clock)

    @cached_property
    def registrations(self) -> "Registrations":
        """Creates, changes and deletes platforms, templates and sensors."""
        from shared.usecases.registration.registrations import Registrations  # noqa: PLC0415
        from shared.usecases.registration.stored_data import StoredData  # noqa: PLC0415

        contents = StoredData(
            lake=self.lake,
            baselines=self.baselines,
            deviations=self.deviations,
            marks=self.marks,
            incidents=self.incidents,
            estimations=self.estimations,
            events=self.events,
        )
        return Registrations(registry=self.registry, contents=contents)

    @cached_property
    def remove_orphans(self) -> "RemoveOrphans":
        """Removes what runs left of what was deleted under them."""
        from shared.usecases.registration.orphans import RemoveOrphans  # noqa: PLC0415

        return RemoveOrphans(
            registry=self.registry,
            deviations=self.deviations,
            of_sensors=(self.deviations, self.baselines),
            of_templates=(self.estimations, self.incidents),
            events=self.events,
        )

    @cached_property
    def what_if(self) -> "WhatIf":
        """Simulates hypotheses."""
        from shared.usecases.queries.what_if import WhatIf  # noqa: PLC0415

        return WhatIf(lake=self.lake, registry=self.registry)

    @cached_property
    def page_views(self) -> "PageViews":
        """Reads all that one page shows."""
        from shared.usecases.queries.page_views import PageViews  # noqa: PLC0415

        return PageViews(
            registry=self.registry,
            lake=self.lake,
            baselines=self.baselines,
            deviations=self.deviations,
            incidents=self.incidents,
            estimations=self.estimations,
            events=self.events,
            query=self.queries,
            baseline_queries=self.baseline_queries,
            clock=self.clock,
        )


@cache
def app() -> Bootstrap:
    """Return this process' wiring."""
    return Bootstrap(settings())
