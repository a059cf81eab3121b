"""What the emulator stores: series, their samples, and how samples become aggregates."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from shared.domain.platform import Platform
from shared.domain.validation import parse

GOOD = 192
NAMESPACE = uuid.UUID("6f6d6e69-6120-656d-756c-61746f722031")
PROJECT = Path(__file__).resolve().parents[2]

Moments = npt.NDArray[np.datetime64]
Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Samples:
    """Raw samples: times datetime64[us] [n] in order, values float [n], OPC statuses int [n]."""

    times: Moments
    values: npt.NDArray[np.float64]
    statuses: npt.NDArray[np.int64]

    @classmethod
    def of(cls, times: Any, values: Any, statuses: Any = None) -> Self:
        """Return samples from whatever numpy understands; good where no status is given."""
        stamps = np.asarray(times, dtype="datetime64[us]")
        marks = np.full(stamps.size, GOOD) if statuses is None else np.asarray(statuses, dtype=np.int64)
        return cls(stamps, np.asarray(values, dtype=np.float64), marks)

    def where(self, chosen: Any) -> "Samples":
        """Return the samples that an index, a slice or a mask chooses."""
        return Samples(self.times[chosen], self.values[chosen], self.statuses[chosen])

    def between(self, start: np.datetime64, end: np.datetime64) -> "Samples":
        """Return the samples in [start, end)."""
        first, last = np.searchsorted(self.times, np.array([start, end], dtype="datetime64[us]"))
        return self.where(slice(first, last))


class Record(Protocol):
    """Where one series' samples come from."""

    def samples(self, start: np.datetime64, end: np.datetime64) -> Samples:
        """Return the samples in [start, end), in order of time."""
        ...


@dataclass(frozen=True)
class Stored:
    """A record held in memory."""

    kept: Samples

    def samples(self, start: np.datetime64, end: np.datetime64) -> Samples:
        """Return the samples in [start, end)."""
        return self.kept.between(start, end)


@dataclass(frozen=True)
class Series:
    """One timeseries as the API describes it, with its record."""

    name: str
    facility: str
    unit: str
    record: Record
    description: str = ""
    generation: int = 0  # how often it was made anew

    @cached_property
    def id(self) -> str:
        """The uuid that facility, tag and generation always have."""
        more = f"/{self.generation}" if self.generation else ""
        return str(uuid.uuid5(NAMESPACE, f"{self.facility}/{self.name}{more}"))

    def described(self) -> dict[str, Any]:
        """Return the series' metadata in the API's shape."""
        return {
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "step": False,
            "unit": self.unit,
            "createdTime": "2018-01-01T00:00:00.0000000Z",
            "changedTime": "2018-01-01T00:00:00.0000000Z",
            "assetId": self.facility,
            "facility": self.facility,
            "externalId": "",
            "source": "emulator",
            "metadata": {},
        }


def _wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Store:
    """All series, the clock that hides what is yet to come, and the truth behind the data where it is known."""

    series: Mapping[str, Series]  # by id
    clock: Callable[[], datetime] = _wall_clock
    truth: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, series: Sequence[Series], clock: Callable[[], datetime] | None = None, **truth: Any) -> Self:
        """Return a store of the series, by the wall clock where no other is given."""
        return cls({one.id: one for one in series}, clock or _wall_clock, truth)

    def now(self) -> np.datetime64:
        """Return the clock's time as datetime64[us]."""
        return instant(self.clock())


def instant(moment: datetime) -> np.datetime64:
    """Return the aware moment as UTC datetime64[us]."""
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def fixed(moment: datetime) -> Callable[[], datetime]:
    """Return a clock that stands still."""
    return lambda: moment


def platforms(names: Sequence[str] = (), directory: Path = PROJECT / "seed") -> list[Platform]:
    """Return the seeds' platforms, all of them where no names are given; raises ValueError for an unknown name."""
    known = [parse(Platform, path.read_bytes(), path.name) for path in sorted(directory.glob("*.json"))]
    strangers = set(names) - {platform.id for platform in known}
    if strangers:
        raise ValueError(f"no seed for {sorted(strangers)}; there are {[platform.id for platform in known]}")
    return [platform for platform in known if not names or platform.id in names]


def aggregated(samples: Samples, start: np.datetime64, interval: np.timedelta64 | None) -> tuple[Moments, Columns]:
    """Return the starts of the buckets that hold samples [m], and every aggregate by its name [m].

    Buckets are aligned to 1970; without an interval there is one, named by the window's start.
    """
    if samples.times.size == 0:
        return samples.times, dict.fromkeys(_AGGREGATES, samples.values)
    origin = np.datetime64(0, "us")
    slots = (samples.times - origin) // interval if interval is not None else np.zeros(samples.times.size, int)
    buckets, first, counts = np.unique(slots, return_index=True, return_counts=True)
    times = origin + buckets * interval if interval is not None else np.array([start], dtype="datetime64[us]")
    values = samples.values
    with np.errstate(invalid="ignore", over="ignore"):  # infinities are data here
        totals = np.add.reduceat(values, first)
        means = totals / counts
        spread = np.add.reduceat((values - np.repeat(means, counts)) ** 2, first) / counts
        columns = {
            "avg": means,
            "min": np.minimum.reduceat(values, first),
            "max": np.maximum.reduceat(values, first),
            "sum": totals,
            "stddev": np.sqrt(spread),
            "count": counts,
            "first": values[first],
            "last": values[first + counts - 1],
        }
    return times, columns


_AGGREGATES = ("avg", "min", "max", "sum", "stddev", "count", "first", "last")
