"""Series as columns: samples as they are, or buckets of them."""

from typing import Literal

from pydantic import AwareDatetime

from shared.domain.validation import Model


class ReadingsBody(Model):
    """A sensor's readings: column ``ppmv`` at ``times``; null: nothing usable came."""

    sensor: str
    unit: Literal["ppmv"] = "ppmv"
    times: list[str]
    ppmv: list[float | None]
    continuation: str | None


class ReadingBucketsBody(Model):
    """Least, mean and largest reading of each bucket; null: nothing usable came in it."""

    sensor: str
    unit: Literal["ppmv"] = "ppmv"
    bucket_seconds: int
    times: list[str]  # the buckets' starts
    min: list[float | None]
    mean: list[float | None]
    max: list[float | None]
    samples: list[int]
    bad: list[int]  # samples of which only bad values came


class DeviationsBody(Model):
    """A sensor's scores (1.0 is Warning's edge, 2.0 Critical's), levels, and faults; null: none.

    ``channel`` is what spoke, before an alarm was held: what the score rests on unless it is held above that.
    """

    sensor: str
    times: list[str]
    score: list[float | None]
    channel: list[str | None]
    level: list[str]
    fault: list[str | None]
    continuation: str | None


class DeviationBucketsBody(Model):
    """Least, mean and largest score of each bucket, its worst level, and how many samples have which."""

    sensor: str
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

    Without ``least`` and ``largest`` each bucket is one sample. Levels: 0 Ok, 1 Warning, 2 Critical, -1 Undefined.
    """

    sensor: str
    mean: list[float | None]
    least: list[float | None] | None
    largest: list[float | None] | None
    score: list[float | None]
    level: list[int]


class TemplateSeriesBody(Model):
    """All sensors of a template on one time axis: bucket k begins at ``start`` + k times ``bucket_seconds``."""

    template: str
    start: AwareDatetime
    bucket_seconds: int
    size: int
    sensors: list[SensorCurveBody]
