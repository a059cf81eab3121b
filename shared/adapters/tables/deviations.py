"""Table of scored days: PartitionKey sensor id, RowKey day.

Counts and maxima are plain properties for people; the day's samples are packed in little-endian arrays
(ppmv float64; score and raw float32; currents complex64; level, channel, away and fault int8). Rows that this process
wrote or read stay in memory with their etag, so that a tick costs one conditional write per sensor and no read; a stale
one loses that write and is read again.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
from azure.data.tables import TableClient, TableEntity

from shared.adapters.tables.access import (
    PartitionedTable,
    etag_of,
    get_entity,
    names_from_text,
    names_in_text,
    put_entity,
    query,
    quoted,
)
from shared.arrays import Times
from shared.domain.deviation import Carry, Context, DeviationDay, Level, fingerprint
from shared.domain.tsd import ONE_DAY, grid
from shared.errors import Conflict
from shared.ports import DaySummary, ETag, StoredDeviations
from shared.schemas import SCHEMA, Stored, numbered, read

_PACKED = {
    "ppmv": "<f8",
    "score": "<f4",
    "level": "<i1",
    "raw": "<f4",
    "channel": "<i1",
    "away": "<i1",
    "fault": "<i1",
    "currents": "<c8",
}
_IN_MEMORY = {
    "currents": np.complex128,
    "ppmv": np.float64,
    "score": np.float32,
    "raw": np.float32,
}  # in memory; else int8

_LEVELS = [level.name.lower() for level in Level]
_SUMMARISED = [
    *("PartitionKey", "RowKey", SCHEMA, "samples", *_LEVELS),
    *("engine", "baseline", "bad", "before", "carry", "fingerprint", "context", "told"),
]


class AzureDeviationsTable(PartitionedTable):
    """One row per sensor and day."""

    def __init__(self, table: TableClient, keep: int = 4096) -> None:
        """Use the table, and keep so many rows in memory."""
        super().__init__(table)
        self._keep = keep
        self._memory: OrderedDict[tuple[str, date], tuple[DeviationDay, str]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, sensor: str, day: date, *, fresh: bool = False) -> StoredDeviations:
        """Return the stored row and its etag, from memory unless ``fresh``."""
        if not fresh and (known := self._known(sensor, day)) is not None:
            return known
        return self._taken(sensor, day, get_entity(self._table, sensor, day.isoformat()))

    def with_earlier(
        self, sensor: str, day: date, *, fresh: bool = False
    ) -> tuple[Mapping[date, StoredDeviations], StoredDeviations]:
        """Return the rows of two days before and of the day, by one query; where it is in memory, that one alone."""
        if not fresh and (known := self._known(sensor, day)) is not None:
            return {}, known
        days = [day - 2 * ONE_DAY, day - ONE_DAY, day]
        found = {entity["RowKey"]: entity for entity in query(self._table, _between(sensor, days[0], day))}
        rows = {one: self._taken(sensor, one, found.get(one.isoformat())) for one in days}
        return rows, rows.pop(day)

    def _known(self, sensor: str, day: date) -> StoredDeviations | None:
        """Return the row that is in memory."""
        with self._lock:
            known = self._memory.get((sensor, day))
        return None if known is None else StoredDeviations(*known, fresh=False)

    def _taken(self, sensor: str, day: date, entity: TableEntity | None) -> StoredDeviations:
        """Return the row that was read, and remember it."""
        if entity is None:
            self._forget(sensor, day)
            return StoredDeviations(None, None, fresh=True)
        row = row_of(entity)
        self._remember(row, etag_of(entity))
        return StoredDeviations(row, etag_of(entity), fresh=True)

    def put(self, row: DeviationDay, etag: ETag) -> str:
        """Write the row on what was read and return its new etag; raises Conflict and forgets what it remembered."""
        try:
            written = put_entity(self._table, entity_of(row), etag)
        except Conflict:
            self._forget(row.sensor, row.day)
            raise
        self._remember(row, written)
        return written

    def range(self, sensor: str, first: date, last: date) -> list[DeviationDay]:
        """Return the sensor's rows of [first, last] in order, read from the table."""
        return [row_of(entity) for entity in query(self._table, _between(sensor, first, last))]

    def columns(
        self, sensor: str, first: date, last: date, names: Sequence[str]
    ) -> tuple[Times, Mapping[str, npt.NDArray[Any]]]:
        """Return times [n] and these columns [n] of the rows of [first, last]; nothing else is read."""
        select = ["PartitionKey", "RowKey", SCHEMA, "buckets", *names]
        stored = query(self._table, _between(sensor, first, last), select=select)
        rows = [read(Stored.DEVIATIONS, one, lambda row: [row[name] for name in select]) for one in stored]
        times = [grid(date.fromisoformat(row[1]), row[3]) for row in rows]
        found = {name: b"".join(row[place] for row in rows) for place, name in enumerate(names, start=4)}
        return (
            np.concatenate([np.empty(0, "datetime64[s]"), *times]),
            {name: np.frombuffer(content, _PACKED[name]) for name, content in found.items()},
        )

    def summaries(self, sensor: str, first: date, last: date) -> list[DaySummary]:
        """Return the rows of [first, last] in short and in order, without the packed samples."""
        return [summary_of(one) for one in query(self._table, _between(sensor, first, last), _SUMMARISED)]

    def remove_all(self, sensor: str, /) -> None:
        """Remove all of the sensor, also from memory."""
        super().remove_all(sensor)
        with self._lock:
            for key in [key for key in self._memory if key[0] == sensor]:
                del self._memory[key]

    def _remember(self, row: DeviationDay, etag: str) -> None:
        with self._lock:
            self._memory[row.sensor, row.day] = (row, etag)
            self._memory.move_to_end((row.sensor, row.day))
            while len(self._memory) > self._keep:
                self._memory.popitem(last=False)

    def _forget(self, sensor: str, day: date) -> None:
        with self._lock:
            self._memory.pop((sensor, day), None)


