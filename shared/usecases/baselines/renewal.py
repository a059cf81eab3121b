"""Renewal: which baseline change a UTC day T brings to a sensor: its first one, a borrowed one, a renewed one.

A decision rests on what could be known at T: readings of the days before it, and decisions of people made before it.
So the same lake and marks lead to the same changes, whenever they are looked at.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from shared.domain.baseline_history import BaselineHistory, Ranges, Reason, Recipe, ranges_of
from shared.domain.platform import Platform
from shared.domain.template import Template
from shared.domain.tsd import ONE_DAY, SLOTS, days_between
from shared.usecases.baselines.histories import Histories
from shared.usecases.baselines.recorded_readings import RecordedReadings
from shared.usecases.baselines.selection import RECENT, PastReadings, choose, spans
from shared.usecases.baselines.trusted_days import TrustedDays

SERVED = timedelta(days=30)  # how long another template's baseline has scored its own sensor before it is lent


@dataclass(frozen=True, kw_only=True)
class RenewalRules:
    """When a sensor gets a baseline of its own, and how it is renewed."""

    min_days: float
    max_days: int
    augment_days: int  # 0: never
    borrow: bool
    rates: tuple[float, float]  # false alarms expected per sensor-month, Warning and Critical
    clear: timedelta  # how long an incident's sensors must be clear for it to be over

    @property
    def reach(self) -> timedelta:
        """How far back a decision looks for days to learn from."""
        return RECENT + timedelta(days=self.max_days)


@dataclass(frozen=True)
class Choice:
    """What a day brings: a recipe to be scored by from that day on (None: the present one stays), and why."""

    recipe: Recipe | None
    reason: Reason


@dataclass(frozen=True)
class Renewal:
    """Decides for the sensors of one template."""

    rules: RenewalRules
    platform: Platform
    template: Template
    begins: date  # the first day that the lake holds of the template
    readings: RecordedReadings
    trusted_days: TrustedDays
    histories: Histories

    def is_due(self, sensor: str, day: date, history: BaselineHistory) -> bool:
        """Return whether the day can bring the sensor a change, as far as its history tells."""
        newest = max((change.valid_from for change in history.base), default=date.min)
        if not _has_own(sensor, history):
            return day > newest
        tried = max(newest, history.last_attempt or date.min)
        return bool(self.rules.augment_days) and day >= tried + timedelta(days=self.rules.augment_days)

    def on(self, sensor: str, day: date, history: BaselineHistory) -> Choice | None:
        """Return what the day brings the sensor; None: nothing, or not yet."""
        yesterday = day - ONE_DAY
        if not self.readings.is_whole(sensor, yesterday):
            return None
        if self.trusted_days.ends_in_alarm(sensor, yesterday):  # a change would hide what goes on
            return None
        if _has_own(sensor, history):
            return self._renewed(sensor, day)
        own = self._first(sensor, day)
        if own is not None:
            return Choice(own, "selected" if history.base else "built")
        borrowed = self._borrowed(sensor, day) if self.rules.borrow and not history.base else None
        return Choice(borrowed, "selected") if borrowed else None

    def _first(self, sensor: str, day: date) -> Recipe | None:
        first = max(self.begins, day - self.rules.reach)
        if (day - RECENT - first).days < self.rules.min_days:
            return None
        decisions, history = self.histories.decisions(sensor, day), self._past(sensor, day, first)
        if not history.judgeable or history.samples(first, day - RECENT) < self.rules.min_days * SLOTS:
            return None
        days = history.clean_days(first, day - RECENT)
        recipe = Recipe(source=sensor, days=ranges_of(days, self.rules.max_days), rates=self.rules.rates)
        recipe = recipe.marked(day, Ranges.of(decisions))
        return choose(spans(recipe, history, self.rules.min_days), self.readings, history)

    def _borrowed(self, sensor: str, day: date) -> Recipe | None:
        """Return the recipe of the first other sensor whose baseline finds nothing amiss: the template's come first.

        Those of other templates must have served for a while: each template is looked after by itself, and what it
        finds must not depend on which of them came first.
        """
        history: PastReadings | None = None
        own = {one.id for one in self.template.sensors}
        for other in self._others(sensor):
            known = self.histories.known_on(other, day).current
            if known is None or known.recipe.source != other or not known.version:
                continue
            if other not in own and known.valid_from > day - SERVED:
                continue
            history = history or self._past(sensor, day, day)
            if not history.judgeable:
                return None
            if history.is_usual_to(self.histories.baseline(other, known.version)):
                return known.recipe
        return None

    def _others(self, sensor: str) -> list[str]:
        templates = [self.template, *(one for one in self.platform.templates if one.id != self.template.id)]
        return [one.id for template in templates for one in template.sensors if one.id != sensor]

    def _renewed(self, sensor: str, day: date) -> Choice | None:
        ruling = self.histories.known_on(sensor, day).current
        if ruling is None or ruling.recipe.source != sensor:
            return None  # a person took its baseline away
        present, decisions = ruling.recipe, self.histories.decisions(sensor, day)
        history = self._past(sensor, day, present.days[0].first)
        if not history.judgeable:
            return None
        days = [*present.whole_days(), *self._fresh(sensor, day, present, history)]
        newer = {"days": ranges_of(days, self.rules.max_days), "rates": self.rules.rates}
        augmented = present.model_copy(update=newer).marked(day, Ranges.of(decisions))
        shorter = [one for one in spans(augmented, history, self.rules.min_days) if one.days != augmented.days]
        chosen = choose([augmented, present, *shorter], self.readings, history)
        if chosen is None:
            return None
        if chosen.days == present.days:
            return Choice(None, "augmented")
        return Choice(chosen, "augmented" if chosen.days == augmented.days else "selected")

    def _past(self, sensor: str, day: date, first: date) -> PastReadings:
        """Return the sensor's readings of [first, day), as the decisions that were known then leave them."""
        return PastReadings.before(day, self.readings, sensor, first, self.histories.decisions(sensor, day))

    def _fresh(self, sensor: str, day: date, present: Recipe, history: PastReadings) -> list[date]:
        """Return the days after the present recipe's, up to the recent ones, that nobody suspects."""
        marked = self.histories.decisions(sensor, day).kept_out
        kept_out = {one for span in marked for one in days_between(span.start, span.end)}
        clean = history.clean_days(max(present.last + ONE_DAY, day - self.rules.reach), day - RECENT)
        trusted = self.trusted_days.trusted(sensor, clean, day)
        return [one for one in clean if one in trusted and one not in kept_out]


def _has_own(sensor: str, history: BaselineHistory) -> bool:
    return any(change.recipe.source == sensor for change in history.base)
