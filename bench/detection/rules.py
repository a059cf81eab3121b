"""The rules that are compared: each learns from a baseline and gives every sample a continuous score."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, Self

import numpy as np

from bench.detection.channel_figures import adjusted
from bench.detection.currents import Told
from bench.detection.scales import Scales
from shared.arrays import Floats, Indices, Scores, Times
from shared.detection import build_baseline, detect
from shared.detection.channels import SCALES, thresholds
from shared.detection.regular import forward_fill, regularise
from shared.domain.environment import Environment


class Scorer(Protocol):
    """Score times [n] and ppmv [n], told the currents or not: one score for each bin from ``since`` on."""

    def __call__(
        self, when: Times, values: Floats, since: np.datetime64, environment: Environment | None = None, /
    ) -> Scores: ...


Learn = Callable[[Times, Floats], Scorer]

WINDOW = 144
ZONE = WINDOW // 4  # STUMPY's default: windows at most so many bins apart do not match
ROWS = 256  # of windows compared at once: bounds the memory


@dataclass(frozen=True)
class Rule:
    """A way to score readings, with the thresholds that its authors fixed, and what it is told of the currents.

    ``chosen_without`` gives the rule whose constants were chosen from all sensors but the one named, which is the one
    it is judged on; None where constants are the same for all.
    """

    name: str
    label: str
    learn: Learn
    warning: float
    critical: float | None
    told: Told = "nothing"
    chosen_without: Callable[[str], Learn] | None = None

    @property
    def fixed(self) -> dict[str, float]:
        """The thresholds that the rule has."""
        given = {"warning": self.warning, "critical": self.critical}
        return {name: threshold for name, threshold in given.items() if threshold is not None}

    def learnt(self, sensor: str, times: Times, ppmv: Floats) -> Scorer:
        """Return the scorer of a sensor after a baseline of times [n] and ppmv [n]."""
        learn = self.learn if self.chosen_without is None else self.chosen_without(sensor)
        return learn(times, ppmv)


@dataclass(frozen=True, eq=False)
class Learnt:
    """Rules as they learnt a sensor's baseline; each scores with what it is told."""

    told: dict[str, Told]
    scorers: dict[str, Scorer]

    @classmethod
    def of(cls, rules: Sequence[Rule], sensor: str, times: Times, ppmv: Floats) -> Self:
        """Learn a baseline of times [n] and ppmv [n], once for all rules that differ only in what they are told."""
        alike = {rule.learn: rule for rule in rules}
        learnt = {learn: rule.learnt(sensor, times, ppmv) for learn, rule in alike.items()}
        return cls({rule.name: rule.told for rule in rules}, {rule.name: learnt[rule.learn] for rule in rules})

    def scores(
        self, times: Times, ppmv: Floats, since: np.datetime64, sea: Mapping[Told, Environment | None]
    ) -> dict[str, Scores]:
        """Return every rule's scores of the bins from ``since`` on."""
        return {name: scorer(times, ppmv, since, sea[self.told[name]]) for name, scorer in self.scorers.items()}


def ours(times: Times, ppmv: Floats, scales: Scales = SCALES) -> Scorer:
    """Return this project's scorer, with other scales if given, after a baseline of times [n] and ppmv [n]."""
    known = build_baseline(times, ppmv)
    baseline = adjusted(known, thresholds(known.rates, known.months, scales))

    def score(when: Times, values: Floats, since: np.datetime64, environment: Environment | None = None, /) -> Scores:
        return detect(baseline, when, values, environment, since=since).score

    return score


def level(times: Times, ppmv: Floats) -> Scorer:
    """Return the scorer by the reading over the highest of a baseline of times [n] and ppmv [n]."""
    highest = float(np.nanmax(regularise(times, ppmv).ppmv))

    def score(when: Times, values: Floats, since: np.datetime64, _: Environment | None = None, /) -> Scores:
        series = regularise(when, values)
        return (forward_fill(series.ppmv)[series.times >= since] / highest).astype(np.float32)

    return score


def older(times: Times, ppmv: Floats) -> Scorer:
    """Return the older system's ratio: the newest day's distance to the baseline's nearest day / the profile's maximum.

    Non-normalised, m = 144, STUMPY's default exclusion zone. It resets daily, so its stream is taken as always being
    at the baseline. Its own gap rule (144 infinite distances for one missing bin) is left out: values are held
    over gaps, and a sample more than 2 h after the last value has no score.
    """
    held = forward_fill(regularise(times, ppmv).ppmv)
    windows = _windows(held)
    windows, where = windows[~np.isnan(windows).any(axis=1)], np.flatnonzero(~np.isnan(windows).any(axis=1))
    maximum = float(_nearest(windows, windows, (where, where)).max())

    def score(when: Times, values: Floats, since: np.datetime64, _: Environment | None = None, /) -> Scores:
        series = regularise(when, values)
        first = int(np.searchsorted(series.times, since))
        filled = np.concatenate((np.full(WINDOW - 1, np.nan), forward_fill(series.ppmv, series.ppmv.size)))
        queries = _windows(filled)[first:]
        result = np.full(queries.shape[0], np.nan)
        known = ~np.isnan(queries).any(axis=1) & ~np.isnan(forward_fill(series.ppmv)[first:])
        result[known] = _nearest(queries[known], windows) / maximum
        return result.astype(np.float32)

    return score


def _windows(series: Floats) -> Floats:
    return np.lib.stride_tricks.sliding_window_view(series, WINDOW)


def _nearest(queries: Floats, windows: Floats, places: tuple[Indices, Indices] | None = None) -> Floats:
    """Return each query's [q, m] distance [q] to the nearest window [w, m].

    With ``places`` [q], [w] only to those outside the exclusion zone.
    """
    centre = windows.mean()
    theirs = np.ascontiguousarray(windows - centre)
    energy = np.einsum("ij,ij->i", theirs, theirs)
    found = np.empty(queries.shape[0])
    for first in range(0, queries.shape[0], ROWS):
        mine = np.ascontiguousarray(queries[first : first + ROWS] - centre)
        squares = energy - 2.0 * (mine @ theirs.T)
        if places is not None:
            squares[np.abs(places[0][first : first + ROWS, None] - places[1][None, :]) <= ZONE] = np.inf
        # Again by plain subtraction: cancellation spoils small differences of large sums.
        found[first : first + ROWS] = np.linalg.norm(mine - theirs[np.argmin(squares, axis=1)], axis=1)
    return found


RULES = (
    Rule("ours", "this system", ours, 1.0, 2.0),
    # Its description names no numbers; these come closest to the false alarms, recalls and first flags known of it.
    Rule("older", "older system", older, 1.0, 1.5),
    Rule("level", "plain level", level, 1.0, None),
)
TOLD_RULES = (
    replace(RULES[0], name="ours_measured", label="told the currents", told="measured"),
    replace(RULES[0], name="ours_shifted", label="told shifted ones", told="shifted"),
)
ALL_RULES = RULES + TOLD_RULES


def judged(without: Mapping[str, Scales]) -> tuple[Rule, ...]:
    """Return all rules, this system's with the scales that were measured without the sensor it is judged on."""
    chosen = partial(_ours_without, without)
    return tuple(replace(rule, chosen_without=chosen) if rule.learn is ours else rule for rule in ALL_RULES)


def _ours_without(without: Mapping[str, Scales], sensor: str) -> Learn:
    return partial(ours, scales=without[sensor])
