"""Plays a history: a sea, an app on fakes that keep bytes, and two processes of it, each with a memory of its own."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from unittest.mock import patch

import numpy as np

from chaos import steps
from chaos.faults import Choose, Strikes, Unavailable, Watched, as_planned
from chaos.sea import DAYS, GONE, LIVELY, Sea, at, day_of, place, usual
from shared import retry
from shared.domain.mark import Span
from shared.domain.template import Sensor
from shared.domain.tsd import SLOTS, PlausibleRange
from shared.errors import LeakDetectionError, NotFound
from shared.usecases.baselines.build import BuildBaselines
from shared.usecases.baselines.renewal import RenewalRules
from shared.usecases.feedback.feedback import Feedback
from shared.usecases.ingestion.ingest import Ingest, IngestRules
from shared.usecases.registration.orphans import RemoveOrphans
from shared.usecases.registration.registrations import Registrations
from shared.usecases.registration.stored_data import StoredData
from tests.support.examples import platform, template
from tests.support.fakes import Crash, FakeClock, FakeDeviations, FakeLake, FakeRecalled, World
from tests.support.learning import computing_once

TEMPLATE = template()
PORTS = (
    *("registry", "lake", "baselines", "deviations", "marks", "incidents", "estimations", "events", "messages"),
    *("journal_table", "alarms_table"),
)
BEGUN = (9, 6.0)  # day and hour at which a history begins: all before was ingested, learnt and scored
LEARNT = LIVELY + 3  # the day from which on the sensors have baselines
PROCESSES = 2
SETTLED = timedelta(hours=26)  # after so long, ingest has looked back as far as it ever does
MOST_ROUNDS = 20
INGEST = IngestRules(
    overlap=timedelta(hours=3),
    backfill=timedelta(days=BEGUN[0]),
    late=timedelta(days=7),
    step=timedelta(days=4),
    budget=timedelta(minutes=4),
    template_budget=timedelta(minutes=4),
    parallel=1,
    plausible=PlausibleRange(0, 50_000),
)
LEARNING = RenewalRules(
    min_days=LIVELY, max_days=400, augment_days=0, borrow=False, rates=(1.0, 0.1), clear=timedelta(hours=12)
)


class NeverDry(Exception):
    """Events go on and on."""


class Process:
    """One process of the app: the use cases on ports that it shares with others, its own memory and clock."""

    def __init__(self, world: World, sea: Sea, meanwhile: Callable[[steps.Run], None], rules: IngestRules) -> None:
        """Begin; it has read nothing yet."""
        self._world, self._rules = world, rules
        self.strikes = Strikes(world.writes, meanwhile)
        self.clock = FakeClock(sea.clock.moment)
        self.app = World()
        self.app.clock = self.clock
        self.source = Watched("source", sea, self.strikes)
        self.start()

    def start(self) -> None:
        """Begin anew: what was only in memory is gone."""
        self.app.recalled = FakeRecalled()
        deviations, lake = FakeDeviations(self._world.writes), FakeLake(self._world.writes)
        deviations.cells, lake.cells, lake.aside = (
            self._world.deviations.cells,
            self._world.lake.cells,
            self._world.lake.aside,
        )
        remembering = {"deviations": deviations, "lake": lake}
        for name in PORTS:
            setattr(self.app, name, Watched(name, remembering.get(name) or getattr(self._world, name), self.strikes))

    @property
    def ingest(self) -> Ingest:
        """Brings the lake up to date."""
        app = self.app
        return Ingest(
            sources={"omnia": self.source},
            lake=app.lake,
            registry=app.registry,
            events=app.told,
            messages=app.messages,
            clock=self.clock,
            rules=self._rules,
        )

    @property
    def build_baselines(self) -> BuildBaselines:
        """Builds baselines."""
        app = self.app
        return BuildBaselines(
            lake=app.lake,
            registry=app.registry,
            baselines=app.baselines,
            deviations=app.deviations,
            marks=app.marks,
            events=app.told,
            detect=app.detect,
            messages=app.messages,
            clock=self.clock,
            rules=LEARNING,
            budget=timedelta(minutes=4),
        )

    @property
    def feedback(self) -> Feedback:
        """Stores people's decisions."""
        app = self.app
        return Feedback(
            registry=app.registry,
            marks_table=app.marks,
            deviations=app.deviations,
            events=app.told,
            messages=app.messages,
            clock=self.clock,
        )

    @property
    def registrations(self) -> Registrations:
        """Creates and deletes sensors."""
        app = self.app
        contents = StoredData(
            lake=app.lake,
            baselines=app.baselines,
            deviations=app.deviations,
            marks=app.marks,
            incidents=app.incidents,
            estimations=app.estimations,
            statements=app.statements,
            proof_tests=app.proof_tests,
            events=app.told,
        )
        return Registrations(registry=app.registry, contents=contents)

    @property
    def remove_orphans(self) -> RemoveOrphans:
        """Removes what belongs to nothing."""
        app = self.app
        return RemoveOrphans(
            registry=app.registry,
            deviations=app.deviations,
            of_sensors=(app.deviations, app.baselines),
            of_templates=(app.estimations, app.incidents, app.statements, app.proof_tests),
            events=app.told,
        )


