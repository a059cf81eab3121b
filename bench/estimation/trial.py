"""One scenario, estimated and compared with its truth."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from bench.estimation.calibration import rank_among, rank_between
from bench.estimation.leak import TrueLeak
from bench.estimation.machine import peak_mb, reference_s
from bench.estimation.outcome import Found, Outcome, Step
from bench.estimation.scenarios import Kind, Scenario, World, drawn
from shared.arrays import Floats
from shared.domain.estimation import Estimation, RateStep
from shared.estimation import EstimationOptions
from shared.estimation.candidates import Places
from shared.estimation.inversion import build_problem, summarise
from shared.estimation.observed_series import series_of
from shared.estimation.solution import InverseProblem, Solution

HOUR_S = 3600.0
_IMPORTED_MB = peak_mb()


@dataclass(frozen=True, eq=False)
class Task:
    """One scenario to be drawn from its own random numbers."""

    kind: Kind
    world: World
    seed: np.random.SeedSequence


def run(task: Task) -> Outcome:
    """Return what comes out; the same for the same task, wherever it runs."""
    rng = np.random.default_rng(task.seed)
    scenario = drawn(task.kind, task.world, rng)
    reference = reference_s()
    begun = time.perf_counter()
    answer, problem, solution = answered(scenario, EstimationOptions())
    seconds = time.perf_counter() - begun
    leak = scenario.leak
    return Outcome(
        kind=task.kind,
        drawn=scenario.drawn,
        detected=scenario.detected,
        verdict=answer.verdict,
        found=found(answer, leak, problem.places) if leak else None,
        ranks=ranks(problem, solution, leak, rng) if leak else None,
        seconds=seconds,
        ratio=seconds / reference,
        peak_mb=peak_mb() - _IMPORTED_MB,
    )


def answered(scenario: Scenario, options: EstimationOptions) -> tuple[Estimation, InverseProblem, Solution]:
    """Return what ``estimate`` returns, with the whole posterior behind it, which the answer only sums up."""
    series = series_of(scenario.template, scenario.observations, options)
    problem = build_problem(scenario.template, scenario.environment, series, options)
    answer, solution = summarise(problem, options)
    return answer, problem, solution


def found(answer: Estimation, leak: TrueLeak, places: Places) -> Found | None:
    """Return the answer beside the truth; None where it says nothing of a leak."""
    place, rate, onset, mass = answer.place, answer.dissolved_rate_kg_s, answer.onset, answer.dissolved_mass_kg
    if place is None or rate is None or onset is None or mass is None:
        return None
    moments = np.array([one.timestamp() for one in _edges(answer.rate_over_time)])
    rates = leak.mean_rates(moments)
    off = np.array([place.x, place.y, place.z]) - leak.place
    return Found(
        horizontal_m=float(np.hypot(off[0], off[1])),
        distance_m=float(np.linalg.norm(off)),
        place_50=in_region(answer, leak, places, 0.5),
        place_90=in_region(answer, leak, places, 0.9),
        region_90_m3=answer.region_90_m3,
        rate_kg_s=rate.median,
        true_rate_kg_s=leak.rate_kg_s,
        rate_50=(rate.low_50, rate.high_50),
        rate_90=(rate.low_90, rate.high_90),
        onset_error_h=(onset.median.timestamp() - leak.onset_s) / HOUR_S,
        onset_90=onset.low_90.timestamp() <= leak.onset_s <= onset.high_90.timestamp(),
        true_mass_kg=float(rates @ np.diff(moments)),
        mass_kg=mass.median,
        mass_50=(mass.low_50, mass.high_50),
        mass_90=(mass.low_90, mass.high_90),
        steps=tuple(
            Step(one.probability_leaking, (one.dissolved_rate_kg_s.low_90, one.dissolved_rate_kg_s.high_90), true)
            for one, true in zip(answer.rate_over_time, rates.tolist(), strict=True)
        ),
    )


def _edges(steps: Sequence[RateStep]) -> list[datetime]:
    return [steps[0].start, *(one.end for one in steps)]


def in_region(answer: Estimation, leak: TrueLeak, places: Places, share: float) -> bool:
    """Return whether the leak's cell is among the likeliest places that together hold the share, at most 0.9."""
    held = np.cumsum([one.probability for one in answer.places])
    region = answer.places[: int(np.searchsorted(held, share)) + 1]
    cell = _cell(places, leak.place)
    return any(_cell(places, (one.x, one.y, one.z)) == cell for one in region)


def ranks(problem: InverseProblem, solution: Solution, leak: TrueLeak, rng: np.random.Generator) -> dict[str, float]:
    """Return the posterior probability below the true ln rate, onset, x and y."""
    posterior, places = solution.posterior, problem.places
    x, y, _ = _candidate(places, leak.place)
    logs = np.log(solution.rates)
    edges = np.append(logs, 2 * logs[-1] - logs[-2]) - 0.5 * (logs[1] - logs[0])
    return {
        "rate": rank_between(edges, posterior.rate, float(np.log(leak.rate_kg_s))),
        "onset": rank_between(solution.onset_edges, posterior.onset, leak.onset_s),
        "x": rank_among(places.positions[:, 0], posterior.place, x, rng.random()),
        "y": rank_among(places.positions[:, 1], posterior.place, y, rng.random()),
    }


def _cell(places: Places, place: tuple[float, float, float]) -> int:
    """Return the cell that a place is in or nearest to."""
    return int(((places.positions[: places.cells] - place) ** 2).sum(axis=1).argmin())


def _candidate(places: Places, place: tuple[float, float, float]) -> Floats:
    """Return the position [3] of the leak point that a place is, or else of its cell."""
    away = ((places.positions[places.cells :] - place) ** 2).sum(axis=1)
    if away.size and away.min() < 1e-9:
        return np.asarray(places.positions[places.cells + int(away.argmin())])
    return np.asarray(places.positions[_cell(places, place)])
