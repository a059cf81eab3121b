"""Draws histories: what happens next, and which port calls of a run are struck, as it goes."""

import random
from dataclasses import dataclass, replace

from chaos import steps
from chaos.faults import CONDITIONAL, READS, Choose, Fault, Kind
from chaos.sea import place
from chaos.stage import BEGUN, LEARNT, PROCESSES, Stage, begun
from chaos.steps import History, Run, Step
from shared.domain.tsd import SLOTS

STEPS = (16, 48)  # of a history
MOST_HOURS = 36.0  # that a history takes
STRUCK = 0.8  # of the runs
CHANCES = (0.3, 0.1, 0.03)  # of a port call to be struck, one of them for a run: early and late calls
LEAKING: tuple[Step, ...] = (  # half of the histories begin in an incident
    steps.Corrected(sensor=1, day=BEGUN[0], first=0, end=60, by=40.0),
    steps.Later(4.0),
    steps.Ingested(),
    steps.Scored(day=BEGUN[0]),
    steps.Estimated(),
)
WRITES_MORE = 6  # as often as reads, of which there are many more
AT_ONCE = 2  # faults in a run
RISES = (40.0, 8.0, -6.0, 1e14)  # ppmv: a leak, what is only just felt, too little, and a sentinel

MARKABLE = 2  # first day that people mark: learnt from


@dataclass
class Drawn:
    """A history, and the stage on which it was played when it was drawn; it has not settled."""

    history: History
    stage: Stage
    faults: list[tuple[str, str]]  # kind, and port and method


def draw(seed: str) -> Drawn:
    """Draw a history and play it; the same seed draws the same one."""
    dice = random.Random(seed)
    stage = begun()
    told: list[Step] = []
    faults: list[tuple[str, str]] = []
    hours = MOST_HOURS
    for step in LEAKING if dice.random() < 0.5 else ():
        stage.play(step)
        told.append(step)
    for _ in range(dice.randint(*STEPS)):
        step = _next(dice, stage, hours)
        if isinstance(step, Run):
            stage.play(step, _choice(dice, stage, step) if dice.random() < STRUCK else None)
            strikes = stage.processes[step.process].strikes
            faults += [(fault.kind, where) for fault, where in strikes.struck]
            step = replace(step, faults=tuple(fault for fault, _ in strikes.struck))
        else:
            stage.play(step)
            hours -= step.hours if isinstance(step, steps.Later) else 0
        told.append(step)
    return Drawn(History(tuple(told), dice.randrange(1000)), stage, faults)


def _choice(dice: random.Random, stage: Stage, run: Run) -> Choose:
    """Return a choice that strikes some calls, and no more at once than it may."""
    chance, left = dice.choice(CHANCES), dice.randint(1, AT_ONCE)

    def choose(call: int, port: str, method: str) -> Fault | None:
        nonlocal left
        if not left or dice.random() >= chance * (1 if method in READS else WRITES_MORE):
            return None
        left -= 1
        kinds: list[Kind] = ["crash before", "crash within", "crash after", "error", "answer lost", "meanwhile"]
        if (port, method) in CONDITIONAL:
            kinds += ["conflict"] * 3
        kind = dice.choice(kinds)
        other = replace(_run(dice, stage), process=1 - run.process) if kind == "meanwhile" else None
        return Fault(kind, call, other)

    return choose


def _next(dice: random.Random, stage: Stage, hours: float) -> Step:
    """Return what happens next: half of it is work, the rest changes what is worked on."""
    if dice.random() < 0.6:
        return _run(dice, stage)
    if dice.random() < 0.2:
        return _person(dice)
    if dice.random() < 0.25:
        taken = dice.choice((1 / 6, 1.0, 2.0, 6.0))
        return steps.Later(taken if taken <= hours else 0.0)
    return _source(dice, stage)


def _run(dice: random.Random, stage: Stage) -> Run:
    process = dice.randrange(PROCESSES)
    messages = stage.world.messages
    weights = (30, 40, 40 if messages.criticals else 2, 15 if messages.baselines else 2, 7)
    kind = dice.choices(("ingest", "score", "estimate", "build", "daily"), weights)[0]
    match kind:
        case "ingest":
            return steps.Ingested(process=process, jump=dice.choices((0, 1, -1), (8, 1, 1))[0])
        case "score":
            waiting = stage.waiting
            other = dice.randint(LEARNT, BEGUN[0] + 1)
            return steps.Scored(process=process, day=dice.choice(waiting) if waiting and dice.random() < 0.8 else other)
        case "estimate":
            return steps.Estimated(process=process, again=dice.random() < 0.2)
        case "build":
            return steps.Built(process=process)
    return steps.Daily(process=process)


def _source(dice: random.Random, stage: Stage) -> Step:
    sensor = dice.randint(1, 2)
    last = place(stage.clock.moment)
    day = last // SLOTS - min(dice.choice((0, 0, 0, 1, 1, 2, 3)), last // SLOTS - LEARNT)
    end = SLOTS if day < last // SLOTS else max(last % SLOTS, 2)
    length = dice.choice((3, 20, 40, 72, SLOTS))
    first = max(0, dice.choice((0, end - length, end - length, end - length, dice.randrange(end))))
    span = (sensor, day, first, min(first + length, end))
    kind = dice.choices(
        ("corrected", "removed", "restored", "held", "released", "anew", "gone", "back", "spoilt"),
        (44, 10, 14, 6, 8, 4, 5, 9, 3),
    )[0]
    match kind:
        case "corrected":
            return steps.Corrected(*span, by=dice.choices(RISES, (12, 2, 1, 2))[0])
        case "removed":
            return steps.Removed(*span)
        case "restored":
            return steps.Restored(sensor, day)
        case "held":
            return steps.Held(sensor)
        case "released":
            return steps.Released(sensor)
        case "anew":
            return steps.MadeAnew(sensor)
        case "spoilt":
            return steps.Spoilt(day, gone=dice.random() < 0.5)
        case "gone":
            return steps.TagGone(sensor, refused=dice.random() < 0.5)
    return steps.TagBack(sensor)


def _person(dice: random.Random) -> Run:
    process, sensor = dice.randrange(PROCESSES), dice.randint(1, 2)
    kind = dice.choices(("mark", "undo", "baseline", "delete", "create"), (30, 20, 15, 12, 23))[0]
    match kind:
        case "mark":
            day, first = dice.randint(MARKABLE, BEGUN[0] - 1), dice.choice((0, 6, 18))
            end = dice.randint(first + 1, 24)
            return steps.Marked(process, (), sensor, day, first, end, dice.choice(("no_leak", "leak")))
        case "undo":
            return steps.MarkUndone(process, (), sensor)
        case "baseline":
            return steps.BaselineUndone(process, (), sensor, dice.random() < 0.6)
        case "delete":
            return steps.Deleted(process, (), sensor)
    return steps.Created(process, (), sensor, dice.random() < 0.4)
