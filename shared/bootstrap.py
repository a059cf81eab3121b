"""Wiring: builds adapters and use cases from the settings, each on first use, once per process."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from shared import RELEASE, __version__
from shared.adapters.aged_storage import AzureAgedStorage
from shared.adapters.backups import AzureBackupStore
from shared.adapters.blobs import AzureBaselineStore, AzureDayStore, parse_day_blob
from shared.adapters.clock import FixedClock, SystemClock
from shared.adapters.lake_events import lake_event
from shared.adapters.proof_space import AzureProofSpace
from shared.adapters.queues import AzureMessageQueues, AzurePoisonQueues
from shared.adapters.sources import Sources
from shared.adapters.tables import (
    AzureAlarmsTable,
    AzureDeviationsTable,
    AzureEstimationsTable,
    AzureEventsTable,
    AzureIncidentsTable,
    AzureJournalTable,
    AzureMarksTable,
    AzureProofTestsTable,
    AzureRegistryTable,
    AzureStatementsTable,
    AzureSuppressionsTable,
)
from shared.adapters.tables.exported_rows import AzureStoredRows
from shared.clients import IMPATIENT, PATIENT, Clients, Patience
from shared.domain.alarm import Cause
from shared.domain.baseline_request import BaselineRequest
from shared.domain.incident import CriticalMessage
from shared.domain.ingest_request import IngestRequest
from shared.domain.kept import Kept
from shared.domain.notice import TOLD, NotificationMessage
from shared.domain.proof_test import PROOF_PLATFORM
from shared.domain.statement_request import StatementRequest
from shared.domain.tsd import PlausibleRange
from shared.errors import InvalidInput, NotFound
from shared.platforms import OMNIA
from shared.ports import Clock, ReadingSource
from shared.settings import NotifySettings, Settings, settings
from shared.telemetry import told_apart
from shared.usecases.alarms.alarms import Alarms
from shared.usecases.incidents.estimation_inputs import InputWindow
from shared.usecases.incidents.reconcile import IncidentRules, Reconcile
from shared.usecases.journal.journal import Journal
from shared.usecases.journal.journaled_events import JournaledEvents
from shared.usecases.lookup import look_up_template, unless_gone
from shared.usecases.poison import BLOBS, GIVEN_UP, POISON, TakeUpPoison, blob_of

if TYPE_CHECKING:
    from shared.adapters.omnia import OmniaSource
    from shared.domain.alarm import Alarm
    from shared.domain.environment import Environment
    from shared.domain.estimation import Estimation, Observations
    from shared.domain.journal import JournalKind
    from shared.domain.template import Template
    from shared.ports import Notifier
    from shared.usecases.alarms.notify import Notify
    from shared.usecases.alarms.suppressions import Suppressions
    from shared.usecases.baselines.build import BuildBaselines
    from shared.usecases.detection.detect import Detect
    from shared.usecases.feedback.feedback import Feedback
    from shared.usecases.feedback.notes import Notes
    from shared.usecases.feedback.planned_ranges import PlannedRanges
    from shared.usecases.health.tell_health import TellHealth
    from shared.usecases.health.tell_queues import TellQueues
    from shared.usecases.incidents.adopt import AdoptIncidents
    from shared.usecases.incidents.estimate import Estimate
    from shared.usecases.ingestion.ingest import Ingest
    from shared.usecases.keep.backup import BackUp
    from shared.usecases.keep.remove_old import RemoveOld
    from shared.usecases.keep.restore import Restore
    from shared.usecases.performance.statements import PerformanceStatements
    from shared.usecases.proof.proof_tests import PlayProofTests
    from shared.usecases.queries.alarms import AlarmQueries
    from shared.usecases.queries.as_of import AsOf
    from shared.usecases.queries.baselines import BaselineQueries
    from shared.usecases.queries.handover import Handovers
    from shared.usecases.queries.incident_views import IncidentViews
    from shared.usecases.queries.leak_detection import LeakDetections
    from shared.usecases.queries.page_views import PageViews
    from shared.usecases.queries.query import Queries
    from shared.usecases.queries.sea_series import SeaQueries
    from shared.usecases.queries.series import SeriesQueries
    from shared.usecases.queries.suppressions import SuppressionQueries
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
        self._patience = patience
        self.clients = Clients(config, patience)

    @cached_property
    def impatient(self) -> "Bootstrap":
        """The same for who asks whether all is well: it would rather hear soon that nobody answers."""
        return Bootstrap(self.settings, IMPATIENT)

    @cached_property
    def _proof(self) -> "Bootstrap":
        """The same for the copies of proof tests: rows and baselines of their own, and nobody is notified."""
        config = self.settings
        apart = {"storage": config.storage.of_proof_tests, "notify": NotifySettings()}
        return Bootstrap(config.model_copy(update=apart), self._patience)

    @contextmanager
    def of(self, platform: str) -> "Iterator[Bootstrap]":
        """Work with what belongs to a platform: this, or what is kept apart for proof tests and told as such."""
        if platform != PROOF_PLATFORM:
            yield self
            return
        with told_apart("proof test"):
            yield self._proof

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
    def kept(self) -> Kept:
        """How long what is stored is kept."""
        config = self.settings.retention
        return Kept(
            scored_days=config.scored_days,
            events=config.event_days,
            incidents=config.incident_days,
            corrupt=config.corrupt_days,
            journal=config.journal_days,
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
    def events(self) -> JournaledEvents:
        """The events, each of which is written down."""
        table = AzureEventsTable(self.clients.table(self.settings.storage.events_table))
        return JournaledEvents(table=table, journal=self.journal)

    @cached_property
    def journal_table(self) -> AzureJournalTable:
        """What was said and done."""
        return AzureJournalTable(self.clients.table(self.settings.storage.journal_table))

    @cached_property
    def alarms_table(self) -> AzureAlarmsTable:
        """The alarms as they stand."""
        return AzureAlarmsTable(self.clients.table(self.settings.storage.alarms_table))

    @cached_property
    def journal(self) -> Journal:
        """Writes down what is said."""
        return Journal(table=self.journal_table, clock=self.clock)

    @cached_property
    def alarms(self) -> Alarms:
        """The life of alarms."""
        return Alarms(
            table=self.alarms_table,
            journal=self.journal_table,
            messages=self.messages,
            clock=self.clock,
            high_rate_kg_s=self.settings.alarm.high_rate_kg_s,
            told=self._told if self.settings.notify.on else frozenset(),
        )

    @property
    def _told(self) -> "frozenset[JournalKind]":
        """The steps of alarms that are told: PagerDuty goes on calling people unless it hears that one has seen it."""
        return TOLD | {"alarm_acknowledged"} if self.settings.notify.format == "pagerduty" else TOLD

    @property
    def _responses(self) -> Mapping[Cause, str]:
        config = self.settings.alarm
        return {
            Cause.LEAK: config.response_leak,
            Cause.EXTERNAL: config.response_external,
            Cause.UNDECIDED: config.response_undecided,
        }

    @cached_property
    def notify(self) -> "Notify":
        """Tells the steps of alarms."""
        from shared.usecases.alarms.notify import Notify  # noqa: PLC0415

        return Notify(
            alarms=self.alarms_table,
            journal=self.journal_table,
            registry=self.registry,
            messages=self.messages,
            clock=self.clock,
            notifier=self._notifier() if self.settings.notify.on else None,
            kinds=self._told,
            responses=self._responses,
            pages=self.settings.http.base_url,
            suppressed=self._suppressed,
        )

    def _suppressed(self, alarm: "Alarm", _: datetime) -> str:
        """Return what keeps an alarm from calling now, in words; empty: it calls."""
        return ", ".join(one.title for one in self.suppression_queries.suppressing([alarm], None)[0])

    def _notifier(self) -> "Notifier":
        from shared.adapters.webhook import Webhook  # noqa: PLC0415 (only who sends needs it)

        config = self.settings.notify
        secret = config.secret.get_secret_value()
        return Webhook(config.webhook_url.get_secret_value(), config.format, secret, timeout_s=config.timeout_s)

    @cached_property
    def suppressions_table(self) -> AzureSuppressionsTable:
        """What is shelved, out of service or planned."""
        return AzureSuppressionsTable(self.clients.table(self.settings.storage.suppressions_table))

    @cached_property
    def marks(self) -> AzureMarksTable:
        """People's decisions about baselines."""
        return AzureMarksTable(self.clients.table(self.settings.storage.marks_table))

    @cached_property
    def statements_table(self) -> AzureStatementsTable:
        """The performance statements."""
        return AzureStatementsTable(self.clients.table(self.settings.storage.statements_table))

    @cached_property
    def proof_tests_table(self) -> AzureProofTestsTable:
        """The proof tests."""
        return AzureProofTestsTable(self.clients.table(self.settings.storage.proof_tests_table))

    @cached_property
    def messages(self) -> AzureMessageQueues:
        """The queues between the functions."""
        names = self.settings.storage
        work = (*names.queues, BLOBS)
        return AzureMessageQueues(
            critical=self.clients.queue(names.critical_queue),
            baselines=self.clients.queue(names.baselines_queue),
            notifications=self.clients.queue(names.notifications_queue),
            statements=self.clients.queue(names.statements_queue),
            shares=self.clients.queue(names.ingest_queue),
            lake_events=self.clients.queue(names.lake_events_queue),
            failed=[self.clients.queue(f"{name}{kind}") for kind in (POISON, GIVEN_UP) for name in work],
        )

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

    @cached_property
    def backups(self) -> AzureBackupStore:
        """The backups."""
        return AzureBackupStore(self.clients.backups())

    @cached_property
    def stored_rows(self) -> AzureStoredRows:
        """The rows that are backed up."""
        return AzureStoredRows(self.clients.backed_up_tables())

    # --- use cases

    @cached_property
    def input_window(self) -> InputWindow:
        """What an estimation looks at."""
        config = self.settings.estimation
        longest = timedelta(hours=config.max_hours)
        return InputWindow(
            lead=timedelta(hours=config.lead_hours),
            longest=longest,
            followed=max(longest, timedelta(days=config.followed_days)),
        )

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
            share=config.share_templates,
            spread=timedelta(seconds=config.spread_seconds),
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
    def tell_queues(self) -> "TellQueues":
        """Tells how long work has been waiting."""
        from shared.usecases.health.tell_queues import TellQueues  # noqa: PLC0415

        return TellQueues(messages=self.messages, clock=self.clock)

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
            marks=self.marks,
            alarms=self.alarms,
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
            journal=self.journal,
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
                names.notifications_queue: lambda text: NotificationMessage.from_json(text.encode()),
                names.statements_queue: lambda text: StatementRequest.from_json(text.encode()),
                names.ingest_queue: lambda text: IngestRequest.from_json(text.encode()),
                names.lake_events_queue: lake_event,
            },
            score=self.score_again,
            is_gone=self._is_of_ended_proof_test,
            container=names.lake_container,
        )

    def _is_of_ended_proof_test(self, asked: Mapping[str, Any]) -> bool:
        """Return whether a message is of a proof test that is over: what failed of it was told with its outcome."""
        if asked.get("platform") != PROOF_PLATFORM:
            return False
        try:
            look_up_template(self._proof.registry, str(asked.get("template")))
        except (NotFound, InvalidInput):
            return True
        return False

    @cached_property
    def adopt_incidents(self) -> "AdoptIncidents":
        """Raises the alarms of incidents that an older release found."""
        from shared.usecases.incidents.adopt import AdoptIncidents  # noqa: PLC0415

        return AdoptIncidents(
            incidents=self.incidents, estimations=self.estimations, table=self.alarms_table, alarms=self.alarms
        )

    def score_day(self, platform: str, template: str, day: date) -> None:
        """Score a day of the lake whose blob has changed."""
        with self.of(platform) as its, unless_gone(its.registry, platform, template):
            its.detect.run(platform, template, day)

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
                template,
                environment,
                seen,
                options=replace(fixed, earliest_onset=earliest, latest_onset=latest, fitted_until=latest),
            )

        return Estimate(
            lake=self.lake,
            registry=self.registry,
            incidents=self.incidents,
            estimations=self.estimations,
            events=self.events,
            alarms=self.alarms,
            rules=self.input_window,
            invert=invert,
            model=f"{RELEASE} {fixed}",
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
            spread=timedelta(seconds=config.spread_seconds),
            kept=self.kept,
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
    def performance(self) -> "PerformanceStatements":
        """Makes and shows performance statements."""
        from shared.usecases.performance.promises import MAP  # noqa: PLC0415
        from shared.usecases.performance.statements import PerformanceStatements  # noqa: PLC0415

        return PerformanceStatements(
            lake=self.lake,
            registry=self.registry,
            baselines=self.baselines,
            deviations=self.deviations,
            alarms=self.alarms_table,
            table=self.statements_table,
            messages=self.messages,
            clock=self.clock,
            period=timedelta(days=self.settings.query.detectability_days),
            options=replace(MAP, sensor_time_constant_s=self.settings.estimation.sensor_time_constant_s),
            renew=self.settings.performance.renew,
            version=RELEASE,
        )

    @cached_property
    def proof_tests(self) -> "PlayProofTests":
        """Proves that a leak would be found."""
        from shared.usecases.proof.copy_readings import CopyReadings  # noqa: PLC0415
        from shared.usecases.proof.judge import Judge  # noqa: PLC0415
        from shared.usecases.proof.leak_to_find import ChooseLeak  # noqa: PLC0415
        from shared.usecases.proof.proof_tests import PlayProofTests  # noqa: PLC0415
        from shared.usecases.proof.space import ProofSpace  # noqa: PLC0415

        config, its = self.settings.proof, self._proof
        lake = self.clients.container(self.settings.storage.lake_container)
        space = ProofSpace(
            store=AzureProofSpace(lake, self.clients.proof_containers(), self.clients.proof_tables()),
            registry=its.registry,
            lake=its.lake,
            baselines=its.baselines,
            deviations=its.deviations,
            incidents=its.incidents,
            estimations=its.estimations,
        )
        return PlayProofTests(
            table=self.proof_tests_table,
            statements=self.statements_table,
            registry=self.registry,
            lake=self.lake,
            incidents=self.incidents,
            journal=self.journal_table,
            space=space,
            choose=ChooseLeak(lake=self.lake, baselines=self.baselines),
            copy=CopyReadings(lake=self.lake, baselines=self.baselines, space=space),
            judge=Judge(deviations=self.deviations, space=space, patience=timedelta(minutes=config.patience_minutes)),
            clock=self.clock,
            every=timedelta(days=config.every_days),
            except_for=config.except_for,
        )

    @cached_property
    def backup(self) -> "BackUp":
        """Makes the day's backup."""
        from shared.usecases.keep.backup import BackUp  # noqa: PLC0415

        config = self.settings.backup
        return BackUp(
            rows=self.stored_rows,
            store=self.backups,
            registry=self.registry,
            events=self.events,
            clock=self.clock,
            budget=timedelta(seconds=config.budget_seconds),
            version=__version__,
            on=config.on,
        )

    @cached_property
    def restore(self) -> "Restore":
        """Restores a backup."""
        from shared.usecases.keep.restore import Restore  # noqa: PLC0415

        return Restore(
            rows=self.stored_rows,
            store=self.backups,
            registry=self.registry,
            baselines=self.baselines,
            proof_tests=self.proof_tests_table,
        )

    @cached_property
    def remove_old(self) -> "RemoveOld":
        """Removes what is older than it is kept."""
        from shared.usecases.keep.remove_old import RemoveOld  # noqa: PLC0415

        names = self.settings.storage
        storage = AzureAgedStorage(
            deviations=self.clients.table(names.deviations_table),
            events=self.clients.table(names.events_table),
            journal=self.clients.table(names.journal_table),
            corrupt=self.clients.container(names.corrupt_container),
        )
        return RemoveOld(
            storage=storage,
            registry=self.registry,
            incidents=self.incidents,
            estimations=self.estimations,
            alarms=self.alarms_table,
            clock=self.clock,
            kept=self.kept,
            budget=timedelta(seconds=self.settings.retention.budget_seconds),
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
    def planned_ranges(self) -> "PlannedRanges":
        """Keeps planned operations out of baselines."""
        from shared.usecases.feedback.planned_ranges import PlannedRanges  # noqa: PLC0415

        return PlannedRanges(
            registry=self.registry,
            marks_table=self.marks,
            deviations=self.deviations,
            suppressions=self.suppressions_table,
            messages=self.messages,
            clock=self.clock,
        )

    @cached_property
    def suppressions(self) -> "Suppressions":
        """Shelves, takes out of service and plans."""
        from shared.usecases.alarms.suppressions import Suppressions  # noqa: PLC0415

        return Suppressions(
            table=self.suppressions_table,
            journal=self.journal_table,
            registry=self.registry,
            planned=self.planned_ranges,
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
            notified=self.settings.notify.on,
            backups=self.backups if self.settings.backup.on else None,
        )

    @cached_property
    def alarm_queries(self) -> "AlarmQueries":
        """Reads alarms and the journal."""
        from shared.usecases.queries.alarms import AlarmQueries  # noqa: PLC0415

        return AlarmQueries(
            registry=self.registry,
            table=self.alarms_table,
            journal=self.journal_table,
            suppressions=self.suppressions_table,
            responses=self._responses,
        )

    @cached_property
    def suppression_queries(self) -> "SuppressionQueries":
        """Reads what is shelved, out of service or planned."""
        from shared.usecases.queries.suppressions import SuppressionQueries  # noqa: PLC0415

        return SuppressionQueries(
            registry=self.registry, table=self.suppressions_table, as_of=self.as_of, clock=self.clock
        )

    @cached_property
    def as_of(self) -> "AsOf":
        """Reads what was known at a moment."""
        from shared.usecases.queries.as_of import AsOf  # noqa: PLC0415

        return AsOf(journal=self.journal_table)

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
            registry=self.registry,
            deviations=self.deviations,
            most_samples=self.settings.query.max_samples,
            kept=self.kept,
            clock=self.clock,
        )

    @cached_property
    def sea_queries(self) -> "SeaQueries":
        """Reads the sea at templates, over time."""
        from shared.usecases.queries.sea_series import SeaQueries  # noqa: PLC0415

        longest = timedelta(days=self.settings.query.max_sea_days)
        return SeaQueries(lake=self.lake, registry=self.registry, longest=longest)

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
            statements=self.statements_table,
            proof_tests=self.proof_tests_table,
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
            of_templates=(self.estimations, self.incidents, self.statements_table, self.proof_tests_table),
            events=self.events,
        )

    @cached_property
    def what_if(self) -> "WhatIf":
        """Simulates hypotheses."""
        from shared.usecases.queries.what_if import WhatIf  # noqa: PLC0415

        return WhatIf(lake=self.lake, registry=self.registry)

    @cached_property
    def leak_detections(self) -> "LeakDetections":
        """Tells whether hypotheses would be found."""
        from shared.usecases.queries.leak_detection import LeakDetections  # noqa: PLC0415

        return LeakDetections(
            lake=self.lake,
            registry=self.registry,
            baselines=self.baselines,
            clock=self.clock,
            period=timedelta(days=self.settings.query.detectability_days),
        )

    @cached_property
    def incident_views(self) -> "IncidentViews":
        """Reads all that an incident's page shows."""
        from shared.usecases.queries.incident_views import IncidentViews  # noqa: PLC0415

        return IncidentViews(
            registry=self.registry,
            incidents=self.incidents,
            estimations=self.estimations,
            alarms=self.alarm_queries,
            as_of=self.as_of,
            clock=self.clock,
            kept=self.kept,
        )

    @cached_property
    def handovers(self) -> "Handovers":
        """Reads what a shift hands over."""
        from shared.usecases.queries.handover import Handovers  # noqa: PLC0415

        return Handovers(alarms=self.alarm_queries, views=self.page_views, clock=self.clock)

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
            journal=self.journal_table,
            alarms=self.alarm_queries,
            as_of=self.as_of,
            suppressions=self.suppressions_table,
            baseline_queries=self.baseline_queries,
            clock=self.clock,
        )


@cache
def app() -> Bootstrap:
    """Return this process' wiring."""
    return Bootstrap(settings())
