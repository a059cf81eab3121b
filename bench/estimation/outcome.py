"""What came out of one scenario."""

from dataclasses import dataclass, field

import numpy as np

from bench.estimation.scenarios import Kind
from shared.domain.estimation import Verdict

LEAST_MASS_KG = 1e-12  # of an estimate, where nothing is likelier
RANKS = ("rate", "onset", "x", "y")


@dataclass(frozen=True, slots=True)
class Found:
    """What an estimation says of a leak, beside the truth; m, kg/s, h."""

    horizontal_m: float
    distance_m: float
    place_50: bool  # in the region of that probability
    place_90: bool
    region_90_m3: float
    rate_kg_s: float
    true_rate_kg_s: float
    rate_50: tuple[float, float]
    rate_90: tuple[float, float]
    onset_error_h: float
    onset_90: bool
    true_mass_kg: float
    mass_kg: float
    mass_50: tuple[float, float]
    mass_90: tuple[float, float]
    steps: tuple["Step", ...]

    @property
    def ln_rate_error(self) -> float:
        """Return ln of the estimated over the true rate."""
        return float(np.log(self.rate_kg_s / self.true_rate_kg_s))

    @property
    def ln_mass_error(self) -> float:
        """Return ln of the estimated over the true mass."""
        return float(np.log(max(self.mass_kg, LEAST_MASS_KG) / self.true_mass_kg))

    def rate_within(self, interval: tuple[float, float]) -> bool:
        """Return whether the true rate is in an interval."""
        return interval[0] <= self.true_rate_kg_s <= interval[1]

    def mass_within(self, interval: tuple[float, float]) -> bool:
        """Return whether the true mass is in an interval."""
        return interval[0] <= self.true_mass_kg <= interval[1]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the rate over time beside the truth, kg/s."""

    probability_leaking: float
    rate_90: tuple[float, float]
    true_rate_kg_s: float

    @property
    def rate_within(self) -> bool:
        """Return whether the true mean rate is in the 90 % interval."""
        return self.rate_90[0] <= self.true_rate_kg_s <= self.rate_90[1]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One scenario's verdict, what was found of its leak, and the truth's ranks in the posterior (``RANKS``).

    ``found`` is None without a leak, and where nothing is likelier than a leak. Seconds and MB are not compared.
    """

    kind: Kind
    drawn: int
    detected: bool
    verdict: Verdict
    found: Found | None
    ranks: dict[str, float] | None
    seconds: float = field(compare=False)
    ratio: float = field(compare=False)  # of the seconds to those of the fixed piece of work
    peak_mb: float = field(compare=False)  # of the process, over what its imports took
