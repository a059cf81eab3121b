"""Feedback: what people say of a sensor's alarms, and what becomes of its baselines by it.

A decision is stored, told as an event, and the template's baselines are asked for; the rest follows from what is
stored. So a crash anywhere is healed by saying it again, or by the daily run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from shared.domain.baseline_history import BaselineHistory, Change
from shared.domain.deviation import Level
from shared.domain.event import decided
from shared.domain.mark import Effect, Mark, Span, Undo, Verdict, check_range
from shared.domain.template import Template
from shared.domain.tsd import to_datetime64, utc
from shared.errors import InvalidInput, NotFound
from shared.ports import Clock, Deviations, Events, Marks, Messages, Registry, StoredMark
from shared.usecases.lookup import look_up_sensor


@dataclass(frozen=True)
class MarkWithEffect:
    """A mark, and what the rows say of its range now."""

    mark: Mark
    after: Effect


@dataclass(frozen=True)
class Feedback:
    """Takes people's decisions about baselines, and shows what they changed."""

    registry: Registry
    marks_table: Marks
    deviations: Deviations
    events: Events
    messages: Messages
    clock: Clock

    def mark(self, sensor: str, span: Span, verdict: Verdict, by: str, note: str) -> Mark:
        """Mark a range of the sensor's readings; raises InvalidInput, NotFound, or Conflict.

        The same mark again changes nothing, unless it was undone: then it counts again, from now on.
        """
        _, template, _ = look_up_sensor(self.registry, sensor)
        now, span = self.clock.now(), Span(utc(span.start), utc(span.end))
        _check(span, now)
        before = self._effect(sensor, span)
        new = Mark(
            sensor=sensor,
            start=span.start,
            end=span.end,
            verdict=verdict,
            by=by,
            note=note,
            made=now,
            before=before,
        )
        stored = self.marks_table.get(sensor, new.id)
        if stored is None or stored.mark.undone is not None:
            self.marks_table.put(new, stored.tag if stored else None)
        else:
            new = stored.mark
        self._follow(template, sensor)
        return new

    def undo_mark(self, sensor: str, mark: str) -> Mark:
        """Let a mark count no more, as if it had never been; raises InvalidInput, NotFound, or Conflict."""
        _, template, _ = look_up_sensor(self.registry, sensor)
        stored = self._stored(sensor, mark)
        undone = stored.mark
        if undone.undone is None:
            undone = undone.model_copy(update={"undone": self.clock.now()})
            self.marks_table.put(undone, stored.tag)
        self._follow(template, sensor)
        return undone

    def undo_baseline(self, sensor: str, valid_from: date, *, undone: bool) -> Change:
        """Let a baseline change count no more, or again; raises InvalidInput or NotFound."""
        watched, template, _ = look_up_sensor(self.registry, sensor)
        found = [one for one in watched.history(sensor).changes if one.valid_from == valid_from]
        if not found:
            raise NotFound(f"{sensor} has no baseline that is valid from {valid_from}")
        change = next((one for one in found if one.reason != "feedback"), None)
        if change is None:
            raise InvalidInput(f"valid_from: the change of {valid_from} comes from a mark; undo the mark instead")
        self._decide(sensor, {valid_from: undone})
        self._follow(template, sensor)
        return change.model_copy(update={"undone": undone})

    def select(self, sensor: str, version: str) -> BaselineHistory:
        """Go back or forth to a version: the lake's changes after it count no more; raises NotFound or InvalidInput.

        Marks go on to count: what they add to the version stays added.
        """
        watched, template, _ = look_up_sensor(self.registry, sensor)
        history = watched.history(sensor)
        days = [change.valid_from for change in history.base if change.version == version]
        if not days:
            raise NotFound(f"{sensor} has no baseline version {version[:64]!r} that the lake led to")
        later = {change.valid_from: True for change in history.base if change.valid_from > max(days)}
        wanted = later | {max(days): False}
        self._decide(sensor, wanted)
        self._follow(template, sensor)
        changes = [one.model_copy(update={"undone": wanted.get(one.valid_from, one.undone)}) for one in history.changes]
        return history.model_copy(update={"changes": tuple(changes)})

    def rebuild(self, sensor: str) -> BaselineHistory:
        """Ask for the sensor's baseline to be brought up to date now; raises InvalidInput or NotFound."""
        watched, template, _ = look_up_sensor(self.registry, sensor)
        self.messages.build_baselines(template)
        return watched.history(sensor)

    def history(self, sensor: str) -> BaselineHistory:
        """Return the sensor's baseline history; raises InvalidInput or NotFound."""
        watched, _, _ = look_up_sensor(self.registry, sensor)
        return watched.history(sensor)

    def marks(self, sensor: str) -> list[MarkWithEffect]:
        """Return the sensor's marks, newest first, with what the rows say now; raises InvalidInput or NotFound."""
        look_up_sensor(self.registry, sensor)
        marks = sorted(self.marks_table.of(sensor).marks, key=lambda mark: (mark.made, mark.id), reverse=True)
        return [MarkWithEffect(mark, self._effect(sensor, Span(mark.start, mark.end))) for mark in marks]

    def get(self, sensor: str, mark: str) -> MarkWithEffect:
        """Return one of the sensor's marks, with what the rows say now; raises InvalidInput or NotFound."""
        look_up_sensor(self.registry, sensor)
        found = self._stored(sensor, mark).mark
        return MarkWithEffect(found, self._effect(sensor, Span(found.start, found.end)))

    def _stored(self, sensor: str, mark: str) -> StoredMark:
        stored = self.marks_table.get(sensor, mark) if mark.isalnum() and mark.isascii() else None
        if stored is None:
            raise NotFound(f"mark {mark[:40]!r} of {sensor} is not stored")
        return stored

    def _decide(self, sensor: str, undone: Mapping[date, bool]) -> None:
        """Store which changes count no more, or again, where that is not what counts already."""
        known = self.marks_table.of(sensor).undone()
        for day, wish in sorted(undone.items()):
            if (day in known) != wish:
                self.marks_table.put_undo(Undo(sensor=sensor, valid_from=day, undone=wish, made=self.clock.now()))

    def _follow(self, template: Template, sensor: str) -> None:
        """Tell of the sensor's decisions, and have the template's baselines follow them."""
        for event in decided(template.id, self.marks_table.of(sensor)):
            self.events.put(event)
        self.messages.build_baselines(template)

    def _effect(self, sensor: str, span: Span) -> Effect:
        """Return what the stored rows say of the range."""
        rows = self.deviations.range(sensor, span.start.date(), (span.end - timedelta(microseconds=1)).date())
        start, end = to_datetime64(span.start), to_datetime64(span.end)
        level, score = np.empty(0, np.int8), np.empty(0, np.float32)
        for row in rows:
            inside = (row.times >= start) & (row.times < end)
            level, score = np.append(level, row.level[inside]), np.append(score, row.score[inside])
        known = score[~np.isnan(score)]
        return Effect(
            ok=int(np.count_nonzero(level == Level.OK)),
            warning=int(np.count_nonzero(level == Level.WARNING)),
            critical=int(np.count_nonzero(level == Level.CRITICAL)),
            undefined=int(np.count_nonzero(level == Level.UNDEFINED)),
            max_score=round(float(known.max()), 4) if known.size else None,
        )


def _check(span: Span, now: datetime) -> None:
    try:
        check_range(span.start, span.end)
    except ValueError as error:
        raise InvalidInput(str(error)) from error
    if span.end > now:
        raise InvalidInput(f"to: must not lie in the future, not {span.end.isoformat()}")
