"""What each choice of detection is worth: the same folds and leaks, with one choice made otherwise.

python -m bench.detection.variants --data DIR [--seed N] [--injections N] [--jobs N] [--json]

All are told the measured currents and judged by ``area``, so at thresholds of their own.
"""

import argparse
import json
import sys
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.detection.channel_figures import figures_of
from bench.detection.recorded_series import read_folder
from bench.detection.report import plain
from bench.detection.rules import Rule, Scorer
from bench.detection.scales import Scales, highest, scale_of
from bench.detection.study import Options, all_folds, trials_of
from bench.detection.tally import GROUPS, Tally, area
from shared.arrays import Floats, Scores, Times
from shared.detection import Baseline, Channel, build_baseline, detect
from shared.detection.channels import SCALES, Scale, Threshold, thresholds
from shared.detection.figures import Figures
from shared.domain.environment import Environment
from shared.errors import InvalidInput

NEVER = 1e6, 2e6  # no channel's figure comes near


@dataclass(frozen=True)
class Variant:
    """The channels that may speak, whether alarms are held, and whether half of a scale is the sensor's own."""

    channels: tuple[Channel, ...]
    held: bool = True
    half_own: bool = False


EVERY = (*SCALES, Channel.LEVEL)
VARIANTS = {
    "as it is": Variant(EVERY),
    **{f"{one.word} alone": Variant((one,)) for one in EVERY},
    **{f"without {one.word}": Variant(tuple(other for other in EVERY if other != one)) for one in EVERY},
    "without the latch": Variant(EVERY, held=False),
    "half the sensor's own scale": Variant(EVERY, half_own=True),
}


class Shared:
    """What a baseline's channels find in readings, worked out once for all variants, which are asked one by one."""

    def __init__(self, times: Times, ppmv: Floats) -> None:
        """Build the baseline of times [n] and ppmv [n]."""
        self.baseline = build_baseline(times, ppmv)
        self._asked: tuple[Any, ...] = ()

    def figures(self, *asked: Any) -> Figures:
        """Return the figures of ``figures_of``'s arguments after the baseline."""
        if not (self._asked and all(one is other for one, other in zip(asked, self._asked, strict=True))):
            self._asked, self._found = asked, figures_of(self.baseline, *asked)
        return self._found


def learnt(variant: Variant, times: Times, ppmv: Floats) -> Scorer:
    """Return a variant's scorer after a baseline of times [n] and ppmv [n]."""
    shared = _shared(times.tobytes(), ppmv.tobytes())
    known = shared.baseline
    limits = thresholds(known.rates, known.months, half_own(known) if variant.half_own else SCALES)
    limits = tuple(one if one.channel in variant.channels else Threshold(one.channel, *NEVER) for one in limits)

    def score(when: Times, values: Floats, since: np.datetime64, sea: Environment | None = None, /) -> Scores:
        figures = shared.figures(when, values, since, sea)
        raw = figures.raw(limits, level=Channel.LEVEL in variant.channels)
        return detect(known, when, values, sea, since=since, known=raw).score if variant.held else raw.score

    return score


@lru_cache(maxsize=1)
def _shared(times: bytes, ppmv: bytes) -> Shared:
    return Shared(np.frombuffer(times, "datetime64[s]"), np.frombuffer(ppmv))


def half_own(known: Baseline) -> Scales:
    """Return the scales, each taken to its geometric mean with the baseline's own, as far as there is one.

    The own one is measured on each half of the baseline by the other.
    """
    middle = known.ppmv.size // 2
    halves = [(known.times[part], known.ppmv[part]) for part in (slice(0, middle), slice(middle, None))]
    try:
        found = [_quiet(*one, *other) for one, other in (halves, halves[::-1])]
    except InvalidInput:  # a half holds too little
        return SCALES
    scales = dict[Channel, Scale]()
    for channel, pooled in SCALES.items():
        own = scale_of([highest(one[channel]) for one in found], known.months, least=1)
        ratio = 1.0 if own is None else float(np.sqrt(own.monthly / pooled.monthly))
        scales[channel] = replace(pooled, monthly=ratio * pooled.monthly, growth=ratio * pooled.growth)
    return scales


def _quiet(times: Times, ppmv: Floats, when: Times, values: Floats) -> dict[Channel, Floats]:
    found = figures_of(build_baseline(times, ppmv), when, values, when[0])
    return dict(found.by_channel)


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
    rules = [rule_of(name, one) for name, one in VARIANTS.items()]
    options = Options(chosen.seed, injections=chosen.injections, jobs=chosen.jobs, gap_folds=0)
    trials = trials_of(all_folds(found, options), found, options, rules)
    areas = {rule.name: _areas(Tally.of(trials, rule.name)) for rule in rules}
    print(json.dumps(plain(areas)) if chosen.json else _table(areas))
    return 0


def rule_of(name: str, variant: Variant) -> Rule:
    """Return a variant as a rule that is told the measured currents."""
    return Rule(name, name, partial(learnt, variant), 1.0, 2.0, told="measured")


def _areas(tally: Tally) -> dict[str, float]:
    recalls = tally.recalls(np.ones(tally.months.size))
    return {group: area(recalls, group) for group in GROUPS}


def _table(areas: dict[str, dict[str, float]]) -> str:
    lines = [
        "area: mean recall % over 0.25, 0.5, 1 and 2 false alarms per sensor-month, new alarms only",
        f"{'':<32}" + "".join(f"{group:>14}" for group in GROUPS),
    ]
    for name, groups in areas.items():
        lines.append(f"{name:<32}" + "".join(f"{100 * one:>14.1f}" for one in groups.values()))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
