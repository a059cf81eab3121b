"""What one request asks of one series, and the tokens by which an answer goes on in a next page."""

import base64
import binascii
import json
import re
from datetime import UTC, datetime
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from omnia_emulator.series import instant
from shared.domain.validation import findings

MAX_BUCKETS = 10_000
MAX_SERIES = 100
MAX_LIMIT = 100_000
DEFAULT_LIMIT = 1_000
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

Aggregate = Literal["avg", "min", "max", "sum", "stddev", "count", "first", "last"]


class ApiError(Exception):
    """A refusal that the API answers with its status and a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Query(BaseModel):
    """One series' part of a request; what the emulator does not know of is ignored, as the API does."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel)

    id: str
    start_time: AwareDatetime = BEGINNING
    end_time: AwareDatetime | None = None
    after_time: AwareDatetime | None = None
    before_time: AwareDatetime | None = None
    aggregate_functions: list[Aggregate] | None = None
    processing_interval: str | None = None
    fill: Literal["none", "null"] | None = None
    status_filter: list[int] | None = None
    include_outside_points: bool = False
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    continuation_token: str | None = None

    @classmethod
    def read(cls, given: Any) -> Self:
        """Return the query; raises ApiError 400 that names every bad property."""
        try:
            known = {k: v for k, v in given.items() if v is not None} if isinstance(given, dict) else given
            return cls.model_validate(known)
        except ValidationError as error:
            raise ApiError(400, "; ".join(findings(error))) from error

    def interval(self) -> np.timedelta64 | None:
        """Return the processing interval, None for the whole window; raises ApiError 400."""
        if self.processing_interval is None:
            return None
        found = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", self.processing_interval)
        if found is None:
            raise ApiError(400, f"processingInterval {self.processing_interval!r} must read like 10m")
        return np.timedelta64(int(found[1]) * UNITS[found[2]] * 1_000_000, "us")

    def window(self, now: np.datetime64) -> tuple[np.datetime64, np.datetime64]:
        """Return [start, end), by default all that is there by now; raises ApiError 400 where it ends first."""
        start = instant(self.start_time)
        end = now + np.timedelta64(1, "us") if self.end_time is None else instant(self.end_time)
        if end < start:
            raise ApiError(400, f"endTime {end} is before startTime {start}")
        return start, end


def page(times: npt.NDArray[np.datetime64], token: str | None, limit: int) -> tuple[slice, str | None]:
    """Return which of the sorted times the page holds, and the token of the next one.

    A token holds a time and how many of that time were given, so that it stays right while data arrive and
    where one time occurs twice.
    """
    first = 0
    if token is not None:
        moment, given = _opened(token)
        first = int(np.searchsorted(times, moment)) + given
    last = min(first + limit, times.size)
    if last >= times.size:
        return slice(first, last), None
    following = times[last]
    return slice(first, last), sealed([str(following), last - int(np.searchsorted(times, following))])


def _opened(token: str) -> tuple[np.datetime64, int]:
    try:
        moment, given = unsealed(token)
        return np.datetime64(moment, "us"), int(given)
    except (ValueError, TypeError) as error:
        raise ApiError(400, "continuationToken is not one of this API") from error


def sealed(content: Any) -> str:
    """Return the content as an opaque token."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def unsealed(token: str) -> Any:
    """Return a token's content; raises ApiError 400."""
    try:
        return json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError) as error:
        raise ApiError(400, "continuationToken is not one of this API") from error
