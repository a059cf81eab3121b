"""Series as columns: samples as they are, or buckets of them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Literal

from pydantic import AwareDatetime

from shared.domain.deviation import Level
from shared.domain.tsd import iso
from shared.domain.validation import Model


class ColumnsBody(Model):
    """Lists of equal length, one of them of times."""

    def columns(self) -> Mapping[str, Sequence[Any]]:
        """Return its columns by name, the times first."""
        lists = {name: value for name in type(self).model_fields if isinstance(value := getattr(self, name), list)}
        return {"time": lists.pop("times"), **lists}


class ReadingsBody(ColumnsBody):
    """A sensor's readings: column ``ppmv`` at ``times``; null: nothing usable came."""

    sensor: str
    kept_since: date | None = None  # where the range begins before it: what is older was deleted
    unit: Literal["ppmv"] = "ppmv"
    times: list[str]
    ppmv: list[float | None]
    continuation: str | None


class ReadingBucketsBody(ColumnsBody):
    """Least, mean and largest reading of each bucket; null: nothing usable came in it."""

    sensor: str
    kept_since: date | None = None  # where the range begins before it: what is older was deleted
    unit: Literal["ppmv"] = "ppmv"
    bucket_seconds: int
    times: list[str]  # the buckets' starts
    min: list[float | None]
    mean: list[float | None]
    max: list[float | None]
    samples: list[int]
    bad: list[int]  # samples of which only bad values came


class DeviationsBody(ColumnsBody):
    """A sensor's scores (1.0 is Warning's edge, 2.0 Critical's), levels, and faults; null: none.

    ``channel`` is what spoke, before an alarm was held: what the score rests on unless it is held above that.
    """

    sensor: str
    kept_since: date | None = None  # where the range begins before it: what is older was deleted
    times: list[str]
    score: list[float | None]
    channel: list[str | None]
    level: list[str]
    fault: list[str | None]
    continuation: str | None


class DeviationBucketsBody(ColumnsBody):
    """Least, mean and largest score of each bucket, its worst level, and how many samples have which."""

    sensor: str
    kept_since: date | None = None  # where the range begins before it: what is older was deleted
    bucket_seconds: int
    times: list[str]  # the buckets' starts
    min: list[float | None]
    mean: list[float | None]
    max: list[float | None]
    level: list[str]
    ok: list[int]
    warning: list[int]
    critical: list[int]
    undefined: list[int]
    faulty: list[int]  # samples of a sensor that was not well


class SensorCurveBody(Model):
    """A sensor's part of a template's series: per bucket readings [ppmv], the largest score, and the worst level.

    ``raw`` is the largest score before the latch, null where that is the same: nothing is held there.
    Without ``least`` and ``largest`` each bucket is one sample. Levels: 0 Ok, 1 Warning, 2 Critical, -1 Undefined.
    """

    sensor: str
    mean: list[float | None]
    least: list[float | None] | None
    largest: list[float | None] | None
    score: list[float | None]
    raw: list[float | None]
    level: list[int]


class SeaBucketsBody(ColumnsBody):
    """The sea at a template, means of buckets; the current flows towards its direction, degrees from north.

    null: nothing was measured.
    """

    template: str
    bucket_seconds: int
    times: list[str]  # the buckets' starts
    current_speed_m_s: list[float | None]
    current_direction_deg: list[float | None]
    wave_height_m: list[float | None]  # significant
    wave_period_s: list[float | None]
    temperature_c: list[float | None]


class TemplateSeriesBody(ColumnsBody):
    """All sensors of a template on one time axis: bucket k begins at ``start`` + k times ``bucket_seconds``."""

    template: str
    kept_since: date | None = None  # where the range begins before it: what is older was deleted
    start: AwareDatetime
    bucket_seconds: int
    size: int
    sensors: list[SensorCurveBody]

    def columns(self) -> Mapping[str, Sequence[Any]]:
        """Return the buckets' starts, and what each sensor has of them under its id, a dot and the name."""
        width = timedelta(seconds=self.bucket_seconds)
        found: dict[str, Sequence[Any]] = {"time": [iso(self.start + k * width) for k in range(self.size)]}
        for one in self.sensors:
            values = {"least": one.least, "mean": one.mean, "largest": one.largest, "score": one.score, "raw": one.raw}
            found |= {f"{one.sensor}.{name}": value for name, value in values.items() if value is not None}
            found[f"{one.sensor}.level"] = [Level(value).word for value in one.level]
        return found
