"""The API's answers: what each path of OMNIA's Timeseries API v1.7 says, apart from HTTP."""

import fnmatch
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from omnia_emulator.faults import Faults
from omnia_emulator.query import (
    DEFAULT_LIMIT,
    MAX_BUCKETS,
    MAX_LIMIT,
    MAX_SERIES,
    ApiError,
    Query,
    page,
    sealed,
    unsealed,
)
from omnia_emulator.series import Samples, Series, Store, aggregated

Params = Mapping[str, Sequence[str]]
Json = dict[str, Any]


class Api:
    """Answers from a store, as late as the faults in force make its samples."""

    def __init__(self, store: Store, faults: Faults, hang: Callable[[], object]) -> None:
        self._store, self._faults, self._hang = store, faults, hang

    def answer(self, method: str, path: str, params: Params, body: Any) -> Json:
        """Return the answer to a request below the API's base path; raises ApiError."""
        parts = [part for part in path.split("/") if part]
        match method, parts:
            case "GET", [] | ["search"]:
                return self._found(params)
            case "POST", ["query", "data"]:
                return self._queried(_items(body), params)
            case "POST", ["query", "data", "latest" | "first" as which]:
                return _answer([self._one(Query.read(item), which) for item in _items(body)])
            case "GET", [name, *rest] if name != "query":
                return self._of_series(name, rest, params)
        raise ApiError(404, f"no operation {method} {path}")

    def _of_series(self, name: str, parts: list[str], params: Params) -> Json:
        query = _from_params(name, params)
        match parts:
            case []:
                return {"data": {"items": [self._series(name).described()]}, "count": 1}
            case ["data"]:
                return self._queried([query | {"aggregateFunctions": None}], {})
            case ["data", "aggregates"]:
                if "aggregateFunction" not in params:
                    raise ApiError(400, "aggregateFunction is required")
                return self._queried([query], {})
            case ["data", "latest" | "first" as which]:
                return _answer([self._one(Query.read(query), which)])
        raise ApiError(404, f"no operation GET {name}/{'/'.join(parts)}")

    def _series(self, name: str) -> Series:
        for one in self._faults.known(self._store.series.values()):
            if one.id == name.lower():
                return one
        raise ApiError(404, f"timeseries {name} does not exist")

    def _found(self, params: Params) -> Json:
        """Return the series whose metadata match; ``*`` stands for any characters, case does not matter."""
        wanted = {key: params[key][0] for key in ("name", "facility", "description", "unit") if key in params}
        found = sorted(
            (one for one in self._faults.known(self._store.series.values()) if _matches(one.described(), wanted)),
            key=lambda one: (one.facility, one.name),
        )
        limit = _number(params.get("limit", [str(DEFAULT_LIMIT)])[0], MAX_LIMIT)
        first = 0
        if "continuationToken" in params:
            token = unsealed(params["continuationToken"][0])
            first = _number(str(token), len(found))
        chosen = found[first : first + limit]
        answer: Json = {"data": {"items": [one.described() for one in chosen]}, "count": len(chosen)}
        if first + limit < len(found):
            answer["continuationToken"] = sealed(first + limit)
        return answer

    def _queried(self, items: list[Any], params: Params) -> Json:
        """Return a page of each item; what goes on has a token in its item and in the one for the request."""
        whole = params.get("continuationToken")
        tokens = unsealed(whole[0]) if whole else None
        if not (tokens is None or isinstance(tokens, dict)):
            raise ApiError(400, "continuationToken is not one of this API")
        pages, following = [], {}
        for index, item in enumerate(items):
            query = Query.read(item)
            series = self._series(query.id)
            if self._faults.is_odd(series, "refused"):
                raise ApiError(400, f"timeseries {series.id} cannot be read")
            if self._faults.is_odd(series, "hanging"):
                self._hang()
            token = query.continuation_token
            if tokens is not None:
                token = tokens.get(str(index))
            if tokens is not None and token is None:
                pages.append(_item(series, []))
                continue
            datapoints, later = self._page(series, query, token)
            if self._faults.is_odd(series, "unreadable"):
                datapoints = [{**point, "avg": "Bad Input", "value": "Bad Input"} for point in datapoints]
            pages.append(_item(series, self._faults.repeated(datapoints)))
            if later is not None:
                pages[-1]["continuationToken"] = following[str(index)] = later
        answer = _answer(pages)
        if following:
            answer["continuationToken"] = (
                sealed(following) if len(items) > 1 or whole else next(iter(following.values()))
            )
        return answer

    def _page(self, series: Series, query: Query, token: str | None) -> tuple[list[Json], str | None]:
        if query.aggregate_functions:
            return self._aggregates(series, query, token)
        samples = self._samples(series, query)
        chosen, later = page(samples.times, token, query.limit)
        return _raw(samples.where(chosen)), later

    def _samples(self, series: Series, query: Query) -> Samples:
        """Return the samples asked for that have arrived by now."""
        now = self._store.now()
        start, end = query.window(now)
        if not query.include_outside_points:
            return self._arrived(series, start, end, now, query)
        every = self._arrived(series, _FIRST, now + _TICK, now, query)
        first, last = np.searchsorted(every.times, np.array([start, end]))
        return every.where(slice(max(first - 1, 0), last + 1))

    def _arrived(
        self, series: Series, start: np.datetime64, end: np.datetime64, now: np.datetime64, query: Query
    ) -> Samples:
        samples = self._faults.arrived(series, series.record.samples(start, min(end, now + _TICK)), now)
        if query.status_filter is not None:
            samples = samples.where(np.isin(samples.statuses, query.status_filter))
        return samples

    def _aggregates(self, series: Series, query: Query, token: str | None) -> tuple[list[Json], str | None]:
        start, end = query.window(self._store.now())
        interval = query.interval()
        if interval is not None and (end - start) / interval > MAX_BUCKETS:
            raise ApiError(400, f"series {series.id}: more than {MAX_BUCKETS} buckets, ask for a shorter window")
        times, columns = aggregated(self._samples(series, query), start, interval)
        names = list(dict.fromkeys(query.aggregate_functions or ()))
        if query.fill == "null" and interval is not None:
            times, columns = _filled(times, columns, start, end, interval)
        chosen, later = page(times, token, query.limit)
        rows = zip(*(columns[name][chosen].tolist() for name in names), strict=True)
        points = [
            {"time": _text(moment)} | {name: _value(name, value) for name, value in zip(names, row, strict=True)}
            for moment, row in zip(times[chosen], rows, strict=True)
        ]
        return points, later

    def _one(self, query: Query, which: str) -> Json:
        """Return the latest or first sample in (after, before)."""
        series, now = self._series(query.id), self._store.now()
        window = query.model_copy(
            update={
                "start_time": query.after_time or query.start_time,
                "end_time": query.before_time or query.end_time,
            }
        )
        samples = self._arrived(series, *window.window(now), now, query)
        return _item(series, _raw(samples.where(slice(-1, None) if which == "latest" else slice(0, 1))))


