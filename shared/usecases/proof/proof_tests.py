"""Proof tests: asked for by people or by the schedule, played one at a time, and told once each.

A test is first written down as going on, then copied, judged at every tick until it is over, told, cleared away, and
closed: a run that is cut short anywhere is gone on with by the next one, from what was written down.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.journal import JournalEntry, ProofKind, to_the_second, topic_of_proof
from shared.domain.platform import Platform
from shared.domain.proof_test import PROOF_PLATFORM, WATCHED, Play, ProofTest, ProofTests
from shared.domain.proof_test_words import words_of
from shared.domain.template import Template
from shared.domain.tsd import iso, utc
from shared.errors import Conflict, InvalidInput, NotFound
from shared.ports import (
    Clock,
    DayStore,
    IncidentsTable,
    JournalTable,
    ProofTestsTable,
    RegistryTable,
    StatementsTable,
    StoredProofTests,
)
from shared.retry import after_conflicts
from shared.telemetry import log_event
from shared.usecases.journal.journal import say
from shared.usecases.lookup import look_up_template
from shared.usecases.proof.copy_readings import CopyReadings, newest_of
from shared.usecases.proof.judge import Judge
from shared.usecases.proof.leak_to_find import ChooseLeak, promised_leaks
from shared.usecases.proof.space import ProofSpace

logger = logging.getLogger(__name__)

OLDEST_READING = timedelta(hours=3)  # of readings that are called the newest
AGAIN_AFTER = timedelta(days=1)  # where a test could not be run
OVERDUE = 3  # times the schedule's interval without a test that could be run
KINDS: dict[str, ProofKind] = {
    "passed": "proof_passed",
    "late": "proof_late",
    "failed": "proof_failed",
    "not_run": "proof_not_run",
}


@dataclass(frozen=True, slots=True)
class ProofTestsView:
    """A template's proof tests, and when the schedule asks for the next one; None: never."""

    platform: Platform
    template: Template
    tests: ProofTests
    next: datetime | None


