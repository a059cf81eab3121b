"""Shelves templates, takes sensors out of service and plans operations; each word is in the journal first.

Then the row follows (``shared/usecases/journal/steps.py``). A template is shelved once, and a sensor out of service
once: who says it again, in other words, renews it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import AwareDatetime

from shared.domain.journal import Evidence, JournalEntry, SuppressionStepKind, to_the_second, topic_of_suppression
from shared.domain.suppression import (
    Ending,
    OperationKind,
    Suppression,
    SuppressionReason,
    SuppressionState,
    check_operation,
    check_until,
    operation_id,
    suppression_id,
)
from shared.domain.template import PLATFORM_PATTERN
from shared.domain.tsd import iso
from shared.domain.validation import Model, parse_given
from shared.errors import Exists, InvalidInput, NotFound
from shared.ports import Clock, JournalTable, RegistryTable, StoredSuppression, SuppressionsTable
from shared.retry import after_conflicts
from shared.telemetry import log_event
from shared.usecases.feedback.planned_ranges import PlannedRanges
from shared.usecases.journal.steps import append_step
from shared.usecases.lookup import check_id, look_up_sensor, look_up_template

logger = logging.getLogger(__name__)

Guard = Callable[[Suppression], None]


class OperationChange(Model):
    """What of a planned operation is to be other than it is; None: as it is."""

    operation: OperationKind | None = None
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    reason: SuppressionReason | None = None


class Step(NamedTuple):
    """A step in a suppression's life: what it is after it, and what is said of it."""

    suppression: Suppression
    kind: SuppressionStepKind
    message: str
    at: datetime  # what it is about
    by: str


