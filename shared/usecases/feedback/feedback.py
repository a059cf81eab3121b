"""Feedback: what people say of a sensor's alarms, and what becomes of its baselines by it.

A decision is stored, told as an event, and the template's baselines are asked for; the rest follows from what is
stored. So a crash anywhere is healed by saying it again, or by the daily run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from shared.domain.baseline_history import BaselineHistory, Change
from shared.domain.decisions import Decisions
from shared.domain.event import decided
from shared.domain.mark import MOST_MARKS, Effect, GivenVerdict, Mark, Span, Undo, Withdrawal, check_range
from shared.domain.template import Template
from shared.domain.tsd import utc
from shared.errors import InvalidInput, NotFound
from shared.ports import Clock, DeviationsTable, EventsTable, MarksTable, MessageQueues, RegistryTable
from shared.usecases.feedback.decide import Make, decide
from shared.usecases.lookup import look_up_mark, look_up_sensor, mark_of

Guard = Callable[[Mark], None]


def _anything(seen: Mark) -> None:
    """Guard nothing."""


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """Stores people's decisions about a sensor's baselines, and asks for the baselines to follow them."""

    registry: RegistryTable
    marks_table: MarksTable
    deviations: DeviationsTable
    events: EventsTable
    messages: MessageQueues
    clock: Clock

    def mark(self, sensor: str, span: Span, verdict: GivenVerdict, by: str, note: str) -> Mark:
        """Mark a range of the sensor's readings; raises InvalidInput, NotFound, or Conflict.

        The same mark again changes nothing, unless it was undone: then it counts again, from now on.
        """
        _, template, _ = look_up_sensor(self.registry, sensor)
        now, span = self.clock.now(), Span(utc(span.start), utc(span.end))
        _check(span, now)
        before = Effect.of(self.deviations.range(sensor, *span.days), span)
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

        def unless_it_counts(decisions: Decisions) -> Mark | None:
            if any(one.id == new.id for one in decisions.counting):
                return None
            if len(decisions.counting) >= MOST_MARKS:
                raise InvalidInput(f"sensor: has {MOST_MARKS} marks that count, and can have no more; undo some first")
            return new

        self._decide(sensor, unless_it_counts)
        self._queue_update(template, sensor)
        return look_up_mark(self.marks_table, sensor, new.id)

    def undo_mark(self, sensor: str, mark: str, guard: Guard = _anything) -> Mark:
        """Let a mark count no more, as if it had never been; raises InvalidInput, NotFound, or Conflict.

        guard: is shown the mark as it is, and raises what refuses the undoing.
        """
        _, template, _ = look_up_sensor(self.registry, sensor)

        def unless_it_is_undone(decisions: Decisions) -> Withdrawal | None:
            seen = mark_of(decisions, sensor, mark)
            guard(seen)
            if seen.verdict == "planned":
                raise InvalidInput("mark: comes from a planned operation; change or end that instead")
            return None if seen.undone else Withdrawal(sensor=sensor, mark=mark, made=self.clock.now())

        self._decide(sensor, unless_it_is_undone)
        self._queue_update(template, sensor)
        return look_up_mark(self.marks_table, sensor, mark)

    def undo_baseline(self, sensor: str, valid_from: date, *, undone: bool) -> Change:
        """Let a baseline change count no more, or again; raises InvalidInput or NotFound."""
        record, template, _ = look_up_sensor(self.registry, sensor)
        found = [one for one in record.history(sensor).changes if one.valid_from == valid_from]
        if not found:
            raise NotFound(f"{sensor} has no baseline that is valid from {valid_from}")
        change = next((one for one in found if one.reason != "feedback"), None)
        if change is None:
            raise InvalidInput(f"valid_from: the change of {valid_from} comes from a mark; undo the mark instead")
        self._undo(sensor, {valid_from: undone})
        self._queue_update(template, sensor)
        return change.model_copy(update={"undone": undone})

    def select(self, sensor: str, version: str) -> BaselineHistory:
        """Go back or forth to a version: the lake's changes after it count no more; raises NotFound or InvalidInput.

        Marks go on to count: what they add to the version stays added.
        """
        record, template, _ = look_up_sensor(self.registry, sensor)
        history = record.history(sensor)
        days = [change.valid_from for change in history.base if change.version == version]
        if not days:
            raise NotFound(f"{sensor} has no baseline version {version[:64]!r} that the lake led to")
        later = {change.valid_from: True for change in history.base if change.valid_from > max(days)}
        wanted = later | {max(days): False}
        self._undo(sensor, wanted)
        self._queue_update(template, sensor)
        changes = [one.model_copy(update={"undone": wanted.get(one.valid_from, one.undone)}) for one in history.changes]
        return history.model_copy(update={"changes": tuple(changes)})

    def rebuild(self, sensor: str) -> BaselineHistory:
        """Ask for the sensor's baseline to be brought up to date now; raises InvalidInput or NotFound."""
        record, template, _ = look_up_sensor(self.registry, sensor)
        self.messages.build_baselines(template)
        return record.history(sensor)

    def _undo(self, sensor: str, undone: Mapping[date, bool]) -> None:
        """Store which changes count no more, or again, where that is not what counts already."""
        for day, wish in sorted(undone.items()):
            self._decide(sensor, partial(self._unless_so, sensor, day, wish))

    def _unless_so(self, sensor: str, day: date, wish: bool, known: Decisions) -> Undo | None:
        if (day in known.undone()) == wish:
            return None
        return Undo(sensor=sensor, valid_from=day, undone=wish, made=self.clock.now())

    def _decide(self, sensor: str, make: Make) -> None:
        decide(self.registry, self.marks_table, sensor, make)

    def _queue_update(self, template: Template, sensor: str) -> None:
        """Put the events of the sensor's decisions, and ask for the template's baselines to follow them."""
        for event in decided(template.id, self.marks_table.of(sensor)):
            self.events.put(event)
        self.messages.build_baselines(template)


def _check(span: Span, now: datetime) -> None:
    try:
        check_range(span.start, span.end)
    except ValueError as error:
        raise InvalidInput(str(error)) from error
    if span.end > now:
        raise InvalidInput(f"to: must not lie in the future, not {span.end.isoformat()}")
