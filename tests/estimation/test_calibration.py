"""Simulation-based calibration: where everything that is assumed holds, the truth's ranks in the posterior are uniform.

Talts et al. 2018, arXiv 1804.06788. What the estimation is careful about on purpose is switched off: it tempers its
likelihood, and reckons with an error of the pattern that these truths do not have.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bench.estimation import self_consistent, sites
from bench.estimation.calibration import kolmogorov_smirnov
from bench.estimation.noise import Noise, readings
from bench.estimation.scenarios import Scenario
from bench.estimation.sea_states import SeaStates
from bench.estimation.trial import answered, ranks
from shared.arrays import Floats
from shared.domain.estimation import Observations
from shared.estimation import EstimationOptions

EXACT = EstimationOptions(
    step_s=600.0, independent_s=1.0, relative_model_error=0.0, common_error=0.2, spacing_m=2.0, heights=2
)
WRONG = replace(EXACT, sensor_time_constant_s=2400.0)  # three times as fast as the sensors are
SCENARIOS = 60
STEPS = 145

pytestmark = pytest.mark.slow


@cache
def calibrated(believed: EstimationOptions) -> dict[str, Floats]:
    """Return the ranks [scenarios] of truths drawn as ``EXACT`` says, in the posterior of what is believed."""
    found = [_ranks(seed, believed) for seed in range(SCENARIOS)]
    return {name: np.array([one[name] for one in found]) for name in found[0]}


def _ranks(seed: int, believed: EstimationOptions) -> dict[str, float]:
    rng = np.random.default_rng(1000 + seed)
    template = sites.drawn("open", rng)
    environment, times = SeaStates().drawn(STEPS, rng)
    leak, signal = self_consistent.leak_and_signal(template, environment, times, EXACT, rng)
    quiet = [Noise(1.5, EXACT.noise_time_s)] * len(template.sensors)
    seen = Observations(times, signal + readings(quiet, STEPS, rng))
    _, problem, solution = answered(Scenario(template, environment, seen, leak), believed)
    return ranks(problem, solution, leak, rng)


@pytest.mark.xdist_group("calibration")  # whose ranks one process computes once
@pytest.mark.parametrize("quantity", ["rate", "onset", "x", "y"])
def test_the_truths_ranks_are_uniform(quantity: str) -> None:
    """Kolmogorov and Smirnov see no difference: a wrong posterior's ranks pile up somewhere."""
    _, p = kolmogorov_smirnov(calibrated(EXACT)[quantity])
    assert p > 1e-3


def test_a_wrong_belief_is_noticed() -> None:
    """The test above can fail: sensors that are taken for faster than they are pile up the onset's ranks."""
    _, p = kolmogorov_smirnov(calibrated(WRONG)["onset"])
    assert p < 1e-3
