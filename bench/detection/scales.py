"""How rare each channel's figures are at such sensors: the scales in ``shared.detection.channels``, measured.

python -m bench.detection.scales --data DIR [--seed N] [--jobs N] [--json]

What is measured on are leak-free parts of recorded series that their baseline does not hold: the folds, and the folds
the other way round, where what was evaluated holds enough to be the baseline of what was the baseline. Known rises are
left out, exact zeros missing. Under each part runs the record of currents from a random moment on.

Of figures less than 24 h apart the highest counts. Their tail is taken as exponential: above the figure that is
exceeded 3 times a month, the mean excess is the growth per factor e rarer.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.detection.channel_figures import figures_of
from bench.detection.currents import Currents, currents_of
from bench.detection.folds import CONTEXT, DAY, MONTH, Fold, folds_of
from bench.detection.known import in_known_rise
from bench.detection.recorded_series import Folder, Recorded, read_folder
from bench.parallel import mapped
from shared.arrays import BUCKET_STEP, Flags, Floats, Times
from shared.detection import Channel, build_baseline
from shared.detection.channels import SCALES, Scale

Scales = Mapping[Channel, Scale]

TAIL_A_MONTH = 3.0
LEAST_IN_TAIL = 6  # figures; of fewer nothing can be said
MERGED_WITHIN = DAY
FOLDS = 5  # per sensor, so that no long series decides alone
LEAST_BASELINE = 18 * DAY  # bins with data, where a fold is turned round


@dataclass(frozen=True, eq=False)
class Part:
    """A baseline, times and ppmv [n], and leak-free readings that it does not hold [CONTEXT + k], ``counted`` [k]."""

    sensor: str
    number: int
    baseline: tuple[Times, Floats]
    evaluated: tuple[Times, Floats]
    counted: Flags


@dataclass(frozen=True, eq=False)
class Peaks:
    """A part's months, and by channel its highest figures, 24 h apart, falling."""

    sensor: str
    months: float
    figures: Mapping[Channel, Floats]


def parts_of(recorded: Recorded) -> list[Part]:
    """Return the folds of a series, and those that can be turned round."""
    folds = folds_of(recorded, FOLDS)
    return [part for fold in folds for part in (_forward(fold), _turned(fold, recorded)) if part is not None]


def _forward(fold: Fold) -> Part:
    known, later = slice(None, fold.split), slice(fold.split - CONTEXT, None)
    return Part(
        fold.sensor,
        2 * fold.number,
        (fold.times[known], fold.ppmv[known]),
        (fold.times[later], fold.ppmv[later]),
        fold.counted,
    )


def _turned(fold: Fold, recorded: Recorded) -> Part | None:
    leak_free = np.where(in_known_rise(fold.sensor, fold.times), np.nan, fold.ppmv)
    if np.count_nonzero(~np.isnan(leak_free[fold.split :])) < LEAST_BASELINE:
        return None
    before = fold.times[0] + np.arange(-CONTEXT, 0) * BUCKET_STEP
    return Part(
        fold.sensor,
        2 * fold.number + 1,
        (fold.times[fold.split :], leak_free[fold.split :]),
        (
            np.concatenate((before, fold.times[: fold.split])),
            np.concatenate((_read_at(recorded, before), fold.ppmv[: fold.split])),
        ),
        ~np.isnan(leak_free[: fold.split]),
    )


def _read_at(recorded: Recorded, times: Times) -> Floats:
    """Return what was read at times [n] that lie one bucket apart; NaN before the series."""
    first = int((times[0] - recorded.series.times[0]) / BUCKET_STEP)
    read = recorded.series.ppmv[max(first, 0) : max(first + times.size, 0)]
    return np.concatenate((np.full(times.size - read.size, np.nan), np.where(read == 0, np.nan, read)))


def peaks_in(part: Part, currents: Currents, seed: int) -> Peaks:
    """Return a part's highest figures, over the record of currents from a random moment on."""
    digest = hashlib.sha256(part.sensor.encode()).digest()
    rng = np.random.default_rng([seed, part.number, *digest[:8]])
    times, ppmv = part.evaluated
    sea = currents.at(int(rng.integers(currents.size)), times)
    found = figures_of(build_baseline(*part.baseline), times, ppmv, times[CONTEXT], sea)
    figures = {name: highest(np.where(part.counted, one, np.nan)) for name, one in found.by_channel.items()}
    return Peaks(part.sensor, float(np.count_nonzero(part.counted) / MONTH), figures)


