"""Decisions: all that people said of a sensor's baselines, in the order in which they said it.

The order is that of numbers which are given when a decision is stored, not that of clocks: of two processes one may
be minutes behind. Nothing is written over, so that what was known on any earlier day can be told again.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple

from shared.domain.mark import Mark, MarkVerdict, Span, Undo, Withdrawal
from shared.domain.tsd import ONE_DAY


class Decision(NamedTuple):
    """What a person decided; its place among the sensor's decisions; and since when it is known."""

    number: int  # from 1 on; 0: a release that gave no numbers stored it
    known_on: date  # the first UTC day that begins with it: what a baseline is renewed by is what was known then
    what: Mark | Withdrawal | Undo

    @property
    def place(self) -> tuple[object, ...]:
        """Sorts decisions: by number; those without one come first, by time."""
        return self.number, self.what.made, _KINDS.index(type(self.what)), self.what.model_dump_json()


_KINDS = (Mark, Withdrawal, Undo)


@dataclass(frozen=True)
class Decisions:
    """All decisions about one sensor, in order."""

    all: tuple[Decision, ...] = ()

    @classmethod
    def of(cls, found: Iterable[Decision]) -> "Decisions":
        """Return the decisions in order, however they were found."""
        return cls(tuple(sorted(found, key=lambda one: one.place)))

    def next(self, what: Mark | Withdrawal | Undo, decided_until: date) -> Decision:
        """Return the decision that comes after all others.

        decided_until: the newest UTC day whose baselines were decided. That was without this decision, even where a
        clock that is behind says that it was made before.
        """
        number = self.all[-1].number + 1 if self.all else 1
        return Decision(number, max(what.made.date(), decided_until) + ONE_DAY, what)

    def as_of(self, day: date) -> "Decisions":
        """Return what was known when the UTC day began: all up to the last one known by then."""
        known = [place for place, one in enumerate(self.all, 1) if one.known_on <= day]
        return Decisions(self.all[: max(known, default=0)])

    @cached_property
    def marks(self) -> tuple[Mark, ...]:
        """The marks as they are now, each once, in the order in which they were made last."""
        marks: dict[str, Mark] = {}
        for _, _, what in self.all:
            if isinstance(what, Mark):
                marks.pop(what.id, None)
                marks[what.id] = what
            elif isinstance(what, Withdrawal) and what.mark in marks:
                marks[what.mark] = marks[what.mark].model_copy(update={"undone": what.made})
        return tuple(marks.values())

    @property
    def counting(self) -> tuple[Mark, ...]:
        """The marks that count, in order."""
        return tuple(mark for mark in self.marks if mark.undone is None)

    def mark(self, name: str) -> Mark | None:
        """Return the mark of that id as it is now, or None."""
        return next((one for one in self.marks if one.id == name), None)

    def ranges(self, verdict: MarkVerdict) -> tuple[Span, ...]:
        """Return the ranges with that verdict, in order; a later mark wins over an earlier one where they overlap."""
        painted: list[tuple[Span, MarkVerdict]] = []
        for mark in self.counting:
            new = mark.span
            painted = [(piece, kind) for old, kind in painted for piece in _outside(old, new)] + [(new, mark.verdict)]
        return tuple(sorted(span for span, kind in painted if kind == verdict))

    @property
    def kept_out(self) -> tuple[Span, ...]:
        """The ranges that no baseline may learn from, in order: leaks, and planned operations."""
        return tuple(sorted([*self.ranges("leak"), *self.ranges("planned")]))

    def undone(self) -> frozenset[date]:
        """Return which changes count no more, by the day that they are valid from; the last word counts."""
        last = {one.what.valid_from: one.what.undone for one in self.all if isinstance(one.what, Undo)}
        return frozenset(day for day, undone in last.items() if undone)

    def digest(self) -> str:
        """Return a name of these decisions; empty when there are none."""
        if not self.all:
            return ""
        texts = [f"{number}|{known_on}|{what.model_dump_json()}" for number, known_on, what in self.all]
        return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def decisions_without_number(said: Mark | Undo) -> tuple[Decision, ...]:
    """Return the decisions in what a release that gave no numbers stored: it wrote a withdrawal into its mark."""
    if isinstance(said, Undo) or said.undone is None:
        return (_by_time(said),)
    # A clock that was behind may have stored a withdrawal from before its mark.
    moment = max(said.undone, said.made + timedelta(microseconds=1))
    withdrawal = Withdrawal(sensor=said.sensor, mark=said.id, made=moment)
    return _by_time(said.model_copy(update={"undone": None})), _by_time(withdrawal)


def _by_time(what: Mark | Withdrawal | Undo) -> Decision:
    return Decision(0, what.made.date() + ONE_DAY, what)


def _outside(old: Span, new: Span) -> Iterable[Span]:
    """Return the parts of ``old`` that lie outside ``new``."""
    pieces = (Span(old.start, min(old.end, new.start)), Span(max(old.start, new.end), old.end))
    return [piece for piece in pieces if piece.start < piece.end]
