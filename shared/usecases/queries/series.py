"""Series: a sensor's readings and scores in a time range, as they are or in buckets in which no peak disappears."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from shared.arrays import Flags, Floats, Indices, Levels, Times
from shared.detection import Fault
from shared.domain.deviation import Level
from shared.domain.kept import Kept
from shared.domain.series_bodies import (
    DeviationBucketsBody,
    DeviationsBody,
    ReadingBucketsBody,
    ReadingsBody,
    SensorCurveBody,
    TemplateSeriesBody,
)
from shared.domain.tsd import BUCKET, EARLIEST, floor_to_bucket, iso, to_datetime64, utc
from shared.domain.validation import AskedMoment
from shared.errors import InvalidInput
from shared.ports import Clock, DeviationsTable, RegistryTable
from shared.usecases.lookup import look_up_sensor, look_up_template
from shared.usecases.queries.channels import channel_words

MOST_POINTS = 10_000
DIGITS = 7  # of single precision
MOST_PLACES = 22  # up to which powers of ten are exact
WIDTHS = {"1h": timedelta(hours=1), "1d": timedelta(days=1)}
# The only rule of what a resolution may be; the contract shows it. MOST_POINTS is a power of ten.
_FEWER_POINTS = f"[1-9][0-9]{{0,{len(str(MOST_POINTS)) - 2}}}"
RESOLUTION_PATTERN = f"^({'|'.join(['raw', *WIDTHS, _FEWER_POINTS, str(MOST_POINTS)])})$"
SAME_SCORE = 5e-4  # scores are told to a thousandth
EPOCH = datetime(1970, 1, 1, tzinfo=EARLIEST.tzinfo)


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A time range [start, end), UTC."""

    start: datetime
    end: datetime

    @classmethod
    def parse(
        cls, start: str | None, end: str | None, now: datetime, default: timedelta, longest: timedelta
    ) -> "TimeRange":
        """Return the range of two texts of a query; raise InvalidInput that names the one that is wrong."""
        until = floor_to_bucket(now) if end is None else moment("to", end)
        since = _before(until, default) if start is None else moment("from", start)
        if since >= until:
            raise InvalidInput(f"from: must be before to, not {iso(since)} with to {iso(until)}")
        if until - since > longest:
            raise InvalidInput(f"from: a range may span at most {longest.days} days, not {(until - since).days}")
        return cls(since, until)


def _before(moment: datetime, span: timedelta) -> datetime:
    return max(moment - span, EARLIEST)


def moment(name: str, text: str) -> datetime:
    """Return the text of a query as a moment in UTC; raise InvalidInput that says what it should be."""
    try:
        return utc(_MOMENT.validate_python(text))
    except ValidationError as error:
        what = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InvalidInput(f"{name}: {what}, not {text[:40]!r}") from error


_MOMENT: TypeAdapter[datetime] = TypeAdapter(AskedMoment)


@dataclass(frozen=True, slots=True)
class Resolution:
    """How fine: as it is (no width, no points), buckets of a width, or a number of points over the range."""

    width: timedelta | None = None
    points: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Resolution":
        """Return ``raw``, ``1h``, ``1d`` or a number of points; raises InvalidInput."""
        if re.fullmatch(RESOLUTION_PATTERN, text):
            if text == "raw":
                return cls()
            return cls(width=WIDTHS[text]) if text in WIDTHS else cls(points=int(text))
        raise InvalidInput(
            f"resolution: must be raw, 1h, 1d or a number of points in [1, {MOST_POINTS}], not {text[:40]!r}"
        )

    @property
    def raw(self) -> bool:
        """Whether samples are wanted as they are."""
        return self.width is None and self.points is None


