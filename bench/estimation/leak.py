"""A leak that is known, since it was drawn."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from bench.estimation.courses import STEADY, Course
from shared.arrays import Floats
from shared.domain.leak import Leak
from shared.domain.template import Template


@dataclass(frozen=True, slots=True)
class TrueLeak:
    """Place x, y, z in m of the template, dissolved rate in kg/s, onset in s since 1970, and how the rate changes."""

    place: tuple[float, float, float]
    rate_kg_s: float
    onset_s: float
    course: Course = STEADY

    @property
    def moment(self) -> datetime:
        """The onset as a moment of UTC."""
        return datetime.fromtimestamp(self.onset_s, UTC)

    def mean_rates(self, edges_s: Floats) -> Floats:
        """Return the mean rate [k] in kg/s between moments [k + 1] in s since 1970."""
        since = edges_s - self.onset_s
        return self.rate_kg_s * self.course.mean(since[:-1], since[1:])

    def hypothesis(self) -> Leak:
        """Return the leak as the forward model takes it."""
        x, y, z = self.place
        return Leak(x=x, y=y, z=z, rate_kg_s=self.rate_kg_s, onset=self.moment)


def known_or_anywhere(template: Template, share: float, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return a known leak point with the probability ``share``, otherwise a place anywhere in the template's box."""
    if rng.random() < share and template.leak_points:
        point = template.leak_points[rng.integers(len(template.leak_points))]
        return point.x, point.y, point.z
    x, y = rng.uniform(-0.5, 0.5, 2) * (template.width, template.length)
    return float(x), float(y), float(rng.uniform(0, template.height))


def log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    """Return a number that is uniform in the logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