class Stage:
    """The world of a history, and what is under way in it."""

    def __init__(self, moment: datetime, rules: IngestRules = INGEST) -> None:
        """Begin with a sea, a platform of one template, and nothing ingested."""
        self.world = World()
        self.world.registry.add(platform(TEMPLATE))
        self.sea = Sea(FakeClock(moment))
        for number, sensor in enumerate(TEMPLATE.sensors):
            self.sea.add(sensor.tag, usual(number))
            fresh = usual(number + 10)
            fresh[: place(at(LEARNT))] = np.nan  # another series: it has begun of late
            self.sea.add(f"NEW-{sensor.tag}", fresh)
        self.sea.add("SPEED", 12 + np.sin(np.arange(DAYS * SLOTS) / 12))
        self.sea.add("DIRECTION", np.full(DAYS * SLOTS, 90.0))
        self.processes = [Process(self.world, self.sea, self.meanwhile, rules) for _ in range(PROCESSES)]
        self.surprises: list[str] = []  # what no run may end with
        self.was_ahead = False  # a process's clock
        self.deleted: set[str] = set()  # sensors, whether or not they were created anew
        self._delivered: dict[date, str] = {}

    # --- what is under way

    @property
    def clock(self) -> FakeClock:
        """What time it really is."""
        return self.sea.clock

    @property
    def waiting(self) -> list[int]:
        """The days of which an event is under way, by number."""
        rows = self.world.lake.cells.rows
        return sorted(
            (day - day_of(0)).days for (_, day), (_, etag) in rows.items() if self._delivered.get(day) != etag
        )

    @property
    def sensors(self) -> dict[int, Sensor]:
        """The sensors that are registered now, by number."""
        (known,) = self.world.registry.known["troll"].templates
        return {one.number: one for one in known.sensors}

    def tag(self, sensor: int) -> str:
        """Return the tag that a sensor reads, or read last."""
        return self.sensors[sensor].tag if sensor in self.sensors else TEMPLATE.sensors[sensor - 1].tag

    def heard(self) -> None:
        """Let no event be under way: what the lake holds was scored otherwise."""
        self._delivered = {day: etag for (_, day), (_, etag) in self.world.lake.cells.rows.items()}

    # --- what happens

    def play(self, step: steps.Step, choose: Choose | None = None) -> None:
        """Let a step happen, with its faults, or those that are chosen while it runs."""
        if isinstance(step, steps.Run):
            self._run(step, choose or as_planned(step.faults))
        else:
            self._change(step)

    def meanwhile(self, run: steps.Run) -> None:
        """Let another process work while one does."""
        self.play(run)

    def _run(self, run: steps.Run, choose: Choose) -> None:
        process = self.processes[run.process]
        process.strikes.begin(choose)
        jump = getattr(run, "jump", 0)
        process.clock.moment = self.clock.moment + timedelta(days=jump)
        self.was_ahead |= jump > 0
        try:
            self._work(process, run)
        except Crash:
            process.start()
        except (LeakDetectionError, Unavailable):
            pass  # the host counts it as failed; what led to it comes again
        except Exception as error:
            self.surprises.append(f"{type(run).__name__}: {error!r}")

    def _work(self, process: Process, run: steps.Run) -> None:
        name = TEMPLATE.id
        match run:
            case steps.Ingested():
                self._ingest(process)
            case steps.Scored(day=number):
                day = day_of(number)
                _, etag = self.world.lake.cells.get((name, day))
                process.app.detect.run("troll", name, day)
                if etag is not None:
                    self._delivered[day] = etag
            case steps.Estimated():
                self._estimate(process, again=run.again)
            case steps.Built():
                requests = self.world.messages.baselines
                if requests:
                    process.build_baselines.run_template("troll", requests[0])
                    del requests[:1]
            case steps.Daily():
                failed = process.registrations.finish_deletions() | process.build_baselines.run()
                process.remove_orphans.run()
                if failed:
                    raise Unavailable(str(failed))
            case _:
                self._person(process, run)

    def _ingest(self, process: Process) -> None:
        """Let a tick ask for its shares, and take them; what a crash loses of them is gone with the tick."""
        shares = self.world.messages.shares
        shares.clear()
        process.ingest.ask()
        while shares:
            process.ingest.run_share(shares.pop(0))

    def _estimate(self, process: Process, *, again: bool) -> None:
        messages = self.world.messages.criticals
        if not messages:
            return
        taken = messages[0]
        process.app.estimate.run(taken)
        if not again and taken in messages:
            messages.remove(taken)

    def _person(self, process: Process, run: steps.Run) -> None:
        match run:
            case steps.Deleted(sensor=number):
                self.deleted.add(_id(number))
                process.registrations.delete_sensor(_id(number), force=True)
            case steps.Created(sensor=number):
                sensor = TEMPLATE.sensors[number - 1]
                tag = f"NEW-{sensor.tag}" if run.renamed else sensor.tag
                process.registrations.create_sensor(TEMPLATE.id, sensor.model_copy(update={"tag": tag}))
            case steps.Marked(sensor=number):
                span = Span(at(run.day, run.first), at(run.day, run.end))
                process.feedback.mark(_id(number), span, run.verdict, "A. Person", "")
            case steps.MarkUndone(sensor=number):
                marks = [one for one in self.world.marks.of(_id(number)).marks if one.undone is None]
                if not marks:
                    raise NotFound("nothing is marked")
                process.feedback.undo_mark(_id(number), max(marks, key=lambda one: one.made).id)
            case steps.BaselineUndone(sensor=number):
                process.feedback.undo_baseline(_id(number), day_of(LEARNT), undone=run.undone)
            case _:
                raise AssertionError(run)

    def _change(self, step: steps.Change) -> None:
        if isinstance(step, steps.Later):
            self.clock.moment += timedelta(hours=step.hours)
            return
        if isinstance(step, steps.Spoilt):
            self._spoil(day_of(step.day), gone=step.gone)
            return
        tag = self.tag(step.sensor)
        series = self.sea.series[tag]
        match step:
            case steps.Corrected() | steps.Removed():
                span = slice(step.day * SLOTS + step.first, step.day * SLOTS + step.end)
                by = step.by if isinstance(step, steps.Corrected) else np.nan
                series.readings[span] = self.sea.original[tag][span] + by
            case steps.Restored():
                span = slice(step.day * SLOTS, (step.day + 1) * SLOTS)
                series.readings[span] = self.sea.original[tag][span]
            case steps.Held():
                series.held_from = series.held_from or self.clock.moment
            case steps.Released():
                series.held_from = None
            case steps.MadeAnew():
                series.generation += 1
            case steps.TagGone():
                series.problem = "there are two of them" if step.refused else GONE
            case steps.TagBack():
                series.problem = ""

    def _spoil(self, day: date, *, gone: bool) -> None:
        cells, key = self.world.lake.cells, (TEMPLATE.id, day)
        if gone:
            cells.remove(key)
        elif key in cells.rows:
            cells.set(key, "it is truncated")

    # --- the end

    def settle(self, order: int) -> None:
        """Let ingest look back once more, deliver every event until none is left, and let the daily run go once.

        A clock that was ahead claims a look back that was none, until its time has come; then the next one is due.
        """
        dice = random.Random(order)
        for _ in range(1 + self.was_ahead):
            self.clock.moment += SETTLED
            self.must(steps.Ingested(process=dice.randrange(PROCESSES)))
            self.drain(dice)
        self.must(steps.Daily(process=dice.randrange(PROCESSES)))
        self.drain(dice)

    def drain(self, dice: random.Random | None = None) -> None:
        """Deliver every event until none is left, in order, or as the dice say."""
        for _ in range(MOST_ROUNDS):
            runs: list[steps.Run] = [steps.Scored(day=day) for day in self.waiting]
            runs += [steps.Estimated()] * len(self.world.messages.criticals)
            runs += [steps.Built()] * len(self.world.messages.baselines)
            if not runs:
                return
            if dice:
                dice.shuffle(runs)
            for run in runs:
                self.must(replace(run, process=dice.randrange(PROCESSES)) if dice else run)
        raise NeverDry(f"after {MOST_ROUNDS} rounds: days {self.waiting}, {self.world.messages.lengths()}")

    def must(self, run: steps.Run) -> None:
        """Let a run happen that nothing disturbs: it may not fail."""
        process = self.processes[run.process]
        process.strikes.begin(as_planned(()))
        process.clock.moment = self.clock.moment
        self._work(process, run)


def _id(number: int) -> str:
    return TEMPLATE.sensors[number - 1].id


@cache
def _begun() -> Stage:
    stage = Stage(at(*BEGUN))
    stage.must(steps.Ingested())
    stage.must(steps.Daily())
    stage.drain()
    return stage


def begun() -> Stage:
    """Return a stage on which a week was ingested, learnt and scored; each call another copy."""
    return deepcopy(_begun())


@contextmanager
def quickly() -> Iterator[None]:
    """Compute everything once, and wait for nobody."""
    with computing_once(), patch.object(retry, "LONGEST_WAIT_S", 0.0):
        yield
