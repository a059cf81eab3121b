"""How rare each channel's figures are at such sensors: the scales in ``shared.detection.channels``, measured.

python -m bench.detection.scales --data DIR [--seed N] [--jobs N] [--json]

What is measured on is what an app meets: blocks of ten days of recorded series, each with the baseline that was read
before it (``bench.estimation.backgrounds``). Known rises are left out, exact zeros missing. Under each block runs the
record of currents from a random moment on.

Of figures less than 24 h apart the highest counts. Their tail is taken as exponential: above the figure that is
exceeded 3 times a month, the mean excess is the growth per factor e rarer.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.detection.channel_figures import figures_of
from bench.detection.currents import Currents, currents_of
from bench.detection.folds import CONTEXT, DAY
from bench.detection.recorded_series import Folder, read_folder
from bench.estimation.backgrounds import BEFORE, Backgrounds, Block
from bench.parallel import mapped
from shared.arrays import BUCKET_STEP, Floats
from shared.detection import Channel
from shared.detection.baseline import MONTH_BINS
from shared.detection.channels import SCALES, Scale
from shared.errors import InvalidInput

Scales = Mapping[Channel, Scale]

TAIL_A_MONTH = 3.0
LEAST_IN_TAIL = 12  # figures, of four months; of fewer nothing can be said
MERGED_WITHIN = DAY


@dataclass(frozen=True, eq=False)
class Peaks:
    """A block's months, and by channel its highest figures, 24 h apart, falling."""

    sensor: str
    months: float
    figures: Mapping[Channel, Floats]


def peaks_in(block: Block, currents: Currents, seed: int) -> Peaks:
    """Return a block's highest figures, over the record of currents from a random moment on."""
    digest = hashlib.sha256(block.sensor.encode()).digest()
    rng = np.random.default_rng([seed, block.days[1], *digest[:8]])
    times = currents.start + np.arange(block.ppmv.size) * BUCKET_STEP
    sea = currents.at(int(rng.integers(currents.size)), times)
    found = figures_of(block.baseline, times, block.ppmv, times[CONTEXT], sea)
    read = np.isfinite(block.ppmv[CONTEXT:])
    figures = {name: highest(np.where(read, one, np.nan)) for name, one in found.by_channel.items()}
    return Peaks(block.sensor, float(np.count_nonzero(read) / MONTH_BINS), figures)


def highest(figure: Floats) -> Floats:
    """Return the highest of figures [n] (NaN: none), falling, without those within 24 h of a higher one."""
    left, found = np.where(figure > 0, figure, -np.inf), list[float]()
    while left.size and np.isfinite(left.max()):
        place = int(np.argmax(left))
        found.append(float(left[place]))
        left[max(place - MERGED_WITHIN + 1, 0) : place + MERGED_WITHIN] = -np.inf
    return np.array(found)


def scale_of(peaks: Sequence[Floats], months: float, least: int = LEAST_IN_TAIL) -> Scale | None:
    """Return the scale of peaks that were found in so many months; None of fewer than ``least``."""
    falling = np.sort(np.concatenate((*peaks, [])))[::-1]
    count = int(TAIL_A_MONTH * months)
    if count < least or falling.size <= count:
        return None
    begins = float(falling[count])
    growth = float(np.mean(falling[:count] - begins))
    return Scale(begins + growth * float(np.log(count / months)), growth)


def measured(peaks: Sequence[Peaks]) -> Scales | None:
    """Return the scales of all channels; None where the peaks are too few for one of them."""
    months = sum(one.months for one in peaks)
    found = {name: scale_of([one.figures[name] for one in peaks], months) for name in SCALES}
    known = {name: scale for name, scale in found.items() if scale is not None}
    return known if len(known) == len(found) else None


def without(peaks: Sequence[Peaks], sensor: str) -> Scales | None:
    """Return the scales that the other sensors measure."""
    return measured([one for one in peaks if one.sensor != sensor])


def all_peaks(found: Folder, seed: int, jobs: int) -> list[Peaks]:
    """Return the peaks of all series of a folder."""
    try:
        blocks = Backgrounds.of(found.series, BEFORE).blocks
    except InvalidInput:
        return []
    return list(mapped(partial(peaks_in, currents=currents_of(found.currents), seed=seed), blocks, jobs))


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
