"""A sensor's leak-free history and what is derived from it: its own matrix profile and its threshold."""

import hashlib
import json
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from shared.detection.nearest import NearestWindow
from shared.detection.regular import STEP_S, regularise
from shared.errors import CorruptBlob, InvalidInput

Times = npt.NDArray[np.datetime64]
Floats = npt.NDArray[np.float64]

WINDOW = 144  # one day of 10-minute bins: covers two tides
THRESHOLD_QUANTILE = 0.99  # of the profile: its maximum would let one bad day blind the sensor
RESOLUTION_PPMV = 0.1  # a METS sensor resolves no less; keeps the threshold of a constant series above zero
_MAGIC = b"leak-baseline 1\n"


@dataclass(frozen=True, eq=False)
class Baseline:
    """Leak-free history on the 10-minute grid, its matrix profile, and the distance that is Warning's edge.

    ppmv: float64 [n], NaN where missing; profile: float64 [n - window + 1], NaN where a window is incomplete.
    """

    start: np.datetime64
    ppmv: Floats
    profile: Floats
    threshold: float
    window: int = WINDOW

    @cached_property
    def nearest(self) -> NearestWindow:
        """The search over this baseline's windows, prepared on first use."""
        return NearestWindow(self.ppmv, self.window)

    @cached_property
    def version(self) -> str:
        """Name of this content: same content, same version."""
        return hashlib.sha256(self.to_bytes()).hexdigest()[:16]

    @property
    def times(self) -> Times:
        """The buckets' starts [n]."""
        return np.asarray(self.start + np.arange(self.ppmv.size) * np.timedelta64(STEP_S, "s"))

    def to_bytes(self) -> bytes:
        """Return the baseline as a header line of JSON and two little-endian float64 arrays."""
        header = {
            "start": str(self.start),
            "samples": self.ppmv.size,
            "window": self.window,
            "threshold": self.threshold,
        }
        arrays = self.ppmv.astype("<f8").tobytes() + self.profile.astype("<f8").tobytes()
        return _MAGIC + json.dumps(header, sort_keys=True).encode() + b"\n" + arrays

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what ``to_bytes`` wrote; raise CorruptBlob for anything else."""
        try:
            if not data.startswith(_MAGIC):
                raise ValueError("it does not begin as a baseline")
            line, _, arrays = data[len(_MAGIC) :].partition(b"\n")
            header = json.loads(line)
            size, window = int(header["samples"]), int(header["window"])
            values = np.frombuffer(arrays, dtype="<f8").astype(np.float64)
            if values.size != 2 * size - window + 1:
                raise ValueError(f"it holds {values.size} numbers, expected {2 * size - window + 1}")
            start = np.datetime64(header["start"], "s")
            return cls(start, values[:size], values[size:], float(header["threshold"]), window)
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptBlob(f"baseline cannot be read: {error}") from error


def build_baseline(times: Any, ppmv: Any) -> Baseline:
    """Return the baseline of a leak-free history; all of what is given counts as leak-free.

    times: datetime64 [n], UTC, any order and spacing; ppmv: float [n], may hold NaN, inf and sentinels. The
    profile is STUMPY's non-normalised self-join with an exclusion zone of a day (a quarter of a window, the
    default, would match a tide with itself and bias the threshold low). Raises InvalidInput when no two
    complete windows lie more than a day apart. The first call in a process compiles for about 20 s.
    """
    series = regularise(times, ppmv)
    profile = _self_join(series.held)
    known = profile[np.isfinite(profile)]
    if known.size == 0:
        raise InvalidInput(
            f"a baseline needs two complete days more than a day apart, not {int(np.isfinite(series.ppmv).sum())} "
            f"samples in {series.ppmv.size} buckets"
        )
    floor = RESOLUTION_PPMV * float(np.sqrt(WINDOW))
    threshold = max(float(np.quantile(known, THRESHOLD_QUANTILE)), floor)
    return Baseline(series.times[0], series.held, profile, threshold)


def _self_join(series: Floats) -> Floats:
    if series.size < 2 * WINDOW:
        return np.full(max(series.size - WINDOW + 1, 0), np.nan)
    import stumpy  # noqa: PLC0415 (takes seconds to import and to compile: only who builds a baseline pays)
    from stumpy import config  # noqa: PLC0415

    before = config.STUMPY_EXCL_ZONE_DENOM
    config.STUMPY_EXCL_ZONE_DENOM = 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of distances near 0: a stuck sensor's are
            profile = stumpy.aamp(series, WINDOW)[:, 0].astype(np.float64)
    finally:
        config.STUMPY_EXCL_ZONE_DENOM = before
    return np.where(np.isfinite(profile), profile, np.nan)
