"""Recorded series as people export them: CSV with a column ``time`` and columns of numbers.

Missing is what is empty, a word (``Bad``, ``No Data``) or a fill value. What may be meant otherwise than it reads is
refused with file, line and reason: decimal commas, days of Excel, other separators.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from shared.arrays import Floats, Times
from shared.errors import InvalidInput

TIME = "time"
FILLS = np.array([-9999.0, 1e35, 9.969209968386869e36])  # of NetCDF and its kin: nobody measured these
_CLOSE = 1e-4  # relative: they come rounded
_DAY_OF_EXCEL = re.compile(r"[0-9]{5}([.,][0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?")


@dataclass(frozen=True, eq=False)
class Recording:
    """What a file of that name holds: times [n] in order, UTC, and its columns, each [n]; NaN is missing."""

    name: str
    times: Times
    columns: Mapping[str, Floats]


def header_of(path: Path) -> tuple[str, ...]:
    """Return the names of a file's columns; raises InvalidInput with the file."""
    return tuple(_rows(path).header)


def read_recording(path: Path, columns: Sequence[str]) -> Recording:
    """Return a file's times and these of its columns; raises InvalidInput with file, line and reason."""
    table = _rows(path)
    missing = [name for name in (TIME, *columns) if name not in table.header]
    if missing:
        only = ": columns are separated by commas" if len(table.header) == 1 else ""
        raise InvalidInput(f"{path.name}, line 1: has no column {', '.join(missing)}{only}; it has {table.header}")
    places = [table.header.index(name) for name in (TIME, *columns)]
    times: list[datetime] = []
    values: list[list[float]] = []
    for line, row in table.rows:
        try:
            if len(row) != len(table.header):
                why = " (a decimal comma makes one more: write 1.5)" if len(row) > len(table.header) else ""
                raise ValueError(f"has {len(row)} columns, not {len(table.header)}{why}")
            moment, *numbers = (row[place].strip() for place in places)
            times.append(_moment(moment))
            values.append([_number(name, text) for name, text in zip(columns, numbers, strict=True)])
        except ValueError as error:
            raise InvalidInput(f"{path.name}, line {line}: {error}") from error
    if not times:
        raise InvalidInput(f"{path.name}: has no rows")
    stamps = np.array(times, dtype="datetime64[us]")
    order = np.argsort(stamps, kind="stable")
    read = np.array(values, dtype=np.float64)[order].T
    return Recording(path.name, stamps[order], dict(zip(columns, _without_fills(read), strict=True)))


def joined(recordings: Sequence[Recording]) -> Recording:
    """Return several files of the same columns as one, in order; of one moment the first file's counts."""
    times = np.concatenate([one.times for one in recordings])
    kept, first = np.unique(times, return_index=True)
    columns = {name: np.concatenate([one.columns[name] for one in recordings]) for name in recordings[0].columns}
    return Recording(recordings[0].name, kept, {name: values[first] for name, values in columns.items()})


@dataclass(frozen=True)
class _Table:
    header: list[str]
    rows: list[tuple[int, list[str]]]  # with their lines


def _rows(path: Path) -> _Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            found = list(_numbered(file))
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path.name}: is not UTF-8 text ({error.reason}); save it as CSV UTF-8") from error
    except csv.Error as error:
        raise InvalidInput(f"{path.name}: is not CSV: {error}") from error
    if not found:
        raise InvalidInput(f"{path.name}: is empty")
    return _Table([name.strip() for name in found[0][1]], found[1:])


def _numbered(file: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(file)
    for row in reader:
        if any(cell.strip() for cell in row):  # an empty line says nothing
            yield reader.line_num, row


def _moment(text: str) -> datetime:
    """Return a moment in UTC without its zone, as numpy takes it; one without a zone is taken as UTC."""
    if _DAY_OF_EXCEL.fullmatch(text):
        raise ValueError(f"time is {text!r}, a day of Excel; write it as 2021-04-01T12:00:00Z")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"time is {text[:40]!r}; write it as 2021-04-01T12:00:00Z") from error
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _number(name: str, text: str) -> float:
    """Return a number; NaN for what is missing."""
    try:
        return float(text)
    except ValueError:
        pass
    if _DECIMAL_COMMA.fullmatch(text):
        raise ValueError(f"{name} is {text!r}, with a decimal comma; write {text.replace(',', '.')}")
    if any(letter.isdigit() for letter in text):
        raise ValueError(f"{name} is {text[:40]!r}, which is no number")
    return float("nan")


def _without_fills(values: Floats) -> Floats:
    fills = np.isclose(values[..., None], FILLS, rtol=_CLOSE, atol=0).any(axis=-1)
    return np.where(fills, np.nan, values)
