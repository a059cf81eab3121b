"""Baselines: bring each sensor's baseline history up to date, day by day, and score again what is not scored by it."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from shared.detection import engine_id
from shared.domain.baseline_history import BaselineHistory, Change, Recipe, derive
from shared.domain.event import Event, EventKind
from shared.domain.mark import Decisions
from shared.domain.template import Sensor, Template
from shared.domain.tsd import ONE_DAY, start_of
from shared.errors import Conflict, InvalidInput
from shared.ports import Baselines, Deviations, Events, Lake, Marks, Registry, StoredHistory, Watched
from shared.usecases.baselines.recorded_readings import Readings
from shared.usecases.baselines.renewal import Succession, SuccessionRules
from shared.usecases.baselines.rescoring import Sweep
from shared.usecases.baselines.trusted_days import ScoredDays
from shared.usecases.detection.detect import Detect
from shared.usecases.lookup import find_template

logger = logging.getLogger(__name__)

ATTEMPTS = 8
KINDS: dict[str, EventKind] = {
    "built": "baseline_built",
    "selected": "baseline_selected",
    "augmented": "baseline_augmented",
}


@dataclass(frozen=True)
class BuildBaselines:
    """Keeps baseline histories; the same lake and decisions give the same versions from the same days on."""

    lake: Lake
    registry: Registry
    baselines: Baselines
    deviations: Deviations
    marks: Marks
    events: Events
    detect: Detect
    rules: SuccessionRules

    def run(self) -> dict[str, str]:
        """Look after every platform; return what failed, by template, after all had their turn."""
        failed: dict[str, str] = {}
        for watched in self.registry.platforms():
            try:
                errors = self.run_platform(watched.platform.id)
            except Conflict as conflict:
                errors = {watched.platform.id: conflict}
            failed |= {name: f"{type(error).__name__}: {error}" for name, error in errors.items()}
        return failed

    def run_platform(self, platform: str) -> dict[str, Exception]:
        """Look after a platform's templates, in step from day to day; return what failed, by template."""
        templates = [one.id for one in self.registry.platform(platform).platform.templates]
        failed = self._decide(platform, templates)
        for template in templates:
            if template not in failed:
                with _noted(failed, template):
                    self._rescore(platform, template)
        return failed

    def run_template(self, platform: str, template: str) -> None:
        """Bring the histories of the template's sensors up to date, then score what needs it; raises NotFound."""
        find_template(self.registry.platform(platform), template)
        for error in self._decide(platform, [template]).values():
            raise error
        self._rescore(platform, template)

    def _decide(self, platform: str, templates: Sequence[str]) -> dict[str, Exception]:
        for attempt in range(ATTEMPTS):
            try:
                return _Run(self, self.registry.platform(platform)).run(templates)
            except Conflict as conflict:
                logger.info("baselines of %s: %s; reading again", platform, conflict)
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError

    def _rescore(self, platform: str, template: str) -> None:
        watched = self.registry.platform(platform)
        known = find_template(watched, template)
        Sweep(self.deviations, self.detect).run(watched, known, self.lake.days(known))


