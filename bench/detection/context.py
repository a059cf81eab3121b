"""Would it help to know more than one sensor's own readings? The tide, the current, the template's other sensors.

python -m bench.detection.context --data DIR

What could be taken away before scoring is what the tide or the current explains of later readings, or what two sensors
of a template have in common. The sensors of a template are recognised by names that differ in their last three digits'
first one (Snorre's 2272 and 2472).
"""

import argparse
import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bench.detection.folds import Fold, folds_of
from bench.detection.recorded_series import Folder, Recorded, read_folder
from bench.detection.study import Options
from shared.arrays import Floats, Times
from shared.detection import build_baseline, detect
from shared.detection.baseline import offset_of

TIDES_H = (12.42, 12.0, 24.07, 25.82)  # M2, S2, K1, O1
DAY = 144
HIGH = 0.85  # a raw score that is nearly a Warning


def explained(target: Floats, features: Floats, split: int) -> tuple[float, float]:
    """Return the share of a target's [n] variance that features [n, f] explain where fitted [:split], and later."""
    known = ~np.isnan(target) & ~np.isnan(features).any(axis=1)
    early = known & (np.arange(target.size) < split)
    weights = np.linalg.lstsq(features[early], target[early], rcond=None)[0]
    rest = target - features @ weights
    shares = [1 - np.var(rest[part]) / np.var(target[part]) for part in (early, known & ~early)]
    return float(shares[0]), float(shares[1])


def without_days(ppmv: Floats) -> Floats:
    """Return log readings [n] from their mean of 24 h, as the day channel sees them."""
    logs = np.log(ppmv + offset_of(ppmv))
    filled = np.nan_to_num(logs, nan=float(np.nanmean(logs)))
    return np.asarray(logs - np.convolve(filled, np.ones(DAY + 1) / (DAY + 1), "same"))


def tide(fold: Fold) -> tuple[float, float]:
    """Return what tidal harmonics explain of a fold's baseline, and of its evaluated part."""
    hours = (fold.times - fold.times[0]).astype(np.int64) / 3600
    waves = [wave(2 * np.pi * hours / period) for period in TIDES_H for wave in (np.sin, np.cos)]
    return explained(without_days(fold.ppmv), np.column_stack([np.ones_like(hours), *waves]), fold.split)


def current(recorded: Recorded, found: Folder) -> tuple[float, float] | None:
    """Return what the measured current explains of a sensor's readings at its times: first 70 %, then the rest."""
    if found.currents is None:
        return None
    speed, towards = found.currents.current_speed, np.radians(found.currents.current_direction)
    places, times = _common(found.currents.times, recorded.series.times)
    if places.size < 7 * DAY:
        return None
    east, north = np.sin(towards[places]), np.cos(towards[places])
    fast = speed[places]
    features = np.column_stack([np.ones(places.size), east, north, fast, fast * east, fast * north])
    ppmv = recorded.series.ppmv[times]
    if np.count_nonzero(~np.isnan(ppmv)) < 7 * DAY:
        return None
    return explained(np.log(ppmv + offset_of(ppmv)), features, int(0.7 * places.size))


def together(one: Recorded, other: Recorded) -> tuple[float, float, int, int, int] | None:
    """Return how two sensors go together: correlation of their changes over 24 h and of their raw scores, and buckets
    in which the one, the other, and both are high. The first 60 % of what they share are the baselines.
    """
    mine, theirs = _common(one.series.times, other.series.times)
    split = int(0.6 * mine.size)
    if split < 14 * DAY:
        return None
    changes, scores = [], []
    for recorded, places in ((one, mine), (other, theirs)):
        times, ppmv = recorded.series.times[places], recorded.series.ppmv[places]
        logs = np.log(ppmv + offset_of(ppmv))
        changes.append(logs[DAY:] - logs[:-DAY])
        baseline = build_baseline(times[:split], ppmv[:split])
        scores.append(np.nan_to_num(detect(baseline, times, ppmv, since=times[split]).raw.astype(np.float64)))
    known = ~np.isnan(changes[0]) & ~np.isnan(changes[1])
    high = [score >= HIGH for score in scores]
    return (
        float(np.corrcoef(changes[0][known], changes[1][known])[0, 1]),
        float(np.corrcoef(scores[0], scores[1])[0, 1]),
        int(high[0].sum()),
        int(high[1].sum()),
        int((high[0] & high[1]).sum()),
    )


def _common(one: Times, other: Times) -> tuple[np.ndarray, np.ndarray]:
    _, mine, theirs = np.intersect1d(one, other, assume_unique=True, return_indices=True)
    return mine, theirs


def _siblings(series: Sequence[Recorded]) -> Iterator[tuple[Recorded, Recorded]]:
    for one, other in itertools.combinations(series, 2):
        mine, theirs = one.sensor[-4:], other.sensor[-4:]
        if one.sensor[:-4] == other.sensor[:-4] and mine.isdigit() and mine[0] == theirs[0] and mine[2:] == theirs[2:]:
            yield one, other


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.detection.context")
    parser.add_argument("--data", type=Path, required=True, help="folder with files of the header time,ppmv")
    found = read_folder(parser.parse_args(arguments).data)
    folds = [fold for recorded in found.series for fold in folds_of(recorded, Options.folds)]
    early, later = 100 * np.median([tide(fold) for fold in folds], axis=0)
    print("share of the variance of log readings that is explained where it is fitted, and later")
    print(f"  tide, from the 24 h mean (medians of {len(folds)} folds): {early:.1f} %, {later:.1f} %")
    for recorded in found.series:
        if (known := current(recorded, found)) is not None:
            print(f"  current, {recorded.sensor}: {100 * known[0]:.1f} %, {100 * known[1]:.1f} %")
    print(f"sensors of a template: correlation of changes over 24 h, of raw scores; buckets from {HIGH:g} on; at once")
    for one, other in _siblings(found.series):
        if (pair := together(one, other)) is not None:
            names = f"{one.sensor}, {other.sensor}"
            print(f"  {names}: {pair[0]:.2f}, {pair[1]:.2f}; {pair[2]} and {pair[3]}; {pair[4]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
