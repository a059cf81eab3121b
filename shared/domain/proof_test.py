"""A proof test: a simulated leak in a copy of the readings goes the way of the data, and is held against the promise.

The copy is of a platform of its own, which nobody can register. What is made of it lies in tables of its own.
"""

from datetime import datetime, timedelta
from typing import Literal, Self

from pydantic import AwareDatetime, Field

from shared.domain.leak import Leak
from shared.domain.template import TEMPLATE_PATTERN
from shared.domain.tsd import utc
from shared.domain.validation import Model

PROOF_PLATFORM = "proof"
PROMISED_WITHIN = timedelta(hours=24)  # the statement's map is of leaks that are Critical within a day
WATCHED = 2 * PROMISED_WITHIN  # after the onset: a leak that is found in the second day is found late
# The statement promises to find one leak in ten less than surely at its smallest rate, and all of them at larger ones
# (python -m bench.statement): a test that fails says something, since none fails by chance.
TIMES_PROMISED = 3.0
MOST_KEPT = 60  # tests of a template

Outcome = Literal["passed", "late", "failed", "not_run"]
State = Literal["asked", "copying", "running"] | Outcome
OUTCOMES: tuple[Outcome, ...] = ("passed", "late", "failed", "not_run")


class Play(Model):
    """What is played: the leak, what is promised of it, and where the copy of the readings up to ``until`` lies."""

    started: AwareDatetime
    leak: Leak
    promised_kg_s: float  # the smallest rate that is promised to be found at its place
    until: AwareDatetime
    copied_to: str = Field(pattern=TEMPLATE_PATTERN)  # a template of the platform of proof tests


class ProofTest(Model):
    """One test of a template, from when it was asked for until it is known what came of it."""

    template: str = Field(pattern=TEMPLATE_PATTERN)
    asked: AwareDatetime
    by: str = ""  # who asked for it; empty: the schedule
    state: State = "asked"
    why: str = ""  # it failed, or was not run
    ended: AwareDatetime | None = None
    play: Play | None = None  # None: nothing is played yet, or could be
    found_after_h: float | None = None  # from the onset to the first Critical that the readings alone do not have
    sensor: str = ""  # that was Critical first
    verdict: str = ""  # of the estimation
    place_off_m: float | None = None  # horizontally
    rate_held: bool | None = None  # by the estimation's 90 % interval

    @property
    def id(self) -> str:
        """Names the test: no template is asked twice within a second."""
        return f"{self.template}-{utc(self.asked):%Y%m%dT%H%M%SZ}"

    @property
    def over(self) -> bool:
        """Whether it is known what came of it."""
        return self.state in OUTCOMES

    def ended_as(self, outcome: Outcome, at: datetime, why: str = "") -> Self:
        """Return it with what came of it."""
        return self.model_copy(update={"state": outcome, "ended": at, "why": why})


class ProofTests(Model):
    """A template's test that is asked for or goes on, if any, and those that are over, newest first."""

    template: str = Field(pattern=TEMPLATE_PATTERN)
    now: ProofTest | None = None
    over: tuple[ProofTest, ...] = ()

    @property
    def last(self) -> ProofTest | None:
        """The newest one of which it is known what came of it."""
        return self.over[0] if self.over else None

    def closed(self) -> Self:
        """Return them with the one that goes on among those that are over."""
        kept = (self.now, *self.over) if self.now else self.over
        return self.model_copy(update={"now": None, "over": kept[:MOST_KEPT]})
