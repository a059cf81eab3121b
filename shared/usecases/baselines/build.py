"""Baselines: bring each sensor's baseline history up to date, day by day, and score again what is not scored by it.

The daily run asks for each template by a message of its own: templates are looked after one by one, by as many
instances as there are. That may be, because what a day brings a sensor rests on its own template, and of the others
only on what has served there for a month (``SERVED``): they decided that weeks ago.

A function of the platform has ten minutes, and years of a template take longer: when a run's time is used up, what is
left of each template is asked for by a message that says from which day on. What was decided and scored is stored.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from shared.detection import is_newer
from shared.domain.baseline_history import BaselineHistory, Change, first_difference
from shared.domain.event import baseline_changed, decided
from shared.domain.kept import Kept
from shared.domain.template import Sensor, Template
from shared.domain.tsd import ONE_DAY
from shared.errors import Conflict
from shared.ports import (
    BaselineStore,
    Clock,
    DayStore,
    DeviationsTable,
    EventsTable,
    MarksTable,
    MessageQueues,
    Registration,
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

IsOver = Callable[[], bool]  # whether a run's time is used up


class Decided(NamedTuple):
    """What a run decided: what failed, by template, the day that it came to (None: it had none), and if that is all."""

    failed: dict[str, Exception]
    day: date | None
    done: bool


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
    messages: MessageQueues
    clock: Clock
    rules: RenewalRules
    budget: timedelta  # a run begins nothing after so long
    spread: timedelta = timedelta(0)  # over which the daily messages come
    kept: Kept = field(default_factory=Kept)

    def ask(self) -> dict[str, str]:
        """Ask for the baselines of every template, one after the other; return why platforms cannot be read."""
        known = self.registry.platforms()
        templates = [one for record in known for one in record.platform.templates]
        for place, template in enumerate(templates):
            self.messages.build_baselines(template, wait=self.spread * place / len(templates))
        log_event(logger, "baselines asked for", templates=len(templates), unreadable=len(known.unreadable))
        return {name: f"{type(error).__name__}: {error}" for name, error in known.unreadable.items()}

    def run(self) -> dict[str, str]:
        """Look after every platform here and now; return what failed, by template, after all had their turn."""
        deadline = self.clock.now() + self.budget
        known = self.registry.platforms()
        failed = {name: f"{type(error).__name__}: {error}" for name, error in known.unreadable.items()}
        for record in known:
            try:
                errors = self.run_platform(record.platform.id, deadline)
            except Conflict as conflict:
                errors = {record.platform.id: conflict}
            failed |= {name: f"{type(error).__name__}: {error}" for name, error in errors.items()}
        return failed

    def run_platform(self, platform: str, deadline: datetime | None = None) -> dict[str, Exception]:
        """Look after a platform's templates, in step from day to day; return what failed, by template.

        After the deadline nothing is begun: what is left of each template is asked for. None: there is no such time.
        """
        is_over = self._is_over(deadline)
        templates = self.registry.platform(platform).platform.templates
        if is_over():
            for template in templates:
                self._ask_for_rest(template)
            return {}
        failed, day, _ = self._decide(platform, [one.id for one in templates], None, is_over)
        for template in templates:
            if template.id not in failed:
                with _isolated(failed, template.id):
                    if is_over():
                        self._ask_for_rest(template, day)
                    else:
                        self._rescore(platform, template.id, is_over)
        return failed

    def run_template(
        self, platform: str, template: str, decided: date | None = None, scored: date | None = None
    ) -> bool:
        """Bring the histories of the template's sensors up to date, then score what needs it; raises NotFound.

        Returns whether all is done.

        decided, scored: the days that an earlier run came to. When the time is used up, the rest is asked for.
        What a newer detection engine made is left to the release that has it, which is being rolled out.
        """
        record = self.registry.platform(platform)
        engines = {record.history(sensor.id).engine for sensor in find_template(record, template).sensors}
        if any(is_newer(one) for one in engines):
            logger.warning("%s: its baselines come from a newer detection engine, and are left to it", template)
            return False
        is_over = self._is_over(self.clock.now() + self.budget)
        failed, day, done = self._decide(platform, [template], decided, is_over)
        for error in failed.values():
            raise error
        if not done:
            self._ask_for_rest(find_template(record, template), day)
            return False
        if not self._rescore(platform, template, is_over, scored or date.min):
            return False
        log_event(logger, "baselines looked after", template=template)
        return True

    def scored_among(self, days: Iterable[date]) -> list[date]:
        """Return those of the lake's days whose scores are kept, in order."""
        return self.kept.scored_among(days, self.clock.now())

    def _is_over(self, deadline: datetime | None) -> IsOver:
        return lambda: deadline is not None and self.clock.now() >= deadline

    def _decide(self, platform: str, templates: Sequence[str], since: date | None, is_over: IsOver) -> Decided:
        return after_conflicts(
            lambda _: _Run(self, self.registry.platform(platform)).run(templates, since, is_over),
            f"baselines of {platform}",
        )

    def _rescore(self, platform: str, template: str, is_over: IsOver, since: date = date.min) -> bool:
        """Score the template's days that need it, and return whether that is all; those that are left are asked for."""
        record = self.registry.platform(platform)
        known = find_template(record, template)
        rescoring = Rescoring(deviations=self.deviations, detect=self.detect, scored_among=self.scored_among)
        day = rescoring.run(record, known, is_over, since)
        if day is not None:
            self._ask_for_rest(known, self.lake.days(known)[-1] + ONE_DAY, day)
        return day is None

    def _ask_for_rest(self, template: Template, decided: date | None = None, scored: date | None = None) -> None:
        """Put on the queue what the time did not suffice for; days before these are done (None: not known)."""
        log_event(logger, "baselines go on", template=template.id, decided=decided or "none", scored=scored or "none")
        self.messages.build_baselines(template, decided, scored)


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

    def __init__(self, deps: BuildBaselines, record: Registration) -> None:
        self._deps = deps
        self._platform = record.platform
        self._readings = RecordedReadings(deps.lake, record.platform)
        self._histories = Histories(record.stored, deps.marks, deps.baselines, self._readings)

    def run(self, templates: Sequence[str], since: date | None, is_over: IsOver) -> Decided:
        """Decide for every day from ``since`` on that the lake holds, in order; then let people's decisions count.

        However late it is, a day is done, or something stored: who goes on from the day that is returned gets further.
        """
        failed: dict[str, Exception] = {}
        known = [one for one in self._platform.templates if one.id in templates]
        first, day, stored = None, since, False
        for day, template, renewal in self._in_step(known, since, failed):
            first = first or day
            for sensor in template.sensors:
                if template.id in failed or not renewal.is_due(sensor.id, day, self._histories.now(sensor.id)):
                    continue
                if (stored or day > first) and is_over():
                    return Decided(failed, day, done=False)
                with _isolated(failed, template.id):
                    stored |= self._decide(template, renewal, sensor, day)
        for template in known:
            for sensor in template.sensors:
                if template.id in failed:
                    continue
                if (stored or day != first) and is_over():
                    return Decided(failed, day, done=False)
                with _isolated(failed, template.id):
                    history = self._histories.now(sensor.id)
                    stored |= self._keep(template, sensor, history.base, history.last_attempt)
        return Decided(failed, day, done=True)

    def _in_step(
        self, templates: Sequence[Template], since: date | None, failed: dict[str, Exception]
    ) -> Iterator[tuple[date, Template, Renewal]]:
        """Yield the days that follow the lake's days, from ``since`` on, and all templates' before the next day."""
        days: dict[date, list[tuple[Template, Renewal]]] = {}
        for template in templates:
            with _isolated(failed, template.id):
                held = self._deps.scored_among(self._deps.lake.days(template))
                renewal = self._renewal(template, held[0]) if held else None
                for day in held:
                    if renewal and (since is None or day + ONE_DAY >= since):
                        days.setdefault(day + ONE_DAY, []).append((template, renewal))
        for day in sorted(days):
            for template, renewal in days[day]:
                yield day, template, renewal

    def _renewal(self, template: Template, begins: date) -> Renewal:
        rules, readings, histories = self._deps.rules, self._readings, self._histories
        trusted = TrustedDays(template, readings, histories, self._deps.deviations, rules.clear, rules.reach)
        return Renewal(rules, self._platform, template, begins, readings, trusted, histories)

    def _decide(self, template: Template, renewal: Renewal, sensor: Sensor, day: date) -> bool:
        """Decide what the day brings the sensor, and return whether anything was stored."""
        history = self._histories.now(sensor.id)
        choice = renewal.on(sensor.id, day, history)
        if choice is None:
            return False
        if choice.recipe is None:
            return self._keep(template, sensor, history.base, day)
        change = Change(valid_from=day, reason=choice.reason, recipe=choice.recipe)
        return self._keep(template, sensor, (*history.base, change), history.last_attempt)

    def _keep(self, template: Template, sensor: Sensor, base: Sequence[Change], last_attempt: date | None) -> bool:
        """Store the history that the base changes and all decisions lead to, and return whether it was another one.

        First the versions that it names, then what a person should know, and it last: until then, a run that died is
        repeated.
        """
        update = self._histories.update(sensor.id, base, last_attempt)
        if update is None:
            return False
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
        self._uncheck(template, stored, update.after)
        etag = self._deps.registry.set_history(template, sensor, update.after, etag)
        self._histories.replace(sensor.id, StoredHistory(update.after, etag))
        return True

    def _uncheck(self, template: Template, before: BaselineHistory, after: BaselineHistory) -> None:
        """Let nobody believe that days are scored as they should be which another version is to score from now on.

        Before the history is written: if it is taken back later, rows may have been scored by it meanwhile.
        """
        since = first_difference(before, after)
        if since is None:
            return
        checked = self._deps.registry.checked(template)
        if checked.days is not None and (left := checked.days.before(since)) != checked.days:
            self._deps.registry.set_checked(template, left, checked.etag)