@contextmanager
def _noted(failed: dict[str, Exception], template: str) -> Iterator[None]:
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

    def __init__(self, do: BuildBaselines, watched: Watched) -> None:
        self._do = do
        self._platform = watched.platform
        self._stored = dict(watched.stored)
        self._readings = Readings(do.lake, watched.platform)
        self._decisions: dict[str, Decisions] = {}

    def run(self, templates: Sequence[str]) -> dict[str, Exception]:
        """Decide for every day that the lake holds, in order; then let people's decisions count."""
        failed: dict[str, Exception] = {}
        known = [one for one in self._platform.templates if one.id in templates]
        days: dict[date, list[tuple[Template, Succession]]] = {}
        for template in known:
            with _noted(failed, template.id):
                held = self._do.lake.days(template)
                for day in held:
                    days.setdefault(day + ONE_DAY, []).append((template, self._succession(template, held[0])))
        for day in sorted(days):
            for template, succession in days[day]:
                if template.id not in failed:
                    with _noted(failed, template.id):
                        self._day(template, succession, day)
        for template in known:
            if template.id not in failed:
                with _noted(failed, template.id):
                    for sensor in template.sensors:
                        history = self._history(sensor.id)
                        self._keep(template, sensor, history.base, history.kept)
        return failed

    def _succession(self, template: Template, begins: date) -> Succession:
        do = self._do
        scored = ScoredDays(template, self._readings, do.baselines, do.deviations)
        return Succession(
            do.rules, self._platform, template, begins, self._readings, scored, do.baselines, self._as_of, self._decided
        )

    def _day(self, template: Template, succession: Succession, day: date) -> None:
        for sensor in template.sensors:
            history = self._history(sensor.id)
            choice = succession.on(sensor.id, day, history) if succession.is_due(sensor.id, day, history) else None
            if choice is None:
                continue
            if choice.recipe is None:
                self._keep(template, sensor, history.base, day)
            else:
                change = Change(valid_from=day, reason=choice.reason, recipe=choice.recipe)
                self._keep(template, sensor, (*history.base, change), history.kept)

    def _keep(self, template: Template, sensor: Sensor, base: Sequence[Change], kept: date | None) -> None:
        """Store the history that the base changes and all decisions lead to, if it differs from the stored one.

        It is written last: until then, a run that died is repeated.
        """
        stored, tag = self._stored.get(sensor.id, StoredHistory(BaselineHistory(), None))
        sources = sorted({sensor.id, *(change.recipe.source for change in base)})
        decisions = {one: self._decided(one) for one in sources}
        changes = self._with_versions(sensor.id, derive(sensor.id, base, decisions))
        new = BaselineHistory(
            changes=changes,
            engine=engine_id() if changes else "",
            kept=kept,
            decisions=" ".join(f"{one}:{digest}" for one in sources if (digest := decisions[one].digest())),
        )
        if new == stored:
            return
        told = {(change.valid_from, change.reason) for change in stored.base}
        for change in new.base:
            if (change.valid_from, change.reason) not in told:
                self._do.events.put(_event(template, sensor, change))
        if new.decisions != stored.decisions:
            for event in decisions[sensor.id].events(template.id):
                self._do.events.put(event)
        self._stored[sensor.id] = StoredHistory(new, self._do.registry.set_history(template, sensor, new, tag))

    def _as_of(self, sensor: str, day: date) -> BaselineHistory:
        """Return the sensor's history as it was known when the day began, without that day's own change."""
        base = [change for change in self._history(sensor).base if change.valid_from < day]
        sources = {sensor, *(change.recipe.source for change in base)}
        decisions = {one: self._decided(one, day) for one in sources}
        changes = self._with_versions(sensor, derive(sensor, base, decisions))
        return BaselineHistory(changes=changes, engine=engine_id() if changes else "")

    def _with_versions(self, sensor: str, changes: Sequence[Change]) -> tuple[Change, ...]:
        """Return the changes with their recipes' versions; made are those that are new, or another engine's."""
        history = self._history(sensor)
        known = {one.recipe: one.version for one in history.changes} if history.engine == engine_id() else {}
        made = {
            change.recipe: known[change.recipe] if change.recipe in known else self._make(sensor, change.recipe)
            for change in changes
        }
        return tuple(change.model_copy(update={"version": made[change.recipe]}) for change in changes)

    def _make(self, sensor: str, recipe: Recipe) -> str:
        try:
            baseline = self._readings.make(recipe)
        except InvalidInput as error:
            logger.warning("%s: %s", sensor, error)
            return ""  # too little is left of it: the sensor is learning
        self._do.baselines.put(sensor, baseline)
        return baseline.version

    def _history(self, sensor: str) -> BaselineHistory:
        return self._stored[sensor].history if sensor in self._stored else BaselineHistory()

    def _decided(self, sensor: str, day: date | None = None) -> Decisions:
        """Return the decisions about the sensor: all, or those before the day began."""
        if sensor not in self._decisions:
            self._decisions[sensor] = self._do.marks.of(sensor)
        decisions = self._decisions[sensor]
        return decisions if day is None else decisions.as_of(start_of(day))


def _event(template: Template, sensor: Sensor, change: Change) -> Event:
    days = change.recipe.whole_days()
    source = "" if change.recipe.source == sensor.id else f" of {change.recipe.source}"
    return Event(
        subject=template.id,
        kind=KINDS[change.reason],
        at=start_of(change.valid_from),
        about=sensor.id,
        message=f"{sensor.id} is scored from {change.valid_from} by {len(days)} days{source}, {days[0]} to {days[-1]}",
    )
