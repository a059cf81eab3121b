"""What each choice of detection is worth: the same folds and leaks, with one choice made otherwise.

python -m bench.detection.variants --data DIR [--seed N] [--injections N] [--jobs N] [--json]
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.detection.comparison import at_budgets
from bench.detection.figures import performance
from bench.detection.recorded_series import read_folder
from bench.detection.report import plain
from bench.detection.rules import Rule, Scorer
from bench.detection.study import Options, all_folds, trials_of
from shared.arrays import Floats, Scores, Times
from shared.detection.baseline import Rates, offset_of
from shared.detection.channels import CHANNELS, Channel, ChannelMatcher, score_of
from shared.detection.latch import LatchState, latch
from shared.detection.regular import forward_fill, regularise
from shared.domain.environment import Environment

BUDGETS = (0.35, 0.7, 1.0, 1.5, 2.0)
RATES = Rates()


def scored_by(channels: Sequence[Channel], held: bool, times: Times, ppmv: Floats) -> Scorer:
    """Return the scorer of these channels, with or without the latch, after a baseline of times [n] and ppmv [n]."""
    series = forward_fill(regularise(times, ppmv).ppmv)
    matchers = [ChannelMatcher(channel, series, offset_of(series)) for channel in channels]
    user_marked = np.zeros(series.size, dtype=bool)
    scales = [matcher.scale(RATES.warning, RATES.critical, user_marked) for matcher in matchers]

    def score(when: Times, values: Floats, since: np.datetime64, _: Environment | None = None, /) -> Scores:
        found = regularise(when, values)
        filled = forward_fill(found.ppmv)
        first = int(np.searchsorted(found.times, since))
        raw = score_of([matcher.ratios(filled)[first:] for matcher in matchers], scales)
        return (latch(raw, found.ppmv, filled, LatchState()).score if held else raw).astype(np.float32)

    return score


def variants() -> dict[str, tuple[Sequence[Channel], bool]]:
    """Return the channels of each variant, and whether its alarms are held."""
    day = next(channel for channel in CHANNELS if channel.name == "day")
    alone = {f"{one.name} alone": ((replace(one, share=1.0),), True) for one in CHANNELS}
    without = {f"without {one.name}": (tuple(other for other in CHANNELS if other != one), True) for one in CHANNELS}
    other_days = {
        "both sides": replace(day, gate="not low"),
        "by its rise": replace(day, head=36, gate="rising"),
        "not centred": replace(day, head=0),
        "ppmv, no logarithm": replace(day, logarithm=False),
        "36 h": replace(day, window=216, head=216),
    }
    return {
        "as it is": (CHANNELS, True),
        "no latch": (CHANNELS, False),
        **alone,
        **without,
        **{f"day alone, {name}": ((replace(one, share=1.0),), True) for name, one in other_days.items()},
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.detection.variants", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with files of the header time,ppmv")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--injections", type=int, default=1, help="of each kind per fold; each has nine amplitudes")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    chosen = parser.parse_args(arguments)
    found = read_folder(chosen.data)
    rules = tuple(
        Rule(name, name, partial(scored_by, channels, held), 1.0, 2.0) for name, (channels, held) in variants().items()
    )
    options = Options(chosen.seed, injections=chosen.injections, jobs=chosen.jobs, gap_folds=0)
    trials = trials_of(all_folds(found, options), found, options, rules)
    document: dict[str, dict[str, Any]] = {
        rule.name: {
            "budgets": [one.summary() for one in at_budgets(trials, rule.name, BUDGETS)],
            "warning": performance(trials, rule.name, 1.0).summary(),
            "critical": performance(trials, rule.name, 2.0).summary(),
        }
        for rule in rules
    }
    print(json.dumps(plain(document)) if chosen.json else _table(document))
    return 0


def _table(document: dict[str, dict[str, Any]]) -> str:
    heads = "".join(f"{f'<= {budget:g}':>8}" for budget in BUDGETS)
    lines = [
        "mean recall % at so many false alarms per sensor-month, and at the fixed Warning and Critical (at how many)",
        f"{'':<32}{heads}{'mean':>8}{'Warning':>16}{'Critical':>16}",
    ]
    for name, figures in document.items():
        recalls = [100 * one["recall"] for one in figures["budgets"]]
        fixed = "".join(
            f"{100 * one['recall']:>9.1f} ({one['false_alarms_per_month']:.2f})"
            for one in (figures["warning"], figures["critical"])
        )
        lines.append(f"{name:<32}{''.join(f'{recall:>8.1f}' for recall in recalls)}{np.mean(recalls):>8.1f}{fixed}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
