"""A sensor's leak-free history, and what detection derives from it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Self

import numpy as np

from shared.arrays import BUCKET_STEP, Flags, Floats, Times
from shared.detection.background import Background
from shared.detection.channels import SCALES, Rates, Threshold, thresholds
from shared.detection.day_profile import WINDOW, DayProfile
from shared.detection.health import by_exception, noise_of, stuck_spans
from shared.detection.level import Range
from shared.detection.regular import HOLD_BINS, HOLD_BINS_BY_EXCEPTION, forward_fill, regularise
from shared.detection.releases import Releases
from shared.errors import CorruptBlob, InvalidInput, OtherEngine
from shared.schemas import CURRENT, SCHEMA, Stored, read

_MAGIC = b"leak-baseline "  # and the schema's number, in a line of its own
MONTH_BINS = 30.4375 * WINDOW
UNREST_PERCENTILE = 99
CALMEST = 6.0  # unrest: recorded sensors have 6.6 to 14, noise that is white would have 3
_NAMES = [channel.word for channel in SCALES]


@dataclass(frozen=True, eq=False)
class Baseline:
    """Leak-free history on the 10-minute grid with its own matrix profile.

    ppmv: float64 [n] with short gaps held, NaN where missing; noise: usual size of the steps between buckets [ppmv];
    profile: float64 [n - 143], distance of each day to the nearest other one (NaN: none); unrest: figure of the sudden
    channel that a hundredth of the history exceeds.
    """

    start: np.datetime64
    ppmv: Floats
    hold_bins: int
    noise: float
    rates: Rates
    profile: Floats
    unrest: float

    @cached_property
    def days(self) -> DayProfile:
        """Return the search for days like one, prepared on first use."""
        return DayProfile(self.ppmv, self.profile)

    @cached_property
    def background(self) -> Background:
        """Return what the history lets expect of the next reading."""
        return Background.of(self.ppmv)

    @cached_property
    def releases(self) -> Releases:
        """Return the search for releases before this background."""
        return Releases(self.background)

    @cached_property
    def range(self) -> Range:
        """Return the range of the history."""
        return Range.of(self.ppmv)

    @cached_property
    def version(self) -> str:
        """Name of this content: same content, same version; of one that was read, the name of the bytes that it was."""
        return version_of(self.to_bytes())

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Return each channel's figures from which on Warning and Critical."""
        return thresholds(self.rates, self.months)

    @cached_property
    def months(self) -> float:
        """Return how many months of readings it holds."""
        return float(np.count_nonzero(~np.isnan(self.ppmv)) / MONTH_BINS)

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
            "unrest": self.unrest,
            "rates": [self.rates.warning, self.rates.critical],
            "channels": [
                {"name": one.channel.word, "warning": one.warning, "critical": one.critical} for one in self.thresholds
            ],
        }
        arrays = np.concatenate([self.ppmv, self.profile]).astype("<f8")
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
        if names != _NAMES:
            raise OtherEngine(f"the baseline was made for the channels {', '.join(names)}")
        size = int(header["samples"])
        values = np.frombuffer(arrays, dtype="<f8").astype(np.float64)
        if values.size != 2 * size - WINDOW + 1:
            raise ValueError(f"it holds {values.size} numbers, expected {2 * size - WINDOW + 1}")
        warning, critical = header["rates"]
        return cls(
            _moment(header["start"]),
            values[:size],
            int(header["hold_bins"]),
            float(header["noise"]),
            Rates(float(warning), float(critical)),
            values[size:],
            float(header["unrest"]),
        )


def version_of(data: bytes) -> str:
    """Return the version that stored bytes are."""
    return hashlib.sha256(data).hexdigest()[:16]


def _moment(text: str) -> np.datetime64:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        raise ValueError(f"it begins at {text}, expected UTC without a zone")
    return np.datetime64(moment, "s")


def build_baseline(times: Any, ppmv: Any, rates: Rates | None = None) -> Baseline:
    """Return the baseline of a leak-free history; all of what is given counts as leak-free.

    times: datetime64 [n], UTC, any order and spacing; ppmv: float [n], may hold NaN, inf and sentinels. Values that
    a stuck sensor repeats are left out, as long as others remain. Raises InvalidInput when no two complete days lie
    more than a day apart. Takes a second for a third of a year, and some for a whole.
    """
    series = regularise(times, ppmv)
    hold_bins = HOLD_BINS_BY_EXCEPTION if by_exception(series.ppmv) else HOLD_BINS
    alive = np.where(stuck_spans(series.ppmv), np.nan, series.ppmv)
    for values in (forward_fill(alive, hold_bins), forward_fill(series.ppmv, hold_bins)):
        try:
            profile = DayProfile(values).profile
        except InvalidInput as error:
            refusal = error
        else:
            return Baseline(
                series.times[0],
                values,
                hold_bins,
                noise_of(series.ppmv),
                rates or Rates(),
                profile,
                _unrest(values, ~np.isnan(series.ppmv)),
            )
    known = int(np.count_nonzero(~np.isnan(series.ppmv)))
    raise InvalidInput(f"{refusal}: there are {known} samples in {series.ppmv.size} buckets") from refusal


def _unrest(values: Floats, observed: Flags) -> float:
    """Return the sudden figure that a hundredth of a history [n] exceeds: a month holds hundreds of such hours."""
    background = Background.of(values)
    innovations = background.innovations(values, observed & ~np.isnan(values))
    figures = Releases(background).sudden(innovations, 0)
    known = figures[~np.isnan(figures)]
    return max(float(np.percentile(known, UNREST_PERCENTILE)), CALMEST) if known.size else CALMEST
