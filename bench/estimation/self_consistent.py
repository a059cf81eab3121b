"""A truth that is exactly what the estimation assumes: its places, members, gains and noise.

Against it the posterior's ranks must be uniform as far as the estimation is not careful on purpose: it tempers its
likelihood and reckons with a model error that this truth has not.
"""

import numpy as np

from bench.estimation.leak import TrueLeak, log_uniform
from bench.estimation.sea_states import turned
from shared.arrays import Floats, Times
from shared.domain.environment import Environment
from shared.domain.estimation import Observations
from shared.domain.template import Template
from shared.estimation import EstimationOptions
from shared.estimation.candidates import onset_range, places_of
from shared.estimation.ensemble import ensemble_of
from shared.estimation.observed_series import series_of
from shared.simulation import confinement, simulate


def leak_and_signal(
    template: Template, environment: Environment, times: Times, options: EstimationOptions, rng: np.random.Generator
) -> tuple[TrueLeak, Floats]:
    """Return a leak of the prior, and what it adds to the readings [sensors, n] in ppmv."""
    places, members = places_of(template, options), ensemble_of(options)
    x, y, z = places.positions[rng.choice(places.log_prior.size, p=np.exp(places.log_prior))].tolist()
    member = members[rng.integers(len(members))]
    rate = log_uniform(options.lowest_rate_kg_s, options.highest_rate_kg_s, rng)
    leak = TrueLeak((x, y, z), rate, rng.uniform(*_onsets(template, times, options)))
    sea = turned(environment, member.offset_deg)
    signal = simulate(template, sea, leak.hypothesis(), times, physics=member.physics)
    return leak, signal * _gains(template, options, rng)[:, None]


def _onsets(template: Template, times: Times, options: EstimationOptions) -> tuple[float, float]:
    """Return the first and last moment in s at which the estimation thinks that a leak may begin."""
    silent = np.ones((len(template.sensors), times.size))
    series = series_of(template, Observations(times, silent), options)
    first, last = onset_range(series, options)
    return float(series.seconds[first]), float(series.seconds[last + 1])


def _gains(template: Template, options: EstimationOptions, rng: np.random.Generator) -> Floats:
    """Return each sensor's gain [sensors]: usual or an outlier's, and what all of them share."""
    rows = len(template.sensors)
    outlier = rng.random(rows) < options.outlier_share
    errors = np.where(outlier, options.outlier_gain_error, options.gain_error) * rng.standard_normal(rows)
    common = np.hypot(options.common_error, confinement(template) * options.box_error) * rng.standard_normal()
    return np.asarray(options.gain_median * np.exp(errors + common))
