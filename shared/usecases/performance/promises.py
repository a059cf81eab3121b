"""Promises: from which rates on leaks of a template are found, by its baselines and the currents that were measured.

One simulation serves all of it: sensors that are there, and places where one more might be, read the same leaks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from shared.arrays import BUCKET_S, Floats, Indices, Times
from shared.detection.baseline import Baseline
from shared.detection.channels import CRITICAL_SCORE, WARNING_SCORE
from shared.detection.sensitivity import least_rise, usual_spread
from shared.domain.environment import Environment
from shared.domain.performance import (
    PROBABILITY,
    Accuracy,
    LevelWord,
    PointRate,
    Promise,
    RateMap,
    Variant,
)
from shared.domain.template import Sensor, Template
from shared.estimation.candidates import Places, places_of
from shared.estimation.detectability import Signals, signals_of
from shared.estimation.expected_error import expected_place_errors
from shared.estimation.options import EstimationOptions

SCORES: Mapping[LevelWord, float] = {"Warning": WARNING_SCORE, "Critical": CRITICAL_SCORE}
WITHIN_H = (6, 24, 72)  # of the onset
DAY = WITHIN_H.index(24)
MAP = EstimationOptions(spacing_m=2.0, max_places=400)  # a quarter of the cells of ``estimate``: what a map can show
PERIODS, PERIOD = 3, int(120 * 3600 / BUCKET_S)  # of the currents: two days in which leaks begin, three to be found in
LEAST_KNOWN = 0.9  # share of a period in which the current was measured
LOCATED, DRAWS = 24, 4  # places whose leaks are estimated, and how often
LOCATED_HEIGHTS = 2  # of cells: an estimation of a leak looks at all of them
LARGER = (1.0, 10.0)  # rates of these, over what is found at half of the places
QUARTERS = (-0.25, 0.25)  # of the footprint, from its middle: where one more sensor might be
MOST = 0.9  # of the places


@dataclass(frozen=True, eq=False, slots=True)
class SensorFigures:
    """What becomes each level of ``SCORES`` at a sensor, and its noise's standard deviation, in ppmv."""

    noticed_ppmv: Mapping[LevelWord, float]
    spread_ppmv: float

    @classmethod
    def of(cls, baseline: Baseline) -> Self:
        """Return the figures of a sensor with this baseline."""
        noticed = {level: least_rise(baseline, score) for level, score in SCORES.items()}
        return cls(noticed, usual_spread(baseline.ppmv))


