"""The whole of it: leaks and quiet templates played, then every figure, as one document."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from tqdm import tqdm

from bench.chain import judged
from bench.chain.ablations import Ablation
from bench.chain.drawn import Files, leaks_of, quiet_of
from bench.chain.trial import Outcome, Trial, new_alarm, news, run
from bench.detection.figures import alarms, median
from bench.detection.poisson import garwood
from bench.estimation.figures import quantile, share
from bench.parallel import mapped
from shared.arrays import Floats
from shared.detection.channels import CRITICAL_SCORE, WARNING_SCORE
from shared.domain.alarm import Cause

HOURS = (6, 24, 72)  # after the onset
DECADES = (-7, -6, -5, -4, -3)  # whose middles these powers of 10 kg/s are
FINDS: dict[str, judged.Finds] = {"at_budgets": news, "new_alarms_at_budgets": new_alarm}
Choice = Callable[[Outcome], bool]
KINDS: dict[str, Choice] = {
    "recorded together": lambda one: one.trial.task.together,
    "put together": lambda one: not one.trial.task.together,
    "all": lambda _: True,
}


@dataclass(frozen=True)
class Options:
    """How much is played: leaks of each seed, template-months without one, and how often the app looks."""

    files: Files
    seeds: tuple[int, ...] = (1,)
    leaks: int = 100
    months: float = 10.0
    tick_hours: int = 1
    update_hours: int = 3
    estimated: bool = True
    ablations: tuple[Ablation, ...] = ()
    jobs: int = 1


def study(options: Options) -> dict[str, Any]:
    """Return the figures of the chain as it is, and in short of each ablation, as one document."""
    trials = trials_of(options)
    document = document_of(_played(trials, options.jobs))
    document["options"] = {
        "seeds": list(options.seeds),
        "leaks": options.leaks,
        "tick_hours": options.tick_hours,
        "update_hours": options.update_hours,
        "currents": options.files.currents.name if options.files.currents else "a tide",
    }
    document["ablations"] = {
        ablation: summary_of(
            _played([replace(one, ablation=ablation, with_older=False) for one in trials], options.jobs)
        )
        for ablation in options.ablations
    }
    return document


def trials_of(options: Options) -> list[Trial]:
    """Return what is played; raises InvalidInput or OSError for files that cannot be used."""
    files = options.files
    tasks = [one for seed in options.seeds for one in leaks_of(files, seed, options.leaks)]
    tasks += quiet_of(files, options.seeds[0], options.months)
    return [
        Trial(one, tick_hours=options.tick_hours, update_hours=options.update_hours, estimated=options.estimated)
        for one in tasks
    ]


def _played(trials: Sequence[Trial], jobs: int) -> list[Outcome]:
    return list(tqdm(mapped(run, trials, jobs), total=len(trials), desc=trials[0].ablation, disable=None))


def document_of(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return every figure of outcomes with and without a leak."""
    leaks, quiet = judged.parted(outcomes)
    found = {"Critical": judged.found(outcomes, CRITICAL_SCORE), "Warning": judged.found(outcomes, WARNING_SCORE)}
    at_budgets = {
        name: [judged.found_at(outcomes, budget, finds) for budget in judged.BUDGETS] for name, finds in FINDS.items()
    }
    document: dict[str, Any] = {
        "quiet": {name: quiet_figures([one for one in quiet if chosen(one)]) for name, chosen in KINDS.items()},
        "kinds": {name: leak_figures([one for one in leaks if chosen(one)]) for name, chosen in KINDS.items()},
        "alarmed_before": share(sum(one.redrawn for one in leaks), sum(one.redrawn + 1 for one in leaks)),
        "decades": {},
        "rules": {name: _false_alarms(one) for name, one in found.items()},
        "budgets": [
            {"budget": budget, **_false_alarms(one)}
            for budget, one in zip(judged.BUDGETS, at_budgets["at_budgets"], strict=True)
        ],
    }
    for decade in DECADES:
        inside = np.array([decade_of(one) == decade for one in leaks], dtype=bool)
        document["decades"][f"1e{decade}"] = {
            **leak_figures([one for one, mine in zip(leaks, inside, strict=True) if mine]),
            "beside_older": {name: beside(one.ours[inside], one.older[inside]) for name, one in found.items()},
            **{
                name: {
                    "ours": _mean_shares([one.ours[inside] for one in both]),
                    "older": _mean_shares([one.older[inside] for one in both]),
                }
                for name, both in at_budgets.items()
            },
            "one_sensor": shares(
                np.concatenate(
                    [one for one, mine in zip(found["Critical"].alone, inside, strict=True) if mine] or [np.empty(0)]
                )
            ),
        }
    return document


