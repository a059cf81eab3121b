"""A sensor's leak-free history and what is derived from it: per channel its own matrix profile and its thresholds."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Self

import numpy as np

from shared.arrays import BUCKET_S, BUCKET_STEP, Flags, Floats, Times
from shared.detection.channels import CHANNELS, ChannelMatcher, Scale
from shared.detection.health import by_exception, noise_of, stuck_spans
from shared.detection.regular import HOLD_BINS, HOLD_BINS_BY_EXCEPTION, forward_fill, regularise
from shared.errors import CorruptBlob, InvalidInput, OtherEngine
from shared.schemas import CURRENT, SCHEMA, Stored, read

_MAGIC = b"leak-baseline "  # and the schema's number, in a line of its own


@dataclass(frozen=True, slots=True)
class Rates:
    """How many false alarms are expected per sensor-month, at Warning and at Critical."""

    warning: float = 1.0
    critical: float = 0.1

    def __post_init__(self) -> None:
        """Refuse rates that make no sense."""
        if not 0 < self.critical < self.warning:
            raise InvalidInput(f"false alarms: 0 < critical < warning, not {self.critical} and {self.warning}")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A channel's ratios: from which on Warning, from which on Critical."""

    name: str
    warning: float
    critical: float


@dataclass(frozen=True, eq=False)
class Baseline:
    """Leak-free history on the 10-minute grid with the scale of each channel.

    ppmv: float64 [n] with short gaps held, NaN where missing; noise: usual size of the steps between buckets [ppmv].
    """

    start: np.datetime64
    ppmv: Floats
    hold_bins: int
    noise: float
    rates: Rates
    scales: tuple[Scale, ...]

    @cached_property
    def matchers(self) -> tuple[ChannelMatcher, ...]:
        """Return the channels' searches in this history, prepared on first use."""
        offset = offset_of(self.ppmv)
        pairs = zip(CHANNELS, self.scales, strict=True)
        return tuple(ChannelMatcher(channel, self.ppmv, offset, scale.profile) for channel, scale in pairs)

    @cached_property
    def version(self) -> str:
        """Name of this content: same content, same version; of one that was read, the name of the bytes that it was."""
        return version_of(self.to_bytes())

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Return each channel's ratios from which a window is Warning and Critical."""
        pairs = zip(CHANNELS, self.scales, strict=True)
        return tuple(Threshold(channel.name, scale.warning, scale.critical) for channel, scale in pairs)

    @property
    def usual(self) -> tuple[float, float]:
        """Return between which readings 90 % of the history lies, low and high [ppmv]."""
        low, high = np.nanpercentile(self.ppmv, [5, 95])
        return float(low), float(high)

    @property
    def times(self) -> Times:
        """Return the buckets' starts [n], UTC."""
        return np.asarray(self.start + np.arange(self.ppmv.size) * BUCKET_STEP)

    def to_bytes(self) -> bytes:
        """Return the baseline as a header line of JSON and little-endian float64 arrays."""
        header = {
            "start": str(self.start),
            "samples": self.ppmv.size,
            "hold_bins": self.hold_bins,
            "noise": self.noise,
            "rates": [self.rates.warning, self.rates.critical],
            "channels": [
                {"name": channel.name, "warning": scale.warning, "critical": scale.critical}
                for channel, scale in zip(CHANNELS, self.scales, strict=True)
            ],
        }
        arrays = np.concatenate([self.ppmv, *(scale.profile for scale in self.scales)]).astype("<f8")
        begin = _MAGIC + str(CURRENT[Stored.BASELINE]).encode() + b"\n"
        return begin + json.dumps(header, sort_keys=True).encode() + b"\n" + arrays.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what ``to_bytes`` wrote; raise CorruptBlob for anything else, NewerSchema, or OtherEngine."""
        try:
            first, _, rest = data.partition(b"\n")
            if not first.startswith(_MAGIC):
                raise ValueError("it does not begin as a baseline")
            line, _, arrays = rest.partition(b"\n")
            header = {**json.loads(line), SCHEMA: int(first.removeprefix(_MAGIC))}
            found = read(Stored.BASELINE, header, lambda known: cls._of(known, arrays))
        except (ValueError, KeyError, TypeError, OverflowError, InvalidInput) as error:
            raise CorruptBlob(f"baseline cannot be read: {error}") from error
        found.__dict__["version"] = version_of(data)  # also where a writer of today would write other bytes
        return found

    @classmethod
    def _of(cls, header: Mapping[str, Any], arrays: bytes) -> Self:
        names = [str(channel["name"]) for channel in header["channels"]]
        if names != [channel.name for channel in CHANNELS]:
            raise OtherEngine(f"the baseline was made for the channels {', '.join(names)}")
        size = int(header["samples"])
        sizes = [size, *(size - channel.window + 1 for channel in CHANNELS)]
        values = np.frombuffer(arrays, dtype="<f8").astype(np.float64)
        if values.size != sum(sizes):
            raise ValueError(f"it holds {values.size} numbers, expected {sum(sizes)}")
        ppmv, *profiles = np.split(values, np.cumsum(sizes)[:-1])
        warning, critical = header["rates"]
        return cls(
            _moment(header["start"]),
            ppmv,
            int(header["hold_bins"]),
            float(header["noise"]),
            Rates(float(warning), float(critical)),
            _scales(header["channels"], profiles),
        )


def version_of(data: bytes) -> str:
    """Return the version that stored bytes are."""
    return hashlib.sha256(data).hexdigest()[:16]


def _moment(text: str) -> np.datetime64:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        raise ValueError(f"it begins at {text}, expected UTC without a zone")
    return np.datetime64(moment, "s")


def _scales(headers: Sequence[Any], profiles: Sequence[Floats]) -> tuple[Scale, ...]:
    return tuple(
        Scale(profile, float(header["warning"]), float(header["critical"]))
        for header, profile in zip(headers, profiles, strict=True)
    )


def build_baseline(times: Any, ppmv: Any, rates: Rates | None = None, *, user_marked: Any = None) -> Baseline:
    """Return the baseline of a leak-free history; all of what is given counts as leak-free.

    times: datetime64 [n], UTC, any order and spacing; ppmv: float [n], may hold NaN, inf and sentinels. Values that
    a stuck sensor repeats are left out, as long as others remain. ``user_marked``: bool [n], samples that stand out and
    that a person declared leak-free: they are known from then on, but move no threshold. Raises InvalidInput when no
    two complete days lie more than a day apart. Takes a second for a quarter of a year, and a dozen for a year.
    """
    series = regularise(times, ppmv)
    hold_bins = HOLD_BINS_BY_EXCEPTION if by_exception(series.ppmv) else HOLD_BINS
    alive = np.where(stuck_spans(series.ppmv), np.nan, series.ppmv)
    marked = _on_grid(series.times, times, user_marked)
    for values in (forward_fill(alive, hold_bins), forward_fill(series.ppmv, hold_bins)):
        try:
            matchers = [ChannelMatcher(channel, values, offset_of(values)) for channel in CHANNELS]
        except InvalidInput as error:
            refusal = error
        else:
            chosen = rates or Rates()
            scales = tuple(matcher.scale(chosen.warning, chosen.critical, marked) for matcher in matchers)
            return Baseline(series.times[0], values, hold_bins, noise_of(series.ppmv), chosen, scales)
    known = int(np.count_nonzero(~np.isnan(series.ppmv)))
    raise InvalidInput(f"{refusal}: there are {known} samples in {series.ppmv.size} buckets") from refusal


def _on_grid(grid: Times, times: Any, user_marked: Any) -> Flags:
    """Return the buckets of the grid [n] that hold a sample that a person marked."""
    marked = np.zeros(grid.size, dtype=bool)
    if user_marked is not None and grid.size:
        stamps = np.asarray(times, dtype="datetime64[s]")[np.asarray(user_marked, dtype=bool)]
        marked[(stamps - grid[0]).astype(np.int64) // BUCKET_S] = True
    return marked


def offset_of(ppmv: Floats) -> float:
    """Return what is added to readings [n] before the logarithm, in ppmv: a low one, so that zero is no abyss."""
    known = ppmv[~np.isnan(ppmv)]
    return float(np.percentile(known, 10)) + 1.0 if known.size else 1.0
