"""The rate over time, and the mass that it adds up to.

In steps of hours nothing is released, or a rate of the grid: a hidden Markov model. From step to step the logarithm of
a rate walks; a leak may begin and end at any step. A sensor's reading remembers the steps before, and an error of the
pattern passes through the same response: whitened by it, a reading tells of its own step alone (deconvolution; Dolven
2022). Given each sensor's gain and background the rates of all steps are then drawn together, exactly, by filtering
backward and sampling forward (Chib 1996); given these, gains and backgrounds are, each exactly, too. Places and physics
are those of a steady leak.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from shared.arrays import Floats, Indices
from shared.estimation.candidates import onset_seconds
from shared.estimation.noise import sensor_noises
from shared.estimation.observed_series import ObservedSeries
from shared.estimation.options import EstimationOptions
from shared.estimation.posterior import Draws
from shared.estimation.rate import common_spread, gain_kernel, walk_kernel
from shared.estimation.responses import plumes_of
from shared.estimation.solution import InverseProblem, Solution, model_errors
from shared.simulation import confinement, resolve

STEP_S = 6 * 3600.0  # three times the sensors' memory: finer steps hold little more
MOST_STEPS = 62  # of a longer incident they are longer: half a day of a month
MOST_TIMES = 1000  # of what a long incident is thinned to: it bounds time and memory
_SWITCH = 0.1  # probability that a leak begins or ends at a step
_WALK_PER_DAY = 1.0  # standard deviation of the change of ln rate within a day
_WIDEST = 15  # grid steps of a gain, up and down: a factor of 90
_SWEEPS, _KEPT = 16, 8  # of the sampling: what is drawn, and what of it is used


@dataclass(frozen=True, eq=False, slots=True)
class ReleaseHistory:
    """Histories drawn from the posterior: ``rates`` [n, k] in kg/s between ``edges`` [k + 1] in s, and weights [n]."""

    edges: Floats
    rates: Floats
    weight: Floats

    @property
    def mass_kg(self) -> Floats:
        """Return the mass [n] that each history adds up to."""
        return np.asarray(self.rates @ np.diff(self.edges))


@dataclass(frozen=True, eq=False, slots=True)
class _Evidence:
    """What the whitened readings say of each hypothesis, sensor and step.

    With the response g per kg/s, the data d and a background b of 1 ppmv: g'g, g'd and g'b [n, s, k]; b'd and b'b
    [n, s], the latter with the background's prior.
    """

    gg: Floats
    gd: Floats
    gb: Floats
    bd: Floats
    bb: Floats


def release_history(
    problem: InverseProblem, solution: Solution, options: EstimationOptions, whole: ObservedSeries | None = None
) -> ReleaseHistory:
    """Return histories of the dissolved rate from the earliest onset to the last reading, in 62 steps or fewer.

    The last reading is that of the ``whole`` series, which may go on after what the solution rests on.
    """
    draws = solution.posterior.draws()
    if whole is not None:
        problem, draws = _continued(problem, draws, whole, options)
    begun = float(onset_seconds(problem.series, np.array([problem.window[0]]))[0])
    length = float(problem.series.seconds[-1]) - begun
    steps = int(np.clip(round(length / STEP_S), 1, MOST_STEPS))
    edges = np.linspace(begun, begun + length, steps + 1)
    rng = np.random.default_rng(0)
    walk = walk_kernel(solution.rates, _WALK_PER_DAY * float(np.sqrt(length / steps / 86_400)))
    rates = _Sampling(_evidence(problem, draws, edges, options), solution.rates, walk, options, rng).run()
    spread = common_spread(confinement(problem.template), options)
    common = np.exp(spread * rng.standard_normal((rates.shape[0], 1)))
    return ReleaseHistory(edges, rates * common, np.tile(draws.weight, _KEPT) / _KEPT)


def _continued(
    problem: InverseProblem, draws: Draws, whole: ObservedSeries, options: EstimationOptions
) -> tuple[InverseProblem, Draws]:
    """Return the problem of a longer series with nothing but the places and members drawn, and the draws in it."""
    drawn, place = np.unique(draws.place, return_inverse=True)
    known = problem.places
    places = replace(
        known,
        positions=known.positions[drawn],
        log_prior=known.log_prior[drawn],
        cells=drawn.size,
        home=known.home[drawn],
    )
    nothing = np.empty((0, 0, 0), dtype=np.float32)
    plumes = tuple(
        plumes_of(problem.template, problem.environment, places, whole, one) if k in draws.member else nothing
        for k, one in enumerate(problem.members)
    )
    begun = int(np.searchsorted(whole.times, problem.series.times[problem.window[0]], side="right")) - 1
    longer = replace(
        problem,
        series=whole,
        places=places,
        plumes=plumes,
        sea=resolve(problem.environment, whole.times, problem.template),
        noises=sensor_noises(whole, problem.background, options),
        window=(max(begun, 0), whole.times.size - 1),
    )
    return longer, replace(draws, place=place.ravel())


def _evidence(problem: InverseProblem, draws: Draws, edges: Floats, options: EstimationOptions) -> _Evidence:
    errors = model_errors(problem, options)
    sensors, steps = len(problem.noises), edges.size - 1
    gg, gd, gb = np.zeros((3, draws.place.size, sensors, steps))
    bd, bb = np.zeros((2, draws.place.size, sensors))
    for member in np.unique(draws.member).tolist():
        chosen = np.flatnonzero(draws.member == member)
        physics = problem.members[member].physics
        responses = problem.responses(member, np.array([problem.window[0]]))
        for s, steady in enumerate(problem.noises):
            noise = steady.remembering(0.5 * (1 + physics.sensor_fall) * physics.sensor_time_constant_s, options)
            seconds = problem.series.seconds[noise.at]
            after = int(np.searchsorted(seconds, edges[0], side="right"))
            u = 1 / np.sqrt(errors[noise.row, noise.at] + noise.variance)
            g = np.zeros((chosen.size, seconds.size))
            begun = responses.begun(noise.row, 0, noise.at[after:], seconds[after:] - edges[0])
            g[:, after:] = begun[draws.place[chosen]]
            d, b, g = (noise.whitened(one * u) for one in (noise.data, np.ones_like(u), g))
            inside = np.searchsorted(edges, seconds)[:, None] == np.arange(1, steps + 1)
            gg[chosen, s], gd[chosen, s], gb[chosen, s] = ((g * one) @ inside for one in (g, d, b))
            bd[chosen, s], bb[chosen, s] = d @ b, b @ b + 1 / noise.prior
    return _Evidence(gg, gd, gb, bd, bb)


class _Sampling:
    """Gibbs' sampling of the rates, the gains and the backgrounds of every hypothesis, in turn."""

    def __init__(
        self, seen: _Evidence, rates: Floats, walk: Floats, options: EstimationOptions, rng: np.random.Generator
    ) -> None:
        step = float(np.log(rates[1] / rates[0]))
        self.gains = np.exp(step * np.arange(-_WIDEST, _WIDEST + 1))
        self.log_gain = np.log(gain_kernel(self.gains, options)[:, _WIDEST])
        self.values = np.concatenate([[0.0], rates])
        self.turns = np.full((self.values.size, self.values.size), _SWITCH)
        self.turns[0] = [1 - _SWITCH, *[_SWITCH / rates.size] * rates.size]
        self.turns[1:, 1:] = (1 - _SWITCH) * walk
        self.seen, self.rng = seen, rng
        count, sensors, steps = seen.gg.shape
        self.state = np.zeros((count, steps), dtype=np.intp)
        self.gain = np.full((count, sensors), _WIDEST, dtype=np.intp)
        self.background = np.zeros((count, sensors))

    def run(self) -> Floats:
        """Return rates [kept * n, k] in kg/s."""
        drawn = list(self._sweeps())[-_KEPT:]
        return np.concatenate(drawn)

    def _sweeps(self) -> Iterator[Floats]:
        for _ in range(_SWEEPS):
            self._draw_rates()
            self._draw_gains()
            self._shift()
            self._draw_backgrounds()
            yield self.values[self.state]

    @property
    def _above(self) -> Floats:
        """g'(d - background) [n, s, k]."""
        return self.seen.gd - self.background[..., None] * self.seen.gb

    def _draw_rates(self) -> None:
        gain = self.gains[self.gain]
        slope, square = np.einsum("ns,nsk->nk", gain, self._above), np.einsum("ns,nsk->nk", gain**2, self.seen.gg)
        logs = slope[..., None] * self.values - 0.5 * square[..., None] * self.values**2
        here = np.exp(logs - logs.max(axis=-1, keepdims=True))
        ahead = np.ones_like(here)  # what all later steps say
        for k in range(here.shape[1] - 1, 0, -1):
            ahead[:, k - 1] = (here[:, k] * ahead[:, k]) @ self.turns.T
            ahead[:, k - 1] /= ahead[:, k - 1].max(axis=-1, keepdims=True)
        before = np.zeros(here.shape[0], dtype=np.intp)
        for k in range(here.shape[1]):
            self.state[:, k] = before = self._chosen(self.turns[before] * here[:, k] * ahead[:, k])

    def _draw_gains(self) -> None:
        rates = self.values[self.state]
        slope, square = np.einsum("nsk,nk->ns", self._above, rates), np.einsum("nsk,nk->ns", self.seen.gg, rates**2)
        logs = self.log_gain + slope[..., None] * self.gains - 0.5 * square[..., None] * self.gains**2
        self.gain = self._chosen(np.exp(logs - logs.max(axis=-1, keepdims=True)))

    def _shift(self) -> None:
        """Draw how much all rates grow and all gains fall: nothing that is read would change."""
        shifts = np.arange(-_WIDEST, _WIDEST + 1)
        gain = self.gain[..., None] - shifts
        log_gain = np.where(abs(gain - _WIDEST) <= _WIDEST, self.log_gain[np.clip(gain, 0, 2 * _WIDEST)], -np.inf)
        leaking, moved = self.state > 0, self.state[..., None] + shifts
        possible = ((moved >= 1) & (moved < self.values.size) | ~leaking[..., None]).all(axis=1)
        logs = np.where(possible, log_gain.sum(axis=1), -np.inf)
        shift = shifts[self._chosen(np.exp(logs - logs.max(axis=-1, keepdims=True)))]
        self.state += np.where(leaking, shift[:, None], 0)
        self.gain -= shift[:, None]

    def _draw_backgrounds(self) -> None:
        signal = self.gains[self.gain] * np.einsum("nsk,nk->ns", self.seen.gb, self.values[self.state])
        noise = self.rng.standard_normal(signal.shape) / np.sqrt(self.seen.bb)
        self.background = (self.seen.bd - signal) / self.seen.bb + noise

    def _chosen(self, weights: Floats) -> Indices:
        """Return an index [...] drawn by weights [..., r]."""
        held = np.cumsum(weights, axis=-1)
        return np.asarray((held < self.rng.random((*held.shape[:-1], 1)) * held[..., -1:]).sum(axis=-1))
