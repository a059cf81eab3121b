"""Baselines: bring each sensor's baseline history up to date, day by day, and score again what is not scored by it."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from shared.detection import is_newer
from shared.domain.baseline_history import Change
from shared.domain.event import baseline_changed, decided
from shared.domain.template import Sensor, Template
from shared.domain.tsd import ONE_DAY
from shared.errors import Conflict
from shared.ports import (
    BaselineStore,
    DayStore,
    DeviationsTable,
    EventsTable,
    MarksTable,
    PlatformRecord,
    RegistryTable,
    StoredHistory,
)
from shared.retry import after_conflicts
from shared.telemetry import log_event
from shared.usecases.baselines.histories import Histories
from shared.usecases.baselines.recorded_readings import RecordedReadings
from shared.usecases.baselines.renewal import Renewal, RenewalRules
from shared.usecases.baselines.rescoring import Rescoring
from shared.usecases.baselines.trusted_days import TrustedDays
from shared.usecases.detection.detect import Detect
from shared.usecases.lookup import find_template

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class BuildBaselines:
    """Keeps baseline histories; the same lake and decisions give the same versions from the same days on."""

    lake: DayStore
    registry: RegistryTable
    baselines: BaselineStore
    deviations: DeviationsTable
    marks: MarksTable
    events: EventsTable
    detect: Detect
    rules: RenewalRules

    def run(self) -> dict[str, str]:
        """Look after every platform; return what failed, by template, after all had their turn."""
        known = self.registry.platforms()
        failed = {name: f"{type(error).__name__}: {error}" for name, error in known.unreadable.items()}
        for record in known:
            try:
                errors = self.run_platform(record.platform.id)
            except Conflict as conflict:
                errors = {record.platform.id: conflict}
            failed |= {name: f"{type(error).__name__}: {error}" for name, error in errors.items()}
        log_event(logger, "daily run ended", failed=len(failed))
        return failed

    def run_platform(self, platform: str) -> dict[str, Exception]:
        """Look after a platform's templates, in step from day to day; return what failed, by template."""
        templates = [one.id for one in self.registry.platform(platform).platform.templates]
        failed = self._decide(platform, templates)
        for template in templates:
            if template not in failed:
                with _isolated(failed, template):
                    self._rescore(platform, template)
        return failed

    def run_template(self, platform: str, template: str) -> None:
        """Bring the histories of the template's sensors up to date, then score what needs it; raises NotFound.

        What a newer detection engine made is left to the release that has it, which is being rolled out.
        """
        record = self.registry.platform(platform)
        engines = {record.history(sensor.id).engine for sensor in find_template(record, template).sensors}
        if any(is_newer(one) for one in engines):
            logger.warning("%s: its baselines come from a newer detection engine, and are left to it", template)
            return
        for error in self._decide(platform, [template]).values():
            raise error
        self._rescore(platform, template)

    def _decide(self, platform: str, templates: Sequence[str]) -> dict[str, Exception]:
        return after_conflicts(
            lambda _: _Run(self, self.registry.platform(platform)).run(templates), f"baselines of {platform}"
        )

    def _rescore(self, platform: str, template: str) -> None:
        record = self.registry.platform(platform)
        known = find_template(record, template)
        Rescoring(deviations=self.deviations, detect=self.detect).run(record, known, self.lake.days(known))


@contextmanager
def _isolated(failed: dict[str, Exception], template: str) -> Iterator[None]:
    """Keep what fails for one template from the others; a Conflict is everybody's: all is read again."""
    try:
        yield
    except Conflict:
        raise
    except Exception as error:
        logger.exception("baselines of %s failed", template)
        failed[template] = error


class _Run:
    """One attempt; it remembers what it read, never longer."""

    def __init__(self, deps: BuildBaselines, record: PlatformRecord) -> None:
        self._deps = deps
        self._platform = record.platform
        self._readings = RecordedReadings(deps.lake, record.platform)
        self._histories = Histories(record.stored, deps.marks, deps.baselines, self._readings)

    def run(self, templates: Sequence[str]) -> dict[str, Exception]:
        """Decide for every day that the lake holds, in order; then let people's decisions count."""
        failed: dict[str, Exception] = {}
        known = [one for one in self._platform.templates if one.id in templates]
        days: dict[date, list[tuple[Template, Renewal]]] = {}
        for template in known:
            with _isolated(failed, template.id):
                held = self._deps.lake.days(template)
                for day in held:
                    days.setdefault(day + ONE_DAY, []).append((template, self._renewal(template, held[0])))
        for day in sorted(days):
            for template, renewal in days[day]:
                if template.id not in failed:
                    with _isolated(failed, template.id):
                        self._day(template, renewal, day)
        for template in known:
            if template.id not in failed:
                with _isolated(failed, template.id):
                    for sensor in template.sensors:
                        history = self._histories.now(sensor.id)
                        self._keep(template, sensor, history.base, history.last_attempt)
        return failed

    def _renewal(self, template: Template, begins: date) -> Renewal:
        rules, readings, histories = self._deps.rules, self._readings, self._histories
        trusted = TrustedDays(template, readings, histories, self._deps.deviations, rules.clear)
        return Renewal(rules, self._platform, template, begins, readings, trusted, histories)

    def _day(self, template: Template, renewal: Renewal, day: date) -> None:
        for sensor in template.sensors:
            history = self._histories.now(sensor.id)
            choice = renewal.on(sensor.id, day, history) if renewal.is_due(sensor.id, day, history) else None
            if choice is None:
                continue
            if choice.recipe is None:
                self._keep(template, sensor, history.base, day)
            else:
                change = Change(valid_from=day, reason=choice.reason, recipe=choice.recipe)
                self._keep(template, sensor, (*history.base, change), history.last_attempt)

    def _keep(self, template: Template, sensor: Sensor, base: Sequence[Change], last_attempt: date | None) -> None:
        """Store the history that the base changes and all decisions lead to, if it differs from the stored one.

        First the versions that it names, then what a person should know, and it last: until then, a run that died is
        repeated.
        """
        update = self._histories.update(sensor.id, base, last_attempt)
        if update is None:
            return
        for baseline in update.baselines:
            self._deps.baselines.put(sensor.id, baseline)
        stored, etag = update.before
        previous = {(change.valid_from, change.reason) for change in stored.base}
        for change in update.after.base:
            if (change.valid_from, change.reason) not in previous:
                self._deps.events.put(baseline_changed(template, sensor, change))
        if update.after.decisions != stored.decisions:
            for event in decided(template.id, update.decisions):
                self._deps.events.put(event)
        etag = self._deps.registry.set_history(template, sensor, update.after, etag)
        self._histories.replace(sensor.id, StoredHistory(update.after, etag))