def _between(sensor: str, first: date, last: date) -> str:
    return (
        f"PartitionKey eq {quoted(sensor)} and RowKey ge {quoted(first.isoformat())} "
        f"and RowKey le {quoted(last.isoformat())}"
    )


def entity_of(row: DeviationDay) -> dict[str, Any]:
    """Return the day as its row in the table."""
    properties = {
        "PartitionKey": row.sensor,
        "RowKey": row.day.isoformat(),
        "buckets": int(row.level.size),
        "samples": int(np.count_nonzero(np.isfinite(row.ppmv))),
        **{level.name.lower(): row.count(level) for level in Level},
        "max_ppmv": _maximum(row.ppmv),
        "max_score": _maximum(row.score.astype(np.float64)),
        "last_level": row.last_level().word,
        "engine": row.engine,
        "baseline": row.baseline,
        "bad": row.bad,
        "faulty": int(np.count_nonzero(row.fault)),
        "before": _pack_carry(row.before),
        "carry": _pack_carry(row.carry),
        "fingerprint": row.fingerprint,
        "context": " ".join(row.context),
        "told": names_in_text(row.told),
        **{name: getattr(row, name).astype(packed).tobytes() for name, packed in _PACKED.items()},
    }
    return numbered(Stored.DEVIATIONS, properties)


def _pack_carry(carry: Carry | None) -> str:
    """Return what is handed on as text: the latch's four numbers, the fault, the version."""
    if carry is None:
        return ""
    return " ".join([*(repr(float(number)) for number in carry.latch), str(carry.fault), carry.baseline])


def _unpack_carry(text: str) -> Carry | None:
    if not text:
        return None
    held, low, release, age, fault, baseline = text.split(" ")
    return Carry((float(held), float(low), float(release), float(age)), int(fault), baseline)


def _maximum(values: Any) -> float:
    """Return the largest value, or -1 where there is none: a row always has the same properties."""
    known = values[np.isfinite(values)]
    return float(known.max()) if known.size else -1.0


def row_of(entity: Mapping[str, Any]) -> DeviationDay:
    """Return the day that a row of the table holds; raises NewerSchema."""
    return read(Stored.DEVIATIONS, entity, _row)


def _row(entity: Mapping[str, Any]) -> DeviationDay:
    return DeviationDay(
        sensor=entity["PartitionKey"],
        day=date.fromisoformat(entity["RowKey"]),
        engine=entity["engine"],
        baseline=entity["baseline"],
        **{
            name: np.frombuffer(entity[name], packed).astype(_IN_MEMORY.get(name, np.int8))
            for name, packed in _PACKED.items()
        },
        before=_unpack_carry(entity["before"]),
        carry=_carry(entity),
        bad=entity["bad"],
        context=_context(entity),
        told=names_from_text(entity["told"]),
    )


def _context(entity: Mapping[str, Any]) -> Context:
    yesterday, day_before = entity["context"].split(" ")
    return Context(yesterday, day_before)


def _carry(entity: Mapping[str, Any]) -> Carry:
    carry = _unpack_carry(entity["carry"])
    if carry is None:
        raise ValueError("carry must not be empty")
    return carry


def summary_of(entity: Mapping[str, Any]) -> DaySummary:
    """Return what the plain properties of a row say; raises NewerSchema."""
    return read(Stored.DEVIATIONS, entity, _summary)


def _summary(entity: Mapping[str, Any]) -> DaySummary:
    counts = {level: entity[level.name.lower()] for level in Level}
    return DaySummary(
        day=date.fromisoformat(entity["RowKey"]),
        engine=entity["engine"],
        baseline=entity["baseline"],
        samples=entity["samples"],
        counts=counts,
        bad=entity["bad"],
        before=_unpack_carry(entity["before"]),
        carry=_carry(entity),
        fingerprint=entity["fingerprint"] if any(counts.values()) else fingerprint(None),
        context=_context(entity),
        told=names_from_text(entity["told"]),
    )