@dataclass(frozen=True, eq=False)
class Promises:
    """What can be said of a template in an environment, by its sensors' figures (None: it notices nothing)."""

    template: Template
    environment: Environment
    periods: Sequence[Times]
    figures: Sequence[SensorFigures | None]
    options: EstimationOptions = MAP

    @cached_property
    def _spots(self) -> tuple[Sensor, ...]:
        return tuple(_spots(self.template))

    @cached_property
    def _signals(self) -> Signals:
        everywhere = self.template.model_copy(update={"sensors": (*self.template.sensors, *self._spots)})
        within = tuple(hours * 3600.0 for hours in WITHIN_H)
        return signals_of(everywhere, self.environment, self.periods, within_s=within, options=self.options)

    @property
    def places(self) -> Places:
        """The places that it speaks of."""
        return self._signals.places

    def rates(self, level: LevelWord = "Critical", within: int = DAY, sensors: Sequence[int] | None = None) -> Floats:
        """Return the smallest rates [p] in kg/s that are found; infinite: none.

        within: an index of ``WITHIN_H``; sensors: as indices of those there are and then of the spots.
        """
        usual = self._usual(level)
        known = [one.noticed_ppmv[level] if one else np.inf for one in self.figures]
        chosen = range(len(known)) if sensors is None else sensors
        noticed = np.array([known[one] if one < len(known) else usual for one in chosen])
        return self._signals.rates(noticed, (PROBABILITY,), within=within, sensors=chosen)[:, 0]

    def _usual(self, level: LevelWord) -> float:
        """Return what one more sensor would notice: as much as the median one."""
        return float(np.median([one.noticed_ppmv[level] for one in self.figures if one]))

    @cached_property
    def _now(self) -> Floats:
        return self.rates()

    def map(self) -> RateMap:
        """Return the smallest rates that are found as Critical within a day, by place."""
        cells = self.places.positions[: self.places.cells]
        x, y, z = (np.unique(cells[:, axis]) for axis in range(3))
        table = self._now[: self.places.cells].reshape(x.size, y.size, z.size)
        rows = tuple(tuple(tuple(_rate(one) for one in row) for row in table[:, :, k].T) for k in range(z.size))
        return RateMap(x=_rounded(x), y=_rounded(y), z=_rounded(z), rates_kg_s=rows)

    def points(self) -> tuple[PointRate, ...]:
        """Return the same at the known leak points."""
        named = self.template.without_misplaced().leak_points
        return tuple(
            PointRate(name=point.name, rate_kg_s=_rate(one))
            for point, one in zip(named, self._now[self.places.cells :], strict=True)
        )

    def promises(self) -> tuple[Promise, ...]:
        """Return from which rates on leaks are told, by level and time."""
        return tuple(
            Promise(level=level, within_hours=hours, **_quantiles(self.rates(level, within)))
            for level in SCORES
            for within, hours in enumerate(WITHIN_H)
        )

    def variants(self) -> tuple[Variant, ...]:
        """Return what each sensor that is lost costs, and what the best spot for one more at each height brings."""
        count = len(self.figures)
        lost = [
            self._variant([one for one in range(count) if one != k], kind="lost", sensor=self.template.sensors[k].id)
            for k, figures in enumerate(self.figures)
            if figures
        ]
        return (*lost, *self._added(count))

    def _added(self, count: int) -> Iterator[Variant]:
        for height in sorted({one.z for one in self._spots}):
            tried = [
                self._variant([*range(count), count + k], kind="added", place=(one.x, one.y, one.z))
                for k, one in enumerate(self._spots)
                if one.z == height
            ]
            yield min(tried, key=lambda one: np.inf if one.most_kg_s is None else one.most_kg_s)

    def _variant(self, sensors: Sequence[int], **named: object) -> Variant:
        rates = self.rates(sensors=sensors)
        both = np.isfinite(self._now) & np.isfinite(rates)
        times = float(np.exp(np.mean(np.log(rates[both] / self._now[both])))) if both.any() else np.inf
        return Variant.model_validate({**named, **_quantiles(rates), "times": _rate(times)})

    def accuracy(self) -> tuple[Accuracy, ...]:
        """Return how exactly leaks are estimated that are found at half of the places, and ten times larger ones."""
        seeing = [k for k, one in enumerate(self.figures) if one]
        here = self.template.model_copy(update={"sensors": tuple(self.template.sensors[k] for k in seeing)})
        spread = np.array([one.spread_ppmv for one in self.figures if one])
        half = float(np.quantile(self._now, 0.5, method="lower"))
        return tuple(self._accuracy(here, spread, factor * half) for factor in LARGER) if np.isfinite(half) else ()

    def _accuracy(self, here: Template, spread: Floats, rate_kg_s: float) -> Accuracy:
        located = replace(self.options, heights=LOCATED_HEIGHTS)
        rng, at = np.random.default_rng(0), _spread_out(here, located)
        found = [
            expected_place_errors(
                here,
                self.environment,
                times,
                spread,
                rate_kg_s,
                rng,
                at=part,
                draws=DRAWS,
                options=located,
            )
            for times, part in zip(self.periods, np.array_split(at, len(self.periods)), strict=True)
        ]
        metres = np.concatenate([one.errors_m for one in found])
        factors = np.concatenate([one.rate_factors for one in found])
        return Accuracy(
            rate_kg_s=_digits(rate_kg_s),
            distance_median_m=round(float(np.median(metres)), 1),
            distance_most_m=round(float(np.quantile(metres, MOST)), 1),
            factor_median=round(float(np.median(factors)), 2),
            factor_most=round(float(np.quantile(factors, MOST)), 2),
        )


def periods_of(environment: Environment) -> list[Times]:
    """Return up to three periods of five days, evenly spread, in which the current was hardly ever missing.

    The environment is on the 10-minute grid.
    """
    known = np.isfinite(environment.current_speed) & np.isfinite(environment.current_direction)
    counts = np.concatenate([[0], np.cumsum(known)])
    if known.size < PERIOD:
        return []
    possible = np.flatnonzero((counts[PERIOD:] - counts[:-PERIOD]) / PERIOD >= LEAST_KNOWN)
    if not possible.size:
        return []
    wanted = np.linspace(0, known.size - PERIOD, PERIODS)
    starts = {int(possible[np.abs(possible - one).argmin()]) for one in wanted}
    return [environment.times[start : start + PERIOD] for start in sorted(starts)]


def _spots(template: Template) -> Iterator[Sensor]:
    """Yield sensors where there might be one more: at the others' height and at another one, four spots each."""
    usual = float(np.mean([one.z for one in template.sensors]))
    other = template.height if template.height - usual >= usual / 2 else usual / 2  # the farther one
    first = max(one.number for one in template.sensors) + 1
    spots = [(x * template.width, y * template.length, z) for z in (usual, other) for x in QUARTERS for y in QUARTERS]
    for number, (x, y, z) in enumerate(spots, start=first):
        where = {"x": round(x, 2), "y": round(y, 2), "z": round(z, 2)}
        named = {"id": f"{template.id}-{number}", "tag": f"spot {number}", "number": number}
        yield template.sensors[0].model_copy(update={**where, **named})


def _spread_out(template: Template, options: EstimationOptions) -> Indices:
    """Return indices of cells, drawn once and for all."""
    cells = places_of(template, options).cells
    return np.sort(np.random.default_rng(0).permutation(cells)[:LOCATED])


def _quantiles(rates: Floats) -> dict[str, float | None]:
    median, most = (_rate(float(np.quantile(rates, one, method="lower"))) for one in (0.5, MOST))
    return {"median_kg_s": median, "most_kg_s": most}


def _rate(value: float) -> float | None:
    return _digits(value) if np.isfinite(value) else None


def _digits(value: float) -> float:
    return float(f"{value:.3g}")


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(values.round(3).tolist())
