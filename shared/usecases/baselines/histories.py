"""The baseline histories of a platform's sensors during one run: as they are, and as they were known at any day.

Deriving them is pure: what is made on the way stays in memory, and is stored by whoever keeps a history.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from shared.detection import Baseline, engine_id
from shared.domain.baseline_history import BaselineHistory, Change, Recipe, derive
from shared.domain.decisions import Decisions
from shared.ports import BaselineStore, MarksTable, StoredHistory
from shared.usecases.baselines.recorded_readings import RecordedReadings


class HistoryUpdate(NamedTuple):
    """How a sensor's history changes: what is stored, what follows, the versions made for it, and all decisions."""

    before: StoredHistory
    after: BaselineHistory
    baselines: tuple[Baseline, ...]
    decisions: Decisions


class Histories:
    """Remembers histories, decisions and what was made of recipes; for one run, never longer."""

    def __init__(
        self,
        stored: Mapping[str, StoredHistory],
        marks: MarksTable,
        baselines: BaselineStore,
        readings: RecordedReadings,
    ) -> None:
        """Begin with the stored histories by sensor."""
        self._stored = dict(stored)
        self._marks = marks
        self._baselines = baselines
        self._readings = readings
        self._decisions: dict[str, Decisions] = {}
        self._recipes: dict[str, Recipe] = {}  # by version: of those that were made in this run, and are not stored

    def now(self, sensor: str) -> BaselineHistory:
        """Return the sensor's history as it is now; an empty one while it learns."""
        return self._stored[sensor].history if sensor in self._stored else BaselineHistory()

    def decisions(self, sensor: str, day: date | None = None) -> Decisions:
        """Return what people decided about the sensor: all, or what was known of it when the day began."""
        if sensor not in self._decisions:
            self._decisions[sensor] = self._marks.of(sensor)
        decisions = self._decisions[sensor]
        return decisions if day is None else decisions.as_of(day)

    def known_on(self, sensor: str, day: date) -> BaselineHistory:
        """Return the sensor's history as it was known when the day began, without that day's own change."""
        base = [change for change in self.now(sensor).base if change.valid_from < day]
        return self._derived(sensor, base, {one: self.decisions(one, day) for one in _sources(sensor, base)})

    def update(self, sensor: str, base: Sequence[Change], last_attempt: date | None) -> "HistoryUpdate | None":
        """Return what becomes of the sensor's history by these changes of the lake and all decisions; None: nothing."""
        before = self._stored.get(sensor, StoredHistory(BaselineHistory(), None))
        decisions = {one: self.decisions(one) for one in sorted(_sources(sensor, base))}
        digests = " ".join(f"{one}:{digest}" for one in decisions if (digest := decisions[one].digest()))
        derived = self._derived(sensor, base, decisions)
        after = derived.model_copy(update={"last_attempt": last_attempt, "decisions": digests})
        if after == before.history:
            return None
        known = {change.version for change in before.history.changes} | {""}
        new = dict.fromkeys(change.version for change in after.changes if change.version not in known)
        baselines = tuple(self.baseline(sensor, version) for version in new)
        return HistoryUpdate(before, after, baselines, decisions[sensor])

    def replace(self, sensor: str, stored: StoredHistory) -> None:
        """Go on with a history that was stored just now, and its versions before it: they are read, not made again."""
        self._stored[sensor] = stored
        for change in stored.history.changes:
            self._recipes.pop(change.version, None)

    def baseline(self, sensor: str, version: str) -> Baseline:
        """Return the baseline of a version, made in this run or stored before; raises NotFound or CorruptBlob."""
        recipe = self._recipes.get(version)
        made = None if recipe is None else self._readings.make(recipe)
        return self._baselines.get(sensor, version) if made is None else made

    def _derived(self, sensor: str, base: Sequence[Change], decisions: Mapping[str, Decisions]) -> BaselineHistory:
        """Return the history with its recipes' versions; made are those that are new, or another engine's."""
        history, engine = self.now(sensor), engine_id()
        known = {one.recipe: one.version for one in history.changes} if history.engine == engine else {}
        changes = []
        for change in derive(sensor, base, decisions):
            version = known[change.recipe] if change.recipe in known else self._made(change.recipe)
            changes.append(change.model_copy(update={"version": version}))
        return BaselineHistory(changes=tuple(changes), engine=engine if changes else "")

    def _made(self, recipe: Recipe) -> str:
        """Return the version that the recipe makes; empty where too little is left of it: the sensor is learning."""
        baseline = self._readings.make(recipe)
        if baseline is None:
            return ""
        self._recipes[baseline.version] = recipe
        return baseline.version


def _sources(sensor: str, base: Sequence[Change]) -> set[str]:
    """Return the sensors whose decisions count: its own, and those that its baselines were borrowed from."""
    return {sensor, *(change.recipe.source for change in base)}
