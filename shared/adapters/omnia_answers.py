"""What OMNIA's answers hold: datapoints as readings, or a ``SourceError`` that says what is wrong with them."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shared.adapters.omnia_http import said, short
from shared.domain.tsd import Reading, floor_to_bucket
from shared.errors import SourceError
from shared.ports import Window

NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
OPPOSED = 1e-9  # a mean vector so much shorter than its samples' has no direction

Buckets = dict[datetime, dict[str, Any]]


@dataclass(slots=True)
class Turning:
    """The samples of an angle in one bucket: the sums of their vectors, how many are good or bad, an odd one."""

    east: float = 0.0
    north: float = 0.0
    count: int = 0
    bad: int = 0
    odd: list[float] = field(default_factory=list)

    def take(self, value: float | None, turn: float, *, good: bool) -> None:
        """Take a sample in; one that is no angle at all is kept as it is, for whoever judges values."""
        if not good or value is None:
            self.bad += 1
            return
        self.count += 1
        if not abs(value) <= 2 * turn:
            self.odd[:] = [value]
        else:
            self.north += math.cos(math.tau * value / turn)
            self.east += math.sin(math.tau * value / turn)

    def mean(self, turn: float) -> float | None:
        """Return the direction of the mean vector in [0, turn); None where the samples point every way."""
        if self.odd:
            return self.odd[0]
        if math.hypot(self.north, self.east) <= OPPOSED * self.count:
            return None
        return round(math.atan2(self.east, self.north) * turn / math.tau, 6) % turn


def collect(into: Mapping[str, Buckets], item: Mapping[str, Any], window: Window) -> None:
    """Put the item's datapoints into their buckets; the last of a bucket wins."""
    about = f"series {window.series}"
    for point in field_of(item, "datapoints", list, about):
        bucket = floor_to_bucket(time_of(field_of(point, "time", str, about), about))
        if window.start <= bucket < window.end:
            into[window.series][bucket] = point


def add_turned(
    into: Mapping[str, dict[datetime, Turning]], good: Collection[int], item: Mapping[str, Any], window: Window
) -> None:
    """Add an angle's samples to their buckets."""
    about, turn = f"series {window.series}", window.turn or 360.0
    for point in field_of(item, "datapoints", list, about):
        bucket = floor_to_bucket(time_of(field_of(point, "time", str, about), about))
        if window.start <= bucket < window.end:
            value = value_of(point, about, "value")
            into[window.series].setdefault(bucket, Turning()).take(
                value, turn, good=field_of(point, "status", int, about) in good
            )


def directions(window: Window, buckets: Mapping[datetime, Turning]) -> dict[datetime, Reading]:
    """Return each bucket's mean direction."""
    turn = window.turn or 360.0
    return {at: Reading(at, one.mean(turn) if one.count else None, one.count, one.bad) for at, one in buckets.items()}


def joined(series: str, good: Buckets, every: Buckets) -> dict[datetime, Reading]:
    """Return the buckets that hold any sample; those beyond the good ones are the bad."""
    about = f"series {series}"
    readings = {}
    for bucket in good.keys() | every.keys():
        count = count_of(good[bucket], about) if bucket in good else 0
        total = count_of(every[bucket], about) if bucket in every else 0
        if count or total:
            value = value_of(good[bucket], about) if count else None
            readings[bucket] = Reading(bucket, value, count, max(total - count, 0))
    return readings


def items(page: Mapping[str, Any], about: str) -> list[Any]:
    """Return what an answer lists."""
    found: list[Any] = field_of(field_of(page, "data", dict, about), "items", list, about)
    return found


def token(holder: Mapping[str, Any], about: str) -> str | None:
    """Return the continuationToken, None where there is none."""
    if holder.get("continuationToken") in (None, ""):
        return None
    found: str = field_of(holder, "continuationToken", str, about)
    return found


def field_of(holder: Any, name: str, kind: type, about: str) -> Any:
    """Return a property of that type; raises SourceError."""
    if not isinstance(holder, dict) or not isinstance(holder.get(name), kind):
        raise SourceError(f"OMNIA's answer for {about} has no {kind.__name__} {name!r}: {said(holder)}")
    return holder[name]


def time_of(text: str, about: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise SourceError(f"OMNIA's answer for {about} has the time {short(text)!r}") from error
    raise SourceError(f"OMNIA's answer for {about} has a time without zone, {text!r}")


def count_of(point: Mapping[str, Any], about: str) -> int:
    count = point.get("count")
    if isinstance(count, bool) or not isinstance(count, int | float) or not (count >= 0 and count % 1 == 0):
        raise SourceError(f"OMNIA's answer for {about} has no count of samples: {said(point)}")
    return int(count)


def value_of(point: Mapping[str, Any], about: str, name: str = "avg") -> float | None:
    """Return the mean, or the sample's value; non-finite ones stay floats: judging is not the client's work."""
    value = point.get(name, "")
    if value is None:
        return None
    if isinstance(value, str) and value in NON_FINITE:
        return NON_FINITE[value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:  # a whole number beyond every float
            return math.inf if value > 0 else -math.inf
    raise SourceError(f"OMNIA's answer for {about} has no usable {name}: {said(point)}")