@dataclass(frozen=True, kw_only=True)
class Suppressions:
    """What people say of which alarms shall call nobody."""

    table: SuppressionsTable
    journal: JournalTable
    registry: RegistryTable
    planned: PlannedRanges
    clock: Clock

    def shelve(self, template: str, until: datetime, reason: str, by: str) -> Suppression:
        """Shelve a template's alarms until then, or renew that; raises NotFound, InvalidInput or Conflict."""
        record, known = look_up_template(self.registry, template)
        name = suppression_id("shelved", known.id)
        return self._renew(
            name, until, kind="shelved", platform=record.platform.id, template=known.id, reason=reason, by=by
        )

    def take_out_of_service(self, sensor: str, until: datetime, reason: str, by: str) -> Suppression:
        """Take a sensor out of service until then, or renew that; raises NotFound, InvalidInput or Conflict."""
        record, template, known = look_up_sensor(self.registry, sensor)
        where = {"platform": record.platform.id, "template": template.id, "sensor": known.id}
        name = suppression_id("out_of_service", known.id)
        return self._renew(name, until, kind="out_of_service", **where, reason=reason, by=by)

    def plan(
        self, subject: str, operation: OperationKind, start: datetime, end: datetime, reason: str, by: str
    ) -> Suppression:
        """Plan an operation at a template or a platform; raises NotFound, InvalidInput, Exists or Conflict.

        The same again changes nothing, unless it was ended: then it counts again. It may be told of afterwards.
        """
        template = self._find(subject)
        start, end = to_the_second(start), to_the_second(end)
        name = operation_id(subject, operation, start, end, reason)

        def step(known: Suppression | None, now: datetime) -> Step | None:
            check_operation(start, end, now)
            if known is not None and name != _content_id(known):
                raise Exists("this operation was planned before, and changed since; change it instead")
            if known is not None and known.ended is None:
                return None
            self.planned.check_room(subject)
            new = parse_given(
                Suppression,
                {
                    "id": name,
                    "kind": "planned",
                    "platform": subject.partition("-")[0],
                    "template": template,
                    "operation": operation,
                    "start": start,
                    "end": end,
                    "reason": reason,
                    "by": by,
                    "said": now,
                },
                "operation",
            )
            return Step(new, "operation_planned", _told(new), start, by)

        found = self._take(name, step)
        self.planned.follow(subject)
        return found

    def change(self, name: str, change: OperationChange, by: str, guard: Guard) -> Suppression:
        """Change a planned operation: all of it before it begins, its end and reason while it goes on.

        guard: is shown it as it is. Raises NotFound, InvalidInput, Conflict, or what ``guard`` raises.
        """
        given = {key: value for key, value in change if value is not None}
        given |= {key: to_the_second(value) for key, value in given.items() if isinstance(value, datetime)}

        def step(known: Suppression | None, now: datetime) -> Step | None:
            if known is None:
                return None
            guard(known)
            if known.kind != "planned":
                raise InvalidInput("only a planned operation is changed; shelve, or take out of service, again")
            new = known.model_copy(update=given)
            if new == known:
                return None
            state = known.state(now)
            if state is SuppressionState.OVER:
                raise InvalidInput(f"the operation is over since {iso(known.until)}, and stays what it was")
            if state is SuppressionState.IN_FORCE:
                if (new.start, new.operation) != (known.start, known.operation):
                    raise InvalidInput("from: the operation has begun; only its end and its reason can be changed")
                if new.end <= now:
                    raise InvalidInput(f"to: must lie in the future, not {iso(new.end)}; or end it now")
            check_operation(new.start, new.end, now)
            return Step(new, "operation_changed", f"changed: {_told(new)}", new.start, by)

        return self._changed(name, step)

    def end(self, name: str, by: str, guard: Guard) -> Suppression:
        """End it now, or call it off before it begins; what is over stays as it is.

        guard: is shown it as it is. Raises NotFound, InvalidInput, Conflict, or what ``guard`` raises.
        """

        def step(known: Suppression | None, now: datetime) -> Step | None:
            if known is None:
                return None
            guard(known)
            state = known.state(now)
            if state is SuppressionState.OVER:
                return None
            over = parse_given(Ending, {"by": by, "at": now}, "ending")
            word = "called off" if state is SuppressionState.PLANNED else "ended"
            after = known.model_copy(update={"ended": over})
            return Step(after, "suppression_ended", f"{word}: {_told(known)}", now, by)

        return self._changed(name, step)

    def _find(self, subject: str) -> str:
        """Return the template of that id, empty for a platform's; raises NotFound or InvalidInput."""
        if "-" in subject:
            return look_up_template(self.registry, subject)[1].id
        check_id("platform", subject, PLATFORM_PATTERN)
        self.registry.platform(subject)
        return ""

    def _renew(self, name: str, until: datetime, **given: Any) -> Suppression:
        """Say that something is suppressed from now on until then, unless that is what was said last."""
        end = to_the_second(until)

        def step(known: Suppression | None, now: datetime) -> Step | None:
            goes_on = known if known is not None and known.in_force(now) else None
            if goes_on is not None and (goes_on.end, goes_on.reason, goes_on.by) == (end, given["reason"], given["by"]):
                return None
            check_until(given["kind"], end, now)
            begun = goes_on.start if goes_on is not None else now
            new = parse_given(
                Suppression, {"id": name, "start": begun, "end": end, "said": now, **given}, given["kind"]
            )
            return Step(new, given["kind"], _told(new), now, new.by)

        return self._take(name, step)

    def _changed(self, name: str, decide: Callable[[Suppression | None, datetime], Step | None]) -> Suppression:
        found = self._take(name, decide)
        if found.kind == "planned":
            self._follow_if_registered(found.subject)
        return found

    def _follow_if_registered(self, subject: str) -> None:
        try:
            self.planned.follow(subject)
        except NotFound:  # of a platform that was deleted: there are no baselines to keep it out of
            log_event(logger, "planned ranges dropped", logging.WARNING, subject=subject)

    def _take(self, name: str, decide: Callable[[Suppression | None, datetime], Step | None]) -> Suppression:
        """Take the step that ``decide`` makes of it as it is, if any, and return it as it is then; raises NotFound."""

        def attempt(_: bool) -> Suppression:
            stored = self.table.get(name)
            now = to_the_second(self.clock.now())
            step = decide(stored.suppression if stored else None, now)
            if step is not None:
                self._write(stored, step, now)
                return step.suppression
            if stored is None:
                raise NotFound(f"suppression {name!r} is not stored")
            return stored.suppression

        return after_conflicts(attempt, f"suppression {name}")

    def _write(self, stored: StoredSuppression | None, step: Step, now: datetime) -> None:
        """Write the step into the journal, then into the row; raises Conflict."""
        one = step.suppression
        entry = JournalEntry(
            platform=one.platform,
            subject=one.subject,
            topic=topic_of_suppression(one.id),
            number=stored.entries if stored else 0,
            kind=step.kind,
            said=now,
            at=to_the_second(step.at),
            about=one.sensor or one.subject,
            message=step.message,
            by=step.by,
            withdrawn=step.kind == "suppression_ended",
        )
        append_step(
            self.journal,
            entry,
            Evidence(one.model_dump_json()),
            lambda last, state: self._follow(stored, last, Suppression.from_json(state)),
        )
        log_event(logger, "suppression", kind=step.kind, suppression=one.id, about=entry.about)
        self._follow(stored, entry, one)

    def _follow(self, stored: StoredSuppression | None, entry: JournalEntry, one: Suppression) -> None:
        """Let the row say what an entry led to; raises Conflict."""
        self.table.put(StoredSuppression(one, entry.number + 1, stored.etag if stored else None))


def _content_id(one: Suppression) -> str:
    """Return the name that an operation would have if it were planned as it is now."""
    return operation_id(one.subject, one.operation or "", one.start, one.end, one.reason)


def _told(one: Suppression) -> str:
    """Return what is said of it, with why."""
    when = f"from {iso(one.start)} to {iso(one.end)}" if one.kind == "planned" else f"until {iso(one.end)}"
    return f"{one.title} {when}: {one.reason}"