@dataclass(frozen=True, slots=True)
class BucketGrid:
    """Buckets of equal width [s] from ``start`` on that cover a range; an empty one shows that nothing is known."""

    start: datetime
    width: timedelta
    size: int

    @classmethod
    def over(cls, span: TimeRange, resolution: Resolution) -> "BucketGrid":
        """Return the range's buckets: hours and days begin with UTC's, points with the range."""
        if resolution.points is None:
            width = resolution.width or BUCKET
            start = span.start - (span.start - EPOCH) % width
        else:
            start = floor_to_bucket(span.start)
            width = BUCKET * max(1, -(-(span.end - start) // (BUCKET * resolution.points)))
        return cls(start, width, -(-(span.end - start) // width))

    @property
    def times(self) -> Times:
        """The buckets' starts [size]."""
        return to_datetime64(self.start) + np.arange(self.size) * np.timedelta64(int(self.width.total_seconds()), "s")

    def of(self, times: Times) -> Indices:
        """Return each time's bucket [n]."""
        seconds = (times - to_datetime64(self.start)).astype(np.int64)
        return seconds // int(self.width.total_seconds())

    def spread(self, bucket: Indices, values: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the least, mean and largest of the finite values in each bucket [size]; NaN where there is none."""
        known = np.isfinite(values)
        bucket, values = bucket[known], values[known]
        low, mean, high = (np.full(self.size, np.nan) for _ in range(3))
        if values.size:
            there, first = np.unique(bucket, return_index=True)
            low[there] = np.minimum.reduceat(values, first)
            high[there] = np.maximum.reduceat(values, first)
            mean[there] = np.add.reduceat(values, first) / np.diff(np.append(first, values.size))
        return low, mean, high

    def worst(self, bucket: Indices, level: Levels) -> Levels:
        """Return the worst level in each bucket [size]; Undefined where there is none."""
        found = np.full(self.size, Level.UNDEFINED, dtype=np.int8)
        np.maximum.at(found, bucket, level)
        return found

    def count(self, bucket: Indices, which: Flags) -> list[int]:
        """Return how many of those samples each bucket holds [size]."""
        found: list[int] = np.bincount(bucket[which], minlength=self.size).tolist()
        return found


@dataclass(frozen=True, kw_only=True)
class SeriesQueries:
    """Returns a sensor's readings and scores, and all of a template's, as columns."""

    registry: RegistryTable
    deviations: DeviationsTable
    most_samples: int  # of one page of samples as they are
    kept: Kept = field(default_factory=Kept)
    clock: Clock | None = None  # needed where not everything is kept

    def readings(
        self, sensor: str, span: TimeRange, resolution: Resolution, continuation: str | None
    ) -> ReadingsBody | ReadingBucketsBody:
        """Return the sensor's readings; raises NotFound or InvalidInput."""
        look_up_sensor(self.registry, sensor)
        if resolution.raw:
            page, rest = self._page(span, continuation)
            times, columns = self._columns(sensor, page, ("ppmv",))
            return ReadingsBody.model_construct(
                sensor=sensor,
                kept_since=self._kept_since(span),
                times=texts_of(times),
                ppmv=numbers_of(columns["ppmv"]),
                continuation=rest,
            )
        _refuse_continuation(continuation)
        grid = BucketGrid.over(span, resolution)
        times, columns = self._columns(sensor, span, ("ppmv",))
        ppmv, bucket = columns["ppmv"], grid.of(times)
        low, mean, high = grid.spread(bucket, ppmv)
        return ReadingBucketsBody.model_construct(
            sensor=sensor,
            kept_since=self._kept_since(span),
            bucket_seconds=int(grid.width.total_seconds()),
            times=texts_of(grid.times),
            min=numbers_of(low),
            mean=numbers_of(mean.round(4)),
            max=numbers_of(high),
            samples=grid.count(bucket, np.isfinite(ppmv)),
            bad=grid.count(bucket, np.isinf(ppmv)),
        )

    def scores(
        self, sensor: str, span: TimeRange, resolution: Resolution, continuation: str | None
    ) -> DeviationsBody | DeviationBucketsBody:
        """Return the sensor's scores, what they rest on, levels and faults; raises NotFound or InvalidInput."""
        look_up_sensor(self.registry, sensor)
        names = ("score", "level", "fault")
        if resolution.raw:
            page, rest = self._page(span, continuation)
            times, columns = self._columns(sensor, page, (*names, "channel"))
            return DeviationsBody.model_construct(
                sensor=sensor,
                kept_since=self._kept_since(span),
                times=texts_of(times),
                score=numbers_of(columns["score"].astype(np.float64).round(4)),
                channel=channel_words(columns["channel"]),
                level=_levels(columns["level"]),
                fault=_faults(columns["fault"]),
                continuation=rest,
            )
        _refuse_continuation(continuation)
        grid = BucketGrid.over(span, resolution)
        times, columns = self._columns(sensor, span, names)
        bucket, level = grid.of(times), columns["level"]
        low, mean, high = grid.spread(bucket, columns["score"].astype(np.float64))
        return DeviationBucketsBody.model_construct(
            sensor=sensor,
            kept_since=self._kept_since(span),
            bucket_seconds=int(grid.width.total_seconds()),
            times=texts_of(grid.times),
            min=numbers_of(low.round(4)),
            mean=numbers_of(mean.round(4)),
            max=numbers_of(high.round(4)),
            level=_levels(grid.worst(bucket, level)),
            ok=grid.count(bucket, level == Level.OK),
            warning=grid.count(bucket, level == Level.WARNING),
            critical=grid.count(bucket, level == Level.CRITICAL),
            undefined=grid.count(bucket, level == Level.UNDEFINED),
            faulty=grid.count(bucket, columns["fault"] != Fault.NONE),
        )

    def of_template(self, template: str, span: TimeRange, points: int) -> TemplateSeriesBody:
        """Return all sensors' readings and scores at so many points at most; raises NotFound or InvalidInput."""
        _, known = look_up_template(self.registry, template)
        grid = BucketGrid.over(span, Resolution(points=points))
        return TemplateSeriesBody.model_construct(
            template=known.id,
            kept_since=self._kept_since(span),
            start=grid.start,
            bucket_seconds=int(grid.width.total_seconds()),
            size=grid.size,
            sensors=[self._curve(one.id, span, grid) for one in known.sensors],
        )

    def _curve(self, sensor: str, span: TimeRange, grid: BucketGrid) -> SensorCurveBody:
        times, columns = self._columns(sensor, span, ("ppmv", "score", "raw", "level"))
        bucket = grid.of(times)
        low, mean, high = grid.spread(bucket, columns["ppmv"])
        _, _, score = grid.spread(bucket, columns["score"].astype(np.float64))
        _, _, raw = grid.spread(bucket, columns["raw"].astype(np.float64))
        raw[np.abs(raw - score) < SAME_SCORE] = np.nan
        single = grid.width == BUCKET
        return SensorCurveBody.model_construct(
            sensor=sensor,
            mean=numbers_of(mean.round(3)),
            least=None if single else numbers_of(low.round(3)),
            largest=None if single else numbers_of(high.round(3)),
            score=numbers_of(score.round(3)),
            raw=numbers_of(raw.round(3)),
            level=grid.worst(bucket, columns["level"]).tolist(),
        )

    def _columns(self, sensor: str, span: TimeRange, names: tuple[str, ...]) -> tuple[Times, dict[str, Any]]:
        """Return the samples in the range as times [n] and columns [n] by name."""
        first, last = span.start.date(), (span.end - timedelta(microseconds=1)).date()
        times, columns = self.deviations.columns(sensor, first, last, names)
        inside = (times >= to_datetime64(span.start)) & (times < to_datetime64(span.end))
        return times[inside], {name: values[inside] for name, values in columns.items()}

    def _kept_since(self, span: TimeRange) -> date | None:
        """Return the first day whose samples are kept for certain, where the range begins before it."""
        since = self.kept.scored_since(self.clock.now()) if self.clock else None
        return since if since and span.start.date() < since else None

    def _page(self, span: TimeRange, continuation: str | None) -> tuple[TimeRange, str | None]:
        """Return the part of the range that one answer holds, and where the rest begins."""
        start = span.start if continuation is None else moment("continuation", continuation)
        if not span.start <= start < span.end:
            raise InvalidInput("continuation: must be what an answer to the same request gave")
        end = min(span.end, floor_to_bucket(start) + self.most_samples * BUCKET)
        return TimeRange(start, end), iso(end) if end < span.end else None


def _refuse_continuation(continuation: str | None) -> None:
    if continuation is not None:
        raise InvalidInput("continuation: buckets come in one page")


def texts_of(times: Times) -> list[str]:
    """Return times [n] as JSON has them."""
    texts: list[str] = np.datetime_as_string(times, unit="s", timezone="UTC").tolist()
    return texts


def numbers_of(values: Floats) -> list[float | None]:
    """Return the values as JSON has them: as short as single precision is, None for what is no number."""
    values = significant(values)
    column: list[float | None] = values.tolist()
    for index in np.flatnonzero(~np.isfinite(values)).tolist():
        column[index] = None
    return column


def significant(values: Floats) -> Floats:
    """Return values [n] with 7 significant digits: what a sensor's single precision holds, without binary noise."""
    size = np.floor(np.log10(np.where(np.isfinite(values) & (values != 0), np.abs(values), 1.0)))
    places = np.clip(DIGITS - 1 - size, -MOST_PLACES, MOST_PLACES)
    up, down = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)  # exact, so that the last step rounds
    return np.asarray(np.round(values * up / down) / up * down)


_LEVELS = np.array([Level(number).word for number in (0, 1, 2, -1)])  # -1 indexes the last
_FAULTS = np.array([None if fault is Fault.NONE else fault.word for fault in Fault])


def _levels(values: Levels) -> list[str]:
    words: list[str] = _LEVELS[values].tolist()
    return words


def _faults(values: Levels) -> list[str | None]:
    words: list[str | None] = _FAULTS[values].tolist()
    return words
