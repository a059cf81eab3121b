"""OMNIA's Timeseries API v1.7 as the use cases' ``ReadingSource``: readings or ``SourceError``, nothing else."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any, Self

from shared.adapters.omnia_answers import (
    Buckets,
    Turning,
    add_turned,
    collect,
    directions,
    field_of,
    items,
    joined,
    token,
)
from shared.adapters.omnia_http import Credential, OmniaSession, Refused, StaticCredential, short
from shared.domain.tsd import BUCKET, Reading, floor_to_bucket, iso, utc
from shared.errors import SourceError
from shared.ports import Answers, SourceSeries, Window
from shared.telemetry import in_context

__all__ = ["DEFAULT_SCOPE", "DEFAULT_URL", "OmniaSource", "StaticCredential"]

DEFAULT_URL = "https://api.gateway.equinor.com/plant/timeseries/v1.7"
DEFAULT_SCOPE = "141369bd-3dca-4b55-825b-56ad4a69b1fc/.default"
GOOD = 192
MAX_BUCKETS = 10_000  # of one request, says the API's documentation
MAX_PAGES = 1_000  # far above what a request's buckets fill: a server that goes on is broken
MAX_SAMPLES = 100_000  # of one page of raw samples
GONE = (404, 410)
FAILED = 500
LOOKED_UP_FOR = 600.0  # s: a tick, in which several templates ask for the sea's series

AT_ONCE = 4  # requests of one read

Batch = Mapping[str, Window]
Found = dict[str, dict[datetime, Reading]]
Ask = Callable[[Batch, dict[str, SourceError]], Found]


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
        patience: float = 60.0,  # s, after which no retry of a request begins
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
        self._good_status = frozenset(status_filter)
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[SourceSeries, float]] = {}  # and until when it is
        self._session = OmniaSession(
            credential,
            base_url,
            scope,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries=retries,
            backoff=backoff,
            longest_wait=longest_wait,
            patience=patience,
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

    def resolve(self, facility: str, tags: Sequence[str]) -> Answers[SourceSeries]:
        """Return OMNIA's series for each tag of the facility that exists; raises SourceError.

        One that was found is asked for again after some minutes, or when it can be read no more; one that was not, each
        time. Who asks remembers for longer.
        """
        found: dict[str, SourceSeries] = {}
        problems: dict[str, str] = {}
        refused: dict[str, Refused] = {}
        for tag in dict.fromkeys(tags):
            series, until = self._known.get((facility, tag), (None, 0.0))
            if series is not None and self._clock() < until:
                found[tag] = series
                continue
            try:
                several = self._search(facility, tag)
            except Refused as error:
                refused[tag] = error
                continue
            if len(several) > 1:
                ids = ", ".join(one.id for one in several)
                problems[tag] = f"tag {tag!r} of facility {facility} has several series: {ids}"
            for one in several if len(several) == 1 else ():
                self._known[facility, tag] = (one, self._clock() + LOOKED_UP_FOR)
                found[tag] = one
        for refusal in refused.values():
            if not found and not problems:  # nothing is well: that is not the tag's fault
                raise refusal
        return Answers(found, problems | {tag: str(refusal) for tag, refusal in refused.items()})

    def _search(self, facility: str, tag: str) -> list[SourceSeries]:
        """Return the series with exactly that name (the API's search has wildcards)."""
        about = f"tag {tag!r} of facility {facility}"
        params = {"name": tag, "facility": facility}
        found: dict[str, SourceSeries] = {}
        for state in _pages(about):
            page = self._session.send("GET", "/search", about, params=params | state.params)
            for item in items(page, about):
                if field_of(item, "name", str, about) == tag:
                    series = field_of(item, "id", str, about)
                    found[series] = SourceSeries(series, str(item.get("unit") or ""))
            state.whole = token(page, about)
        return list(found.values())

    def _forget(self, series: str) -> None:
        """Look the series up again when it is next asked for by its tag."""
        for key in [key for key, (one, _) in list(self._known.items()) if one.id == series]:
            self._known.pop(key, None)

    def read(self, windows: Sequence[Window]) -> Answers[Sequence[Reading]]:
        """Return each window's whole 10-minute buckets by series id, in order of time; raises SourceError.

        A series that OMNIA refuses, or answers unreadably, is among the problems; where it does so to all that it is
        asked for, though it has them, that is not the series' fault.
        """
        readings: Found = {window.series: {} for window in windows}
        problems: dict[str, SourceError] = {}
        for part, ill_of_part in self._all([*self._asking(windows)]):
            for series, found in part.items():
                readings[series] |= found
            problems = ill_of_part | problems
        ill = [one for one in problems.values() if not (isinstance(one, Refused) and one.status in GONE)]
        if ill and len(problems) == len(readings):
            raise ill[0]
        for series in problems:
            self._forget(series)
            del readings[series]
        return Answers(
            {series: [found[at] for at in sorted(found)] for series, found in readings.items()},
            {series: str(error) for series, error in problems.items()},
        )

    def _asking(self, windows: Sequence[Window]) -> Iterator[tuple[Ask, Batch]]:
        """Yield each request that the windows take, and by what it is asked."""
        for angles in (False, True):
            ask = self._read_angles if angles else self._read_means
            for batch in self._batches(one for one in windows if (one.turn is not None) is angles):
                yield ask, batch

    def _all(self, asking: Sequence[tuple[Ask, Batch]]) -> Iterator[tuple[Found, dict[str, SourceError]]]:
        """Yield what is read of each request, and what is wrong with its series; a few are under way at a time.

        Who waits for OMNIA pays for an instance that does nothing.
        """

        def one(asked: tuple[Ask, Batch]) -> tuple[Found, dict[str, SourceError]]:
            problems: dict[str, SourceError] = {}
            return self._each(asked[1], asked[0], problems), problems

        if len(asking) <= 1:
            yield from map(one, asking)
            return
        pool = ThreadPoolExecutor(min(AT_ONCE, len(asking)), "OMNIA")
        try:
            for run in [pool.submit(in_context(partial(one, asked))) for asked in asking]:
                yield run.result()
        finally:
            pool.shutdown(cancel_futures=True)  # what waits would ask in vain where one has failed

    def _each(self, batch: Batch, ask: Ask, problems: dict[str, SourceError]) -> Found:
        """Return what is read of a batch; one that is refused is halved until the series is found for which it is."""
        try:
            return ask(batch, problems)
        except Refused as error:
            if len(batch) == 1:
                if error.status == FAILED and any(_failed(one) for one in problems.values()):
                    raise  # a second one: OMNIA itself fails
                problems.update(dict.fromkeys(batch, error))
                return {}
        names = list(batch)
        halves = (names[: len(names) // 2], names[len(names) // 2 :])
        found: Found = {}
        for half in halves:
            found |= self._each({name: batch[name] for name in half}, ask, problems)
        return found

    def _read_means(self, batch: Batch, problems: dict[str, SourceError]) -> Found:
        good: dict[str, Buckets] = {series: {} for series in batch}
        every: dict[str, Buckets] = {series: {} for series in batch}
        for what, into in ((self._good, good), (self._every, every)):
            self._query(batch, _means(what), partial(collect, into), problems)
        found = {}
        for series in batch.keys() - problems.keys():
            try:
                found[series] = joined(series, good[series], every[series])
            except SourceError as error:
                problems[series] = error
        return found

    def _read_angles(self, batch: Batch, problems: dict[str, SourceError]) -> Found:
        """Return the mean directions, from the samples themselves: OMNIA averages their numbers."""
        sums: dict[str, dict[datetime, Turning]] = {series: {} for series in batch}
        self._query(batch, _samples, partial(add_turned, sums, self._good_status), problems)
        return {series: directions(batch[series], sums[series]) for series in batch.keys() - problems.keys()}

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
                batch[window.series] = Window(window.series, start, stop, window.turn)
                room -= (stop - start) // BUCKET
                start = stop
        if batch:
            yield batch

    def _query(
        self,
        batch: Batch,
        query: Callable[[Window], dict[str, Any]],
        take: Callable[[Mapping[str, Any], Window], None],
        problems: dict[str, SourceError],
    ) -> None:
        """Take the datapoints of each series, from all pages; what is wrong with one series goes to the problems.

        What follows a page is told by a token in a series' item, which goes back in that series' query, or by
        one token for the whole request; a series that an answer leaves out has no more data.
        """
        about = f"series {', '.join(batch)}"
        queries = {series: query(window) for series, window in batch.items() if series not in problems}
        if not queries:
            return
        for state in _pages(about):
            body = [one | state.of(series) for series, one in queries.items()]
            page = self._session.send("POST", "/query/data", about, params=state.params, json=body)
            state.single = {}
            for item in items(page, about):
                series = _asked(item, batch, about)
                try:
                    take(item, batch[series])
                    following = token(item, f"series {series}")
                except SourceError as error:
                    problems[series] = error
                    continue
                if following is not None:
                    state.single[series] = following
            state.whole = None if state.single else token(page, about)
            if state.single:
                queries = {series: queries[series] for series in state.single}


def _failed(error: SourceError) -> bool:
    return isinstance(error, Refused) and error.status == FAILED


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


def _means(what: Mapping[str, Any]) -> Callable[[Window], dict[str, Any]]:
    return lambda window: _span(window) | {"processingInterval": "10m", "limit": MAX_BUCKETS, **what}


def _samples(window: Window) -> dict[str, Any]:
    return _span(window) | {"limit": MAX_SAMPLES}


def _span(window: Window) -> dict[str, Any]:
    return {"id": window.series, "startTime": iso(window.start), "endTime": iso(window.end)}


def _asked(item: Any, batch: Batch, about: str) -> str:
    """Return the item's series as it was asked for: OMNIA may write the uuid in another case."""
    name: str = field_of(item, "id", str, about)
    for series in batch:
        if series.casefold() == name.casefold():
            return series
    raise SourceError(f"OMNIA answered for series {name}, which was not asked for")
