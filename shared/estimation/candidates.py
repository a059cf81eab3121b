"""The hypotheses: where in the template the leak may be, and when it may have begun."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from shared.arrays import Floats, Indices
from shared.domain.template import Template
from shared.domain.tsd import to_datetime64
from shared.errors import InvalidInput
from shared.estimation.observed_series import ObservedSeries
from shared.estimation.options import EstimationOptions

_LEAST_AFTER = 3  # samples after the last onset candidate
_BACKGROUND_SHARE = 6  # without a stated earliest onset, this part of the times is background


@dataclass(frozen=True, eq=False, slots=True)
class Places:
    """Candidate places: positions [p, 3] in m, log prior [p]; the first ``cells`` are cells, the rest leak points."""

    positions: Floats
    log_prior: Floats
    cells: int
    cell_volume_m3: float
    home: Indices  # [p] the cell that a place lies in or is nearest to


def places_of(template: Template, options: EstimationOptions) -> Places:
    """Return a regular grid of cells that fills the template's box, and its known leak points.

    Cells share 1 - ``known_point_weight`` of the prior evenly, leak points the rest. The spacing grows where the grid
    would have more than ``max_places`` cells.
    """
    sizes = (template.width, template.length)
    spacing = options.spacing_m
    while (count := _counts(sizes, spacing))[0] * count[1] * options.heights > options.max_places:
        spacing *= 1.1
    axes = [_centres(-size / 2, size / 2, n) for size, n in zip(sizes, count, strict=True)]
    axes.append(_centres(0.0, template.height, options.heights))
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    known = np.array([[p.x, p.y, p.z] for p in template.leak_points], dtype=np.float64).reshape(-1, 3)
    weight = options.known_point_weight if len(known) else 0.0
    shares = [np.full(len(grid), (1 - weight) / len(grid))]
    if weight > 0:
        shares.append(np.full(len(known), weight / len(known)))
    else:
        known = known[:0]
    distance = ((known[:, None, :] - grid[None, :, :]) ** 2).sum(axis=-1)
    return Places(
        positions=np.vstack([grid, known]),
        log_prior=np.log(np.concatenate(shares)),
        cells=len(grid),
        cell_volume_m3=template.width * template.length * template.height / len(grid),
        home=np.concatenate([np.arange(len(grid)), distance.argmin(axis=1)]).astype(np.intp),
    )


def _counts(sizes: tuple[float, float], spacing: float) -> tuple[int, int]:
    nx, ny = (max(1, round(size / spacing)) for size in sizes)
    return nx, ny


def _centres(low: float, high: float, count: int) -> Floats:
    return low + (np.arange(count) + 0.5) * (high - low) / count


def onset_range(series: ObservedSeries, options: EstimationOptions) -> tuple[int, int]:
    """Return the first and last index of ``series.times`` after which the leak may have begun.

    Raises InvalidInput when the stated onsets leave no time between them.
    """
    last = series.times.size - 1 - _LEAST_AFTER
    first = min(series.times.size // _BACKGROUND_SHARE, last)
    if options.earliest_onset is not None:
        first = _index(series, options.earliest_onset)
    if options.latest_onset is not None:
        last = min(last, _index(series, options.latest_onset))
    if first > last or last < 0:
        raise InvalidInput("no sample lies between the earliest and the latest onset, with three after it")
    return first, last


def _index(series: ObservedSeries, moment: datetime) -> int:
    """Return the last sample at or before the moment, 0 when there is none."""
    return max(0, int(np.searchsorted(series.times, to_datetime64(moment), side="right")) - 1)


def spread_onsets(first: int, last: int, count: int) -> Indices:
    """Return up to ``count`` indices [o], evenly from first to last."""
    return np.unique(np.round(np.linspace(first, last, count)).astype(np.intp))


def refined_onsets(onsets: Indices, weights: Floats, count: int) -> Indices:
    """Return up to ``count`` onsets [k] in order, as indices of the series.

    Half of them where 99 % of the ``weights`` [o] of the ``onsets`` [o] are and next to it, half anywhere.
    """
    cumulative = np.cumsum(weights) / weights.sum()
    low = max(0, int(np.searchsorted(cumulative, 0.005)) - 1)
    high = min(onsets.size - 1, int(np.searchsorted(cumulative, 0.995)) + 1)
    near = spread_onsets(int(onsets[low]), int(onsets[high]), count - count // 2)
    return np.union1d(near, spread_onsets(int(onsets[0]), int(onsets[-1]), count // 2))


def onset_seconds(series: ObservedSeries, onsets: Indices) -> Floats:
    """Return the moments [o] in seconds that ``onsets`` [o] stand for: halfway from their sample to the next."""
    return np.asarray(0.5 * (series.seconds[onsets] + series.seconds[onsets + 1]))


def onset_edges(series: ObservedSeries, onsets: Indices) -> Floats:
    """Return the edges [o + 1] in seconds of the times that ``onsets`` [o] stand for: midway to their neighbours."""
    at = onset_seconds(series, onsets)
    return np.concatenate([[series.seconds[onsets[0]]], 0.5 * (at[1:] + at[:-1]), [series.seconds[onsets[-1] + 1]]])
