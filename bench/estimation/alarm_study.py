"""How the estimation does on real backgrounds: leaks that are to be CONFIRMED, and false alarms that are not."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
from tqdm import tqdm

from bench.detection.folds import CONTEXT
from bench.estimation.alarms import Alarm, Incident, false_alarms, with_leak
from bench.estimation.backgrounds import BLOCK, Backgrounds
from bench.estimation.figures import quantile, share
from bench.estimation.outcome import Found
from bench.estimation.report import share_words
from bench.estimation.sea_states import SeaStates
from bench.estimation.trial import answered, found
from bench.parallel import mapped
from shared.domain.deviation import Level
from shared.domain.estimation import Verdict

HOURS = (6, 24)  # after the first alarm
COUNT = CONTEXT + BLOCK  # steps of the sea that a block of a background needs
FALSE_ALARMS: dict[Alarm, Level] = {"Critical": Level.CRITICAL, "Warning": Level.WARNING}


@dataclass(frozen=True)
class Options:
    """How many leaks and how many false alarms of each level at most, and with which random numbers."""

    seed: int = 1
    scenarios: int = 100
    jobs: int = 1


@dataclass(frozen=True, eq=False)
class World:
    """What all share: the backgrounds and the currents."""

    backgrounds: Backgrounds
    seas: SeaStates


@dataclass(frozen=True)
class Answered:
    """The verdicts so many hours after the first alarm (``HOURS``), none without one, and what the last one found."""

    kind: Alarm
    verdicts: tuple[Verdict, ...]
    found: Found | None


def study(options: Options, world: World) -> dict[str, Any]:
    """Return the figures of leaks and of false alarms of each level as one document."""
    kinds: tuple[Alarm, ...] = ("leak", *FALSE_ALARMS)
    incidents = [one for kind in kinds for one in _incidents(kind, options, world)]
    answers = list(
        tqdm(mapped(answer, incidents, options.jobs), total=len(incidents), desc="estimations", disable=None)
    )
    return {
        "options": {"seed": options.seed, "scenarios": options.scenarios},
        "sensors": sorted(world.backgrounds.by_sensor),
        "blocks": len(world.backgrounds.blocks),
        "leaks": leaks([one for one in answers if one.kind == "leak"]),
        "false_alarms": {kind: confirmed([one for one in answers if one.kind == kind]) for kind in FALSE_ALARMS},
    }


def _incidents(kind: Alarm, options: Options, world: World) -> list[Incident]:
    """Return the incidents of a kind, each with its own random numbers, of the seed, its kind and its number."""
    backgrounds, seas = world.backgrounds, world.seas
    if kind == "leak":
        return [
            with_leak(backgrounds, seas, np.random.default_rng([options.seed, k])) for k in range(options.scenarios)
        ]
    order = np.random.default_rng(options.seed).permutation(len(backgrounds.blocks)).tolist()
    runs = (
        false_alarms(
            backgrounds.blocks[k], FALSE_ALARMS[kind], backgrounds, seas, np.random.default_rng([options.seed, k])
        )
        for k in order
    )
    return list(islice(chain.from_iterable(runs), options.scenarios))


def answer(incident: Incident) -> Answered:
    """Return what the estimation says of an incident."""
    if incident.first is None:
        return Answered(incident.kind, (), None)
    verdicts, last = [], None
    for hours in HOURS:
        scenario, options = incident.seen_by_estimation(hours)
        said, problem, _ = answered(scenario, options)
        verdicts.append(said.verdict)
        last = found(said, incident.leak, problem.places) if incident.leak else None
    return Answered(incident.kind, tuple(verdicts), last)


def leaks(answers: Sequence[Answered]) -> dict[str, Any]:
    """Return how many leaks are seen and CONFIRMED, and how right the last answer is."""
    last = [one.found for one in answers if one.found is not None]
    return {
        "alarmed": share(sum(bool(one.verdicts) for one in answers), len(answers)),
        **confirmed(answers),
        "rate_90": share(sum(one.rate_within(one.rate_90) for one in last), len(last)),
        "rate_50": share(sum(one.rate_within(one.rate_50) for one in last), len(last)),
        "rate_bias_ln": quantile([one.ln_rate_error for one in last], 0.5),
        "location_median_m": quantile([one.horizontal_m for one in last], 0.5),
        "location_p90_m": quantile([one.horizontal_m for one in last], 0.9),
    }


def confirmed(answers: Sequence[Answered]) -> dict[str, Any]:
    """Return the share CONFIRMED by each of the hours, and of other verdicts at the last."""
    return {
        "confirmed": {
            str(hours): share(sum("CONFIRMED" in one.verdicts[: k + 1] for one in answers), len(answers))
            for k, hours in enumerate(HOURS)
        },
        "external": share(sum(one.verdicts[-1:] == ("EXTERNAL_CAUSE",) for one in answers), len(answers)),
    }


def report(document: dict[str, Any]) -> str:
    """Return the figures as a table of text."""
    options, of_leaks = document["options"], document["leaks"]
    lines = [
        f"real backgrounds: {document['blocks']} blocks of {', '.join(document['sensors'])}; seed {options['seed']}",
        "(shares with their 95 % interval)",
        "",
        f"leaks whose signal exceeds 5 ppmv and 3 deviations of a sensor within a day: {of_leaks['alarmed']['of']}",
        f"  Critical within a day     {share_words(of_leaks['alarmed'])}",
        *_verdicts(of_leaks),
        f"  rate's 90 % interval      {share_words(of_leaks['rate_90'])}",
        f"  rate's 50 % interval      {share_words(of_leaks['rate_50'])}",
        f"  rate's bias               median of ln {of_leaks['rate_bias_ln']:+.2f}",
        f"  place off, horizontally   median {of_leaks['location_median_m']:.2f} m, "
        f"90 % {of_leaks['location_p90_m']:.2f} m",
    ]
    for kind, figures in document["false_alarms"].items():
        lines += ["", f"false {kind}s of a sensor: {figures['confirmed'][str(HOURS[0])]['of']}", *_verdicts(figures)]
    return "\n".join(lines)


def _verdicts(figures: dict[str, Any]) -> list[str]:
    lines = [f"  CONFIRMED within {hours:>2} h       {share_words(one)}" for hours, one in figures["confirmed"].items()]
    return [*lines, f"  EXTERNAL_CAUSE            {share_words(figures['external'])}"]
