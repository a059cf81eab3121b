"""Planned ranges: what planned operations may have disturbed is kept out of baselines, as a "leak" mark's range is.

The marks follow the operations as they are now. So an operation that is changed, called off, or told of afterwards
leaves no trace but in the decisions' own order; and what a crash left half done, or a sensor that came later lacks, the
next call adds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from shared.domain.decisions import Decisions
from shared.domain.mark import MOST_MARKS, Effect, Mark, Span, Withdrawal
from shared.domain.suppression import Suppression
from shared.domain.template import Template
from shared.errors import InvalidInput
from shared.ports import Clock, DeviationsTable, MarksTable, MessageQueues, RegistryTable, SuppressionsTable
from shared.usecases.feedback.decide import decide
from shared.usecases.lookup import find_template


@dataclass(frozen=True, kw_only=True)
class PlannedRanges:
    """Keeps the marks of planned operations in step with them."""

    registry: RegistryTable
    marks_table: MarksTable
    deviations: DeviationsTable
    suppressions: SuppressionsTable
    messages: MessageQueues
    clock: Clock

    def check_room(self, subject: str) -> None:
        """Raise InvalidInput where a sensor of the template or platform can have no more marks."""
        for template in self._templates(subject):
            for sensor in template.sensors:
                if len(self.marks_table.of(sensor.id).counting) >= MOST_MARKS:
                    raise InvalidInput(f"{sensor.id} has {MOST_MARKS} marks that count, and can have no more")

    def follow(self, subject: str) -> None:
        """Let the decisions of a template's, or a platform's, sensors say what its operations are now; raises NotFound.

        Baselines are asked for where that changes anything.
        """
        for template in self._templates(subject):
            if self._follow_all_of(template):
                self.messages.build_baselines(template)

    def keep_out(self, platform: str, template: str) -> None:
        """Do so for a template whose baselines are about to be built; raises NotFound."""
        self._follow_all_of(find_template(self.registry.platform(platform), template))

    def _follow_all_of(self, template: Template) -> bool:
        """Let the decisions of a template's sensors follow its operations; return whether that changed anything."""
        wanted = self._wanted(template)
        changed = [self._follow(template, sensor.id, wanted) for sensor in template.sensors]
        return any(changed)

    def _templates(self, subject: str) -> Sequence[Template]:
        record = self.registry.platform(subject.partition("-")[0])
        return [one for one in record.platform.templates if subject in (one.id, record.platform.id)]

    def _wanted(self, template: Template) -> Mapping[Span, Suppression]:
        """Return the ranges that operations touch at a template, as they are now, each with one of them."""
        found = (one for one in self.suppressions.of(template.platform) if one.kind == "planned")
        return {one.span: one for one in found if one.span is not None and one.concerns(template.id)}

    def _follow(self, template: Template, sensor: str, wanted: Mapping[Span, Suppression]) -> bool:
        """Store what a sensor's decisions lack of what is wanted, then what they have too much; return if anything."""
        changed = False
        for span, one in sorted(wanted.items(), key=lambda item: item[0]):
            changed |= decide(self.registry, self.marks_table, sensor, partial(self._missing, sensor, span, one))
        for mark in _planned(self.marks_table.of(sensor)):
            if mark.span not in wanted:
                extra = partial(self._extra, template, mark)
                changed |= decide(self.registry, self.marks_table, sensor, extra)
        return changed

    def _missing(self, sensor: str, span: Span, one: Suppression, known: Decisions) -> Mark | None:
        if any(mark.span == span for mark in _planned(known)):
            return None
        return Mark(
            sensor=sensor,
            start=span.start,
            end=span.end,
            verdict="planned",
            by=one.by,
            note=one.reason,
            made=self.clock.now(),
            before=Effect.of(self.deviations.range(sensor, *span.days), span),
        )

    def _extra(self, template: Template, mark: Mark, known: Decisions) -> Withdrawal | None:
        """Return the withdrawal of a mark, unless an operation was planned meanwhile that wants it."""
        if mark not in _planned(known) or mark.span in self._wanted(template):
            return None
        return Withdrawal(sensor=mark.sensor, mark=mark.id, made=self.clock.now())


def _planned(known: Decisions) -> list[Mark]:
    return [mark for mark in known.counting if mark.verdict == "planned"]