def decade_of(outcome: Outcome) -> int:
    """Return the power of 10 kg/s that a rate is nearest to."""
    return min(max(round(math.log10(outcome.rate_kg_s)), DECADES[0]), DECADES[-1])


def quiet_figures(quiet: Sequence[Outcome]) -> dict[str, Any]:
    """Return the alarms of templates without a leak by kind, each with its interval per template-month."""
    months = sum(one.days for one in quiet) / judged.MONTH_DAYS
    sensor_months = sum(float(one.sensor_days.sum()) for one in quiet) / judged.MONTH_DAYS
    counts = Counter(cause for one in quiet for cause in one.causes)
    alone = sum(alarms(score, CRITICAL_SCORE) for one in quiet for score in one.scored.ours)
    return {
        "templates": len(quiet),
        "months": months,
        "alarms": {cause.value: per_month(counts[cause], months) for cause in Cause},
        "all_alarms": per_month(counts.total(), months),
        "one_sensor": per_month(alone, sensor_months),
    }


def per_month(count: int, months: float) -> dict[str, float]:
    """Return a count, and how many a month that is with its 90 % Poisson interval; NaN of no time."""
    if not months:
        return {"count": count, "value": math.nan, "low": math.nan, "high": math.nan}
    low, high = garwood(count)
    return {"count": count, "value": count / months, "low": low / months, "high": high / months}


def leak_figures(leaks: Sequence[Outcome]) -> dict[str, Any]:
    """Return what people are told of leaks, when, and how right it is when it is CONFIRMED."""
    confirmed = [one.confirmed for one in leaks if one.confirmed is not None]
    told = np.array([one.told_h for one in leaks])
    causes = Counter(one.cause for one in leaks if one.cause is not None)
    warned = np.array([judged.first_hours(one, WARNING_SCORE) for one in leaks])
    return {
        "leaks": len(leaks),
        "found": shares(told),
        "confirmed": shares(np.array([one.confirmed.hours if one.confirmed else math.nan for one in leaks])),
        "causes": {cause.value: share(causes[cause], len(leaks)) for cause in Cause},
        "warning_h": median(warned),
        "critical_h": median(told),
        "confirmed_h": quantile([one.hours for one in confirmed], 0.5),
        "place_median_m": quantile([one.horizontal_m for one in confirmed], 0.5),
        "place_p90_m": quantile([one.horizontal_m for one in confirmed], 0.9),
        "rate_90": share(sum(one.rate_90 for one in confirmed), len(confirmed)),
    }


def shares(hours: Floats) -> dict[str, dict[str, float]]:
    """Return the share of delays [n], NaN: never, that are within each of the hours."""
    return {str(most): share(int(np.count_nonzero(hours <= most)), hours.size) for most in HOURS}


def _false_alarms(found: judged.Judged) -> dict[str, float]:
    return {"false_alarms_per_month": found.false_alarms, "older_false_alarms_per_month": found.older_false_alarms}


def _mean_shares(hours: Sequence[Floats]) -> dict[str, float]:
    """Return the mean share of delays, each [n], that are within each of the hours; NaN of no delays."""
    known = np.array(hours)
    return {str(most): float(np.mean(known <= most)) if known.size else math.nan for most in HOURS}


def beside(ours: Floats, older: Floats) -> dict[str, Any]:
    """Return what two rules find of the same leaks, by delays [n], and how many only one of them finds."""
    return {
        "ours": shares(ours),
        "older": shares(older),
        "only_ours": {str(most): int(np.count_nonzero((ours <= most) & ~(older <= most))) for most in HOURS},
        "only_older": {str(most): int(np.count_nonzero((older <= most) & ~(ours <= most))) for most in HOURS},
        "ours_h": median(ours),
        "older_h": median(older),
    }


def summary_of(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the figures of all leaks and of all quiet templates together."""
    leaks, quiet = judged.parted(outcomes)
    return {"quiet": quiet_figures(quiet), "leaks": leak_figures(leaks)}
