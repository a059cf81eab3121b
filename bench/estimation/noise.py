"""What sensors read without a leak: AR(1) noise with the spread and the memory of recorded backgrounds.

python -m bench.estimation.noise DIR prints what the recorded series of a folder are like.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.detection.recorded_series import Recorded, read_folder
from bench.estimation import sea
from shared.arrays import Floats
from shared.errors import InvalidInput

STEP_S = 600.0
DAY = 144  # steps
_TO_SIGMA = 1.4826  # of a normal distribution, per median absolute deviation
_FEWEST_IN_A_DAY, _FEWEST_DAYS = 100, 5
# Without recorded series: of what the command above prints, the spread of the quiet sensors, the memory of the fastest.
SPREAD_PPMV, SPREAD_FACTOR = 1.2, float(np.exp(0.4))
MEMORY_S = 6 * 3600.0
LOWEST_BACKGROUND, HIGHEST_BACKGROUND = 5.0, 30.0  # ppmv


@dataclass(frozen=True, slots=True)
class Noise:
    """One sensor's AR(1) noise: standard deviation in ppmv, and the memory T of exp(-dt / T) in s."""

    spread_ppmv: float
    memory_s: float


def fitted(recorded: Recorded) -> Noise | None:
    """Return a series' noise within a day, by medians over its days, so that leaks and drifts do not count.

    None for a series of fewer than five days that hold enough samples that are not all the same.
    """
    values = recorded.series.ppmv
    days = [one for one in map(_of_day, values[: values.size // DAY * DAY].reshape(-1, DAY)) if one is not None]
    if len(days) < _FEWEST_DAYS:
        return None
    spread, kept = np.median(days, axis=0)
    return Noise(float(spread), float(-STEP_S / np.log(np.clip(kept, 0.01, 0.999))))


def _of_day(day: Floats) -> tuple[float, float] | None:
    """Return a day's robust standard deviation [ppmv] and the correlation of neighbours; None where it tells none."""
    if np.isfinite(day).sum() < _FEWEST_IN_A_DAY:
        return None
    away = day - np.nanmedian(day)
    spread = _TO_SIGMA * float(np.nanmedian(np.abs(away)))
    both = np.isfinite(away[1:]) & np.isfinite(away[:-1])
    later, earlier = np.clip(away[1:][both], -3 * spread, 3 * spread), np.clip(away[:-1][both], -3 * spread, 3 * spread)
    square = float(earlier @ earlier)
    return (spread, float(later @ earlier) / square) if spread > 0 and square > 0 else None


def noises_of(folder: Path) -> tuple[Noise, ...]:
    """Return the noise of every recorded series of a folder; raises InvalidInput where none is long enough."""
    named = {recorded.sensor: fitted(recorded) for recorded in read_folder(folder).series}
    found = tuple(one for one in named.values() if one is not None)
    if not found:
        raise InvalidInput(f"{folder} holds no series of {_FEWEST_DAYS} days with the header time,ppmv")
    return found


def drawn(measured: Sequence[Noise], sensors: int, rng: np.random.Generator) -> tuple[Noise, ...]:
    """Return one noise for each sensor: one of those measured, or without any of the usual kind."""
    if measured:
        return tuple(measured[index] for index in rng.integers(len(measured), size=sensors))
    spreads = SPREAD_PPMV * SPREAD_FACTOR ** rng.standard_normal(sensors)
    return tuple(Noise(float(spread), MEMORY_S) for spread in spreads)


def readings(noises: Sequence[Noise], count: int, rng: np.random.Generator) -> Floats:
    """Return what the sensors read without a leak [sensors, n] in ppmv: a constant background and the noise."""
    levels = rng.uniform(LOWEST_BACKGROUND, HIGHEST_BACKGROUND, len(noises))
    rows = [one.spread_ppmv * wandering(1, count, one.memory_s, rng)[0] for one in noises]
    return np.asarray(levels[:, None] + np.stack(rows))


def wandering(rows: int, count: int, memory_s: float, rng: np.random.Generator) -> Floats:
    """Return AR(1) series [rows, n] of mean 0 and variance 1 on the 10-minute grid."""
    return sea.wandering(rng, (rows, count), memory_s, STEP_S)


def main(folder: Path) -> int:
    """Print each recorded series' noise."""
    for recorded in read_folder(folder).series:
        if (one := fitted(recorded)) is not None:
            print(f"{recorded.sensor:<28} {one.spread_ppmv:7.2f} ppmv {one.memory_s / 3600:6.1f} h")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
