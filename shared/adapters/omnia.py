"""OMNIA's Timeseries API v1.7 as the use cases' ``ReadingSource``: readings or ``SourceError``, nothing else."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Self

from shared.adapters.omnia_http import Credential, OmniaSession, StaticCredential, said, short
from shared.domain.tsd import BUCKET, Reading, floor_to_bucket, iso, utc
from shared.errors import SourceError
from shared.ports import Window

__all__ = ["DEFAULT_SCOPE", "DEFAULT_URL", "OmniaSource", "StaticCredential"]

DEFAULT_URL = "https://api.gateway.equinor.com/plant/timeseries/v1.7"
DEFAULT_SCOPE = "141369bd-3dca-4b55-825b-56ad4a69b1fc/.default"
GOOD = 192
MAX_BUCKETS = 10_000  # of one request, says the API's documentation
MAX_PAGES = 1_000  # far above what a request's buckets fill: a server that goes on is broken
NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

Buckets = dict[datetime, dict[str, Any]]


class OmniaSource:
    """Reads OMNIA; threads may share it; whatever goes wrong outside is a SourceError."""

    def __init__(
        self,
        credential: Credential,
        base_url: str = DEFAULT_URL,
        scope: str = DEFAULT_SCOPE,
        *,
        connect_timeout: float = 10.0,  # s
        read_timeout: float = 60.0,  # s, between two bytes of an answer
        retries: int = 4,
        backoff: float = 0.5,  # s, doubled with each retry, plus up to as much again of jitter
        longest_wait: float = 30.0,  # s, of one backoff or Retry-After
        series_per_request: int = 50,
        buckets_per_request: int = MAX_BUCKETS,
        status_filter: Sequence[int] = (GOOD,),
        clock: Callable[[], float] = time.time,
    ) -> None:
        if series_per_request < 1 or not 1 <= buckets_per_request <= MAX_BUCKETS or retries < 0:
            raise ValueError(
                f"series_per_request must be at least 1, buckets_per_request in [1, {MAX_BUCKETS}] and"
                f" retries at least 0, not {series_per_request}, {buckets_per_request} and {retries}"
            )
        self._series_per_request, self._buckets_per_request = series_per_request, buckets_per_request
        self._good = {"aggregateFunctions": ["avg", "count"], "statusFilter": list(status_filter)}
        self._every = {"aggregateFunctions": ["count"]}
        self._ids: dict[tuple[str, str], str] = {}
        self._session = OmniaSession(
            credential,
            base_url,
            scope,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries=retries,
            backoff=backoff,
            longest_wait=longest_wait,
            clock=clock,
        )

    def close(self) -> None:
        """Close the session's connections."""
        self._session.close()

    def __enter__(self) -> Self:
        """Return the source itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the source."""
        self.close()

    def resolve(self, facility: str, tags: Sequence[str]) -> dict[str, str]:
        """Return OMNIA's id for each tag of the facility that exists; raises SourceError.

        An id never changes: one that was found is not asked for again, one that was not is, each time.
        """
        ids: dict[str, str] = {}
        for tag in dict.fromkeys(tags):
            if (facility, tag) not in self._ids:
                found = self._search(facility, tag)
                if len(found) > 1:
                    raise SourceError(f"tag {tag!r} of facility {facility} has several series: {', '.join(found)}")
                self._ids.update(((facility, tag), series) for series in found)
            if (facility, tag) in self._ids:
                ids[tag] = self._ids[facility, tag]
        return ids

    def _search(self, facility: str, tag: str) -> list[str]:
        """Return the ids of the series with exactly that name (the API's search has wildcards)."""
        about = f"tag {tag!r} of facility {facility}"
        params = {"name": tag, "facility": facility}
        found: dict[str, None] = {}
        for token in _pages(about):
            page = self._session.send("GET", "/search", about, params=params | token.params)
            for item in _items(page, about):
                if _field(item, "name", str, about) == tag:
                    found[_field(item, "id", str, about)] = None
            token.whole = _token(page, about)
        return list(found)

    def read(self, windows: Sequence[Window]) -> dict[str, list[Reading]]:
        """Return each window's whole 10-minute buckets by series id, in order of time; raises SourceError."""
        readings: dict[str, dict[datetime, Reading]] = {window.series: {} for window in windows}
        for batch in self._batches(windows):
            good, every = self._query(batch, self._good), self._query(batch, self._every)
            for series in batch:
                readings[series] |= _joined(series, good[series], every[series])
        return {series: [found[at] for at in sorted(found)] for series, found in readings.items()}

    def _batches(self, windows: Iterable[Window]) -> Iterator[dict[str, Window]]:
        """Yield one request's windows at a time: a series at most once, no more buckets than allowed."""
        batch: dict[str, Window] = {}
        room = self._buckets_per_request
        for window in windows:
            start, end = _whole_buckets(window)
            while start < end:
                if window.series in batch or len(batch) == self._series_per_request or room == 0:
                    yield batch
                    batch, room = {}, self._buckets_per_request
                stop = min(end, start + room * BUCKET)
                batch[window.series] = Window(window.series, start, stop)
                room -= (stop - start) // BUCKET
                start = stop
        if batch:
            yield batch

    def _query(self, batch: Mapping[str, Window], what: Mapping[str, Any]) -> dict[str, Buckets]:
        """Return the datapoints of each series by bucket, from all pages; the last of a bucket wins.

        What follows a page is told by a token in a series' item, which goes back in that series' query, or by
        one token for the whole request; a series that an answer leaves out has no more data.
        """
        about = f"series {', '.join(batch)}"
        buckets: dict[str, Buckets] = {series: {} for series in batch}
        queries = {series: _query_item(window, what) for series, window in batch.items()}
        for token in _pages(about):
            body = [query | token.of(series) for series, query in queries.items()]
            page = self._session.send("POST", "/query/data", about, params=token.params, json=body)
            token.single = {}
            for item in _items(page, about):
                series = _asked(item, batch, about)
                _collect(item, batch[series], buckets[series])
                if (following := _token(item, f"series {series}")) is not None:
                    token.single[series] = following
            token.whole = None if token.single else _token(page, about)
            if token.single:
                queries = {series: queries[series] for series in token.single}
        return buckets


