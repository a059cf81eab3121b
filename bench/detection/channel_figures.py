"""What each channel of this system finds in readings, before any threshold: what scales are measured from."""

from dataclasses import dataclass, fields

import numpy as np

from shared.arrays import Floats, Times
from shared.detection import Baseline
from shared.detection.channels import Threshold
from shared.detection.currents import Sea, currents_on
from shared.detection.detector import prepared
from shared.detection.figures import Figures


def figures_of(
    baseline: Baseline, times: Times, ppmv: Floats, since: np.datetime64, environment: Sea | None = None
) -> Figures:
    """Return what ``detect`` compares with the baseline's thresholds, for each bucket from ``since`` on."""
    series, _, _, believed = prepared(baseline, times, ppmv)
    first = int(np.searchsorted(series.times, since))
    currents = currents_on(series.times, environment)
    return Figures.of(baseline, series.times, believed, ~np.isnan(series.ppmv), currents, first)


@dataclass(frozen=True, eq=False)
class Adjusted(Baseline):
    """A baseline with thresholds of its own."""

    limits: tuple[Threshold, ...]

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Return the thresholds given."""
        return self.limits


def adjusted(baseline: Baseline, limits: tuple[Threshold, ...]) -> Adjusted:
    """Return a baseline that scores by these thresholds."""
    return Adjusted(**{one.name: getattr(baseline, one.name) for one in fields(baseline)}, limits=limits)
