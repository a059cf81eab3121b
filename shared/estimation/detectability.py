"""What a template can see: the rate from which on a leak at each place is noticed by one of its sensors."""

from dataclasses import dataclass

import numpy as np

from shared.arrays import Floats, Indices, Times
from shared.domain.environment import Environment
from shared.domain.estimation import Observations
from shared.domain.template import Template
from shared.errors import InvalidInput
from shared.estimation.candidates import Places, onset_seconds, places_of, spread_onsets
from shared.estimation.ensemble import Member, ensemble_of
from shared.estimation.observed_series import ObservedSeries, series_of
from shared.estimation.options import EstimationOptions
from shared.estimation.rate import common_kernel, gain_kernel
from shared.estimation.responses import plumes_of, responses_of
from shared.simulation import confinement

WITHIN_S = 24 * 3600.0  # of its onset a leak is to be noticed
HELD_S = 3 * 3600.0  # in all; a sensor that is above its level for less has hardly moved
ONSETS = 8  # phases of the tide, where the period holds one
# Of ln rate, around the one from which on half of the leaks are noticed but for their gains.
_FARTHEST, _FINE_STEP, _EVERY = 12.0, 0.05, 8
_SURE = 1e-9  # of missing a leak: as good as never
_NEVER = 1e-30  # of a reading in ppmv per kg/s
_PLACES = 64  # at once: bounds the memory
_DEFAULTS = EstimationOptions()


@dataclass(frozen=True, eq=False, slots=True)
class Detectability:
    """The dissolved rates [p, k] in kg/s at which leaks at the ``places`` are noticed with ``probabilities`` [k].

    Infinite where no rate is.
    """

    places: Places
    probabilities: tuple[float, ...]
    rates_kg_s: Floats


def detectable_rates(
    template: Template,
    environment: Environment,
    times: Times,
    noticed_ppmv: Floats,
    *,
    probabilities: tuple[float, ...] = (0.1, 0.5, 0.9),
    options: EstimationOptions = _DEFAULTS,
) -> Detectability:
    """Return the smallest rates that at least one sensor shows within a day, with these probabilities of detection.

    A sensor shows a leak whose signal is above its ``noticed_ppmv`` [sensors] for three hours in all. The probability
    is over when the leak begins (evenly in ``times`` [n], which reach a day further), the ensemble of ``estimate`` and
    its gains, each sensor's and the common one. Proportional to ``noticed_ppmv``. Raises InvalidInput for levels of
    another shape or not above 0, probabilities that are none, times that do not increase or span less than a day, and
    no sensors. Known leak points outside the template are left out.
    """
    series, template = period_of(template, times, options), template.without_misplaced()
    if noticed_ppmv.shape != (len(template.sensors),) or not (noticed_ppmv > 0).all():
        raise InvalidInput(f"noticed_ppmv must be {len(template.sensors)} levels above 0, not {noticed_ppmv!r}")
    if not all(0 < one < 1 for one in probabilities):
        raise InvalidInput(f"probabilities must be above 0 and below 1, not {probabilities}")
    places, onsets = places_of(template, options), onsets_of(series, ONSETS)
    shown = [_log_shown(template, environment, places, series, one, onsets) for one in ensemble_of(options)]
    rates = np.log(noticed_ppmv) - np.concatenate(shown)
    shares = _Shares(options, confinement(template))
    parts = [
        shares.rates(rates[:, first : first + _PLACES], probabilities) for first in range(0, rates.shape[1], _PLACES)
    ]
    return Detectability(places, probabilities, np.exp(np.concatenate(parts)))


def period_of(template: Template, times: Times, options: EstimationOptions) -> ObservedSeries:
    """Return a series of all sensors that read nothing, at ``times`` [n] thinned as ``estimate`` does.

    Raises InvalidInput where they span less than a day.
    """
    series = series_of(template, Observations(times, np.zeros((len(template.sensors), times.size))), options)
    if series.seconds.size < 2 or series.seconds[-1] - series.seconds[1] < WITHIN_S:
        raise InvalidInput(f"times must span more than the {WITHIN_S / 3600:.0f} h in which a leak is to be noticed")
    return series


def onsets_of(series: ObservedSeries, count: int) -> Indices:
    """Return up to ``count`` onsets [o], as indices of the series, evenly up to a day before its end."""
    last = int(np.searchsorted(series.seconds, series.seconds[-1] - WITHIN_S, side="right")) - 1
    return spread_onsets(0, max(last - 1, 0), count)


def _log_shown(
    template: Template,
    environment: Environment,
    places: Places,
    series: ObservedSeries,
    member: Member,
    onsets: Indices,
) -> Floats:
    """Return ln of what each sensor reads or more, in ppmv per kg/s, for three hours of the first day [o, p, s]."""
    plume = plumes_of(template, environment, places, series, member)
    responses = responses_of(template, environment, places, series, member, plume, onsets)
    held = max(1, round(HELD_S / float(np.median(np.diff(series.seconds)))))
    found = np.empty((onsets.size, len(places.positions), len(series.rows)))
    for k, start in enumerate(onset_seconds(series, onsets)):
        since = series.seconds - start
        at = np.flatnonzero((since > 0) & (since <= WITHIN_S))
        for sensor in range(len(series.rows)):
            begun = responses.begun(sensor, k, at, since[at])
            found[k, :, sensor] = np.partition(begun, -held, axis=-1)[:, -held]
    return np.asarray(np.log(np.maximum(found, _NEVER)))


class _Shares:
    """How many leaks are noticed at a rate, with the gains that ``estimate`` reckons with."""

    def __init__(self, options: EstimationOptions, confined: float) -> None:
        """Tabulate by ln rate how likely a sensor misses a leak that it would show from ln rate 0 on without a gain."""
        fine = np.arange(-_FARTHEST, _FARTHEST + _FINE_STEP / 2, _FINE_STEP)
        gains = gain_kernel(np.exp(fine), options)[::-1, fine.size // 2]
        shown = np.cumsum(gains) - 0.5 * gains  # by a gain of at least exp(-fine)
        self.log_missed = np.log(np.maximum(1 - shown, _SURE)).astype(np.float32)
        self.steps = fine[::_EVERY]
        common = common_kernel(np.exp(self.steps), confined, options)
        self.common = common / common.sum(axis=0)

    def rates(self, shown: Floats, probabilities: tuple[float, ...]) -> Floats:
        """Return ln rates [p, k], of those [worlds, p, s] from which on each sensor shows the leak but for its gain."""
        middle = np.median(shown.min(axis=-1), axis=0)
        away = np.clip((middle[:, None] - shown) / _FINE_STEP, -self.log_missed.size, self.log_missed.size)
        entry = np.rint(away).astype(np.int32) + self.log_missed.size // 2
        missed = np.empty((self.steps.size, shown.shape[1]))
        for row, step in enumerate(range(-(self.log_missed.size // 2), self.log_missed.size // 2 + 1, _EVERY)):
            found = self.log_missed.take(entry + step, mode="clip")
            missed[row] = np.exp(found.sum(axis=-1)).mean(axis=0)
        seen = 1 - self.common.T @ missed
        rows = [np.interp(probabilities, one, self.steps, right=np.inf) for one in seen.T]
        return np.asarray(middle[:, None] + np.array(rows))
