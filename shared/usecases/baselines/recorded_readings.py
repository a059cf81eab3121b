"""What the lake holds of a platform's sensors, and baselines made of it by recipe; remembered for one run.

What is remembered has bounds, so that memory does not grow with the years that a run goes through.
"""

import logging
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import numpy as np

from shared.arrays import ComplexFloats, Flags, Floats, Times
from shared.detection import Baseline, Rates, build_baseline
from shared.domain.baseline_history import Recipe
from shared.domain.deviation import Readings
from shared.domain.mark import Span
from shared.domain.platform import Platform
from shared.domain.tsd import ONE_DAY, SLOTS, SeriesDay, TemplateDay, days_between, grid, to_datetime64
from shared.errors import InvalidInput, NotFound
from shared.ports import DayStore
from shared.usecases.sea import currents_of

logger = logging.getLogger(__name__)


KEPT_DOCUMENTS = 512  # of all templates: about 40 kB each, what an attempt to renew looks at anew
KEPT_DAYS = 32_768  # of all sensors: 1.2 kB each, what baselines are made of
KEPT_BASELINES = 6  # about 10 MB each when they have been searched in: the candidates of one attempt


class RecordedReadings:
    """The readings of one platform."""

    def __init__(self, lake: DayStore, platform: Platform) -> None:
        """Read the platform's day documents, each on first use."""
        self._lake, self._platform = lake, platform
        self._templates = {one.id: one for one in platform.templates}
        self._sensors = {sensor.id: (one, sensor) for one in platform.templates for sensor in one.sensors}
        self._document = lru_cache(KEPT_DOCUMENTS)(self._read)
        self._day = lru_cache(KEPT_DAYS)(self._readings)
        self._made = lru_cache(KEPT_BASELINES)(self._build)

    def _read(self, template: str, day: date) -> tuple[TemplateDay, ComplexFloats] | None:
        """Return the sensors' part of the template's day document, and the currents [144]; None: it cannot be read."""
        document = self._lake.read(self._templates[template], day).document
        if document is None:
            return None
        return document.model_copy(update={"environment": {}}), currents_of(self._platform, document)

    def series(self, sensor: str, day: date) -> SeriesDay | None:
        """Return the sensor's series of the day, or None; raises NotFound for a sensor that is not registered."""
        found = self._found(sensor, day)
        return None if found is None else found[0].series_of(self._sensors[sensor][1])

    def scored_from(self, sensor: str, day: date) -> Readings | None:
        """Return what of the sensor's day is scored, [144] each; None where nothing is known of it."""
        found, series = self._found(sensor, day), self.series(sensor, day)
        if found is None or series is None or not series.closed_slots(day):
            return None
        return Readings(series.readings(), found[1])

    def _found(self, sensor: str, day: date) -> tuple[TemplateDay, ComplexFloats] | None:
        if sensor not in self._sensors:
            raise NotFound(f"sensor {sensor!r} is not registered")
        return self._document(self._sensors[sensor][0].id, day)

    def day(self, sensor: str, day: date) -> Floats | None:
        """Return the sensor's readings [144] of the day, or None."""
        return self._day(sensor, day)

    def _readings(self, sensor: str, day: date) -> Floats | None:
        series = self.series(sensor, day)
        return None if series is None else series.readings()

    def is_whole(self, sensor: str, day: date) -> bool:
        """Return whether all buckets of the sensor's day are known."""
        series = self.series(sensor, day)
        return series is not None and series.closed_slots(day) == SLOTS

    def between(self, sensor: str, first: date, last: date, *, without: Iterable[Span] = ()) -> tuple[Times, Floats]:
        """Return times and ppmv [n] of the days [first, last], NaN where missing and in the ranges left out."""
        times = grid(first, ((last - first).days + 1) * SLOTS)
        ppmv = np.full(times.size, np.nan)
        for index in range(times.size // SLOTS):
            found = self.day(sensor, first + index * ONE_DAY)
            if found is not None:
                ppmv[index * SLOTS : (index + 1) * SLOTS] = found
        for span in without:
            ppmv[inside(times, span)] = np.nan
        return times, ppmv

    def make(self, recipe: Recipe) -> Baseline | None:
        """Return the recipe's baseline, or None where too little is left of it, or its sensor is gone.

        The same lake and recipe give the same version.
        """
        return self._made(recipe)

    def _build(self, recipe: Recipe) -> Baseline | None:
        try:
            return build_baseline(*self._of(recipe), Rates(*recipe.rates))
        except (InvalidInput, NotFound) as error:  # too little is left, or the sensor that it was borrowed from is gone
            logger.warning("%s: %s", recipe.source, error)
            return None

    def _of(self, recipe: Recipe) -> tuple[Times, Floats]:
        """Return the recipe's readings on one grid, with everything else missing.

        A range that is put in brings the day before it along: without that, no sample's window of it is complete.
        """
        included = [Span(span.start - ONE_DAY, span.end) for span in recipe.included]
        marked = [day for span in included for day in days_between(span.start, span.end)]
        days = [*recipe.whole_days(), *marked]
        if not days:
            raise InvalidInput("a baseline needs at least two days, the recipe names none")
        times, ppmv = self.between(recipe.source, min(days), max(days), without=recipe.excluded)
        taken = np.isin(times.astype("datetime64[D]"), np.array(recipe.whole_days(), dtype="datetime64[D]"))
        for span in included:
            taken |= inside(times, span)
        return times, np.where(taken, ppmv, np.nan)


def inside(times: Times, span: Span) -> Flags:
    """Return which times lie in the range [n]."""
    return np.asarray((times >= to_datetime64(span.start)) & (times < to_datetime64(span.end)))