_FIRST = np.datetime64(0, "us")
_TICK = np.timedelta64(1, "us")


def _filled(
    times: Any, columns: Mapping[str, Any], start: np.datetime64, end: np.datetime64, interval: np.timedelta64
) -> tuple[Any, dict[str, Any]]:
    """Return every bucket of the window: null, and a count of 0, where there is no sample."""
    first = _FIRST + (start - _FIRST) // interval * interval
    every = np.arange(first, end, interval)
    places = np.searchsorted(every, times)
    filled: dict[str, Any] = {}
    for name, column in columns.items():
        wide = np.full(every.size, 0 if name == "count" else None, dtype=object)
        wide[places] = column.tolist()
        filled[name] = wide
    return every, filled


def _matches(described: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    return all(
        fnmatch.fnmatchcase(str(described[key]).lower(), value.lower().replace("[", "[[]").replace("?", "[?]"))
        for key, value in wanted.items()
    )


def _items(body: Any) -> list[Any]:
    if not isinstance(body, list) or not 1 <= len(body) <= MAX_SERIES:
        raise ApiError(400, f"the body must be a list of 1 to {MAX_SERIES} queries")
    return body


def _from_params(name: str, params: Params) -> Json:
    """Return a GET's parameters in the shape of a POST's query."""
    lists = {"status": "statusFilter", "aggregateFunction": "aggregateFunctions"}
    return {lists.get(key, key): list(given) if key in lists else given[0] for key, given in params.items()} | {
        "id": name
    }


def _number(text: str, most: int) -> int:
    if not (text.isdigit() and len(text) <= 9 and 1 <= int(text) <= most):
        raise ApiError(400, f"{text!r} must be a whole number in [1, {most}]")
    return int(text)


def _item(series: Series, datapoints: list[Json]) -> Json:
    return {"id": series.id, "name": series.name, "facility": series.facility, "datapoints": datapoints}


def _answer(items: list[Json]) -> Json:
    return {"data": {"items": items}, "count": sum(len(item["datapoints"]) for item in items)}


def _raw(samples: Samples) -> list[Json]:
    return [
        {"time": _text(time), "value": _number_or_word(value), "status": status}
        for time, value, status in zip(samples.times, samples.values.tolist(), samples.statuses.tolist(), strict=True)
    ]


def _text(moment: np.datetime64) -> str:
    return f"{moment.astype('datetime64[us]')}0Z"


def _value(name: str, value: Any) -> Any:
    return int(value) if name == "count" else _number_or_word(value)


def _number_or_word(value: float | None) -> float | str | None:
    """Return the value as JSON can hold it: JSON knows no NaN and no infinity."""
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
