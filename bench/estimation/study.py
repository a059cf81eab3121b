"""The whole study: scenarios side by side, then every figure, as one document."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from bench.estimation import machine, sites
from bench.estimation.figures import leaky, time_and_memory, verdicts
from bench.estimation.outcome import Outcome
from bench.estimation.scenarios import TRUTHS, Kind, World
from bench.estimation.size import full_size
from bench.estimation.targets import judged
from bench.estimation.trial import Task, run
from bench.parallel import mapped

KINDS: tuple[Kind, ...] = (
    "model",
    "puffs",
    "self_consistent",
    "none",
    "common",
    "family",
    "varying",
)  # their order is part of every seed
LEAST_LEAKLESS = 20


@dataclass(frozen=True)
class Options:
    """How much is tried, of which truths, and with which random numbers."""

    seed: int = 1
    scenarios: int = 100
    template: sites.Kind = "open"
    truths: tuple[Kind, ...] = TRUTHS["open"]
    jobs: int = 1


def study(options: Options, world: World) -> dict[str, Any]:
    """Return the figures of all truths, of leakless scenarios, of time and memory, and the targets they meet."""
    tasks = tasks_of(options, world)
    outcomes = outcomes_of(tasks, options.jobs)
    document: dict[str, Any] = {
        "options": {**{name: value for name, value in vars(options).items() if name != "jobs"}},
        "machine": machine.description(),
        "currents": "a synthetic tide" if world.sea_states.record is None else "recorded",
        "noise": "of recorded series" if world.noises else "as measured before",
        **figures(outcomes, options.truths),
        "size": full_size() if "self_consistent" not in options.truths else None,
    }
    document["time"]["processes"] = options.jobs
    return {**document, "targets": judged(document)}


def tasks_of(options: Options, world: World) -> list[Task]:
    """Return the scenarios to draw; half as many without a leak and with a common swing, which calibration needs not.

    Each has its own random numbers, of the seed, its kind and its number alone.
    """
    leakless = max(LEAST_LEAKLESS, options.scenarios // 2)
    wanted = dict.fromkeys(options.truths, options.scenarios)
    if "self_consistent" not in options.truths:
        wanted |= {"none": leakless, "common": leakless}
    return [
        Task(kind, world, seed)
        for kind, count in wanted.items()
        for seed in np.random.SeedSequence(options.seed, spawn_key=(KINDS.index(kind),)).spawn(count)
    ]


def outcomes_of(tasks: Sequence[Task], jobs: int) -> list[Outcome]:
    """Return what comes out of every task, in order, with progress on a terminal."""
    return list(tqdm(mapped(run, tasks, jobs), total=len(tasks), desc="scenarios", unit="leak", disable=None))


def figures(outcomes: Sequence[Outcome], truths: Sequence[Kind]) -> dict[str, Any]:
    """Return the figures of each truth, of what is no leak, and of time and memory."""
    of = {kind: [one for one in outcomes if one.kind == kind] for kind in KINDS}
    return {
        "truths": {kind: leaky(of[kind]) for kind in truths},
        "none": verdicts(of["none"]) if of["none"] else None,
        "common": verdicts(of["common"]) if of["common"] else None,
        "time": time_and_memory(outcomes),
    }