@dataclass(frozen=True, kw_only=True)
class PlayProofTests:
    """Asks for proof tests, plays them, and tells what came of them."""

    table: ProofTestsTable
    statements: StatementsTable
    registry: RegistryTable
    lake: DayStore
    incidents: IncidentsTable
    journal: JournalTable
    space: ProofSpace
    choose: ChooseLeak
    copy: CopyReadings
    judge: Judge
    clock: Clock
    every: timedelta  # zero: on demand alone
    except_for: Sequence[str]

    def view(self, template: str) -> ProofTestsView:
        """Return the template's proof tests; raises NotFound or InvalidInput."""
        record, known = look_up_template(self.registry, template)
        stored = self.table.get(template)
        tests = stored.tests if stored else ProofTests(template=template)
        due = max(self._due(tests), self._now()) if self._is_scheduled(known) else None
        return ProofTestsView(record.platform, known, tests, due)

    def ask(self, template: str, by: str) -> ProofTestsView:
        """Ask for a test, unless one is asked for or goes on; raises NotFound or InvalidInput."""
        look_up_template(self.registry, template)

        def attempt(_: bool) -> None:
            stored = self.table.get(template)
            tests = stored.tests if stored else ProofTests(template=template)
            if tests.now is None:
                asked = ProofTest(template=template, asked=self._now(), by=by)
                self.table.put(tests.model_copy(update={"now": asked}), stored.etag if stored else None)

        after_conflicts(attempt, f"proof test of {template}")
        return self.view(template)

    def run(self) -> None:
        """Go on with the test that goes on, or begin the one that is due; then tell which template failed last.

        What another run does at the same time is left to it.
        """
        known = self.table.all()
        try:
            went_on = self._run(known)
        except Conflict as error:
            log_event(logger, "proof test left to another run", why=error)
            went_on = True
        for stored in self.table.all() if went_on else known:
            last, why = stored.tests.last, self._alarming(stored.tests)
            if last is not None and why:
                log_event(logger, "proof test failed", logging.ERROR, template=last.template, test=last.id, why=why)

    def _alarming(self, tests: ProofTests) -> str:
        """Return why people are to look: the last test failed, or the schedule's have proven nothing for long."""
        last = tests.last
        if last is None or last.state == "failed":
            return last.why if last else ""
        proven = next((one for one in tests.over if one.state != "not_run"), tests.over[-1])
        if last.state == "not_run" and self.every and self._now() - proven.asked > OVERDUE * self.every:
            return f"nothing was proven since {iso(proven.asked)}: {last.why}"
        return ""

    def _run(self, known: Sequence[StoredProofTests]) -> bool:
        """Go on, or begin; return whether there was anything to do."""
        for one in known:
            if one.tests.now is not None and one.tests.now.state != "asked":
                self._go_on(one, one.tests.now)
                return True
        for stored, template in self._waiting(known):
            self._begin(stored, template)
            return True
        return False

    # --- whose turn it is

    def _waiting(self, known: Sequence[StoredProofTests]) -> Iterator[tuple[StoredProofTests, str]]:
        """Yield whose turn it is: what was asked for, the oldest first; then what is due, the longest overdue first."""
        asked = [one for one in known if one.tests.now is not None]
        for one in sorted(asked, key=lambda each: each.tests.now.asked if each.tests.now else self._now()):
            yield one, one.tests.template
        if not self.every:
            return
        stored, now = {one.tests.template: one for one in known}, self._now()
        due = []
        for record in self.registry.platforms():
            here = []
            for template in record.platform.templates:
                one = stored.get(template.id) or StoredProofTests(ProofTests(template=template.id), None)
                if self._is_scheduled(template) and (when := self._due(one.tests)) <= now:
                    here.append((when, template.id, one))
            stated = set(self.statements.subjects(f"{record.platform.id}-")) if here else set()
            due += [one for one in here if one[1] in stated]  # without a statement nothing is promised yet
        for _, template_id, one in sorted(due, key=lambda each: each[:2]):
            yield one, template_id

    def _is_scheduled(self, template: Template) -> bool:
        return bool(self.every) and not {template.id, template.platform} & set(self.except_for)

    def _due(self, tests: ProofTests) -> datetime:
        """Return when the next test is due, after the last one; without one it is due now."""
        last = tests.last
        if last is None:
            return datetime.min.replace(tzinfo=self._now().tzinfo)
        return last.asked + (min(AGAIN_AFTER, self.every) if last.state == "not_run" else self.every)

    # --- a test's life

    def _begin(self, stored: StoredProofTests, template: str) -> None:
        """Write down which leak is played; from then on the test goes on, whatever becomes of this run."""
        test = stored.tests.now or ProofTest(template=template, asked=self._now())
        planned = self._planned(test)
        self._go_on(self._kept(stored, planned), planned)

    def _planned(self, test: ProofTest) -> ProofTest:
        """Return the test with what is to be played, or over because nothing can be, and why."""
        now = self._now()
        try:
            record, template = look_up_template(self.registry, test.template)
        except NotFound as error:
            return test.ended_as("not_run", now, str(error))
        if any(one.incident.open for one in self.incidents.list(template.id, limit=1)):
            return test.ended_as("not_run", now, "an incident is open, so a leak more would prove nothing")
        until = newest_of(self.lake, template, now)
        if until is None or now - until > OLDEST_READING:
            hours = OLDEST_READING // timedelta(hours=1)
            return test.ended_as("not_run", now, f"no sensor has sent anything in the last {hours} h")
        said = self.statements.get(template.id)
        if said is None or not promised_leaks(test, said.statements.newest, template):
            return test.ended_as("not_run", now, "no performance statement promises yet to find any leak")
        try:
            chosen = self.choose.run(test, said.statements.newest, record.platform, template, until - WATCHED)
        except InvalidInput as error:
            return test.ended_as("not_run", now, str(error))
        if chosen is None:
            why = "in the currents of these days no leak that was tried would be carried past a sensor for long enough"
            return test.ended_as("not_run", now, why)
        leak, rate = chosen
        play = Play(
            started=now,
            leak=leak,
            promised_kg_s=rate,
            until=until,
            copied_to=f"{PROOF_PLATFORM}-{utc(now):%Y%m%dt%H%M%S}",
        )
        return test.model_copy(update={"state": "copying", "play": play})

    def _go_on(self, stored: StoredProofTests, test: ProofTest) -> None:
        """Copy and judge, or else tell, clear away and close: whatever is next of a test that goes on."""
        if test.play is not None and test.state == "copying":
            test = self._copied(test, test.play)
            stored = self._kept(stored, test)
        if test.play is not None and test.state == "running":
            test = self._judged(test, test.play)
            stored = self._kept(stored, test)
        if test.ended is not None:
            self._tell(test, test.ended)
            self.space.store.clear()
            self._put(stored, stored.tests.closed())

    def _copied(self, test: ProofTest, play: Play) -> ProofTest:
        try:
            record, template = look_up_template(self.registry, test.template)
            self.space.store.clear()
            self.copy.run(play, record, template)
        except (NotFound, InvalidInput) as error:
            return test.ended_as("not_run", self._now(), str(error))
        return test.model_copy(update={"state": "running"})

    def _judged(self, test: ProofTest, play: Play) -> ProofTest:
        try:
            _, template = look_up_template(self.registry, test.template)
        except NotFound as error:
            return test.ended_as("not_run", self._now(), str(error))
        return self.judge.run(test, play, template, self._now())

    def _tell(self, test: ProofTest, ended: datetime) -> None:
        """Write into the journal what came of it, once."""
        entry = JournalEntry(
            platform=test.template.partition("-")[0],
            subject=test.template,
            topic=topic_of_proof(test.id),
            number=0,
            kind=KINDS[test.state],
            said=to_the_second(ended),
            at=to_the_second(test.play.leak.onset if test.play else test.asked),
            about=test.id,
            message=words_of(test),
            by=test.by,
        )
        say(self.journal, entry)
        log_event(logger, "proof test ended", template=test.template, test=test.id, outcome=test.state)

    def _kept(self, stored: StoredProofTests, test: ProofTest) -> StoredProofTests:
        if test == stored.tests.now:
            return stored
        return self._put(stored, stored.tests.model_copy(update={"now": test}))

    def _put(self, stored: StoredProofTests, tests: ProofTests) -> StoredProofTests:
        return StoredProofTests(tests, self.table.put(tests, stored.etag))

    def _now(self) -> datetime:
        return self.clock.now()