def highest(figure: Floats) -> Floats:
    """Return the highest of figures [n] (NaN: none), falling, without those within 24 h of a higher one."""
    left, found = np.where(figure > 0, figure, -np.inf), list[float]()
    while left.size and np.isfinite(left.max()):
        place = int(np.argmax(left))
        found.append(float(left[place]))
        left[max(place - MERGED_WITHIN + 1, 0) : place + MERGED_WITHIN] = -np.inf
    return np.array(found)


def scale_of(peaks: Sequence[Floats], months: float, like: Scale, least: int = LEAST_IN_TAIL) -> Scale | None:
    """Return the scale of peaks that were found in so many months, else ``like`` one; None of fewer than ``least``."""
    falling = np.sort(np.concatenate((*peaks, [])))[::-1]
    count = int(TAIL_A_MONTH * months)
    if count < least or falling.size <= count:
        return None
    begins = float(falling[count])
    growth = float(np.mean(falling[:count] - begins))
    return replace(like, monthly=begins + growth * float(np.log(count / months)), growth=growth)


def measured(peaks: Sequence[Peaks]) -> Scales | None:
    """Return the scales of all channels; None where the peaks are too few for one of them."""
    months = sum(one.months for one in peaks)
    found = {name: scale_of([one.figures[name] for one in peaks], months, like) for name, like in SCALES.items()}
    known = {name: scale for name, scale in found.items() if scale is not None}
    return known if len(known) == len(found) else None


def without(peaks: Sequence[Peaks], sensor: str) -> Scales | None:
    """Return the scales that the other sensors measure."""
    return measured([one for one in peaks if one.sensor != sensor])


def all_peaks(found: Folder, seed: int, jobs: int) -> list[Peaks]:
    """Return the peaks of all series of a folder."""
    parts = [part for recorded in found.series for part in parts_of(recorded)]
    return list(mapped(partial(peaks_in, currents=currents_of(found.currents), seed=seed), parts, jobs))


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return 2 when the folder holds too little."""
    parser = argparse.ArgumentParser(prog="python -m bench.detection.scales", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with files of the header time,ppmv")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    parser.add_argument("--seed", type=int, default=1, help="of the currents' random moments")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    chosen = parser.parse_args(arguments)
    peaks = all_peaks(read_folder(chosen.data), chosen.seed, chosen.jobs)
    together = measured(peaks)
    if together is None:
        print(f"too little is leak-free in {chosen.data}", file=sys.stderr)
        return 2
    sensors = sorted({one.sensor for one in peaks})
    scales = {
        "as set": SCALES,
        "all sensors": together,
        **{f"without {name}": without(peaks, name) for name in sensors},
    }
    print(json.dumps(_document(peaks, scales)) if chosen.json else _table(peaks, scales))
    return 0


def _document(peaks: Sequence[Peaks], scales: Mapping[str, Scales | None]) -> dict[str, Any]:
    return {
        "months": sum(one.months for one in peaks),
        "scales": {
            whose: found and {name.word: [one.monthly, one.growth] for name, one in found.items()}
            for whose, found in scales.items()
        },
    }


def _table(peaks: Sequence[Peaks], scales: Mapping[str, Scales | None]) -> str:
    months = sum(one.months for one in peaks)
    lines = [
        f"the figure exceeded once a month, its growth per factor e rarer, and how much the first differs from what is "
        f"set ({months:.1f} leak-free months)",
        f"{'':<32}" + "".join(f"{name.word:>20}" for name in SCALES),
    ]
    for whose, found in scales.items():
        cells = ["too little"] * len(SCALES) if found is None else [_cell(name, one) for name, one in found.items()]
        lines.append(f"{whose:<32}" + "".join(f"{cell:>20}" for cell in cells))
    return "\n".join(lines)


def _cell(name: Channel, one: Scale) -> str:
    return f"{one.monthly:.2f} {one.growth:.2f} {100 * (one.monthly / SCALES[name].monthly - 1):+.0f} %"


if __name__ == "__main__":
    sys.exit(main())