class _Page:
    """Where paging stands: a token for the whole request, or those of single series."""

    def __init__(self) -> None:
        self.whole: str | None = None
        self.single: dict[str, str] = {}

    @property
    def params(self) -> dict[str, str]:
        return {"continuationToken": self.whole} if self.whole is not None else {}

    def of(self, series: str) -> dict[str, str]:
        return {"continuationToken": self.single[series]} if series in self.single else {}


def _pages(about: str) -> Iterator[_Page]:
    """Yield the paging state until a page sets no token; raises SourceError if that never ends."""
    page, seen = _Page(), set[str]()
    while True:
        yield page
        if page.whole is None and not page.single:
            return
        state = repr((page.whole, page.single))
        if state in seen or len(seen) == MAX_PAGES:
            raise SourceError(f"OMNIA's pages have no end for {about}: token {short(state)}")
        seen.add(state)


def _whole_buckets(window: Window) -> tuple[datetime, datetime]:
    start, end = floor_to_bucket(window.start), floor_to_bucket(window.end)
    return (start if start == utc(window.start) else start + BUCKET), end


def _query_item(window: Window, what: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": window.series,
        "startTime": iso(window.start),
        "endTime": iso(window.end),
        "processingInterval": "10m",
        "limit": MAX_BUCKETS,
        **what,
    }


def _asked(item: Any, batch: Mapping[str, Window], about: str) -> str:
    """Return the item's series as it was asked for: OMNIA may write the uuid in another case."""
    name: str = _field(item, "id", str, about)
    for series in batch:
        if series.casefold() == name.casefold():
            return series
    raise SourceError(f"OMNIA answered for series {name}, which was not asked for")


def _collect(item: Mapping[str, Any], window: Window, into: Buckets) -> None:
    about = f"series {window.series}"
    for point in _field(item, "datapoints", list, about):
        bucket = floor_to_bucket(_time(_field(point, "time", str, about), about))
        if window.start <= bucket < window.end:
            into[bucket] = point


def _joined(series: str, good: Buckets, every: Buckets) -> dict[datetime, Reading]:
    """Return the buckets that hold any sample; those beyond the good ones are the bad."""
    about = f"series {series}"
    readings = {}
    for bucket in good.keys() | every.keys():
        count = _count(good[bucket], about) if bucket in good else 0
        total = _count(every[bucket], about) if bucket in every else 0
        if count or total:
            value = _value(good[bucket], about) if count else None
            readings[bucket] = Reading(bucket, value, count, max(total - count, 0))
    return readings


def _items(page: Mapping[str, Any], about: str) -> list[Any]:
    items: list[Any] = _field(_field(page, "data", dict, about), "items", list, about)
    return items


def _token(holder: Mapping[str, Any], about: str) -> str | None:
    """Return the continuationToken, None where there is none."""
    if holder.get("continuationToken") in (None, ""):
        return None
    token: str = _field(holder, "continuationToken", str, about)
    return token


def _field(holder: Any, name: str, kind: type, about: str) -> Any:
    if not isinstance(holder, dict) or not isinstance(holder.get(name), kind):
        raise SourceError(f"OMNIA's answer for {about} has no {kind.__name__} {name!r}: {said(holder)}")
    return holder[name]


def _time(text: str, about: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise SourceError(f"OMNIA's answer for {about} has the time {short(text)!r}") from error
    raise SourceError(f"OMNIA's answer for {about} has a time without zone, {text!r}")


def _count(point: Mapping[str, Any], about: str) -> int:
    count = point.get("count")
    if isinstance(count, bool) or not isinstance(count, int | float) or not (count >= 0 and count % 1 == 0):
        raise SourceError(f"OMNIA's answer for {about} has no count of samples: {said(point)}")
    return int(count)


def _value(point: Mapping[str, Any], about: str) -> float | None:
    """Return the mean; non-finite ones stay floats: judging values is not the client's work."""
    value = point.get("avg", "")
    if value is None:
        return None
    if isinstance(value, str) and value in NON_FINITE:
        return NON_FINITE[value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:  # a whole number beyond every float
            return math.inf if value > 0 else -math.inf
    raise SourceError(f"OMNIA's answer for {about} has no usable avg: {said(point)}")
