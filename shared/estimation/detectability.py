"""What a template can see: the rate from which on a leak at each place is noticed by one of its sensors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shared.arrays import Floats, Indices, Singles, Times
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


@dataclass(frozen=True, eq=False, slots=True)
class Signals:
    """What each sensor reads, or more, for three hours of the time after a leak's onset: all that noticing rests on.

    ``log_ppmv`` [within, worlds, p, s] is ln of it in ppmv per kg/s, within each of the times that were asked for.
    """

    places: Places
    log_ppmv: Singles
    confined: float
    options: EstimationOptions

    def rates(
        self,
        noticed_ppmv: Floats,
        probabilities: tuple[float, ...],
        *,
        within: int = 0,
        sensors: Sequence[int] | None = None,
    ) -> Floats:
        """Return the smallest rates [p, k] in kg/s that some sensor shows with these probabilities; infinite: none.

        ``within`` is an index of the times asked for; ``sensors`` are those that there are (default: all), of which
        ``noticed_ppmv`` [sensors] are the levels, infinite for one that notices nothing.
        """
        chosen = np.arange(self.log_ppmv.shape[-1]) if sensors is None else np.array(sensors, dtype=np.intp)
        seeing = np.isfinite(noticed_ppmv)
        if not seeing.any():
            return np.full((len(self.places.positions), len(probabilities)), np.inf)
        levels = np.log(noticed_ppmv[seeing])
        needed = levels - self.log_ppmv[within][..., chosen[seeing]].astype(np.float64)
        shares = _Shares(self.options, self.confined)
        firsts = range(0, needed.shape[1], _PLACES)
        found = [shares.rates(needed[:, first : first + _PLACES], probabilities) for first in firsts]
        return np.asarray(np.exp(np.concatenate(found)))


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
    found = signals_of(template, environment, [times], options=options)
    if noticed_ppmv.shape != (len(template.sensors),) or not (noticed_ppmv > 0).all():
        raise InvalidInput(f"noticed_ppmv must be {len(template.sensors)} levels above 0, not {noticed_ppmv!r}")
    if not all(0 < one < 1 for one in probabilities):
        raise InvalidInput(f"probabilities must be above 0 and below 1, not {probabilities}")
    return Detectability(found.places, probabilities, found.rates(noticed_ppmv, probabilities))


def signals_of(
    template: Template,
    environment: Environment,
    periods: Sequence[Times],
    *,
    within_s: tuple[float, ...] = (WITHIN_S,),
    options: EstimationOptions = _DEFAULTS,
) -> Signals:
    """Return what sensors read of leaks that begin in any of the periods, times [n] each, by every member's physics.

    Onsets are spread evenly in each period, which reaches the longest of ``within_s`` further. Raises InvalidInput for
    times that do not increase or span less than that, and no sensors. Known leak points outside the template are left
    out.
    """
    here = template.without_misplaced()
    places = places_of(here, options)
    found = []
    for times in periods:
        series = period_of(template, times, options, max(within_s))
        onsets = onsets_of(series, ONSETS, max(within_s))
        found += [_log_shown(here, environment, places, series, one, onsets, within_s) for one in ensemble_of(options)]
    return Signals(places, np.concatenate(found, axis=1), confinement(here), options)


def period_of(
    template: Template, times: Times, options: EstimationOptions, within_s: float = WITHIN_S
) -> ObservedSeries:
    """Return a series of all sensors that read nothing, at ``times`` [n] thinned as ``estimate`` does.

    Raises InvalidInput where they span less than ``within_s``.
    """
    series = series_of(template, Observations(times, np.zeros((len(template.sensors), times.size))), options)
    if series.seconds.size < 2 or series.seconds[-1] - series.seconds[1] < within_s:
        raise InvalidInput(f"times must span more than the {within_s / 3600:.0f} h in which a leak is to be noticed")
    return series


def onsets_of(series: ObservedSeries, count: int, within_s: float = WITHIN_S) -> Indices:
    """Return up to ``count`` onsets [o], as indices of the series, evenly up to ``within_s`` before its end."""
    last = int(np.searchsorted(series.seconds, series.seconds[-1] - within_s, side="right")) - 1
    return spread_onsets(0, max(last - 1, 0), count)


def _log_shown(
    template: Template,
    environment: Environment,
    places: Places,
    series: ObservedSeries,
    member: Member,
    onsets: Indices,
    within_s: tuple[float, ...],
) -> Singles:
    """Return ln of what each sensor reads or more, in ppmv per kg/s, for three hours within each time [w, o, p, s]."""
    plume = plumes_of(template, environment, places, series, member)
    responses = responses_of(template, environment, places, series, member, plume, onsets)
    held = max(1, round(HELD_S / float(np.median(np.diff(series.seconds)))))
    found = np.empty((len(within_s), onsets.size, len(places.positions), len(series.rows)), dtype=np.float32)
    for k, start in enumerate(onset_seconds(series, onsets)):
        since = series.seconds - start
        at = np.flatnonzero((since > 0) & (since <= max(within_s)))
        for sensor in range(len(series.rows)):
            begun = responses.begun(sensor, k, at, since[at])
            for w, longest in enumerate(within_s):
                part = begun[:, : int(np.count_nonzero(since[at] <= longest))]
                found[w, k, :, sensor] = np.partition(part, -held, axis=-1)[:, -held]
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
