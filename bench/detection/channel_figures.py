"""What each channel of this system finds in readings, before any threshold: what scales are measured from."""

from dataclasses import dataclass, fields

import numpy as np

from shared.arrays import Floats, Times
from shared.detection import Baseline
from shared.detection.channels import Threshold
from shared.detection.currents import Sea, currents_on
from shared.detection.figures import Figures
from shared.detection.health import Fault, faults
from shared.detection.regular import forward_fill, regularise


def figures_of(
    baseline: Baseline, times: Times, ppmv: Floats, since: np.datetime64, environment: Sea | None = None
) -> Figures:
    """Return what ``detect`` compares with the baseline's thresholds, for each bucket from ``since`` on."""
    series = regularise(times, ppmv)
    first = int(np.searchsorted(series.times, since))
    held = forward_fill(series.ppmv, baseline.hold_bins)
    fault = faults(series.ppmv, series.bad, baseline.noise, baseline.hold_bins)
    believed = np.where((fault == Fault.STUCK) | (fault == Fault.NOISY), np.nan, held)
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
